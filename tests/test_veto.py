"""Vetoes: kept with who said so and why, lifted by another word, refused where they make no sense."""

from __future__ import annotations

from command_line import call, facts, ok, refused


def test_a_veto_stands_until_it_is_lifted_and_both_are_kept(project):
    said = ok(
        call("outreach", "veto", "C000012", "--reason", " our  largest\naccount ", "--project", project, "--json")
    )
    assert ("C000012", "our largest account", False) == tuple(
        said.json[name] for name in ("customer", "reason", "lifted")
    )
    shown = ok(call("outreach", "vetoes", "--project", project))
    assert all(word in shown.out for word in ("C000012", "our largest account", said.json["by"], said.json["day"]))
    lifted = ok(call("outreach", "veto", "C000012", "--reason", "sold", "--lift", "--project", project))
    assert "is lifted" in lifted.out
    assert [] == ok(call("outreach", "vetoes", "--project", project, "--json")).json["vetoes"]
    assert "No veto stands" in ok(call("outreach", "vetoes", "--project", project)).out


def test_who_is_vetoed_already_is_said_and_the_same_reason_is_not_written_twice(project):
    def said(reason):
        return ok(call("outreach", "veto", "C000012", "--reason", reason, "--project", project)).out

    assert "is vetoed: from the next list on" in said("large")
    for reason, told in (("large", "Nothing was written."), ("a partner", "The new reason is kept beside it.")):
        first, second = said(reason).splitlines()
        assert first.startswith("C000012 was vetoed already, on ")
        assert first.endswith(": large")
        assert told == second
    assert ["large", "a partner"] == [one["reason"] for one in facts(project, "vetoes")]
    told = ok(call("outreach", "veto", "C000012", "--reason", "a partner", "--project", project, "--json")).json
    assert (False, "a partner") == (told["written"], told["before"]["reason"])


def test_a_customer_there_is_not_is_refused_with_the_nearest(project):
    said = call("outreach", "veto", "C00012", "--reason", "large", "--project", project)
    refused(said, 4, "there is no customer C00012", "did you mean C00")


def test_a_veto_wants_a_reason(project):
    assert 2 == call("outreach", "veto", "C000012", "--project", project).code
    refused(call("outreach", "veto", "C000012", "--reason", " \n ", "--project", project), 2, "--reason", "no reason")


def test_what_is_not_vetoed_cannot_be_lifted(project):
    ok(call("outreach", "veto", "C000012", "--reason", "large", "--project", project))
    said = call("outreach", "veto", "C000013", "--reason", "sold", "--lift", "--project", project)
    refused(said, 2, "no veto of C000013", "did you mean C000012")
