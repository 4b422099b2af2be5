"""The simulated company the tests of runs and of the command line work on: made once, copied for each test."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import postgres
import pytest
import sqlalchemy as sa
from browser import CHROMIUM, FLAGS
from command_line import Said, copied, ledger_of, lives_on, ok, spawn
from filelock import FileLock
from ledger_facts import fill

from churnwatch.ledger import open_ledger

CUSTOMERS = 1200
ON_POSTGRESQL = os.environ.get("CHURNWATCH_TEST_LEDGER", "sqlite") == "postgresql"
"""Whether the company's ledger, and that of every copy, is a PostgreSQL database: `make test-postgres`."""
SMALLER = {
    # The demo's own model wants more than so small a company has; the figures here are those of a quick test.
    "history: 120d": "history: 210d",
    "rounds: 300": "rounds: 60",
    "folds: 3": "folds: 2",
    "test_slices: 3": "test_slices: 2",
    "minimum_outcomes: 100": "minimum_outcomes: 20",
    "min_data_in_leaf: 100": "min_data_in_leaf: 40",
    "logistic_margin: 0.01": "logistic_margin: 0.1",
}


@dataclass(frozen=True)
class Company:
    """A project with data, a champion and the list of its last day; ``said`` is what making it printed."""

    root: Path
    said: Said


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The order of the files (``make test`` keeps them whole): those that run commands or train first, small ones last.

    So that no worker begins a long file when the other has ended. The second file is of the small ones: while one
    worker makes the company, the other need not wait. Within both groups the order stays random.
    """
    files: dict[Path, list[pytest.Item]] = {}
    for item in items:
        files.setdefault(item.path, []).append(item)

    def works(item: pytest.Item) -> bool:
        names = vars(getattr(item, "module", None) or object)
        return "company" in getattr(item, "fixturenames", ()) or not {"call", "spawn", "train"}.isdisjoint(names)

    long = [one for one in files.values() if any(works(item) for item in one)]
    short = [one for one in files.values() if one not in long]
    first = max(short, key=len, default=[])
    short = [one for one in short if one is not first]
    items[:] = [item for one in (*long[:1], first, *long[1:], *short) for item in one]


def make(directory: Path, *options: object, ledger: str | None = None) -> Said:
    """A demo in ``directory`` with the smaller model, through the real command line; its ledger at a URL or its own."""
    ok(spawn("init", directory))
    text = (directory / "models" / "churn.yaml").read_text()
    for old, new in SMALLER.items():
        assert old in text
        text = text.replace(old, new)
    (directory / "configs" / "demo" / "models").mkdir()
    (directory / "configs" / "demo" / "models" / "churn.yaml").write_text(text)
    # One model, so that what is tested of the list is of it; tests/test_further.py adds a second.
    deployment = directory / "configs" / "demo" / "deployment.yaml"
    deployment.write_text(re.sub(r"(?m)^also: \[.*?\]", "also: []", deployment.read_text()))
    if ledger:
        lives_on(directory, ledger)
    (directory / "data").mkdir()
    # The mark of an earlier demo: this project's files are kept, its data are simulated.
    (directory / "data" / "simulated.json").write_text("{}")
    return spawn("demo", "--dir", directory, "--customers", CUSTOMERS, "--json", *options)


@pytest.fixture(scope="session")
def company(request, tmp_path_factory, worker_id):
    """The company, shared by all workers of a run. Nobody writes into it: take ``project``."""
    base = tmp_path_factory.getbasetemp()
    shared = base if worker_id == "master" else base.parent
    with FileLock(shared / "company.lock"):
        told = shared / "company.json"
        if not told.exists():
            ledger = postgres.create(request.getfixturevalue("postgresql")) if ON_POSTGRESQL else None
            said = ok(make(shared / "company", ledger=ledger))
            told.write_text(json.dumps([said.code, said.out, said.err]))
        return Company(shared / "company", Said(*json.loads(told.read_text())))


@pytest.fixture
def project(company, tmp_path):
    """A copy of the company, this test's own."""
    root = copied(company.root, tmp_path / "project")
    yield root
    _drop_ledger(root)


@pytest.fixture
def untrained(company, tmp_path):
    """The company's project files and data, without state and lists."""
    root = copied(company.root, tmp_path / "untrained", without=("state", "out"))
    yield root
    _drop_ledger(root)


def _drop_ledger(root: Path) -> None:
    place = ledger_of(root)
    if place.startswith("postgresql"):
        postgres.drop(place, place)


@pytest.fixture(scope="session")
def postgresql(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> str:
    """The URL of this run's PostgreSQL server, shared by all workers; see ``postgres.create`` for databases on it."""
    if postgres.programs() is None:
        pytest.skip(postgres.MISSING)
    pytest.importorskip("psycopg", reason="psycopg is not installed: pip install 'churnwatch[postgres]'")
    base = tmp_path_factory.getbasetemp()
    alone = worker_id == "master"
    return postgres.serve(base if alone else base.parent, until=os.getpid() if alone else os.getppid())


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Where a ledger may be made: the path of no file yet, or the URL of an empty database."""
    if request.param == "sqlite":
        yield str(tmp_path / "empty" / "ledger.db")
        return
    server = request.getfixturevalue("postgresql")
    url = postgres.create(server)
    yield url
    postgres.drop(server, url)


@pytest.fixture(scope="session")
def made_on_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("made") / "ledger.db"
    open_ledger(path).dispose()
    return path


@pytest.fixture(scope="session")
def made_on_postgresql(postgresql: str) -> str:
    url = postgres.create(postgresql)
    open_ledger(url).dispose()
    return url


@pytest.fixture(scope="session")
def filled_on_sqlite(made_on_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = Path(shutil.copy(made_on_sqlite, tmp_path_factory.mktemp("filled") / "ledger.db"))
    fill(open_ledger(path))
    return path


@pytest.fixture(scope="session")
def filled_on_postgresql(postgresql: str, made_on_postgresql: str) -> str:
    url = postgres.create(postgresql, template=made_on_postgresql)
    fill(open_ledger(url))
    return url


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[sa.Engine]:
    """An empty ledger of the current schema on each database: a copy of one that was migrated once."""
    yield from _copy(request, tmp_path, f"made_on_{request.param}")


@pytest.fixture(params=["sqlite", "postgresql"])
def full(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[sa.Engine]:
    """A ledger of seven facts and a run that is on (see ``ledger_facts.fill``): a copy of one that was filled once."""
    yield from _copy(request, tmp_path, f"filled_on_{request.param}")


def _copy(request: pytest.FixtureRequest, tmp_path: Path, original: str) -> Iterator[sa.Engine]:
    made = request.getfixturevalue(original)
    if request.param == "sqlite":
        (tmp_path / "state").mkdir()
        yield open_ledger(shutil.copy(made, tmp_path / "state" / "ledger.db"))
        return
    url = postgres.create(made, template=made)
    yield open_ledger(url)
    postgres.drop(made, url)


@pytest.fixture(scope="session")
def browser():
    """Chromium without a window."""
    if CHROMIUM is None:
        pytest.skip("chromium is not installed")
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield started
        started.close()
