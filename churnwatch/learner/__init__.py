"""The learner: the only room that knows LightGBM."""

from churnwatch.learner.calibration import calibrate, risk
from churnwatch.learner.fitted import Calibration, Fitted
from churnwatch.learner.scoring import contributions, margins, risks
from churnwatch.learner.training import Chosen, check_enough, fit, parameters, refit

__all__ = [
    "Calibration",
    "Chosen",
    "Fitted",
    "calibrate",
    "check_enough",
    "contributions",
    "fit",
    "margins",
    "parameters",
    "refit",
    "risk",
    "risks",
]
