"""Rows to learn from as the learner takes them, whose labels are complete some time after their date."""

from __future__ import annotations

from typing import Any

import numpy as np

from churnwatch.learner import Rows


def rows_of(X: np.ndarray, y: np.ndarray, dates: np.ndarray | None = None, *, reach: int = 1, **given: Any) -> Rows:
    """``dates`` (n,) all one day where left out; a label is complete ``reach`` seconds after its date."""
    days = np.full(len(y), np.datetime64("2026-01-01")) if dates is None else dates
    instants = days.astype("datetime64[us]")
    known_at = instants + np.timedelta64(reach, "s") - np.timedelta64(1, "us")
    return Rows(X, y, instants, known_at, **given)
