"""Explain: one customer as the list saw them."""

from __future__ import annotations

import csv

import pytest
from command_line import END, call, ok, refused, untouched


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


def test_who_has_left_is_not_observed_and_is_told_so(project):
    with (project / "data" / "cancellations.csv").open(newline="") as file:
        left = next(csv.DictReader(file))["customer_no"]
    with untouched(project):
        said = call("explain", left, "--as-of", END, "--project", project)
    refused(said, 4, f"{left} is not observed by the model churn on {END}", "had they left by then")
