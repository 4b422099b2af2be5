"""The project's objects: what each refuses, and with which words; time and conditions against plain Python."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter, ValidationError

from churnwatch.spec import (
    Action,
    Answer,
    Bands,
    Deployment,
    Duration,
    Family,
    Grid,
    LearnerSettings,
    Level,
    Mapping,
    Model,
    Outcome,
    Outreach,
    Playbook,
    Population,
    ProjectSpec,
    Signal,
    Source,
    Sources,
    Tracking,
    Where,
    Words,
    civil_day,
    midnight,
    where_sql,
    where_words,
)

WORDS = {"en": "{value} of them", "id": "{value} buah"}
SIGNAL: dict[str, Any] = {
    "name": "calls",
    "description": "Calls.",
    "aggregate": "count",
    "direction": "up",
    "reason": WORDS,
}
FAMILY: dict[str, Any] = {
    "family": "contact",
    "description": "Contacts.",
    "table": "interactions",
    "signals": [SIGNAL],
    "examples": [{"as_of": date(2026, 3, 1), "rows": [], "expect": {"calls": 0}}],
}
MODEL: dict[str, Any] = {
    "model": "churn",
    "title": {"en": "Churn", "id": "Berhenti"},
    "outcome": {"event": {"kind": "cancellation"}},
    "grid": {"every": "30d"},
    "horizon": "60d",
    "families": ["contact"],
    "baselines": {"recency": "calls", "last_score": None, "tenure": "calls"},
}
INACTIVE: dict[str, Any] = {
    "outcome": {"inactive": {"kind": "purchase"}, "for": "90d"},
    "horizon": None,
    "population": {"active": {"kind": "purchase"}, "within": "180d"},
}
DEPLOYMENT: dict[str, Any] = {
    "deployment": "demo",
    "title": "Demo",
    "zone": "Asia/Jakarta",
    "currency": "IDR",
    "listing_model": "churn",
}
SOURCES: dict[str, Any] = {
    "sources": {"crm": {"from": "crm.csv"}},
    "tables": {
        "customers": [{"source": "crm", "columns": {"customer_id": "id"}}],
        "interactions": [{"source": "crm", "select": "SELECT 1"}],
    },
}
ACTION: dict[str, Any] = {"title": WORDS, "steps": WORDS, "minutes": 5}
PROJECT: dict[str, Any] = {
    "deployment": DEPLOYMENT,
    "sources": SOURCES,
    "outreach": {"default_action": "call"},
    "tracking": {},
    "playbook": {"actions": {"call": ACTION}},
    "families": (FAMILY,),
    "models": {"churn": MODEL},
}


def refusals(kind: type[BaseModel], given: dict[str, Any]) -> list[str]:
    """What is said of each thing that is wrong, with where it stands."""
    with pytest.raises(ValidationError) as refused:
        kind.model_validate(given)
    return [
        f"{'.'.join(map(str, error['loc']))}: {error['msg'].removeprefix('Value error, ')}"
        for error in refused.value.errors()
    ]


def with_signal(**given: Any) -> dict[str, Any]:
    """The family with its signal changed."""
    return FAMILY | {"signals": [SIGNAL | given], "examples": [FAMILY["examples"][0] | {"expect": {"x": 0}}]}


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        (Signal, SIGNAL),
        (Family, FAMILY),
        (Model, MODEL),
        (Model, MODEL | INACTIVE),
        (Deployment, DEPLOYMENT),
        (Sources, SOURCES),
        (ProjectSpec, PROJECT),
    ],
)
def test_what_the_refusals_below_change_is_accepted_as_it_is(kind: type[BaseModel], given: dict[str, Any]) -> None:
    """Each refusal is of one change, not of the rest."""
    assert kind.model_validate(given)


def test_objects_are_frozen_strict_and_know_their_keys() -> None:
    """No change after checking, no unknown key, no text read as a number."""
    action = Action.model_validate(ACTION)
    with pytest.raises(ValidationError, match="frozen"):
        action.minutes = 6  # type: ignore[misc]
    assert ["minute: Extra inputs are not permitted"] == refusals(Action, ACTION | {"minute": 5})
    assert ["minutes: Input should be a valid integer"] == refusals(Action, ACTION | {"minutes": "5"})
    channels = "'phone', 'email', 'chat', 'visit' or 'letter'"
    assert [f"channel: Input should be {channels}"] == refusals(Action, ACTION | {"channel": "fax"})


# Lengths of time


@pytest.mark.parametrize(
    ("text", "seconds", "days"), [("28d", 2_419_200, 28), ("36h", 129_600, 1.5), ("0d", 0, 0), ("1h", 3_600, 1 / 24)]
)
def test_a_length_of_time_has_seconds_and_days(text: str, seconds: int, days: float) -> None:
    """A day is 86,400 s."""
    length = Grid.model_validate({"every": "30d", "history": text}).history
    assert (text, seconds, days) == (length, length.seconds, length.days)


@pytest.mark.parametrize(
    "text", ["", "d", "28", "28D", "28 d", " 28d", "28d\n", "-1d", "+1d", "1.5d", "028d", "4w", "28dd", "٢d"]
)
def test_anything_else_is_no_length_of_time(text: str) -> None:
    """Not even with a line's end behind it."""
    told = "a length of time is a whole number of days or hours, such as 28d or 36h"
    assert [f"history: {told}"] == refusals(Grid, {"every": "30d", "history": text})


