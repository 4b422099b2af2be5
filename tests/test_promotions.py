"""The promotion log read: terms, the challenger, and what a rollback goes back to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from churnwatch.ledger import before_champion, challenger, left_by_rollback, terms
from churnwatch.ledger.promotions import ROLLED_BACK, Promotion

START = datetime(2026, 1, 1, tzinfo=UTC)


def log(*moves: str) -> list[Promotion]:
    """Moves a day apart: ``A`` promotes A, ``?A`` makes it challenger, ``<A`` rolls back to it."""
    made: list[Promotion] = []
    champion = None
    for day, move in enumerate(moves):
        version = move.lstrip("?<")
        alias = "challenger" if move.startswith("?") else "champion"
        gate = {ROLLED_BACK: champion} if move.startswith("<") else {}
        when = START + timedelta(days=day)
        made.append(Promotion(day, "demo", "churn", alias, version, None, when, "me", "so", gate))
        if alias == "champion":
            champion = version
    return made


def test_a_term_ends_where_the_next_begins():
    found = [
        (one.model_version, one.since.day, one.until and one.until.day) for one in terms(log("A", "?B", "B", "<A"))
    ]
    assert [("A", 1, 3), ("B", 3, 4), ("A", 4, None)] == found
    assert () == terms([])
    assert () == terms(log("?A"))


@pytest.mark.parametrize(
    ("moves", "expected"),
    [
        ((), None),
        (("A",), None),
        (("?A",), "A"),
        (("A", "?B"), "B"),
        (("A", "?B", "?C"), "C"),
        (("A", "?B", "B"), None),
        (("A", "?B", "C"), None),
        (("A", "B", "?C", "<A"), "C"),
    ],
)
def test_the_challenger_waits_until_the_next_promotion(moves, expected):
    """A promotion decides among the candidates, a rollback does not."""
    assert expected == challenger(log(*moves))


@pytest.mark.parametrize(
    ("moves", "expected"),
    [
        ((), None),
        (("A",), None),
        (("A", "B"), "A"),
        (("A", "?C", "B"), "A"),
        (("A", "B", "C"), "B"),
        (("A", "B", "C", "<B"), "A"),
        (("A", "B", "C", "<B", "<A"), None),
        (("A", "B", "<A", "C"), "A"),
        (("A", "B", "A"), "B"),
        (("A", "B", "A", "<B"), "A"),
        (("A", "B", "A", "<B", "<A"), None),
        (("A", "B", "<A", "B"), "A"),
    ],
)
def test_a_rollback_undoes_one_promotion_after_the_other(moves, expected):
    assert expected == before_champion(log(*moves))


@pytest.mark.parametrize(
    ("moves", "expected"),
    [
        (("A", "B"), set()),
        (("A", "B", "<A"), {"B"}),
        (("A", "B", "C", "<B", "<A"), {"B", "C"}),
        (("A", "B", "<A", "B"), set()),
        (("A", "B", "<A", "?B"), {"B"}),
    ],
)
def test_what_was_rolled_back_from_is_remembered_until_somebody_promotes_it(moves, expected):
    assert expected == set(left_by_rollback(log(*moves)))
