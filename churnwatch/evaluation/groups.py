"""How a model treats groups of customers: who is flagged, who is found, and whether risks mean the same for all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from churnwatch.evaluation.deciles import wilson
from churnwatch.evaluation.figures import Numbers, auc, outcomes_and_scores

LEAST = 50
"""A group of fewer customers has no figures; our choice: half of a rate's interval is 14 points even so."""
LEAST_OUTCOMES = 10
"""Fewer with the outcome, or fewer without, give neither recall nor AUC; our choice."""
MOST = 20
"""So many groups are told of each fact, the largest; the others together are one more."""


@dataclass(frozen=True)
class Grouping:
    """What tells the groups of one slice apart.

    ``labels`` (n,) hold each customer's group, ``None`` where it is not known. ``today`` says that only today's value
    exists: it may be another than on the date judged.
    """

    name: str
    labels: Sequence[str | None] | NDArray[np.object_]
    today: bool


def group_figures(
    y: ArrayLike, s: ArrayLike, risks: ArrayLike, listed: ArrayLike, grouping: Grouping
) -> list[dict[str, object]]:
    """One object per group, the largest first, those of unknown group last; plain values, fit for JSON.

    ``y``, ``s``, ``risks`` and ``listed`` (how surely each row is on a list) have shape (n,). Each object has ``by``,
    ``group`` (``None``: not known), ``today``, ``n``, ``outcomes``; then ``base_rate``, ``mean_risk``, ``flag_rate``
    (the share listed), ``calibration_gap`` (mean risk minus base rate; above 0 the risks are too high) with its 95 %
    interval ``gap_low`` to ``gap_high`` (Wilson's for the rate), ``recall`` (the share of its leavers who were listed)
    and ``auc``. A figure that too few customers stand behind is ``None``, and ``note`` says how many there were.
    """
    outcomes, scores = outcomes_and_scores(y, s)
    r, flagged = np.asarray(risks, dtype=np.float64), np.asarray(listed, dtype=np.float64)
    if len(grouping.labels) != len(outcomes):
        raise ValueError(f"{len(grouping.labels)} labels for {len(outcomes)} rows")
    rows: dict[str | None, list[int]] = {}
    for row, label in enumerate(grouping.labels):
        rows.setdefault(label if isinstance(label, str) and label else None, []).append(row)
    unknown = rows.pop(None, [])
    ranked = sorted(rows.items(), key=lambda one: (-len(one[1]), one[0] or ""))
    told = [(label, members) for label, members in ranked[:MOST]]
    if ranked[MOST:]:
        told.append((f"{len(ranked) - MOST} smaller groups", [row for _, rest in ranked[MOST:] for row in rest]))
    if unknown:
        told.append((None, unknown))
    return [
        {
            "by": grouping.name,
            "group": label,
            "today": grouping.today,
            **_figures(outcomes[members], scores[members], r[members], flagged[members]),
        }
        for label, members in told
    ]


def _figures(outcomes: Numbers, scores: Numbers, risks: Numbers, listed: Numbers) -> Mapping[str, object]:
    n, bad = len(outcomes), int(outcomes.sum())
    found: dict[str, object] = {"n": n, "outcomes": bad}
    names = ("base_rate", "mean_risk", "flag_rate", "calibration_gap", "gap_low", "gap_high", "recall", "auc")
    found |= dict.fromkeys(names)
    if n < LEAST:
        return found | {"note": f"not enough data: {n} of {LEAST}"}
    rate, mean = bad / n, float(risks.mean())
    low, high = wilson(rate, n)
    found |= {
        "base_rate": rate,
        "mean_risk": mean,
        "flag_rate": float(listed.mean()),
        "calibration_gap": mean - rate,
        "gap_low": mean - high,
        "gap_high": mean - low,
    }
    rarer = min(bad, n - bad)
    if rarer < LEAST_OUTCOMES:
        what = "with" if bad <= n - bad else "without"
        return found | {"note": f"not enough data: {rarer} of {LEAST_OUTCOMES} {what} the outcome"}
    return found | {"recall": float((listed * outcomes).sum()) / bad, "auc": auc(outcomes, scores), "note": None}
