"""Reasons: which numbers become sentences, which never do, and how they read in both languages."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from churnwatch.project import load_project
from churnwatch.reasons import Reason, quantity, reasons, speaks_for, word
from churnwatch.spec import Column, Family

ROOT = Path(__file__).resolve().parents[1]
NBSP = "\N{NO-BREAK SPACE}"


def signal(name: str, **given: Any) -> dict[str, Any]:
    """A signal of direction up that says its name and number; ``given`` overrides."""
    words = {"en": f"{name.upper()} {{value}}", "id": f"{name.upper()}-ID {{value}}"}
    return {"name": name, "description": "", "aggregate": "count", "direction": "up", "reason": words} | given


def columns(*signals: dict[str, Any]) -> tuple[Column, ...]:
    """The columns of one family."""
    first = signals[0]
    name = first["name"] + (f"_{first['windows'][0]}" if first.get("windows") else "")
    return Family.model_validate(
        {
            "family": "contact",
            "description": "",
            "table": "interactions",
            "signals": list(signals),
            "examples": [{"as_of": date(2026, 3, 1), "rows": [], "expect": {name: 0}}],
        }
    ).columns


def told(
    chosen: tuple[Column, ...],
    values: list[float],
    contributions: list[float],
    *,
    usual: list[float | None] | None = None,
    language: Any = "en",
    most: int = 3,
) -> list[str]:
    """The sentences for one customer; nought is usual."""
    medians = dict(zip([c.name for c in chosen], usual or [0.0] * len(chosen), strict=True))
    found = reasons(
        chosen,
        np.array(values, dtype=float),
        np.array(contributions, dtype=float),
        usual=medians,
        language=language,
        currency="IDR",
        most=most,
    )
    return [reason.sentence for reason in found]


FIVE = columns(*(signal(name) for name in "abcde"))


def test_at_most_three_the_strongest_first() -> None:
    """Five push the risk up, three are told, by the size of their push."""
    assert ["D 4", "B 2", "E 5"] == told(FIVE, [1, 2, 3, 4, 5], [0.1, 0.4, 0.2, 0.5, 0.3])
    assert ["D 4"] == told(FIVE, [1, 2, 3, 4, 5], [0.1, 0.4, 0.2, 0.5, 0.3], most=1)


def test_equal_pushes_are_told_in_the_order_of_their_names() -> None:
    """The same list on every run."""
    assert ["A 1", "B 1", "C 1"] == told(FIVE[::-1], [1] * 5, [0.2] * 5)


def test_what_lowers_the_risk_or_leaves_it_is_no_reason() -> None:
    """A push of nought or below is never told, nor is there any reason where nothing pushes up."""
    assert ["B 2"] == told(FIVE, [1, 2, 3, 4, 5], [-0.4, 0.1, 0.0, -0.1, -0.2])
    assert [] == told(FIVE, [1, 2, 3, 4, 5], [-0.4, -0.1, 0.0, 0.0, 0.0])


def test_windows_of_one_signal_are_one_reason_worded_by_the_strongest() -> None:
    """0.2 + 0.3 of `a` outweigh the 0.4 of `b`; the sentence is that of the 84 days."""
    both = columns(signal("a", windows=["28d", "84d"]), signal("b"))
    assert ["A 5", "B 7"] == told(both, [2, 5, 7], [0.2, 0.3, 0.4])


def test_signals_that_say_the_same_are_one_reason() -> None:
    """`a` and `c` say one thing: 0.29 + 0.31 before 0.5; the action is that of the column worded, the sign theirs."""
    same = columns(signal("a", says="anger", action="call"), signal("b"), signal("c", says="anger", action="write"))
    found = reasons(
        same,
        np.array([1.0, 2.0, 3.0]),
        np.array([0.29, 0.5, 0.31]),
        usual=dict.fromkeys("abc", 0.0),
        language="en",
        currency="IDR",
    )
    assert (Reason("C 3", "c", 0.29 + 0.31, "write", "anger"), Reason("B 2", "b", 0.5, None, "b")) == found


def test_a_group_that_lowers_the_risk_as_a_whole_is_no_reason() -> None:
    """One window pushes up, the other more strongly down."""
    assert [] == told(columns(signal("a", windows=["28d", "84d"])), [2, 5], [0.2, -0.3])


def test_what_speaks_for_it_does_so_with_all_that_says_the_same() -> None:
    """`a` and `c` say one thing, 0.3 - 0.4; of `b` both windows, 0.2 - 0.1; `d` adds nothing."""
    same = columns(
        signal("a", says="anger"), signal("b", windows=["28d", "84d"]), signal("c", says="anger"), signal("d")
    )
    assert [False, True, True, False, False] == speaks_for(same, np.array([0.3, 0.2, -0.1, -0.4, 0.0])).tolist()


@pytest.mark.parametrize(
    ("direction", "value", "usual", "expected"),
    [
        ("up", 3, 2, ["A 3"]),
        ("up", 2, 2, []),
        ("up", 1, 2, []),
        ("down", 1, 2, ["A 1"]),
        ("down", 2, 2, []),
        ("down", 3, 2, []),
        ("any", 1, 2, ["A 1"]),
        ("any", 2, 2, []),
        ("any", 3, 2, ["A 3"]),
        ("up", 1, None, ["A 1"]),
    ],
)
def test_only_what_is_worse_than_usual_is_told(
    direction: str, value: float, usual: float | None, expected: list[str]
) -> None:
    """Whoever does as well as most, or better, is not told so as a sign of leaving."""
    assert expected == told(columns(signal("a", direction=direction)), [value], [0.5], usual=[usual])


def test_the_sentence_falls_to_the_next_column_that_is_worse_than_usual() -> None:
    """The 28 days push most but are as good as anybody's; the 84 days are not."""
    assert ["A 5"] == told(columns(signal("a", windows=["28d", "84d"])), [0, 5], [0.4, 0.1])


