"""Run the command line as a user does, and take pictures of what a project holds."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any
from unittest import mock

import postgres
import sqlalchemy as sa

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


def ledger_of(project: Path, deployment: str = "demo") -> str:
    """Where a deployment's ledger is: the URL its file names, or the file under state/."""
    said = re.search(r"(?m)^ledger: (\S+)", (project / "configs" / deployment / "deployment.yaml").read_text())
    return said[1] if said else f"sqlite:///{project / 'state' / deployment / 'ledger.db'}"


def facts(project: Path, table: str, deployment: str = "demo") -> list[dict[str, Any]]:
    """The rows of a ledger's table as SQLite stores them, days and JSON as texts; none where there is no ledger."""
    place = ledger_of(project, deployment)
    if place.startswith("sqlite") and not Path(place.removeprefix("sqlite:///")).exists():
        return []
    with postgres.connected(place) as connection:
        if not sa.inspect(connection).has_table(table):
            return []
        found = connection.execute(sa.text(f"select * from {table} order by 1, 2")).mappings().all()
    return [{name: _stored(value) for name, value in row.items()} for row in found]


def _stored(value: Any) -> Any:
    if isinstance(value, (dict, list)):
        return json.dumps(value, sort_keys=True, ensure_ascii=False)
    return str(value) if isinstance(value, date) else int(value) if isinstance(value, bool) else value


def copied(source: Path, target: Path, *, without: tuple[str, ...] = ()) -> Path:
    """A copy of a project with a ledger of its own, ``without`` these folders; without state/ that ledger is empty."""
    shutil.copytree(source, target, ignore=shutil.ignore_patterns(*without))
    place = ledger_of(source)
    if place.startswith("postgresql"):
        new = postgres.create(place, template="template0" if "state" in without else place)
        lives_on(target, new)
    return target


def forget_ledger(project: Path) -> None:
    """Give a project an empty ledger in place of the one it has."""
    place = ledger_of(project)
    if place.startswith("postgresql"):
        lives_on(project, postgres.create(place))
    else:
        Path(place.removeprefix("sqlite:///")).unlink()


def lives_on(project: Path, url: str) -> None:
    """Let the demo's ledger of a project be at ``url``."""
    path = project / "configs" / "demo" / "deployment.yaml"
    text = re.sub(r"(?m)^ledger: .*\n", "", path.read_text())
    path.write_text(f"{text.rstrip()}\nledger: {url}\n")


def ledger(project: Path) -> dict[str, list[dict[str, Any]]]:
    """Everything the ledger holds."""
    return {table: facts(project, table) for table in ("runs", "lists", "list_rows", "promotions", "outcomes")}


@contextlib.contextmanager
def untouched(project: Path) -> Any:
    """Nothing of state/, out/ and the ledger changes inside, but for the record of a run that failed."""
    before, told = tree(project), ledger(project)
    yield
    after = ledger(project)
    assert all(run["status"] == "failed" for run in after["runs"][len(told["runs"]) :])
    assert told == after | {"runs": after["runs"][: len(told["runs"])]}
    assert before == tree(project)