@pytest.mark.parametrize("text", ["20001d", "480001h", "999999999999d"])
def test_no_length_of_time_is_longer_than_clocks_can_count(text: str) -> None:
    """Beyond it two windows, or an interval in SQL, would overflow."""
    assert "20000d" == Grid.model_validate({"every": "30d", "history": "20000d"}).history
    told = "a length of time is at most 20000d"
    assert [f"history: {told}"] == refusals(Grid, {"every": "30d", "history": text})


def test_a_number_is_no_length_of_time() -> None:
    """Days or hours must be said."""
    told = "history: a whole number of days or hours, such as 28d or 36h"
    for said in (28, 28.0, True, None, ["28d"]):
        assert [told] == refusals(Grid, {"every": "30d", "history": said})


# Words


@pytest.mark.parametrize(("language", "text"), [("en", "Call"), ("id", "Telepon"), ("fr", "Call"), ("", "Call")])
def test_words_are_english_unless_indonesian_is_asked_for(language: str, text: str) -> None:
    """The fallback is English."""
    assert text == Words(en="Call", id="Telepon").in_language(language)


def test_both_languages_are_wanted() -> None:
    """A text in one language only is half a text."""
    assert ["id: Field required"] == refusals(Words, {"en": "Call"})


# Conditions


@pytest.mark.parametrize(
    ("where", "sql", "words"),
    [
        ({}, "true", ""),
        ({"kind": "contact"}, "(\"kind\" = 'contact')", "kind contact"),
        (
            {"kind": ["contact", "complaint"], "topic": "it's"},
            "(\"kind\" in ('contact', 'complaint') and \"topic\" = 'it''s')",
            "kind contact or complaint and topic it's",
        ),
    ],
)
def test_a_condition_in_sql_and_in_words(where: Where, sql: str, words: str) -> None:
    """By hand."""
    assert (sql, words) == (where_sql(where), where_words(where))


def keeps(where: Where, row: dict[str, Any]) -> bool:
    """Equality and membership; nothing equals a missing value; a number in a text column is its text."""

    def same(level: Level, found: Any) -> bool:
        if isinstance(found, str):
            return found == (str(level).lower() if isinstance(level, bool) else str(level))
        return found is not None and found == level

    return all(
        any(same(level, row[name]) for level in (wanted if isinstance(wanted, list) else [wanted]))
        for name, wanted in where.items()
    )


TEXTS = st.sampled_from(["", "a", "A", "it's", "''", "'; drop table t; --", '"', "\\", "%", "a\nb", "é", "1", "true"])
NUMBERS = st.integers(-3, 3) | st.sampled_from([0.1, 0.30000000000000004, 1e300, 5e-324, -0.0])
LEVELS = {"topic": TEXTS, "amount": NUMBERS, "gone": st.booleans()}
WANTED = {
    "topic": TEXTS | st.sampled_from([1, True]),
    "amount": NUMBERS,
    "gone": st.booleans(),
}


