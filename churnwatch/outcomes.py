"""Observations and their labels: who is observed at an as-of, and what became of them.

Half-open windows throughout (DESIGN §4): the outcome window of an as-of is
``[as_of + gap, as_of + gap + horizon)``; nothing known at ``known_before`` or later is read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from churnwatch.errors import DataRefused, ProjectError, nearest
from churnwatch.sources import SHAPES, Tables
from churnwatch.spec import Model, Where, civil_day, midnight, where_sql, where_words


@dataclass(frozen=True)
class Span:
    """The time the data cover: ``first`` the first event, ``end`` until when outcomes are complete; aware UTC."""

    first: datetime
    end: datetime


def span(tables: Tables, model: Model) -> Span:
    """When this model's data begin and until when its outcome is complete (the least data end of what feeds it).

    A ``given`` outcome has one as-of, ``end``: the first civil midnight after every fact of a customer is known.
    Raises DataRefused where no row is such an outcome, ProjectError for an unknown column.
    """
    if model.outcome.given is not None:
        return _snapshot(tables, model, model.outcome.given)
    end = tables.data_end("interactions", model.outcome.where)
    row = tables.con.execute('select epoch_us(min("at")) from interactions').fetchone()
    assert row is not None
    return Span(_aware(row[0]), end)


def _snapshot(tables: Tables, model: Model, given: str) -> Span:
    where = f"models/{model.model}.yaml: outcome.given"
    if given not in tables.customer_measures:
        raise ProjectError(
            f"customers have no measure {given}",
            where=where,
            allowed=", ".join(tables.customer_measures) or "a number under `measures` of a mapping of customers",
            hint=nearest(given, tables.customer_measures) or f"add `measures: {{{given}: …}}` to the mapping",
        )
    wrong, told, first, last = tables.con.execute(
        f"""select count(*) filter ("{given}" not in (0, 1)), count("{given}") filter (known_at is not null),
                epoch_us(min(known_at)), epoch_us(max(known_at)) from customers"""
    ).fetchall()[0]
    if wrong:
        raise DataRefused(f"{wrong} values are neither 0 nor 1", where=f"customers.{given}", allowed="0 or 1, or empty")
    if not told:
        raise DataRefused(
            f"no customer has a value of {given} and a known_at",
            where=where,
            allowed="a day from which the facts are known",
            hint="map `known_at` of customers: of a snapshot, its own day",
        )
    after = civil_day(_aware(last), tables.zone) + timedelta(days=1)
    return Span(_aware(first), midnight(after, tables.zone))


def grid(model: Model, *, zone: str, span: Span, complete_by: datetime) -> list[datetime]:
    """The calendar grid of as-ofs, rising, whose labels are complete by ``complete_by`` and within the data.

    It steps back from the last such civil day, ``every`` apart, as long as ``history`` lies between the first event
    and the as-of. Empty when there is no such day. Of a ``given`` outcome the one as-of is the span's end.
    """
    if model.grid is None:
        return [span.end] if span.end <= complete_by else []
    last = min(complete_by, span.end) - timedelta(seconds=model.reach)
    day = civil_day(last, zone)
    if midnight(day, zone) > last:
        day -= timedelta(days=1)
    earliest = span.first + timedelta(seconds=model.grid.history.seconds)
    step = timedelta(days=max(1, round(model.grid.every.days)))
    as_ofs: list[datetime] = []
    while midnight(day, zone) >= earliest:
        as_ofs.append(midnight(day, zone))
        day -= step
    return as_ofs[::-1]


def check_as_of(day: date, *, zone: str, first: datetime, end: datetime) -> datetime:
    """The instant of ``--as-of``; DataRefused where the data, from ``first`` to just before ``end``, do not reach it.

    The day after the data's last is allowed: its opening midnight is when the morning's list is made.
    """
    as_of = midnight(day, zone)
    last = civil_day(end - timedelta(microseconds=1), zone)
    latest = last + timedelta(days=1)
    earliest = civil_day(first, zone) + timedelta(days=1)
    if not earliest <= day <= latest:
        raise DataRefused(
            f"as-of {day} lies outside the data, which run from {civil_day(first, zone)} to {last}",
            allowed=f"{earliest} to {latest}",
            hint="choose a day in that range, or load newer data",
        )
    return as_of


def observe(tables: Tables, model: Model, as_ofs: Sequence[datetime], *, to_score: bool = False) -> pd.DataFrame:
    """The population at each as-of: customer_id, as_of (naive UTC), ordered by as_of and customer_id.

    A customer is observed from their start (else the first event known at as-of) plus ``tenure``. With an outcome
    ``event``, whoever had that event before as-of and is known to have had it has left and is not observed. ``active``
    wants such an event within the time before as-of. ``ended_at`` is not looked at: it is today's fact, and where it is
    dated back, leavers would be missing from the past that were still there. With an outcome ``given``: whose facts
    are known at as-of and hold a value of it; or, ``to_score``, not the bad one, for those have left. Raises
    ProjectError for a column that interactions do not have.
    """
    given = model.outcome.given
    if given is not None:
        there = f'coalesce(begun."{given}", 0) = 0' if to_score else f'begun."{given}" is not null'
        return _those(tables, [f"begun.known_at < grid.as_of and {there}"], as_ofs)
    population = model.population
    for key, where in (("outcome", model.outcome.where), ("population.active", population.active or {})):
        _check_where(where, place=f"models/{model.model}.yaml: {key}")
    known = (
        'from interactions as e where e.customer_id = begun.customer_id and e."at" < grid.as_of '
        "and e.known_at < grid.as_of"
    )
    old_enough = f"<= grid.as_of - interval {population.tenure.seconds} second"
    conditions = [
        f"(begun.started_at < grid.as_of and begun.started_at {old_enough} "
        # A first event that became known later must not let a customer be observed before it was known.
        f'or begun.started_at is null and exists (select 1 {known} and e."at" {old_enough}))',
    ]
    if model.outcome.event is not None:
        conditions.append(f"not exists (select 1 {known} and {where_sql(model.outcome.event)})")
    if population.active is not None and population.within is not None:
        conditions.append(
            f'exists (select 1 {known} and e."at" >= grid.as_of - interval {population.within.seconds} second '
            f"and {where_sql(population.active)})"
        )
    return _those(tables, conditions, as_ofs)


def _those(tables: Tables, conditions: Sequence[str], as_ofs: Sequence[datetime]) -> pd.DataFrame:
    """Customers (``begun``) at as-ofs (``grid``) who meet all conditions."""
    tables.con.register("as_ofs", pa.table({"as_of": pa.array([_naive(t) for t in as_ofs], pa.timestamp("us"))}))
    found = tables.con.sql(
        f"""select begun.customer_id, grid.as_of from customers as begun cross join as_ofs as grid
        where {" and ".join(conditions)} order by grid.as_of, begun.customer_id"""
    ).to_arrow_table()
    tables.con.unregister("as_ofs")
    return pd.DataFrame(
        {
            "customer_id": pd.Series(found["customer_id"].to_pylist(), dtype=object),
            "as_of": found["as_of"].to_numpy().astype("datetime64[us]"),
        }
    )


def label(tables: Tables, model: Model, observations: pd.DataFrame, *, known_before: datetime) -> pd.DataFrame:
    """What became of each observation: ``outcome`` (1.0 bad, 0.0 not), ``too_late`` (bool), ``left_at`` and
    ``ended_at`` (datetime64[us], naive UTC), in the same order.

    ``too_late``: with an outcome ``event``, it came before the gap was over, so there was no time left to act; such
    rows are left out of training and counted apart in evaluation. Their ``outcome`` is 0. ``left_at`` is the first
    such event not known at as-of, or, of those who fell silent, their last event + n; NaT for those who stayed, and
    for a ``given`` outcome, which is taken as it stands. ``ended_at`` is with an outcome ``event`` the first one not
    known at as-of however late it came, else NaT. The labels are only as complete as the caller's as-ofs are
    (``grid``).
    """
    con = tables.con
    end = f"timestamp '{_naive(known_before)}'"
    con.register(
        "observed",
        pa.table(
            {
                "place": pa.array(range(len(observations)), pa.int64()),
                "customer_id": pa.array(observations["customer_id"].to_list(), pa.string()),
                "as_of": pa.array(observations["as_of"].to_numpy(), pa.timestamp("us")),
            }
        ),
    )
    if model.outcome.given is not None:
        told = con.sql(
            f"""select customers."{model.outcome.given}" as outcome
            from observed join customers using (customer_id) order by observed.place"""
        ).to_arrow_table()
        con.unregister("observed")
        nobody = np.full(len(observations), np.nan)
        return _labels(told["outcome"].to_numpy(), np.zeros(len(observations), np.bool_), nobody, nobody)
    gap = f"observed.as_of + interval {model.gap.seconds} second"
    close = f"observed.as_of + interval {model.reach} second"
    contractual = model.outcome.event is not None
    # Ends are few, and the later ones are wanted too; of activity only what can tell silence is.
    far = "" if contractual else f'and e."at" < {close}'
    found = con.sql(
        f"""select coalesce(bool_or(e."at" >= {gap} and e."at" < {close}), false) as happened,
               coalesce(bool_or(e."at" < {gap} and not (e."at" < observed.as_of and e.known_at < observed.as_of)),
                        false) as early,
               epoch_us(min(e."at") filter (not (e."at" < observed.as_of and e.known_at < observed.as_of))) as next_at,
               epoch_us(max(e."at") filter (e."at" < {gap})) as last_at
        from observed left join (
            select * from interactions where {where_sql(model.outcome.where)} and known_at < {end}
        ) as e on e.customer_id = observed.customer_id {far}
        group by observed.place order by observed.place"""
    ).to_arrow_table()
    con.unregister("observed")
    happened = found["happened"].to_numpy()
    too_late = found["early"].to_numpy() & contractual
    outcome = ((happened & ~too_late) if contractual else ~happened).astype("float64")
    next_at, last_at = (found[name].to_numpy(zero_copy_only=False).astype("float64") for name in ("next_at", "last_at"))
    if contractual:
        return _labels(outcome, too_late, next_at, next_at)
    return _labels(outcome, too_late, last_at + model.label_length.seconds * 1e6, np.full(len(outcome), np.nan))


def _labels(
    outcome: NDArray[np.float64], too_late: NDArray[np.bool_], left_at: NDArray[np.float64], ended: NDArray[np.float64]
) -> pd.DataFrame:
    """The frame of ``label``; ``left_at`` (told of leavers only) and ``ended`` in microseconds since 1970, NaN none."""

    def instants(microseconds: NDArray[np.float64]) -> NDArray[np.datetime64]:
        made = np.full(len(microseconds), np.datetime64("NaT"), dtype="datetime64[us]")
        told = ~np.isnan(microseconds)
        made[told] = microseconds[told].astype("int64").astype("datetime64[us]")
        return made

    left = np.where((outcome == 1) | too_late, left_at, np.nan)
    return pd.DataFrame(
        {"outcome": outcome, "too_late": too_late, "left_at": instants(left), "ended_at": instants(ended)}
    )


def check_labels(outcome: pd.Series, model: Model, *, when: str) -> None:
    """DataRefused where all observations came out the same: nothing can be learned or measured from one class."""
    bad = int(outcome.sum())
    if 0 < bad < len(outcome):
        return
    what = where_words(model.outcome.where)
    if len(outcome) == 0:
        raise DataRefused(
            f"nobody is observed by the model {model.model} {when}",
            hint="look at the model's population and at `churnwatch check`",
        )
    raise DataRefused(
        f"all {len(outcome)} observations of the model {model.model} {when} have the same outcome ({bad} bad)",
        where=f"models/{model.model}.yaml: outcome",
        allowed="both outcomes occur",
        hint="does the file hold those who left and those who stayed?"
        if model.outcome.given
        else f"is `{what}` the right event, and does the source that holds it reach far enough?",
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


def _naive(instant: datetime) -> datetime:
    return instant.astimezone(UTC).replace(tzinfo=None)


def _aware(microseconds: int) -> datetime:
    return datetime.fromtimestamp(0, UTC) + timedelta(microseconds=microseconds)
