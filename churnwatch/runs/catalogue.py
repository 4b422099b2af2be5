"""The catalogue on a deployment's data: what each signal covers, what it says of the outcome, and one page of all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from churnwatch.aggregates import AGGREGATES
from churnwatch.errors import CheckFailed, UsageError, nearest
from churnwatch.evaluation import Catalogue, Coverage, Entry, clusters, coverage, measure
from churnwatch.outcomes import check_labels, grid, span
from churnwatch.reasons import word
from churnwatch.runs.card import definition
from churnwatch.runs.observations import Labelled, labelled
from churnwatch.runs.suspects import find_suspects, suspect_words
from churnwatch.runs.workspace import Report, Workspace, load_tables
from churnwatch.signals import available
from churnwatch.spec import Column, Family, Model, Signal, Words, civil_day

if TYPE_CHECKING:
    from datetime import datetime

    from churnwatch.sources import Tables

Array = np.ndarray[Any, np.dtype[np.float64]]
Codes = np.ndarray[Any, np.dtype[np.int64]]

ALIKE_ROWS = 4_000
"""Customers that rank correlations are computed over: enough for ±0.03, few enough for a second or two."""


@dataclass(frozen=True)
class Observed:
    """The observations of a model's complete grid with every signal of the catalogue that can be computed.

    ``rows`` has those that were not too late, ``observations`` and ``labels`` are of all; ``periods`` (n,) is the place
    of each of ``rows``' as-ofs among ``as_ofs``, ``customers`` (n,) a code for each one's customer.
    """

    tables: Tables
    model: Model
    as_ofs: Sequence[datetime]
    rows: Labelled
    observations: pd.DataFrame
    labels: pd.DataFrame
    skipped: dict[str, str]
    periods: Codes
    customers: Codes

    def column(self, name: str) -> Array:
        """One column's values, (n,)."""
        return self.rows.matrix.column(name)


@dataclass(frozen=True)
class Listed:
    """The catalogue as a table: of each signal the coverage of its columns, or why it is skipped."""

    model: str
    observations: int
    customers: int
    as_ofs: tuple[str, ...]
    families: tuple[Family, ...]
    coverage: dict[str, Coverage]
    skipped: dict[str, str]
    suspects: dict[str, str]

    def as_json(self) -> dict[str, Any]:
        """The machine-readable object of ``signals list --json``."""
        return {
            "model": self.model,
            "observations": self.observations,
            "customers": self.customers,
            "as_ofs": list(self.as_ofs),
            "signals": [
                {
                    "family": family.family,
                    "signal": signal.name,
                    "description": signal.description,
                    "windows": list(signal.windows),
                    "compare": signal.compare,
                    "direction": signal.direction,
                    "actionable": signal.actionable,
                    "skipped": self.skipped.get(signal.name),
                    "columns": [
                        {"column": column.name, "coverage": one.share, "nonzero": one.nonzero_share}
                        for column in columns_of(family, signal)
                        if (one := self.coverage.get(column.name))
                    ],
                }
                for family in self.families
                for signal in family.signals
            ],
            "suspects": self.suspects,
        }


@dataclass(frozen=True)
class Described:
    """One signal, or one column of it: the entry, what it stands among, and its picture's file (``None``: skipped)."""

    entry: Entry
    family: Family
    catalogue: Catalogue
    action: Words | None
    picture: Path | None

    def as_json(self) -> dict[str, Any]:
        """The machine-readable object of ``signals describe --json``."""
        about = self.catalogue
        return {
            **self.entry.as_json(),
            "definition": self.entry.signal.model_dump(mode="json"),
            "model": about.model,
            "outcome": about.outcome,
            "base_rate": about.base_rate,
            "as_ofs": [str(day) for day in about.as_ofs],
            "picture": str(self.picture) if self.picture else None,
        }


@dataclass(frozen=True)
class Reported:
    """The measured catalogue and the page written of it."""

    catalogue: Catalogue
    file: Path

    def as_json(self) -> dict[str, Any]:
        """The machine-readable object of ``signals report --json``: all numbers."""
        return {"file": str(self.file), **self.catalogue.as_json()}


def columns_of(family: Family, signal: Signal) -> list[Column]:
    """The columns a signal makes."""
    return [column for column in family.columns if column.signal.name == signal.name]


def listed(
    workspace: Workspace, *, model: str | None = None, family: str | None = None, report: Report | None = None
) -> Listed:
    """Coverage of the catalogue, or of one ``family``, on the observations of ``model`` (the listing model).

    Raises UsageError for an unknown family, CheckFailed where no observation is complete.
    """
    families = workspace.spec.families
    if family is not None:
        names = [one.family for one in families]
        if family not in names:
            raise UsageError(
                f"there is no family {family}",
                where="--family",
                allowed=", ".join(names),
                hint=nearest(family, names) or "name one of these",
            )
        families = tuple(one for one in families if one.family == family)
    columns = tuple(column for one in families for column in one.columns)
    found = observe_all(workspace, columns, model=model, report=report)
    return Listed(
        found.model.model,
        len(found.periods),
        int(found.customers.max()) + 1,
        tuple(str(day) for day in _days(workspace, found)),
        families,
        {column.name: coverage(column, found.column(column.name)) for column in found.rows.matrix.columns},
        found.skipped,
        _suspects(workspace, found, report),
    )


