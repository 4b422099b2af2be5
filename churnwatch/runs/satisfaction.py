"""Today's satisfaction: what the answers say, and what everybody would say, also those who never answer."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

import churnwatch
from churnwatch.evaluation import Asked, Everybody, Quantity, random_scores
from churnwatch.evaluation.nonresponse import (
    FEWEST,
    Codes,
    Estimates,
    Mask,
    estimates,
    response_drift,
    response_rate,
)
from churnwatch.learner import cross_fit, inverse_weights
from churnwatch.outcomes import check_as_of, observe
from churnwatch.runs.answering import Answering, Uncounted, answering_of, uncounted
from churnwatch.runs.score import extent, stale_warnings
from churnwatch.runs.workspace import Report, Workspace, load_tables, lock
from churnwatch.signals import Matrix, build
from churnwatch.spec import Answer, Model, civil_day, midnight

if TYPE_CHECKING:
    from churnwatch.sources import Tables

Array = np.ndarray[Any, np.dtype[np.float64]]

WINDOW = 182
"""Days: half a year, in which a company that asks twice a year has asked everybody once."""
MONTHS = 12
MOST = 10_000
"""Customers that stand for everybody at the end of a past month, by a keyed hash of the id; at as-of all count."""
LATE = 0.02
"""Share of the answers that may come too late to count before that is said."""
FACTS = ("segment", "owner")
"""The facts of customers, as they are today, that estimates are told by."""


def satisfaction(
    workspace: Workspace, name: str = "satisfaction", *, day: date, language: str = "en", report: Report | None = None
) -> dict[str, Any]:
    """Estimate, publish and tell the satisfaction as of ``day`` for the instruments of the model file ``name``.

    No trained model is wanted: who answers, and what they say, is fitted here, on what was known before as-of.
    ``out/<deployment>/<day>-satisfaction/`` then holds ``satisfaction.html`` (in ``language``) and
    ``satisfaction.json``, whole or not at all. Raises ProjectError where the model foretells no answers, DataRefused
    for a day outside the data, RunBusy where another such run is on.
    """
    from churnwatch.delivery import publish, recover, satisfaction_assumptions, satisfaction_html

    directory = workspace.out / f"{day}-satisfaction"
    with lock(workspace, within="satisfaction"):
        recover(directory)
        told = estimated(workspace, name, day=day, language=language, report=report)
        told["assumptions"] = satisfaction_assumptions(told, language=language)
        page = satisfaction_html(
            told, title=workspace.spec.deployment.title, deployment=workspace.deployment, language=language
        )
        files = {
            "satisfaction.html": page,
            "satisfaction.json": (json.dumps(told, ensure_ascii=False, allow_nan=False, indent=1) + "\n").encode(),
        }
        manifest = {
            "deployment": workspace.deployment,
            "model": name,
            "as_of": str(day),
            "program": churnwatch.__version__,
            "made_at": workspace.now.isoformat(),
        }
        publish(directory, files, manifest=manifest, replace=True)
    return {**told, "files": {file: str(Path(directory) / file) for file in (*files, "run.json")}}


def estimated(
    workspace: Workspace,
    name: str,
    *,
    day: date,
    parts: bool = True,
    language: str = "en",
    report: Report | None = None,
) -> dict[str, Any]:
    """The object of ``satisfaction --json``, without its files and assumptions; nothing is written.

    ``parts`` False leaves groups and months out, and so a good part of the work. Warnings are in ``language``, notes
    (why a number is null) in English always.
    """
    model = workspace.model(name)
    tables = load_tables(workspace, report=report)
    first, end = extent(tables)
    as_of = check_as_of(day, zone=workspace.spec.deployment.zone, first=first, end=end)
    work = _work(workspace, tables, model, as_of, parts=parts, report=report)
    instruments = []
    for place, instrument in enumerate(work.answering.instruments):
        if report:
            report("estimating", place, len(work.answering.instruments))
        instruments.append(_Instrument(work, instrument).told(parts=parts))
    if report:
        report("estimating", len(instruments), len(instruments))
    return {
        "model": name,
        "deployment": workspace.deployment,
        "as_of": str(day),
        "window_days": WINDOW,
        "customers": len(work.today),
        "fewest": FEWEST,
        "surveys_mapped": work.mapped,
        "counted_from": _counted_from(work, workspace.spec.deployment.zone),
        "instruments": instruments,
        "assumptions": [],
        "warnings": _warnings(work, tables, as_of, instruments, zone=workspace.spec.deployment.zone, language=language),
        "files": {},
    }


@dataclass(frozen=True)
class _Month:
    """A civil month, or what of it lies before as-of."""

    name: str
    opens: np.datetime64
    closes: np.datetime64
    end: datetime
    """``closes``, aware."""


@dataclass(frozen=True)
class _Work:
    """What every instrument is estimated from. Customers are codes: the places of their ids in the order of all ids."""

    model: Model
    answering: Answering
    as_of: np.datetime64
    months: tuple[_Month, ...]
    """Oldest first."""
    customer: Codes
    """Of each survey of ``answering`` (n,)."""
    today: Codes
    """Everybody observed at as-of (m,)."""
    everybody: Matrix | None
    """Those at as-of and at the months' ends (k,), where an instrument is about customers, not cases."""
    everybody_customer: Codes
    levels: Mapping[str, tuple[str | None, ...]]
    """By fact of customers, today's level of each code; facts that tell nobody apart are not there."""
    owners: Mapping[str, str]
    """The names of owners."""
    uncounted: Mapping[str, Uncounted]
    """By instrument; those without any survey are not there."""
    mapped: bool
    """Whether the deployment has surveys at all."""


