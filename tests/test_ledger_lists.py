"""The ledger keeps every list as it was issued, and answers what later lists ask of it."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa
from ledger_facts import MAY_1, MAY_2, NOON, assigned, count, issue, outcome, row
from sqlalchemy.exc import IntegrityError, StatementError

from churnwatch.errors import DeliveryFailed
from churnwatch.ledger import (
    Seen,
    assignments,
    latest_list,
    past_rows,
    previous_risks,
    record_list,
    record_outcomes,
    record_veto,
    rows_of_customer,
    seen_now,
)


def test_a_list_comes_back_by_rank_with_what_was_said(ledger: sa.Engine) -> None:
    second, first = row("007", rank=2, risk=0.25), row("8", rank=1, risk=0.75, reasons=())
    assert 1 == issue(ledger, rows=[second, {**first, "customer_name": "Siti", "action_steps": "…"}])
    found = latest_list(ledger, deployment="demo", as_of=MAY_1)
    assert found is not None
    assert (first, second) == found.rows
    assert {"outreach.csv": {"sha256": "00", "bytes": 3}} == found.files
    assert (1, "churn", "0123456789ab", None, NOON) == (
        found.revision,
        found.model,
        found.model_version,
        found.baseline,
        found.issued_at,
    )


def test_a_list_keeps_the_further_models_it_asked_in_their_order_and_what_they_said(ledger: sa.Engine) -> None:
    """One had no champion; a list without further models has none, and a row without their word has none."""
    asked = (("unhappy", "cafecafecafe"), ("inactivity", None))
    beside = {"also_model": "unhappy", "also_risk": 0.31, "also_band": "watch", "also_change": 0.09}
    told = row("7", risk=0.02, listed_for="unhappy", **beside, expected_score=0.48, expected_change=-0.06)
    issue(ledger, rows=[told, row("8", rank=2)], also=asked)
    found = latest_list(ledger, deployment="demo", as_of=MAY_1)
    assert found is not None
    assert (asked, (told, row("8", rank=2))) == (found.also, found.rows)
    issue(ledger, as_of=MAY_2)
    after = latest_list(ledger, deployment="demo", as_of=MAY_2)
    assert after is not None
    assert () == after.also


def test_a_second_list_of_a_day_is_its_second_revision_and_the_first_stays(ledger: sa.Engine) -> None:
    assert [1, 2, 1, 1] == [
        issue(ledger, rows=[row("a")]),
        issue(ledger, rows=[row("b"), row("c", rank=2)]),
        issue(ledger, as_of=MAY_2),
        issue(ledger, deployment="other"),
    ]
    found = latest_list(ledger, deployment="demo", as_of=MAY_1)
    assert found is not None
    assert (2, ["b", "c"]) == (found.revision, [each["customer_id"] for each in found.rows])
    assert 3 == count(ledger, "list_rows")
    assert latest_list(ledger, deployment="demo", as_of=date(2026, 5, 3)) is None


def test_previous_risks_are_those_of_the_last_revision_of_the_last_earlier_day(ledger: sa.Engine) -> None:
    issue(ledger, as_of=date(2026, 4, 1), rows=[row("old", risk=0.1)])
    issue(ledger, rows=[row("a", risk=0.2)])
    issue(ledger, rows=[row("a", risk=0.3), row("b", rank=2, risk=0.4)])
    issue(ledger, as_of=MAY_2, rows=[row("a", risk=0.9)])
    issue(ledger, rows=[row("a", risk=0.8)], deployment="other")
    assert {"a": 0.3, "b": 0.4} == before(ledger, MAY_2)
    issue(ledger, as_of=date(2026, 5, 3), rows=[row("a", risk=None, band=""), row("b", rank=2, risk=0.6)])
    assert {"b": 0.6} == before(ledger, date(2026, 5, 4))
    assert {"old": 0.1} == before(ledger, MAY_1)
    assert {} == before(ledger, date(2026, 4, 1))


def before(ledger: sa.Engine, day: date, **more: Any) -> dict[str, float]:
    same = {"deployment": "demo", "model": "churn", "model_version": "0123456789ab"} | more
    return previous_risks(ledger, before=day, **same)


def test_risks_of_another_model_or_version_are_not_compared_with(ledger: sa.Engine) -> None:
    """A change of the model must not look like one of the customer."""
    issue(ledger, rows=[row("a", risk=0.2)])
    assert {"a": 0.2} == before(ledger, MAY_2)
    assert {} == before(ledger, MAY_2, model="inactivity")
    assert {} == before(ledger, MAY_2, model_version="ffffffffffff")


def test_an_old_list_is_made_again_beside_the_lists_of_its_time(ledger: sa.Engine) -> None:
    """What was issued for an earlier day only afterwards is left out."""
    issue(ledger, as_of=date(2026, 4, 1), rows=[row("a", risk=0.1)])
    issue(ledger, as_of=MAY_2, rows=[row("a", risk=0.9)])
    made = latest_list(ledger, deployment="demo", as_of=MAY_2)
    issue(ledger, as_of=MAY_1, rows=[row("a", risk=0.5)])
    assert made is not None
    assert {"a": 0.5} == before(ledger, MAY_2)
    assert {"a": 0.1} == before(ledger, MAY_2, issued_before=made.list_id)


@pytest.mark.parametrize(
    ("broken", "error"),
    [
        pytest.param(row("a", rank=2), IntegrityError, id="the same customer twice"),
        pytest.param(row("b", rank=2, risk=1.5), IntegrityError, id="a risk above one"),
        pytest.param(row("b", rank=2, band="terrible"), IntegrityError, id="an unknown band"),
        pytest.param({"customer_id": "b"}, KeyError, id="a row without its fields"),
        pytest.param(row("b", rank=2, reasons=(float("nan"),)), ValueError, id="NaN, which is no JSON"),
    ],
)
def test_a_list_that_fails_in_the_middle_leaves_nothing(
    ledger: sa.Engine, broken: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises((error, StatementError)):
        issue(ledger, rows=[row("a"), broken])
    assert (0, 0) == (count(ledger, "lists"), count(ledger, "list_rows"))
    assert 1 == issue(ledger, rows=[row("a")])


def test_a_list_that_is_not_published_is_not_kept_and_one_that_is_not_taken_not_published(ledger: sa.Engine) -> None:
    published = []

    def full() -> None:
        raise DeliveryFailed("the disk is full")

    with pytest.raises(DeliveryFailed):
        issue(ledger, rows=[row("a")], publish=full)
    assert (0, 0) == (count(ledger, "lists"), count(ledger, "audit"))
    with pytest.raises(IntegrityError):
        issue(ledger, rows=[row("a"), row("a", rank=2)], publish=lambda: published.append("twice"))
    assert 1 == issue(ledger, rows=[row("a")], publish=lambda: published.append("once"))
    assert ["once"] == published


def test_a_list_belongs_to_a_run(ledger: sa.Engine) -> None:
    with pytest.raises(IntegrityError):
        record_list(
            ledger,
            run_id=99,
            deployment="demo",
            as_of=MAY_1,
            model="churn",
            model_version="ab",
            baseline=None,
            files={},
            issued_at=NOON,
            rows=[],
        )
    assert 0 == count(ledger, "lists")


def test_a_list_keeps_what_it_had_seen(ledger: sa.Engine) -> None:
    assert Seen(0, 0) == seen_now(ledger, "demo")
    issue(ledger, rows=[row("a")])
    record_outcomes(ledger, deployment="demo", outcomes=[outcome("a"), outcome("b")])
    record_veto(ledger, deployment="demo", customer_id="c", reason="key account", by="lead", at=NOON)
    record_veto(ledger, deployment="other", customer_id="c", reason="key account", by="lead", at=NOON)
    assert (Seen(2, 1), Seen(0, 2)) == (seen_now(ledger, "demo"), seen_now(ledger, "other"))
    issue(ledger, as_of=MAY_2, seen=Seen(2, 1))
    found = [latest_list(ledger, deployment="demo", as_of=day) for day in (MAY_1, MAY_2)]
    assert [None, Seen(2, 1)] == [one.seen for one in found if one]


def test_a_caller_that_knows_nothing_of_outreach_leaves_its_keys_out(ledger: sa.Engine) -> None:
    later = ("proactive", "account_owner", "handed", "back_early", "action_name", "action_minutes", "worth")
    old = {key: value for key, value in row("a").items() if key not in (*later, "signs", "counterfactual")}
    issue(ledger, rows=[old])
    found = latest_list(ledger, deployment="demo", as_of=MAY_1)
    assert found is not None
    assert [{**old, **dict.fromkeys(later), "signs": (), "counterfactual": None}] == list(found.rows)


def test_past_rows_are_of_the_last_revision_of_each_day_from_since_to_before(ledger: sa.Engine) -> None:
    """By day and rank; the first day counts, the last does not, nor does another deployment's."""
    issue(ledger, as_of=date(2026, 4, 1), rows=[row("too early")])
    issue(ledger, as_of=date(2026, 4, 2), rows=[row("b", rank=2), row("a", signs=("quiet", "complaints"))])
    issue(ledger, rows=[row("taken back")])
    issue(ledger, rows=[row("c", proactive="renewal", action_name="renew", owner="a2", risk=0.1, band="healthy")])
    issue(ledger, as_of=MAY_2, rows=[row("too late")])
    issue(ledger, rows=[row("elsewhere")], deployment="other")
    found = past_rows(ledger, deployment="demo", before=MAY_2, since=date(2026, 4, 2))
    assert [(2, date(2026, 4, 2), "a"), (2, date(2026, 4, 2), "b"), (4, MAY_1, "c")] == [
        (one.list_id, one.as_of, one.customer_id) for one in found
    ]
    assert (("quiet", "complaints"), "call_back", "") == (found[0].signs, found[0].action_name, found[0].proactive)
    assert ("a2", 0.1, "healthy", "renew", "renewal") == (
        found[2].owner,
        found[2].risk,
        found[2].band,
        found[2].action_name,
        found[2].proactive,
    )
    # As it was when list 4 was made: the first revision of May 1 stood.
    then = past_rows(ledger, deployment="demo", before=MAY_2, since=MAY_1, issued_before=4)
    assert ["taken back"] == [one.customer_id for one in then]
    assert () == past_rows(ledger, deployment="nobody", before=MAY_2, since=MAY_1)


