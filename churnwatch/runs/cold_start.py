"""Cold start: whether there are outcomes enough to learn from, and what lists until there are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from churnwatch.outcomes import grid, label, observe, span
from churnwatch.runs.observations import complete_by
from churnwatch.runs.workspace import Workspace
from churnwatch.spec import Model

if TYPE_CHECKING:
    from churnwatch.registry import Bundle
    from churnwatch.sources import Tables

RULE = "health"
"""The baseline that lists until a model can be trained: the rule score."""
YOUNG = 10
"""A model that learned from fewer than this many times the fewest outcomes is young: the rule score is shown beside
its risks. Our choice: by then a calibration has a few hundred outcomes to go by."""


@dataclass(frozen=True)
class Outcomes:
    """Complete observations by an as-of: how many came out badly, how many did not, and how many of each are wanted."""

    bad: int
    good: int
    wanted: int

    @property
    def few(self) -> bool:
        """Whether there are too few of one kind to train on."""
        return min(self.bad, self.good) < self.wanted

    @property
    def sentence(self) -> str:
        """What a list by the rule score says of itself."""
        kind, count = ("bad", self.bad) if self.bad <= self.good else ("good", self.good)
        return (
            f"There are too few outcomes to learn from, {count} of {self.wanted} {kind} ones: until there are enough "
            "the rule score ranks, how far a customer's signs stand on the bad side among everybody's. It is no "
            "probability."
        )


def outcomes_so_far(workspace: Workspace, tables: Tables, model: Model, as_of: datetime) -> Outcomes:
    """What a training at ``as_of`` would have to learn from; labels read nothing known at it or later.

    As training counts: what was complete by the first test date. Else there would be a time in which there are enough
    to have no rule score and too few to have a model.
    """
    wanted = model.learner.minimum_outcomes
    within = span(tables, model)
    dates = grid(model, zone=workspace.spec.deployment.zone, span=within, complete_by=min(as_of, within.end))
    if model.outcome.given is None:
        tests = dates[-model.test_slices :]
        dates = complete_by(dates, model, tests[0]) if tests else []
        if not dates:
            return Outcomes(0, 0, wanted)
        as_of = tests[0]
    labels = label(tables, model, observe(tables, model, dates), known_before=as_of)
    in_time = labels[labels["told"]]
    bad = int(in_time["outcome"].sum())
    return Outcomes(bad, len(in_time) - bad, wanted)


def is_young(bundle: Bundle) -> bool:
    """Whether a model learned from so few outcomes that the rule score is shown beside it."""
    learned = bundle.notes["observations"] * min(bundle.fitted.base_rate, 1 - bundle.fitted.base_rate)
    return bool(learned < YOUNG * bundle.model.learner.minimum_outcomes)
