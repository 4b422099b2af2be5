"""Near-label suspects of a model on its own data: named by `check`, refused by `train` and `backtest`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from churnwatch.errors import CheckFailed
from churnwatch.evaluation import LIMIT, Suspect, suspects
from churnwatch.outcomes import grid, label, observe, span
from churnwatch.runs.workspace import Report, Workspace
from churnwatch.signals import available, build, event_columns, model_columns
from churnwatch.spec import Column, Language, Model, Where, level_text

if TYPE_CHECKING:
    from churnwatch.sources import Tables

SAMPLE = 20_000
"""Observations at most, drawn at random but always the same: of 4 % outcomes an AUC near 0.9 is then good to 0.005."""


def find_suspects(
    workspace: Workspace,
    tables: Tables,
    model: Model,
    observations: pd.DataFrame,
    labels: pd.DataFrame,
    *,
    report: Report | None = None,
) -> tuple[Suspect, ...]:
    """The model's columns that know too much on these labelled observations, then facts that no signal of it reads.

    The latter, ``customers.NAME``, are judged by what they are today, whether or not anybody can say since when: they
    are no column of the model, but would not be a good one.
    """
    columns, _ = available(tables, model_columns(workspace.spec, model))
    kept = np.flatnonzero(labels["told"].to_numpy())
    if len(kept) > SAMPLE:
        kept = np.sort(np.random.default_rng(1).choice(kept, SAMPLE, replace=False))
    now = observations.iloc[kept].reset_index(drop=True)
    outcome = labels["outcome"].to_numpy()[kept]
    gap = model.gap.seconds > 0
    then = now.assign(as_of=now["as_of"] + pd.Timedelta(seconds=model.gap.seconds))
    matrix = build(tables, columns, pd.concat([now, then], ignore_index=True) if gap else now, report=report)
    found = suspects(
        matrix.values[: len(now)],
        matrix.names,
        outcome,
        later=matrix.values[len(now) :] if gap else None,
        own=_own(model, columns),
    )
    read = {column.signal.measure for column in columns if column.table == "customers"} | {model.outcome.given}
    facts = [name for name in event_columns("customers", tables.measures_of("customers"))[1] if name not in read]
    return found + suspects(_facts(tables, facts, now["customer_id"]), [f"customers.{name}" for name in facts], outcome)


def refuse_suspects(
    workspace: Workspace, tables: Tables, model: Model, *, report: Report | None = None
) -> tuple[Suspect, ...]:
    """The suspects among the model's columns that its file acknowledges; CheckFailed where there is any other.

    What reads the outcome itself cannot be acknowledged: nobody can have known it in time.
    """
    within = span(tables, model)
    as_ofs = grid(model, zone=workspace.spec.deployment.zone, span=within, complete_by=within.end)
    observations = observe(tables, model, as_ofs)
    labels = label(tables, model, observations, known_before=workspace.now)
    found = find_suspects(workspace, tables, model, observations, labels, report=report)
    found = tuple(one for one in found if "." not in one.column)
    itself = [one for one in found if one.itself]
    if itself:
        told = "\n".join(f"    {one.column}: {suspect_words(one)}" for one in itself)
        raise CheckFailed(
            f"{len(itself)} of the model's columns are the outcome itself\n{told}",
            where=model_file(workspace, model.model),
            allowed="columns that could be known before the outcome",
            hint="take the signal out of its family, or its family out of the model",
        )
    unknown = [one for one in found if one.column not in model.acknowledge]
    if unknown:
        told = "\n".join(f"    {one.column}: {suspect_words(one)}" for one in unknown)
        names = ", ".join([*model.acknowledge, *(one.column for one in unknown)])
        raise CheckFailed(
            f"{len(unknown)} of the model's columns may be the outcome in disguise\n{told}",
            where=model_file(workspace, model.model),
            allowed=f"columns whose AUC alone is at most {LIMIT}, or that the model's file acknowledges by name",
            hint="ask when each became known and take out what is known only afterwards; of one that is surely known "
            f"in time say so: `acknowledge: [{names}]`",
        )
    return found


def suspect_words(one: Suspect, *, language: Language = "en") -> str:
    """Why, with the number: ``alone it tells the outcome (AUC 0.987 over 7,043 observations)``."""
    if language == "id":
        told = f"{one.auc:.3f}".replace(".", ","), f"{one.n:,}".replace(",", ".")
        if np.isnan(one.auc):
            return f"{one.why_id} (hasil pada {told[1]} pengamatan terlalu sedikit untuk mengukurnya)"
        return f"{one.why_id} (AUC {told[0]} pada {told[1]} pengamatan)"
    if np.isnan(one.auc):
        return f"{one.why} (too few outcomes among {one.n:,} observations to measure it)"
    return f"{one.why} (AUC {one.auc:.3f} over {one.n:,} observations)"


def model_file(workspace: Workspace, name: str) -> str:
    """Where the model is written down: the deployment's own file goes before the project's."""
    own = f"configs/{workspace.deployment}/models/{name}.yaml"
    return own if (workspace.root / own).exists() else f"models/{name}.yaml"


def _own(model: Model, columns: Sequence[Column]) -> dict[str, str]:
    """The columns that read nothing but the outcome itself."""
    event, given = model.outcome.event, model.outcome.given
    if given is not None:
        mine = [column for column in columns if column.table == "customers" and column.signal.measure == given]
        return {column.name: f"it reads {given}, the outcome itself" for column in mine}
    if event is None:
        return {}
    return {
        column.name: "its rows are the outcome's own rows"
        for column in columns
        if column.table == "interactions" and _implies(column.signal.where, event)
    }


def _implies(narrow: Where, wide: Where) -> bool:
    """Whether every row that matches ``narrow`` matches ``wide``, by what the two say."""

    def texts(where: Where, name: str) -> set[str]:
        wanted = where[name]
        return {level_text(one) for one in (wanted if isinstance(wanted, list) else [wanted])}

    return all(name in narrow and texts(narrow, name) <= texts(wide, name) for name in wide)


def _facts(
    tables: Tables, names: Sequence[str], customers: pd.Series
) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """These numbers of customers as they stand today (n, names), NaN missing."""
    made = np.full((len(customers), len(names)), np.nan)
    if names:
        columns = ", ".join(f'"{name}"' for name in names)
        rows = tables.con.execute(f"select customer_id, {columns} from customers").fetchall()
        known = {customer: numbers for customer, *numbers in rows}
        for place, customer in enumerate(customers):
            made[place] = [np.nan if number is None else number for number in known[customer]]
    return made
