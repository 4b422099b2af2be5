"""The rival: the model in use, as a candidate has to meet it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from churnwatch.errors import NoUsableModel
from churnwatch.learner import Calibration, Chosen, margins, refit
from churnwatch.runs.observations import Labelled
from churnwatch.runs.score import bundle_matrix
from churnwatch.runs.weighing import weighted
from churnwatch.runs.workspace import Workspace
from churnwatch.sources import mentions_of
from churnwatch.spec import Column, Family, Model, Words

if TYPE_CHECKING:
    from collections.abc import Sequence

    import sqlalchemy as sa

    from churnwatch.registry import Bundle
    from churnwatch.sources import Tables


@dataclass(frozen=True)
class Rival:
    """The version in use, and its margins on the test rows; ``None`` with a ``note`` that says why not."""

    version: str
    margins: np.ndarray[Any, np.dtype[np.float64]] | None
    note: Words | None


def rival_of(
    workspace: Workspace,
    engine: sa.Engine,
    tables: Tables,
    model: Model,
    *,
    columns: Sequence[Column],
    past: Labelled,
    tests: Sequence[Labelled],
) -> Rival | None:
    """What the champion would have said of the test rows; ``None`` where nobody is champion yet.

    The champion itself has usually learned what became of the test dates. So its recipe (its own catalogue, parameters
    and rounds, from its bundle) is fitted on ``past``, as the candidate was, and judged on the same rows of ``tests``.
    """
    from churnwatch.ledger import champion
    from churnwatch.registry import champion_bundle

    version = champion(engine, deployment=workspace.deployment, model=model.model)
    if version is None:
        return None
    try:
        bundle = champion_bundle(workspace.state, f"{workspace.deployment}.{model.model}", version)
    except NoUsableModel:
        note = Words(
            en=f"Not compared with the model in use, {version}: its copy is missing or damaged.",
            id=f"Tidak dibandingkan dengan model yang dipakai, {version}: salinannya hilang atau rusak.",
        )
        return Rival(version, None, note)
    if _definition(bundle.model) != _definition(model):
        note = Words(
            en=f"Not compared with the model in use, {version}: it predicts something else.",
            id=f"Tidak dibandingkan dengan model yang dipakai, {version}: yang diramalkannya lain.",
        )
        return Rival(version, None, note)
    if same_recipe(bundle, model, columns, workspace.spec.families):
        note = Words(
            en=f"The model in use, {version}, has the same recipe: there is nothing to compare.",
            id=f"Model yang dipakai, {version}, resepnya sama: tidak ada yang dibandingkan.",
        )
        return Rival(version, None, note)
    kept = weighted(past, model)[0].in_time()
    matrix = bundle_matrix(tables, bundle, kept.matrix.observations)
    chosen = Chosen(bundle.fitted.rounds, Calibration("none", (), ()), 0, "")
    fitted = refit(
        replace(kept.rows(), X=matrix.values),
        columns=matrix.names,
        directions=[column.direction for column in matrix.columns],
        settings=bundle.model.learner,
        chosen=chosen,
    )
    told = [margins(fitted, bundle_matrix(tables, bundle, one.matrix.observations).values) for one in tests]
    return Rival(version, np.concatenate(told), None)


def _definition(model: Model) -> tuple[object, ...]:
    """What is predicted, and of whom."""
    return model.outcome, model.population, model.gap, model.label_length


def same_recipe(bundle: Bundle, model: Model, columns: Sequence[Column], families: Sequence[Family]) -> bool:
    """Whether the champion reads the same numbers, by the same words, and learned from them by the same settings.

    ``columns`` are those the candidate reads, of the project's ``families``.
    """
    known = {column.name: column for family in bundle.families for column in family.columns}
    theirs = [known[name] for name in bundle.fitted.columns]
    read = {column.family for column in columns}
    words = [mentions_of(family for family in some if family.family in read) for some in (bundle.families, families)]
    return bundle.model.learner == model.learner and theirs == list(columns) and words[0] == words[1]
