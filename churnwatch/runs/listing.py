"""Listing: from a day's ranking to finished rows and the bytes of their files; nothing is published here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

import churnwatch
from churnwatch.health import BANDS
from churnwatch.outreach import ListRow, choose, suggest
from churnwatch.runs.cold_start import RULE, outcomes_so_far
from churnwatch.runs.further import (
    Asked,
    FurtherScored,
    champions_beside,
    foretells_answers,
    further_columns,
    lacking,
    reasons_of,
    score_further,
    with_further,
)
from churnwatch.runs.leavers import leavers_of
from churnwatch.runs.observations import capacities
from churnwatch.runs.people import Team, people_of, team_of, values_of
from churnwatch.runs.proactive import Rule, rules_of, with_proactive
from churnwatch.runs.ranking import Ranking, rank_by_baseline, rank_by_model
from churnwatch.runs.rows import rows_of
from churnwatch.runs.standing import draw_of, past_of, standings_of
from churnwatch.runs.workspace import Recall, Report, Workspace, load_tables
from churnwatch.spec import Outreach, ProjectSpec, midnight

if TYPE_CHECKING:
    import sqlalchemy as sa

    from churnwatch.ledger import IssuedList, Seen
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
    seen: Seen
    drawn: pd.DataFrame
    """Who was decided on for the holdout, as ``outreach.Choice`` has them, and since when the epoch runs."""
    epoch: date
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
    known, vetoed = (issued.seen.outcome_id, issued.seen.veto_id) if issued.seen is not None else (0, 0)
    workspace = replace(workspace, recall=Recall(known, before_list=issued.list_id, veto_id=vetoed))
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
        issued=issued,
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
    issued: IssuedList | None = None,
    report: Report | None,
) -> Made:
    from churnwatch.delivery import (
        leavers_csv,
        list_name,
        outreach_csv,
        outreach_html,
        outreach_xlsx,
        scores_parquet,
    )
    from churnwatch.ledger import previously_by

    spec = workspace.spec
    further = [
        score_further(workspace, tables, name, day=day, version=version, report=report)
        for name, version in also
        if version is not None
    ]
    past = past_of(workspace, engine, day=day, issued=issued)
    team = team_of(tables, ranking.as_of)
    frame, values = _known(tables, ranking, further, spec.outreach)
    rules, lacking_rules = rules_of(workspace, tables, ranking.frame, ranking.matrix)
    if rules:
        frame = with_proactive(frame, rules, values)
    stands = standings_of(frame, past, ranking, spec.outreach, day=day)
    capacity = capacities(tables, default=spec.outreach.capacity) if frame["owner"].notna().any() else None
    choice = choose(
        frame.assign(standing=stands.standing, arm=stands.arm, vetoed=stands.vetoed),
        capacity=capacity,
        total=spec.outreach.capacity_total,
        also_share=spec.outreach.also_share,
        proactive_share=spec.outreach.proactive_share,
        stands_in=team.stands_in,
        leads=team.leads,
        draw=draw_of(workspace, past),
        minutes=_minutes_of(workspace, ranking, further, rules, frame) if spec.outreach.minutes else None,
        budget=spec.outreach.minutes or 0,
    )
    rows = rows_of(
        workspace,
        engine,
        tables,
        ranking,
        choice.listed,
        further=further,
        rules=rules,
        stands=stands,
        past=past,
        team=team,
        model=model,
        day=day,
        issued_before=issued.list_id if issued else None,
        report=report,
    )
    counts = choice.counts
    by = f"baseline:{ranking.baseline}" if ranking.baseline else "model"
    before_by = previously_by(
        engine, deployment=workspace.deployment, before=day, issued_before=issued.list_id if issued else None
    )
    switched = () if before_by in (None, by) else (_switch(before_by, by),)
    of_further = (f"{one.name}: {said}" for one in further for said in one.warnings if said not in ranking.warnings)
    warnings = (*switched, *ranking.warnings, *of_further)
    leavers = leavers_of(workspace, tables, workspace.model(model), past, team, day=day, as_of=ranking.as_of)
    named = list_name(workspace.deployment, day, revision)
    files = {
        "outreach.csv": outreach_csv(rows, name=named),
        "outreach.xlsx": outreach_xlsx(
            rows, name=named, day=day, currency=spec.deployment.currency, language=spec.deployment.languages[0]
        ),
        "outreach.html": outreach_html(
            rows,
            title=spec.deployment.title,
            as_of=day,
            deployment=workspace.deployment,
            currency=spec.deployment.currency,
            language=spec.deployment.languages[0],
            summary={"observed": counts.observed, "waiting": counts.waiting or 0},
            warnings=warnings,
            revision=revision,
            leavers=leavers,
        ),
        "leavers.csv": leavers_csv(leavers),
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
        "answers": foretells_answers(workspace.model(model)),
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
        "proactive": {rule.name: sum(row.proactive == rule.name for row in rows) for rule in rules},
        "previously_by": before_by,
        "counts": asdict(counts),
        "leavers": len(leavers),
        "handed_over": {how: sum(row.handed == how for row in rows) for how in ("away", "overflow")},
        "back_early": sum(row.back_early is not None for row in rows),
        "bands": {band: int((ranking.frame["band"] == band).sum()) for band in BANDS},
        "explained": len(rows),
        # What only the operator can mend stands here and not on the page.
        "warnings": [*warnings, *lacking(also), *lacking_rules, *_no_room(spec, team, capacity)],
        "program": churnwatch.__version__,
        "made_at": workspace.now.isoformat(),
    }
    return Made(
        rows,
        files,
        manifest,
        model,
        ranking.version,
        ranking.baseline,
        past.seen,
        choice.drawn,
        past.epoch,
        tuple(also),
    )


def _known(
    tables: Tables, ranking: Ranking, further: Sequence[FurtherScored], outreach: Outreach
) -> tuple[pd.DataFrame, pd.Series | None]:
    """The ranking with what is known of the people, ordered by what there is to save; and their values.

    The score is the risk times the customer's value. A baseline knows no risk, so its own order stands; and where no
    value is known at all, the margin's.
    """
    people = people_of(tables, ranking.as_of, consent=outreach.consent)
    frame = ranking.frame.merge(people, on="customer_id", how="left", validate="one_to_one")
    values = values_of(frame)
    if values is not None and ranking.baseline is None:
        frame["score"] = frame["risk"] * values
    frame["position"] = np.arange(len(frame))
    if further:
        frame = with_further(frame, further, outreach, banded=ranking.baseline is None, values=values)
    return frame, values


def _minutes_of(
    workspace: Workspace,
    ranking: Ranking,
    further: Sequence[FurtherScored],
    rules: Sequence[Rule],
    frame: pd.DataFrame,
) -> Callable[[int], int]:
    """What the row of each customer of ``frame`` would take: asked only of those who would get a place."""
    outreach, actions = workspace.spec.outreach, workspace.spec.playbook.actions
    by = frame["further_place"].to_numpy(dtype=float) if further else np.full(len(frame), np.nan)
    worthy = frame["worthy"].to_numpy(dtype=bool)
    customers = frame["customer_id"].to_numpy(dtype=object)
    rule = frame["proactive_rule"].to_numpy() if rules else np.full(len(frame), -1)

    @cache
    def minutes(i: int) -> int:
        if not np.isnan(by[i]):
            [why] = reasons_of(workspace, further[int(by[i])], [customers[i]], ["en"])
        elif worthy[i]:
            why = ranking.reasons(np.array([i]), ["en"])[0].reasons
        else:
            return actions[rules[int(rule[i])].says.action].minutes
        signs = [(reason.sentence, reason.action) for reason in why]
        return suggest(signs, default=outreach.default_action, actions=actions, language="en").minutes

    return minutes


def _no_room(spec: ProjectSpec, team: Team, capacity: Mapping[str, int] | None) -> Iterator[str]:
    """What keeps everybody off the list, however bad their risk."""
    shortest = min((action.minutes for action in spec.playbook.actions.values()), default=0)
    if spec.outreach.minutes and spec.outreach.minutes < shortest:
        yield (
            f"minutes of outreach.yaml is {spec.outreach.minutes}, and the shortest action of the playbook takes "
            f"{shortest}: nobody can be listed"
        )
    if capacity is not None and not any(places for who, places in capacity.items() if who not in team.stands_in):
        yield "nobody works today: every owner is away or has a capacity of 0, so nobody can be listed"


def _switch(before: str | None, now: str) -> str:
    ways = {"model": "the model", "baseline:health": "the rule score"}
    first, second = (ways.get(str(way), str(way).replace("baseline:", "the baseline ")) for way in (before, now))
    return f"From this list on {second} ranks; until the list before it was {first}. Places may change for that alone."
