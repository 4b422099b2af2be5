"""The learner: the only room that knows LightGBM."""

import os

# LightGBM's threads spin while they wait for each other; on a core that somebody else uses too, that made 1.5 s of
# training 43 s (2 cores, load 3). Set before LightGBM loads OpenMP; the user's own setting wins.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from churnwatch.learner.answering import CrossFit, cross_fit, effective_size, fold_of, inverse_weights
from churnwatch.learner.calibration import calibrate, risk
from churnwatch.learner.fitted import Calibration, Fitted, Horizon
from churnwatch.learner.horizons import horizon_risks
from churnwatch.learner.scoring import contributions, expected_scores, margins, risks
from churnwatch.learner.search import SPACE, Search, Trial, merged, search
from churnwatch.learner.training import Chosen, Leaving, Rows, check_enough, fit, parameters, refit

__all__ = [
    "SPACE",
    "Calibration",
    "Chosen",
    "CrossFit",
    "Fitted",
    "Horizon",
    "Leaving",
    "Rows",
    "Search",
    "Trial",
    "calibrate",
    "check_enough",
    "contributions",
    "cross_fit",
    "effective_size",
    "expected_scores",
    "fit",
    "fold_of",
    "horizon_risks",
    "inverse_weights",
    "margins",
    "merged",
    "parameters",
    "refit",
    "risk",
    "risks",
    "search",
]
