"""Who is observed, and what became of them: by hand, and against a row-by-row oracle."""

from __future__ import annotations

import dataclasses
from datetime import UTC, date, datetime, timedelta
from itertools import product
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import Event, matches
from small_tables import aware, spine_of, tables_of

from churnwatch.errors import DataRefused, ProjectError
from churnwatch.outcomes import Span, check_as_of, check_labels, grid, label, observe, span
from churnwatch.sources import Tables
from churnwatch.spec import Model

US = timedelta(microseconds=1)
AS_OF = datetime(2026, 3, 1, 17)
GAP_OVER = datetime(2026, 3, 8, 17)
CLOSE = datetime(2026, 5, 7, 17)
LATER = datetime(2026, 6, 1, tzinfo=UTC)
WORDS = {"en": "Leaves", "id": "Pergi"}


def model_of(**keys: Any) -> Model:
    """The model `probe`: cancellations in [7 days, 67 days) after as-of, unless a test says otherwise."""
    chosen = {
        "model": "probe",
        "title": WORDS,
        "outcome": {"event": {"kind": "cancellation"}},
        "grid": {"every": "30d"},
        "gap": "7d",
        "horizon": "60d",
        "families": ["silence"],
        "baselines": {"recency": "quiet_days", "last_score": None, "tenure": "tenure_days"},
        **keys,
    }
    return Model.model_validate({key: value for key, value in chosen.items() if value is not None})


LEAVING = model_of()
INACTIVE = model_of(
    outcome={"inactive": {"kind": ["purchase", "visit"]}, "for": "60d"},
    population={"active": {"kind": ["purchase", "visit"]}, "within": "30d"},
    horizon=None,
)


def event(at: datetime, kind: str = "cancellation", *, known_at: datetime | None = None, customer: str = "a") -> Event:
    return Event(f"{customer} {kind} {at} {known_at}", customer, at, known_at or at, {"kind": kind})


LONG_AGO = datetime(2025, 1, 1)


def tables(*events: Event, customers: list[dict[str, Any]] | None = None) -> Tables:
    """These events; without ``customers``, each of a, b, c began long ago."""
    began = [{"customer_id": name, "started_at": LONG_AGO} for name in "abc"]
    return tables_of(events, customers=began if customers is None else customers, strangers=True)


def observed(made: Tables, model: Model, *as_ofs: datetime) -> list[tuple[str, datetime]]:
    found = observe(made, model, [aware(t) for t in as_ofs or (AS_OF,)])
    return list(found.itertuples(index=False, name=None))


def labelled(model: Model, *events: Event, known_before: datetime = LATER) -> tuple[float, bool]:
    """Outcome and too_late of customer a at AS_OF."""
    found = label(tables(*events), model, spine_of([("a", AS_OF)]), known_before=known_before)
    assert found["too_late"][0] != found["told"][0]
    return float(found["outcome"][0]), bool(found["too_late"][0])


OUTCOMES = {
    "nothing": ([], (0.0, False)),
    "as the window opens": ([event(GAP_OVER)], (1.0, False)),
    "1 µs after": ([event(GAP_OVER + US)], (1.0, False)),
    "1 µs before": ([event(GAP_OVER - US)], (0.0, True)),
    "1 µs before it closes": ([event(CLOSE - US)], (1.0, False)),
    "as it closes": ([event(CLOSE)], (0.0, False)),
    "at as-of": ([event(AS_OF)], (0.0, True)),
    "before as-of, known at as-of": ([event(AS_OF - US, known_at=AS_OF)], (0.0, True)),
    "long before, known in the window": ([event(AS_OF - timedelta(days=99), known_at=GAP_OVER)], (0.0, True)),
    "in the gap and in the window": ([event(AS_OF + US), event(GAP_OVER)], (0.0, True)),
    "twice in the window": ([event(GAP_OVER), event(CLOSE - US)], (1.0, False)),
    "in the window, known much later": ([event(GAP_OVER, known_at=datetime(2026, 5, 31))], (1.0, False)),
    "another event": ([event(GAP_OVER, "complaint")], (0.0, False)),
    "of another customer": ([event(GAP_OVER, customer="b")], (0.0, False)),
}


