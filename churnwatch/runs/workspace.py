"""Where a run works: a project, one of its deployments, the data, the clock, and the lock."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from churnwatch.errors import DeliveryFailed, ProjectError, RunBusy, nearest
from churnwatch.project import load_project
from churnwatch.signals import check_signals
from churnwatch.spec import Model, ProjectSpec, midnight

if TYPE_CHECKING:
    import sqlalchemy as sa

    from churnwatch.sources import Tables

Report = Callable[[str, int, int], None]
"""How a run tells its progress: (step, done, of how many)."""


@dataclass(frozen=True)
class Recall:
    """How far back the ledger is read: outcomes and vetoes up to these numbers, what lists before that one
    decided.
    """

    outcome_id: int
    before_list: int
    veto_id: int = 0


@dataclass(frozen=True)
class Workspace:
    """One deployment of a project, with its data directory and the injected now (aware UTC)."""

    root: Path
    data: Path
    spec: ProjectSpec
    now: datetime
    clock: Callable[[], datetime] | None = field(default=None, compare=False)
    """What the time is when a run ends; left out, a run ends when it began."""
    kept: dict[str, Tables] = field(default_factory=dict, repr=False, compare=False)
    """The tables, once read: a workspace sees one state of its data, however many runs use it."""
    ledger_url: str | None = None
    """A ledger in place of the one that deployment.yaml names."""
    recall: Recall | None = None
    """To make again what was made before: what the ledger told then; ``None``: all that it tells now."""

    @property
    def deployment(self) -> str:
        """The deployment's name."""
        return self.spec.deployment.deployment

    @property
    def state(self) -> Path:
        """What runs keep: ledger, tracking store, model copies, lock."""
        return self.root / "state" / self.deployment

    @property
    def ledger(self) -> str | Path:
        """Where the ledger is: a database's URL, or the file under ``state``."""
        return self.ledger_url or self.spec.deployment.ledger or self.state / "ledger.db"

    @property
    def out(self) -> Path:
        """What runs publish."""
        return self.root / "out" / self.deployment

    def model(self, name: str) -> Model:
        """A model of the project by name; ProjectError with the nearest where there is none."""
        models = self.spec.models
        if name not in models:
            raise ProjectError(
                f"there is no model {name}",
                where="models/",
                allowed=", ".join(sorted(models)),
                hint=nearest(name, models) or "name one of these",
            )
        return models[name]


def open_workspace(
    root: Path,
    *,
    deployment: str,
    data: Path | None,
    now: datetime,
    clock: Callable[[], datetime] | None = None,
    ledger_url: str | None = None,
) -> Workspace:
    """Read and check the project's files; ``data`` defaults to ``data/`` in the project.

    ``ledger_url`` names a ledger in place of the deployment's own.
    """
    spec = load_project(root, deployment)
    check_signals(spec.families)
    return Workspace(root, data if data is not None else root / "data", spec, now, clock, ledger_url=ledger_url)


def load_tables(workspace: Workspace, *, report: Report | None = None) -> Tables:
    """The deployment's canonical tables, read at the workspace's first use of them, with what the ledger tells by now:
    recorded contacts are interactions (of kind ``outreach``), and whom the holdout drew is known.
    """
    from churnwatch.runs.contacts import with_ledger
    from churnwatch.sources import load

    if "tables" not in workspace.kept:
        workspace.kept["tables"] = load(workspace.spec, data=workspace.data, now=workspace.now, report=report)
    if has_ledger(workspace):
        workspace.kept["tables"] = with_ledger(workspace, workspace.kept["tables"])
    return workspace.kept["tables"]


def as_known_on(workspace: Workspace, day: date) -> Workspace:
    """The workspace as a run on the morning of ``day`` would find it: its tables as known at that midnight.

    Its now is not later than that midnight, so what it writes down is of then.
    """
    from churnwatch.sources import as_known

    opens = midnight(day, workspace.spec.deployment.zone)
    return replace(
        workspace,
        now=min(workspace.now, opens),
        clock=None,
        kept={"tables": as_known(load_tables(workspace), opens)},
    )


@contextmanager
def ledger(workspace: Workspace) -> Iterator[sa.Engine]:
    """The deployment's ledger, open; ``DeliveryFailed`` where the database refuses what is asked of it."""
    from churnwatch.ledger import open_ledger, served

    engine = open_ledger(workspace.ledger)
    try:
        with served(engine):
            yield engine
    finally:
        engine.dispose()


def has_ledger(workspace: Workspace) -> bool:
    """Whether the deployment has a ledger yet; asking makes none."""
    from churnwatch.ledger import is_ledger

    return is_ledger(workspace.ledger)


@contextmanager
def lock(workspace: Workspace, *, within: str | None = None) -> Iterator[None]:
    """Hold the deployment's lock; RunBusy at once where another run holds it. A killed run's lock is free.

    ``within`` names a lock of its own, for long work that the daily run need not wait for.
    """
    place = workspace.state / within if within else workspace.state
    busy = RunBusy(
        f"another {'run' if within is None else within} of the deployment {workspace.deployment} is on",
        hint="wait until it has finished, then run again; nothing was changed",
    )
    with hold(place / "lock", busy=busy):
        yield


@contextmanager
def hold(path: Path, *, busy: RunBusy) -> Iterator[None]:
    """Hold the lock that is a file; ``busy`` where another holds it, ``DeliveryFailed`` where it cannot be written."""
    from filelock import FileLock, Timeout

    held = FileLock(path, timeout=0)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        held.acquire()
    except Timeout:
        raise busy from None
    except OSError as error:
        raise DeliveryFailed(
            f"the lock cannot be written: {error.strerror or error}",
            where=str(path),
            hint="make room or set the rights, then run again; nothing was changed",
        ) from None
    try:
        yield
    finally:
        held.release()
