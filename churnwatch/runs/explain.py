"""Explain: one customer's whole story, the risk with its reasons and its curve, what happened, our lists."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from churnwatch.health import bands
from churnwatch.learner import contributions, expected_scores, horizon_risks, margins, risk
from churnwatch.learner import risks as risks_of
from churnwatch.outcomes import check_as_of, observe
from churnwatch.outreach import Further
from churnwatch.reasons import Reason, counterfactual, reasons
from churnwatch.runs.curves import curves
from churnwatch.runs.further import champions_beside, foretells_answers, further_of, lacking, reasons_of, score_further
from churnwatch.runs.score import bundle_matrix, champion_of, extent
from churnwatch.runs.story import Standing, customer_facts, days_with, lists_of, recent, standing
from churnwatch.runs.workspace import Report, Workspace, ledger, load_tables, lock
from churnwatch.spec import Bands, Language

if TYPE_CHECKING:
    from churnwatch.registry import Bundle
    from churnwatch.sources import Tables

Array = np.ndarray[Any, np.dtype[np.float64]]
Weighed = Sequence[tuple[str, float | None, float]]
"""(column, value, contribution), the strongest first."""


@dataclass(frozen=True)
class ExplainedFurther:
    """The same customer by a further model of the deployment: its numbers, its reasons and what weighs most in it."""

    said: Further
    model_version: str
    base_rate: float
    reasons: Sequence[Reason]
    signals: Weighed

    def as_json(self) -> dict[str, Any]:
        """The machine-readable object under ``also``."""
        return {
            **asdict(self.said),
            "model_version": self.model_version,
            "base_rate": self.base_rate,
            "reasons": [asdict(reason) for reason in self.reasons],
            "signals": _weighed_json(self.signals),
        }


@dataclass(frozen=True)
class Curve:
    """The risk on each of the last days by today's model, ``None`` where the customer was not observed."""

    days: Sequence[date]
    risks: Sequence[float | None]
    rising_since: date | None
    happened: Mapping[str, Sequence[str]]
    """The days with something of the customer's (``theirs``), of ours (``ours``), or an answer (``answers``)."""

    def as_json(self) -> dict[str, Any]:
        """The machine-readable object under ``curve``."""
        return {
            "days": [str(day) for day in self.days],
            "risks": list(self.risks),
            "happened": {lane: list(days) for lane, days in self.happened.items()},
        }


@dataclass(frozen=True)
class Risk:
    """What the listing model says of a customer it observes."""

    risk: float
    band: str
    expected_score: float | None
    """0 (worst) to 1 (best); ``None`` of a model that expects none."""
    horizons: Mapping[str, float]
    """The risk within each horizon of the model, rising; empty where it has one."""
    reasons: Sequence[Reason]
    signals: Weighed
    counterfactual: str | None
    curve: Curve | None
    """``None`` of a model that cannot look at any day: of a flat file, or at events."""


@dataclass(frozen=True)
class Explained:
    """One customer at one as-of, by the listing model and by those further models that observe them."""

    customer: Mapping[str, Any]
    as_of: date
    standing: Standing
    model: str
    model_version: str
    answers: bool
    """Whether the risk is that of a bad answer to a survey, not of leaving."""
    base_rate: float
    edges: Mapping[str, float]
    """The least risk of each band above healthy."""
    told: Risk | None
    """``None`` of whom the listing model does not observe, or who has announced that they leave."""
    further: Sequence[ExplainedFurther]
    notes: Sequence[str]
    """Why a further model says nothing."""
    interactions: Sequence[Mapping[str, Any]]
    surveys: Sequence[Mapping[str, Any]]
    lists: Sequence[Mapping[str, Any]]

    def as_json(self) -> dict[str, Any]:
        """The machine-readable object of ``--json``; what only a risk brings is None or empty without one."""
        told = self.told
        return {
            "customer": dict(self.customer),
            "as_of": str(self.as_of),
            "standing": self.standing.state,
            "standing_since": None if self.standing.on is None else str(self.standing.on),
            "model": self.model,
            "model_version": self.model_version,
            "answers": self.answers,
            "risk": told.risk if told else None,
            "band": told.band if told else None,
            "expected_score": told.expected_score if told else None,
            "base_rate": self.base_rate,
            "bands": dict(self.edges),
            "horizons": dict(told.horizons) if told else {},
            "rising_since": str(told.curve.rising_since) if told and told.curve and told.curve.rising_since else None,
            "reasons": [asdict(reason) for reason in told.reasons] if told else [],
            "counterfactual": told.counterfactual if told else None,
            "signals": _weighed_json(told.signals) if told else [],
            "curve": told.curve.as_json() if told and told.curve else None,
            "also": [one.as_json() for one in self.further],
            "notes": list(self.notes),
            "interactions": [dict(one) for one in self.interactions],
            "surveys": [dict(one) for one in self.surveys],
            "lists": [dict(one) for one in self.lists],
        }