@pytest.mark.parametrize(("events", "expected"), OUTCOMES.values(), ids=OUTCOMES)
def test_outcome_window_is_half_open(events: list[Event], expected: tuple[float, bool]) -> None:
    """[as-of + gap, as-of + gap + horizon) is bad; in the gap, or known too late to act on, is too late."""
    assert expected == labelled(LEAVING, *events)


def test_without_a_gap_nothing_after_as_of_is_too_late() -> None:
    """With no gap the window opens at as-of itself."""
    model = model_of(gap="0d")
    assert (1.0, False) == labelled(model, event(AS_OF))
    assert (0.0, True) == labelled(model, event(AS_OF - US, known_at=AS_OF))


def test_outcome_may_be_one_of_several_events() -> None:
    """A list of values is any of them, and every named column must match."""
    model = model_of(outcome={"event": {"kind": ["cancellation", "it's over"], "channel": "phone"}})
    phoned = dataclasses.replace(event(GAP_OVER, "it's over"), levels={"kind": "it's over", "channel": "phone"})
    written = dataclasses.replace(phoned, levels={"kind": "it's over", "channel": "email"})
    assert (1.0, False) == labelled(model, phoned)
    assert (0.0, False) == labelled(model, written)
    assert (0.0, False) == labelled(model, event(GAP_OVER))
    left = dataclasses.replace(phoned, at=AS_OF - US, known_at=AS_OF - US)
    assert [("b", AS_OF), ("c", AS_OF)] == observed(tables(left), model)


INACTIVITY = {
    "nothing at all": ([], 1.0),
    "as the window opens": ([event(GAP_OVER, "purchase")], 0.0),
    "in the gap": ([event(GAP_OVER - US, "purchase")], 1.0),
    "1 µs before it closes, the other kind": ([event(CLOSE - US, "visit")], 0.0),
    "as it closes": ([event(CLOSE, "purchase")], 1.0),
    "another event": ([event(GAP_OVER, "complaint")], 1.0),
}


@pytest.mark.parametrize(("events", "expected"), INACTIVITY.values(), ids=INACTIVITY)
def test_inactivity_is_no_such_event_in_the_window(events: list[Event], expected: float) -> None:
    """No purchase or visit in the half-open window is bad; nobody is too late, for nobody has left."""
    assert (expected, False) == labelled(INACTIVE, *events)


def left_at(model: Model, *events: Event) -> list[datetime]:
    """When customer a left, as seen from AS_OF; none where they stayed."""
    return label(tables(*events), model, spine_of([("a", AS_OF)]), known_before=LATER)["left_at"].dropna().to_list()


def test_who_leaves_leaves_at_the_first_end_nobody_knew_of() -> None:
    """The first end in the window or before it, known later than as-of; none outside."""
    assert [GAP_OVER] == left_at(LEAVING, event(CLOSE - US), event(GAP_OVER))
    assert [AS_OF + US] == left_at(LEAVING, event(GAP_OVER), event(AS_OF + US))
    assert [AS_OF - US] == left_at(LEAVING, event(AS_OF - US, known_at=GAP_OVER))
    assert [] == left_at(LEAVING, event(CLOSE), event(GAP_OVER, "complaint"))


def test_an_end_after_the_window_is_told_apart() -> None:
    """It is no outcome of this horizon, but of a longer one."""
    found = label(tables(event(CLOSE)), LEAVING, spine_of([("a", AS_OF), ("b", AS_OF)]), known_before=LATER)
    assert ([0.0, 0.0], [CLOSE]) == (found["outcome"].tolist(), found["ended_at"].dropna().to_list())


def test_who_falls_silent_left_n_days_after_their_last_event() -> None:
    """60 days after the last purchase before the window; nobody who bought in it, and nobody without a purchase."""
    assert [datetime(2026, 4, 30, 17)] == left_at(INACTIVE, event(AS_OF, "purchase"), event(LONG_AGO, "visit"))
    assert [] == left_at(INACTIVE, event(AS_OF, "purchase"), event(GAP_OVER, "purchase"))
    assert [] == left_at(INACTIVE)