def _work(
    workspace: Workspace, tables: Tables, model: Model, as_of: datetime, *, parts: bool, report: Report | None
) -> _Work:
    answering = answering_of(workspace, tables, model, before=as_of, report=report)
    surveys = answering.surveys
    # On a grid of events too, everybody who is there counts, not only who was just asked.
    calendar = model.model_copy(update={"grid": model.grid.model_copy(update={"at": None})}) if model.grid else model
    today = observe(tables, calendar, [as_of], to_score=True)
    months = _months(as_of, workspace.spec.deployment.zone)
    about = {name for name, one in (model.outcome.answer or {}).items() if one.about == "customer"}
    everybody = None
    if surveys["instrument"].isin(about - answering.only_answers).any():
        ends = [month.end for month in months[:-1]] if parts else []
        past = _some(observe(tables, calendar, ends, to_score=True))
        spine = pd.concat([past, today], ignore_index=True)
        everybody = build(tables, answering.matrix.columns, spine, report=report)
    seen = [surveys["customer_id"], today["customer_id"]]
    seen += [everybody.observations["customer_id"]] if everybody is not None else []
    codes = {name: code for code, name in enumerate(sorted({name for some in seen for name in some}))}
    coded = [np.array([codes[name] for name in some], dtype=np.int64) for some in seen]
    return _Work(
        model,
        answering,
        _naive(as_of),
        months,
        coded[0],
        coded[1],
        everybody,
        coded[2] if everybody is not None else np.empty(0, dtype=np.int64),
        _levels(tables, tuple(codes)),
        dict(tables.con.execute("select owner, name from agents where name is not null").fetchall()),
        uncounted(tables, model, answering, opens=as_of - timedelta(days=WINDOW)),
        bool(workspace.spec.sources.tables.get("surveys")),
    )


def _some(past: pd.DataFrame) -> pd.DataFrame:
    """About ``MOST`` customers of each as-of, always the same ones."""
    if past.empty:
        return past
    size = past.groupby("as_of")["customer_id"].transform("size").to_numpy()
    return past[random_scores(past["customer_id"], seed=1) < MOST / size]