def test_a_missing_number_is_never_worded() -> None:
    """Its push may be real, but there is nothing to say: the next column of the group is worded, or none."""
    assert ["B 2"] == told(FIVE[:2], [np.nan, 2], [0.9, 0.1])
    assert ["A 5"] == told(columns(signal("a", windows=["28d", "84d"])), [np.nan, 5], [0.4, 0.1])


def test_both_languages() -> None:
    """The same reason in the owner's language."""
    assert (["A 1.5"], ["A-ID 1,5"]) == (
        told(columns(signal("a", unit="number")), [1.5], [1], language="en"),
        told(columns(signal("a", unit="number")), [1.5], [1], language="id"),
    )


CHANGING = signal(
    "spent",
    windows=["28d"],
    compare="previous",
    direction="down",
    unit="money",
    reason={"en": "Spent {value} in {window} days", "id": "Belanja {value} dalam {window} hari"},
    change_reason={
        "en": "Spent {value} in {window} days, before {previous}",
        "id": "Belanja {value} dalam {window} hari, sebelumnya {previous}",
    },
)


def test_a_change_is_told_with_both_windows() -> None:
    """The change is value minus previous: 200 - 1500 = -1300 gives the 1500 back."""
    both = columns(CHANGING)
    assert [f"Spent IDR{NBSP}200 in 28 days, before IDR{NBSP}1,500"] == told(both, [200, -1300], [0, 0.5])
    assert [f"Belanja Rp{NBSP}200 dalam 28 hari, sebelumnya Rp{NBSP}1.500"] == told(
        both, [200, -1300], [0, 0.5], language="id"
    )


def test_the_value_of_a_compared_signal_is_told_without_the_change() -> None:
    """Where the window's own number pushes, it has its own words."""
    assert [f"Spent IDR{NBSP}200 in 28 days"] == told(columns(CHANGING), [200, -1300], [0.5, 0], usual=[900, 0])


@pytest.mark.parametrize("change", [0, 300])
def test_a_change_for_the_better_is_no_reason_though_others_improved_more(change: float) -> None:
    """Everybody else's spending grew by 500."""
    assert [] == told(columns(CHANGING), [200, change], [0, 0.5], usual=[0, 500])


def test_a_change_whose_window_is_missing_is_not_told() -> None:
    """Nothing is made of half a comparison."""
    assert [] == told(columns(CHANGING), [np.nan, -1300], [0, 0.5])


@pytest.mark.parametrize(
    ("window", "en", "id_"), [("84d", "84", "84"), ("36h", "1.5", "1,5"), ("1000d", "1,000", "1.000")]
)
def test_a_window_is_told_in_days(window: str, en: str, id_: str) -> None:
    """Hours as parts of a day, not rounded away."""
    words = {"en": "{value} in {window} days", "id": "{value} dalam {window} hari"}
    one = columns(signal("a", windows=[window], reason=words))
    assert ([f"2 in {en} days"], [f"2 dalam {id_} hari"]) == (told(one, [2], [1]), told(one, [2], [1], language="id"))


