"""The catalogue: do the signals hold together, which of them can this deployment compute, do the examples come true?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa

from churnwatch.aggregates import AGGREGATES, Need
from churnwatch.errors import ProjectError, nearest
from churnwatch.signals.engine import build
from churnwatch.signals.events import LEVELS, event_columns, events_sql
from churnwatch.sources import MEASURED, SHAPES, Tables, new_tables
from churnwatch.spec import (
    MENTIONS,
    PLACEHOLDER,
    Column,
    Example,
    Family,
    Model,
    ProjectSpec,
    Signal,
    Where,
    where_sql,
    where_words,
)

if TYPE_CHECKING:
    import duckdb


def check_signals(families: Sequence[Family]) -> None:
    """Raise ProjectError for the first signal that does not hold together.

    Its aggregate is unknown or gets what it does not take; it names a column its table does not have, or a number in a
    reason that it never has.
    """
    for family in families:
        for signal in family.signals:
            _check_signal(family, signal)


def without_remedy(families: Sequence[Family]) -> tuple[str, ...]:
    """A sentence for each family with actionable signals that have no remedy: nothing is foretold of those.

    No refusal, as the files of a project made earlier have none.
    """
    told = []
    for family in families:
        names = [signal.name for signal in family.signals if signal.actionable and signal.remedy is None]
        if names:
            told.append(
                f"features/{family.family}.yaml: {', '.join(names)}: actionable, but nothing says what would put it "
                "right; add `remedy: {en: if …, id: jika …}`, or take `actionable: true` out."
            )
    return tuple(told)


def _check_signal(family: Family, signal: Signal) -> None:
    where = f"features/{family.family}.yaml: {signal.name}"
    aggregate = AGGREGATES.get(signal.aggregate)
    if aggregate is None:
        raise ProjectError(
            f"no aggregate is called {signal.aggregate}",
            where=where,
            allowed=", ".join(sorted(AGGREGATES)),
            hint=nearest(signal.aggregate, AGGREGATES),
        )
    if signal.after is not None and aggregate.within == "required":
        found = f"`after` and {signal.aggregate} would both read `within`"
        raise ProjectError(found, where=where, allowed="one of the two", hint="take `after:` out")
    given: list[tuple[str, Need, bool]] = [
        ("measure", aggregate.measure, signal.measure is not None),
        ("by", aggregate.by, signal.by is not None),
        ("of", aggregate.of, signal.of is not None),
        ("windows", aggregate.windows, bool(signal.windows)),
        # Beside `after` it says how long after, whatever the aggregate.
        ("within", aggregate.within, signal.within is not None and signal.after is None),
    ]
    for key, need, present in given:
        if need == "required" and not present:
            raise ProjectError(f"{signal.aggregate} needs `{key}`", where=where, hint=f"add `{key}:` to the signal")
        if need == "none" and present:
            raise ProjectError(f"{signal.aggregate} takes no `{key}`", where=where, hint=f"take `{key}:` out")
    if signal.compare == "previous" and not aggregate.comparable:
        allowed = ", ".join(sorted(a.name for a in AGGREGATES.values() if a.comparable))
        raise ProjectError(f"{signal.aggregate} has no change against the window before", where=where, allowed=allowed)
    if signal.compare == "past" and not aggregate.level:
        allowed = ", ".join(sorted(a.name for a in AGGREGATES.values() if a.level))
        hint = "of how many there are, `aggregate: pace` tells the same"
        found = f"{signal.aggregate} has no change against all history before the window"
        raise ProjectError(found, where=where, allowed=allowed, hint=hint)
    for window in signal.windows:
        if aggregate.span is not None and window.days > aggregate.span:
            raise ProjectError(
                f"the window {window} of {signal.aggregate} is too long", where=where, allowed=f"{aggregate.span}d"
            )
    own = (*LEVELS[family.table], *family.mentions)
    named = [(name, own) for name in (*signal.where, *(signal.of or {}), *([signal.by] if signal.by else []))]
    # Of an interaction before, nobody asks what its text mentions.
    for name, levels in [*named, *((name, LEVELS["interactions"]) for name in signal.after or {})]:
        if name not in levels:
            table = family.table if levels is own else "interactions"
            raise ProjectError(
                f"`{name}` is no column that {table} can be told apart by",
                where=where,
                allowed=", ".join(levels),
                hint="a file may ask for the words of its own lists only"
                if name.startswith("mentions_")
                else nearest(name, levels),
            )
    for name, wanted in (*signal.where.items(), *(signal.of or {}).items()):
        levels_of = wanted if isinstance(wanted, list) else [wanted]
        if name in family.mentions and not all(isinstance(level, bool) for level in levels_of):
            raise ProjectError(f"`{name}` is {wanted!r}", where=where, allowed="true, false")
    _check_measure(family.table, signal.measure, where)
    _check_words(signal, where)


def _check_measure(table: str, measure: str | None, where: str) -> None:
    """Surveys have the same measures everywhere; what others may be declared is no column of another kind."""
    always = event_columns(table, ())[1]
    taken = (*SHAPES[table].columns, *LEVELS[table], "source")
    mention = measure is not None and measure.startswith(MENTIONS)
    if measure is None or measure in always or (table in MEASURED and measure not in taken and not mention):
        return
    own = "any other that a deployment declares" if table in MEASURED else ""
    raise ProjectError(
        f"{table} has no measure {measure}",
        where=where,
        allowed=", ".join([*always, *([own] if own else [])]),
        hint=nearest(measure, always),
    )


def _check_words(signal: Signal, where: str) -> None:
    for key, words in (("reason", signal.reason), ("change_reason", signal.change_reason)):
        if words and set(PLACEHOLDER.findall(words.en)) != set(PLACEHOLDER.findall(words.id)):
            raise ProjectError(
                f"the {key} names other numbers in en than in id",
                where=where,
                allowed="the same {…} in both languages",
            )


def available(tables: Tables, columns: Sequence[Column]) -> tuple[tuple[Column, ...], dict[str, str]]:
    """Split ``columns`` into those this deployment has inputs for and {signal: why it is skipped}.

    A signal is skipped where its measure is not declared, or where no row of the table ever matches its ``where`` or
    its ``of``, with a measure or a ``by`` if it reads one: a constant, or cases that nothing could ever close.
    """
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
    _, measures = event_columns(table, tables.measures_of(table))
    if signal.measure and signal.measure not in measures:
        return f"{table} has no measure {signal.measure}"
    if reads_text(signal) and not (tables.mentions and tables.has_text):
        return f"{table} has no text"
    return (
        _no_row(tables, table, signal.where, signal.measure or signal.by)
        or (_no_row(tables, table, signal.of) if signal.of is not None else None)
        or (_no_row(tables, "interactions", signal.after) if signal.after is not None else None)
    )


def reads_text(signal: Signal) -> bool:
    """Whether the signal asks what texts mention."""
    named = (*signal.where, *(signal.of or {}), signal.by or "")
    return any(name.startswith(MENTIONS) for name in named)


def _no_row(tables: Tables, table: str, where: Where, given: str | None = None) -> str | None:
    """Words for the want of any row that matches ``where`` and has a value in the column ``given``."""
    condition = where_sql(where) + (f' and "{given}" is not null' if given else "")
    events = events_sql(table, tables.measures_of(table), tables.mentions)
    if tables.con.execute(f"select 1 from ({events}) as events where {condition} limit 1").fetchall():
        return None
    told = (f" with {where_words(where)}" if where else "") + (f" that gives {given}" if given else "")
    return f"{table} has no row{told}"


def model_columns(spec: ProjectSpec, model: Model) -> tuple[Column, ...]:
    """The columns of the families a model names, in the order of the catalogue."""
    return tuple(column for column in spec.columns if column.family in model.families)


def check_examples(families: Sequence[Family]) -> int:
    """Compute every example with the engine itself; return how many numbers came true.

    Raises ProjectError that lists every example whose number differs (1e-6 relative), with what was expected
    and what came out.
    """
    wrong: list[str] = []
    meant: dict[str, str] = {}
    right = 0
    for family in families:
        for example in family.examples:
            found = compute_example(family, example)
            for name, expected in example.expect.items():
                if _same(found[name], expected):
                    right += 1
                else:
                    used = next(c.signal.aggregate for c in family.columns if c.name == name)
                    meant[used] = f"{used} gives {AGGREGATES[used].summary}"
                    wrong.append(
                        f"{_place(family, example)}: {name} is expected to be "
                        f"{_told(expected)}, the engine gives {_told(found[name])}"
                    )
    if wrong:
        raise ProjectError(
            "\n".join(wrong),
            hint="\n       ".join(["mend the example or the signal, whichever is wrong", *meant.values()]),
        )
    return right


def compute_example(family: Family, example: Example) -> dict[str, float | None]:
    """The family's columns over the rows of one example of the family; ``None`` is missing."""
    tables = example_tables(family, example)
    as_of = _instant(example.as_of)
    spine = pd.DataFrame({"customer_id": ["example"], "as_of": [as_of]})
    spine["as_of"] = spine["as_of"].astype("datetime64[us]")
    matrix = build(tables, family.columns, spine)
    return {
        name: None if pd.isna(value) else float(value)
        for name, value in zip(matrix.names, matrix.values[0], strict=True)
    }


