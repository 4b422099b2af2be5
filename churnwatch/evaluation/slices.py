"""Everything that is told of one slice, everybody observed at one as-of: plain values, fit for JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import numpy as np
from numpy.typing import ArrayLike, NDArray

from churnwatch.errors import DataRefused
from churnwatch.evaluation.bootstrap import error_by_chance, figure_intervals
from churnwatch.evaluation.curves import gain, reliability
from churnwatch.evaluation.figures import (
    CAPACITY_TOTAL,
    at_capacity,
    auc,
    average_precision,
    base_rate_shift,
    brier,
    calibration_error,
    calibration_error_after_shift,
    lift_at,
    listed_at_capacity,
    log_loss,
    outcomes_and_scores,
)
from churnwatch.evaluation.groups import Grouping, group_figures
from churnwatch.evaluation.lead import Numbers, lead_times
from churnwatch.evaluation.profit import expected_maximum_profit
from churnwatch.evaluation.shift import shift_by_chance, shift_words

RANKING = (
    "auc",
    "average_precision",
    "lift_at_10pct",
    "precision_at_capacity",
    "recall_at_capacity",
    "lift_at_capacity",
    "capacity_rows",
    "empc",
    "empc_share",
)
"""The figures that only the order of the scores decides, in the order they are told."""
PROFIT = ("empc", "empc_share")
"""Those of them that are in money: what keeping a leaver is worth, which no answer to a survey is."""


def ranking_figures(
    y: ArrayLike,
    s: ArrayLike,
    *,
    owners: Sequence[object] | NDArray[np.object_] | None = None,
    capacity: Mapping[str, int] | None = None,
    capacity_total: float = CAPACITY_TOTAL,
) -> dict[str, float]:
    """What only the order of the scores decides, by the names of ``RANKING``.

    ``capacity_rows`` is a whole number, the rows of the list; ``empc`` is money per customer observed and
    ``empc_share`` the share of them to contact for it, with the terms of ``expected_maximum_profit`` left out.
    """
    caught = at_capacity(y, s, owners=owners, capacity=capacity, capacity_total=capacity_total)
    profit = expected_maximum_profit(y, s)
    return {
        "auc": auc(y, s),
        "average_precision": average_precision(y, s),
        "lift_at_10pct": lift_at(y, s, 0.1),
        "precision_at_capacity": caught.precision,
        "recall_at_capacity": caught.recall,
        "lift_at_capacity": caught.lift,
        "capacity_rows": caught.rows,
        "empc": profit.per_customer,
        "empc_share": profit.share,
    }


def slice_figures(
    y: ArrayLike,
    s: ArrayLike,
    *,
    as_of: date,
    risks: ArrayLike,
    baselines: Mapping[str, ArrayLike],
    owners: Sequence[object] | NDArray[np.object_] | None = None,
    capacity: Mapping[str, int] | None = None,
    capacity_total: float = CAPACITY_TOTAL,
    customers: Sequence[object] | NDArray[np.object_] | None = None,
    days_left: ArrayLike | None = None,
    groupings: Sequence[Grouping] = (),
    trained_base_rate: float | None = None,
    profit: bool = True,
    seed: int = 1,
    replicates: int | None = None,
) -> dict[str, object]:
    """Everything ``train`` and ``backtest`` tell about one as-of.

    ``s`` are the raw margins, which rank; ``risks`` the calibrated risks, which people see; ``baselines`` the
    scores of each baseline on the same rows; all of shape (n,). ``customers`` (n,) says whose the rows are, for the
    intervals; ``None``: each row is another customer. ``days_left`` (n,) are the days from the as-of until who had the
    outcome left, NaN where nobody knows; ``groupings`` tell groups of customers apart; ``trained_base_rate`` is that of
    the observations learned from. Without ``profit`` the figures of ``PROFIT`` are left out, of the baselines too: the
    outcome is none that somebody leaves by. Raises DataRefused on one-class labels, naming the as-of and the counts.
    """
    try:
        outcomes, margins = outcomes_and_scores(y, s)
    except DataRefused as refused:
        raise DataRefused(
            refused.found, where=f"as-of {as_of:%Y-%m-%d}", allowed=refused.allowed, hint=refused.hint
        ) from None
    r = np.asarray(risks, dtype=np.float64)
    days = np.full(len(outcomes), np.nan) if days_left is None else np.asarray(days_left, dtype=np.float64)

    def ranking(scores: ArrayLike) -> dict[str, object]:
        found = ranking_figures(outcomes, scores, owners=owners, capacity=capacity, capacity_total=capacity_total)
        listed = listed_at_capacity(scores, owners=owners, capacity=capacity, capacity_total=capacity_total)
        found = {name: value for name, value in found.items() if profit or name not in PROFIT}
        return {**found, "lead_time": _lead(outcomes, listed, days)}

    by_chance = error_by_chance(r, seed=seed, replicates=replicates)
    of_model = ranking(margins)
    lead = of_model.pop("lead_time")
    intervals = figure_intervals(
        outcomes,
        margins,
        r,
        owners=owners,
        capacity=capacity,
        capacity_total=capacity_total,
        customers=customers,
        by_chance=by_chance,
        seed=seed,
        replicates=replicates,
    )
    listed = listed_at_capacity(margins, owners=owners, capacity=capacity, capacity_total=capacity_total)
    told: dict[str, object] = {
        "as_of": f"{as_of:%Y-%m-%d}",
        "n": len(outcomes),
        "base_rate": float(outcomes.mean()),
        **of_model,
        "brier": brier(outcomes, r),
        "log_loss": log_loss(outcomes, r),
        "ece": calibration_error(outcomes, r),
        "ece_by_chance": by_chance,
        "base_rate_shift": base_rate_shift(outcomes, r),
        "shift_by_chance": shift_by_chance(r),
        "ece_after_shift": calibration_error_after_shift(outcomes, r),
        "trained_base_rate": trained_base_rate,
        "intervals": {name: list(ends) for name, ends in intervals.items()},
        "baselines": {name: ranking(scores) for name, scores in baselines.items()},
        "lead_time": lead,
        "reliability": reliability(outcomes, r),
        "gain": gain(outcomes, {"model": margins, **baselines}),
        "groups": [one for grouping in groupings for one in group_figures(outcomes, margins, r, listed, grouping)],
    }
    warning = shift_words(told)
    return {**told, "warnings": [warning] if warning else []}


def _lead(outcomes: Numbers, listed: Numbers, days: Numbers) -> dict[str, object]:
    """Lead times of one list: whoever was watched from the as-of on was listed then or not at all."""
    left = outcomes == 1
    warning = np.where(listed[left] > 0, days[left], np.nan)
    return lead_times(warning, days[left], listed=listed[left]).as_json()


def risk_figures(y: ArrayLike, risks: ArrayLike) -> dict[str, float | int]:
    """How good risks (n,) are as such: n, base rate, mean risk, AUC, Brier and calibration error, by these names."""
    outcomes, r = outcomes_and_scores(y, risks)
    return {
        "n": len(outcomes),
        "base_rate": float(outcomes.mean()),
        "mean_risk": float(r.mean()),
        "auc": auc(outcomes, r),
        "brier": brier(outcomes, r),
        "ece": calibration_error(outcomes, r),
    }
