"""Event rows as the engine reads them: one shape for interactions, surveys and customers, and their codes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np

from churnwatch.signals.customers import HASH, codes_of
from churnwatch.signals.following import with_following
from churnwatch.signals.plan import Reading, Work
from churnwatch.signals.rows import DAY, FIRST_MEASURE, NEVER, Array

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

    from churnwatch.sources.wording import Mention
    from churnwatch.spec import Signal

BATCH = 1_000_000
"""Rows that DuckDB hands over at a time."""
FEW = 1000
"""Moments that a query may list."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EARLIEST, LATEST = (
    round((datetime(year, 1, 1, tzinfo=UTC) - EPOCH).total_seconds()) * 1_000_000 for year in (1900, 2100)
)
"""No zone's clocks are looked up outside of these years: they stand as at the nearest."""

LEVELS = {
    "interactions": ("kind", "channel", "direction", "topic", "agent"),
    "surveys": ("kind", "instrument"),
    "customers": ("kind", "segment", "language"),
}
"""The columns `where`, `of` and `by` may name, beside the `mentions_…` of the words of a signal's own family."""

SURVEY_MEASURES = ("score", "answer_days")
"""``score``: 0 worst to 1 best, whatever the scale; ``answer_days``: from sent to answered."""

_INTERACTIONS = """
    select interaction_id as _id, 1 as _part, customer_id, "at" as _at, known_at as _known,
           kind, channel, direction, topic, agent{mentions}{measures}
    from interactions"""
_SURVEYS = """
    select survey_id as _id, 1 as _part, customer_id, sent_at as _at, sent_at as _known, 'sent' as kind, instrument,
           null::double as score, null::double as answer_days
    from surveys
    union all
    select survey_id, 2, customer_id, answered_at, answered_at, 'answered', instrument,
           case when higher_is_better then (raw_score - scale_min) / (scale_max - scale_min)
                else (scale_max - raw_score) / (scale_max - scale_min) end,
           (epoch_us(answered_at) - epoch_us(sent_at)) / 86400000000.0
    from surveys where answered_at is not null"""
CUSTOMER_MEASURES = ("value",)
"""The numbers every customer may have; a deployment declares more."""
_CUSTOMERS = """
    select customer_id as _id, 1 as _part, customer_id, started_at as _at, started_at as _known, 'started' as kind,
           null::varchar as segment, null::varchar as language, null::double as value{no_measures}
    from customers where started_at is not null
    union all
    select customer_id, 2, customer_id, known_at, known_at, 'profile', segment, language, value{measures}
    from customers where known_at is not null"""