def test_a_past_row_names_the_version_its_risk_is_by_whatever_listed_it(ledger: sa.Engine) -> None:
    rows = [row("a"), row("b", rank=2, listed_for="unhappy", also_model="unhappy")]
    issue(ledger, rows=rows, also=(("unhappy", "cafecafecafe"),))
    found = past_rows(ledger, deployment="demo", before=MAY_2, since=MAY_1)
    assert [("churn", "0123456789ab"), ("unhappy", "0123456789ab")] == [
        (one.listed_for, one.model_version) for one in found
    ]


def test_every_row_of_a_customer_comes_back_with_its_list_oldest_day_first(ledger: sa.Engine) -> None:
    issue(ledger, as_of=MAY_2, rows=[row("a", risk=0.9)])
    issue(ledger, rows=[row("a", risk=0.2), row("b", rank=2)])
    issue(ledger, rows=[row("b"), row("a", rank=2, risk=0.3)])
    issue(ledger, rows=[row("a", risk=0.7)], deployment="other")
    found = rows_of_customer(ledger, deployment="demo", customer_id="a")
    assert [(2, MAY_1, 1, False, 0.2), (3, MAY_1, 2, True, 0.3), (1, MAY_2, 1, True, 0.9)] == [
        (one["list_id"], one["as_of"], one["revision"], one["latest"], one["risk"]) for one in found
    ]
    assert row("a", risk=0.9).items() <= found[2].items()
    assert ("churn", "0123456789ab", None) == tuple(found[2][key] for key in ("model", "model_version", "baseline"))
    assert () == rows_of_customer(ledger, deployment="demo", customer_id="z")


