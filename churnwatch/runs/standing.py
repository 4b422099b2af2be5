"""Standing: what earlier lists and what came of them say of everybody before today's list is chosen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from churnwatch.delivery.words import day as day_words
from churnwatch.learner import contributions
from churnwatch.outreach import Draw, epoch_of
from churnwatch.reasons import Reason, raising
from churnwatch.runs.contacts import SPOKEN
from churnwatch.runs.ranking import Ranking, Why
from churnwatch.runs.workspace import Workspace
from churnwatch.spec import Language, Outreach, midnight

if TYPE_CHECKING:
    import sqlalchemy as sa

    from churnwatch.ledger import IssuedList, Outcome, PastRow, Seen, Veto

WORKED = SPOKEN | {"wrong_flag"}
"""Outcomes of a row that somebody has dealt with; who was merely not reached is tried again sooner."""
ANNOUNCED_FOR = 90
"""Days that an announcement to leave an agent wrote down holds; who is still there then is foretold again."""
NEW_SIGN = 0.5
"""The share of the margin (log-odds) from which a sign that was not there then ends a cooldown; our choice: odds up by
two thirds for that sign alone."""
THERE = 0.25
"""From this share on a sign was there then, told or not: half of what makes one new, so that none is by a hair."""
NOT_LOWER = 0.02
"""Only who is at a risk higher than then by this is asked for new signs: a new sign beside a falling risk is no turn
for the worse, and asking costs contributions."""


@dataclass(frozen=True)
class Past:
    """What the ledger knows as the list of a day sees it.

    ``rows`` is each customer's last row on a list of the last weeks. ``outcomes`` are by customer, oldest first.
    ``arms`` are those of the epoch, ``decided`` how many units of each stratum were.
    """

    rows: Mapping[str, PastRow]
    outcomes: Mapping[str, Sequence[Outcome]]
    arms: Mapping[str, str]
    decided: Counter[tuple[str, str]]
    vetoed: frozenset[str]
    seen: Seen
    epoch: date


@dataclass(frozen=True)
class Early:
    """Why a customer is listed before the cooldown is over: the risk is up by ``rise``, or a sign is new."""

    since: date
    rise: float | None
    sign: str | None = None

    def sentence(self, language: Language, why: Sequence[Reason]) -> str:
        """In words; a sign in those of today's reasons."""
        day = day_words(self.since, language=language)
        if self.rise is not None:
            points = round(100 * self.rise)
            return _SAID["rise"][language].format(points=points, day=day)
        told = next((reason.sentence for reason in why if reason.sign == self.sign), None)
        return _SAID["sign" if told else "signs"][language].format(day=day, told=told)


_SAID = {
    "rise": {
        "en": "the risk has risen by {points} points since {day}",
        "id": "risikonya naik {points} poin sejak {day}",
    },
    "sign": {"en": "new since {day}: {told}", "id": "baru sejak {day}: {told}"},
    "signs": {"en": "a new sign since {day}", "id": "ada tanda baru sejak {day}"},
}


@dataclass(frozen=True)
class Standings:
    """``standing`` (n,) as ``outreach.choose`` wants it; who is listed early, and why, by customer."""

    standing: np.ndarray[Any, np.dtype[np.object_]]
    arm: np.ndarray[Any, np.dtype[np.object_]]
    vetoed: np.ndarray[Any, np.dtype[np.bool_]]
    early: Mapping[str, Early] = field(default_factory=dict)


def past_of(workspace: Workspace, engine: sa.Engine, *, day: date, issued: IssuedList | None = None) -> Past:
    """The ledger as the list of ``day`` sees it: earlier lists, and what came of them up to that day; of an ``issued``
    list made again only what it had seen.

    What came of the day's own list is not for it to know: corrected, it names those who were worked by it, too.
    """
    from churnwatch.ledger import assignments, outcomes, past_rows, seen_now, vetoes

    outreach, deployment, zone = workspace.spec.outreach, workspace.deployment, workspace.spec.deployment.zone
    before_list = issued.list_id if issued else None
    seen = issued.seen if issued is not None and issued.seen is not None else seen_now(engine, deployment=deployment)
    back = 2 * int(max(outreach.cooldown.worked.days, outreach.cooldown.ignored.days))
    rows = past_rows(
        engine, deployment=deployment, before=day, since=day - timedelta(days=back), issued_before=before_list
    )
    came: dict[str, list[Outcome]] = {}
    for one in outcomes(engine, deployment=deployment, up_to=seen.outcome_id):
        if one.day <= day and (one.list_day is None or one.list_day < day):
            came.setdefault(one.customer_id, []).append(one)
    epoch = epoch_of(day, length=int(outreach.holdout.epoch.days))
    drawn = assignments(engine, deployment=deployment, epoch=epoch, before_list=before_list)
    return Past(
        rows={row.customer_id: row for row in sorted(rows, key=lambda row: row.as_of)},
        outcomes=came,
        arms={one.customer_id: one.arm for one in drawn},
        decided=Counter((one.owner, one.band) for one in drawn),
        vetoed=_vetoed(vetoes(engine, deployment=deployment, up_to=seen.veto_id), epoch=midnight(epoch, zone)),
        seen=seen,
        epoch=epoch,
    )


def _vetoed(said: Sequence[Veto], *, epoch: datetime) -> frozenset[str]:
    """Who is in neither arm of the epoch: whom a veto keeps out of it, also where it was lifted since.

    Who was listed under a veto has been contacted by choice, so no lot may fall on them until the epoch is over.
    """
    found: set[str] = set()
    for one in said:
        if not one.lifted:
            found.add(one.customer_id)
        elif one.at < epoch:
            found.discard(one.customer_id)
    return frozenset(found)


