"""The engine against the oracle, at every boundary of its two clocks and its half-open windows."""

from __future__ import annotations

import dataclasses
import math
import random
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import DAY, Asked, Event, Segments, change, past_change, value
from small_tables import spine_of, tables_of

from churnwatch.aggregates import AGGREGATES
from churnwatch.signals import Matrix, build
from churnwatch.signals.rows import NEVER
from churnwatch.signals.segments import segments_of
from churnwatch.sources import Tables
from churnwatch.spec import Column, Family

ZONE = "Europe/Berlin"
AS_OF = datetime(2026, 3, 30, 10, 30, 0, 1)
"""No midnight, and the day after Berlin's clocks went forward."""
AS_OFS = (AS_OF, AS_OF + timedelta(days=1), AS_OF - timedelta(days=28))
WINDOWS = ("12h", "1d", "28d")
US = timedelta(microseconds=1)
WITHIN = "2d"
EDGES = (0, 12, 24, 48, 28 * 24, 56 * 24, 336 * 24, 363 * 24, 364 * 24 - 12, 364 * 24)
"""Hours back from an as-of at which some window, the one before it or the same season of last year begins or ends."""
EXACT = {"count", "min", "max", "latest", "distinct", "distinct_days", "open", "gone", "repeats", "streak", "season"}
OF = {
    "interactions": ["complaint", "resolved"],
    "surveys": "sent",
    "customers": ["started", "profile"],
}
"""By table the kinds that `of` names."""
ONLY = {"surveys": "answered", "customers": "profile"}
WHERES: tuple[dict[str, Any], ...] = ({}, {"kind": ["complaint", "contact"], "topic": "billing"})


def family_of(*signals: dict[str, Any], table: str = "interactions") -> Family:
    """A family of these signals; what a test does not care for is filled in."""
    words = {"en": "{value}", "id": "{value}"}
    filled = [
        {
            "name": f"s{i}",
            "description": "A number.",
            "direction": "any",
            "reason": words,
            "change_reason": words,
            **one,
        }
        for i, one in enumerate(signals)
    ]
    first = "_".join([filled[0]["name"], *filled[0].get("windows", [])[:1]])
    example = {"as_of": AS_OF, "rows": [], "expect": {first: None}}
    return Family.model_validate(
        {"family": "probe", "description": "All.", "table": table, "signals": filled, "examples": [example]}
    )


def every_signal(*, measure: str = "amount", by: str = "topic", table: str = "interactions") -> Family:
    """Every aggregate over every window, and over all history where that is allowed, with a change where it has one."""
    signals = []
    for where in WHERES if table == "interactions" else ({}, {"kind": ONLY[table]}):
        for aggregate in AGGREGATES.values():
            given_keys: dict[str, Any] = {"aggregate": aggregate.name, "where": where, "windows": list(WINDOWS)}
            if aggregate.measure == "required":
                given_keys["measure"] = measure
            if aggregate.by == "required":
                given_keys["by"] = by
            if aggregate.of == "required":
                given_keys["of"] = {"kind": OF[table]}
            if aggregate.within == "required":
                given_keys["within"] = WITHIN
            if aggregate.comparable:
                given_keys["compare"] = "previous"
            signals.append(given_keys)
            if aggregate.level:
                signals.append({**given_keys, "compare": "past"})
            if aggregate.within == "none":
                after = {"kind": ["complaint", "resolved"]} if table == "interactions" else {"kind": "contact"}
                signals.append({**given_keys, "after": after, "within": WITHIN})
            if aggregate.windows == "optional":
                alone = {key: v for key, v in given_keys.items() if key not in ("windows", "compare")}
                signals.append(alone)
    return family_of(*signals, table=table)


EVERY = every_signal()
EVERY_OF_SURVEYS = every_signal(measure="score", by="instrument", table="surveys")


def asked(column: Column) -> Asked:
    signal = column.signal
    window = None if column.window is None else round(column.window.days * DAY)
    within = None if signal.within is None else round(signal.within.days * DAY)
    return Asked(
        signal.aggregate,
        dict(signal.where),  # type: ignore[arg-type]
        signal.of,  # type: ignore[arg-type]
        signal.measure,
        signal.by,
        window,
        within,
        signal.after,  # type: ignore[arg-type]
    )


def told_by_oracle(
    column: Column,
    events: list[Event],
    customer: str,
    as_of: datetime,
    *,
    zone: str,
    beside: list[Event] | None,
    segments: Segments | None,
) -> float | None:
    """What the oracle says of a column: its value, or a change against either time before the window."""
    function = value if not column.change else past_change if column.signal.compare == "past" else change
    return function(asked(column), events, customer, as_of, zone=zone, beside=beside, segments=segments)


