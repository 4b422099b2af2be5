"""Every error a user can cause, one class per exit code.

::

    ChurnwatchError
    ├── UsageError          2  the command line is wrong
    ├── ProjectError        3  a project file is wrong, or the ledger is newer than the program
    ├── DataRefused         4  the data break the contract, one-class labels, as-of outside the data
    ├── CheckFailed         5  a gate, an audit, a verification, too little to train on
    ├── NoUsableModel       6  none registered, damaged bundle
    ├── RunBusy             7  another run is on
    └── DeliveryFailed      8  a delivery failed or its fate is unknown, what was to be kept could not be written

A message says where, what was found, what is allowed and what to try. The command line prints it without
a traceback; anything that is not a ``ChurnwatchError`` is a bug and exits with 1.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class ChurnwatchError(Exception):
    """A user's mistake, in one message.

    Parameters: ``where`` is ``file:line`` or ``table.column``; ``found`` what stands there; ``allowed`` what
    may stand there; ``hint`` what to do next. Only ``found`` is required.
    """

    exit_code = 1

    def __init__(self, found: str, *, where: str = "", allowed: str = "", hint: str = "") -> None:
        self.where = where
        self.found = found
        self.allowed = allowed
        self.hint = hint
        super().__init__(self.message)

    @property
    def message(self) -> str:
        """The parts as lines: ``where: found``, then allowed and hint where given."""
        lines = [f"{self.where}: {self.found}" if self.where else self.found]
        if self.allowed:
            lines.append(f"  allowed: {self.allowed}")
        if self.hint:
            lines.append(f"  try: {self.hint}")
        return "\n".join(lines)


class UsageError(ChurnwatchError):
    """The command line is wrong."""

    exit_code = 2


class ProjectError(ChurnwatchError):
    """A file of the project is wrong, or the ledger's schema is newer than this program."""

    exit_code = 3


class DataRefused(ChurnwatchError):
    """The data break their contract, the labels have one class, or the as-of lies outside the data."""

    exit_code = 4


class CheckFailed(ChurnwatchError):
    """A check is not met: gate, audit, verification, too little to train on."""

    exit_code = 5


class NoUsableModel(ChurnwatchError):
    """No model is registered, or the bundle is damaged."""

    exit_code = 6


class RunBusy(ChurnwatchError):
    """Another run holds the lock."""

    exit_code = 7


class DeliveryFailed(ChurnwatchError):
    """A delivery failed, or nobody can tell whether it arrived; or what was to be kept could not be written."""

    exit_code = 8


def nearest(word: str, known: Iterable[str]) -> str:
    """A hint naming the known word most like ``word``; empty where none is alike."""
    close = difflib.get_close_matches(word, sorted(known), n=1, cutoff=0.6)
    return f"did you mean {close[0]}?" if close else ""
