"""The pictures of a training, as files by name: what MLflow logs and a reader looks at first."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from churnwatch.evaluation import beeswarm_picture, dependence_picture, gain_picture, reliability_picture
from churnwatch.learner import contributions
from churnwatch.runs.study import Judged

EXPLAINED = 500
"""Customers whose contributions are computed for the pictures."""


def training_plots(judged: Sequence[Judged]) -> dict[str, bytes]:
    """PNG files by path: plots/gain.png, reliability.png, shap_beeswarm.png and shap_dependence.png.

    The model drawn is the judged one. Its contributions are those of at most 500 customers of the last test date,
    drawn by a fixed seed. Equal input gives equal bytes.
    """
    figures = [one.figures for one in judged]
    last = judged[-1]
    rows = np.arange(len(last.risks))
    if len(rows) > EXPLAINED:
        rows = np.sort(np.random.default_rng(1).choice(rows, EXPLAINED, replace=False))
    values = last.rows.matrix.values[rows]
    shares = contributions(last.fitted, values)
    names = last.fitted.columns
    return {
        "plots/gain.png": gain_picture(figures),
        "plots/reliability.png": reliability_picture(figures),
        "plots/shap_beeswarm.png": beeswarm_picture(shares, values, names),
        "plots/shap_dependence.png": dependence_picture(shares, values, names),
    }
