"""A customer's story beside the risk: who they are, where they stand, what happened, and what our lists made of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from churnwatch.errors import DataRefused, nearest
from churnwatch.runs.leavers import leavers_of
from churnwatch.runs.people import team_of
from churnwatch.runs.standing import past_of
from churnwatch.runs.workspace import Workspace
from churnwatch.sources import SHAPES
from churnwatch.spec import Language, Model, civil_day

if TYPE_CHECKING:
    import sqlalchemy as sa

    from churnwatch.ledger import Outcome
    from churnwatch.sources import Tables

RECENT = 12
"""Interactions and surveys shown, the latest first."""

State = Literal["observed", "announced", "left", "not_observed"]


@dataclass(frozen=True)
class Standing:
    """Where a customer stands on a day; ``on`` is when they left or announced it, ``None`` of who is observed."""

    state: State
    on: date | None = None


def customer_facts(tables: Tables, customer_id: str, zone: str) -> dict[str, Any]:
    """Who it is: customer_id, name, owner, owner_name, segment, language, value, do_not_contact, since, ended.

    Days are ISO texts, ``None`` where unknown; ``ended`` may lie in the future. Raises DataRefused for an unknown
    customer, with ids alike.
    """
    row = tables.con.execute(
        """select customer_id, customers.name, owner, agents.name, segment, customers.language, value, do_not_contact,
                  started_at, ended_at
        from customers left join agents using (owner) where customer_id = ?""",
        [customer_id],
    ).fetchone()
    if row is None:
        known = [one for (one,) in tables.con.execute("select customer_id from customers").fetchall()]
        raise DataRefused(
            f"there is no customer {customer_id}",
            hint=nearest(customer_id, known) or "look the id up in outreach.csv or scores.parquet",
        )
    names = ("customer_id", "name", "owner", "owner_name", "segment", "language", "value", "do_not_contact")
    since, ended = (None if at is None else civil_day(at.replace(tzinfo=UTC), zone) for at in row[-2:])
    return {
        **dict(zip(names, row, strict=False)),
        "since": None if since is None else str(since),
        "ended": None if ended is None else str(ended),
    }


def standing(
    workspace: Workspace,
    engine: sa.Engine,
    tables: Tables,
    model: Model,
    customer_id: str,
    *,
    ended: str | None,
    observed: bool,
    day: date,
    as_of: datetime,
) -> Standing:
    """Where the customer stands on ``day``: gone, leaving by their own word, watched by the listing model, or not."""
    if ended is not None and date.fromisoformat(ended) <= day:
        return Standing("left", date.fromisoformat(ended))
    past, team = past_of(workspace, engine, day=day), team_of(tables, as_of)
    for one in leavers_of(workspace, tables, model, past, team, day=day, as_of=as_of):
        if one.customer_id == customer_id:
            return Standing("announced", one.announced_on)
    return Standing("observed" if observed else "not_observed")


def lists_of(
    workspace: Workspace, engine: sa.Engine, customer_id: str, *, day: date, language: Language
) -> list[dict[str, Any]]:
    """Every list until ``day`` that named the customer, as it stood last, and every contact of none such; the latest
    first.

    Each: day (ISO), listed (bool), owner, risk, band, reasons, action, proactive, listed_for, baseline, and came, what
    was handed back: None where nothing was, else day, words (keys), snooze_until, why, channel. That may have become
    known after ``day``: it tells what came of a row of then, in whichever revision. Not listed is a contact of no list
    (its day is the contact's), or, ``revised``, of one whose last revision does not name the customer (the list's day).
    Reasons stand as the list said them, actions of today's playbook in ``language``.
    """
    from churnwatch.ledger import outcomes, rows_of_customer

    came: dict[date | None, list[Outcome]] = {}
    for one in outcomes(engine, deployment=workspace.deployment, customer_id=customer_id):
        came.setdefault(one.list_day, []).append(one)
    rows = [
        row
        for row in rows_of_customer(engine, deployment=workspace.deployment, customer_id=customer_id)
        if row["latest"] and row["as_of"] <= day
    ]
    named = ("owner", "risk", "band", "action", "action_name", "proactive", "listed_for", "baseline")
    found = [
        {
            "day": str(row["as_of"]),
            "listed": True,
            "revised": False,
            **{name: row[name] for name in named},
            "action": _action(workspace, row["action_name"], language) or row["action"],
            "reasons": list(row["reasons"]),
            "came": _came(came[row["as_of"]][-1]) if row["as_of"] in came else None,
        }
        for row in rows
    ]
    shown = {row["as_of"] for row in rows}
    found += [
        {
            "day": str(list_day or one.day),
            "listed": False,
            "revised": list_day is not None,
            **dict.fromkeys(named),
            "owner": one.owner,
            "action_name": one.action_name,
            "action": _action(workspace, one.action_name, language),
            "reasons": [],
            "came": _came(one),
        }
        for list_day, several in came.items()
        if list_day not in shown
        for one in several
        if (list_day or one.day) <= day
    ]
    return sorted(found, key=lambda one: (one["day"], one["listed"]), reverse=True)


def _action(workspace: Workspace, name: str | None, language: Language) -> str | None:
    """What the playbook calls an action; ``None`` where it has none of that name (any more)."""
    actions = workspace.spec.playbook.actions
    return actions[name].title.in_language(language) if name in actions else None


def _came(one: Outcome) -> dict[str, Any]:
    return {
        "day": str(one.day),
        "words": list(one.words),
        "snooze_until": None if one.snooze_until is None else str(one.snooze_until),
        "why": one.why,
        "channel": one.channel,
    }


def recent(
    tables: Tables, table: Literal["interactions", "surveys"], customer_id: str, as_of: datetime, zone: str
) -> list[dict[str, Any]]:
    """The latest rows known before as-of, times as local text; an answer that came later is not shown.

    Of an interaction ``agent_name`` is the name of its agent where that is one of ours.
    """
    if table == "interactions":
        clock, known = '"at"', "known_at"
        columns: tuple[str, ...] = ("at", "kind", "channel", "direction", "topic", "agent", *tables.measures)
    else:
        clock = known = "sent_at"
        columns = ("sent_at", "instrument", "answered_at", "raw_score")
    cut = _cut(as_of)
    chosen = ", ".join(f'"{name}"' for name in columns)
    if table == "interactions":
        columns += ("agent_name",)
        chosen += ", (select any_value(name) from agents where agents.owner = interactions.agent)"
    rows = tables.con.execute(
        f"""select {chosen} from {table}
        where customer_id = ? and {clock} < {cut} and {known} < {cut}
        order by {clock} desc, {SHAPES[table].key} desc limit {RECENT}""",
        [customer_id],
    ).fetchall()
    found = []
    for row in rows:
        told = dict(zip(columns, row, strict=True))
        if table == "surveys" and told["answered_at"] is not None:
            answered: datetime = told["answered_at"]
            if answered.replace(tzinfo=UTC) >= as_of:
                told.update(answered_at=None, raw_score=None)
        found.append({name: _local(value, zone) for name, value in told.items()})
    return found


def days_with(tables: Tables, customer_id: str, as_of: datetime, zone: str, *, days: int) -> dict[str, list[str]]:
    """On which of the last ``days`` civil days before as-of something happened, as then known, each day once (ISO).

    ``theirs``: interactions of the customer; ``ours``: of us or of a machine; ``answers``: surveys answered.
    """
    cut, first = _cut(as_of), _cut(as_of - timedelta(days=days))
    rows = tables.con.execute(
        f"""select "at", coalesce(direction, 'in') = 'in' from interactions
        where customer_id = $one and "at" >= {first} and "at" < {cut} and known_at < {cut}
        union all select answered_at, null from surveys
        where customer_id = $one and answered_at >= {first} and answered_at < {cut}""",
        {"one": customer_id},
    ).fetchall()
    lanes = {True: "theirs", False: "ours", None: "answers"}
    found: dict[str, set[str]] = {name: set() for name in lanes.values()}
    for at, inward in rows:
        found[lanes[inward]].add(str(civil_day(at.replace(tzinfo=UTC), zone)))
    return {name: sorted(told) for name, told in found.items()}


def _cut(as_of: datetime) -> str:
    return f"timestamp '{as_of.astimezone(UTC).replace(tzinfo=None)}'"


def _local(value: Any, zone: str) -> Any:
    if isinstance(value, datetime):
        return f"{pd.Timestamp(value, tz='UTC').tz_convert(zone):%Y-%m-%d %H:%M}"
    return value
