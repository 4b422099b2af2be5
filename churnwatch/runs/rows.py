"""Rows: what is known of each chosen customer, finished as the list shows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from churnwatch.delivery.row_words import instrument_words
from churnwatch.learner import risks
from churnwatch.outreach import Further, ListRow, suggest
from churnwatch.reasons import Reason, counterfactual
from churnwatch.runs.curves import curves
from churnwatch.runs.further import FurtherScored, foretells_answers, further_of, reasons_of
from churnwatch.runs.people import Team, language_of, last_of
from churnwatch.runs.proactive import Rule, reason_of
from churnwatch.runs.ranking import Ranking, Why
from churnwatch.runs.score import looks_at_any_day
from churnwatch.runs.standing import Early, Past, Standings, signs_there
from churnwatch.runs.workspace import Report, Workspace
from churnwatch.spec import Language, civil_day

if TYPE_CHECKING:
    import sqlalchemy as sa

    from churnwatch.sources import Tables


@dataclass(frozen=True)
class Chosen:
    """One chosen customer with all that the row tells: ``record`` are the columns of the choice."""

    record: Mapping[str, Any]
    language: Language
    why: Sequence[Reason]
    by: FurtherScored | None
    """The further model that lists the customer; ``None``: the listing model, or a proactive rule."""
    beside: Further | None
    proactive: tuple[str, str] = ("", "")
    """The rule that lists them and what people call it."""
    early: Early | None = None
    listed_before: date | None = None
    change: float | None = None
    rising_since: date | None = None
    curve: tuple[float, ...] = ()
    counterfactual: str | None = None
    signs: tuple[str, ...] = ()
    """All that raises the risk by the listing model, told or not: what is new later is new against these."""


def rows_of(
    workspace: Workspace,
    engine: sa.Engine,
    tables: Tables,
    ranking: Ranking,
    chosen: pd.DataFrame,
    *,
    further: Sequence[FurtherScored],
    rules: Sequence[Rule],
    stands: Standings,
    past: Past,
    team: Team,
    model: str,
    day: date,
    issued_before: int | None,
    report: Report | None,
) -> list[ListRow]:
    """The rows of the chosen (``outreach.Choice.listed``), each explained by what lists it; nobody else is."""
    from churnwatch.ledger import previous_risks

    chosen = chosen.merge(last_of(tables, ranking.as_of, list(chosen["customer_id"])), on="customer_id", how="left")
    records = chosen.to_dict("records")
    languages = [language_of(workspace, team, record["recipient"]) for record in records]
    if report:
        report("explaining", 0, len(chosen))
    told = _reasons(workspace, ranking, further, rules, chosen, languages)
    if_mended = _counterfactuals(workspace, ranking, chosen, told, languages)
    risen = _curves(workspace, tables, ranking, [record["customer_id"] for record in records], day=day, report=report)
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
    there = signs_there(ranking, chosen["position"].to_numpy(), told)
    for record, language, why, mended, signs in zip(records, languages, told, if_mended, there, strict=True):
        customer = record["customer_id"]
        by = further[int(record["further_place"])] if record["for_further"] else None
        rule = rules[int(record["proactive_rule"])] if record["for_proactive"] else None
        earlier, last = before.get(customer), past.rows.get(customer)
        one = Chosen(
            record=record,
            language=language,
            why=why.reasons,
            by=by,
            beside=further_of(further, customer, language, listed_for=by.name if by else None),
            proactive=(rule.name, rule.says.title.in_language(language)) if rule else ("", ""),
            early=stands.early.get(customer),
            listed_before=last.as_of if last else None,
            change=None if ranking.baseline or earlier is None else float(record["risk"]) - earlier,
            counterfactual=mended,
            signs=signs,
            curve=risen[customer][0] if customer in risen else (),
            rising_since=risen[customer][1] if customer in risen else None,
        )
        rows.append(row_of(workspace, one, ranking, team, model=model, day=day, answers=answers))
    return rows


def _counterfactuals(
    workspace: Workspace, ranking: Ranking, chosen: pd.DataFrame, told: Sequence[Why], languages: Sequence[Language]
) -> list[str | None]:
    """What one thing put right would make of the risk, for whom the listing model lists."""
    if ranking.bundle is None:
        return [None] * len(chosen)
    fitted = ranking.bundle.fitted
    found: list[str | None] = []
    for position, why, language in zip(chosen["position"], told, languages, strict=True):
        said = None
        if why.shares is not None:
            said = counterfactual(
                ranking.matrix.columns,
                ranking.matrix.values[position],
                why.shares,
                usual=fitted.usual,
                risk_of=lambda rows: risks(fitted, rows),
                language=language,
                currency=workspace.spec.deployment.currency,
            )
        found.append(None if said is None else said.sentence)
    return found


def _curves(
    workspace: Workspace,
    tables: Tables,
    ranking: Ranking,
    customers: Sequence[str],
    *,
    day: date,
    report: Report | None,
) -> dict[str, tuple[tuple[float, ...], date | None]]:
    """By customer the risks of the last 90 days by today's model, and since when they have been rising.

    Nothing where a baseline ranks, and of a model that cannot look at any day: of one snapshot, or at events.
    """
    bundle = ranking.bundle
    if bundle is None or not looks_at_any_day(bundle.model) or not customers:
        return {}
    found = curves(workspace, tables, bundle, customers, day=day, events=ranking.events, report=report)
    return {
        customer: (tuple(risks), since)
        for customer, risks, since in zip(customers, found.risks.tolist(), found.rising_since, strict=True)
    }


def _reasons(
    workspace: Workspace,
    ranking: Ranking,
    further: Sequence[FurtherScored],
    rules: Sequence[Rule],
    chosen: pd.DataFrame,
    languages: Sequence[Language],
) -> list[Why]:
    """Why each is listed, by the model or the rule that lists it."""
    told = [Why(())] * len(chosen)
    by_further = chosen["for_further"].to_numpy(dtype=bool)
    by_rule = chosen["for_proactive"].to_numpy(dtype=bool)
    positions = chosen["position"].to_numpy()
    currency = workspace.spec.deployment.currency
    for row in np.flatnonzero(by_rule).tolist():
        rule = rules[int(chosen["proactive_rule"].iloc[row])]
        told[row] = Why(reason_of(rule, int(positions[row]), language=languages[row], currency=currency))
    place = chosen["further_place"].to_numpy() if further else np.full(len(chosen), np.nan)
    for i in (None, *range(len(further))):
        mine = ~by_further & ~by_rule if i is None else by_further & (place == i)
        rows = np.flatnonzero(mine).tolist()
        spoken = [languages[row] for row in rows]
        if i is None:
            found = ranking.reasons(positions[rows], spoken)
        else:
            customers = list(chosen["customer_id"].iloc[rows])
            found = [Why(why) for why in reasons_of(workspace, further[i], customers, spoken)]
        for row, why in zip(rows, found, strict=True):
            told[row] = why
    return told


def row_of(
    workspace: Workspace, one: Chosen, ranking: Ranking, team: Team, *, model: str, day: date, answers: bool
) -> ListRow:
    """The finished row; reasons, action and version are those of the model that lists it."""
    spec, record = workspace.spec, one.record
    zone = spec.deployment.zone
    suggested = suggest(
        [(reason.sentence, reason.action) for reason in one.why],
        default=spec.outreach.default_action,
        actions=spec.playbook.actions,
        language=one.language,
    )
    risk = None if ranking.baseline else float(record["risk"])
    value = None if pd.isna(record["value"]) else float(record["value"])
    owner = text_of(record["owner"])
    recipient = text_of(record["recipient"])
    return ListRow(
        rank=int(record["rank"]),
        customer_id=record["customer_id"],
        customer_name=text_of(record["customer_name"]),
        owner=recipient,
        owner_name=team.names.get(recipient, recipient),
        language=one.language,
        risk=risk,
        band=record["band"],
        change=one.change,
        rising_since=one.rising_since,
        value_at_risk=None if value is None or risk is None else value * risk,
        reasons=tuple(reason.sentence for reason in one.why),
        last_contact=_day(record["last_contact"], zone),
        last_survey=_survey(record, zone),
        action=suggested.title,
        action_steps=suggested.steps,
        due=day + timedelta(days=spec.outreach.due_days),
        model_version=one.by.version if one.by else ranking.version,
        baseline=None if one.by else ranking.baseline,
        rule_score=round(record["rule_score"]) if "rule_score" in record else None,
        listed_for=one.by.name if one.by else model,
        further=one.beside,
        answers=answers,
        expected_score=float(record["expected_score"]) if "expected_score" in record else None,
        proactive=one.proactive[0],
        proactive_title=one.proactive[1],
        account_owner=owner,
        account_owner_name=team.names.get(owner, owner),
        handed=text_of(record["handed"]),
        back_early=one.early.sentence(one.language, one.why) if one.early else None,
        listed_before=one.listed_before,
        curve=one.curve,
        counterfactual=one.counterfactual,
        action_name=suggested.name,
        action_why=suggested.why,
        action_tone=suggested.tone,
        action_channel=suggested.channel,
        action_minutes=suggested.minutes,
        signs=one.signs or tuple(reason.sign for reason in one.why),
        worth=_worth(record),
    )


def _worth(record: Mapping[str, Any]) -> float:
    """What the choice ordered the customer by."""
    if record["for_further"]:
        return float(record["further_score"])
    return float(record["proactive_score"] if record["for_proactive"] else record["score"])


def text_of(value: Any) -> str:
    """The text, or none."""
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
