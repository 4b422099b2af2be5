"""Standard output and standard error for a reader who may go before the end, as ``| head`` does."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import IO, Any, cast


class Patient:
    """A stream that writes on when its reader has gone: what comes then goes nowhere, and is no error."""

    def __init__(self, stream: IO[str]) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        """Write, or let it be."""
        try:
            return self.stream.write(text)
        except BrokenPipeError:
            self._forget()
            return len(text)

    def flush(self) -> None:
        """Flush, or let it be."""
        try:
            self.stream.flush()
        except BrokenPipeError:
            self._forget()

    def _forget(self) -> None:
        # Under the stream, not in its place: Python flushes the stream itself once more at its end.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self.stream.fileno())
        os.close(nowhere)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


@contextmanager
def patient() -> Iterator[None]:
    """Inside, standard output and standard error are patient; at the end both are flushed."""
    out, err = Patient(sys.stdout), Patient(sys.stderr)
    with redirect_stdout(cast(IO[str], out)), redirect_stderr(cast(IO[str], err)):
        try:
            yield
        finally:
            out.flush()
            err.flush()
