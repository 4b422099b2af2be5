"""How good a ranking is: figures, the baselines beside it, and the gate before it may be used."""

from churnwatch.evaluation.baselines import (
    BASELINES,
    Ranker,
    column_scores,
    logistic_ranker,
    logistic_scores,
    random_scores,
)
from churnwatch.evaluation.bootstrap import figure_intervals
from churnwatch.evaluation.caught import Caught, caught
from churnwatch.evaluation.clusters import Cluster, clusters
from churnwatch.evaluation.curves import gain, reliability
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
    listed_at_capacity,
    log_loss,
    precision_at_capacity,
)
from churnwatch.evaluation.gate import Check, Verdict, gate
from churnwatch.evaluation.groups import Grouping, group_figures
from churnwatch.evaluation.interval import Interval, paired_interval
from churnwatch.evaluation.lead import LEAD_DAYS, Lead, LeadTimes, days_until, lead_times
from churnwatch.evaluation.measured import Catalogue, Coverage, Entry, Measured, coverage, measure
from churnwatch.evaluation.nonresponse import Asked, Estimates, Everybody, Quantity, estimates
from churnwatch.evaluation.power import is_rough, power, smallest_effect
from churnwatch.evaluation.profit import Profit, expected_maximum_profit
from churnwatch.evaluation.replay import SHARES, ListFigures, PastList, Rate, Replay, RiskBin, replay
from churnwatch.evaluation.shift import moved_words, shift_by_chance, shift_words
from churnwatch.evaluation.slices import RANKING, ranking_figures, risk_figures, slice_figures
from churnwatch.evaluation.suspects import LIMIT, Suspect, suspects
from churnwatch.evaluation.training_pictures import (
    beeswarm_picture,
    dependence_picture,
    gain_picture,
    reliability_picture,
)
from churnwatch.evaluation.two_shares import difference_of_shares

__all__ = [
    "BASELINES",
    "LEAD_DAYS",
    "LIMIT",
    "RANKING",
    "SHARES",
    "Agreement",
    "Asked",
    "AtCapacity",
    "Bin",
    "Catalogue",
    "Caught",
    "Check",
    "Cluster",
    "Coverage",
    "Deciles",
    "Drift",
    "Entry",
    "Estimates",
    "Everybody",
    "Grouping",
    "Interval",
    "Lead",
    "LeadTimes",
    "ListFigures",
    "Measured",
    "PastList",
    "Profit",
    "Quantity",
    "Ranker",
    "Rate",
    "Replay",
    "RiskBin",
    "Shape",
    "Suspect",
    "Verdict",
    "at_capacity",
    "auc",
    "average_precision",
    "base_rate_shift",
    "beeswarm_picture",
    "brier",
    "calibration_error",
    "calibration_error_after_shift",
    "caught",
    "clusters",
    "column_scores",
    "coverage",
    "days_until",
    "deciles",
    "dependence_picture",
    "difference_of_shares",
    "drift",
    "estimates",
    "expected_maximum_profit",
    "figure_intervals",
    "gain",
    "gain_picture",
    "gate",
    "group_figures",
    "is_rough",
    "lead_times",
    "lift_at",
    "listed_at_capacity",
    "log_loss",
    "logistic_ranker",
    "logistic_scores",
    "measure",
    "moved_words",
    "paired_interval",
    "power",
    "precision_at_capacity",
    "random_scores",
    "ranking_figures",
    "reliability",
    "reliability_picture",
    "replay",
    "risk_figures",
    "shift_by_chance",
    "shift_words",
    "slice_figures",
    "smallest_effect",
    "suspects",
]
