"""FLAML on one split, in its own environment: `python models_flaml.py SPLIT.npz SECONDS OUT.npz`.

Run by `bench_models_peers.py`; imports nothing of churnwatch, because it is not installed there.
"""

from __future__ import annotations

import sys
import time

import numpy as np
import pandas as pd
from flaml import AutoML


def main(split: str, seconds: float, out: str) -> None:
    """Fit on X, y (ordered by as-of, so that the last rows choose), write the risks of X_test and the seconds taken."""
    with np.load(split, allow_pickle=False) as data:
        X, y, X_test = data["X"], data["y"], data["X_test"]
    names = [f"signal_{i}" for i in range(X.shape[1])]
    began = time.perf_counter()
    search = AutoML()
    search.fit(
        pd.DataFrame(X, columns=names),
        pd.Series(y.astype(int)),
        task="classification",
        metric="roc_auc",
        split_type="time",
        time_budget=seconds,
        seed=1,
        n_jobs=-1,
        verbose=0,
    )
    risks = search.predict_proba(pd.DataFrame(X_test, columns=names))[:, 1]
    np.savez(out, risks=risks, seconds=time.perf_counter() - began, best=str(search.best_estimator))


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), sys.argv[3])
