"""Run the command line as a user does, and take pictures of what a project holds."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import sqlite3
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from churnwatch.cli import main

ROOT = Path(__file__).resolve().parents[1]
END = "2026-07-01"
"""The last day of the simulated company: as-of of its list."""


@dataclass(frozen=True)
class Said:
    """What a command gave: exit code, standard output, standard error."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """Standard output, which must be one JSON object and nothing else; NaN and Infinity are no JSON."""
        told = json.loads(self.out, parse_constant=_refuse)
        assert isinstance(told, dict)
        return told


def _refuse(constant: str) -> None:
    raise AssertionError(f"{constant} is no JSON")


def call(*arguments: object) -> Said:
    """``churnwatch ARGUMENTS`` inside this process."""
    out, err = io.StringIO(), io.StringIO()
    argv = ["churnwatch", *(str(one) for one in arguments)]
    code = 0
    with (
        mock.patch.object(sys, "argv", argv),
        mock.patch.dict(os.environ),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        # Workers of pytest-xdist are told a width, which would fold what a pipe gets whole.
        os.environ.pop("COLUMNS", None)
        try:
            main()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
    return Said(code, out.getvalue(), err.getvalue())


def spawn(*arguments: object, cwd: Path = ROOT) -> Said:
    """``python -m churnwatch ARGUMENTS`` in a process of its own."""
    command = [sys.executable, "-m", "churnwatch", *(str(one) for one in arguments)]
    done = subprocess.run(command, cwd=cwd, env=environment(), capture_output=True, text=True, check=False)
    return Said(done.returncode, done.stdout, done.stderr)


def environment() -> dict[str, str]:
    """This process's environment, in which ``python -m churnwatch`` is found from any directory."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}


def ok(said: Said) -> Said:
    """The same, where the command succeeded."""
    assert 0 == said.code, said.err
    return said


def refused(said: Said, code: int, *words: str) -> None:
    """A user's mistake: its exit code, one message with these words, what to try, no traceback, no result."""
    assert code == said.code, said.out + said.err
    assert "Traceback" not in said.err
    for word in words:
        assert word in said.err
    assert "  try: " in said.err
    assert "" == said.out


def tree(project: Path) -> dict[str, str]:
    """Every file of state/ and out/ with its digest; but for the ledger (see ``facts``) and the empty lock."""
    found = {}
    for folder in ("state", "out"):
        for path in sorted((project / folder).rglob("*")):
            name = path.relative_to(project).as_posix()
            if path.is_file() and path.name not in ("ledger.db", "lock"):
                found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
            elif path.is_dir() and path.parent == project / folder:
                found[name] = "a folder"
    return found


def facts(project: Path, table: str, deployment: str = "demo") -> list[dict[str, Any]]:
    """The rows of a ledger's table as they are stored; none where there is no ledger."""
    path = project / "state" / deployment / "ledger.db"
    if not path.exists():
        return []
    connection = sqlite3.connect(path)
    connection.row_factory = sqlite3.Row
    try:
        return [dict(row) for row in connection.execute(f"select * from {table} order by 1, 2")]
    finally:
        connection.close()


def ledger(project: Path) -> dict[str, list[dict[str, Any]]]:
    """Everything the ledger holds."""
    return {table: facts(project, table) for table in ("runs", "lists", "list_rows", "promotions")}


@contextlib.contextmanager
def untouched(project: Path) -> Any:
    """Nothing of state/, out/ and the ledger changes inside, but for the record of a run that failed."""
    before, told = tree(project), ledger(project)
    yield
    after = ledger(project)
    assert all(run["status"] == "failed" for run in after["runs"][len(told["runs"]) :])
    assert told == after | {"runs": after["runs"][: len(told["runs"])]}
    assert before == tree(project)