def described(
    workspace: Workspace, name: str, *, model: str | None = None, out: Path | None = None, report: Report | None = None
) -> Described:
    """The signal or column ``name`` in numbers, and its picture in ``out`` (left out: ``out/<deployment>/signals/``).

    Raises UsageError for an unknown name or a picture of another kind, CheckFailed and DataRefused as ``reported``.
    """
    from churnwatch.delivery import replace_file
    from churnwatch.evaluation.signal_picture import picture

    family, signal, columns = _named(workspace, name)
    path = out if out is not None else workspace.out / "signals" / f"{name}.png"
    if path.suffix not in (".png", ".svg") or path.is_dir():
        raise UsageError(f"{path} is no picture", where="--out", allowed="a file whose name ends in .png or .svg")
    found = observe_all(workspace, family.columns, model=model, report=report)
    _check(found)
    entry = _entry(workspace, found, family.family, signal, columns)
    about = _catalogue(workspace, found, {family.family: family.description}, [entry])
    if entry.skipped is None:
        drawn = picture(
            entry.measured,
            [found.column(one.column.name) for one in entry.measured],
            base_rate=about.base_rate,
            outcome=about.predicts.en,
            kind=path.suffix[1:],
        )
        replace_file(path, drawn)
    action = workspace.spec.playbook.actions[signal.action or workspace.spec.outreach.default_action]
    return Described(entry, family, about, action.title, path if entry.skipped is None else None)


def reported(
    workspace: Workspace,
    *,
    model: str | None = None,
    language: str = "en",
    out: Path | None = None,
    report: Report | None = None,
) -> Reported:
    """Measure the whole catalogue and write its page to ``out`` (left out: ``out/<deployment>/signals/``).

    Raises CheckFailed where no observation is complete or no signal can be computed, DataRefused where all
    observations came out the same, UsageError where ``out`` is no HTML file.
    """
    from churnwatch.delivery import replace_file, signals_html

    path = out if out is not None else workspace.out / "signals" / "signals.html"
    if path.suffix not in (".html", ".htm") or path.is_dir():
        raise UsageError(f"{path} is no page", where="--out", allowed="a file whose name ends in .html")
    families = workspace.spec.families
    found = observe_all(workspace, workspace.spec.columns, model=model, report=report)
    _check(found)
    signals = [(family, signal) for family in families for signal in family.signals]
    entries = []
    for place, (family, signal) in enumerate(signals):
        if report:
            report("measuring signals", place, len(signals))
        entries.append(_entry(workspace, found, family.family, signal, columns_of(family, signal)))
    if report:
        report("comparing signals", 0, 1)
    rows = _one_each(found)
    alike = clusters(found.rows.matrix.names, found.rows.matrix.values[rows])
    told = _catalogue(workspace, found, {family.family: family.description for family in families}, entries)
    told = replace(told, clusters=alike, suspects=_suspects(workspace, found, report))
    replace_file(path, signals_html(told, language=language))
    return Reported(told, path)


def observe_all(
    workspace: Workspace, columns: Sequence[Column], *, model: str | None = None, report: Report | None = None
) -> Observed:
    """Every observation of the model's complete grid, labelled, with those of ``columns`` that can be computed."""
    chosen = workspace.model(model or workspace.spec.deployment.listing_model)
    tables = load_tables(workspace, report=report)
    usable, skipped = available(tables, columns)
    within = span(tables, chosen)
    as_ofs = grid(chosen, zone=workspace.spec.deployment.zone, span=within, complete_by=within.end)
    every = labelled(tables, chosen, usable, as_ofs, known_before=workspace.now, report=report) if as_ofs else None
    rows = every.in_time() if every else None
    if every is None or rows is None or len(rows.outcome) == 0:
        raise CheckFailed(
            f"no observation of the model {chosen.model} is complete, so no signal can be measured",
            allowed=f"history of {chosen.history}, then gap and horizon, within the data",
            hint="load more history, or look at the model's population and at `churnwatch check`",
        )
    instants, periods = np.unique(rows.dates, return_inverse=True)
    ids: pd.Series = rows.matrix.observations["customer_id"]
    customers = ids.factorize()[0].astype(np.int64)
    # An as-of at which nobody was in time to act has no row, so it is no period.
    have = [t for t in as_ofs if np.datetime64(t.astimezone(UTC).replace(tzinfo=None), "us") in instants]
    return Observed(
        tables,
        chosen,
        have,
        rows,
        every.matrix.observations,
        every.labels,
        skipped,
        periods.astype(np.int64),
        customers,
    )


