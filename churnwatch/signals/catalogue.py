"""The catalogue: do the signals hold together, which of them can this deployment compute, do the examples come true?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import duckdb
import pandas as pd

from churnwatch.aggregates import AGGREGATES, Need
from churnwatch.errors import ProjectError
from churnwatch.signals.engine import build
from churnwatch.signals.events import LEVELS, event_columns, make_events
from churnwatch.spec import Column, Example, Family, Model, ProjectSpec, Signal, where_sql, where_words

if TYPE_CHECKING:
    from churnwatch.sources import Tables


def check_signals(families: Sequence[Family]) -> None:
    """Raise ProjectError for the first signal whose aggregate is unknown or gets what it does not take."""
    for family in families:
        for signal in family.signals:
            _check_signal(family, signal)


def _check_signal(family: Family, signal: Signal) -> None:
    where = f"features/{family.family}.yaml: {signal.name}"
    aggregate = AGGREGATES.get(signal.aggregate)
    if aggregate is None:
        raise ProjectError(
            f"no aggregate is called {signal.aggregate}", where=where, allowed=", ".join(sorted(AGGREGATES))
        )
    given: list[tuple[str, Need, bool]] = [
        ("measure", aggregate.measure, signal.measure is not None),
        ("by", aggregate.by, signal.by is not None),
        ("of", aggregate.of, signal.of is not None),
        ("windows", aggregate.windows, bool(signal.windows)),
    ]
    for key, need, present in given:
        if need == "required" and not present:
            raise ProjectError(f"{signal.aggregate} needs `{key}`", where=where, hint=f"add `{key}:` to the signal")
        if need == "none" and present:
            raise ProjectError(f"{signal.aggregate} takes no `{key}`", where=where, hint=f"take `{key}:` out")
    if signal.compare and not aggregate.comparable:
        allowed = ", ".join(sorted(a.name for a in AGGREGATES.values() if a.comparable))
        raise ProjectError(f"{signal.aggregate} has no change against the window before", where=where, allowed=allowed)
    levels = LEVELS[family.table]
    named = [*signal.where, *(signal.of or {}), *([signal.by] if signal.by else [])]
    for name in named:
        if name not in levels:
            raise ProjectError(
                f"`{name}` is no column that {family.table} can be told apart by",
                where=where,
                allowed=", ".join(levels),
            )


def available(tables: Tables, columns: Sequence[Column]) -> tuple[tuple[Column, ...], dict[str, str]]:
    """Split ``columns`` into those this deployment has inputs for and {signal: why it is skipped}.

    A signal is skipped where its measure is not declared, or where no row of the table ever matches its
    ``where`` (then it would be a constant).
    """
    make_events(tables)
    usable: list[Column] = []
    skipped: dict[str, str] = {}
    reasons: dict[str, str | None] = {}
    for column in columns:
        signal = column.signal
        if signal.name not in reasons:
            reasons[signal.name] = _lacks(tables, column.table, signal)
        reason = reasons[signal.name]
        if reason is None:
            usable.append(column)
        else:
            skipped[signal.name] = reason
    return tuple(usable), skipped


def _lacks(tables: Tables, table: str, signal: Signal) -> str | None:
    _, measures = event_columns(table, tables.measures)
    if signal.measure and signal.measure not in measures:
        return f"{table} has no measure {signal.measure}"
    condition = where_sql(signal.where)
    if signal.measure:
        condition += f' and "{signal.measure}" is not null'
    if not tables.con.execute(f"select 1 from events_{table} where {condition} limit 1").fetchall():
        told = where_words(signal.where)
        return (
            f"{table} has no row"
            + (f" with {told}" if told else "")
            + (f" and a {signal.measure}" if signal.measure else "")
        )
    return None


def model_columns(spec: ProjectSpec, model: Model) -> tuple[Column, ...]:
    """The columns of the families a model names, in the order of the catalogue."""
    return tuple(column for column in spec.columns if column.family in model.families)


def check_examples(families: Sequence[Family]) -> int:
    """Compute every example with the engine itself; return how many numbers came true.

    Raises ProjectError that lists every example whose number differs (1e-6 relative), with what was expected
    and what came out.
    """
    wrong: list[str] = []
    right = 0
    for family in families:
        for number, example in enumerate(family.examples, start=1):
            found = compute_example(family, example)
            for name, expected in example.expect.items():
                if _same(found[name], expected):
                    right += 1
                else:
                    wrong.append(
                        f"features/{family.family}.yaml: example {number}: {name} is expected to be "
                        f"{_told(expected)}, the engine gives {_told(found[name])}"
                    )
    if wrong:
        raise ProjectError("\n".join(wrong), hint="mend the example or the signal, whichever is wrong")
    return right


def compute_example(family: Family, example: Example) -> dict[str, float | None]:
    """The family's columns over the rows of one example; ``None`` is missing."""
    tables = example_tables(family, example.rows)
    as_of = _instant(example.as_of)
    spine = pd.DataFrame({"customer_id": ["example"], "as_of": [as_of]})
    spine["as_of"] = spine["as_of"].astype("datetime64[us]")
    matrix = build(tables, family.columns, spine)
    return {
        name: None if pd.isna(value) else float(value)
        for name, value in zip(matrix.names, matrix.values[0], strict=True)
    }


_TABLES = {
    "interactions": 'interaction_id varchar, customer_id varchar, "at" timestamp, known_at timestamp, kind varchar, '
    "channel varchar, direction varchar, topic varchar, agent varchar",
    "surveys": "survey_id varchar, customer_id varchar, sent_at timestamp, answered_at timestamp, instrument varchar, "
    "raw_score double, scale_min double, scale_max double, higher_is_better boolean",
    "customers": "customer_id varchar, started_at timestamp",
}


def example_tables(family: Family, rows: Sequence[dict[str, Any]]) -> Tables:
    """Canonical tables in memory that hold only these rows of the family's table, all of one customer."""
    measures = tuple(sorted({s.measure for s in family.signals if s.measure and family.table == "interactions"}))
    con = duckdb.connect()
    con.execute("set TimeZone = 'UTC'")
    for table, columns in _TABLES.items():
        extra = "".join(f', "{name}" double' for name in measures) if table == "interactions" else ""
        con.execute(f"create table {table} ({columns}{extra})")
    own = {row[0] for row in con.execute(f"describe {family.table}").fetchall()}
    for number, row in enumerate(rows, start=1):
        filled = {_KEYS[family.table]: f"row {number}", "customer_id": "example"} | row
        if family.table == "interactions":
            filled.setdefault("known_at", filled.get("at"))
        unknown = sorted(set(filled) - own)
        if unknown:
            raise ProjectError(
                f"an example row has `{unknown[0]}`",
                where=f"features/{family.family}.yaml",
                allowed=", ".join(sorted(own)),
            )
        values = [_instant(v) if isinstance(v, date) else v for v in filled.values()]
        names = ", ".join(f'"{name}"' for name in filled)
        con.execute(f"insert into {family.table} ({names}) values ({', '.join('?' * len(values))})", values)
    return cast("Tables", SimpleNamespace(con=con, measures=measures, zone="UTC"))


_KEYS = {"interactions": "interaction_id", "surveys": "survey_id", "customers": "customer_id"}


def _instant(value: date) -> datetime:
    """Naive UTC; a day is its midnight."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
    return datetime.combine(value, time())


def _same(found: float | None, expected: float | None) -> bool:
    if found is None or expected is None:
        return found is expected
    return abs(found - expected) <= 1e-6 * max(abs(found), abs(expected), 1e-6)


def _told(value: float | None) -> str:
    return "missing" if value is None else f"{value:.6g}"