def _months(as_of: datetime, zone: str) -> tuple[_Month, ...]:
    last = civil_day(as_of - timedelta(microseconds=1), zone)
    found = []
    for back in reversed(range(MONTHS)):
        count = last.year * 12 + last.month - 1 - back
        opens, closes = (midnight(date(one // 12, one % 12 + 1, 1), zone) for one in (count, count + 1))
        end = min(closes, as_of)
        found.append(_Month(f"{count // 12}-{count % 12 + 1:02}", _naive(opens), _naive(end), end))
    return tuple(found)


def _levels(tables: Tables, ids: Sequence[str]) -> dict[str, tuple[str | None, ...]]:
    found = {}
    for fact in FACTS:
        level = dict(tables.con.execute(f"select customer_id, {fact} from customers").fetchall())
        told = tuple(level.get(name) for name in ids)
        if len(set(told)) > 1:
            found[fact] = told
    return found


def _counted_from(work: _Work, zone: str) -> str | None:
    """The day on which the surveys that count begin, where the window reaches back before it."""
    since = work.answering.since
    if since is None or np.datetime64(since, "us") <= work.as_of - np.timedelta64(WINDOW, "D"):
        return None
    return str(civil_day(since.replace(tzinfo=UTC), zone))


class _Instrument:
    """The surveys of one instrument, with what is expected of each, and what is told of them."""

    def __init__(self, work: _Work, name: str) -> None:
        assert work.model.outcome.answer is not None
        self.work = work
        self.name = name
        self.answer = work.model.outcome.answer[name]
        self.only_answers = name in work.answering.only_answers
        self.uncounted = work.uncounted.get(name, Uncounted(0, 0, 0))
        surveys = work.answering.surveys
        # Where only answers are listed, what has none yet is no row.
        rows = ((surveys["instrument"] == name) & (surveys["answered"] | (not self.only_answers))).to_numpy()
        self.sent = surveys["sent_at"].to_numpy()[rows]
        self.chance = work.answering.chance[rows]
        # Who answers may be known too little to weigh by, though silence is listed.
        self.weighed = not self.only_answers and work.answering.fitted is not None
        answered, raw = surveys["answered"].to_numpy()[rows], surveys["raw_score"].to_numpy()[rows]
        figure, bad = _figure(raw, nps=self.is_nps), _bad(raw, self.answer)
        learned = answered & (self.sent >= work.months[0].opens)
        values, customers = work.answering.matrix.values[rows], surveys["customer_id"].to_numpy()[rows]
        told: list[tuple[Array, Array]] = []
        self.about_everybody = self.answer.about == "customer" and work.everybody is not None and self.weighed
        for y, kind in ((figure, "score"), (bad, "binary")):
            if not self.weighed or not learned.any():
                told.append((np.zeros(len(raw)), np.zeros(len(work.everybody_customer))))
                continue
            fitted = cross_fit(
                values[learned],
                y[learned],
                groups=customers[learned],
                kind="score" if kind == "score" else "binary",
                seed=work.model.learner.seed,
            )
            here = fitted.predict(values, groups=customers)
            there = np.empty(0)
            if self.about_everybody and work.everybody is not None:
                everybody = work.everybody.observations["customer_id"].to_numpy()
                there = fitted.predict(work.everybody.values, groups=everybody)
            told.append((here, there))
        weight, _ = inverse_weights(self.chance, least=work.model.patience.least)
        self.asked = Asked(work.customer[rows], answered, figure, bad, told[0][0], told[1][0], weight)
        self.everybody = Everybody(work.everybody_customer, told[0][1], told[1][1]) if self.about_everybody else None

    @property
    def is_nps(self) -> bool:
        """Whether the figure is promoters minus detractors (Reichheld, Harvard Business Review 81, 2003)."""
        return self.name == "nps" and self.answer.scale == (0, 10)

    def within(self, opens: np.datetime64, closes: np.datetime64) -> Mask:
        """The surveys sent from the one until the other (n,)."""
        return np.asarray((self.sent >= opens) & (self.sent < closes))

    def everybody_at(self, close: np.datetime64) -> Everybody | None:
        """Everybody there was at a month's end, or at as-of."""
        if self.everybody is None or self.work.everybody is None:
            return None
        return self.everybody.take(self.work.everybody.observations["as_of"].to_numpy() == close)

    def told(self, *, parts: bool) -> dict[str, Any]:
        """One of the ``instruments`` of ``satisfaction --json``."""
        work, days = self.work, np.timedelta64(WINDOW, "D")
        rows = self.within(work.as_of - days, work.as_of)
        now, before = self.asked.take(rows), self.asked.take(self.within(work.as_of - 2 * days, work.as_of - days))
        everybody = self.everybody_at(work.as_of)
        found = self.estimated(now, everybody)
        drift = response_drift((now.customer, now.answered), (before.customer, before.answered))
        chance = self.chance[rows & self.asked.answered]
        customers = len(np.intersect1d(now.customer, work.today))
        return {
            "instrument": self.name,
            "figure": "nps" if self.is_nps else "mean",
            "scale": list(self.answer.scale),
            "higher_is_better": self.answer.higher_is_better,
            "bad": self.answer.bad.model_dump(exclude_none=True),
            "about": self.answer.about,
            "only_answers": self.only_answers,
            **self.counts(now),
            "pending": self.uncounted.pending,
            "left_out": self.uncounted.left_out,
            "in_data": self.uncounted.in_data,
            "customers_asked": customers,
            "asked_share": round(customers / len(work.today), 4) if len(work.today) else None,
            "response_rate": _json(found.response_rate),
            "response_before": None if self.only_answers else _json(response_rate(before.customer, before.answered)),
            "response_drift": (
                None if self.only_answers or drift is None else {**drift.change.as_json(), "moved": drift.moved}
            ),
            **{
                name: _json(getattr(found, name))
                for name in ("naive", "corrected", "difference", "bad_naive", "bad_corrected")
            },
            "effective": None if found.effective is None else round(found.effective, 1),
            "clipped": (
                None if found.effective is None else round(float((chance < work.model.patience.least).mean()), 4)
            ),
            "note": self.note(now) if len(now.answered) else self.uncounted.why(work.mapped, only=self.only_answers),
            "groups": {fact: self.by_level(fact, now, everybody) for fact in work.levels if parts},
            "months": self.by_month() if parts else [],
        }

    def estimated(self, asked: Asked, everybody: Everybody | None) -> Estimates:
        """The estimates of some of the surveys; the response rate also where nothing can be corrected."""
        if everybody is not None and not len(everybody.customer):
            everybody = None
        found = estimates(asked, everybody, silent=self.weighed)
        if self.weighed or self.only_answers:
            return found
        return Estimates(**{**vars(found), "response_rate": response_rate(asked.customer, asked.answered)})

    def counts(self, asked: Asked) -> dict[str, int]:
        """How many surveys were sent, how many answered, and by how many different customers."""
        answerers = len(np.unique(asked.customer[asked.answered]))
        return {"asked": len(asked.answered), "answered": int(asked.answered.sum()), "answerers": answerers}

    def note(self, asked: Asked) -> str | None:
        """Why a number is not there."""
        answered, customers = int(asked.answered.sum()), len(np.unique(asked.customer[asked.answered]))
        if not len(asked.answered):
            return "nobody answered" if self.only_answers else "nobody was asked"
        if not answered:
            return "nobody answered"
        if answered < FEWEST:
            return f"not enough answers: {answered} of {FEWEST}"
        if customers < FEWEST:
            return f"answers of too few customers: {customers} of {FEWEST}"
        if self.only_answers:
            return "the source lists answers only: nothing is known of those who keep silent"
        return None if self.weighed else "too few surveys to tell who answers them"

    def some(self, asked: Asked, everybody: Everybody | None) -> dict[str, Any]:
        """The line of a group or a month."""
        found = self.estimated(asked, everybody)
        return {
            **self.counts(asked),
            **{name: _json(getattr(found, name)) for name in ("response_rate", "naive", "corrected")},
            "note": None if found.naive and self.only_answers else self.note(asked),
        }

    def by_level(self, fact: str, asked: Asked, everybody: Everybody | None) -> list[dict[str, Any]]:
        """A line per level of today's fact, the levels in order, those without one last."""
        work = self.work
        level = np.array(work.levels[fact], dtype=object)
        there = set(level[work.today]) | set(level[asked.customer])
        found = []
        for one in sorted(there, key=lambda name: (name is None, name or "")):
            mine = np.array([name == one for name in level])
            found.append(
                {
                    "level": one,
                    **({"name": work.owners.get(one)} if fact == "owner" and one is not None else {}),
                    "customers": int(mine[work.today].sum()),
                    **self.some(
                        asked.take(mine[asked.customer]), everybody and everybody.take(mine[everybody.customer])
                    ),
                }
            )
        return found

    def by_month(self) -> list[dict[str, Any]]:
        """A line per month, from the first on in which somebody was asked."""
        found: list[dict[str, Any]] = []
        for month in self.work.months:
            asked = self.asked.take(self.within(month.opens, month.closes))
            if found or len(asked.answered):
                found.append({"month": month.name, **self.some(asked, self.everybody_at(month.closes))})
        return found


def _figure(raw: Array, *, nps: bool) -> Array:
    """What each answer adds to the figure: the raw score, or 100 of a promoter, -100 of a detractor; NaN without."""
    if not nps:
        return raw
    points = 100.0 * ((raw >= 9).astype(np.float64) - (raw <= 6))
    return np.where(np.isnan(raw), np.nan, points)


def _bad(raw: Array, answer: Answer) -> Array:
    bad = raw <= answer.bad.at_most if answer.bad.at_most is not None else raw >= (answer.bad.at_least or 0.0)
    return np.where(np.isnan(raw), np.nan, bad.astype(np.float64))


def _json(quantity: Quantity | None) -> dict[str, float] | None:
    return None if quantity is None else quantity.as_json()


def _warnings(
    work: _Work, tables: Tables, as_of: datetime, told: Sequence[Mapping[str, Any]], *, zone: str, language: str
) -> list[str]:
    """What whoever reads the numbers should know, in sentences; raises as ``stale_warnings``."""
    from churnwatch.delivery import satisfaction_warnings

    stale_warnings(tables, work.model, as_of)
    surveys, late = work.answering.surveys, {}
    for name, count in work.answering.late.items():
        all_answers = count + int((surveys["answered"] & (surveys["instrument"] == name)).sum())
        if count > LATE * all_answers:
            late[name] = (count, all_answers)
    return satisfaction_warnings(
        language=language,
        stale=[(one.source, one.days, one.last, one.usual) for one in tables.stale(as_of)],
        late=late,
        within=str(work.model.patience.within),
        left_out=sum(one["left_out"] for one in told),
        history=round(work.model.history.days),
        counted_from=_counted_from(work, zone),
    )


def _naive(instant: datetime) -> np.datetime64:
    return np.datetime64(instant.astimezone(UTC).replace(tzinfo=None), "us")
