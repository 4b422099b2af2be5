"""How good a ranking is: figures, the baselines beside it, and the gate before it may be used."""

from churnwatch.evaluation.baselines import BASELINES, column_scores, logistic_scores, random_scores
from churnwatch.evaluation.clusters import Cluster, clusters
from churnwatch.evaluation.deciles import Agreement, Bin, Deciles, Shape, deciles
from churnwatch.evaluation.drift import Drift, drift
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
from churnwatch.evaluation.lead import LEAD_DAYS, Lead, LeadTimes, days_until, lead_times
from churnwatch.evaluation.measured import Catalogue, Coverage, Entry, Measured, coverage, measure
from churnwatch.evaluation.suspects import LIMIT, Suspect, suspects

__all__ = [
    "BASELINES",
    "LEAD_DAYS",
    "LIMIT",
    "Agreement",
    "AtCapacity",
    "Bin",
    "Catalogue",
    "Check",
    "Cluster",
    "Coverage",
    "Deciles",
    "Drift",
    "Entry",
    "Interval",
    "Lead",
    "LeadTimes",
    "Measured",
    "Shape",
    "Suspect",
    "Verdict",
    "at_capacity",
    "auc",
    "average_precision",
    "base_rate_shift",
    "brier",
    "calibration_error",
    "calibration_error_after_shift",
    "clusters",
    "column_scores",
    "coverage",
    "days_until",
    "deciles",
    "drift",
    "gate",
    "lead_times",
    "lift_at",
    "logistic_scores",
    "measure",
    "paired_interval",
    "precision_at_capacity",
    "random_scores",
    "ranking_figures",
    "slice_figures",
    "suspects",
]
