"""How a row lies in a block, and a few words about time that all of the room uses."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

DAY = 86_400_000_000
"""Microseconds."""
NEVER = 2**62
"""An instant that does not come, and an age that no row reaches: the far end of all history."""

CUSTOMER, AT, KNOWN, FIRST_MEASURE = range(4)
"""The columns of a block's rows: ``customer << 32 | combination``, two clocks, then measures and codes of levels."""
MASK = 2**32 - 1
"""Keeps the combination of the first column, and the lower half of a large sum."""


def starts_of(counts: Iterable[int] | Array) -> Array:
    """Where each of some lists begins when they stand one after the other, and where the last ends."""
    return np.concatenate([[0], np.cumsum(np.fromiter(counts, np.int64))]).astype(np.int64)
