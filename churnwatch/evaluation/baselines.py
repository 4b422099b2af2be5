"""The rankings a model has to beat: chance, one signal, and a logistic regression on the same matrix."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from churnwatch.spec.signal import Direction

Numbers = NDArray[np.float64]
Ranker = Callable[[Numbers], Numbers]

BASELINES = ("random", "recency", "last_score", "tenure", "health", "logistic")
"""Beside every model, in this order (DESIGN §7); ``health`` is the rule score, which learns nothing."""
WIDEST = 5.0
"""Standardised values are clipped here, so that one freak value cannot carry a linear score."""
PENALTY = 1.0
"""Strength of the L2 penalty on the standardised weights (scikit-learn's ``1 / C``)."""


def random_scores(customer_ids: Iterable[str], *, seed: int) -> Numbers:
    """A number in [0, 1) per customer, a keyed hash of the id: the same customer and seed give the same
    number.
    """
    key = str(seed).encode()
    digests = (blake2b(name.encode(), digest_size=8, key=key).digest() for name in customer_ids)
    whole = np.frombuffer(b"".join(digests), dtype=">u8")
    return (whole >> np.uint64(11)).astype(np.float64) / 2.0**53


def column_scores(X: Numbers, columns: Sequence[str], *, name: str | None, direction: Direction = "up") -> Numbers:
    """One column of the matrix as a ranking: as it is for ``up`` and ``any``, negated for ``down``.

    ``X`` has shape (n, len(columns)). A missing value ranks with the median of the others. Where the
    deployment has no such column (``name`` is None, or not among ``columns``) or it is missing for everybody,
    all scores are 0: AUC 0.5.
    """
    if name is None or name not in columns:
        return np.zeros(len(X))
    values = X[:, list(columns).index(name)].astype(np.float64)
    missing = np.isnan(values)
    if missing.all():
        return np.zeros(len(X))
    values[missing] = np.median(values[~missing])
    return -values if direction == "down" else values


def logistic_scores(X_train: Numbers, y_train: NDArray[np.generic], X: Numbers) -> Numbers:
    """The log-odds (n,) a logistic regression gives the rows of ``X``; see ``logistic_ranker``."""
    return logistic_ranker(X_train, y_train)(X)


def logistic_ranker(X_train: Numbers, y_train: NDArray[np.generic]) -> Ranker:
    """A logistic regression fitted on the training rows only: rows of a matrix in, their log-odds (n,) out.

    Values become ``sign(v) log(1 + |v|)``, missing ones the training median, then standardised by training
    and clipped to ±5; L2 penalty 1. A column missing everywhere or constant in training carries nothing.
    Deterministic.
    """
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits

    train = _signed_log(X_train)
    present = ~np.isnan(train)
    median = np.zeros(train.shape[1])
    for column in np.flatnonzero(present.any(axis=0)):
        median[column] = np.median(train[present[:, column], column])
    train = np.where(present, train, median)
    centre, spread = train.mean(axis=0), train.std(axis=0)
    useful = spread > 1e-12 * np.maximum(1.0, np.abs(centre))

    def prepared(logged: Numbers) -> Numbers:
        filled = np.where(np.isnan(logged), median, logged)[:, useful]
        standard: Numbers = (filled - centre[useful]) / spread[useful]
        return np.clip(standard, -WIDEST, WIDEST)

    if not useful.any():
        return lambda X: np.zeros(len(X))
    regression = LogisticRegression(C=1 / PENALTY, max_iter=1_000)
    # Its products are small: two threads of BLAS took 2 to 15 times the work of one, waiting for each other. And one
    # gives the same digits whatever the number of cores.
    with threadpool_limits(limits=1, user_api="blas"):
        regression.fit(prepared(train), np.asarray(y_train, dtype=np.int64))

    def scores(X: Numbers) -> Numbers:
        found: Numbers = regression.decision_function(prepared(_signed_log(X)))
        return found

    return scores


def _signed_log(X: Numbers) -> Numbers:
    logged: Numbers = np.sign(X) * np.log1p(np.abs(X))
    return logged