# --- the arms of the holdout, which a list decides


def test_a_list_keeps_the_arms_it_decided_and_each_is_decided_once(ledger: sa.Engine) -> None:
    first = assigned("a"), assigned("b", "held_out", risk=None, worth=None)
    issue(ledger, rows=[row("a")], assigned=first)
    with pytest.raises(IntegrityError):
        issue(ledger, as_of=MAY_2, rows=[row("b")], assigned=[assigned("b")])
    assert latest_list(ledger, deployment="demo", as_of=MAY_2) is None
    assert first == assignments(ledger, deployment="demo")
    next_epoch = assigned("b", epoch=date(2026, 7, 29), decided_on=date(2026, 7, 30))
    issue(ledger, as_of=date(2026, 7, 30), assigned=[next_epoch])
    issue(ledger, assigned=[assigned("b")], deployment="other")
    assert (*first, next_epoch) == assignments(ledger, deployment="demo")
    assert (next_epoch,) == assignments(ledger, deployment="demo", epoch=date(2026, 7, 29))
    assert first == assignments(ledger, deployment="demo", before_list=2)
    assert () == assignments(ledger, deployment="demo", before_list=1)


def test_an_arm_is_treated_or_held_out(ledger: sa.Engine) -> None:
    with pytest.raises(IntegrityError):
        issue(ledger, rows=[row("a")], assigned=[assigned("a", "control")])
    assert (0, 0) == (count(ledger, "lists"), count(ledger, "assignments"))