@settings(max_examples=200, deadline=None)
@given(
    rows=st.lists(st.fixed_dictionaries({k: st.none() | v for k, v in LEVELS.items()}), max_size=8),
    where=st.fixed_dictionaries({}, optional={k: v | st.lists(v, min_size=1, max_size=3) for k, v in WANTED.items()}),
)
@example(rows=[{"topic": "'", "amount": 0.0, "gone": False}], where={"topic": ["'", 1], "amount": 0, "gone": False})
def test_a_condition_keeps_in_duckdb_what_it_keeps_in_python(rows: list[dict[str, Any]], where: Where) -> None:
    """Quotes, missing values, numbers, truth values and lists, over text, number and truth columns."""
    checked = TypeAdapter(Where).validate_python(where)
    # One database for all examples: opening one costs more than all the rest.
    con = duckdb.default_connection()
    con.execute("create or replace temp table t (n integer, topic varchar, amount double, gone boolean)")
    if rows:
        cells = [cell for n, row in enumerate(rows) for cell in (n, row["topic"], row["amount"], row["gone"])]
        con.execute(f"insert into t values {', '.join(['(?, ?, ?, ?)'] * len(rows))}", cells)
    found = [n for (n,) in con.execute(f"select n from t where {where_sql(checked)} order by n").fetchall()]
    assert [n for n, row in enumerate(rows) if keeps(checked, row)] == found


def test_a_condition_over_nothing_is_refused() -> None:
    """An empty list would keep no row, ever."""
    told = "where: `kind: []` matches no row: name at least one value"
    assert [told] == refusals(Signal, SIGNAL | {"where": {"kind": []}})


def test_a_condition_names_columns_plainly() -> None:
    """What would need quoting is no column."""
    (told,) = refusals(Signal, SIGNAL | {"where": {'kind" or 1': "x"}})
    assert "String should match pattern" in told


# Days and instants


@pytest.mark.parametrize(
    ("day", "zone", "expected"),
    [
        ((2026, 3, 1), "Asia/Jakarta", datetime(2026, 2, 28, 17)),
        ((2026, 3, 1), "UTC", datetime(2026, 3, 1)),
        # The day the clocks go forward in London begins in winter time, the next one in summer time.
        ((2026, 3, 29), "Europe/London", datetime(2026, 3, 29)),
        ((2026, 3, 30), "Europe/London", datetime(2026, 3, 29, 23)),
        ((2026, 10, 26), "Europe/London", datetime(2026, 10, 26)),
        # Beirut skips midnight itself: the day begins at one.
        ((2024, 3, 31), "Asia/Beirut", datetime(2024, 3, 30, 22)),
        # Havana has midnight twice: the day begins with the first.
        ((2024, 11, 3), "America/Havana", datetime(2024, 11, 3, 4)),
        # Samoa left out 30 December 2011: what would have opened it opens the 31st.
        ((2011, 12, 30), "Pacific/Apia", datetime(2011, 12, 30, 10)),
        ((2011, 12, 31), "Pacific/Apia", datetime(2011, 12, 30, 10)),
    ],
)
def test_midnight_opens_the_civil_day(day: tuple[int, int, int], zone: str, expected: datetime) -> None:
    """By hand, with and without a change of the clocks."""
    assert expected.replace(tzinfo=UTC) == midnight(date(*day), zone)
    assert UTC == midnight(date(*day), zone).tzinfo


ZONES = ("Asia/Jakarta", "Europe/London", "America/Santiago", "Asia/Beirut", "America/Havana", "Australia/Lord_Howe")


@settings(max_examples=400, deadline=None)
@given(st.dates(date(1996, 1, 1), date(2036, 12, 31)), st.sampled_from(ZONES))
@example(date(2024, 3, 31), "Asia/Beirut")
@example(date(2024, 11, 3), "America/Havana")
@example(date(2024, 9, 8), "America/Santiago")
def test_a_day_begins_where_the_day_before_ends(day: date, zone: str) -> None:
    """The opening instant belongs to the day, the microsecond before to the day before; days last 23 to 25 hours."""
    opens = midnight(day, zone)
    assert day == civil_day(opens, zone)
    assert day - timedelta(days=1) == civil_day(opens - timedelta(microseconds=1), zone)
    assert timedelta(hours=23) <= midnight(day + timedelta(days=1), zone) - opens <= timedelta(hours=25)


@given(st.datetimes(datetime(2000, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC)), st.sampled_from(ZONES))
def test_an_instant_lies_in_the_day_its_clock_shows(instant: datetime, zone: str) -> None:
    """Whatever zone the instant is written in."""
    local = instant.astimezone(ZoneInfo(zone))
    assert local.date() == civil_day(instant, zone) == civil_day(local, zone)


