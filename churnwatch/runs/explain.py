"""Explain: one customer's risk, the reasons with numbers, and what happened lately."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from churnwatch.errors import DataRefused, nearest
from churnwatch.health import bands
from churnwatch.learner import contributions, expected_scores, horizon_risks, margins, risk
from churnwatch.outcomes import check_as_of, observe
from churnwatch.outreach import Further
from churnwatch.reasons import Reason, reasons
from churnwatch.runs.further import champions_beside, foretells_answers, further_of, lacking, reasons_of, score_further
from churnwatch.runs.score import bundle_matrix, champion_of, extent
from churnwatch.runs.workspace import Report, Workspace, ledger, load_tables
from churnwatch.sources import SHAPES
from churnwatch.spec import Language

if TYPE_CHECKING:
    from churnwatch.sources import Tables

RECENT = 12
"""Interactions shown, the latest first."""


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
class Explained:
    """One customer at one as-of, by the listing model and by those further models that observe them."""

    customer: Mapping[str, Any]
    as_of: date
    model: str
    model_version: str
    answers: bool
    """Whether the risk is that of a bad answer to a survey, not of leaving."""
    risk: float
    band: str
    expected_score: float | None
    """0 (worst) to 1 (best); ``None`` of a model that expects none."""
    base_rate: float
    horizons: Mapping[str, float]
    """The risk within each horizon of the model, rising; empty where it has one."""
    reasons: Sequence[Reason]
    signals: Weighed
    further: Sequence[ExplainedFurther]
    notes: Sequence[str]
    """Why a further model says nothing."""
    interactions: Sequence[Mapping[str, Any]]
    surveys: Sequence[Mapping[str, Any]]

    def as_json(self) -> dict[str, Any]:
        """The machine-readable object of ``--json``."""
        return {
            "customer": dict(self.customer),
            "as_of": str(self.as_of),
            "model": self.model,
            "model_version": self.model_version,
            "answers": self.answers,
            "risk": self.risk,
            "band": self.band,
            "expected_score": self.expected_score,
            "base_rate": self.base_rate,
            "horizons": dict(self.horizons),
            "reasons": [asdict(reason) for reason in self.reasons],
            "signals": _weighed_json(self.signals),
            "also": [one.as_json() for one in self.further],
            "notes": list(self.notes),
            "interactions": [dict(one) for one in self.interactions],
            "surveys": [dict(one) for one in self.surveys],
        }


def explain(
    workspace: Workspace, customer_id: str, *, day: date, language: Language, report: Report | None = None
) -> Explained:
    """Explain one customer with the champions of the listing model and of the further models, as known on ``day``.

    Raises DataRefused for an unknown customer (with ids alike) and for one who is not observed that day.
    """
    tables = load_tables(workspace, report=report)
    name = workspace.spec.deployment.listing_model
    version, bundle = champion_of(workspace, name)
    first, end = extent(tables)
    as_of = check_as_of(day, zone=workspace.spec.deployment.zone, first=first, end=end)
    customer = _customer(tables, customer_id)
    observed = observe(tables, bundle.model, [as_of], to_score=True)
    spine = observed[observed["customer_id"] == customer_id].reset_index(drop=True)
    if spine.empty:
        raise DataRefused(
            f"{customer_id} is not observed by the model {name} on {day}",
            hint="had they left by then, not begun yet, or not been active? Choose another as-of",
        )
    matrix = bundle_matrix(tables, bundle, spine, report=report)
    fitted = bundle.fitted
    margin = margins(fitted, matrix.values)
    risks = risk(fitted.calibration, margin)
    score = expected_scores(fitted, margin)
    within = horizon_risks(fitted, margin, bundle.model.label_length)
    shares = contributions(fitted, matrix.values)[0]
    further, notes = _further(workspace, tables, customer_id, day=day, language=language, report=report)
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
    return Explained(
        customer=customer,
        as_of=day,
        model=name,
        model_version=version,
        answers=foretells_answers(bundle.model),
        risk=float(risks[0]),
        band=band,
        expected_score=None if score is None else float(score[0]),
        base_rate=fitted.base_rate,
        horizons={str(length): float(told[0]) for length, told in within.items()},
        reasons=() if _spoken_against(band, shares) else why,
        signals=_weighed(matrix.names, matrix.values[0], shares),
        further=further,
        notes=notes,
        interactions=_recent(
            tables,
            "interactions",
            '"at"',
            ("at", "kind", "channel", "direction", "topic", "agent", *tables.measures),
            customer_id,
            as_of,
            workspace.spec.deployment.zone,
            known="known_at",
        ),
        surveys=_recent(
            tables,
            "surveys",
            "sent_at",
            ("sent_at", "instrument", "answered_at", "raw_score"),
            customer_id,
            as_of,
            workspace.spec.deployment.zone,
            known="sent_at",
        ),
    )


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


def _customer(tables: Tables, customer_id: str) -> dict[str, Any]:
    columns = ("customer_id", "name", "owner", "segment", "language", "value", "do_not_contact")
    row = tables.con.execute(
        f"select {', '.join(columns)} from customers where customer_id = ?", [customer_id]
    ).fetchone()
    if row is None:
        known = [one for (one,) in tables.con.execute("select customer_id from customers").fetchall()]
        raise DataRefused(
            f"there is no customer {customer_id}",
            hint=nearest(customer_id, known) or "look the id up in outreach.csv or scores.parquet",
        )
    return dict(zip(columns, row, strict=True))


def _recent(
    tables: Tables,
    table: str,
    clock: str,
    columns: Sequence[str],
    customer_id: str,
    as_of: datetime,
    zone: str,
    *,
    known: str,
) -> list[dict[str, Any]]:
    """The latest rows known before as-of, times as local text; an answer that came later is not shown."""
    cut = f"timestamp '{as_of.astimezone(UTC).replace(tzinfo=None)}'"
    rows = tables.con.execute(
        f"""select {", ".join(f'"{name}"' for name in columns)} from {table}
        where customer_id = ? and {clock} < {cut} and {known} < {cut}
        order by {clock} desc, {SHAPES[table].key} desc limit {RECENT}""",
        [customer_id],
    ).fetchall()
    found = []
    for row in rows:
        told = dict(zip(columns, row, strict=True))
        if table == "surveys" and told["answered_at"] is not None:
            answered: datetime = told["answered_at"]
            if answered.replace(tzinfo=UTC) >= as_of:
                told.update(answered_at=None, raw_score=None)
        found.append({name: _local(value, zone) for name, value in told.items()})
    return found


def _local(value: Any, zone: str) -> Any:
    if isinstance(value, datetime):
        return f"{pd.Timestamp(value, tz='UTC').tz_convert(zone):%Y-%m-%d %H:%M}"
    return value