def test_label_reads_nothing_known_at_known_before() -> None:
    """A cancellation known at known_before is not read, 1 µs earlier it is; neither is a too-late one."""
    known = datetime(2026, 5, 20)
    for at, expected in ((GAP_OVER, (1.0, False)), (AS_OF, (0.0, True))):
        assert (0.0, False) == labelled(LEAVING, event(at, known_at=known), known_before=aware(known))
        assert expected == labelled(LEAVING, event(at, known_at=known), known_before=aware(known + US))


def test_labels_are_in_the_order_of_the_observations() -> None:
    """Whatever the order of the observations, and also where one stands twice."""
    made = tables(event(GAP_OVER), event(AS_OF, customer="b"))
    spine = spine_of([("c", AS_OF), ("b", AS_OF), ("a", AS_OF), ("b", GAP_OVER - timedelta(days=60)), ("a", AS_OF)])
    found = label(made, LEAVING, spine, known_before=LATER)
    assert [0.0, 0.0, 1.0, 1.0, 1.0] == found["outcome"].tolist()
    assert [False, True, False, False, False] == found["too_late"].tolist()


def test_no_observations_have_no_labels() -> None:
    """Nobody observed is an empty table of the same columns, and observing at no as-of is nobody."""
    made = tables(event(AS_OF))
    nobody = observe(made, LEAVING, [])
    assert (0, ["customer_id", "as_of"]) == (len(nobody), list(nobody.columns))
    found = label(made, LEAVING, nobody, known_before=LATER)
    kinds = {"outcome": "float64", "too_late": "bool", "told": "bool", "left_at": "datetime64[us]"}
    kinds |= {"ended_at": "datetime64[us]", "known_at": "datetime64[us]", "score": "float64"}
    kinds |= {"treated": "bool", "stands_for": "float64"}
    assert kinds == {name: str(kind) for name, kind in found.dtypes.items()}
    assert 0 == len(found)


def test_observations_are_ordered_by_as_of_and_customer() -> None:
    """Whatever the order of the as-ofs; instants are naive UTC in microseconds."""
    made = tables(customers=[{"customer_id": name, "started_at": LONG_AGO} for name in ("c", "10", "9")])
    earlier = AS_OF - timedelta(days=1)
    expected = [(name, as_of) for as_of in (earlier, AS_OF) for name in ("10", "9", "c")]
    assert expected == observed(made, LEAVING, AS_OF, earlier)
    assert "datetime64[us]" == str(observe(made, LEAVING, [aware(AS_OF)])["as_of"].dtype)


LEFT = {
    "before as-of and known": ([event(AS_OF - US)], False),
    "known at as-of": ([event(AS_OF - US, known_at=AS_OF)], True),
    "at as-of": ([event(AS_OF)], True),
    "long ago": ([event(LONG_AGO)], False),
    "another event": ([event(AS_OF - US, "complaint")], True),
}


@pytest.mark.parametrize(("events", "expected"), LEFT.values(), ids=LEFT)
def test_who_is_known_to_have_left_is_not_observed(events: list[Event], expected: bool) -> None:
    """Whoever cancelled before as-of and is known to, announced or gone, is out; what is not known yet counts not."""
    assert expected == (("a", AS_OF) in observed(tables(*events), LEAVING))


STARTS = {
    "exactly the tenure ago": (AS_OF - timedelta(days=30), True),
    "1 µs less": (AS_OF - timedelta(days=30) + US, False),
    "in the future": (AS_OF + timedelta(days=3), False),
}


@pytest.mark.parametrize(("started_at", "expected"), STARTS.values(), ids=STARTS)
def test_tenure_is_reached_to_the_microsecond(started_at: datetime, expected: bool) -> None:
    """A customer is observed from their start plus the tenure."""
    made = tables(customers=[{"customer_id": "a", "started_at": started_at}])
    assert expected == bool(observed(made, model_of(population={"tenure": "30d"})))


def test_without_tenure_a_customer_is_observed_from_just_after_the_start() -> None:
    """Who begins at as-of has not begun before it."""
    began = [{"customer_id": "a", "started_at": AS_OF}, {"customer_id": "b", "started_at": AS_OF - US}]
    assert [("b", AS_OF)] == observed(tables(customers=began), LEAVING)