def test_another_columns_number_is_told_in_its_own_unit() -> None:
    """A count beside the days of the usual gap; without that number there is no sentence."""
    pair = columns(
        signal("a", reason={"en": "{value}, usually every {gap_364d}", "id": "{value}, biasanya {gap_364d}"}),
        signal("gap", unit="days", windows=["364d"]),
    )
    assert ["7, usually every 12 days"] == told(pair, [7, 12], [1, 0])
    assert ["7, biasanya 12 hari"] == told(pair, [7, 12], [1, 0], language="id")
    assert [] == told(pair, [7, np.nan], [1, 0])


OPTIONAL = {"en": "{value} ago[; usually {gap} apart]", "id": "{value} lalu[; biasanya {gap}]"}


@pytest.mark.parametrize(
    ("gap", "en", "id_"),
    [
        (9, "41 days ago; usually 9 days apart", "41 hari lalu; biasanya 9 hari"),
        (np.nan, "41 days ago", "41 hari lalu"),
        (0, "41 days ago", "41 hari lalu"),
    ],
)
def test_what_stands_in_brackets_is_told_where_it_is_known(gap: float, en: str, id_: str) -> None:
    """The usual gap of somebody who came once is missing, and of one whose visits were all at once it is 0."""
    pair = columns(signal("a", reason=OPTIONAL, unit="days"), signal("gap", unit="days"))
    assert ([en], [id_]) == (told(pair, [41, gap], [1, 0]), told(pair, [41, gap], [1, 0], language="id"))


def test_a_number_in_brackets_that_the_model_does_not_know_leaves_them_out() -> None:
    """A deployment without that signal."""
    [one, _] = columns(signal("a", reason=OPTIONAL, unit="days"), signal("gap", unit="days"))
    assert "41 days ago" == word(one, {"a": 41.0}, {"a": one.signal}, language="en", currency="IDR")


def test_a_window_of_one_day_is_a_day() -> None:
    """Neither "the last 1 days" nor "the 1 days before"; Indonesian has one form."""
    words = {"en": "{value} in the last {window} days, in the {window} days before {previous}, over {window} days"}
    words["id"] = "{value} dalam {window} hari terakhir, {window} hari sebelumnya {previous}, selama {window} hari"
    [_, change] = columns(signal("a", windows=["1d"], compare="previous", change_reason=words))
    known = {"a_1d": 3.0, "a_1d_change": 2.0}
    signals = {"a": change.signal}
    english = word(change, known, signals, language="en", currency="IDR")
    indonesian = word(change, known, signals, language="id", currency="IDR")
    assert "3 in the last day, in the day before 1, over one day" == english
    assert "3 dalam 1 hari terakhir, 1 hari sebelumnya 1, selama 1 hari" == indonesian


def test_a_sum_of_hours_is_told_in_no_days() -> None:
    """65 hours of use are no 2.7 days; 65 hours of waiting are."""
    used = columns(signal("a", aggregate="sum", measure="minutes", unit="minutes"))
    waited = columns(signal("a", aggregate="mean", measure="minutes", unit="minutes"))
    assert (["A 65 hours"], ["A 2.7 days"]) == (told(used, [3900], [1]), told(waited, [3900], [1]))


def test_none_in_a_window_and_long_ago_are_not_two_reasons() -> None:
    """No purchase for 83 days, none in 28 days, nothing spent in them: one of the three, and the next sign instead."""
    bought = {"where": {"kind": "purchase"}, "direction": "down"}
    signs = columns(
        signal("since", aggregate="days_since", unit="days", where={"kind": "purchase"}),
        signal("bought", windows=["28d"], **bought),
        signal("spent", aggregate="sum", measure="amount", unit="money", windows=["28d"], **bought),
        signal("b"),
    )
    usual = {"since": 20.0, "bought_28d": 1.0, "spent_28d": 100.0, "b": 0.0}

    def sentences(*values: float, shares: tuple[float, ...] = (0.4, 0.3, 0.2, 0.1)) -> list[str]:
        found = reasons(signs, np.array(values), np.array(shares), usual=usual, language="en", currency="IDR")
        return [one.sentence for one in found]

    assert ["SINCE 83 days", "B 5"] == sentences(83, 0, 0, 5)
    assert ["SPENT IDR\N{NO-BREAK SPACE}0", "B 5"] == sentences(83, 0, 0, 5, shares=(0.2, 0.3, 0.4, 0.1))
    # Something was bought, only less than usual: these are three things.
    usual |= {"bought_28d": 3.0}
    assert ["SINCE 25 days", "BOUGHT 1", "SPENT IDR\N{NO-BREAK SPACE}9"] == sentences(25, 1, 9, 5)