# Signals and families


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"windows": ["28d", "84d", "28d"]}, ": windows of calls repeat: 28d, 84d, 28d"),
        ({"windows": ["0d"]}, ": a window of calls is empty: a window is longer than 0d"),
        (
            {"compare": "previous", "change_reason": WORDS},
            ": calls compares with the time before a window but has no windows",
        ),
        (
            {"compare": "previous", "windows": ["28d"]},
            ": calls has compare but no change_reason: how would the change be told?",
        ),
        (
            {"remedy": {"en": "if so", "id": "jika begitu"}},
            ": calls has a remedy but is not actionable: what nobody can act on has none",
        ),
        (
            {"actionable": True, "remedy": {"en": "if {value} fewer", "id": "jika kurang"}},
            ": the remedy of calls holds a brace, and there is no number to fill in: if {value} fewer",
        ),
        ({"after": {"kind": "complaint"}}, ": calls has `after` but no `within`: how long after?"),
        ({"within": "0d"}, ": calls has `within: 0d`, which holds no row: it is longer than 0d"),
        ({"direction": "sideways"}, "direction: Input should be 'up', 'down' or 'any'"),
        ({"name": "Calls"}, "name: String should match pattern '^[a-z][a-z0-9_]*$'"),
        ({"name": "calls\n"}, "name: String should match pattern '^[a-z][a-z0-9_]*$'"),
    ],
)
def test_a_signal_holds_together(given: dict[str, Any], told: str) -> None:
    """Each rule with its words."""
    assert [told] == refusals(Signal, SIGNAL | given)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (
            {"reason": WORDS | {"id": "{value} dari {jumlah}"}},
            "the reason of calls names {jumlah}, which is neither value, window nor previous, "
            "nor a column of this family",
        ),
        (
            {"reason": WORDS | {"en": "{value} in {window}"}},
            "the reason of calls names {window}, but the signal has no windows",
        ),
        (
            {"windows": ["28d"], "reason": WORDS | {"en": "{value} after {previous}"}},
            "the reason of calls names {previous}, but the signal has no compare",
        ),
        ({"reason": WORDS | {"en": "{Value} calls"}}, "the reason of calls has a stray brace: {Value} calls"),
        ({"reason": WORDS | {"id": "{value"}}, "the reason of calls has a stray brace: {value"),
        ({"reason": WORDS | {"en": "{value}] calls"}}, "the reason of calls has a stray bracket: {value}] calls"),
        ({"reason": WORDS | {"en": "[[{value}]]"}}, "the reason of calls has a stray bracket: [[{value}]]"),
        (
            {"reason": WORDS | {"id": "{value} telepon[, lagi]"}},
            "the reason of calls has a part in brackets that names no number: [, lagi]",
        ),
        (
            {"windows": ["28d"], "compare": "previous", "change_reason": {"en": "{x}", "id": "{x}"}},
            "the reason of calls names {x}, which is neither value, window nor previous, nor a column of this family",
        ),
        ({}, "an example expects x, which is no column of this family"),
        ({"name": "xs"}, "an example expects x, which is no column of this family: did you mean xs?"),
    ],
)
def test_a_family_refuses_words_and_examples_about_what_it_has_not(given: dict[str, Any], told: str) -> None:
    """In either language, in the reason and in that of the change."""
    assert [f": {told}"] == refusals(Family, with_signal(**given))


def test_two_columns_of_a_family_never_share_a_name() -> None:
    """Also where a window spells what another signal is called."""
    assert [": two columns are called calls"] == refusals(Family, FAMILY | {"signals": [SIGNAL, SIGNAL]})
    clash = [SIGNAL | {"windows": ["28d"]}, SIGNAL | {"name": "calls_28d"}]
    assert [": two columns are called calls_28d"] == refusals(Family, FAMILY | {"signals": clash})


@pytest.mark.parametrize("key", ["signals", "examples"])
def test_a_family_has_signals_and_examples(key: str) -> None:
    """A signal without an example is not known to work."""
    (told,) = refusals(Family, FAMILY | {key: []})
    assert told.startswith(f"{key}: Tuple should have at least 1 item")


def test_columns_are_the_windows_as_written_each_before_its_change() -> None:
    """The order of the matrix."""
    compared = SIGNAL | {"windows": ["84d", "28d"], "compare": "previous", "change_reason": WORDS}
    family = Family.model_validate(
        FAMILY
        | {
            "signals": [compared, SIGNAL | {"name": "ever", "direction": "down"}],
            "examples": [{"as_of": datetime(2026, 3, 1, 7), "rows": [{"kind": "contact"}], "expect": {"ever": None}}],
        }
    )
    expected = [
        ("calls_84d", "84d", False, "up"),
        ("calls_84d_change", "84d", True, "up"),
        ("calls_28d", "28d", False, "up"),
        ("calls_28d_change", "28d", True, "up"),
        ("ever", None, False, "down"),
    ]
    assert expected == [(c.name, c.window, c.change, c.direction) for c in family.columns]
    assert {("contact", "interactions")} == {(c.family, c.table) for c in family.columns}


