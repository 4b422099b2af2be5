"""Who is observed: the customers of a model's population at each as-of."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import pandas as pd
import pyarrow as pa

from churnwatch.errors import ProjectError, nearest
from churnwatch.outcomes.answers import asked_sql, naive
from churnwatch.sources import SHAPES, Tables
from churnwatch.spec import Model, Where, where_sql


def observe(
    tables: Tables,
    model: Model,
    as_ofs: Sequence[datetime],
    *,
    until: datetime | None = None,
    to_score: bool = False,
    customers: Sequence[str] | None = None,
) -> pd.DataFrame:
    """The population at each as-of: customer_id, as_of (naive UTC), ordered by as_of and customer_id.

    ``customers`` looks at these alone.

    A customer is observed from their start (else the first event known at as-of) plus ``tenure``. With an outcome
    ``event``, whoever had that event before as-of and is known to have had it has left and is not observed; nor is who
    had an event of ``without``. ``active`` wants such an event within the time before as-of. ``ended_at`` is not looked
    at: it is today's fact, and where it is dated back, leavers would be missing from the past that were still there.

    On a grid of events the observations are the surveys sent from the first of ``as_ofs`` to before ``until`` (left
    out: the end of the last one's slice), one per customer and instant. To be scored is who was asked and may still
    answer: at as-of no answer was known, and the time it may take was not over.

    With an outcome ``given``: whose facts are known at as-of and hold a value of it; or, ``to_score``, not the bad one,
    for those have left. Raises ProjectError for a column that interactions do not have.
    """
    given = model.outcome.given
    if given is not None:
        there = f'coalesce(begun."{given}", 0) = 0' if to_score else f'begun."{given}" is not null'
        return _those(tables, [f"begun.known_at < grid.as_of and {there}"], as_ofs, among=customers)
    population = model.population
    # Of a few customers only their own events are looked at, before anything is joined or grouped.
    theirs = "" if customers is None else " and customer_id in (select customer_id from asked_about)"
    for key, where in (
        ("outcome", model.outcome.where),
        ("population.active", population.active or {}),
        ("population.without", population.without or {}),
    ):
        _check_where(where, place=f"{model.file}: {key}")
    old_enough = f"<= grid.as_of - interval {population.tenure.seconds} second"
    conditions = [
        f"(begun.started_at < grid.as_of and begun.started_at {old_enough} "
        # A first event that became known later must not let a customer be observed before it was known.
        "or begun.started_at is null and first.since <= grid.as_of)",
    ]
    joins = [
        f"""left join (
            select customer_id, min(greatest("at" + interval {population.tenure.seconds} second,
                                             greatest("at", known_at) + interval 1 microsecond)) as since
            from interactions where customer_id in (select customer_id from customers where started_at is null){theirs}
            group by customer_id
        ) as first on first.customer_id = begun.customer_id"""
    ]
    gone = [where for where in (model.outcome.event, population.without) if where is not None]
    if gone:
        # The first that was known stands for all: one row a customer, however many days are asked about.
        joins.append(
            f"""left join (
                select customer_id, min(greatest("at", known_at)) as since from interactions
                where ({" or ".join(f"({where_sql(where)})" for where in gone)}){theirs} group by customer_id
            ) as gone on gone.customer_id = begun.customer_id"""
        )
        conditions.append("not coalesce(gone.since < grid.as_of, false)")
    if population.active is not None and population.within is not None:
        active = f'select customer_id, "at", known_at from interactions where ({where_sql(population.active)}){theirs}'
        if as_ofs and not model.at_events:
            # What no as-of can want is not even read: a file keeps its rows about in the order of time.
            first, last = min(as_ofs), max(as_ofs)
            active += f""" and "at" < timestamp '{naive(last)}' and known_at < timestamp '{naive(last)}'
                and "at" >= timestamp '{naive(first)}' - interval {population.within.seconds} second"""
        joins.append(
            f"""semi join ({active}) as e on e.customer_id = begun.customer_id
            and e."at" < grid.as_of and e.known_at < grid.as_of
            and e."at" >= grid.as_of - interval {population.within.seconds} second"""
        )
    if not model.at_events:
        return _those(tables, conditions, as_ofs, joins=joins, among=customers)
    asked = f"from surveys as s where {asked_sql(model)} and s.sent_at"
    if to_score:
        patience = f"interval {model.patience.within.seconds} second"
        conditions.append(
            f"exists (select 1 {asked} < grid.as_of and s.customer_id = begun.customer_id "
            f"and s.sent_at >= grid.as_of - {patience} and not coalesce(s.answered_at < grid.as_of, false))"
        )
        return _those(tables, conditions, as_ofs, joins=joins, among=customers)
    if not as_ofs:
        return _those(tables, conditions, [], joins=joins, among=customers)
    end = until or as_ofs[-1] + timedelta(seconds=model.slice_length)
    within = f"between timestamp '{naive(as_ofs[0])}' and timestamp '{naive(end)}' - interval 1 microsecond"
    events = f"(select distinct customer_id, sent_at as as_of {asked} {within})"
    return _those(tables, conditions, [], events, joins=joins, among=customers)


def _those(
    tables: Tables,
    conditions: Sequence[str],
    as_ofs: Sequence[datetime],
    events: str | None = None,
    *,
    joins: Sequence[str] = (),
    among: Sequence[str] | None,
) -> pd.DataFrame:
    """Customers (``begun``, ``among`` those given) at as-ofs (``grid``), or at ``events`` of theirs, who meet all."""
    # Chosen before they meet the as-ofs: the two multiply.
    begun = "customers"
    if among is not None:
        begun = "(select * from customers where customer_id in (select customer_id from asked_about))"
        tables.con.register("asked_about", pa.table({"customer_id": pa.array(among, pa.string())}))
    if events is not None:
        conditions = [*conditions, "begun.customer_id = grid.customer_id"]
    tables.con.register("as_ofs", pa.table({"as_of": pa.array([naive(t) for t in as_ofs], pa.timestamp("us"))}))
    found = tables.con.sql(
        f"""with begun as materialized (from {begun})
        select begun.customer_id, grid.as_of from begun cross join {events or "as_ofs"} as grid
        {" ".join(joins)}
        where {" and ".join(conditions)} order by grid.as_of, begun.customer_id"""
    ).to_arrow_table()
    tables.con.unregister("as_ofs")
    if among is not None:
        tables.con.unregister("asked_about")
    return pd.DataFrame(
        {
            "customer_id": pd.Series(found["customer_id"].to_pylist(), dtype=object),
            "as_of": found["as_of"].to_numpy().astype("datetime64[us]"),
        }
    )


def _check_where(where: Where, *, place: str) -> None:
    columns = [name for name, kind in SHAPES["interactions"].columns.items() if kind == "text"]
    for name in where:
        if name not in columns:
            raise ProjectError(
                f"interactions cannot be told apart by `{name}`",
                where=place,
                allowed=", ".join(columns),
                hint=nearest(name, columns),
            )
