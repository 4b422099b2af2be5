"""A project that makes a daily list of the simulated company: owners with full books, and a champion of 300 trees.

The model is a real one: trained on the smallest of the simulated companies, whose customers are like those of the
large ones, registered, and promoted in the ledger.
"""

from __future__ import annotations

import sys
import tempfile
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from ruamel.yaml import YAML

from churnwatch.learner import Calibration, Chosen, refit
from churnwatch.ledger import record_promotion
from churnwatch.registry import Bundle, keep_copy, write_bundle
from churnwatch.runs.observations import labelled
from churnwatch.runs.workspace import Workspace, ledger, load_tables, open_workspace
from tests.benchmarks.signals_command import FILES, SAID
from tests.benchmarks.signals_data import Size, data_of
from tests.benchmarks.signals_days import LAST

ROUNDS, LEAVES = 300, 31
PER_OWNER = 1_000
"""Customers of an owner."""
CAPACITY = 5
LEARNED_FROM = Size(20_000, 1_000_000)
NOW = LAST + timedelta(days=7)
DAY = (LAST + timedelta(hours=7)).date()
"""The day of the list, in Jakarta."""

MORE = {
    "configs/bench/outreach.yaml": {
        "default_action": "check_in",
        "capacity": CAPACITY,
        # A rule asks one of the model's columns and may take a place of each owner's.
        "proactive": {
            "bought": {"title": SAID, "when": {"column": "purchases_7d", "from": 1}, "action": "check_in"},
        },
    },
    "configs/bench/sources.yaml": {
        "sources": {**FILES["configs/bench/sources.yaml"]["sources"], "team": {"from": "agents.parquet"}},
        "tables": {
            **FILES["configs/bench/sources.yaml"]["tables"],
            "agents": [{"source": "team", "columns": {c: c for c in ("owner", "name", "language", "lead")}}],
        },
    },
}


def project_of(size: Size, scratch: Path) -> Workspace:
    """The project under ``scratch``, its data and its champion in place; nothing of it is read yet."""
    champion = _learned(_written(LEARNED_FROM, scratch / "small"))
    workspace = _written(size, scratch / "large")
    with tempfile.TemporaryDirectory(dir=scratch) as temporary:
        directory = Path(temporary, "bundle")
        version = write_bundle(directory, champion)
        workspace.state.mkdir(parents=True)
        keep_copy(workspace.state, champion.name, directory, version)
    with ledger(workspace) as engine:
        record_promotion(
            engine,
            deployment=workspace.deployment,
            model=champion.model.model,
            model_version=version,
            moved_at=NOW,
            by="bench",
            reason="to measure by",
            gate={},
        )
    return workspace


def opened(root: Path) -> Workspace:
    """The project that ``project_of`` has made."""
    return open_workspace(root, deployment="bench", data=root / "data", now=NOW)


def _written(size: Size, root: Path) -> Workspace:
    for name, content in {**FILES, **MORE}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", encoding="utf-8") as file:
            YAML(typ="safe").dump(content, file)
    made, data = data_of(size), root / "data"
    data.mkdir()
    (data / "interactions.parquet").symlink_to(made / "interactions.parquet")
    customers = pq.read_table(made / "customers.parquet")
    owners = [f"O{i:04d}" for i in range(max(1, size.customers // PER_OWNER))]
    mine = pa.array(np.random.default_rng(1).integers(0, len(owners), size.customers).astype(np.int32))
    theirs = pa.DictionaryArray.from_arrays(mine, owners).cast(pa.string())
    place = customers.schema.get_field_index("owner")
    pq.write_table(customers.set_column(place, "owner", theirs), data / "customers.parquet", compression="zstd")
    team = {
        "owner": owners,
        "name": [f"Agent {owner}" for owner in owners],
        "language": [("en", "id")[i % 2] for i in range(len(owners))],
        # Every tenth leads those before.
        "lead": [owners[min(i // 10 * 10 + 9, len(owners) - 1)] for i in range(len(owners))],
    }
    pq.write_table(pa.table(team), data / "agents.parquet")
    return opened(root)


def _learned(workspace: Workspace) -> Bundle:
    model, families = workspace.model("bench"), workspace.spec.families
    columns = [column for family in families for column in family.columns]
    print(f"  learning {ROUNDS} trees of {len(columns)} signals ...", file=sys.stderr, flush=True)
    as_ofs: list[datetime] = [LAST - timedelta(days=days) for days in (150, 120, 90)]
    tables = load_tables(workspace)
    found = labelled(tables, model, columns, as_ofs, known_before=NOW).in_time()
    learner = model.learner.model_copy(update={"parameters": {**model.learner.parameters, "num_leaves": LEAVES}})
    fitted = refit(
        found.rows(),
        columns=[column.name for column in columns],
        directions=[column.direction for column in columns],
        settings=learner,
        chosen=Chosen(ROUNDS, Calibration("none", (), ()), 0, ""),
    )
    tables.con.close()
    return Bundle(fitted, model, families, workspace.deployment, {"observations": len(found.outcome)})