def test_customer_without_a_start_begins_with_the_first_event_that_is_known() -> None:
    """A first event that became known later must not let a customer in before it was known."""
    nobody_knows = [{"customer_id": name} for name in "abc"]
    first = AS_OF - timedelta(days=40)
    made = tables(
        event(first, "purchase", known_at=AS_OF),
        event(AS_OF - timedelta(days=10), "purchase"),
        event(first, "purchase", customer="b"),
        customers=nobody_knows,
    )
    assert [("b", AS_OF)] == observed(made, model_of(population={"tenure": "30d"}))
    assert [("a", AS_OF), ("b", AS_OF)] == observed(made, LEAVING)
    assert [("a", AS_OF + US), ("b", AS_OF + US)] == observed(made, model_of(population={"tenure": "30d"}), AS_OF + US)


def test_an_end_dated_back_does_not_take_leavers_out_of_the_past() -> None:
    """`ended_at` is today's fact: whoever cancelled after as-of was there, whatever the end was set to later."""
    made = tables(
        event(AS_OF + timedelta(days=10), "cancellation"),
        customers=[{"customer_id": "a", "started_at": LONG_AGO, "ended_at": AS_OF - timedelta(days=35)}],
    )
    assert [("a", AS_OF)] == observed(made, LEAVING)


ACTIVE = {
    "exactly at the far end": ([event(AS_OF - timedelta(days=30), "visit")], True),
    "1 µs older": ([event(AS_OF - timedelta(days=30) - US, "visit")], False),
    "1 µs before as-of": ([event(AS_OF - US, "purchase")], True),
    "at as-of": ([event(AS_OF, "purchase")], False),
    "known at as-of": ([event(AS_OF - US, "purchase", known_at=AS_OF)], False),
    "another event": ([event(AS_OF - US, "complaint")], False),
}


@pytest.mark.parametrize(("events", "expected"), ACTIVE.values(), ids=ACTIVE)
def test_active_wants_such_an_event_within_the_time(events: list[Event], expected: bool) -> None:
    """The population of inactivity: a purchase or visit in the 30 days before as-of, known by then."""
    assert expected == bool(observed(tables(*events), INACTIVE))


@pytest.mark.parametrize(
    ("model", "place"),
    [
        (model_of(outcome={"event": {"knd": "cancellation"}}), "outcome"),
        (model_of(population={"active": {"knd": "usage"}, "within": "30d"}), "population.active"),
    ],
)
def test_column_interactions_do_not_have_is_one_message(model: Model, place: str) -> None:
    """Which model and which key, what may stand there, and the column that was meant."""
    with pytest.raises(ProjectError) as refused:
        observed(tables(event(AS_OF)), model)
    assert refused.value.message.startswith(
        f"models/probe.yaml: {place}: interactions cannot be told apart by `knd`\n  allowed: interaction_id, "
    )
    assert refused.value.message.endswith("try: did you mean kind?")


WHOLE = Span(datetime(2026, 1, 1, 12, tzinfo=UTC), datetime(2026, 5, 1, tzinfo=UTC))
TEN_DAYS = {"gap": "3d", "horizon": "7d"}


def days_of(model: Model, *, zone: str = "UTC", within: Span = WHOLE, complete_by: datetime = LATER) -> list[str]:
    """The grid's instants, short."""
    return [f"{t:%m-%d %H:%M}" for t in grid(model, zone=zone, span=within, complete_by=complete_by)]


def test_grid_steps_back_from_the_last_complete_label() -> None:
    """April 21st plus 3 + 7 days is the data's end exactly; then 30 days back each, rising."""
    model = model_of(**TEN_DAYS, grid={"every": "30d", "history": "19d"})
    # January 21st 00:00 lies 19.5 days after the first event
    assert ["01-21 00:00", "02-20 00:00", "03-22 00:00", "04-21 00:00"] == days_of(model)
    assert ["03-22 00:00", "04-21 00:00"] == days_of(model_of(**TEN_DAYS, grid={"every": "30d", "history": "60d"}))