def draw_of(workspace: Workspace, past: Past) -> Draw | None:
    """The holdout's draw of the day; ``None`` where nobody is held out."""
    holdout = workspace.spec.outreach.holdout
    if not holdout.share:
        return None
    return Draw(holdout.share, epoch=past.epoch, key=holdout.key or workspace.deployment, decided=past.decided)


def standings_of(frame: pd.DataFrame, past: Past, ranking: Ranking, outreach: Outreach, *, day: date) -> Standings:
    """Where each customer of ``frame`` (customer_id, risk, worthy) stands before the choice.

    First what was announced, then what was put off, then the holdout, then the cooldown, which a clear turn for the
    worse ends.
    """
    customers = frame["customer_id"].to_numpy(dtype=object)
    standing = np.full(len(frame), "", dtype=object)
    cooling: dict[int, PastRow | None] = {}
    for i, customer in enumerate(customers):
        came = past.outcomes.get(customer, ())
        row = past.rows.get(customer)
        if not came and row is None:
            continue
        if came and announced_on(came, day=day) is not None:
            standing[i] = "announced"
        elif came and _snoozed(came, day):
            standing[i] = "snoozed"
        elif day < (until := cooling_until(row, came, outreach))[0]:
            standing[i] = "cooling"
            cooling[i] = until[1]
    vetoed = np.array([customer in past.vetoed for customer in customers], dtype=bool)
    arm = np.array([past.arms.get(customer, "") for customer in customers], dtype=object)
    held = (arm == "held_out") & ~vetoed & np.isin(standing, ("", "cooling"))
    standing[held] = "held_out"
    early = _early(frame, {i: row for i, row in cooling.items() if not held[i]}, ranking, outreach)
    for i in early:
        standing[i] = ""
    return Standings(standing, arm, vetoed, {customers[i]: why for i, why in early.items()})


def signs_there(
    ranking: Ranking, positions: np.ndarray[Any, np.dtype[np.int64]], told: Sequence[Why]
) -> list[tuple[str, ...]]:
    """What raises the risk at these positions by the model that ranks, told or not; nothing where a baseline ranks.

    Of whom something else lists the contributions are computed here: ``told`` has none of theirs.
    """
    if ranking.bundle is None:
        return [()] * len(told)
    shares = [why.shares for why in told]
    others = [i for i, share in enumerate(shares) if share is None]
    asked = ranking.matrix.take(positions[others])
    for i, share in zip(others, contributions(ranking.bundle.fitted, asked.values), strict=True):
        shares[i] = share
    return [raising(ranking.matrix.columns, share, least=THERE) for share in shares if share is not None]


def announced_on(came: Sequence[Outcome], *, day: date) -> date | None:
    """The day on which a customer said they will leave, if they have not taken it back and it still holds."""
    said = [one for one in came if {"will_leave", "will_stay"} & set(one.words)]
    if not said:
        return None
    last = max(said, key=lambda one: (one.day, one.outcome_id))
    holds = "will_leave" in last.words and (day - last.day).days < ANNOUNCED_FOR
    return last.day if holds else None


def _snoozed(came: Sequence[Outcome], day: date) -> bool:
    put_off = [one for one in came if one.snooze_until is not None]
    if not put_off:
        return False
    last = max(put_off, key=lambda one: (one.day, one.outcome_id))
    assert last.snooze_until is not None
    return day < last.snooze_until


def cooling_until(row: PastRow | None, came: Sequence[Outcome], outreach: Outreach) -> tuple[date, PastRow | None]:
    """(the first day on which the customer may be listed again, the row it comes from where that is known).

    From the day of the last outcome; from a list that brought none, in any revision, from the list's.
    """
    worked, ignored = (int(length.days) for length in (outreach.cooldown.worked, outreach.cooldown.ignored))
    until = date.min
    for one in came:
        length = worked if WORKED & set(one.words) else ignored if "not_reached" in one.words else 0
        until = max(until, one.day + timedelta(days=length))
    if row is not None and not any(one.list_day == row.as_of for one in came):
        until = max(until, row.as_of + timedelta(days=ignored))
    return until, row


def _early(
    frame: pd.DataFrame, cooling: Mapping[int, PastRow | None], ranking: Ranking, outreach: Outreach
) -> dict[int, Early]:
    """Who of those in their cooldown is clearly worse off than on the row it comes from.

    Only risks by the same version of the model are compared: a change of the model is no change of the customer.
    """
    if ranking.baseline is not None:
        return {}
    risk = frame["risk"].to_numpy(dtype=float)
    worthy = frame["worthy"].to_numpy(dtype=bool)
    found: dict[int, Early] = {}
    asked: list[tuple[int, PastRow]] = []
    for i, row in cooling.items():
        if row is None or not worthy[i] or row.risk is None or row.model_version != ranking.version:
            continue
        rise = float(risk[i]) - row.risk
        if rise >= outreach.cooldown.rise - 1e-12:
            found[i] = Early(row.as_of, rise)
        elif rise >= NOT_LOWER:
            asked.append((i, row))
    if asked:
        positions = np.array([i for i, _ in asked])
        told = ranking.reasons(positions, ["en"] * len(asked))
        for (i, row), why in zip(asked, told, strict=True):
            new = [one.sign for one in why.reasons if one.contribution >= NEW_SIGN and one.sign not in row.signs]
            if new:
                found[i] = Early(row.as_of, None, new[0])
    return found
