"""Dates: when the data begin and end, which days the grid has, and which day may be asked for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from churnwatch.errors import DataRefused, ProjectError, nearest
from churnwatch.outcomes.answers import check_instruments, last_sent
from churnwatch.sources import Tables
from churnwatch.spec import Model, civil_day, midnight


@dataclass(frozen=True)
class Span:
    """The time the data cover: ``first`` the first event, ``end`` until when outcomes are complete; aware UTC."""

    first: datetime
    end: datetime


def span(tables: Tables, model: Model) -> Span:
    """When this model's data begin and until when its outcome is complete (the least data end of what feeds it).

    A ``given`` outcome has one as-of, ``end``: the first civil midnight after every fact of a customer is known.
    Raises DataRefused where no row is such an outcome, or surveys are not on the scale the model's file says,
    ProjectError for an unknown column.
    """
    if model.outcome.given is not None:
        return _snapshot(tables, model, model.outcome.given)
    if model.outcome.answer is not None:
        check_instruments(tables, model)
        end = tables.data_end("surveys", {"instrument": list(model.outcome.answer)})
        if model.at_events:
            # A time in which nothing was sent any more holds no observation.
            end = min(end, last_sent(tables, model) + timedelta(seconds=model.patience.within.seconds, microseconds=1))
    else:
        end = tables.data_end("interactions", model.outcome.where)
    row = tables.con.execute('select epoch_us(min("at")) from interactions').fetchone()
    assert row is not None
    return Span(_aware(row[0]), end)


def _snapshot(tables: Tables, model: Model, given: str) -> Span:
    where = f"{model.file}: outcome.given"
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
    """The dates of the grid, rising, whose labels are complete by ``complete_by`` and within the data.

    They step back from the last such civil day, ``every`` apart, as long as ``history`` lies between the first event
    and the date. Empty when there is no such day. Of a ``given`` outcome the one as-of is the span's end. At events a
    date opens a slice that is over by ``complete_by``: each label is known from a time of its own, and what is not
    known yet is no label. Within the data each of its surveys has had the time an answer may take.
    """
    if model.grid is None:
        return [span.end] if span.end <= complete_by else []
    wait = timedelta(seconds=model.reach - model.slice_length)
    last = min(complete_by if model.at_events else complete_by - wait, span.end - wait)
    last -= timedelta(seconds=model.slice_length)
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
            hint=f"--as-of {latest} is the last possible day; or load newer data",
        )
    return as_of


def _aware(microseconds: int) -> datetime:
    return datetime.fromtimestamp(0, UTC) + timedelta(microseconds=microseconds)