# Models


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"horizon": None}, ": an outcome `event` needs a `horizon`, such as 60d"),
        ({"horizon": "0d"}, ": the horizon is empty: it is longer than 0d"),
        (INACTIVE | {"horizon": "60d"}, ": with `inactive` the horizon is its `for`; leave `horizon` out"),
        (
            INACTIVE | {"population": {}},
            ": with `inactive` the population is `active: {…}` and `within: 180d`",
        ),
        (INACTIVE | {"outcome": INACTIVE["outcome"] | {"for": "0d"}}, ": the horizon is empty: it is longer than 0d"),
        ({"families": []}, "families: Tuple should have at least 1 item after validation, not 0"),
        ({"test_slices": 0}, "test_slices: Input should be greater than or equal to 1"),
    ],
)
def test_a_model_holds_together(given: dict[str, Any], told: str) -> None:
    """Each rule with its words."""
    assert [told] == refusals(Model, MODEL | given)


ONE_KIND = "an outcome is either `event: {…}`, `inactive: {…}` with `for: 90d`, `answer: {…}`, or `given: column`"


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, ONE_KIND),
        (
            {"event": {"kind": "a"}, "inactive": {"kind": "b"}, "for": "90d"},
            ONE_KIND,
        ),
        (
            {"event": {"kind": "a"}, "for": "90d"},
            "`for` goes with `inactive`: how long without such an event counts as gone",
        ),
        ({"inactive": {"kind": "a"}}, "`for` goes with `inactive`: how long without such an event counts as gone"),
        (
            {"event": {"kind": "a"}, "given": "churned"},
            ONE_KIND,
        ),
        ({"event": {}}, "the outcome matches every row: name at least a kind"),
        ({"inactive": {}, "for": "90d"}, "the outcome matches every row: name at least a kind"),
    ],
)
def test_an_outcome_is_of_one_kind(given: dict[str, Any], told: str) -> None:
    """An event, or a silence of some length."""
    assert [f": {told}"] == refusals(Outcome, given)


@pytest.mark.parametrize("given", [{"active": {"kind": "purchase"}}, {"within": "90d"}])
def test_active_goes_with_within(given: dict[str, Any]) -> None:
    """Who did what, within which time."""
    assert [": `active` and `within` go together: who did what, within which time"] == refusals(Population, given)


def test_a_population_of_no_time_observes_nobody() -> None:
    """The half-open window before as-of is empty."""
    given = {"active": {"kind": "purchase"}, "within": "0d"}
    assert [": `within: 0d` observes nobody: it is longer than 0d"] == refusals(Population, given)


@pytest.mark.parametrize("every", ["0d", "36h", "0h"])
def test_the_grid_steps_by_whole_days(every: str) -> None:
    """From midnight to midnight; 36 hours would have become two days."""
    told = "every: the grid steps from midnight to midnight: `every` is whole days, at least 1d"
    assert [told] == refusals(Grid, {"every": every})
    assert 2 == Grid.model_validate({"every": "48h"}).every.days


@pytest.mark.parametrize(
    "edges",
    [{"watch": 2.0, "at_risk": 2.0}, {"critical": 1.5}, {"watch": 5.0}, {"at_risk": 4.0, "critical": 4.0}],
)
def test_bands_rise(edges: dict[str, float]) -> None:
    """Equal edges would leave a band empty."""
    assert [": bands rise: watch < at_risk < critical"] == refusals(Bands, edges)


@pytest.mark.parametrize(
    ("name", "by"),
    [
        ("n_estimators", "learner.rounds"),
        ("early_stopping_round", "learner.rounds"),
        ("random_state", "learner.seed"),
        ("monotone_constraints", "each signal's direction"),
        ("objective", "the engine"),
        ("linear_tree", "what can be explained"),
    ],
)
def test_learner_parameters_leave_alone_what_is_decided_elsewhere(name: str, by: str) -> None:
    """LightGBM would let n_estimators overrule the rounds that were chosen, and could not explain linear trees."""
    told = f"parameters: `{name}` is no parameter to set here: it is decided by {by}"
    assert [told] == refusals(LearnerSettings, {"parameters": {"num_leaves": 7, name: 1}})