def test_what_follows_from_a_longer_silence_is_no_reason_of_its_own() -> None:
    """Nothing at all for 41 days: no use in 28 says no more, none in 84 does, and of other rows it says nothing."""
    quiet = signal("quiet", aggregate="days_since", unit="days", where={"kind": ["usage", "purchase"]})
    used = {"direction": "down", "where": {"kind": "usage"}}
    called = signal("called", direction="down", where={"kind": "contact"}, windows=["28d"])
    signs = columns(quiet, signal("a", windows=["28d"], **used), signal("b", windows=["84d"], **used), called)
    usual = {"quiet": 9.0, "a_28d": 3.0, "b_84d": 9.0, "called_28d": 1.0}

    def sentences(*values: float) -> list[str]:
        shares = np.array([0.4, 0.3, 0.2, 0.1])
        return [
            one.sentence for one in reasons(signs, np.array(values), shares, usual=usual, language="en", currency="IDR")
        ]

    assert ["QUIET 41 days", "B 0", "CALLED 0"] == sentences(41, 0, 0, 0)
    # The other way round: who is told to have been quiet for 20 days is not told so by the longer window again.
    assert ["QUIET 20 days", "A 0", "CALLED 0"] == sentences(20, 0, 0, 0)


def test_scores_of_one_day_make_no_slope() -> None:
    """Two answers a day apart would fall by 1,107 of 100 points a month."""
    falling = columns(signal("a", aggregate="trend", measure="score", unit="score", direction="down", windows=["364d"]))
    assert ["A 30 of 100"] == told(falling, [-0.3], [1])
    assert [] == told(falling, [-11.07], [1])


def test_a_number_the_matrix_lacks_is_missing() -> None:
    """A deployment without that signal cannot fill its place."""
    (one,) = columns(signal("a"))
    assert word(one, {}, {"a": one.signal}, language="en", currency="IDR") is None


@pytest.mark.parametrize(
    ("value", "unit", "en", "id_"),
    [
        (0, "count", "0", "0"),
        (1, "count", "1", "1"),
        (12_345, "count", "12,345", "12.345"),
        (1, "minutes", "1 minute", "1 menit"),
        (0.5, "minutes", "0.5 minutes", "0,5 menit"),
        (119, "minutes", "119 minutes", "119 menit"),
        (120, "minutes", "2 hours", "2 jam"),
        (150, "minutes", "2.5 hours", "2,5 jam"),
        (1, "hours", "60 minutes", "60 menit"),
        (47, "hours", "47 hours", "47 jam"),
        (48, "hours", "2 days", "2 hari"),
        (60, "hours", "2.5 days", "2,5 hari"),
        (0, "days", "0 minutes", "0 menit"),
        (1 / 1440, "days", "1 minute", "1 menit"),
        (1, "days", "24 hours", "24 jam"),
        (1.96, "days", "47 hours", "47 jam"),
        (2, "days", "2 days", "2 hari"),
        (9.94, "days", "9.9 days", "9,9 hari"),
        (9.96, "days", "10 days", "10 hari"),
        (41.4, "days", "41 days", "41 hari"),
        (1_234, "days", "1,234 days", "1.234 hari"),
        (-3, "days", "-3 days", "-3 hari"),
        (0, "share", "0%", "0%"),
        (1, "share", "100%", "100%"),
        (0.354, "share", "35%", "35%"),
        (0.997, "share", "99%", "99%"),
        (0.999_999, "share", "99%", "99%"),
        (0.000_1, "share", "1%", "1%"),
        (0.1 + 0.2 + 0.7 - 1e-16, "share", "100%", "100%"),
        (1e-17, "share", "0%", "0%"),
        (-0.2, "share", "-20%", "-20%"),
        (1.004, "share", "100%", "100%"),
        (1.953, "share", "195%", "195%"),
        (12, "share", "1,200%", "1.200%"),
        (0, "score", "0 of 100", "0 dari 100"),
        (0.25, "score", "25 of 100", "25 dari 100"),
        (1, "score", "100 of 100", "100 dari 100"),
        (3.14159, "number", "3.1", "3,1"),
        (-0.04, "number", "0", "0"),
        (12.6, "number", "13", "13"),
    ],
)
def test_a_number_reads_as_people_write_it(value: float, unit: str, en: str, id_: str) -> None:
    """Every unit, in both languages; one is singular in English; likely is never certain."""
    assert (en, id_) == (
        quantity(value, unit, language="en", currency="IDR"),
        quantity(value, unit, language="id", currency="IDR"),
    )


