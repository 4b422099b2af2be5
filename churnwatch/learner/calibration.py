"""Calibration: from the booster's margin to a risk, as a few knots that fit into a text file."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from churnwatch.learner.fitted import Calibration

Array = np.ndarray[Any, np.dtype[np.float64]]

ISOTONIC_OUTCOMES = 1000
"""From this many of the rarer class on, isotonic; below, Platt (Niculescu-Mizil & Caruana, ICML 2005, fig. 7)."""


LEVEL_SPREAD = 1.0
"""How far the levels of dates lie apart beforehand, as a standard deviation of log-odds: our choice, so wide that a
date of some hundred outcomes speaks for itself, and a date without one does not run away."""


def calibrate(
    margins: Array,
    outcomes: Array,
    *,
    dates: np.ndarray[Any, Any] | None = None,
    weight: Array | None = None,
    method: Literal["auto", "isotonic", "platt", "none"] = "auto",
) -> Calibration:
    """Fit a calibration on out-of-time ``margins`` (n,) and ``outcomes`` (n,) of 0 and 1, seen at ``dates`` (n,); each
    row counts by its ``weight`` (n,), of mean 1, alike where it is left out.

    ``auto`` takes isotonic from 1,000 of the rarer outcome on, else Platt (a logistic regression on the margin, with
    Platt's smoothed targets). With one class only there is nothing to fit: ``none``. What a margin says within a date
    is fitted apart from how high the whole date lies (``at_one_level``).
    """
    rarer = int(min(outcomes.sum(), len(outcomes) - outcomes.sum()))
    if method == "none" or rarer == 0:
        return Calibration("none", (), ())
    if dates is not None:
        margins = at_one_level(margins, outcomes, dates, weight=weight)
    if method == "isotonic" or (method == "auto" and rarer >= ISOTONIC_OUTCOMES):
        return _isotonic(margins, outcomes, weight)
    return _platt(margins, _smoothed(outcomes), weight)


def calibrate_score(
    margins: Array,
    outcomes: Array,
    badness: Array,
    *,
    dates: np.ndarray[Any, Any] | None = None,
    weight: Array | None = None,
) -> Calibration:
    """Fit how bad a score is expected to be, 0 best to 1 worst (n,), on the margins of ``calibrate``.

    A logistic curve of the margin, fitted by the Bernoulli quasi-likelihood: a mean that stays between the two ends of
    the scale, whatever the spread of the scores (Papke & Wooldridge, Journal of Applied Econometrics 11, 1996).
    """
    if dates is not None:
        margins = at_one_level(margins, outcomes, dates, weight=weight)
    return _platt(margins, badness, weight)


def risk(calibration: Calibration, margins: Array) -> Array:
    """The calibrated risk of each margin; rises with it (isotonic: never falls)."""
    if calibration.method == "isotonic":
        return np.interp(margins, calibration.x, calibration.y)
    if calibration.method == "platt":
        return _logistic(calibration.x[0] * margins + calibration.y[0])
    return _logistic(margins)


def at_one_level(margins: Array, outcomes: Array, dates: np.ndarray[Any, Any], *, weight: Array | None = None) -> Array:
    """The margins (n,), those of each date moved by one amount, so that the same margin means the same on all dates.

    Out-of-time margins come from boosters of other dates, and seasons move the rate of a whole date: pooled as they
    are, a slope between dates is taken for one between customers, and risks come out too flat or too steep. The
    amounts are the dates' intercepts in ``log-odds = a * margin + b[date]``, fitted together with ``a`` and a normal
    prior of ``LEVEL_SPREAD`` around their mean; our choice, as in a mixed logistic regression.
    """
    from scipy.optimize import minimize

    names, codes = np.unique(dates, return_inverse=True)
    if len(names) == 1:
        return margins
    weighs = np.ones(len(margins)) if weight is None else weight
    rows = np.bincount(codes, weighs)
    share = rows / rows.sum()

    def loss(parameters: Array) -> tuple[float, Array]:
        levels = parameters[1:]
        apart = (levels - share @ levels) / LEVEL_SPREAD**2
        score = parameters[0] * margins + levels[codes]
        gap = weighs * (_logistic(score) - outcomes)
        value = (weighs * (np.logaddexp(0, score) - outcomes * score)).sum() + apart @ (levels - share @ levels) / 2
        slope = np.array([(gap * margins).sum()])
        return float(value), np.concatenate([slope, np.bincount(codes, gap) + apart - share * apart.sum()])

    start = np.concatenate([[1.0], np.zeros(len(names))])
    # a > 0: the levels are moved along the margin, which must point somewhere.
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=[(1e-3, None)] + [(None, None)] * len(names))
    slope, levels = found.x[0], found.x[1:]
    moved: Array = margins + (levels - share @ levels)[codes] / slope
    return moved


def _isotonic(margins: Array, outcomes: Array, weight: Array | None) -> Calibration:
    from sklearn.isotonic import IsotonicRegression

    fitted = IsotonicRegression(out_of_bounds="clip").fit(margins, outcomes, sample_weight=weight)
    knots = fitted.y_thresholds_.copy()
    steps = fitted.predict(margins)
    # A step of pure 0s or 1s would promise certainty. Jeffreys' half an outcome on each side says how little a short
    # step knows: twelve of twelve become 96 %. It never passes the step beside it.
    for pure, beside in ((0.0, np.min), (1.0, np.max)):
        seen = int((steps == pure).sum())
        if seen:
            honest = abs(pure - 0.5 / (seen + 1))
            others = knots[knots != pure]
            knots[knots == pure] = beside([honest, *others]) if len(others) else honest
    return Calibration("isotonic", tuple(map(float, fitted.X_thresholds_)), tuple(map(float, knots)))


def _smoothed(outcomes: Array) -> Array:
    """Platt's targets, a little inside 0 and 1."""
    bad = outcomes.sum()
    good = len(outcomes) - bad
    targets: Array = np.where(outcomes == 1, (bad + 1) / (bad + 2), 1 / (good + 2))
    return targets


def _platt(margins: Array, target: Array, weight: Array | None) -> Calibration:
    from scipy.optimize import minimize

    weighs = np.ones(len(margins)) if weight is None else weight

    def loss(parameters: Array) -> tuple[float, Array]:
        score = parameters[0] * margins + parameters[1]
        gap = weighs * (_logistic(score) - target)
        value = (weighs * (np.logaddexp(0, score) - target * score)).sum()
        return float(value), np.array([(gap * margins).sum(), gap.sum()])

    # a >= 0: a calibration never turns the ranking round.
    found = minimize(loss, np.array([1.0, 0.0]), jac=True, method="L-BFGS-B", bounds=[(0, None), (None, None)])
    return Calibration("platt", (float(found.x[0]),), (float(found.x[1]),))


def _logistic(score: Array) -> Array:
    value: Array = 1.0 / (1.0 + np.exp(-np.clip(score, -700, 700)))
    return value
