"""Machine code from Python functions, kept between processes where a directory can be written."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

from numba import njit

Function = TypeVar("Function", bound=Callable[..., Any])

ROOM = hashlib.sha256(b"".join(path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py")))).digest()
"""What the files of this room hold: compiled functions call those of other files and have their constants in them."""


def compiled(function: Function) -> Function:
    """``function`` compiled by numba at its first call, without the interpreter's lock while it runs.

    The machine code is cached beside the source or in the user's cache directory, and is fresh while no file of this
    room has changed (numba alone asks only for the function's own file); where neither can be written (a read-only
    container) it is compiled anew in every process, which numba alone would refuse.
    """
    try:
        made: Any = njit(cache=True, nogil=True)(function)
        made._cache._cache_file._source_stamp = ROOM  # noqa: SLF001  # numba has no other way to say it
    except (RuntimeError, AttributeError):
        made = njit(nogil=True)(function)
    return cast(Function, made)
