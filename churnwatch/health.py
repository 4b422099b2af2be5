"""Health of a customer in one word: the band a risk falls into."""

from __future__ import annotations

from typing import Any

import numpy as np

from churnwatch.spec import Bands

BANDS = ("healthy", "watch", "at_risk", "critical")
"""From best to worst."""


def bands(risks: np.ndarray[Any, np.dtype[np.float64]], *, base_rate: float, edges: Bands) -> list[str]:
    """The band of each risk (n,): the edges are multiples of the training base rate, each band's lower end included."""
    lower = np.array([edges.watch, edges.at_risk, edges.critical]) * base_rate
    return [BANDS[i] for i in np.searchsorted(lower, risks, side="right")]
