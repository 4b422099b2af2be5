"""Further models beside the listing model: what they say of everybody, and whom they would list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from churnwatch.health import BANDS
from churnwatch.learner import contributions
from churnwatch.outcomes import observe
from churnwatch.outreach import Further
from churnwatch.reasons import Reason, reasons, speaks_for
from churnwatch.runs.score import bundle_matrix, champion_of, score_frame, score_warnings
from churnwatch.runs.workspace import Report, Workspace
from churnwatch.signals import Matrix
from churnwatch.spec import Language, Model, Outreach, midnight

if TYPE_CHECKING:
    import sqlalchemy as sa

    from churnwatch.registry import Bundle
    from churnwatch.sources import Tables

EARLIER = 28
"""Days between the two risks that say whether a customer's is growing."""
GROWS = 0.01
"""A rise of less than a whole point of risk would read as none."""

Asked = tuple[str, str | None]
"""A further model and its version; no version: it had no champion."""


@dataclass(frozen=True)
class FurtherScored:
    """One further model's word on everybody it observes at a day.

    ``frame``, with customer_id as its index: margin, risk, band, change (of the risk since 28 days before by the same
    bundle, NaN: not observed then), grows (bool), expected_score and expected_change (NaN: the model expects none),
    position (the row of ``matrix``, which has the day's rows only).
    """

    name: str
    version: str
    bundle: Bundle
    frame: pd.DataFrame
    matrix: Matrix
    warnings: tuple[str, ...]


def foretells_answers(model: Model) -> bool:
    """Whether the bad outcome of a model is a bad answer to a survey."""
    return model.outcome.answer is not None


def champions_beside(workspace: Workspace, engine: sa.Engine) -> tuple[Asked, ...]:
    """The deployment's further models with their champions, in the order of its file."""
    from churnwatch.ledger import champion

    names = workspace.spec.deployment.also
    return tuple((name, champion(engine, deployment=workspace.deployment, model=name)) for name in names)


def lacking(asked: Sequence[Asked]) -> tuple[str, ...]:
    """A sentence for each further model that is in use and has no champion."""
    return tuple(
        f"The model {name} (`also` in deployment.yaml) has no champion yet, so the list goes without it: "
        f"`churnwatch train {name}`."
        for name, version in asked
        if version is None
    )


def score_further(
    workspace: Workspace,
    tables: Tables,
    name: str,
    *,
    day: date,
    version: str | None = None,
    customer_id: str | None = None,
    warned: bool = True,
    report: Report | None = None,
) -> FurtherScored:
    """Score everybody observed on ``day``, and on the day four weeks before, by one bundle in one build.

    ``customer_id`` scores that customer alone; not ``warned`` leaves the warnings out. Raises NoUsableModel where the
    model has no champion and no ``version`` is named.
    """
    version, bundle = champion_of(workspace, name, version=version)
    zone = workspace.spec.deployment.zone
    now, then = midnight(day, zone), midnight(day - timedelta(days=EARLIER), zone)
    spine = observe(tables, bundle.model, [then, now], to_score=True)
    if customer_id is not None:
        spine = spine[spine["customer_id"] == customer_id].reset_index(drop=True)
    matrix = bundle_matrix(tables, bundle, spine, report=report)
    told = score_frame(bundle, matrix, version=version)
    if "expected_score" not in told:
        told["expected_score"] = np.nan
    today = (told["as_of"] == pd.Timestamp(now.astimezone(UTC).replace(tzinfo=None))).to_numpy()
    frame = told[today].set_index("customer_id")
    earlier = told[~today].set_index("customer_id").reindex(frame.index)
    frame["change"] = frame["risk"] - earlier["risk"]
    frame["grows"] = frame["change"] >= GROWS - 1e-12
    frame["expected_change"] = frame["expected_score"] - earlier["expected_score"]
    frame["position"] = np.arange(len(frame))
    warnings = score_warnings(workspace, tables, bundle, now) if warned else ()
    if warned and len(frame) and frame["change"].isna().all():
        warnings = (*warnings, f"nobody was observed {EARLIER} days before, so no risk can be seen to grow.")
    return FurtherScored(name, version, bundle, frame, matrix.take(np.flatnonzero(today)), warnings)