def agree(
    matrix: Matrix,
    events: list[Event],
    *,
    zone: str,
    beside: list[Event] | None = None,
    segments: Segments | None = None,
) -> None:
    """Every number of the matrix is the oracle's: missing where it is missing, and as near as a double can be.

    ``beside`` are the interactions, where ``events`` are of another table.
    """
    largest = max((abs(number) for event in events for number in event.measures.values()), default=0.0)
    for (customer, as_of), row in zip(matrix.observations.itertuples(index=False), matrix.values, strict=True):
        for column, found in zip(matrix.columns, row, strict=True):
            what = asked(column)
            expected = told_by_oracle(column, events, customer, as_of, zone=zone, beside=beside, segments=segments)
            told = f"{what.aggregate} {column.name} of {customer} at {as_of}: {expected} is expected, got {found}"
            assert (expected is None) == math.isnan(found), told
            if expected is None:
                continue
            if what.aggregate in EXACT and not column.change:
                assert expected == found, told
                continue
            # Differences and sums are as exact as what they are made of.
            scale = {"sum": len(events) * largest, "mean": largest, "trend": 30 * largest, "count_trend": 1e5}
            parts = scale.get(what.aggregate, largest if what.measure else 1.0)
            near = 1e-9 * abs(expected) + 1e-13 * parts * (column.change or what.measure is not None)
            if what.aggregate == "due":
                near += 1e-11  # the difference of two times of some hundred days
            if what.aggregate == "silence":
                near += 1e-14
            assert abs(expected - found) <= near, told


# Rows that lie where mistakes are made: at an as-of, at an edge of a window or of the window before, and 1 µs beside.
edges = st.builds(
    lambda as_of, back, beside: as_of - back + beside * US,
    st.sampled_from(AS_OFS),
    st.sampled_from([timedelta(hours=h) for h in EDGES]),
    st.sampled_from([-1, 0, 1]),
)
anywhere = st.integers(-2 * DAY, 80 * DAY).map(lambda age: AS_OF - age * US)
days_apart = st.integers(0, 70).map(lambda days: AS_OF - timedelta(days=days, hours=1))
times = st.one_of(edges, anywhere, days_apart)
late = st.one_of(st.just(timedelta(0)), st.sampled_from([US, timedelta(hours=1), timedelta(days=40)]))
numbers = st.one_of(st.integers(-3, 3).map(float), st.floats(-1e6, 1e6), st.just(1e12))
levels = st.fixed_dictionaries(
    {"kind": st.sampled_from(["complaint", "contact", "resolved"])},
    optional={"topic": st.sampled_from(["billing", "it's", "Ürün"]), "channel": st.just("phone")},
)


@st.composite
def histories(draw: st.DrawFn) -> list[Event]:
    """Events of up to three customers; some became known exactly at an as-of."""
    made = []
    for i in range(draw(st.integers(0, 14))):
        at = draw(times)
        known_at = draw(st.one_of(late.map(lambda delay, at=at: at + delay), edges.map(lambda t, at=at: max(t, at))))
        measures = draw(st.one_of(st.just({}), numbers.map(lambda number: {"amount": number})))
        made.append(Event(f"e{i}", draw(st.sampled_from("abc")), at, known_at, draw(levels), measures))
    return made


SPINE = [(customer, as_of) for as_of in AS_OFS for customer in "abz"]
"""c has rows and is not in the spine; z is in the spine and has no rows."""


def tables(events: list[Event], *, zone: str = ZONE) -> Tables:
    return tables_of(events, measures=("amount",), zone=zone)


def some(family: Family) -> st.SearchStrategy[tuple[Column, ...]]:
    """A dozen columns: the oracle takes its time over each."""
    return st.randoms(use_true_random=False).map(lambda choose: tuple(choose.sample(family.columns, 12)))


def at_every_edge() -> list[Event]:
    """Rows of a and b at every edge of every window of every as-of and 1 µs beside, of two kinds, some known later."""
    choose = random.Random(3)
    made = []
    for as_of in AS_OFS:
        for hours in EDGES:
            for beside in (-1, 0, 1):
                at = as_of - timedelta(hours=hours) + beside * US
                known_at = at + choose.choice([timedelta(0), timedelta(0), US, timedelta(hours=12), timedelta(days=28)])
                levels = {"kind": choose.choice(["complaint", "contact", "resolved"]), "topic": "billing"}
                measures = {"amount": choose.uniform(-50, 100)} if choose.random() < 0.8 else {}
                made.append(Event(f"e{len(made)}", choose.choice("ab"), at, known_at, levels, measures))
    return made


