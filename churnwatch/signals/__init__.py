"""Signals: the catalogue of what is watched, and the engine that computes it point in time."""

from churnwatch.signals.catalogue import (
    available,
    check_examples,
    check_signals,
    compute_example,
    model_columns,
)
from churnwatch.signals.engine import Matrix, build

__all__ = [
    "Matrix",
    "available",
    "build",
    "check_examples",
    "check_signals",
    "compute_example",
    "model_columns",
]
