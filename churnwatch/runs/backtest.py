"""Backtest: at each date, train only on what was complete then, make the list, and judge it by what came after."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

import churnwatch
from churnwatch.errors import CheckFailed, DataRefused, UsageError
from churnwatch.evaluation import PastList, Ranker, Replay, replay
from churnwatch.health import BANDS, bands
from churnwatch.learner import Fitted, margins, risk
from churnwatch.outcomes import Span, check_labels, grid, label, observe, span
from churnwatch.outreach import choose
from churnwatch.runs.observations import Labelled, Mask, capacities, instants, relabelled
from churnwatch.runs.study import baseline_scores, fit_on, judge, lists_among, logistic_of, usable_columns
from churnwatch.runs.suspects import refuse_suspects
from churnwatch.runs.workspace import Report, Workspace, load_tables, lock
from churnwatch.signals import build
from churnwatch.spec import Column, Model, civil_day, midnight

if TYPE_CHECKING:
    from churnwatch.sources import Tables

EVERYBODY = "everybody"
"""The name of the one list where customers have no owners."""


@dataclass(frozen=True)
class Backtested:
    """The slices of ``--json``, the lists and what they were worth; ``rows`` are the lists' rows, one table.

    ``quiet`` says that the baseline ``recency`` ranks by the time since the customer last did something.
    ``rows``: as_of, rank, customer_id, owner, risk, band, outcome (``left``, ``left_too_soon`` before the gap was over,
    ``stayed``; of an answer ``bad``, ``good``), days_until_left (NaN: stayed).
    """

    model: Model
    slices: tuple[dict[str, Any], ...]
    replay: Replay
    rows: pd.DataFrame
    quiet: bool


@dataclass(frozen=True)
class _Date:
    """One date of the replay: its as-of, the grid it may train on, and where the slice it is judged on ends."""

    as_of: datetime
    grid: tuple[datetime, ...]
    end: datetime


def replay_days(first: date, last: date, *, every: int) -> list[date]:
    """The days from ``first`` to ``last``, ``every`` days apart, rising.

    They step back from ``last``, as the training grid does from its last complete day: the last day asked for is always
    judged, the first where the steps meet it. Raises UsageError where they cannot be stepped.
    """
    if first > last:
        raise UsageError(
            f"from {first} to {last} there is no day", where="--from, --to", allowed="--from is not after --to"
        )
    if every < 1:
        raise UsageError("a step of no day", where="--every", allowed="whole days from 1d, such as 30d")
    return [last - timedelta(days=back) for back in range(0, (last - first).days + 1, every)][::-1]


def backtest(
    workspace: Workspace,
    name: str,
    *,
    days: Sequence[date],
    until: date | None = None,
    language: str = "en",
    report: Report | None = None,
) -> dict[str, Any]:
    """Replay ``days``, publish what came of it, and tell it: ``{"model", "deployment", "slices", "replay"}``.

    ``out/<deployment>/backtest-<model>/`` then holds ``lists.csv``, ``backtest.json`` and ``backtest.html`` (in
    ``language``), whole or not at all; those of an earlier backtest are replaced. Raises as ``replayed``; CheckFailed
    where somebody has written into that directory; RunBusy where another backtest of the model is on.
    """
    from churnwatch.delivery import backtest_html, differences, past_lists_csv, publish, recover

    model = workspace.model(name)
    directory = workspace.out / f"backtest-{name}"
    with lock(workspace, within=f"backtest-{name}"):
        recover(directory)
        changed = differences(directory) if directory.exists() else ()
        if changed:
            # Said before minutes of work, not after.
            raise CheckFailed(
                f"has changed since it was published: {', '.join(changed)}",
                where=str(directory),
                hint="move the directory away to keep what was written into it, then run again",
            )
        done = replayed(workspace, name, days=days, until=until, report=report)
        told: dict[str, Any] = {
            "model": name,
            "deployment": workspace.deployment,
            "outcome": "leaving" if model.outcome.answer is None else "answer",
            "slices": list(done.slices),
            "replay": done.replay.as_json(),
        }
        files = {
            "backtest.html": backtest_html(
                done.replay,
                slices=done.slices,
                title=workspace.spec.deployment.title,
                deployment=workspace.deployment,
                model=model,
                quiet=done.quiet,
                language=language,
            ),
            "backtest.json": (json.dumps(told, ensure_ascii=False, allow_nan=False, indent=1) + "\n").encode(),
            "lists.csv": past_lists_csv(done.rows.to_dict("records")),
        }
        manifest = {
            "deployment": workspace.deployment,
            "model": name,
            "as_ofs": [one["as_of"] for one in done.slices],
            "program": churnwatch.__version__,
            "made_at": workspace.now.isoformat(),
        }
        publish(directory, files, manifest=manifest, replace=True)
    told["replay"]["files"] = {name: str(Path(directory) / name) for name in (*files, "run.json")}
    return told


def replayed(
    workspace: Workspace,
    name: str,
    *,
    days: Sequence[date],
    until: date | None = None,
    report: Report | None = None,
) -> Backtested:
    """One list and one slice per day, in the order of time; nothing is written.

    The signals of all dates are computed at once; who was observed and what was labelled by then is looked at date by
    date. On a grid of events a slice is the observations from its day until the next day, the last one's until
    ``until`` or the data end. Raises UsageError for ``until`` where there are no events to wait for, DataRefused where
    the label of a day is not complete within the data, CheckFailed where there was too little to train on by then, or a
    column is suspect and not acknowledged.
    """
    model = workspace.model(name)
    if model.outcome.given is not None:
        raise CheckFailed(
            f"the model {name} knows one snapshot of customers: there is no earlier day to test it on",
            where=f"{model.file}: outcome",
            allowed="an outcome that is an event, or inactivity",
            hint="`churnwatch train` judges it on customers it did not learn from",
        )
    tables = load_tables(workspace, report=report)
    within = span(tables, model)
    # The last first: of a range that ends too late the message names the end, not a step on the way.
    as_ofs = [_testable(workspace, model, day, within) for day in sorted(set(days), reverse=True)][::-1]
    ends = [*as_ofs[1:], _last_end(workspace, model, max(days), until, within)]
    dates = [_date(workspace, model, as_of, end, within) for as_of, end in zip(as_ofs, ends, strict=True)]
    refuse_suspects(workspace, tables, model, report=report)
    columns, _ = usable_columns(workspace, tables, model)
    every = sorted({t for one in dates for t in (*one.grid, one.as_of)})
    spine = observe(tables, model, every, until=ends[-1])
    _enough(workspace, tables, model, spine, dates)
    matrix = build(tables, columns, spine, report=report)
    slices, lists, rows = [], [], []
    for place, one in enumerate(dates):
        if report:
            report("replaying", place, len(dates))
        learned, later = (matrix.take(rows) for rows in _rows_of(model, matrix.observations, one))
        train = relabelled(tables, model, learned, one.grid, known_before=one.as_of)
        everybody = relabelled(tables, model, later, [one.as_of], known_before=workspace.now)
        # What became of those we contacted meanwhile tells of that, too; and nobody knows what those who did not answer
        # would have said.
        untreated = everybody.take(~everybody.treated) if everybody.treated.any() else everybody
        tests = untreated if model.outcome.answer is None else everybody.in_time()
        when = f"before {civil_day(one.as_of, workspace.spec.deployment.zone)}"
        fitted, chosen = fit_on(train, model, when=when, report=report if len(dates) == 1 else None)
        logistic = logistic_of(train)
        (judged,) = judge(
            workspace, tables, model, fitted=fitted, train=train, tests=everybody, as_ofs=[one.as_of], logistic=logistic
        )
        trained = {"as_ofs": len(one.grid), "n": len(train.in_time().outcome), "choice": chosen.note}
        slices.append({**judged.figures, "trained": trained})
        made, listed = past_list(
            workspace,
            tables,
            model,
            fitted=fitted,
            logistic=logistic,
            tests=tests,
            as_of=one.as_of,
            competing=lists_among(workspace, tables, model, everybody, tests),
        )
        if model.outcome.answer is not None:
            unanswered = len(untreated.outcome) - len(tests.outcome)
            made = replace(made, counts={**made.counts, "unanswered": unanswered})
        if model.at_events:
            last_day = civil_day(one.end - timedelta(microseconds=1), workspace.spec.deployment.zone)
            made = replace(made, last_day=last_day)
        lists.append(made)
        rows.append(listed)
    if report:
        report("replaying", len(dates), len(dates))
        report("judging the lists", 0, 1)
    owners = 0 if any(EVERYBODY in one.lists for one in lists) else len(capacities(tables, default=1))
    gap_days = model.gap.seconds / 86_400
    told = replay(lists, gap_days=gap_days, all_owners=owners)
    return Backtested(model, tuple(slices), told, pd.concat(rows, ignore_index=True), _quiet(model, columns))


def _quiet(model: Model, columns: Sequence[Column]) -> bool:
    named = [one for one in columns if one.name == model.baselines.recency]
    return any(one.table == "interactions" and one.signal.aggregate == "days_since" for one in named)


def _testable(workspace: Workspace, model: Model, day: date, within: Span) -> datetime:
    """The as-of of a day; DataRefused outside the data."""
    zone = workspace.spec.deployment.zone
    as_of = midnight(day, zone)
    last = within.end - timedelta(microseconds=1)
    closes = as_of + timedelta(seconds=model.reach)
    late, wanted, latest = closes > within.end, "its outcomes are complete on", within.end - (closes - as_of)
    if model.at_events:
        late, wanted, latest, closes = as_of > last, "its first survey may be sent on", last, as_of
    if late or as_of <= within.first:
        raise DataRefused(
            f"as-of {day}: {wanted} {civil_day(closes, zone)}, the data run from "
            f"{civil_day(within.first, zone)} to {civil_day(last, zone)}",
            allowed=f"after {civil_day(within.first, zone)}, at the latest {civil_day(latest, zone)}",
            hint="choose an earlier as-of, or load newer data",
        )
    return as_of


def _last_end(workspace: Workspace, model: Model, day: date, until: date | None, within: Span) -> datetime:
    """Where the last slice ends; on a calendar, whose slices are instants, that is nowhere."""
    if until is None:
        return within.end
    if not model.at_events:
        raise UsageError(
            f"the model {model.model} observes customers on days of a calendar: a slice of it has no end",
            where="--until",
            allowed="a model whose grid is `at` events",
            hint="leave --until out; --as-of D,D judges at several days",
        )
    if until <= day:
        raise UsageError(
            f"until {until} there is no observation from {day} on",
            where="--until",
            allowed=f"a day after {day}",
            hint="leave --until out to judge all that the data hold",
        )
    return min(midnight(until, workspace.spec.deployment.zone), within.end)


def _rows_of(model: Model, observations: pd.DataFrame, one: _Date) -> tuple[Mask, Mask]:
    """The rows a date may learn from, and those it is judged on."""
    as_of = observations["as_of"].to_numpy()
    if not model.at_events:
        return np.isin(as_of, instants(one.grid)), np.isin(as_of, instants([one.as_of]))
    first, opens, closes = instants([one.grid[0], one.as_of, one.end])
    return (as_of >= first) & (as_of < opens), (as_of >= opens) & (as_of < closes)


def _date(workspace: Workspace, model: Model, as_of: datetime, end: datetime, within: Span) -> _Date:
    """What may be trained on at ``as_of``; CheckFailed where nothing was complete by then."""
    zone = workspace.spec.deployment.zone
    day = civil_day(as_of, zone)
    dates = grid(model, zone=zone, span=within, complete_by=as_of)
    if not dates:
        first = _first_day(model, zone, within)
        raise CheckFailed(
            f"not enough data: no observation of the model {model.model} has a complete label before {day}",
            allowed=f"history of {model.history}, then gap and horizon, before the as-of: {first} is the first day",
            hint=f"choose a later as-of: {first}, or later still where that holds too few outcomes",
        )
    return _Date(as_of, tuple(dates), end)


def _first_day(model: Model, zone: str, within: Span) -> date:
    """The first day with a training date that has a complete label by then."""
    earliest = within.first + timedelta(seconds=model.history.seconds)
    day = civil_day(earliest, zone)
    while midnight(day, zone) < earliest:
        day += timedelta(days=1)
    complete = midnight(day, zone) + timedelta(seconds=model.reach)
    day = civil_day(complete, zone)
    while midnight(day, zone) < complete:
        day += timedelta(days=1)
    return day


def _enough(workspace: Workspace, tables: Tables, model: Model, spine: pd.DataFrame, dates: Sequence[_Date]) -> None:
    """CheckFailed where a date knew too few outcomes to train on, DataRefused where it knew one kind alone, or where no
    answer came to judge its list by: said before any signal is computed.
    """
    least = model.learner.minimum_outcomes
    zone = workspace.spec.deployment.zone
    known = []
    for one in dates:
        learned, later = (spine[rows].reset_index(drop=True) for rows in _rows_of(model, spine, one))
        if model.outcome.answer is not None:
            _answered(workspace, tables, model, later, one)
        labels = label(tables, model, learned, known_before=one.as_of)
        outcome = labels["outcome"].to_numpy()[labels["told"].to_numpy()]
        check_labels(pd.Series(outcome), model, when=f"before {civil_day(one.as_of, zone)}")
        bad = int(outcome.sum())
        known.append((bad, len(outcome) - bad))
    short = [place for place, counts in enumerate(known) if min(counts) < least]
    if short:
        place = short[0]
        later = max(short) + 1
        first = str(civil_day(dates[later].as_of, zone)) if later < len(dates) else "none"
        raise CheckFailed(
            f"not enough data: before {civil_day(dates[place].as_of, zone)} only {min(known[place])} of {least} "
            f"{'bad' if known[place][0] < least else 'good'} outcomes of the model {model.model} are complete",
            allowed=f"at least {least} of each (learner.minimum_outcomes); of the dates asked for the first is {first}",
            hint="begin later" if first != "none" else "choose later dates, or load more history",
        )


def _answered(workspace: Workspace, tables: Tables, model: Model, later: pd.DataFrame, one: _Date) -> None:
    """DataRefused where none of the observations of a date has an answer."""
    if label(tables, model, later, known_before=workspace.now)["told"].any():
        return
    zone = workspace.spec.deployment.zone
    closes = one.end if model.at_events else one.as_of + timedelta(seconds=model.reach)
    raise DataRefused(
        f"as-of {civil_day(one.as_of, zone)}: none of its {len(later)} observations has an answer, so nothing tells "
        "what its list was worth",
        where=f"{model.file}: outcome.answer",
        allowed=f"answers {'to surveys sent ' if model.at_events else ''}until "
        f"{civil_day(closes - timedelta(microseconds=1), zone)}",
        hint="choose an earlier as-of, or load newer data",
    )


def past_list(
    workspace: Workspace,
    tables: Tables,
    model: Model,
    *,
    fitted: Fitted,
    logistic: Ranker,
    tests: Labelled,
    as_of: datetime,
    competing: Mapping[str, Any],
) -> tuple[PastList, pd.DataFrame]:
    """The list of one date by the rules of `daily`, over everybody in ``tests``, and its rows; ``competing`` are the
    lists they compete for.

    Owners, their capacities and who may not be contacted are today's: nobody knows what they were. Where somebody has
    no owner any more there is one list of all owners' capacities together (``lists_of``). ``ended_at`` is not looked
    at, as in ``observe``.
    """
    margin = margins(fitted, tests.matrix.values)
    risks = risk(fitted.calibration, margin)
    found = bands(risks, base_rate=fitted.base_rate, edges=model.bands)
    outreach = workspace.spec.outreach
    customers = tests.matrix.observations["customer_id"]
    owners = competing["owners"]
    barred = {c for (c,) in tables.con.execute("select customer_id from customers where do_not_contact").fetchall()}
    least = BANDS.index(outreach.minimum_band)
    scored = pd.DataFrame(
        {
            "customer_id": customers,
            "score": margin,
            "worthy": [BANDS.index(band) >= least for band in found],
            "do_not_contact": customers.isin(barred),
            "owner": owners if owners is not None else EVERYBODY,
            "risk": risks,
            "band": found,
            "place": np.arange(len(customers)),
        }
    )
    if scored["do_not_contact"].all():
        raise DataRefused(
            f"none of the {len(scored)} customers observed on {civil_day(as_of, workspace.spec.deployment.zone)} may "
            "be contacted: there is no list to judge",
            where="customers.do_not_contact",
            allowed="at least one customer who may be contacted",
            hint="look at the mapping of do_not_contact in sources.yaml",
        )
    chosen, counts, _ = choose(scored, capacity=competing["capacity"], total=competing["capacity_total"])
    places = chosen["place"].to_numpy()
    listed = np.zeros(len(customers), dtype=bool)
    listed[places] = True
    instant = instants([as_of])[0]
    bad, good = ("left", "stayed") if model.outcome.answer is None else ("bad", "good")
    outcome = np.where(tests.too_late, "left_too_soon", np.where(tests.outcome == 1, bad, good))
    days = (tests.left_at - instant) / np.timedelta64(1, "D")
    rows = pd.DataFrame(
        {
            "as_of": str(civil_day(as_of, workspace.spec.deployment.zone)),
            "rank": chosen["rank"],
            "customer_id": chosen["customer_id"],
            "owner": chosen["owner"] if owners is not None else "",
            "risk": chosen["risk"],
            "band": chosen["band"],
            "outcome": outcome[places],
            "days_until_left": days[places],
        }
    )
    made = PastList(
        day=civil_day(as_of, workspace.spec.deployment.zone),
        as_of=instant,
        customers=customers.to_numpy(dtype=object),
        listed=listed,
        open_to=~scored["do_not_contact"].to_numpy(dtype=bool),
        lists=scored["owner"].to_numpy(dtype=object),
        outcome=tests.outcome,
        too_late=tests.too_late,
        left_at=tests.left_at,
        scores=margin,
        risks=risks,
        baselines=baseline_scores(model, tests.matrix, None, logistic=logistic),
        counts=asdict(counts),
    )
    return made, rows
