"""What the ledger knows of contacts, for the tables that signals and labels are made from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from churnwatch.spec import midnight

if TYPE_CHECKING:
    import sqlalchemy as sa

    from churnwatch.ledger import Assigned, Outcome
    from churnwatch.runs.workspace import Recall, Workspace
    from churnwatch.sources import Contact, HeldOut, Tables

SPOKEN = frozenset({"reached", "solved", "offer_accepted", "will_stay", "will_leave"})
"""Words that only somebody who was reached can have led to; a wrong flag beside none of them came of no contact."""
MOST = 10.0
"""No held-out customer stands for more list-worthy ones than so many (DESIGN §7)."""


def contacts_of(outcomes: Iterable[Outcome]) -> list[Contact]:
    """The contacts among outcomes that stand, as interactions: those in which somebody was reached."""
    from churnwatch.sources import Contact

    return [
        Contact(
            interaction_id=f"churnwatch:{one.outcome_id}",
            customer_id=one.customer_id,
            at=one.at,
            known_at=one.known_at,
            channel=one.channel,
            topic=one.action_name,
            agent=one.owner,
        )
        for one in outcomes
        if SPOKEN.intersection(one.words)
    ]


def held_out_of(assigned: Sequence[Assigned], *, zone: str) -> tuple[HeldOut, ...]:
    """Whom the holdout left alone; each stands for all of its epoch over those held out in it, at most ``MOST``."""
    from churnwatch.sources import HeldOut

    everybody = Counter(one.epoch for one in assigned)
    alone = Counter(one.epoch for one in assigned if one.arm == "held_out")
    return tuple(
        HeldOut(one.customer_id, midnight(one.decided_on, zone), min(everybody[one.epoch] / alone[one.epoch], MOST))
        for one in assigned
        if one.arm == "held_out"
    )


def with_ledger(workspace: Workspace, tables: Tables) -> Tables:
    """The tables with the ledger's contacts among their interactions, and with whom the holdout left alone.

    Where the ledger has no outcome nothing is touched.
    """
    from churnwatch.ledger import assignments, outcomes
    from churnwatch.runs.workspace import ledger
    from churnwatch.sources import record_contacts, recorded_state

    with ledger(workspace) as engine:
        recall = workspace.recall or recall_now(workspace, engine)
        state = f"outcomes up to {recall.outcome_id}"
        before = recorded_state(tables.con)
        if before != state and (recall.outcome_id or before is not None):
            told = outcomes(engine, deployment=workspace.deployment, up_to=recall.outcome_id)
            record_contacts(tables.con, contacts_of(told), state=state)
        drawn = assignments(engine, deployment=workspace.deployment, before_list=recall.before_list)
    held_out = held_out_of(drawn, zone=workspace.spec.deployment.zone)
    return tables if held_out == tables.held_out else replace(tables, held_out=held_out)


def recall_now(workspace: Workspace, engine: sa.Engine) -> Recall:
    """How far the ledger reaches now."""
    from churnwatch.ledger import lists_so_far, seen_now
    from churnwatch.runs.workspace import Recall

    lists = lists_so_far(engine, deployment=workspace.deployment)
    outcome = seen_now(engine, deployment=workspace.deployment).outcome_id
    return Recall(outcome, max((number for number, _, _ in lists), default=0) + 1)