def test_grid_wants_the_history_whole() -> None:
    """An as-of less than `history` after the first event is left out; exactly as long after it stays."""
    model = model_of(**TEN_DAYS, grid={"every": "30d", "history": "20d"})
    first = datetime(2026, 1, 1, tzinfo=UTC)
    assert "01-21 00:00" == days_of(model, within=Span(first, WHOLE.end))[0]
    assert "02-20 00:00" == days_of(model, within=Span(first + US, WHOLE.end))[0]


def test_grid_ends_a_day_earlier_where_the_label_lacks_a_microsecond() -> None:
    """A label is complete only when its whole window lies within the data and before complete_by."""
    model = model_of(**TEN_DAYS, grid={"every": "60d", "history": "0d"})
    assert ["02-19 00:00", "04-20 00:00"] == days_of(model, within=Span(WHOLE.first, WHOLE.end - US))
    assert ["02-19 00:00", "04-20 00:00"] == days_of(model, complete_by=WHOLE.end - US)
    assert ["02-20 00:00", "04-21 00:00"] == days_of(model, complete_by=WHOLE.end)


def test_grid_of_too_short_a_time_is_empty() -> None:
    """No as-of has both its history and its label."""
    assert [] == days_of(model_of(**TEN_DAYS, grid={"every": "30d", "history": "120d"}))
    assert [] == days_of(model_of(grid={"every": "30d"}, horizon="364d"))


def test_grid_steps_by_civil_days_over_a_clock_change() -> None:
    """In Berlin midnight is 23:00 UTC until March 29th and 22:00 UTC from the 30th on."""
    model = model_of(**TEN_DAYS, grid={"every": "1d", "history": "84d"})
    end = datetime(2026, 4, 8, 22, tzinfo=UTC)  # 10 days after midnight opening March 30th
    found = days_of(model, zone="Europe/Berlin", within=Span(WHOLE.first, end))
    assert ["03-26 23:00", "03-27 23:00", "03-28 23:00", "03-29 22:00"] == found[-4:]


def test_label_over_a_clock_change_is_counted_in_seconds() -> None:
    """10 days of 86,400 s after midnight opening March 24th end at 23:00 UTC, an hour into April 3rd in Berlin."""
    model = model_of(**TEN_DAYS, grid={"every": "1d", "history": "0d"})
    for end, expected in ((22, "03-22 23:00"), (23, "03-23 23:00")):
        within = Span(WHOLE.first, datetime(2026, 4, 2, end, tzinfo=UTC))
        assert expected == days_of(model, zone="Europe/Berlin", within=within)[-1]


def test_midnight_that_is_skipped_is_the_instant_the_day_begins() -> None:
    """In São Paulo November 4th 2018 began at 01:00, 03:00 UTC."""
    model = model_of(**TEN_DAYS, grid={"every": "1d", "history": "0d"})
    within = Span(datetime(2018, 11, 1, tzinfo=UTC), datetime(2018, 11, 14, 3, tzinfo=UTC))
    found = days_of(model, zone="America/Sao_Paulo", within=within)
    assert ["11-01 03:00", "11-02 03:00", "11-03 03:00", "11-04 03:00"] == found


def test_span_is_from_the_first_event_to_the_end_of_what_feeds_the_outcome() -> None:
    """The first event of any kind; the end is the declared one of the source that holds the outcome."""
    end = datetime(2026, 5, 1, tzinfo=UTC)
    made = tables_of([event(AS_OF, "purchase"), event(GAP_OVER)], data_end=end)
    assert Span(aware(AS_OF), end) == span(made, LEAVING)
    with pytest.raises(DataRefused, match=r"no row matches \{kind: cancellation\}"):
        span(tables_of([event(AS_OF, "purchase")], data_end=end), LEAVING)
    with pytest.raises(DataRefused, match=r"interactions\.kind: .*no row matches"):
        span(tables_of(data_end=end), LEAVING)


FIRST = datetime(2026, 1, 1, 20, tzinfo=UTC)  # January 2nd in Jakarta
NOON = datetime(2026, 3, 1, 5, tzinfo=UTC)  # noon of March 1st in Jakarta
MIDNIGHT = datetime(2026, 2, 28, 17, tzinfo=UTC)  # midnight opening March 1st in Jakarta


