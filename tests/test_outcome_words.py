"""What agents write of a contact, in both languages and as carelessly as people write."""

from __future__ import annotations

from datetime import date

import pytest

from churnwatch.delivery import OUTCOMES, Outcomes, Wrong, parse_outcomes
from churnwatch.delivery.outcome_words import offered, word


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("reached", ("reached",)),
        ("  Reached ", ("reached",)),
        ("NOT  reached", ("not_reached",)),
        ("not_reached", ("not_reached",)),
        ("terhubung; akan bertahan", ("reached", "will_stay")),
        ("akan bertahan;terhubung;", ("reached", "will_stay")),
        ("reached, solved", ("reached", "solved")),
        ("reached\noffer accepted", ("reached", "offer_accepted")),
        ("reached; terhubung", ("reached",)),
        ("Tidak terjawab", ("not_reached",)),
        ("selesai", ("solved",)),
        ("will leave", ("will_leave",)),
        ("", ()),
        (" ; ", ()),
    ],
)
def test_words_are_read_in_both_languages(text: str, expected: tuple[str, ...]) -> None:
    assert Outcomes(expected) == parse_outcomes(text)


@pytest.mark.parametrize(
    "text",
    [
        "snooze until 2026-08-01",
        "Snooze: 2026-08-01",
        "tunda sampai 2026-08-01",
        "TUNDA HINGGA 2026-08-01",
        "snooze until 2026-08-01; tunda sampai 2026-08-01",
    ],
)
def test_a_snooze_names_its_day(text: str) -> None:
    assert Outcomes(("snooze",), date(2026, 8, 1)) == parse_outcomes(text)


@pytest.mark.parametrize("day", ["", "tomorrow", "01/08/2026", "2026-8-1", "2026-02-30", "20260801"])
def test_a_day_that_could_be_another_is_refused(day: str) -> None:
    """Nobody can tell whether 01/08 is in January or in August."""
    found = parse_outcomes(f"snooze until {day}")
    assert isinstance(found, Wrong)
    assert f"`{f'snooze until {day}'.strip()}` names no day" == found.found
    assert "snooze until 2026-08-01" in found.allowed


def test_two_days_to_snooze_until_are_refused() -> None:
    found = parse_outcomes("snooze until 2026-08-01; snooze until 2026-08-02")
    assert Wrong("it snoozes until 2026-08-01 and until 2026-08-02", "one day") == found


def test_a_word_of_ones_own_is_refused_with_the_nearest() -> None:
    found = parse_outcomes("reached; wil stay")
    assert isinstance(found, Wrong)
    assert ("`wil stay` is no outcome", "did you mean will stay?") == (found.found, found.hint)
    assert all(said in found.allowed for both in OUTCOMES.values() for said in both)
    assert "did you mean akan berhenti?" == parse_outcomes("akan berheti").hint  # type: ignore[union-attr]


def test_notes_are_not_repeated_at_length() -> None:
    found = parse_outcomes("she said that she would think about it until her husband is back")
    assert isinstance(found, Wrong)
    assert "`she said that she would think about it u…` is no outcome" == found.found


def test_a_wrong_flag_needs_a_why_and_a_why_is_one() -> None:
    """Who writes only what was wrong with the reasons has said that the flag was."""
    for cell in ("wrong flag: already renewed", "Wrong_flag (sudah pindah)", "tanda keliru karena pindah"):
        wrong = parse_outcomes(cell)
        assert isinstance(wrong, Wrong)
        assert f"`{cell}` says why in the same cell" == wrong.found
        assert "in the next column, flag_wrong_reason" in wrong.allowed
    assert "a wrong flag without a why" == parse_outcomes("wrong flag").found  # type: ignore[union-attr]
    assert Outcomes(("wrong_flag",)) == parse_outcomes("tanda keliru", why="was on holiday")
    assert Outcomes(("reached", "wrong_flag")) == parse_outcomes("reached", why="was on holiday")
    assert Outcomes(("wrong_flag",)) == parse_outcomes("", why="was on holiday")


@pytest.mark.parametrize(
    "text",
    ["will stay; will leave", "akan bertahan; will leave", "reached; not reached", "not reached; solved"],
)
def test_what_cannot_both_have_come_of_one_contact_is_refused(text: str) -> None:
    found = parse_outcomes(text)
    assert isinstance(found, Wrong)
    assert found.found.endswith("cannot both have come of one contact")


def test_every_word_that_is_offered_is_read_back() -> None:
    until = date(2026, 7, 15)
    for language in ("en", "id"):
        read = [
            parse_outcomes(one, why="x" if key == "wrong_flag" else "")
            for key, one in zip(OUTCOMES, offered(language, until=until), strict=True)
        ]
        assert [Outcomes((key,), until if key == "snooze" else None) for key in OUTCOMES] == read
    assert "tunda sampai 2026-07-15" == word("snooze", language="id", until=until)
    assert "will stay" == word("will_stay", language="fr")
