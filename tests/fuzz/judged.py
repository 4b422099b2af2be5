"""A case carried out and judged: how it ended, and what of that must not be."""

from __future__ import annotations

import contextlib
import json
import math
import traceback
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from unittest import mock

from churnwatch.errors import ChurnwatchError
from churnwatch.project import load_project, scaffold
from churnwatch.sources import Tables, early_sources, load
from churnwatch.spec import Deployment, ProjectSpec, Sources
from tests.command_line import ROOT, call
from tests.fuzz.cases import Case
from tests.fuzz.company import CANARIES, NOW

ALLOWED = (3, 4)
"""Exit codes of a project file, or data, that were refused."""


@dataclass(frozen=True)
class Ending:
    """How a case ended: ``accepted``, ``quarantined`` (accepted with rows set aside), ``3``, ``4`` or ``wrong``."""

    way: str
    wrong: tuple[str, ...] = ()


def judge(case: Case, directory: Path) -> Ending:
    """Load the case's files from ``directory``/data; of a ``whole`` case run the command line as well."""
    data = directory / "data"
    data.mkdir(parents=True, exist_ok=True)
    for old in data.iterdir():
        old.unlink()
    for name, content in case.files.items():
        (data / name).write_bytes(content)
    with (
        mock.patch("churnwatch.sources.raw.LARGE", 0) if case.format.endswith("in place") else contextlib.nullcontext()
    ):
        ending = _loaded(case, data)
        if case.whole:
            ending = _checked(case, directory, ending)
    return Ending("wrong", ending.wrong) if ending.wrong else ending


def _loaded(case: Case, data: Path) -> Ending:
    deployment = Deployment(deployment="fuzz", title="Fuzz", zone="UTC", currency="IDR", listing_model="churn")
    changes = {"deployment": deployment, "sources": Sources.model_validate(case.sources)}
    spec = _reference().model_copy(update=changes)
    try:
        tables = load(spec, data=data, now=NOW)
    except ChurnwatchError as error:
        return Ending(str(error.exit_code), tuple(_refusal(case, error)))
    except Exception:  # noqa: BLE001 - every other end is what the fuzz looks for
        return Ending("wrong", (traceback.format_exc(),))
    try:
        wrong = [*_accounting(case, tables), *_canonical(tables), *_warnings(tables)]
        tables.stale(NOW)
        early_sources(tables.con)
    except Exception:  # noqa: BLE001
        wrong = [f"the tables cannot be read: {traceback.format_exc()}"]
    finally:
        tables.con.close()
    aside = any(one.quarantined for one in tables.accounting)
    if not case.done and aside:
        wrong.append(f"a control has quarantined rows: {[one.quarantined for one in tables.accounting]}")
    return Ending("quarantined" if aside else "accepted", tuple(wrong))


@cache
def _reference() -> ProjectSpec:
    """This repository's own project: its families say which words are looked for in texts."""
    return load_project(ROOT, "demo")


def _refusal(case: Case, error: ChurnwatchError) -> list[str]:
    wrong = []
    if not case.done:
        wrong.append(f"a control is refused: {error.message}")
    if error.exit_code not in ALLOWED:
        wrong.append(f"exit code {error.exit_code}: {error.message}")
    if not error.found.strip():
        wrong.append("a refusal says nothing")
    return wrong + _told(error.message)


def _told(message: str, *, longest: int = 20_000) -> list[str]:
    """Complaints about a message: it repeats a customer, it is endless, it is a traceback."""
    wrong = [f"a message repeats {one!r}: {message[:600]}" for one in CANARIES if one in message]
    if len(message) > longest:
        wrong.append(f"a message of {len(message)} characters: {message[:300]}")
    if "Traceback" in message or "INTERNAL" in message:
        wrong.append(f"a message shows the inside: {message[:2000]}")
    return wrong


def _warnings(tables: Tables) -> list[str]:
    return [complaint for warning in tables.warnings for complaint in _told(warning)]


def _accounting(case: Case, tables: Tables) -> list[str]:
    """The law, row by row; of the damaged file also against what is known of it without the product."""
    wrong = []
    quarantine = tables.quarantine.to_pylist()
    for one in tables.accounting:
        aside, left_out = sum(one.quarantined.values()), sum(one.excluded.values())
        if one.read != one.accepted + left_out + aside or min(one.accepted, left_out, aside) < 0:
            wrong.append(f"the law is broken: {one}")
        kept = [row for row in quarantine if row["source"] == one.source]
        if len(kept) != aside or len({(row["line"], row["rule"]) for row in kept}) > aside:
            wrong.append(f"{aside} rows of {one.source} are quarantined and {len(kept)} kept")
        if any(row["line"] < 1 for row in kept):
            wrong.append(f"a row of {one.source} is quarantined with a line below 1")
        grouped = any(
            "select" in mapping
            for some in case.sources["tables"].values()
            for mapping in some
            if mapping["source"] == one.source
        )
        if not grouped and {one.accepted} != set(one.events.values()):
            wrong.append(f"each row of {one.source} makes one event: {one.accepted} accepted, {one.events}")
        if one.source == case.source and case.rows is not None and case.rows != one.read:
            wrong.append(f"{one.file} has {case.rows} rows, and {one.read} were read")
    return wrong


