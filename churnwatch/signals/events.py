"""Event tables the aggregates read: integer clocks, a total order, surveys split into sent and answered."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

    from churnwatch.sources import Tables

_SURVEYS = """
    select survey_id as _id, 1 as _part, customer_id, sent_at as _at, sent_at as _known, 'sent' as kind, instrument,
           null::double as score, null::double as answer_days
    from surveys
    union all
    select survey_id, 2, customer_id, answered_at, answered_at, 'answered', instrument,
           case when higher_is_better then (raw_score - scale_min) / (scale_max - scale_min)
                else (scale_max - raw_score) / (scale_max - scale_min) end,
           (epoch_us(answered_at) - epoch_us(sent_at)) / 86400000000.0
    from surveys where answered_at is not null
"""
_CUSTOMERS = """
    select customer_id as _id, 1 as _part, customer_id, started_at as _at, started_at as _known, 'started' as kind
    from customers where started_at is not null
"""

LEVELS = {
    "interactions": ("kind", "channel", "direction", "topic", "agent"),
    "surveys": ("kind", "instrument"),
    "customers": ("kind",),
}
"""The columns `where`, `of` and `by` may name."""

SURVEY_MEASURES = ("score", "answer_days")
"""``score``: 0 worst to 1 best, whatever the scale; ``answer_days``: from sent to answered."""


def event_columns(table: str, measures: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(levels, measures) of an event table; ``measures`` are those the deployment declares for interactions."""
    by_table = {"interactions": measures, "surveys": SURVEY_MEASURES, "customers": ()}
    return LEVELS[table], by_table[table]


def make_events(tables: Tables) -> None:
    """Create ``events_<table>`` beside the canonical tables, once per connection.

    Columns: customer_id, _at and _known (microseconds since 1970, UTC), _seq (rank by at, known_at, id over the whole
    table; of one survey sent comes before answered), _day (civil day in the deployment's zone, as a number), the
    levels and the measures. No measure's name begins with ``_``, so none can be taken for a clock.
    """
    con = tables.con
    if con.execute("select 1 from duckdb_tables() where table_name = 'events_interactions'").fetchall():
        return
    measures = "".join(f', "{name}"' for name in tables.measures)
    _create(
        con,
        "interactions",
        'select interaction_id as _id, 1 as _part, customer_id, "at" as _at, known_at as _known, '
        "kind, channel, direction, topic, agent"
        f"{measures} from interactions",
        tables.zone,
    )
    _create(con, "surveys", _SURVEYS, tables.zone)
    _create(con, "customers", _CUSTOMERS, tables.zone)


def _create(con: duckdb.DuckDBPyConnection, table: str, select: str, zone: str) -> None:
    quoted = zone.replace("'", "''")
    con.execute(
        f"""create table events_{table} as
        select * exclude (_id, _part) replace (epoch_us(_at) as _at, epoch_us(_known) as _known),
               row_number() over (order by _at, _known, _id, _part) as _seq,
               epoch_us(date_trunc('day', timezone('{quoted}', timezone('UTC', _at)))) // 86400000000 as _day
        from ({select}) order by customer_id, _at, _known, _id, _part"""
    )
