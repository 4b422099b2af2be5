"""What the lists of a simulation were worth: by the truth against doing nothing, and as the holdout shows it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from churnwatch.evaluation import difference_of_shares
from churnwatch.evaluation.deciles import wilson
from churnwatch.runs.simulation.result import DayOf, Estimate, Simulated
from churnwatch.runs.workspace import Workspace

if TYPE_CHECKING:
    from churnwatch.synthetic import Team


class Unit(NamedTuple):
    """A customer whose arm was decided on ``day``, for an epoch that ends before ``closes``.

    ``stood`` is when they would have cancelled as things stood that morning (local, NaT: not): contacts of earlier
    epochs are in it, those of this one are not.
    """

    customer_id: str
    arm: str
    day: date
    closes: date
    stood: np.datetime64


def worth(workspace: Workspace, team: Team, days: Sequence[DayOf], units: Sequence[Unit], *, version: str) -> Simulated:
    """The result of a simulation whose ``days`` are over."""
    people = team.company.people
    first, end = np.datetime64(days[0].day, "s"), team.company.seasons.end
    before, now = team.company.built.cancelled, team.cancelled
    went, goes = (np.asarray((one >= first) & (one < end)) for one in (before, now))
    return Simulated(
        directory=workspace.root,
        customers=people.size,
        seed=team.seed,
        model_version=version,
        days=tuple(days),
        leavers_without=int(went.sum()),
        kept=int((went & ~goes).sum()),
        lost=int((goes & ~went).sum()),
        value_saved=float(people.fee[went & ~goes].sum() - people.fee[goes & ~went].sum()),
        currency=workspace.spec.deployment.currency,
        share=workspace.spec.outreach.holdout.share,
        held_out_share=held_out_share(one.arm for one in units),
        estimate=estimate(team, units),
    )


def held_out_share(arms: Iterable[str]) -> tuple[float, float, float] | None:
    """The share held out with its binomial 95 % interval; ``None`` where nobody was decided on."""
    told = list(arms)
    if not told:
        return None
    share = told.count("held_out") / len(told)
    return (share, *wilson(share, len(told)))


def estimate(team: Team, units: Sequence[Unit]) -> Estimate:
    """Who of the units cancelled from the day they were decided on until their epoch ends or the data do, by arm."""
    end = team.company.seasons.end

    def left(unit: Unit, cancelled: np.datetime64) -> bool:
        return bool(np.datetime64(unit.day, "s") <= cancelled < min(np.datetime64(unit.closes, "s"), end))

    arms = {name: [one for one in units if one.arm == name] for name in ("treated", "held_out")}
    counts = {
        name: sum(left(one, team.cancelled[team.row_of(one.customer_id)]) for one in some)
        for name, some in arms.items()
    }
    n = {name: len(some) for name, some in arms.items()}
    without = sum(left(one, one.stood) for one in arms["treated"])
    both = all(n.values())
    found = difference_of_shares(counts["treated"], n["treated"], counts["held_out"], n["held_out"]) if both else None
    return Estimate(
        treated=n["treated"],
        held_out=n["held_out"],
        treated_left=counts["treated"],
        held_out_left=counts["held_out"],
        difference=found.difference if found else None,
        low=found.low if found else None,
        high=found.high if found else None,
        truth=(counts["treated"] - without) / n["treated"] if n["treated"] else None,
    )