def test_the_label_is_complete_after_gap_and_horizon() -> None:
    """7 + 60 days; for inactivity its `for`."""
    model = Model.model_validate(MODEL | {"gap": "7d"})
    assert ("60d", 67 * 86_400) == (model.label_length, model.reach)
    inactive = Model.model_validate(MODEL | INACTIVE)
    assert ("90d", 90 * 86_400) == (inactive.label_length, inactive.reach)
    assert ({"kind": "cancellation"}, {"kind": "purchase"}) == (model.outcome.where, inactive.outcome.where)


# Sources


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, ": a mapping has either `columns` or one whole `select`"),
        (
            {"columns": {"customer_id": "id"}, "select": "SELECT 1"},
            ": a mapping has either `columns` or one whole `select`",
        ),
        (
            {"select": "SELECT 1", "where": "x"},
            ": with `select`, write the condition into the SELECT instead of `where`",
        ),
    ],
)
def test_a_mapping_goes_one_way(given: dict[str, Any], told: str) -> None:
    """Columns, or a whole SELECT."""
    assert [told] == refusals(Mapping, {"source": "crm"} | given)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"allowance": 1.5}, "allowance: Input should be less than or equal to 1"),
        ({"zone": "Asia/Jakarta2"}, "zone: no such time zone: Asia/Jakarta2; write one like Asia/Jakarta"),
        ({"zone": "../etc/passwd"}, "zone: no such time zone: ../etc/passwd; write one like Asia/Jakarta"),
        ({"format": "xls"}, "format: Input should be 'csv', 'jsonl', 'parquet' or 'xlsx'"),
        ({"types": {"id": "int"}}, "types.id: Input should be 'text', 'integer', 'number', 'boolean' or 'time'"),
    ],
)
def test_a_source_is_read_in_a_known_way(given: dict[str, Any], told: str) -> None:
    """Zone, format, types and allowance."""
    assert [told] == refusals(Source, {"from": "crm.csv"} | given)


def test_sources_and_tables_fit_together() -> None:
    """Every mapping names a declared source; customers have one."""
    ghost = {"agents": [{"source": "hr", "columns": {"owner": "id"}}]}
    told = ": agents maps the source hr, which is not declared"
    assert [told] == refusals(Sources, SOURCES | {"tables": SOURCES["tables"] | ghost})
    rest = {name: mappings for name, mappings in SOURCES["tables"].items() if name != "customers"}
    assert [": no mapping makes the table customers"] == refusals(Sources, SOURCES | {"tables": rest})
    (told,) = refusals(Sources, SOURCES | {"sources": {}, "tables": {}})
    assert told.startswith("sources: Dictionary should have at least 1 item")


# Deployments and the whole


@pytest.mark.parametrize(
    ("kind", "given", "told"),
    [
        (Deployment, DEPLOYMENT | {"zone": "Jakarta"}, "zone: no such time zone: Jakarta; write one like Asia/Jakarta"),
        (
            Deployment,
            DEPLOYMENT | {"ledger": "mysql://care:hunter2@db/ledger"},
            "ledger: mysql://…@db/ledger is no ledger; write postgresql://USER@HOST/DATABASE, or leave it out",
        ),
        (
            Deployment,
            DEPLOYMENT | {"ledger": "postgresql://db/"},
            "ledger: postgresql://db/ is no ledger; write postgresql://USER@HOST/DATABASE, or leave it out",
        ),
        (
            Deployment,
            DEPLOYMENT | {"ledger": "postgresql://care:hunter2@db/ledger"},
            "ledger: no password belongs here; put it into PGPASSWORD or ~/.pgpass, which PostgreSQL reads",
        ),
        (
            Deployment,
            DEPLOYMENT | {"ledger": "postgresql:///ledger?host=db&password=hunter2"},
            "ledger: no password belongs here; put it into PGPASSWORD or ~/.pgpass, which PostgreSQL reads",
        ),
        (Deployment, DEPLOYMENT | {"currency": "Rp"}, "currency: String should match pattern '^[A-Z]{3}$'"),
        (Deployment, DEPLOYMENT | {"languages": ["en", "fr"]}, "languages.1: Input should be 'en' or 'id'"),
        (
            Deployment,
            DEPLOYMENT | {"languages": []},
            "languages: Tuple should have at least 1 item after validation, not 0",
        ),
        (
            Outreach,
            {"default_action": "call", "capacity": -1},
            "capacity: Input should be greater than or equal to 0",
        ),
        (
            Outreach,
            {"default_action": "call", "capacity_total": 0.0},
            "capacity_total: Input should be greater than 0",
        ),
        (Outreach, {"default_action": "call", "reasons": 4}, "reasons: Input should be less than or equal to 3"),
        (
            Outreach,
            {"default_action": "call", "minimum_band": "at risk"},
            "minimum_band: String should match pattern '^(healthy|watch|at_risk|critical)$'",
        ),
        (Tracking, {"url": "x"}, "url: Extra inputs are not permitted"),
        (Playbook, {"actions": {}}, "actions: Dictionary should have at least 1 item after validation, not 0"),
    ],
)
def test_a_deployments_files_are_refused_one_by_one(kind: type[BaseModel], given: dict[str, Any], told: str) -> None:
    """Each rule with its words."""
    assert [told] == refusals(kind, given)


