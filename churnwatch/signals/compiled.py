"""Machine code from Python functions, kept between processes where a directory can be written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """``function`` compiled by numba at its first call, without the interpreter's lock while it runs.

    The machine code is cached beside the source or in the user's cache directory; where neither can be written (a
    read-only container) it is compiled anew in every process, which numba alone would refuse.
    """
    try:
        made: Any = njit(cache=True, nogil=True)(function)
    except RuntimeError:
        made = njit(nogil=True)(function)
    return cast(Function, made)