def test_every_column_equals_the_oracle_at_every_edge() -> None:
    """All aggregates, windows and changes at three as-ofs in one spine, over rows at and beside every boundary."""
    events = at_every_edge()
    agree(build(tables(events), EVERY.columns, spine_of(SPINE)), events, zone=ZONE)


@settings(max_examples=40, deadline=None)
@given(histories(), some(EVERY))
def test_every_aggregate_equals_the_oracle(events: list[Event], columns: tuple[Column, ...]) -> None:
    """Random histories: no rows, one row, ties, rows known late, missing measures and levels."""
    agree(build(tables(events), columns, spine_of(SPINE)), events, zone=ZONE)


SILENCES = family_of(
    {"aggregate": "silence"},
    {"aggregate": "silence", "windows": ["28d"], "where": {"kind": ["complaint", "contact"]}},
    {"aggregate": "silence", "windows": ["1d", "28d"], "where": {"kind": "contact"}},
)
belonging = st.dictionaries(st.sampled_from("abcz"), st.tuples(st.sampled_from(["small", "large"]), times))


@settings(max_examples=40, deadline=None)
@given(histories(), belonging)
def test_silence_by_segment_equals_the_oracle(events: list[Event], segments: Segments) -> None:
    """A segment's rhythm counts for its customers, and theirs for it, once it is known that they belong to it."""
    customers = [
        {"customer_id": who, "segment": name, "known_at": known_at} for who, (name, known_at) in segments.items()
    ]
    made = tables_of(events, customers=customers, measures=("amount",), zone=ZONE)
    agree(build(made, SILENCES.columns, spine_of(SPINE)), events, zone=ZONE, segments=segments)