OTHER = FAMILY | {"family": "other"}
ACTING = FAMILY | {"signals": [SIGNAL | {"action": "dance"}]}


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"families": (FAMILY, OTHER)}, "calls stands in both contact and other"),
        (
            {"models": {"churn": MODEL | {"families": ["surveys"]}}},
            "the model churn uses the family surveys, which is not in features/",
        ),
        (
            {"models": {"churn": MODEL | {"baselines": MODEL["baselines"] | {"tenure": "age"}}}},
            "a baseline of the model churn names age, which is no column",
        ),
        (
            {"deployment": DEPLOYMENT | {"listing_model": "loyalty"}},
            "deployment.yaml uses the model loyalty, which is not in models/",
        ),
        (
            {"deployment": DEPLOYMENT | {"also": ["loyalty"]}},
            "deployment.yaml uses the model loyalty, which is not in models/",
        ),
        (
            {"models": {"churn": MODEL | {"acknowledge": ["age"]}}},
            "the model churn acknowledges age, which is no column of its families",
        ),
        (
            {"sources": SOURCES | {"tables": {"customers": SOURCES["tables"]["customers"]}}},
            "no mapping makes the table interactions, which the model churn needs",
        ),
        ({"families": (ACTING,)}, "calls suggests dance, which is not in playbook.yaml"),
        ({"outreach": {"default_action": "wave"}}, "outreach.yaml suggests wave, which is not in playbook.yaml"),
    ],
)
def test_the_files_of_a_project_fit_together(given: dict[str, Any], told: str) -> None:
    """Names that one file uses stand in the other."""
    assert [f": {told}"] == refusals(ProjectSpec, PROJECT | given)


def test_a_length_of_time_stays_a_text() -> None:
    """It is written back as it was read."""
    assert '{"every":"30d","at":null,"history":"90d"}' == Grid(every=Duration("30d")).model_dump_json()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"horizons": ["60d", "30d"]}, "`horizons` rise"),
        ({"horizons": ["30d", "30d"]}, "`horizons` rise"),
        ({"horizons": ["0d", "30d"]}, "`horizons` rise"),
        ({"horizons": ["30d"], "outcome": {"given": "left"}, "grid": None, "horizon": None}, "has no time"),
        (
            {
                "horizons": ["30d"],
                "outcome": {"inactive": {"kind": "purchase"}, "for": "60d"},
                "population": {"active": {"kind": "purchase"}, "within": "90d"},
                "horizon": None,
            },
            "silence has one length",
        ),
    ],
)
def test_horizons_that_cannot_be_told_are_refused(change: dict[str, Any], said: str) -> None:
    made = {
        "model": "probe",
        "title": {"en": "Leaves", "id": "Pergi"},
        "outcome": {"event": {"kind": "cancellation"}},
        "grid": {"every": "30d"},
        "horizon": "60d",
        "families": ["silence"],
        "baselines": {"recency": "quiet_days", "last_score": None, "tenure": "tenure_days"},
    }
    assert ("30d", "60d") == Model.model_validate({**made, "horizons": ["30d", "60d"]}).horizons
    with pytest.raises(ValidationError, match=said):
        Model.model_validate({key: value for key, value in {**made, **change}.items() if value is not None})