@pytest.mark.parametrize(
    ("end", "earliest", "latest"),
    [(NOON, date(2026, 1, 3), date(2026, 3, 2)), (MIDNIGHT, date(2026, 1, 3), date(2026, 3, 1))],
)
def test_as_of_lies_between_the_second_day_and_the_day_after_the_last(
    end: datetime, earliest: date, latest: date
) -> None:
    """The morning after the data's last day is the last as-of; data that end at midnight end the day before."""
    for day in (earliest, latest):
        expected = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=7)
        assert expected == check_as_of(day, zone="Asia/Jakarta", first=FIRST, end=end)
    for day in (earliest - timedelta(days=1), latest + timedelta(days=1)):
        with pytest.raises(DataRefused) as refused:
            check_as_of(day, zone="Asia/Jakarta", first=FIRST, end=end)
        assert [
            f"as-of {day} lies outside the data, which run from 2026-01-02 to {latest - timedelta(days=1)}",
            f"  allowed: {earliest} to {latest}",
            f"  try: --as-of {latest} is the last possible day; or load newer data",
        ] == refused.value.message.splitlines()


def test_labels_of_one_class_are_refused() -> None:
    """All bad, all good or nobody at all: each is said in its own words; both outcomes pass."""
    check_labels(pd.Series([0.0, 1.0]), LEAVING, when="in training")
    for outcome, told in (
        ([0.0, 0.0, 0.0], "all 3 observations of the model probe in training have the same outcome (0 bad)"),
        ([1.0, 1.0], "all 2 observations of the model probe in training have the same outcome (2 bad)"),
        ([], "nobody is observed by the model probe in training"),
    ):
        with pytest.raises(DataRefused) as refused:
            check_labels(pd.Series(outcome, dtype="float64"), LEAVING, when="in training")
        assert told == refused.value.found
    with pytest.raises(DataRefused, match="is `kind purchase or visit` the right event"):
        check_labels(pd.Series([1.0]), INACTIVE, when="in the test")


MODELS = [
    LEAVING,
    INACTIVE,
    model_of(gap="0d", population={"tenure": "30d"}),
    model_of(
        outcome={"event": {"kind": ["cancellation", "visit"]}},
        population={"active": {"kind": "purchase"}, "within": "36h", "tenure": "12h"},
    ),
]
AS_OFS = (AS_OF, AS_OF + timedelta(days=7), AS_OF + timedelta(days=30))


def oracle_observes(model: Model, customer: dict[str, Any], events: list[Event], as_of: datetime) -> bool:
    """Row by row, from DESIGN §4: who has begun, has not ended, is not known to have left, and is active."""
    known = [e for e in events if e.customer == customer["customer_id"] and e.at < as_of and e.known_at < as_of]
    started_at = customer.get("started_at")
    if started_at is None:
        if not known:
            return False
        started_at = min(e.at for e in known)
    tenure = timedelta(seconds=model.population.tenure.seconds)
    if not (started_at < as_of and started_at + tenure <= as_of):
        return False
    if model.outcome.event is not None and any(matches(e, model.outcome.event) for e in known):  # type: ignore[arg-type]
        return False
    if model.population.active is None or model.population.within is None:
        return True
    begin = as_of - timedelta(seconds=model.population.within.seconds)
    return any(matches(e, model.population.active) and begin <= e.at for e in known)  # type: ignore[arg-type]


def oracle_labels(
    model: Model, customer: str, events: list[Event], as_of: datetime, known_before: datetime
) -> tuple[float, bool, datetime | None, datetime | None]:
    """Row by row: did it happen in the outcome window, was there time to act, when did they leave, in it or at all?"""
    opens = as_of + timedelta(seconds=model.gap.seconds)
    closes = opens + timedelta(seconds=model.label_length.seconds)
    where: Any = model.outcome.where
    mine = [e for e in events if e.customer == customer and e.known_at < known_before and matches(e, where)]
    happened = any(opens <= e.at < closes for e in mine)
    before = [e.at for e in mine if e.at < opens]
    if model.outcome.event is None:
        silent_since = None if happened or not before else max(before)
        length = timedelta(seconds=model.label_length.seconds)
        return float(not happened), False, silent_since + length if silent_since else None, None
    unknown = [e.at for e in mine if e.at >= as_of or e.known_at >= as_of]
    too_late = any(at < opens for at in unknown)
    bad = happened and not too_late
    ended_at = min(unknown, default=None)
    return float(bad), too_late, ended_at if bad or too_late else None, ended_at


