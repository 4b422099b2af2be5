"""Ranking: everybody observed on a day, in the order to list them by, with the words for why."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from churnwatch.errors import CheckFailed
from churnwatch.health import BANDS, places, rule_scores
from churnwatch.learner import contributions
from churnwatch.outcomes import grid, span
from churnwatch.reasons import Reason, reasons, says, word
from churnwatch.runs.cold_start import RULE, is_young, outcomes_so_far
from churnwatch.runs.curves import DAYS
from churnwatch.runs.observations import labelled
from churnwatch.runs.score import Scored, observed, scores, stale_warnings
from churnwatch.runs.study import baseline_scores, usable_columns
from churnwatch.runs.workspace import Report, Workspace
from churnwatch.signals import Held, Matrix, build
from churnwatch.spec import Language

if TYPE_CHECKING:
    from churnwatch.registry import Bundle
    from churnwatch.sources import Tables

Positions = np.ndarray[Any, Any]


class Why(NamedTuple):
    """The reasons of one row, and the contributions they are read off: (n_columns,), None where no model ranks."""

    reasons: tuple[Reason, ...]
    shares: np.ndarray[Any, np.dtype[np.float64]] | None = None


Told = list[Why]


@dataclass(frozen=True)
class Ranking:
    """Everybody observed at ``as_of``, and what ranks them.

    ``frame``: customer_id, as_of, margin, risk (NaN: a baseline ranks, which knows none), band, model_version, score
    (higher is worse), worthy (the band is high enough to be listed). ``reasons`` words the reasons of the rows at
    these positions of ``frame``, each in its language; nobody else is explained. ``matrix`` holds the
    signals by which they are ranked, ``bundle`` the model (None: a baseline ranks).
    """

    frame: pd.DataFrame
    version: str
    baseline: str | None
    as_of: datetime
    warnings: tuple[str, ...]
    reasons: Callable[[Positions, Sequence[Language]], Told]
    matrix: Matrix
    bundle: Bundle | None = None
    events: Held | None = None
    """The event rows the signals were computed from, of the last ``curves.DAYS`` days."""


def rank_by_model(
    workspace: Workspace,
    tables: Tables,
    name: str,
    *,
    day: date,
    version: str | None = None,
    report: Report | None = None,
) -> Ranking:
    """Rank by the margin of a model's ``version`` (the champion); worthy from the deployment's minimum band on."""
    scored = scores(workspace, tables, name, day=day, version=version, back=DAYS, report=report)
    least = BANDS.index(workspace.spec.outreach.minimum_band)
    frame = scored.frame.assign(
        score=scored.frame["margin"],
        worthy=[BANDS.index(band) >= least for band in scored.frame["band"]],
    )
    if is_young(scored.bundle):
        frame["rule_score"] = rule_scores(scored.matrix.values, scored.matrix.columns)

    def told(positions: Positions, languages: Sequence[Language]) -> Told:
        return by_contribution(workspace, scored, positions, languages)

    return Ranking(
        frame, scored.version, None, scored.as_of, scored.warnings, told, scored.matrix, scored.bundle, scored.events
    )


def rank_by_baseline(
    workspace: Workspace, tables: Tables, baseline: str, *, day: date, report: Report | None = None
) -> Ranking:
    """Rank by a baseline of the listing model; it knows no risk, so everybody is worthy as far as capacity goes."""
    model = workspace.model(workspace.spec.deployment.listing_model)
    columns, _ = usable_columns(workspace, tables, model)
    as_of, spine = observed(workspace, tables, model, day)
    matrix = build(tables, columns, spine, report=report)
    train = None
    if baseline == "logistic":
        within = span(tables, model)
        dates = grid(model, zone=workspace.spec.deployment.zone, span=within, complete_by=as_of)
        if not dates:
            raise CheckFailed(f"not enough history before {day} to fit the logistic baseline", hint="list by recency")
        train = labelled(tables, model, columns, dates, known_before=as_of, report=report)
    score = baseline_scores(model, matrix, train)[baseline]
    frame = pd.DataFrame(
        {
            "customer_id": spine["customer_id"],
            "as_of": spine["as_of"],
            "margin": score,
            "risk": np.nan,
            "band": "",
            "model_version": "none",
            "baseline": baseline,
            "score": score,
            "worthy": True,
        }
    )
    if baseline == RULE:
        frame["rule_score"] = score
    column: str | None = getattr(model.baselines, baseline, None)

    def told(positions: Positions, languages: Sequence[Language]) -> Told:
        if baseline == RULE:
            return _by_place(workspace, matrix, positions, languages)
        return _by_column(workspace, matrix, column, positions, languages)

    warnings = stale_warnings(tables, model, as_of)
    if baseline == RULE:
        so_far = outcomes_so_far(workspace, tables, model, as_of)
        warnings = (*((so_far.sentence,) if so_far.few else ()), *warnings)
    return Ranking(frame, "none", baseline, as_of, warnings, told, matrix)


def by_contribution(workspace: Workspace, scored: Scored, positions: Positions, languages: Sequence[Language]) -> Told:
    """The reasons of the rows at these positions of what is scored, by the model's contributions."""
    listed = scored.matrix.take(positions)
    fitted = scored.bundle.fitted
    shares = contributions(fitted, listed.values)
    told = _worded(workspace, listed, shares, fitted.usual, languages)
    return [Why(why.reasons, share) for why, share in zip(told, shares, strict=True)]


def _by_place(workspace: Workspace, matrix: Matrix, positions: Positions, languages: Sequence[Language]) -> Told:
    """The signs that stand furthest on the bad side among everybody's, against today's median."""
    there = ~np.isnan(matrix.values).all(axis=0)
    usual = {
        name: float(np.nanmedian(matrix.values[:, i])) if there[i] else None for i, name in enumerate(matrix.names)
    }
    shares = places(matrix.values, matrix.columns)[positions]
    return _worded(workspace, matrix.take(positions), shares, usual, languages)


def _worded(
    workspace: Workspace,
    listed: Matrix,
    shares: np.ndarray[Any, np.dtype[np.float64]],
    usual: Mapping[str, float | None],
    languages: Sequence[Language],
) -> Told:
    """The reasons of each listed row by the ``shares`` (n_rows, n_columns) of its columns, in its language."""
    return [
        Why(
            reasons(
                listed.columns,
                listed.values[i],
                shares[i],
                usual=usual,
                language=language,
                currency=workspace.spec.deployment.currency,
                most=workspace.spec.outreach.reasons,
            )
        )
        for i, language in enumerate(languages)
    ]


def _by_column(
    workspace: Workspace,
    matrix: Matrix,
    name: str | None,
    positions: Positions,
    languages: Sequence[Language],
) -> Told:
    """The one number a baseline ranks by, in words; random and logistic have none."""
    column = next((one for one in matrix.columns if one.name == name), None)
    if column is None:
        return [Why(()) for _ in positions]
    signals = {one.name: one.signal for one in matrix.columns}
    told: Told = []
    for position, language in zip(positions, languages, strict=True):
        known: Mapping[str, float] = dict(zip(matrix.names, matrix.values[position], strict=True))
        sentence = word(column, known, signals, language=language, currency=workspace.spec.deployment.currency)
        sign = says(column)
        reason = Reason(sentence, column.name, 0.0, column.signal.action, sign) if sentence else None
        told.append(Why((reason,) if reason else ()))
    return told