def _check(found: Observed) -> None:
    check_labels(pd.Series(found.rows.outcome), found.model, when="over the complete grid")
    if not found.rows.matrix.columns and not found.skipped:
        raise CheckFailed("the catalogue has no signal", where="features/")


def _days(workspace: Workspace, found: Observed) -> list[Any]:
    return [civil_day(t, workspace.spec.deployment.zone) for t in found.as_ofs]


def _catalogue(workspace: Workspace, found: Observed, families: dict[str, str], entries: Sequence[Entry]) -> Catalogue:
    counts = np.bincount(found.periods)
    bad = np.bincount(found.periods, weights=found.rows.outcome)
    deployment = workspace.spec.deployment
    return Catalogue(
        deployment=deployment.deployment,
        title=deployment.title,
        currency=deployment.currency,
        model=found.model.model,
        predicts=found.model.title,
        outcome=definition(found.model),
        as_ofs=tuple(_days(workspace, found)),
        periods=tuple((int(n), int(m)) for n, m in zip(counts, bad, strict=True)),
        customers=int(found.customers.max()) + 1,
        too_late=int(found.labels["too_late"].sum()),
        families=families,
        entries=tuple(entries),
    )


def _named(workspace: Workspace, name: str) -> tuple[Family, Signal, list[Column]]:
    """The signal of this name with all its columns, or the column of this name with its signal."""
    for family in workspace.spec.families:
        for signal in family.signals:
            if signal.name == name:
                return family, signal, columns_of(family, signal)
    for family in workspace.spec.families:
        for column in family.columns:
            if column.name == name:
                return family, column.signal, [column]
    known = [name for family in workspace.spec.families for name in (signal.name for signal in family.signals)]
    known += [column.name for column in workspace.spec.columns]
    raise UsageError(
        f"no signal and no column is called {name}",
        where="signals describe",
        allowed="a name of `churnwatch signals list`, or a column such as NAME_28d",
        hint=nearest(name, known) or "churnwatch signals list",
    )


def _entry(workspace: Workspace, found: Observed, family: str, signal: Signal, columns: Sequence[Column]) -> Entry:
    if signal.name in found.skipped:
        return Entry(family, signal, (), found.skipped[signal.name])
    told = []
    for column in columns:
        one = measure(
            column,
            found.column(column.name),
            found.rows.outcome,
            customers=found.customers,
            periods=found.periods,
        )
        told.append(replace(one, sentence=_sentence(workspace, found, column)))
    return Entry(family, signal, tuple(told))


def _sentence(workspace: Workspace, found: Observed, column: Column) -> Words | None:
    """The column's reason in both languages with the numbers of one observation that is on the worse side.

    Of those that can be told, the one three quarters of the way to the worst; no number of 0 and, of what moves, none
    that moves the good way, as long as there are others.
    """
    matrix = found.rows.matrix
    values = found.column(column.name)
    worse = -1.0 if column.direction == "down" else 1.0
    aggregate = AGGREGATES.get(column.signal.aggregate)
    moves = column.change or (aggregate is not None and aggregate.slope)
    present = np.flatnonzero(~np.isnan(values))
    telling = present[values[present] != 0]
    if moves and column.direction != "any":
        telling = present[values[present] * worse > 0]
    rows = telling if len(telling) else present
    order = rows[np.argsort(values[rows] * worse, kind="stable")]
    family = [i for i, one in enumerate(matrix.columns) if one.family == column.family]
    signals = {matrix.columns[i].name: matrix.columns[i].signal for i in family}
    start = 3 * len(order) // 4
    for row in order[start : start + 50]:
        numbers = {matrix.columns[i].name: float(matrix.values[row, i]) for i in family}
        currency = workspace.spec.deployment.currency
        en = word(column, numbers, signals, language="en", currency=currency)
        id = word(column, numbers, signals, language="id", currency=currency)
        if en is not None and id is not None:
            return Words(en=en, id=id)
    return None


def _suspects(workspace: Workspace, found: Observed, report: Report | None) -> dict[str, str]:
    """What of the model knows too much, and why; ``check`` names the same."""
    suspects = find_suspects(workspace, found.tables, found.model, found.observations, found.labels, report=report)
    known = dict.fromkeys(found.model.acknowledge, "; the model's file acknowledges it")
    return {one.column: suspect_words(one) + known.get(one.column, "") for one in suspects}


def _one_each(found: Observed) -> Codes:
    """Each customer's latest observation, at most ``ALIKE_ROWS`` of them, evenly taken: rows that are independent."""
    latest = np.zeros(int(found.customers.max()) + 1, dtype=np.int64)
    latest[found.customers] = np.arange(len(found.customers))
    if len(latest) > ALIKE_ROWS:
        latest = latest[np.linspace(0, len(latest) - 1, ALIKE_ROWS).astype(np.int64)]
    return np.sort(latest)
