"""Scoring: margins, risks and contributions of a fitted model."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from churnwatch.errors import NoUsableModel
from churnwatch.learner.calibration import risk
from churnwatch.learner.fitted import Fitted

if TYPE_CHECKING:
    import lightgbm as lgb

Array = np.ndarray[Any, np.dtype[np.float64]]


def margins(fitted: Fitted, X: Array) -> Array:
    """Raw margins (log-odds) of the rows of ``X`` (n_rows, n_columns), columns in the order of ``fitted.columns``."""
    _check_shape(fitted, X)
    if len(X) == 0:
        return np.empty(0)
    return np.asarray(_booster(fitted.booster_text).predict(X, raw_score=True), dtype=np.float64)


def risks(fitted: Fitted, X: Array) -> Array:
    """Calibrated risks (n_rows,) between 0 and 1."""
    return risk(fitted.calibration, margins(fitted, X))


def expected_scores(fitted: Fitted, margins: Array) -> Array | None:
    """The expected score (n,) of each margin, 0 worst to 1 best, falling as it rises; None of a model without one."""
    return None if fitted.score is None else 1 - risk(fitted.score, margins)


def contributions(fitted: Fitted, X: Array) -> Array:
    """Exact TreeSHAP contributions to the margin, (n_rows, n_columns), without the expected value.

    LightGBM's own ``pred_contrib`` (Lundberg & Lee, NeurIPS 2017); about 1–2 ms a row, so call it for listed rows only.
    """
    _check_shape(fitted, X)
    if len(X) == 0:
        return np.empty((0, len(fitted.columns)))
    told = np.asarray(_booster(fitted.booster_text).predict(X, pred_contrib=True), dtype=np.float64)
    return told[:, :-1]


def _check_shape(fitted: Fitted, X: Array) -> None:
    wanted = len(fitted.columns)
    if X.ndim == 2 and X.shape[1] == wanted:
        return
    found = (
        f"the model wants {wanted} signals, the matrix has {X.shape[1]}"
        if X.ndim == 2
        else f"the model wants a matrix of {wanted} signals, the array has shape {X.shape}"
    )
    raise NoUsableModel(found, hint="train again: `churnwatch train MODEL`")


@lru_cache(maxsize=4)
def _booster(text: str) -> lgb.Booster:
    import lightgbm as lgb

    try:
        return lgb.Booster(model_str=text)
    except (ValueError, lgb.basic.LightGBMError) as error:
        # It hands the parameters it was trained by to Python as JSON, which one wrong word of theirs breaks.
        raise NoUsableModel(
            f"LightGBM cannot read the text model ({str(error).splitlines()[0]})",
            where="booster.txt",
            hint="train again, or roll back to an earlier version",
        ) from None
