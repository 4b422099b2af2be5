"""What the ledger knows of contacts, for the tables that signals and labels are made from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from churnwatch.spec import midnight

if TYPE_CHECKING:
    import sqlalchemy as sa

    from churnwatch.ledger import Assigned, Outcome, Veto
    from churnwatch.runs.workspace import Recall, Workspace
    from churnwatch.sources import Contact, Tables, Unit

SPOKEN = frozenset({"reached", "solved", "offer_accepted", "will_stay", "will_leave"})
"""Words that only somebody who was reached can have led to; a wrong flag beside none of them came of no contact."""


def contacts_of(outcomes: Iterable[Outcome]) -> list[Contact]:
    """The contacts among ``outcomes``, the replaced ones with them, as interactions: those that stand and in which
    somebody was reached.

    A contact is known since the first outcome of its row that told of one: what a correction adds or takes from it does
    not take it out of the past, which had been served with it.
    """
    from churnwatch.sources import Contact

    told = {one.outcome_id: one for one in outcomes}
    gone = {one.replaces for one in told.values()}

    def known_at(one: Outcome) -> datetime:
        known, before = one.known_at, one.replaces
        while before is not None:
            earlier = told[before]
            known = min(known, earlier.known_at) if SPOKEN.intersection(earlier.words) else known
            before = earlier.replaces
        # Corrected to a later day, it is not known before it was.
        return max(known, one.at)

    return [
        Contact(
            interaction_id=f"churnwatch:{one.outcome_id}",
            customer_id=one.customer_id,
            at=one.at,
            known_at=known_at(one),
            channel=one.channel,
            topic=one.action_name,
            agent=one.owner,
        )
        for one in told.values()
        if one.outcome_id not in gone and SPOKEN.intersection(one.words)
    ]


def units_of(assigned: Sequence[Assigned], vetoes: Iterable[Veto], *, length: int, zone: str) -> tuple[Unit, ...]:
    """Whom the holdout drew, of both arms, in epochs of ``length`` days; ``vetoes`` are all words said, oldest first.

    Whoever was vetoed at any time within an epoch is in neither arm of it: they were chosen by hand.
    """
    from churnwatch.sources import Unit

    spans = _vetoed_spans(vetoes)
    found = []
    for one in assigned:
        opens, closes = (midnight(one.epoch + timedelta(days=days), zone) for days in (0, length))
        mine = spans.get(one.customer_id, ())
        if not any(since < closes and (until is None or until > opens) for since, until in mine):
            decided = midnight(one.decided_on, zone)
            found.append(Unit(one.customer_id, one.arm == "held_out", decided, closes))
    return tuple(found)


def _vetoed_spans(vetoes: Iterable[Veto]) -> dict[str, list[tuple[datetime, datetime | None]]]:
    """By customer: since when they were vetoed, and until when; ``None``: they still are."""
    spans: dict[str, list[tuple[datetime, datetime | None]]] = {}
    for veto in vetoes:
        mine = spans.setdefault(veto.customer_id, [])
        stands = bool(mine) and mine[-1][1] is None
        if veto.lifted and stands:
            mine[-1] = (mine[-1][0], veto.at)
        elif not veto.lifted and not stands:
            mine.append((veto.at, None))
    return spans


def with_ledger(workspace: Workspace, tables: Tables) -> Tables:
    """The tables with the ledger's contacts among their interactions, and with whom the holdout drew.

    Where the ledger has no outcome nothing is touched.
    """
    from churnwatch.ledger import assignments, outcomes, vetoes
    from churnwatch.runs.workspace import ledger
    from churnwatch.sources import record_contacts, recorded_state

    with ledger(workspace) as engine:
        recall = workspace.recall or recall_now(workspace, engine)
        state = f"outcomes up to {recall.outcome_id}"
        before = recorded_state(tables.con)
        if before != state and (recall.outcome_id or before is not None):
            told = outcomes(engine, deployment=workspace.deployment, up_to=recall.outcome_id, replaced=True)
            record_contacts(tables.con, contacts_of(told), state=state)
        drawn = assignments(engine, deployment=workspace.deployment, before_list=recall.before_list)
        said = vetoes(engine, deployment=workspace.deployment, up_to=recall.veto_id)
    length = int(workspace.spec.outreach.holdout.epoch.days)
    units = units_of(drawn, said, length=length, zone=workspace.spec.deployment.zone)
    return tables if units == tables.units else replace(tables, units=units)


def recall_now(workspace: Workspace, engine: sa.Engine) -> Recall:
    """How far the ledger reaches now."""
    from churnwatch.ledger import lists_so_far, seen_now
    from churnwatch.runs.workspace import Recall

    lists = lists_so_far(engine, deployment=workspace.deployment)
    seen = seen_now(engine, deployment=workspace.deployment)
    return Recall(seen.outcome_id, max((number for number, _, _ in lists), default=0) + 1, seen.veto_id)
