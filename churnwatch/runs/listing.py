"""Listing: from a day's ranking to finished rows and the bytes of their files; nothing is published here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

import churnwatch
from churnwatch.delivery.row_words import instrument_words
from churnwatch.health import BANDS
from churnwatch.outreach import Further, ListRow, choose, suggest
from churnwatch.reasons import Reason
from churnwatch.runs.cold_start import RULE, outcomes_so_far
from churnwatch.runs.further import (
    Asked,
    FurtherScored,
    champions_beside,
    foretells_answers,
    further_columns,
    further_of,
    lacking,
    reasons_of,
    score_further,
    with_further,
)
from churnwatch.runs.observations import capacities
from churnwatch.runs.ranking import Ranking, rank_by_baseline, rank_by_model
from churnwatch.runs.workspace import Report, Workspace, load_tables
from churnwatch.spec import Language, civil_day, midnight

if TYPE_CHECKING:
    import sqlalchemy as sa

    from churnwatch.ledger import IssuedList
    from churnwatch.sources import Tables


@dataclass(frozen=True)
class Made:
    """A list not yet published."""

    rows: Sequence[ListRow]
    files: Mapping[str, bytes]
    manifest: Mapping[str, Any]
    model: str
    version: str
    baseline: str | None
    also: tuple[Asked, ...] = ()


def make_list(
    workspace: Workspace,
    engine: sa.Engine,
    *,
    day: date,
    baseline: str | None = None,
    revision: int = 1,
    report: Report | None = None,
) -> Made:
    """The list of ``day`` as today's champion of the listing model, or a ``baseline``, makes it.

    Without a champion, and with too few outcomes to train one, the rule score makes it and says so. The champions of
    the further models (``also``) list beside it; one without a champion is done without.
    """
    from churnwatch.ledger import champion

    tables = load_tables(workspace, report=report)
    name = workspace.spec.deployment.listing_model
    if baseline is None and champion(engine, deployment=workspace.deployment, model=name) is None:
        opens = midnight(day, workspace.spec.deployment.zone)
        if outcomes_so_far(workspace, tables, workspace.model(name), opens).few:
            baseline = RULE
    if baseline is None:
        ranking = rank_by_model(workspace, tables, name, day=day, report=report)
    else:
        ranking = rank_by_baseline(workspace, tables, baseline, day=day, report=report)
    also = champions_beside(workspace, engine)
    return _finished(workspace, engine, tables, ranking, name, also, day=day, revision=revision, report=report)


def make_again(workspace: Workspace, engine: sa.Engine, issued: IssuedList, *, report: Report | None = None) -> Made:
    """An issued list once more, by the versions or baseline and beside the lists it was issued by and beside."""
    tables = load_tables(workspace, report=report)
    if issued.baseline is None:
        ranking = rank_by_model(
            workspace, tables, issued.model, day=issued.as_of, version=issued.model_version, report=report
        )
    else:
        ranking = rank_by_baseline(workspace, tables, issued.baseline, day=issued.as_of, report=report)
    return _finished(
        workspace,
        engine,
        tables,
        ranking,
        issued.model,
        issued.also,
        day=issued.as_of,
        revision=issued.revision,
        issued_before=issued.list_id,
        report=report,
    )


def _finished(
    workspace: Workspace,
    engine: sa.Engine,
    tables: Tables,
    ranking: Ranking,
    model: str,
    also: Sequence[Asked],
    *,
    day: date,
    revision: int,
    issued_before: int | None = None,
    report: Report | None,
) -> Made:
    from churnwatch.delivery import list_name, outreach_csv, outreach_html, scores_parquet
    from churnwatch.ledger import previous_risks, previously_by

    spec = workspace.spec
    further = [
        score_further(workspace, tables, name, day=day, version=version, report=report)
        for name, version in also
        if version is not None
    ]
    frame = ranking.frame
    if further:
        frame = with_further(frame, further, spec.outreach, banded=ranking.baseline is None)
    people = _people(tables, ranking.as_of)
    joined = frame.merge(people, on="customer_id", how="left", validate="one_to_one")
    joined["position"] = np.arange(len(joined))
    has_owners = joined["owner"].notna().any()
    capacity = capacities(tables, default=spec.outreach.capacity) if has_owners else None
    chosen, counts, _ = choose(
        joined, capacity=capacity, total=spec.outreach.capacity_total, also_share=spec.outreach.also_share
    )
    records = chosen.to_dict("records")
    languages = [_language(workspace, row) for row in records]
    if report:
        report("explaining", 0, len(chosen))
    told = _reasons(workspace, ranking, further, chosen, languages)
    if report:
        report("explaining", len(chosen), len(chosen))
    before = previous_risks(
        engine,
        deployment=workspace.deployment,
        before=day,
        model=model,
        model_version=ranking.version,
        issued_before=issued_before,
    )
    answers = foretells_answers(workspace.model(model))
    rows = []
    for record, language, why in zip(records, languages, told, strict=True):
        lists = further[int(record["further_place"])] if record["for_further"] else None
        beside = further_of(further, record["customer_id"], language, listed_for=lists.name if lists else None)
        row = _row(workspace, record, language, why, day=day, ranking=ranking, before=before, answers=answers)
        rows.append(_listed_by(row, lists, beside, model=model))
    by = f"baseline:{ranking.baseline}" if ranking.baseline else "model"
    before_by = previously_by(engine, deployment=workspace.deployment, before=day, issued_before=issued_before)
    switched = () if before_by in (None, by) else (_switch(before_by, by),)
    of_further = (f"{one.name}: {said}" for one in further for said in one.warnings if said not in ranking.warnings)
    warnings = (*switched, *ranking.warnings, *of_further)
    files = {
        "outreach.csv": outreach_csv(rows, name=list_name(workspace.deployment, day, revision)),
        "outreach.html": outreach_html(
            rows,
            title=spec.deployment.title,
            as_of=day,
            deployment=workspace.deployment,
            currency=spec.deployment.currency,
            language=spec.deployment.languages[0],
            summary={"observed": counts.observed},
            warnings=warnings,
            revision=revision,
        ),
        "scores.parquet": scores_parquet(
            further_columns(ranking.frame.drop(columns=["score", "worthy"]), further),
        ),
    }
    manifest = {
        "deployment": workspace.deployment,
        "as_of": str(day),
        "revision": revision,
        "model": model,
        "model_version": ranking.version,
        "baseline": ranking.baseline,
        "answers": answers,
        "also": [
            {
                "model": name,
                "model_version": version,
                "listed": sum(row.listed_for == name for row in rows),
                "title": workspace.model(name).title.model_dump(),
                "answers": foretells_answers(workspace.model(name)),
            }
            for name, version in also
        ],
        "previously_by": before_by,
        "counts": asdict(counts),
        "bands": {band: int((ranking.frame["band"] == band).sum()) for band in BANDS},
        "explained": len(rows),
        # What only the operator can mend stands here and not on the page.
        "warnings": [*warnings, *lacking(also)],
        "program": churnwatch.__version__,
        "made_at": workspace.now.isoformat(),
    }
    return Made(rows, files, manifest, model, ranking.version, ranking.baseline, tuple(also))


def _reasons(
    workspace: Workspace,
    ranking: Ranking,
    further: Sequence[FurtherScored],
    chosen: pd.DataFrame,
    languages: Sequence[Language],
) -> list[tuple[Reason, ...]]:
    """Why each is listed, by the model that lists it."""
    told: list[tuple[Reason, ...]] = [()] * len(chosen)
    by_further = chosen["for_further"].to_numpy(dtype=bool)
    place = chosen["further_place"].to_numpy() if further else np.full(len(chosen), np.nan)
    for i in (None, *range(len(further))):
        rows = np.flatnonzero(~by_further if i is None else by_further & (place == i)).tolist()
        spoken = [languages[row] for row in rows]
        if i is None:
            found = ranking.reasons(chosen["position"].to_numpy()[rows], spoken)
        else:
            found = reasons_of(workspace, further[i], list(chosen["customer_id"].iloc[rows]), spoken)
        for row, why in zip(rows, found, strict=True):
            told[row] = why
    return told


def _listed_by(row: ListRow, by: FurtherScored | None, beside: Further | None, *, model: str) -> ListRow:
    """The row with what a further model says; where that model lists it, the row is its own."""
    if by is None:
        return replace(row, listed_for=model, further=beside)
    return replace(row, listed_for=by.name, further=beside, model_version=by.version, baseline=None)


def _switch(before: str | None, now: str) -> str:
    ways = {"model": "the model", "baseline:health": "the rule score"}
    first, second = (ways.get(str(way), str(way).replace("baseline:", "the baseline ")) for way in (before, now))
    return f"From this list on {second} ranks; until the list before it was {first}. Places may change for that alone."


def _people(tables: Tables, as_of: datetime) -> pd.DataFrame:
    """What a row says of the customer beside the risk, as known at as-of."""
    cut = f"timestamp '{as_of.astimezone(UTC).replace(tzinfo=None)}'"
    found = tables.con.execute(
        f"""with contact as (
            -- What the customer did, not what we or a machine did.
            select customer_id, epoch_us(max("at")) as last_contact from interactions
            where known_at < {cut} and "at" < {cut} and coalesce(direction, 'in') = 'in' group by customer_id
        ), survey as (
            select customer_id, arg_max(instrument, answered_at) as instrument,
                   arg_max(raw_score, answered_at) as raw_score, epoch_us(max(answered_at)) as answered_at
            from (select * from surveys where answered_at < {cut} order by answered_at, survey_id)
            group by customer_id
        )
        select customer_id, customers.name, do_not_contact or coalesce(ended_at <= {cut}, false), owner, value,
               customers.language, agents.name as owner_name, agents.language as owner_language,
               last_contact, instrument, raw_score, answered_at
        from customers left join agents using (owner) left join contact using (customer_id)
        left join survey using (customer_id) order by customer_id"""
    ).fetchall()
    names = (
        "customer_id", "customer_name", "do_not_contact", "owner", "value", "language",
        "owner_name", "owner_language", "last_contact", "instrument", "raw_score", "answered_at",
    )  # fmt: skip
    return pd.DataFrame({name: pd.Series([row[i] for row in found], dtype=object) for i, name in enumerate(names)})


def _language(workspace: Workspace, record: Mapping[str, Any]) -> Language:
    """The owner's language; without an owner's, the deployment's first."""
    own = record["owner_language"]
    first: Language = workspace.spec.deployment.languages[0]
    return own if own in ("en", "id") else first