@pytest.mark.parametrize(
    ("value", "currency", "en", "id_"),
    [
        (1_250_000, "IDR", f"IDR{NBSP}1,250,000", f"Rp{NBSP}1.250.000"),
        (1_234.4, "GBP", "£1,234", f"£{NBSP}1.234"),
        (4.5, "GBP", "£4.50", f"£{NBSP}4,50"),
        (99, "GBP", "£99", f"£{NBSP}99"),
        (-5, "GBP", "-£5", f"-£{NBSP}5"),
        (0, "IDR", f"IDR{NBSP}0", f"Rp{NBSP}0"),
    ],
)
def test_money_reads_as_people_write_it(value: float, currency: str, en: str, id_: str) -> None:
    """A code stands apart from its number, a sign does not in English; never broken over lines."""
    assert (en, id_) == (
        quantity(value, "money", language="en", currency=currency),
        quantity(value, "money", language="id", currency=currency),
    )


REAL = load_project(ROOT, "demo").columns
NAMES = sorted({name for column in REAL for name in (column.name, column.signal.name) if "_" in name})
SIZES = {"share": 1.0, "score": 1.0, "money": 5e6, "minutes": 5_000.0, "hours": 500.0, "days": 900.0}


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), missing=st.sampled_from([0.0, 0.3, 0.9]), language=st.sampled_from(["en", "id"]))
def test_the_real_catalogue_never_leaks_a_name_and_always_gives_a_number(
    seed: int, missing: float, language: Any
) -> None:
    """Random numbers for every column of features/: whole sentences with a digit, each worse than usual and known."""
    rng = np.random.default_rng(seed)
    scale = np.array([SIZES.get(column.signal.unit, 40.0) for column in REAL])
    values = rng.random(len(REAL)) * scale
    values[[column.change for column in REAL]] *= rng.choice([-1.0, 1.0])
    values[rng.random(len(REAL)) < missing] = np.nan
    usual = {c.name: None if rng.random() < 0.1 else float(rng.random() * s) for c, s in zip(REAL, scale, strict=True)}
    shares = rng.normal(size=len(REAL))
    found = reasons(REAL, values, shares, usual=usual, language=language, currency="IDR")
    assert len(found) <= 3
    assert [r.contribution for r in found] == sorted((r.contribution for r in found), reverse=True)
    says = []
    for reason in found:
        assert re.search(r"\d", reason.sentence)
        assert not re.search(r"[{}_]|\bnan\b|\binf\b|\bNone\b|-0\b(?![.,])", reason.sentence)
        assert not any(name in reason.sentence for name in NAMES)
        place = [column.name for column in REAL].index(reason.column)
        column, value = REAL[place], values[place]
        says.append(column.signal.says or column.signal.name)
        assert reason.contribution > 0
        assert shares[place] > 0
        assert not np.isnan(value)
        middle = usual[column.name]
        if middle is not None:
            assert value != middle
        if column.direction != "any" and middle is not None:
            assert value > middle if column.direction == "up" else value < middle
    assert len(says) == len(set(says))


@pytest.mark.parametrize("language", ["en", "id"])
def test_every_column_of_the_real_catalogue_can_be_worded(language: Any) -> None:
    """With all numbers known, each has its own sentence with a digit."""
    known = {column.name: 0.5 for column in REAL}
    signals = {column.name: column.signal for column in REAL}
    for column in REAL:
        sentence = word(column, known, signals, language=language, currency="GBP")
        assert sentence is not None
        assert re.search(r"\d", sentence)
        assert sentence[0].isupper() or sentence[0].isdigit()