def example_tables(family: Family, example: Example) -> Tables:
    """Canonical tables in memory that hold only the rows of one example, all in the family's table.

    But for those of interactions that the example gives beside them, as `after` looks there. A row is of the customer
    ``example`` unless it names another. Raises ProjectError for a row with a column the table
    does not have, without one it needs, or with a value of another kind.
    """
    shape = SHAPES[family.table]
    named = {signal.measure for signal in family.signals if signal.measure}
    declared = tuple(sorted(named.difference(event_columns(family.table, ())[1])))
    kinds = shape.columns | dict.fromkeys(declared, "number")
    measures = declared if family.table == "interactions" else ()
    customer_measures = declared if family.table == "customers" else ()
    con = new_tables(measures, customer_measures=customer_measures)
    for number, row in enumerate(example.rows, start=1):
        filled = {shape.key: f"row {number}", "customer_id": "example", "source": "example"} | row
        if family.table == "interactions":
            filled.setdefault("known_at", filled.get("at"))
        if family.table == "customers":
            filled.setdefault("do_not_contact", False)
        _check_row(filled, kinds, shape.required, place=f"{_place(family, example)}, row {number}")
        _insert(con, family.table, filled)
    for number, row in enumerate(example.interactions, start=1):
        filled = {"interaction_id": f"also {number}", "customer_id": "example", "source": "example"} | row
        filled.setdefault("known_at", filled.get("at"))
        also = SHAPES["interactions"]
        _check_row(filled, also.columns, also.required, place=f"{_place(family, example)}, interaction {number}")
        _insert(con, "interactions", filled)
    if family.table != "customers":
        con.execute(
            "insert into customers (customer_id, do_not_contact, source) "
            f"select distinct customer_id, false, 'example' from {family.table}"
        )
    made = Tables(con, measures, (), pa.table({}), (), "UTC", customer_measures=customer_measures)
    return made.reworded([family])