def explain(
    workspace: Workspace, customer_id: str, *, day: date, language: Language, report: Report | None = None
) -> Explained:
    """Explain one customer with the champions of the listing model and of the further models, as known on ``day``.

    Who is not observed that day, has left or has announced it, is told without a risk. Raises DataRefused for an
    unknown customer, with ids alike.
    """
    tables = load_tables(workspace, report=report)
    zone = workspace.spec.deployment.zone
    name = workspace.spec.deployment.listing_model
    version, bundle = champion_of(workspace, name)
    first, end = extent(tables)
    as_of = check_as_of(day, zone=zone, first=first, end=end)
    customer = customer_facts(tables, customer_id, zone)
    spine = observe(tables, bundle.model, [as_of], to_score=True, customers=[customer_id])
    with ledger(workspace) as engine:
        stands = standing(
            workspace,
            engine,
            tables,
            bundle.model,
            customer_id,
            ended=customer["ended"],
            observed=not spine.empty,
            day=day,
            as_of=as_of,
        )
        lists = lists_of(workspace, engine, customer_id, day=day, language=language)
    told: Risk | None = None
    further: list[ExplainedFurther] = []
    notes: list[str] = []
    if stands.state == "observed":
        told = _risk(workspace, tables, bundle, spine, day=day, as_of=as_of, language=language, report=report)
        further, notes = _further(workspace, tables, customer_id, day=day, language=language, report=report)
    fitted = bundle.fitted
    return Explained(
        # An end that lies ahead may not have been known on that day.
        customer={**customer, "ended": customer["ended"] if stands.state == "left" else None},
        as_of=day,
        standing=stands,
        model=name,
        model_version=version,
        answers=foretells_answers(bundle.model),
        base_rate=fitted.base_rate,
        edges={band: min(fitted.base_rate * times, 1.0) for band, times in _edges(bundle.model.bands)},
        told=told,
        further=further,
        notes=notes,
        interactions=recent(tables, "interactions", customer_id, as_of, zone),
        surveys=recent(tables, "surveys", customer_id, as_of, zone),
        lists=lists,
    )


def publish_story(workspace: Workspace, told: Explained, *, language: Language) -> Path:
    """Publish the story as ``explain.html`` in ``out/<deployment>/<as-of>-explain/<customer>/``; returns the file."""
    from churnwatch.delivery import explain_html, publish

    customer_id = told.customer["customer_id"]
    directory = workspace.out / f"{told.as_of}-explain" / folder_of(customer_id)
    deployment = workspace.spec.deployment
    page = explain_html(
        told.as_json(),
        title=deployment.title,
        deployment=workspace.deployment,
        currency=deployment.currency,
        language=language,
    )
    with lock(workspace):
        publish(
            directory,
            {"explain.html": page},
            manifest={
                "deployment": workspace.deployment,
                "as_of": str(told.as_of),
                "customer": customer_id,
                "model": told.model,
                "model_version": told.model_version,
                "made_at": workspace.now.isoformat(),
            },
            replace=True,
        )
    return directory / "explain.html"


def folder_of(customer_id: str) -> str:
    """The id where it makes a plain directory's name on every system, else 16 hex digits of its sha256."""
    if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", customer_id, re.ASCII):
        return customer_id
    return hashlib.sha256(customer_id.encode()).hexdigest()[:16]


