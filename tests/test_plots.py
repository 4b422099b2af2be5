"""The pictures of a training: four files, of the model that was judged, on at most 500 customers."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
from test_training_pictures import PNG, a_slice
from tiny_model import COLUMNS, matrix, tiny_bundle

import churnwatch.runs.plots
from churnwatch.runs.plots import EXPLAINED, training_plots


def judged(n):
    rows = SimpleNamespace(matrix=SimpleNamespace(values=matrix(n, 4)))
    return SimpleNamespace(rows=rows, risks=np.zeros(n), fitted=tiny_bundle().fitted, figures=a_slice(2))


def test_a_training_has_four_pictures(monkeypatch):
    explained = []

    def spy(fitted, X):
        explained.append(X)
        return contributions(fitted, X)

    contributions = churnwatch.runs.plots.contributions
    monkeypatch.setattr(churnwatch.runs.plots, "contributions", spy)
    drawn = training_plots([judged(40), judged(700)])
    names = ["gain", "reliability", "shap_beeswarm", "shap_dependence"]
    assert [f"plots/{name}.png" for name in names] == list(drawn)
    assert all(one.startswith(PNG) for one in drawn.values())
    (rows,) = explained
    assert (EXPLAINED, len(COLUMNS)) == rows.shape
    # Of the last date, each customer once.
    kept = [row.tobytes() for row in np.nan_to_num(rows, nan=-1)]
    everybody = {row.tobytes() for row in np.nan_to_num(matrix(700, 4), nan=-1)}
    assert EXPLAINED == len(set(kept)) == len(set(kept) & everybody)
    assert drawn == training_plots([judged(40), judged(700)])


def test_fewer_customers_are_all_drawn():
    assert 4 == len(training_plots([judged(30)]))
