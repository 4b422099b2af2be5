"""The bundle served the MLflow way: ``loader_module`` of the logged pyfunc model (see ``tracking.py``)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from churnwatch import learner
from churnwatch.errors import DataRefused
from churnwatch.learner.fitted import Fitted
from churnwatch.registry.bundle import read_bundle

if TYPE_CHECKING:
    import pandas as pd


class Served:
    """A verified bundle with MLflow's ``predict``."""

    def __init__(self, fitted: Fitted) -> None:
        self._fitted = fitted

    def predict(self, frame: pd.DataFrame, params: dict[str, Any] | None = None) -> NDArray[np.float64]:
        """The calibrated risk (n,) of each row, the same to the last bit as ``learner.risks``.

        ``frame`` holds the model's columns by name, in any order, as float64 with NaN for missing; other
        columns are not looked at. ``params`` is MLflow's, and none is known. Raises DataRefused for a missing
        or repeated column or one of another type.
        """
        if params:
            raise DataRefused(f"no parameter is known here, got {', '.join(sorted(params))}")
        columns = list(self._fitted.columns)
        names = list(frame.columns)
        missing = [name for name in columns if name not in names]
        if missing:
            raise DataRefused(f"{len(missing)} of the model's {len(columns)} columns are missing", where=missing[0])
        repeated = [name for name in columns if names.count(name) > 1]
        if repeated:
            raise DataRefused("the column stands there more than once", where=repeated[0])
        chosen = frame[columns]
        for name, dtype in chosen.dtypes.items():
            if dtype != np.float64:
                raise DataRefused(f"the column is {dtype}", where=str(name), allowed="float64, NaN for missing")
        # Row by row in memory, as scoring has it: the two ways then differ in nothing.
        matrix = np.ascontiguousarray(chosen.to_numpy(dtype=np.float64))
        return learner.risks(self._fitted, matrix)


def _load_pyfunc(data_path: str) -> Served:
    """MLflow's hook. Verifies the bundle before LightGBM reads it; raises NoUsableModel when damaged."""
    return Served(read_bundle(Path(data_path)).fitted)