def _row(
    workspace: Workspace,
    record: Mapping[str, Any],
    language: Language,
    why: Sequence[Reason],
    *,
    day: date,
    ranking: Ranking,
    before: Mapping[str, float],
    answers: bool,
) -> ListRow:
    spec = workspace.spec
    zone = spec.deployment.zone
    title, steps = suggest(
        [reason.action for reason in why],
        default=spec.outreach.default_action,
        actions=spec.playbook.actions,
        language=language,
    )
    risk = None if ranking.baseline else float(record["risk"])
    earlier = before.get(record["customer_id"])
    value = None if pd.isna(record["value"]) else float(record["value"])
    return ListRow(
        rank=int(record["rank"]),
        customer_id=record["customer_id"],
        customer_name=_text(record["customer_name"]),
        owner=_text(record["owner"]),
        owner_name=_text(record["owner_name"]) or _text(record["owner"]),
        language=language,
        risk=risk,
        band=record["band"],
        change=None if risk is None or earlier is None else risk - earlier,
        rising_since=None,
        value_at_risk=None if value is None or risk is None else value * risk,
        reasons=tuple(reason.sentence for reason in why),
        last_contact=_day(record["last_contact"], zone),
        last_survey=_survey(record, zone),
        action=title,
        action_steps=steps,
        due=day + timedelta(days=spec.outreach.due_days),
        model_version=ranking.version,
        baseline=ranking.baseline,
        rule_score=round(record["rule_score"]) if "rule_score" in record else None,
        answers=answers,
        expected_score=float(record["expected_score"]) if "expected_score" in record else None,
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _day(microseconds: Any, zone: str) -> date | None:
    if pd.isna(microseconds):
        return None
    return civil_day(datetime.fromtimestamp(0, UTC) + timedelta(microseconds=int(microseconds)), zone)


def _survey(record: Mapping[str, Any], zone: str) -> str | None:
    when = _day(record["answered_at"], zone)
    if when is None:
        return None
    return f"{instrument_words(str(record['instrument']))} {record['raw_score']:g} ({when})"
