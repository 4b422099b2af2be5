"""Check: do the project's files hold together, do the examples come true, and what do the data give?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Any

from churnwatch.evaluation import Suspect
from churnwatch.outcomes import grid, label, observe, span
from churnwatch.runs.card import definition
from churnwatch.runs.doubts import doubts, marked
from churnwatch.runs.facts import facts_of
from churnwatch.runs.suspects import find_suspects, model_file, suspect_words
from churnwatch.runs.workspace import Report, Workspace, load_tables
from churnwatch.signals import available, check_examples, model_columns, without_remedy
from churnwatch.spec import Column, Model, civil_day

if TYPE_CHECKING:
    from churnwatch.sources import Accounting, Lateness, Tables


@dataclass(frozen=True)
class Checked:
    """What a check found; everything that would have been wrong was raised instead."""

    examples: int
    accounting: Sequence[Accounting]
    lateness: Sequence[Lateness]
    quarantine: Sequence[Mapping[str, Any]]
    warnings: Sequence[str]
    signals: int
    skipped: Mapping[str, str]
    barred: Mapping[str, str]
    """The filled facts of customers that no signal may read, and why."""
    facts: Mapping[str, str]
    """Those that signals read, and since when they are known."""
    unused: Sequence[str]
    models: Sequence[Mapping[str, Any]]
    suspects: Sequence[Mapping[str, Any]]
    """Columns that know too much: model, column, auc, observations, why, acknowledged."""
    quarantine_file: Path | None

    def as_json(self) -> dict[str, Any]:
        """The machine-readable object of ``--json``; what stood in a quarantined row is in the file alone.

        It may be a customer's own words, which have no place in a log.
        """
        late = {one.source: _lateness(one) for one in self.lateness}
        return {
            "examples": self.examples,
            "sources": [
                {
                    **asdict(one),
                    "data_end": one.data_end.isoformat() if one.data_end else None,
                    "lateness": late.get(one.source),
                }
                for one in self.accounting
            ],
            "quarantine": [{key: one[key] for key in one if key != "found"} for one in self.quarantine],
            "quarantine_file": str(self.quarantine_file) if self.quarantine_file else None,
            "warnings": list(self.warnings),
            "signals": self.signals,
            "skipped": dict(self.skipped),
            "barred": dict(self.barred),
            "facts": dict(self.facts),
            "unused": list(self.unused),
            "models": [dict(one) for one in self.models],
            "suspects": [dict(one) for one in self.suspects],
        }


def _lateness(one: Lateness) -> dict[str, Any]:
    """Rows, and seconds from when they happened until they were known."""
    return {
        "rows": one.rows,
        "late": one.late,
        "share": one.share,
        "median_seconds": one.median,
        "p95_seconds": one.p95,
        "max_seconds": one.maximum,
    }


def check(workspace: Workspace, *, report: Report | None = None) -> Checked:
    """Check files, examples and sources; write the quarantined rows to ``state/<deployment>/quarantine.csv``.

    Raises ProjectError for the files and the examples, DataRefused for the data.
    """
    examples = check_examples(workspace.spec.families)
    tables = load_tables(workspace, report=report)
    usable, skipped = available(tables, workspace.spec.columns)
    quarantined = tables.quarantine.to_pylist()
    facts, barred = facts_of(tables)
    described = [_described(workspace, tables, name, report) for name in _in_use(workspace)]
    models = [workspace.model(name) for name in _in_use(workspace)]
    return Checked(
        examples=examples,
        accounting=tables.accounting,
        lateness=tables.lateness(),
        quarantine=quarantined,
        warnings=(
            *tables.warnings,
            *marked(tables, workspace.data),
            *doubts(tables, workspace.spec, models),
            *without_remedy(workspace.spec.families),
        ),
        signals=len(usable),
        skipped=skipped,
        barred=barred,
        facts=facts,
        unused=_unused(workspace, usable),
        models=[model for model, _ in described],
        suspects=[one for _, suspects in described for one in suspects],
        quarantine_file=_write_quarantine(workspace, quarantined),
    )


def _in_use(workspace: Workspace) -> tuple[str, ...]:
    deployment = workspace.spec.deployment
    return (deployment.listing_model, *deployment.also)


def _unused(workspace: Workspace, usable: Sequence[Column]) -> list[str]:
    """The families that these data have something for and no model names, in use or not, or replaced by the
    deployment's own, which may leave a family out on purpose: somebody may have forgotten to.
    """
    models = (*workspace.spec.models.values(), *workspace.spec.replaced)
    used = {family for model in models for family in model.families}
    return list(dict.fromkeys(column.family for column in usable if column.family not in used))


def _described(
    workspace: Workspace, tables: Tables, name: str, report: Report | None
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A model on these data: its outcome in words, who is observed, how many outcomes its complete labels hold.

    And its suspects.
    """
    model = workspace.model(name)
    zone = workspace.spec.deployment.zone
    within = span(tables, model)
    as_ofs = grid(model, zone=zone, span=within, complete_by=within.end)
    observations = observe(tables, model, as_ofs)
    labels = label(tables, model, observations, known_before=workspace.now)
    kept = labels[labels["told"]]
    suspects = find_suspects(workspace, tables, model, observations, labels, report=report)
    described = {
        "model": name,
        "file": model_file(workspace, name),
        "outcome": definition(model),
        "signals": len(available(tables, model_columns(workspace.spec, model))[0]),
        "slice_days": model.slice_length // 86_400 or None,
        "as_ofs": [str(civil_day(t, zone)) for t in as_ofs],
        "observations": len(kept),
        "outcomes": int(kept["outcome"].sum()),
        "base_rate": float(kept["outcome"].mean()) if len(kept) else None,
        "too_late": int(labels["too_late"].sum()),
    }
    return described, [_told(one, model) for one in suspects]


def _told(one: Suspect, model: Model) -> dict[str, Any]:
    return {
        "model": model.model,
        "column": one.column,
        "auc": None if isnan(one.auc) else one.auc,
        "observations": one.n,
        "why": suspect_words(one),
        "acknowledged": one.column in model.acknowledge,
    }


def _write_quarantine(workspace: Workspace, rows: Sequence[Mapping[str, Any]]) -> Path | None:
    """The quarantined rows as a file to work through; a file of an earlier check is replaced, or removed."""
    from churnwatch.delivery import quarantine_csv, replace_file

    path = workspace.state / "quarantine.csv"
    if not rows:
        path.unlink(missing_ok=True)
        return None
    replace_file(path, quarantine_csv(rows))
    return path