def with_further(
    ranked: pd.DataFrame,
    scored: Sequence[FurtherScored],
    outreach: Outreach,
    *,
    banded: bool,
    values: pd.Series | None = None,
) -> pd.DataFrame:
    """The ranking with ``further_place`` and ``further_score`` as ``outreach.choose`` wants them.

    A further model lists who is growing worse by it, from the deployment's minimum band on, and is not list-worthy by
    the listing model. A baseline knows no bands (not ``banded``) and finds everybody worthy: there whom a further model
    wants is its row. Of several such models the first in the deployment's order has a customer. With ``values`` (n,)
    the score is risk times value, else the margin.
    """
    place = np.full(len(ranked), np.nan)
    score = np.full(len(ranked), np.nan)
    least = BANDS.index(outreach.minimum_band)
    open_to = ~ranked["worthy"].to_numpy(dtype=bool) if banded else np.ones(len(ranked), dtype=bool)
    for i, one in reversed(list(enumerate(scored))):
        told = _beside(ranked, one)
        high = np.array([isinstance(band, str) and BANDS.index(band) >= least for band in told["band"]], dtype=bool)
        lists = open_to & high & told["grows"].eq(True).to_numpy()
        worth = told["margin"] if values is None else told["risk"] * values.to_numpy()
        place[lists], score[lists] = i, worth.to_numpy()[lists]
    return ranked.assign(further_place=place, further_score=score)


def further_columns(ranked: pd.DataFrame, scored: Sequence[FurtherScored]) -> pd.DataFrame:
    """What each further model says of the ranked, as columns of ``scores.parquet`` that begin with its name.

    NaN, and no band, where it does not observe the customer; no expected score from a model that has none.
    """
    found: dict[str, Any] = {}
    for one in scored:
        told = _beside(ranked, one)
        for name in ("risk", "band", "change", "expected_score", "expected_change"):
            if not name.startswith("expected") or one.frame["expected_score"].notna().any():
                found[f"{one.name}_{name}"] = told[name].to_numpy()
    return ranked.assign(**found)


def _beside(ranked: pd.DataFrame, one: FurtherScored) -> pd.DataFrame:
    """The further model's rows in the ranking's order; missing where it does not observe the customer."""
    return one.frame.reindex(ranked["customer_id"]).reset_index(drop=True)


def further_of(
    scored: Sequence[FurtherScored], customer_id: str, language: Language, *, listed_for: str | None = None
) -> Further | None:
    """The numbers beside a row: of the model it is listed for, else of the first that observes the customer."""
    for one in scored:
        if one.name != (listed_for or one.name) or customer_id not in one.frame.index:
            continue
        told = one.frame.loc[customer_id]
        return Further(
            model=one.name,
            title=one.bundle.model.title.in_language(language),
            answers=foretells_answers(one.bundle.model),
            risk=float(told["risk"]),
            band=told["band"],
            change=_known(told["change"]),
            expected_score=_known(told["expected_score"]),
            expected_change=_known(told["expected_change"]),
        )
    return None


def reasons_of(
    workspace: Workspace, one: FurtherScored, customers: Sequence[str], languages: Sequence[Language]
) -> list[tuple[Reason, ...]]:
    """The reasons of these customers, each in its language.

    Signs of the families under ``also_reasons`` (outreach.yaml), and only where none of these tells anything, of any.
    """
    listed = one.matrix.take(one.frame["position"].loc[list(customers)].to_numpy())
    shares = contributions(one.bundle.fitted, listed.values)
    first = np.array([column.family in workspace.spec.outreach.also_reasons for column in listed.columns], dtype=bool)
    told = []
    for i, language in enumerate(languages):
        # What lowers the risk once the other families are counted too is no reason.
        chosen = first & speaks_for(listed.columns, shares[i])
        for counted in (np.where(chosen, shares[i], 0.0), shares[i]):
            found = reasons(
                listed.columns,
                listed.values[i],
                counted,
                usual=one.bundle.fitted.usual,
                language=language,
                currency=workspace.spec.deployment.currency,
                most=workspace.spec.outreach.reasons,
            )
            if found:
                break
        told.append(found)
    return told


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