def _insert(con: duckdb.DuckDBPyConnection, table: str, row: Mapping[str, Any]) -> None:
    names = ", ".join(f'"{name}"' for name in row)
    values = [_instant(value) if isinstance(value, date) else value for value in row.values()]
    con.execute(f"insert into {table} ({names}) values ({', '.join('?' * len(values))})", values)


_KINDS: dict[str, tuple[tuple[type, ...], str]] = {
    "text": ((str,), "a text"),
    "number": ((int, float), "a number"),
    "integer": ((int,), "a whole number"),
    "boolean": ((bool,), "true or false"),
    "time": ((date,), "a day such as 2026-02-20, or a time such as 2026-02-20T09:00:00"),
}


def _check_row(row: Mapping[str, Any], kinds: Mapping[str, str], required: Sequence[str], *, place: str) -> None:
    for name, value in row.items():
        if name == "source":
            continue
        if name not in kinds:
            raise ProjectError(
                f"there is no column `{name}`", where=place, allowed=", ".join(kinds), hint=nearest(name, kinds)
            )
        types, told = _KINDS[kinds[name]]
        wrong = not isinstance(value, types) or (isinstance(value, bool) and bool not in types)
        if value is not None and wrong:
            raise ProjectError(f"`{name}` is {value!r}", where=place, allowed=told)
    for name in required:
        if row.get(name) is None:
            raise ProjectError(f"there is no `{name}`", where=place, hint=f"add `{name}:` to the row")


def _place(family: Family, example: Example) -> str:
    return f"features/{family.family}.yaml: example {family.examples.index(example) + 1}"


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
    """With as many digits as ``_same`` looks at: who copies it into the example is right."""
    return "missing" if value is None else f"{value:.10g}"
