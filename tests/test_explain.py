"""Explain: one customer as the list saw them."""

from __future__ import annotations

import csv
import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from command_line import END, call, ok, refused, untouched
from ledger_facts import issue, outcome, row

from churnwatch.delivery import differences
from churnwatch.ledger import Outcome, lists_so_far, record_outcomes, rows_of_customer
from churnwatch.runs.explain import folder_of
from churnwatch.runs.workspace import ledger, open_workspace


@pytest.fixture(scope="module")
def first(company):
    """The first row of the last day's list."""
    return company.said.json["daily"]["rows"][0]


@pytest.fixture(scope="module")
def found(company, first):
    """That customer explained, as data, in the language of their owner."""
    with (company.root / "data" / "agents.csv").open(newline="") as file:
        language = {row["agent_no"]: row["language"] for row in csv.DictReader(file)}
    options = ("--as-of", END, "--project", company.root, "--json", "--lang", language[first["owner"]])
    return ok(call("explain", first["customer"], *options)).json


def told(project, customer, *options):
    with untouched(project):
        return ok(call("explain", customer, "--as-of", END, "--project", project, *options))


def test_risk_and_reasons_are_the_lists(found, first):
    """In the owner's language, the same sentences in the same order."""
    assert first["risk"] == round(found["risk"], 4)
    assert (first["band"], first["model_version"]) == (found["band"], found["model_version"])
    reasons = [first[key] for key in ("reason_1", "reason_2", "reason_3") if first[key]]
    assert reasons == [reason["sentence"] for reason in found["reasons"]]
    assert first["owner"] == found["customer"]["owner"]


def test_contributions_stand_in_their_order_beside_the_values(found):
    shares = [abs(one["contribution"]) for one in found["signals"]]
    assert sorted(shares, reverse=True) == shares
    assert 0 < shares[0]
    assert len(shares) == len({one["column"] for one in found["signals"]}) > 30


def test_nothing_from_as_of_on_is_shown(company, first):
    """At an earlier day, with events after it: none of them, the latest first, not more than twelve."""
    customer = next(
        row["customer"] for row in company.said.json["daily"]["rows"] if (row["last_contact"] or "") > "2026-05-10"
    )
    said = ok(call("explain", customer, "--as-of", "2026-05-01", "--project", company.root, "--json")).json
    times = [one["at"] for one in said["interactions"]]
    assert times
    assert len(times) <= 12
    assert sorted(times, reverse=True) == times
    assert times[0] < "2026-05-01"
    answers = [one["answered_at"] for one in said["surveys"] if one["answered_at"]]
    assert [] == [answer for answer in answers if answer >= "2026-05-01"]


def test_the_terminal_shows_risk_reasons_and_what_happened(project, first):
    said = told(project, first["customer"])
    assert first["customer_name"] in said.out
    assert f"{float(first['risk']):.0%}" in said.out
    assert "Latest interactions" in said.out
    assert "What weighs most" in said.out


def test_an_unknown_customer_is_refused_with_the_nearest_id(project, first):
    wrong = first["customer"].replace("C0", "CO")
    with untouched(project):
        said = call("explain", wrong, "--as-of", END, "--project", project)
    refused(said, 4, f"there is no customer {wrong}", "did you mean C0")


def leavers(project):
    """Cancellations since March, the latest last."""
    with (project / "data" / "cancellations.csv").open(newline="") as file:
        return [row for row in csv.DictReader(file) if "2026-03-10" <= row["received"] < END]


def test_who_has_left_has_a_story_without_a_risk(project):
    left = next(row["customer_no"] for row in leavers(project) if row["service_ends"] < END)
    said = json.loads(told(project, left, "--json").out)
    assert ("left", None, None) == (said["standing"], said["risk"], said["curve"])
    assert said["customer"]["ended"] == said["standing_since"] <= END
    assert ([], [], []) == (said["reasons"], said["signals"], said["also"])
    assert said["interactions"]
    assert "No risk is told of who is gone" in told(project, left).out
    # Before they said so they were watched as everybody was, and nobody knew of their end.
    options = ("--as-of", "2026-03-01", "--project", project, "--json")
    before = ok(call("explain", left, *options)).json
    assert ("observed", None) == (before["standing"], before["customer"]["ended"])
    assert before["risk"] > 0


def test_who_has_announced_that_they_leave_is_told_so_and_without_a_risk(project):
    last = next(row for row in leavers(project)[::-1] if row["service_ends"] > END)
    said = json.loads(told(project, last["customer_no"], "--json").out)
    assert ("announced", last["received"][:10]) == (said["standing"], said["standing_since"])
    assert (None, None, None) == (said["risk"], said["curve"], said["customer"]["ended"])
    assert "Has announced on" in told(project, last["customer_no"]).out


def test_the_curve_ends_at_the_risk_of_the_day_and_holds_what_happened(found):
    curve = found["curve"]
    assert 90 == len(curve["days"]) == len(curve["risks"])
    assert END == curve["days"][-1]
    assert found["risk"] == pytest.approx(curve["risks"][-1], rel=1e-12)
    assert {"theirs", "ours", "answers"} == set(curve["happened"])
    assert all(curve["days"][0] <= day < END for days in curve["happened"].values() for day in days)
    in_curve = {one["at"][:10] for one in found["interactions"] if one["at"][:10] >= curve["days"][0]}
    assert in_curve <= {*curve["happened"]["theirs"], *curve["happened"]["ours"]}
    assert found["rising_since"] is None or found["rising_since"] in curve["days"]
    assert 0 < found["bands"]["watch"] < found["bands"]["at_risk"] < found["bands"]["critical"]


