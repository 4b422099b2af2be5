"""How good a ranking is: figures, the baselines beside it, and the gate before it may be used."""

from churnwatch.evaluation.baselines import BASELINES, column_scores, logistic_scores, random_scores
from churnwatch.evaluation.figures import (
    AtCapacity,
    at_capacity,
    auc,
    average_precision,
    base_rate_shift,
    brier,
    calibration_error,
    calibration_error_after_shift,
    lift_at,
    precision_at_capacity,
    ranking_figures,
    slice_figures,
)
from churnwatch.evaluation.gate import Check, Verdict, gate
from churnwatch.evaluation.interval import Interval, paired_interval

__all__ = [
    "BASELINES",
    "AtCapacity",
    "Check",
    "Interval",
    "Verdict",
    "at_capacity",
    "auc",
    "average_precision",
    "base_rate_shift",
    "brier",
    "calibration_error",
    "calibration_error_after_shift",
    "column_scores",
    "gate",
    "lift_at",
    "logistic_scores",
    "paired_interval",
    "precision_at_capacity",
    "random_scores",
    "ranking_figures",
    "slice_figures",
]