def _risk(
    workspace: Workspace,
    tables: Tables,
    bundle: Bundle,
    spine: pd.DataFrame,
    *,
    day: date,
    as_of: datetime,
    language: Language,
    report: Report | None,
) -> Risk:
    """What the listing model says of the one observation of ``spine``, and said on the days before."""
    fitted = bundle.fitted
    customer_id = str(spine["customer_id"].iloc[0])
    matrix = bundle_matrix(tables, bundle, spine, report=report)
    margin = margins(fitted, matrix.values)
    risks = risk(fitted.calibration, margin)
    score = expected_scores(fitted, margin)
    within = horizon_risks(fitted, margin, bundle.model.label_length)
    shares = contributions(fitted, matrix.values)[0]
    band = bands(risks, base_rate=fitted.base_rate, edges=bundle.model.bands)[0]
    why = reasons(
        matrix.columns,
        matrix.values[0],
        shares,
        usual=fitted.usual,
        language=language,
        currency=workspace.spec.deployment.currency,
        most=workspace.spec.outreach.reasons,
    )
    mended = counterfactual(
        matrix.columns,
        matrix.values[0],
        shares,
        usual=fitted.usual,
        risk_of=lambda rows: risks_of(fitted, rows),
        language=language,
        currency=workspace.spec.deployment.currency,
    )
    return Risk(
        risk=float(risks[0]),
        band=band,
        expected_score=None if score is None else float(score[0]),
        horizons={str(length): float(told[0]) for length, told in within.items()},
        reasons=() if _spoken_against(band, shares) else why,
        signals=_weighed(matrix.names, matrix.values[0], shares),
        counterfactual=None if mended is None else mended.sentence,
        curve=_curve(workspace, tables, bundle, customer_id, day=day, as_of=as_of, report=report),
    )


def _curve(
    workspace: Workspace,
    tables: Tables,
    bundle: Bundle,
    customer_id: str,
    *,
    day: date,
    as_of: datetime,
    report: Report | None,
) -> Curve | None:
    if bundle.model.outcome.given is not None or bundle.model.at_events:
        return None
    found = curves(workspace, tables, bundle, [customer_id], day=day, report=report)
    zone = workspace.spec.deployment.zone
    return Curve(
        days=found.days,
        risks=[None if np.isnan(one) else float(one) for one in found.risks[0]],
        rising_since=found.rising_since[0],
        happened=days_with(tables, customer_id, as_of, zone, days=len(found.days)),
    )


def _edges(edges: Bands) -> list[tuple[str, float]]:
    return [("watch", edges.watch), ("at_risk", edges.at_risk), ("critical", edges.critical)]


def _further(
    workspace: Workspace,
    tables: Tables,
    customer_id: str,
    *,
    day: date,
    language: Language,
    report: Report | None,
) -> tuple[list[ExplainedFurther], list[str]]:
    """What each further model says of the customer, and a sentence for each that says nothing."""
    if not workspace.spec.deployment.also:
        return [], []
    with ledger(workspace) as engine:
        asked = champions_beside(workspace, engine)
    found, notes = [], list(lacking(asked))
    for name, version in asked:
        if version is None:
            continue
        one = score_further(
            workspace, tables, name, day=day, version=version, customer_id=customer_id, warned=False, report=report
        )
        said = further_of([one], customer_id, language)
        if said is None:
            notes.append(f"{customer_id} is not observed by the model {name} on {day}.")
            continue
        [shares] = contributions(one.bundle.fitted, one.matrix.values)
        why = reasons_of(workspace, one, [customer_id], [language])[0]
        found.append(
            ExplainedFurther(
                said=said,
                model_version=version,
                base_rate=one.bundle.fitted.base_rate,
                reasons=() if _spoken_against(said.band, shares) else why,
                signals=_weighed(one.matrix.names, one.matrix.values[0], shares),
            )
        )
    return found, notes


def _spoken_against(band: str, shares: Array) -> bool:
    """Whether somebody is healthy as their signs together lower the risk: a small sign for it is no reason then."""
    return band == "healthy" and float(shares.sum()) <= 0


def _weighed(names: Sequence[str], values: Any, shares: Any) -> Weighed:
    order = np.argsort(-np.abs(shares), kind="stable")
    return [(names[i], None if np.isnan(values[i]) else float(values[i]), float(shares[i])) for i in order]


def _weighed_json(signals: Weighed) -> list[dict[str, Any]]:
    return [{"column": name, "value": value, "contribution": share} for name, value, share in signals]