def test_a_slope_is_a_reason_only_where_it_points_to_the_bad_and_its_size_is_told() -> None:
    """Growing by 0.4 a month is no sign of leaving, though most grow by 1; shrinking by 0.4 is, and says 0.4."""
    falling = {"en": "{value} less a month", "id": "turun {value} per bulan"}
    slope = columns(
        signal("a", aggregate="count_trend", windows=["84d"], direction="down", unit="number", reason=falling)
    )
    assert [] == told(slope, [0.4], [0.5], usual=[1.0])
    assert ["0.4 less a month"] == told(slope, [-0.4], [0.5], usual=[1.0])
    assert ["turun 0,4 per bulan"] == told(slope, [-0.4], [0.5], usual=[1.0], language="id")


def test_a_slope_of_direction_any_tells_its_sign() -> None:
    """Where the sentence cannot say which way, the number does."""
    moving = {"en": "moves by {value}", "id": "berubah {value}"}
    slope = columns(
        signal("a", aggregate="count_trend", windows=["84d"], direction="any", unit="number", reason=moving)
    )
    assert ["moves by -0.4"] == told(slope, [-0.4], [0.5])
    assert ["berubah -0,4"] == told(slope, [-0.4], [0.5], language="id")


def test_a_movement_that_reads_as_none_is_no_reason() -> None:
    """Falling by 0.04 would read "0 less a month"; 5.03 hours after 5.01 would read "5 hours, before that 5 hours"."""
    falling = {"en": "{value} less a month", "id": "turun {value} per bulan"}
    slope = columns(
        signal("a", aggregate="count_trend", windows=["84d"], direction="down", unit="number", reason=falling)
    )
    assert [] == told(slope, [-0.04], [0.5])
    words = {"en": "{value}, before that {previous}", "id": "{value}, sebelumnya {previous}"}
    waits = columns(signal("a", windows=["28d"], compare="previous", unit="hours", change_reason=words))
    assert [] == told(waits, [5.03, 0.02], [-0.1, 0.5])
    assert ["5.5 hours, before that 5 hours"] == told(waits, [5.53, 0.5], [-0.1, 0.5])


def test_no_time_is_left_of_what_is_over() -> None:
    """A contract that ended 45 days ago has no time left: what else says the same speaks instead."""
    over = columns(
        signal("a", aggregate="days_until", measure="end", direction="any", unit="days", says="renewal"),
        signal("b", says="renewal"),
    )
    assert ["B 3"] == told(over, [-45, 3], [0.5, 0.1])
    assert ["A 45 days"] == told(over, [45, -1], [0.5, 0.1])


def test_days_since_are_counted_as_a_calendar_does() -> None:
    """From 15 June 09:00 or 23:00 to 1 July 00:00 are 16 days, as from 15 to 1; an hour of summer time is none."""
    since = columns(signal("a", aggregate="days_since", direction="up", unit="days"))
    for days, expected in ((15.625, "16 days"), (15.05, "16 days"), (16.0, "16 days"), (16 + 1 / 24, "16 days")):
        assert [f"A {expected}"] == told(since, [days], [0.5])
    assert ["A 36 hours"] == told(since, [1.5], [0.5])
    assert ["A 15 days"] == told(columns(signal("a", unit="days")), [15.4], [0.5])


def test_no_number_of_days_is_told_twice() -> None:
    """Quiet for 41 days because the last purchase was 41 days ago: the second is told in another number, or not."""
    silent = columns(
        signal("a", unit="days"),
        signal("b", unit="days", says="bought"),
        signal("c", says="bought"),
        signal("d", unit="days"),
    )
    assert ["A 41 days", "C 7"] == told(silent, [41.2, 41.3, 7, 41.4], [0.5, 0.4, 0.1, 0.3])


def test_what_knows_which_way_is_bad_speaks_before_what_does_not() -> None:
    """`a` weighs more, but "different items: 4" alone is no reason; it speaks only where nothing else does."""
    same = columns(signal("a", direction="any", says="spent"), signal("b", direction="down", says="spent"))
    assert ["B 1"] == told(same, [4, 1], [0.5, 0.1], usual=[2.0, 2.0])
    assert ["A 4"] == told(same, [4, 3], [0.5, 0.1], usual=[2.0, 2.0])
