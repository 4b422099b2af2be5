"""Small models of who answers and what they would say, judged on customers they have not seen, and their weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    import lightgbm as lgb

Array = np.ndarray[Any, np.dtype[np.float64]]
Groups = Sequence[object] | np.ndarray[Any, Any]
Kind = Literal["binary", "score"]

PARAMETERS: dict[str, Any] = {
    # Our choice: trees too small to learn a customer by heart, and a rate at which a round more or less is no matter.
    "num_leaves": 8,
    "min_data_in_leaf": 40,
    "learning_rate": 0.1,
    "max_bin": 63,
    "lambda_l2": 5.0,
    "verbosity": -1,
    # Same inputs, same numbers, whatever the number of cores.
    "deterministic": True,
    "force_col_wise": True,
}
ROUNDS = 200
PATIENCE = 15
"""Rounds without a better loss after which no further are tried."""


@dataclass(frozen=True)
class CrossFit:
    """A small model per fold of customers, and what each says of the customers it has not seen.

    ``told`` (n,) are those out-of-fold predictions, in the order of the rows it was fitted on: a probability of 1
    (``binary``), or a score within the range of those seen. ``rounds`` 0: no tree says more than the mean.
    """

    told: Array
    rounds: int
    columns: int
    range: tuple[float, float]
    means: tuple[float, ...]
    boosters: tuple[lgb.Booster, ...]
    seed: int

    def predict(self, X: Array, *, groups: Groups | None = None) -> Array:
        """Predictions (m,) for other rows ``X`` (m, n_columns): of other times or customers the mean of the models;
        with ``groups`` (m,) each row by the one model that has not seen its customer.
        """
        if X.ndim != 2 or X.shape[1] != self.columns:
            raise ValueError(f"rows of {self.columns} columns are wanted, not an array of shape {X.shape}")
        if len(X) == 0:
            return np.empty(0)
        if groups is None:
            each = [self._of(fold, X) for fold in range(len(self.means))]
            return np.asarray(np.mean(each, axis=0))
        found = np.empty(len(X))
        own = fold_of(groups, seed=self.seed, folds=len(self.means))
        for fold in range(len(self.means)):
            rows = own == fold
            found[rows] = self._of(fold, X[rows])
        return found

    def _of(self, fold: int, X: Array) -> Array:
        if not self.rounds or len(X) == 0:
            return np.full(len(X), self.means[fold])
        found = np.asarray(self.boosters[fold].predict(X, num_iteration=self.rounds), dtype=np.float64)
        return np.clip(found, *self.range)


def cross_fit(
    X: Array,
    y: Array,
    *,
    groups: Groups,
    kind: Kind,
    weight: Array | None = None,
    seed: int = 1,
    folds: int = 5,
) -> CrossFit:
    """Fit one small LightGBM model per fold on all other folds' rows; the same customer is never on both sides.

    ``X`` (n, n_columns) float64, NaN missing; ``y`` (n,) of 0 and 1 (``binary``: log loss) or a score (squared loss);
    ``groups`` (n,) the customers, dealt to folds by a keyed hash; ``weight`` (n,) above 0. The number of rounds is that
    of the least loss over all held-out rows together, so that predictions are neither too flat nor too bold; where no
    round beats the mean, or one class is all there is to learn from, a constant is told. Raises ValueError for no rows,
    or shapes that do not fit.

    Source: cross-fitting as in Chernozhukov et al., The Econometrics Journal 21 (2018), section 3.
    """
    n = len(y)
    if n == 0 or X.ndim != 2 or len(X) != n or len(groups) != n or (weight is not None and len(weight) != n):
        raise ValueError(f"{X.shape} values, {len(groups)} groups for {n} rows: they must be as many, and at least one")
    weights = np.ones(n) if weight is None else np.asarray(weight, dtype=np.float64)
    y = np.asarray(y, dtype=np.float64)
    own = fold_of(groups, seed=seed, folds=folds)
    lowest, highest = float(y.min()), float(y.max())
    held = [own == fold for fold in range(folds)]
    seen = [~rows if rows.any() and not rows.all() else np.ones(n, dtype=bool) for rows in held]
    means = tuple(float((weights[rows] * y[rows]).sum() / weights[rows].sum()) for rows in seen)
    told = np.array(means)[own]
    learnable = (
        X.shape[1] > 0
        and all(0 < rows.sum() < n for rows in held)
        and all(y[rows].min() < y[rows].max() for rows in seen)
    )
    if not learnable:
        # Folds without a customer, or of one class: what could be learned would be one fold's chance.
        mean = float((weights * y).sum() / weights.sum())
        return CrossFit(np.full(n, mean), 0, X.shape[1], (lowest, highest), (mean,) * folds, (), seed)
    boosters, rounds = _in_step(X, y, weights, held, kind=kind, seed=seed)
    # A probability is never quite 0 or 1, a score never beyond what was given.
    limits = (lowest, highest) if kind == "score" else (1e-6, 1 - 1e-6)
    found = CrossFit(told, rounds, X.shape[1], limits, means, boosters, seed)
    if rounds:
        for fold, rows in enumerate(held):
            told[rows] = found._of(fold, X[rows])  # noqa: SLF001
    return found


def fold_of(groups: Groups, *, seed: int, folds: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    """The fold (n,), 0 to ``folds`` - 1, of each row by a keyed hash of its customer, whoever else is there."""
    key = str(seed).encode()
    dealt: dict[str, int] = {}
    found = np.empty(len(groups), dtype=np.int64)
    for row, group in enumerate(groups):
        name = str(group)
        if name not in dealt:
            dealt[name] = int.from_bytes(blake2b(name.encode(), key=key, digest_size=8).digest(), "big") % folds
        found[row] = dealt[name]
    return found


def inverse_weights(p: Array, *, least: float) -> tuple[Array, float]:
    """(1 / max(p, ``least``) of each probability of answering (n,), the share of them that were below ``least``).

    A weight says for how many customers like this one an answer stands (Horvitz & Thompson, Journal of the American
    Statistical Association 47, 1952); clipped, a few rare answers cannot speak for everybody, at the price of a bias
    towards those who answer.
    """
    if not 0 < least <= 1:
        raise ValueError(f"{least} is no least probability: it is above 0, at most 1")
    chance = np.asarray(p, dtype=np.float64)
    clipped = float((chance < least).mean()) if len(chance) else 0.0
    return 1 / np.maximum(chance, least), clipped


def effective_size(weights: Array) -> float:
    """As many answers of equal weight would tell as much as these: ``(sum w)^2 / sum w^2``; 0 of none.

    Source: Kish, Survey Sampling (1965), section 11.7.
    """
    squares = float((weights * weights).sum())
    return float(weights.sum()) ** 2 / squares if squares > 0 else 0.0


def _in_step(
    X: Array, y: Array, weights: Array, held: list[np.ndarray[Any, Any]], *, kind: Kind, seed: int
) -> tuple[tuple[lgb.Booster, ...], int]:
    """The folds' boosters, grown round by round together, and the rounds of the least loss over all held-out rows."""
    import lightgbm as lgb

    params = {
        **PARAMETERS,
        "objective": "binary" if kind == "binary" else "regression",
        "metric": "binary_logloss" if kind == "binary" else "l2",
        "seed": seed,
        # Pre-filtering would leave out columns by the whole data's counts, which a fold may need otherwise.
        "feature_pre_filter": False,
    }
    data = lgb.Dataset(X, y, weight=weights, params=params, free_raw_data=False).construct()
    share = np.array([weights[rows].sum() for rows in held]) / weights.sum()
    boosters = []
    losses = np.empty(len(held))
    for fold, rows in enumerate(held):
        booster = lgb.Booster(params, data.subset(np.flatnonzero(~rows).tolist()))
        booster.add_valid(data.subset(np.flatnonzero(rows).tolist()), "held")
        boosters.append(booster)
        mean = float((weights[~rows] * y[~rows]).sum() / weights[~rows].sum())
        losses[fold] = _loss_of_mean(mean, y[rows], weights[rows], kind=kind)
    least, rounds = float((share * losses).sum()), 0
    for done in range(1, ROUNDS + 1):
        for fold, booster in enumerate(boosters):
            booster.update()
            losses[fold] = booster.eval_valid()[0][2]
        loss = float((share * losses).sum())
        if loss < least:
            least, rounds = loss, done
        elif done - rounds >= PATIENCE:
            break
    return tuple(booster.free_dataset() for booster in boosters), rounds


def _loss_of_mean(mean: float, y: Array, weights: Array, *, kind: Kind) -> float:
    loss = -np.log(np.where(y == 1, mean, 1 - mean)) if kind == "binary" else (y - mean) ** 2
    return float((weights * loss).sum() / weights.sum())
