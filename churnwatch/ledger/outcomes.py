"""Outcomes: what came of a listed row, as the care team handed it back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from churnwatch.ledger import schema
from churnwatch.ledger.audit import enter
from churnwatch.ledger.opening import writing


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What somebody wrote of one row of a list.

    ``list_id`` and ``list_day`` say which list; both ``None`` for a contact of no list. ``day`` is the civil day the
    row was worked, ``at`` that moment, ``known_at`` when it was handed in. ``words`` are keys: reached, not_reached,
    solved, offer_accepted, will_stay, will_leave, wrong_flag, snooze. ``why`` is what the agent wrote beside them,
    ``action_name`` the playbook's key, ``owner`` whose list it was, ``by`` who handed it in, ``source`` the sha256 of
    the file and ``line`` where in it. ``outcome_id`` is 0 until the ledger has given it one; ``replaces`` is the
    outcome of the same row that this one corrects.
    """

    deployment: str
    customer_id: str
    list_id: int | None
    list_day: date | None
    day: date
    at: datetime
    known_at: datetime
    words: tuple[str, ...]
    snooze_until: date | None = None
    why: str | None = None
    action_name: str | None = None
    channel: str | None = None
    owner: str | None = None
    by: str
    source: str
    line: int
    outcome_id: int = 0
    replaces: int | None = None

    @property
    def row(self) -> tuple[Any, ...]:
        """Which row it speaks of; contacts of no list are of one row where the customer and the day are the same."""
        return (self.customer_id, self.list_id, None if self.list_id else self.day)

    @property
    def said(self) -> tuple[Any, ...]:
        """What makes two outcomes of a row the same fact, the day of the work too; the order of the words does not."""
        return (self.row, self.day, frozenset(self.words), self.snooze_until, self.why)


@dataclass(frozen=True)
class Recorded:
    """What became of outcomes handed in: ``new`` were written, ``corrected`` of them in place of an earlier word on the
    same row; ``repeated`` were known.
    """

    new: int
    repeated: int
    corrected: int = 0


def record_outcomes(
    engine: sa.Engine, *, deployment: str, outcomes: Sequence[Outcome], correct: bool = False
) -> Recorded:
    """Append outcomes, all or none. The same fact again is no new one; another word on the same row corrects it.

    A fact is known when the row's last word says the same, or when the same file said so before: handing in an old file
    again takes back no correction, unless it is to ``correct`` what stands. Raises ``ValueError`` for an outcome of
    another deployment, SQLAlchemy's ``IntegrityError`` for one of a list that was never issued.
    """
    if any(one.deployment != deployment for one in outcomes):
        raise ValueError(f"an outcome is not of the deployment {deployment}")
    table = schema.outcomes
    repeated = corrected = 0
    with writing(engine) as connection:
        before = _read(connection, table.c.deployment == deployment)
        last = {one.row: one for one in before}
        from_file = {(one.source, one.said) for one in before}
        for one in outcomes:
            standing = last.get(one.row)
            old = (one.source, one.said) in from_file and not correct
            if old or (standing is not None and standing.said == one.said):
                repeated += 1
                continue
            values = {field.name: getattr(one, field.name) for field in fields(Outcome) if field.name != "outcome_id"}
            values |= {"words": list(one.words), "replaces": standing.outcome_id if standing else None}
            kept = connection.execute(sa.insert(table).values(values).returning(table.c.outcome_id)).scalar_one()
            enter(connection, "outcome", kept)
            corrected += standing is not None
            last[one.row] = replace(one, outcome_id=kept)
            from_file.add((one.source, one.said))
    return Recorded(new=len(outcomes) - repeated, repeated=repeated, corrected=corrected)


def outcomes(
    engine: sa.Engine,
    *,
    deployment: str,
    customer_id: str | None = None,
    up_to: int | None = None,
    replaced: bool = False,
) -> tuple[Outcome, ...]:
    """The outcomes as they stand, in the order they were written; ``replaced`` keeps the corrected ones too.

    ``up_to`` leaves out those after this ``outcome_id``, as if they had not been written: what one of them corrects
    stands. ``customer_id`` asks for one customer's.
    """
    table = schema.outcomes
    mine = table.c.deployment == deployment
    if customer_id is not None:
        mine &= table.c.customer_id == customer_id
    if up_to is not None:
        mine &= table.c.outcome_id <= up_to
    with engine.connect() as connection:
        found = _read(connection, mine)
    return found if replaced else _standing(found)


def _read(connection: sa.Connection, which: sa.ColumnElement[bool]) -> tuple[Outcome, ...]:
    table = schema.outcomes
    found = connection.execute(sa.select(table).where(which).order_by(table.c.outcome_id)).mappings()
    return tuple(Outcome(**{**row, "words": tuple(row["words"])}) for row in found)


def _standing(found: Iterable[Outcome]) -> tuple[Outcome, ...]:
    kept = tuple(found)
    gone = {one.replaces for one in kept}
    return tuple(one for one in kept if one.outcome_id not in gone)