def test_a_curve_of_an_earlier_day_says_the_same_of_the_days_both_have(company, first, found):
    """Made with the same model from what was known then: nothing of later days is in it."""
    options = ("--as-of", "2026-06-11", "--project", company.root, "--json")
    earlier = ok(call("explain", first["customer"], *options)).json["curve"]
    later = dict(zip(found["curve"]["days"], found["curve"]["risks"], strict=True))
    both = [(risk, later[day]) for day, risk in zip(earlier["days"], earlier["risks"], strict=True) if day in later]
    assert 70 == len(both)
    assert [then for then, _ in both] == pytest.approx([now for _, now in both], rel=1e-12)


def test_lists_and_what_came_of_them_are_told_the_latest_first(project, first):
    """Two lists: of one it was handed back that the customer was reached; and a contact of no list before both."""
    customer = first["customer"]
    ok(call("daily", "--as-of", "2026-06-25", "--project", project))
    workspace = open_workspace(project, deployment="demo", data=None, now=datetime(2026, 7, 1, 12, tzinfo=UTC))
    with ledger(workspace) as engine:
        rows = rows_of_customer(engine, deployment="demo", customer_id=customer)
        said = {"deployment": "demo", "customer_id": customer, "by": "test", "source": "0" * 64, "line": 2}
        at = datetime(2026, 7, 1, 9, tzinfo=UTC)
        [last] = [row for row in rows if str(row["as_of"]) == END]
        worked = Outcome(
            **said, list_id=last["list_id"], list_day=last["as_of"], day=at.date(), at=at, known_at=at,
            words=("reached", "snooze"), snooze_until=date(2026, 8, 1), why="asked for time", channel="phone",
        )  # fmt: skip
        lone = Outcome(
            **said, list_id=None, list_day=None, day=date(2026, 5, 1), at=at, known_at=at, words=("solved",),
            action_name="call_back",
        )  # fmt: skip
        assert 2 == record_outcomes(engine, deployment="demo", outcomes=[worked, lone]).new
    lists = json.loads(told(project, customer, "--json", "--lang", "id").out)["lists"]
    listed = [str(row["as_of"]) for row in rows]
    assert [*listed[::-1], "2026-05-01"] == [one["day"] for one in lists]
    assert [True] * len(listed) + [False] == [one["listed"] for one in lists]
    assert {
        "day": END, "words": ["reached", "snooze"], "snooze_until": "2026-08-01", "why": "asked for time",
        "channel": "phone",
    } == lists[0]["came"]  # fmt: skip
    assert first["risk"] == round(lists[0]["risk"], 4)
    assert first["reason_1"] == lists[0]["reasons"][0]
    assert "Telepon kembali soal keluhan" == lists[-1]["action"]
    out = told(project, customer).out
    assert "1 Jul 2026, phone: reached" in out
    assert "a contact of no list" in out


def test_what_came_of_a_list_stands_beside_its_later_revision(project, company):
    """Of the first revision both were reached; the second still names one of them."""
    customer, other = (one["customer"] for one in company.said.json["daily"]["rows"][:2])
    workspace = open_workspace(project, deployment="demo", data=None, now=datetime(2026, 7, 1, 12, tzinfo=UTC))
    before = datetime(2026, 6, 20, 9, tzinfo=UTC)
    day = before.date()
    with ledger(workspace) as engine:
        issue(engine, as_of=day, rows=[row(customer), row(other, rank=2)])
        [one] = [one for one in lists_so_far(engine, deployment="demo") if one[1] == day]
        said = {"list_id": one[0], "list_day": day, "day": day, "at": before, "known_at": before}
        outcomes = [outcome(who, **said) for who in (customer, other)]
        assert 2 == record_outcomes(engine, deployment="demo", outcomes=outcomes).new
        issue(engine, as_of=day, rows=[row(customer)])
    stands, struck = (
        [(one["listed"], one["revised"], one["came"]["words"]) for one in found["lists"] if one["day"] == str(day)]
        for found in (json.loads(told(project, who, "--json").out) for who in (customer, other))
    )
    assert [(True, False, ["reached"])] == stands
    assert [(False, True, ["reached"])] == struck
    out = told(project, other).out
    assert "on an earlier revision of the list" in out
    assert "a contact of no list" not in out


def test_the_page_is_published_whole_where_the_day_has_its_place(project, first):
    customer = first["customer"]
    said = ok(call("explain", customer, "--as-of", END, "--project", project, "--page", "--json")).json
    page = Path(said["files"]["page"])
    assert project / "out" / "demo" / f"{END}-explain" / customer / "explain.html" == page
    assert ["explain.html", "run.json"] == sorted(one.name for one in page.parent.iterdir())
    assert () == differences(page.parent)
    text = page.read_text(encoding="utf-8")
    assert first["customer_name"] in text
    assert 1 == text.count("<svg")
    # A second time replaces it; another language is another page in the same place.
    ok(call("explain", customer, "--as-of", END, "--project", project, "--page", "--lang", "id"))
    assert '<html lang="id">' in page.read_text(encoding="utf-8")


def test_an_id_that_is_no_plain_name_leaves_no_directory_and_meets_no_other():
    assert ["C000001", "a_b-C"] == [folder_of(one) for one in ("C000001", "a_b-C")]
    odd = ["../x", "a/b", ".hidden", "", "a b", "é", "C:1", "x" * 65]
    folders = [folder_of(one) for one in odd]
    assert len(odd) == len(set(folders))
    assert all(len(one) == 16 and set(one) <= set("0123456789abcdef") for one in folders)