@st.composite
def asked_and_answered(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Surveys as rows of the canonical table, answered or pending, on scales of either sense."""
    made = []
    for i in range(draw(st.integers(0, 8))):
        sent_at = draw(times)
        row: dict[str, Any] = {
            "survey_id": f"q{i}",
            "customer_id": draw(st.sampled_from("abc")),
            "sent_at": sent_at,
            "instrument": draw(st.sampled_from(["nps", "ces"])),
        }
        low, high, better = (0.0, 10.0, True) if row["instrument"] == "nps" else (1.0, 7.0, False)
        answered_at = draw(st.one_of(st.none(), times.map(lambda t, sent=sent_at: max(t, sent))))
        if answered_at is not None:
            raw = float(draw(st.integers(int(low), int(high))))
            row |= {"answered_at": answered_at, "raw_score": raw}
            row |= {"scale_min": low, "scale_max": high, "higher_is_better": better}
        made.append(row)
    return made


def as_events(surveys: list[dict[str, Any]]) -> list[Event]:
    """Each survey is two rows: sent, known when sent; answered, known when answered, with a score from 0 to 1."""
    made = []
    for row in surveys:
        key, who, sent_at, instrument = row["survey_id"], row["customer_id"], row["sent_at"], row["instrument"]
        made.append(Event(key, who, sent_at, sent_at, {"kind": "sent", "instrument": instrument}))
        if "answered_at" in row:
            length = row["scale_max"] - row["scale_min"]
            good = (
                row["raw_score"] - row["scale_min"] if row["higher_is_better"] else row["scale_max"] - row["raw_score"]
            )
            levels = {"kind": "answered", "instrument": instrument}
            made.append(Event(key, who, row["answered_at"], row["answered_at"], levels, {"score": good / length}))
    return made


@settings(max_examples=20, deadline=None)
@given(asked_and_answered(), histories(), some(EVERY_OF_SURVEYS))
def test_surveys_equal_the_oracle(
    surveys: list[dict[str, Any]], contacts: list[Event], columns: tuple[Column, ...]
) -> None:
    """A survey is a row when it is sent and another when it is answered: a pending one is seen as pending.

    Some ask for surveys soon after an interaction that was known by then.
    """
    matrix = build(tables_of(contacts, surveys=surveys, measures=("amount",), zone=ZONE), columns, spine_of(SPINE))
    agree(matrix, as_events(surveys), zone=ZONE, beside=contacts)


def one(events: list[Event], *signals: dict[str, Any], zone: str = "UTC", as_of: datetime = AS_OF) -> list[float]:
    """These signals of customer a."""
    measures = sorted({name for event in events for name in event.measures})
    made = tables_of(events, measures=measures, zone=zone)
    return [float(v) for v in build(made, family_of(*signals).columns, spine_of([("a", as_of)])).values[0]]


def row(
    at: datetime, *, name: str = "e", customer: str = "a", known_at: datetime | None = None, **numbers: float
) -> Event:
    return Event(f"{name} {at.isoformat()}", customer, at, known_at or at, {"kind": "contact"}, dict(numbers))


def test_window_is_half_open() -> None:
    """A row exactly one window before as-of is in, 1 µs older is out; at as-of is out, 1 µs before is in."""
    count = {"aggregate": "count", "windows": ["28d"]}
    far = AS_OF - timedelta(days=28)
    assert [[0.0], [1.0], [1.0], [1.0], [0.0], [0.0]] == [
        one([row(at)], count) for at in (far - US, far, far + US, AS_OF - US, AS_OF, AS_OF + US)
    ]


def test_row_enters_when_it_is_known() -> None:
    """A row that happened long before is seen only once known: 1 µs before as-of in, at as-of out."""
    happened = AS_OF - timedelta(days=9)
    assert [[1.0], [0.0], [0.0]] == [
        one([row(happened, known_at=known)], {"aggregate": "count"}) for known in (AS_OF - US, AS_OF, AS_OF + US)
    ]


def test_window_before_ends_where_the_window_begins() -> None:
    """A row on the window's far edge belongs to the window, 1 µs older to the one before, and to one of them only."""
    count = {"aggregate": "count", "windows": ["28d"], "compare": "previous"}
    far, farther = AS_OF - timedelta(days=28), AS_OF - timedelta(days=56)
    assert [[1.0, 1.0], [0.0, -1.0], [0.0, -1.0], [0.0, 0.0]] == [
        one([row(at)], count) for at in (far, far - US, farther, farther - US)
    ]


def test_latest_of_a_tie_goes_by_known_at_then_by_id() -> None:
    """Rows of one instant are ordered by known_at, then by the text of the id."""
    at = AS_OF - timedelta(days=1)
    latest = {"aggregate": "latest", "measure": "amount"}
    second = Event("1", "a", at, at + US, {}, {"amount": 2.0})
    tenth, ninth = Event("10", "a", at, at, {}, {"amount": 10.0}), Event("9", "a", at, at, {}, {"amount": 9.0})
    assert [2.0] == one([ninth, second, tenth], latest)
    assert [9.0] == one([ninth, tenth], latest)


def test_latest_of_tied_surveys_goes_by_the_id_alone() -> None:
    """q1 comes before q10: what is added to tell sent from answered plays no part in the order."""
    at = AS_OF - timedelta(days=1)
    asked_at = {"customer_id": "a", "sent_at": at, "answered_at": at, "instrument": "nps"}
    scale = {"scale_min": 0.0, "scale_max": 10.0, "higher_is_better": True}
    surveys = [{"survey_id": f"q{n}", "raw_score": float(n), **asked_at, **scale} for n in (10, 1)]
    latest = family_of({"aggregate": "latest", "measure": "score"}, table="surveys")
    assert 1.0 == build(tables_of(surveys=surveys), latest.columns, spine_of([("a", AS_OF)])).values[0, 0]


def test_civil_days_are_those_of_the_zone() -> None:
    """The 23-hour day of the clock change is one day, and 23:30 UTC is the next day already in Berlin."""
    days = {"aggregate": "distinct_days"}
    opening, closing = datetime(2026, 3, 28, 23, 0), datetime(2026, 3, 29, 21, 59, 59, 999999)
    assert [1.0] == one([row(opening), row(closing)], days, zone="Europe/Berlin")
    assert [2.0] == one([row(opening - US), row(opening)], days, zone="Europe/Berlin")
    assert [2.0] == one([row(closing), row(closing + US)], days, zone="Europe/Berlin")
    assert [2.0] == one([row(opening), row(closing)], days, zone="UTC")


def test_civil_days_of_the_autumn_change() -> None:
    """The 25-hour day is one day, from 22:00 UTC to 23:00 UTC of the next."""
    days = {"aggregate": "distinct_days"}
    opening, closing = datetime(2025, 10, 25, 22), datetime(2025, 10, 26, 22, 59, 59, 999999)
    assert [1.0] == one([row(opening), row(closing)], days, zone="Europe/Berlin")
    assert [2.0] == one([row(closing), row(closing + US)], days, zone="Europe/Berlin")


def test_window_of_28_days_is_28_times_86400_seconds_over_a_clock_change() -> None:
    """A day of a window is 86,400 s whatever the zone's clocks do."""
    as_of = datetime(2026, 4, 5, 22)  # midnight opening the 6th in Berlin; 28 civil days before was 23:00 UTC
    count = {"aggregate": "count", "windows": ["28d"]}
    assert [1.0] == one([row(datetime(2026, 3, 8, 22))], count, zone="Europe/Berlin", as_of=as_of)
    assert [0.0] == one([row(datetime(2026, 3, 8, 22) - US)], count, zone="Europe/Berlin", as_of=as_of)


def test_customer_without_rows_gets_the_value_over_no_rows() -> None:
    """The README's table: counts and sums 0, the rest missing; the same for one who has rows, none in the window."""
    family = EVERY
    events = [row(AS_OF - timedelta(days=300))]
    matrix = build(tables(events), family.columns, spine_of([("nobody", AS_OF)]))
    for column, found in zip(matrix.columns, matrix.values[0], strict=True):
        empty = AGGREGATES[column.signal.aggregate].empty
        assert math.isnan(found) if empty is None else found == 0.0, column.name


def test_gaps_of_zero_are_no_rhythm() -> None:
    """Rows that all came at one instant have a mean gap of 0, no ratio, and are surely quiet if nobody has a gap."""
    at = AS_OF - timedelta(days=3)
    rows = [row(at, name="x"), row(at, name="y")]
    gap, ratio, silence = one(rows, {"aggregate": "gap"}, {"aggregate": "gap_ratio"}, {"aggregate": "silence"})
    assert 0.0 == gap
    assert math.isnan(ratio)
    assert 1.0 == silence
    # b's gap of 3 days is the prior, over two gaps: 1.5 days; 1 - (1.5 / 4.5) ** 2
    others = [row(AS_OF - timedelta(days=d), customer="b") for d in (1, 4)]
    assert pytest.approx(1 - 1 / 9) == one(rows + others, {"aggregate": "silence"})[0]


def test_silence_measures_a_new_customer_by_the_segment() -> None:
    """By hand: b's 20 gaps of 1 day and c's 20 of 3 days make 2 days for all, 1.5 for b's segment, 2.5 for c's.

    a has been quiet for 1.5 days after a single row: 1 - 1.5 / (1.5 + 1.5) as of b's segment. Without a segment, or
    before it was known to belong to one, 1 - 2 / (2 + 1.5).
    """
    silence = family_of({"aggregate": "silence"})
    theirs = [row(AS_OF - timedelta(days=100 - i), customer="b") for i in range(21)]
    theirs += [row(AS_OF - timedelta(days=100 - 3 * i), customer="c") for i in range(21)]
    mine = row(AS_OF - timedelta(days=1, hours=12))
    early, late = AS_OF - timedelta(days=365), AS_OF
    for known, usual in ((early, 1.5), (AS_OF - US, 1.5), (late, 2.0), (None, 2.0)):
        customers = [
            {"customer_id": who, "segment": segment, "known_at": at}
            for who, segment, at in (("a", "small", known), ("b", "small", early), ("c", "large", early))
        ]
        made = tables_of([*theirs, mine], customers=customers)
        [[found]] = build(made, silence.columns, spine_of([("a", AS_OF)])).values
        assert pytest.approx(1 - usual / (usual + 1.5)) == found


def test_only_the_first_thousand_segments_are_told_apart() -> None:
    """A later one has no prior of its own, and takes no elder one's place: that would be news from the future."""
    who = [f"n{i:04}" for i in range(1001)]
    customers = [
        {"customer_id": one, "segment": f"{9999 - i}", "known_at": AS_OF - timedelta(days=2000 - i)}
        for i, one in enumerate(who)
    ]
    everybody, but_the_last = (segments_of(tables_of(customers=some).con) for some in (customers, customers[:-1]))
    assert 1001 == everybody.groups == but_the_last.groups
    members = everybody.of(pa.array(who)).tolist()
    assert members == but_the_last.of(pa.array(who)).tolist()
    assert [1, 1000, 0] == [members[place][0] for place in (0, 999, 1000)]
    assert NEVER == members[1000][1]


def test_silence_of_nobody_with_two_rows_is_missing() -> None:
    """Without any gap there is no rhythm to hold a customer to."""
    assert math.isnan(one([row(AS_OF - US), row(AS_OF - US, customer="b")], {"aggregate": "silence"})[0])


def test_silence_prior_counts_customers_outside_the_spine_and_rows_before_as_of_only() -> None:
    """The prior is everybody's mean gap as known at as-of: a gap closed at as-of, or known then, does not count."""
    silence = {"aggregate": "silence"}
    mine = [row(AS_OF - timedelta(days=6))]
    theirs = [row(AS_OF - timedelta(days=d), customer="b") for d in (5, 3)]
    expected = 1 - 2 / (2 + 6)  # prior 2 days, one row 6 days ago
    assert pytest.approx(expected) == one(mine + theirs, silence)[0]
    unknown = [
        row(AS_OF, customer="b"),
        row(AS_OF + timedelta(days=9), customer="b"),
        row(AS_OF - timedelta(days=1), customer="b", known_at=AS_OF),
    ]
    assert one(mine + theirs, silence) == one(mine + theirs + unknown, silence)


def test_extreme_rows_give_finite_numbers_between_their_bounds() -> None:
    """20,000 rows 1 µs apart, one 1 µs before as-of, decades: no infinity, no error, probabilities in [0, 1]."""
    busy = [row(AS_OF - US * n, name=str(n)) for n in range(1, 20_001)]
    old = [row(AS_OF - timedelta(days=20_000), name="old", customer="b"), row(AS_OF - US, name="new", customer="b")]
    signals = [{"aggregate": name} for name in ("rate", "gap", "gap_ratio", "silence")]
    columns = family_of(*signals).columns
    found = build(tables_of(busy + old), columns, spine_of([("a", AS_OF), ("b", AS_OF)])).values
    assert np.isfinite(found).all()
    assert ((found[:, 3] >= 0) & (found[:, 3] <= 1)).all()
    # rows per 30 days over a day, the least time; a gap of 1 µs; quiet exactly that
    assert [600_000.0, pytest.approx(1 / DAY), pytest.approx(1.0)] == found[0, :3].tolist()


def test_number_too_large_is_missing() -> None:
    """A sum beyond a double is missing, never infinite; so are its mean and its slope."""
    rows = [row(AS_OF - timedelta(days=d), amount=1e308) for d in (1, 2)] + [
        row(AS_OF - timedelta(days=3), amount=-1e308)
    ]
    keys = {"measure": "amount", "windows": ["28d"]}
    found = one(rows[:2], {"aggregate": "sum", **keys}, {"aggregate": "mean", **keys})
    assert [True, True] == np.isnan(found).tolist()
    assert (
        math.isnan(one(rows, {"aggregate": "trend", **keys})[0])
        or abs(one(rows, {"aggregate": "trend", **keys})[0]) < math.inf
    )


def test_trend_wants_rows_a_day_apart() -> None:
    """Two rows exactly a day apart have a slope, 1 µs less none; a row without the measure lends no time."""
    trend = {"aggregate": "trend", "measure": "amount", "windows": ["28d"]}
    late, early = row(AS_OF - timedelta(hours=1), amount=3.0), row(AS_OF - timedelta(hours=25), amount=1.0)
    assert [pytest.approx(60.0)] == one([late, early], trend)  # 2 more in a day
    assert math.isnan(one([late, dataclasses.replace(early, at=early.at + US)], trend)[0])
    assert math.isnan(one([late, dataclasses.replace(early, measures={})], trend)[0])


def test_rows_that_balance_have_no_count_trend() -> None:
    """Rows mirrored about the middle of the window give exactly 0."""
    middle = AS_OF - timedelta(days=14)
    rows = [row(middle + sign * timedelta(microseconds=off)) for off in (7, 10**9 + 1, 3 * 10**11) for sign in (-1, 1)]
    assert [0.0] == one(rows, {"aggregate": "count_trend", "windows": ["28d"]})


def test_measure_may_have_any_name() -> None:
    """Measures called as the engine calls its own columns are still the customer's numbers."""
    at = AS_OF - timedelta(days=2)
    names = (
        "age",
        "day",
        "seq",
        "id",
        "place",
        "code",
        "who",
        "rows",
        "order",
        "at_us",
        "known",
        "hash",
        "c0",
        "by_topic",
    )
    signals = [{"aggregate": "latest", "measure": name} for name in names]
    numbers = {name: float(i) for i, name in enumerate(names)}
    counted = {"aggregate": "distinct", "by": "topic"}
    # Two rows of the same time, so that the query that looks ties up runs too.
    kinds = [{"kind": "contact", "topic": topic} for topic in "ab"]
    tied = [Event("1", "a", at, at, kinds[0], dict.fromkeys(names, -1.0)), Event("2", "a", at, at, kinds[1], numbers)]
    assert [*numbers.values(), 2.0] == one(tied, *signals, counted)


def test_rows_of_nobody_in_customers_are_left_out() -> None:
    """`load` leaves none; whoever makes tables otherwise gets no memory fault and no number from them."""
    mine = [row(AS_OF - timedelta(days=d)) for d in (6, 2)]
    theirs = [row(AS_OF - timedelta(days=d), customer="stranger") for d in range(1, 30)]
    customers = [{"customer_id": "a"}]
    columns = family_of({"aggregate": "count"}, {"aggregate": "silence"}).columns
    made = [
        build(tables_of(rows, customers=customers, strangers=True), columns, spine_of([("a", AS_OF)])).values
        for rows in (mine, mine + theirs)
    ]
    assert made[0].tobytes() == made[1].tobytes()
    assert 2.0 == made[0][0, 0]


def test_spine_may_repeat_a_row_and_may_be_empty() -> None:
    """The same observation twice gives the same numbers twice; no observations give no rows."""
    events = at_every_edge()
    columns = EVERY.columns[::20]
    twice = build(tables(events), columns, spine_of([("a", AS_OF), ("b", AS_OF), ("a", AS_OF)])).values
    assert twice[0].tobytes() == twice[2].tobytes()
    assert (0, len(columns)) == build(tables(events), columns, spine_of([])).values.shape


def test_numbers_do_not_depend_on_who_else_is_in_the_spine() -> None:
    """One observation alone has the bytes it has among others, in whatever order they are asked for."""
    columns = EVERY.columns[::5]
    made = tables(at_every_edge())
    everyone = build(made, columns, spine_of(SPINE))
    order = list(range(len(SPINE)))
    random.Random(1).shuffle(order)
    shuffled = build(made, columns, spine_of([SPINE[i] for i in order]))
    assert everyone.values[order].tobytes() == shuffled.values.tobytes()
    for i, observation in enumerate(SPINE):
        assert everyone.values[i].tobytes() == build(made, columns, spine_of([observation])).values[0].tobytes()


@settings(max_examples=20, deadline=None)
@given(histories(), some(EVERY), st.randoms(use_true_random=False))
def test_order_of_the_raw_rows_changes_no_byte(
    events: list[Event], columns: tuple[Column, ...], choose: random.Random
) -> None:
    """The same rows in another order give the same bytes."""
    mixed = choose.sample(events, len(events))
    expected = build(tables(events), columns, spine_of(SPINE)).values
    assert expected.tobytes() == build(tables(mixed), columns, spine_of(SPINE)).values.tobytes()


@settings(max_examples=15, deadline=None)
@given(histories(), histories(), some(EVERY), st.randoms(use_true_random=False))
def test_nothing_known_at_as_of_or_later_is_seen(
    events: list[Event], others: list[Event], columns: tuple[Column, ...], choose: random.Random
) -> None:
    """The future is garbled and added to: rows known or happening at as-of or later change no byte."""
    later = [timedelta(0), US, timedelta(days=3), timedelta(days=400)]
    spine = spine_of([(customer, AS_OF) for customer in "abcz"])

    def garbled(event: Event) -> Event:
        known_at = AS_OF + choose.choice(later)
        at = min(known_at, AS_OF - choose.choice([-timedelta(0), US, timedelta(days=choose.randrange(60))]))
        return dataclasses.replace(
            event, at=at, known_at=known_at, customer=choose.choice("abcq"), levels={"kind": "contact"}
        )

    past = [event for event in events if event.known_at < AS_OF]
    future = [garbled(event) for event in events if event.known_at >= AS_OF]
    added = [dataclasses.replace(garbled(event), id=f"added {event.id}") for event in others]
    expected = build(tables(events), columns, spine).values
    assert expected.tobytes() == build(tables(past + future + added), columns, spine).values.tobytes()


def test_surveys_and_customers_of_the_future_are_not_seen() -> None:
    """A survey sent or answered at as-of, and a customer who begins then, do not count yet."""
    surveys = [
        {"survey_id": "q1", "customer_id": "a", "sent_at": AS_OF - US, "answered_at": AS_OF, "instrument": "nps"},
        {"survey_id": "q2", "customer_id": "a", "sent_at": AS_OF, "instrument": "nps"},
    ]
    scale = {"raw_score": 3.0, "scale_min": 0.0, "scale_max": 10.0, "higher_is_better": True}
    made = tables_of(
        surveys=[{**surveys[0], **scale}, surveys[1]],
        customers=[{"customer_id": "a", "started_at": AS_OF}, {"customer_id": "b", "started_at": AS_OF - US}],
    )
    counts = family_of({"aggregate": "count", "where": {"kind": "sent"}}, {"aggregate": "count"}, table="surveys")
    assert [[1.0, 1.0]] == build(made, counts.columns, spine_of([("a", AS_OF)])).values.tolist()
    tenure = family_of({"aggregate": "days_since"}, table="customers")
    found = build(made, tenure.columns, spine_of([("a", AS_OF), ("b", AS_OF)])).values[:, 0]
    assert math.isnan(found[0])
    assert pytest.approx(1 / DAY) == found[1]


def as_customer_events(customers: list[dict[str, Any]]) -> list[Event]:
    """The rows that customers are for the oracle: the start, and the facts where somebody knows since when."""
    made = []
    for one in customers:
        who = one["customer_id"]
        made.append(Event(who, who, one["started_at"], one["started_at"], {"kind": "started"}))
        if "known_at" in one:
            levels = {"kind": "profile"} | {k: one[k] for k in ("segment", "language") if k in one}
            numbers = {k: one[k] for k in ("value", "months") if k in one}
            # Of one instant the start comes first.
            made.append(Event(f"{who} 2", who, one["known_at"], one["known_at"], levels, numbers))
    return made


@st.composite
def known_customers(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Customers whose facts became known before, at or after an as-of, or nobody says when."""
    made = []
    for who in ("a", "b", "c"):
        row: dict[str, Any] = {"customer_id": who, "started_at": draw(times)}
        row |= draw(
            st.fixed_dictionaries(
                {},
                optional={
                    "known_at": st.one_of(times, st.just(row["started_at"])),
                    "segment": st.sampled_from(["gold", "it's"]),
                    "language": st.sampled_from(["en", "id"]),
                    "value": numbers,
                    "months": numbers,
                },
            )
        )
        made.append(row)
    return made


EVERY_OF_CUSTOMERS = every_signal(measure="months", by="segment", table="customers")


@settings(max_examples=20, deadline=None)
@given(known_customers(), some(EVERY_OF_CUSTOMERS))
def test_customers_equal_the_oracle(customers: list[dict[str, Any]], columns: tuple[Column, ...]) -> None:
    """A customer is a row when they begin and another when their facts are known, and never one without that."""
    made = tables_of(customers=customers, customer_measures=("months",), zone=ZONE)
    # Facts that are known tell a segment too, whose rhythm a silence is measured by.
    told = [one for one in customers if "segment" in one and "known_at" in one]
    segments = {one["customer_id"]: (one["segment"], one["known_at"]) for one in told}
    agree(build(made, columns, spine_of(SPINE)), as_customer_events(customers), zone=ZONE, segments=segments)


def test_facts_are_read_from_when_they_are_known() -> None:
    """Known 1 µs before as-of they are read, at as-of not yet, and without a `known_at` never; nor is any level."""
    signals = (
        {"aggregate": "latest", "where": {"kind": "profile"}, "measure": "value"},
        {"aggregate": "latest", "where": {"kind": "profile"}, "measure": "months"},
        {"aggregate": "count", "where": {"segment": "gold"}},
        {"aggregate": "count", "where": {"kind": "started"}},
    )
    facts = {"started_at": AS_OF - timedelta(days=9), "segment": "gold", "value": 7.0, "months": 12.0}
    customers = [
        {"customer_id": "a", "known_at": AS_OF - US, **facts},
        {"customer_id": "b", "known_at": AS_OF, **facts},
        {"customer_id": "c", **facts},
    ]
    made = tables_of(customers=customers, customer_measures=("months",))
    columns = family_of(*signals, table="customers").columns
    found = build(made, columns, spine_of([(who, AS_OF) for who in "abc"])).values.tolist()
    assert [7.0, 12.0, 1.0, 1.0] == found[0]
    for row in found[1:]:
        assert all(map(math.isnan, row[:2]))
        assert [0.0, 1.0] == row[2:]


def test_matrix_is_read_by_name_and_by_rows() -> None:
    """A column by its name, rows by position or by mask, with their observations."""
    matrix = build(tables(at_every_edge()), EVERY.columns[:3], spine_of(SPINE))
    assert matrix.values[:, 1].tobytes() == matrix.column(matrix.names[1]).tobytes()
    mask = (matrix.observations["customer_id"] == "b").to_numpy()
    expected = [as_of for customer, as_of in SPINE if customer == "b"]
    assert expected == matrix.take(mask).observations["as_of"].tolist()
    assert matrix.take(mask).values.tobytes() == matrix.take(np.flatnonzero(mask)).values.tobytes()
    assert pd.Index([0, 1, 2]).equals(matrix.take(mask).observations.index)
