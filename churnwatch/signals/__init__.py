"""Signals: the catalogue of what is watched, and the engine that computes it point in time."""

from churnwatch.signals.catalogue import (
    available,
    check_examples,
    check_signals,
    compute_example,
    model_columns,
    reads_text,
    without_remedy,
)
from churnwatch.signals.engine import Held, Limits, Matrix, build, hold, parts
from churnwatch.signals.events import event_columns
from churnwatch.signals.file import write, write_parts
from churnwatch.signals.spine import Spine, calendar, spine_of

__all__ = [
    "Held",
    "Limits",
    "Matrix",
    "Spine",
    "available",
    "build",
    "calendar",
    "check_examples",
    "check_signals",
    "compute_example",
    "event_columns",
    "hold",
    "model_columns",
    "parts",
    "reads_text",
    "spine_of",
    "without_remedy",
    "write",
    "write_parts",
]