def event_columns(table: str, measures: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(levels, measures) of an event table; ``measures`` are those the deployment declares for it."""
    always = {"surveys": SURVEY_MEASURES, "customers": CUSTOMER_MEASURES}.get(table, ())
    return LEVELS[table], (*always, *measures)


def events_sql(
    table: str, measures: tuple[str, ...], mentions: Mapping[str, Mention], signals: Iterable[Signal] = ()
) -> str:
    """A SELECT of the event rows of ``table``: _id, _part, customer_id, _at, _known (UTC), levels, measures.

    ``mentions`` are levels of interactions: 'true', 'false', or NULL where there is no text. After the measures come
    the levels that the ``signals`` of the table ask for by `after`. Of one survey sent (``_part`` 1) comes before
    answered, of a customer the start before the profile: the facts of the row, which has one only where it is told
    since when they are known. No measure's name begins with ``_``, so none can be taken for a clock.
    """
    named = "".join(f', "{name}"' for name in measures)
    if table == "interactions":
        told = {name: f'"{name}"' if one.stored else f"({one.sql})" for name, one in mentions.items()}
        said = "".join(f', {sql}::varchar as "{name}"' for name, sql in told.items())
        sql = _INTERACTIONS.format(mentions=said, measures=named)
    elif table == "surveys":
        sql = _SURVEYS
    else:
        nothing = "".join(f', null::double as "{name}"' for name in measures)
        sql = _CUSTOMERS.format(measures=named, no_measures=nothing)
    return with_following(sql, signals)


@dataclass(frozen=True)
class Events:
    """The event rows of one table on a connection, read with codes in place of texts."""

    con: duckdb.DuckDBPyConnection
    sql: str
    """A SELECT as ``events_sql`` makes it."""
    who: str
    """A table on ``con`` of customer_id and code, an int32 from 0 on by id: of everybody who has a row."""
    texts: dict[str, list[str]]
    """The different texts of each level whose values are counted."""

    def batches(self, work: Work, *, before: int, since: int) -> Iterator[list[Array]]:
        """The rows that may count for as-ofs from ``since`` up to ``before`` (µs), as arrays in no certain order.

        Customer, at, known, code of the mentioned levels, then the columns of ``work.reading``.
        """
        limit = f"_known < make_timestamp({before}) and _at < make_timestamp({before})"
        if work.reach < NEVER:
            limit += f" and _at >= make_timestamp({since - work.reach})"
        codes = codes_of(self.con, self.who)
        rows = f"(select * from ({self.sql}) where {limit}) as rows"
        if codes is None:
            select = self._select(work.reading, "who.code", f"{rows} join {self.who} as who using (customer_id)")
        else:
            select = self._select(work.reading, HASH, rows)
        for batch in self.con.execute(select).to_arrow_reader(BATCH):
            arrays = _arrays(batch, work.reading)
            if codes is not None:
                arrays[0] = codes.of(arrays[0])
                known = arrays[0] >= 0
                if not known.all():
                    arrays = [values[known] for values in arrays]
            yield arrays

    def tied(self, work: Work, ties: pa.Table) -> list[Array]:
        """The rows of ``ties`` (_customer, _at, _known) by customer, at, known, id; arrays as of ``batches``."""
        moments = np.unique(ties["_at"].to_numpy())
        # A handful is looked up by the moments alone, before anything else of a row is read.
        few = ", ".join(f"make_timestamp({moment})" for moment in moments[:FEW])
        limit = f"_at in ({few})" if len(moments) <= FEW else "true"
        rows = f"(select * from ({self.sql}) where {limit}) as rows join {self.who} as who using (customer_id)"
        self.con.register("signals_ties", ties)
        try:
            found = self.con.sql(
                f"""select * from ({self._select(work.reading, "who.code", rows, also=", _id, _part")}) as rows
                semi join signals_ties using (_customer, _at, _known)
                order by _customer, _at, _known, _id, _part"""
            ).to_arrow_table()
        finally:
            self.con.unregister("signals_ties")
        return _arrays(found, work.reading)

    def _select(self, reading: Reading, customer: str, rows: str, *, also: str = "") -> str:
        parts, stride = ["0"], 1
        for level, texts in reading.mentioned.items():
            whens = " ".join(f"when {_literal(text)} then {(i + 1) * stride}" for i, text in enumerate(texts))
            parts.append(f'case rows."{level}" {whens} else 0 end')
            stride *= len(texts) + 1
        columns = [
            f"{customer} as _customer",
            "epoch_us(rows._at) as _at",
            "epoch_us(rows._known) as _known",
            f"({' + '.join(parts)})::integer as _code",
            *(f"coalesce(rows.\"{name}\", 'nan'::double) as c{i}" for i, name in enumerate(reading.measures)),
            *(f"coalesce(by_{level}.place, -1) as by_{level}" for level in reading.levels),
        ]
        joins = "".join(
            f"""
            left join (select unnest([{", ".join(map(_literal, self.texts[level]))}]::varchar[]) as "{level}",
                              unnest(range({len(self.texts[level])})) as place) as by_{level} using ("{level}")"""
            for level in reading.levels
        )
        return f"select {', '.join(columns)}{also} from {rows}{joins}"


def _arrays(rows: pa.RecordBatch | pa.Table, reading: Reading) -> list[Array]:
    count = FIRST_MEASURE + 1 + len(reading.measures) + len(reading.levels)
    return [rows.column(i).to_numpy() for i in range(count)]


def texts_of(con: duckdb.DuckDBPyConnection, sql: str, levels: tuple[str, ...]) -> dict[str, list[str]]:
    """The different texts of each of these levels among the rows of ``sql``, sorted."""
    found = {}
    for level in levels:
        rows = con.execute(f'select distinct "{level}" from ({sql}) where "{level}" is not null order by 1').fetchall()
        found[level] = [str(text) for (text,) in rows]
    return found


@lru_cache(maxsize=8)
def civil_shifts(zone: str, begin: int, end: int) -> tuple[Array, Array]:
    """From when on, and by how much, the zone's clocks are ahead of UTC between ``begin`` and ``end``; all in µs."""
    place = ZoneInfo(zone)

    def ahead(instant: int) -> int:
        shift = (EPOCH + timedelta(microseconds=instant)).astimezone(place).utcoffset()
        assert shift is not None
        return shift // timedelta(microseconds=1)

    begin, end = min(max(begin, EARLIEST), LATEST), min(max(end, EARLIEST), LATEST)
    instants, shifts = [-NEVER], [ahead(begin)]
    for day in range(begin, end, DAY):
        before, after = day, min(day + DAY, end)
        if ahead(after) != shifts[-1]:
            while after - before > 1:
                middle = (before + after) // 2
                before, after = (middle, after) if ahead(middle) == shifts[-1] else (before, middle)
            instants.append(after)
            shifts.append(ahead(after))
    return np.array(instants, np.int64), np.array(shifts, np.int64)


def span_of(con: duckdb.DuckDBPyConnection, sql: str) -> tuple[int, int]:
    """The first and the last ``_at`` of the rows of ``sql``, in µs; both 0 where there are none."""
    first, last = con.execute(f"select epoch_us(min(_at)), epoch_us(max(_at)) from ({sql})").fetchall()[0]
    return (0, 0) if first is None else (int(first), int(last))


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