RULES = {
    "customers": """customer_id IS NULL OR trim(customer_id) = '' OR started_at IS NULL OR NOT isfinite(started_at)
        OR ended_at < started_at OR language NOT IN ('en', 'id') OR NOT value BETWEEN 0 AND 1e15
        OR do_not_contact IS NULL""",
    "interactions": """interaction_id IS NULL OR customer_id NOT IN (SELECT customer_id FROM customers) OR "at" IS NULL
        OR known_at IS NULL OR known_at < "at" OR known_at > $now OR NOT isfinite("at") OR kind IS NULL
        OR trim(kind) = '' OR NOT isfinite(amount)""",
    "surveys": """survey_id IS NULL OR customer_id NOT IN (SELECT customer_id FROM customers) OR sent_at IS NULL
        OR NOT isfinite(sent_at) OR sent_at > $now OR answered_at < sent_at OR answered_at > $now
        OR (answered_at IS NULL) <> (raw_score IS NULL) OR raw_score < scale_min OR raw_score > scale_max
        OR NOT isfinite(raw_score) OR (answered_at IS NOT NULL AND (scale_min >= scale_max OR scale_min IS NULL
        OR scale_max IS NULL OR higher_is_better IS NULL))""",
    "agents": "owner IS NULL OR trim(owner) = '' OR capacity < 0 OR away_to < away_from",
}
KEYS = {"customers": "customer_id", "interactions": "interaction_id", "surveys": "survey_id", "agents": "owner"}


def _canonical(tables: Tables) -> list[str]:
    """Every canonical row, read in full and judged by rules written apart from the product's."""
    wrong = []
    for table, rule in RULES.items():
        values = {"now": NOW.replace(tzinfo=None)} if "$now" in rule else {}
        broken = tables.con.execute(f"SELECT count(*) FROM {table} WHERE {rule}", values).fetchall()[0][0]
        if broken:
            wrong.append(f"{broken} rows of {table} break a rule")
        key = KEYS[table]
        twice = tables.con.execute(f"SELECT count(*) - count(DISTINCT {key}) FROM {table}").fetchall()[0][0]
        if twice:
            wrong.append(f"{twice} values of {table}.{key} repeat")
        for row in tables.con.execute(f"SELECT * FROM {table}").fetchall():
            if any(_odd(cell) for cell in row):
                wrong.append(f"a row of {table} holds a number that is not finite, or a time outside the calendar")
                break
    return wrong


def _odd(cell: Any) -> bool:
    if isinstance(cell, datetime):
        return not 1 <= cell.year <= 9999
    return isinstance(cell, float) and not math.isfinite(cell)


def _checked(case: Case, directory: Path, loaded: Ending) -> Ending:
    """The same through ``churnwatch check``: exit code, standard output, message."""
    project = directory / "project"
    if not project.is_dir():
        scaffold.init(project)
        folder = project / "configs" / "fuzz"
        folder.mkdir()
        told = {"deployment": "fuzz", "title": "Fuzz", "zone": "UTC", "currency": "IDR", "listing_model": "churn"}
        (folder / "deployment.yaml").write_text(json.dumps(told))
        (folder / "outreach.yaml").write_text(json.dumps({"default_action": "check_in"}))
    (project / "configs" / "fuzz" / "sources.yaml").write_text(json.dumps(case.sources))
    options = ("--project", project, "--deployment", "fuzz", "--data", directory / "data", "--json")
    try:
        said = call("check", *options)
    except Exception:  # noqa: BLE001
        return Ending("wrong", (*loaded.wrong, f"check: {traceback.format_exc()}"))
    wrong = [f"check: {complaint}" for complaint in (*_told(said.err), *_told(said.out, longest=200_000))]
    try:
        told = said.json
    except ValueError:
        wrong.append(f"check: standard output is no JSON: {said.out[:300]}")
    else:
        if (said.code == 0) != ("error" not in told):
            wrong.append(f"check: exit code {said.code}, and {sorted(told)} in the answer")
    if said.code not in (0, *ALLOWED) or (loaded.way in map(str, ALLOWED) and said.code != int(loaded.way)):
        wrong.append(f"check: exit code {said.code} where the load ended with {loaded.way}: {said.err[:600]}")
    return Ending(loaded.way, (*loaded.wrong, *wrong))