moments = st.builds(
    lambda as_of, days, beside: as_of + timedelta(days=days) + beside * US,
    st.sampled_from(AS_OFS),
    st.sampled_from([-60, -30, -1.5, -0.5, 0, 3, 7, 60, 67]),
    st.sampled_from([-1, 0, 1]),
)


@st.composite
def events_of_customers(draw: st.DrawFn) -> list[Event]:
    """Events of three customers at every boundary of populations and labels, some known later; d is no customer."""
    made = []
    for i in range(draw(st.integers(0, 12))):
        at = draw(moments)
        known_at = max(at, draw(st.one_of(st.just(at), moments)))
        levels = {"kind": draw(st.sampled_from(["cancellation", "purchase", "visit"]))}
        made.append(Event(f"e{i}", draw(st.sampled_from("abcd")), at, known_at, levels))
    return made


customers = st.tuples(
    *(
        st.fixed_dictionaries(
            {"customer_id": st.just(name)},
            optional={"started_at": st.one_of(st.just(LONG_AGO), moments), "ended_at": moments},
        )
        for name in "abc"
    )
).map(list)


@settings(max_examples=80, deadline=None)
@given(st.sampled_from(MODELS), customers, events_of_customers(), moments)
def test_observations_and_labels_equal_the_oracle(
    model: Model, who: list[dict[str, Any]], events: list[Event], known_before: datetime
) -> None:
    """Every population and label rule at once, at and 1 µs beside every boundary."""
    made = tables(*events, customers=who)
    found = observe(made, model, [aware(t) for t in AS_OFS])
    expected = [(c["customer_id"], t) for t in AS_OFS for c in who if oracle_observes(model, c, events, t)]
    assert expected == list(found.itertuples(index=False, name=None))
    some = observe(made, model, [aware(t) for t in AS_OFS], customers=["c", "a", "nobody"])
    assert [one for one in expected if one[0] != "b"] == list(some.itertuples(index=False, name=None))
    spine = [(name, as_of) for name, as_of in product("abcz", AS_OFS)]
    labels = label(made, model, spine_of(spine), known_before=aware(known_before))
    assert [oracle_labels(model, *pair[:1], events, pair[1], known_before) for pair in spine] == [
        (bad, late, *(None if pd.isna(instant) else instant for instant in instants))
        for bad, late, *instants in labels[["outcome", "too_late", "left_at", "ended_at"]].itertuples(
            index=False, name=None
        )
    ]
    # What the label must know: all up to the end of its window, and of who left too soon there is none.
    ends = [as_of + timedelta(seconds=model.reach) - US for _, as_of in spine]
    told = [None if late else end for late, end in zip(labels["too_late"], ends, strict=True)]
    assert told == [None if pd.isna(instant) else instant for instant in labels["known_at"]]


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(MODELS), customers, events_of_customers(), events_of_customers(), st.randoms())
def test_what_becomes_known_later_changes_neither_population_nor_label(
    model: Model, who: list[dict[str, Any]], events: list[Event], others: list[Event], choose: Any
) -> None:
    """Rows known at as-of or later do not change who is observed then, rows known at known_before or later no label."""
    known_before = AS_OFS[-1]
    past = [e for e in events if e.known_at < known_before]

    def garbled(e: Event) -> Event:
        known_at = known_before + choose.choice([timedelta(0), US, timedelta(days=50)])
        return dataclasses.replace(e, id=f"garbled {e.id}", known_at=known_at, at=min(e.at, known_at))

    garbage = [garbled(e) for e in [*others, *(e for e in events if e.known_at >= known_before)]]
    spine = spine_of(product("abcz", AS_OFS))
    answers = []
    for made in (tables(*past, customers=who), tables(*past, *garbage, customers=who)):
        population = observe(made, model, [aware(t) for t in AS_OFS])
        labels = label(made, model, spine, known_before=aware(known_before))
        answers.append((population, labels))
    for first, second in zip(*answers, strict=True):
        pd.testing.assert_frame_equal(first, second)