NPS = {"scale": [0, 10], "bad": {"at_most": 6}}


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"scale": [10, 0]}, "a scale rises from its lowest score to its highest"),
        ({"scale": [5, 5]}, "a scale rises from its lowest score to its highest"),
        ({"bad": {}}, "it does not say which scores are bad: give one end, such as {at_most: 6} or {at_least: 5}"),
        ({"bad": {"at_most": 6, "at_least": 7}}, "there are both at_most (6) and at_least (7): bad is one end"),
        ({"bad": {"at_most": 16}}, "`bad: at_most` is 16; on the scale 0 to 10 allowed is 0 to less than 10"),
        ({"bad": {"at_most": 10}}, "`bad: at_most` is 10; on the scale 0 to 10 allowed is 0 to less than 10"),
        ({"bad": {"at_most": -1}}, "`bad: at_most` is -1; on the scale 0 to 10 allowed is 0 to less than 10"),
        ({"bad": {"at_least": 0}}, "`bad: at_least` is 0; on the scale 0 to 10 allowed is more than 0 to 10"),
        ({"bad": {"at_least": 11}}, "`bad: at_least` is 11; on the scale 0 to 10 allowed is more than 0 to 10"),
        ({"about": "order"}, "Input should be 'customer' or 'case'"),
    ],
)
def test_an_instrument_has_bad_scores_and_others(given: dict[str, Any], told: str) -> None:
    (said,) = refusals(Answer, NPS | given)
    assert told in said


@pytest.mark.parametrize("bad", [{"at_most": 0}, {"at_most": 9.5}, {"at_least": 0.5}, {"at_least": 10}])
def test_the_ends_of_what_may_be_bad_are_allowed(bad: dict[str, float]) -> None:
    assert (0, 10) == Answer.model_validate(NPS | {"bad": bad}).scale


def test_the_bad_end_of_a_scale_says_which_is_better() -> None:
    assert Answer.model_validate(NPS).higher_is_better
    assert not Answer.model_validate({"scale": [1, 7], "bad": {"at_least": 5}}).higher_is_better


SATISFIED = {
    "model": "probe",
    "title": {"en": "Unhappy", "id": "Kecewa"},
    "outcome": {"answer": {"nps": NPS}},
    "population": {"without": {"kind": "cancellation"}},
    "grid": {"every": "30d"},
    "horizon": "90d",
    "families": ["silence"],
    "baselines": {"recency": None, "last_score": None, "tenure": "tenure_days"},
}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"horizon": None}, "needs a `horizon` in which it comes"),
        ({"grid": {"every": "30d", "at": "survey sent"}}, "leave horizon and gap out"),
        ({"grid": {"every": "30d", "at": "survey sent"}, "horizon": None, "gap": "1d"}, "leave horizon and gap out"),
        ({"outcome": {"event": {"kind": "end"}}, "answering": {"within": "7d"}}, "with an outcome `answer` only"),
        (
            {"outcome": {"event": {"kind": "end"}}, "grid": {"every": "30d", "at": "survey sent"}},
            "with an outcome `answer` only",
        ),
        ({"outcome": {"answer": {}}}, "at least 1 item"),
        ({"answering": {"within": "0d"}}, "nobody answers within 0d"),
        ({"answering": {"least": 0}}, "greater than 0"),
        ({"population": {"without": {}}}, "leaves nobody: name at least a kind"),
        ({"horizons": ["30d"]}, "`event` only"),
    ],
)
def test_a_model_of_satisfaction_that_cannot_be_is_refused(change: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Model.model_validate({key: value for key, value in {**SATISFIED, **change}.items() if value is not None})


def test_a_date_is_complete_once_the_answers_to_its_last_survey_could_have_come() -> None:
    """On a calendar the window of 90 days; at events a slice of 30 days, then the 14 days an answer may take."""
    assert 90 * 86_400 == Model.model_validate(SATISFIED).reach
    events = {**SATISFIED, "grid": {"every": "30d", "at": "survey sent"}}
    del events["horizon"]
    assert 44 * 86_400 == Model.model_validate(events).reach
    assert 37 * 86_400 == Model.model_validate({**events, "answering": {"within": "7d"}}).reach


def test_a_condition_is_said_the_same_whatever_the_order_of_its_keys():
    """A bundle sorts keys, and a model learned again from it must say why signals are skipped in the same words."""
    assert "kind contact and channel chat" == where_words({"kind": "contact", "channel": "chat"})
    assert "kind contact and channel chat" == where_words({"channel": "chat", "kind": "contact"})
