"""Survey plan: whom to ask next, what that is expected to tell, and who is left in peace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

import churnwatch
from churnwatch.asking import Plan, plan
from churnwatch.errors import DataRefused, ProjectError, UsageError, nearest
from churnwatch.outcomes import instruments_of, unasked_words
from churnwatch.runs.answering import answering_of, foretold_instruments
from churnwatch.runs.candidate import TRAINED_UNTIL
from churnwatch.runs.score import Scored, scores
from churnwatch.runs.workspace import Report, Workspace, load_tables, lock
from churnwatch.signals import build
from churnwatch.spec import Answer, Model, civil_day, where_sql

if TYPE_CHECKING:
    from churnwatch.sources import Tables

FILE = "survey_plan.csv"


@dataclass(frozen=True)
class Planned:
    """A published plan: its directory, its rows as the file has them, and how it came about."""

    directory: Path
    rows: Sequence[Mapping[str, Any]]
    summary: Mapping[str, Any]

    def as_json(self) -> dict[str, Any]:
        """The machine-readable object of ``--json``."""
        return {
            **self.summary,
            "files": {path.name: str(path) for path in sorted(self.directory.iterdir())},
            "rows": [
                {name: value.isoformat() if isinstance(value, date) else value for name, value in row.items()}
                for row in self.rows
            ],
        }


def plan_surveys(
    workspace: Workspace,
    *,
    day: date,
    size: int,
    instrument: str | None = None,
    name: str = "satisfaction",
    report: Report | None = None,
) -> Planned:
    """Choose ``size`` customers to send ``instrument`` to on ``day``, and publish them in
    ``out/<deployment>/<as-of>-surveys/``.

    ``name`` is a model whose outcome is an answer; its champion says how uncertain each customer's answer is, and a
    model of who answers, fitted on the surveys before ``day``, how likely one comes. ``instrument`` is by default the
    model's first that is about the customer. Raises UsageError for a size below 1 or another instrument, ProjectError
    for a model that does not observe everybody, NoUsableModel without a champion, DataRefused for a day outside the
    data and an instrument that no survey has.
    """
    if size < 1:
        raise UsageError(f"{size} is no size of a plan", where="--size", allowed="1 or more")
    model = workspace.model(name)
    instruments = foretold_instruments(model)
    if model.at_events:
        raise ProjectError(
            f"the model {name} observes customers when a survey is sent to them, so it knows nobody to ask next",
            where=f"{model.file}: grid",
            allowed="a calendar grid, {every: 30d}, which observes everybody",
            hint="name another model with --model",
        )
    instrument = _instrument(instruments, instrument, file=model.file)
    rules = workspace.spec.outreach.surveys
    with lock(workspace):
        from churnwatch.delivery import publish, survey_plan_csv

        tables = load_tables(workspace, report=report)
        _check_asked(tables, model, instrument)
        scored = scores(workspace, tables, name, day=day, report=report)
        answers, notes = _answers(workspace, tables, model, scored, instrument, report=report)
        people = _people(tables, instruments, scored.as_of)
        customers = scored.frame[["customer_id", "risk"]].assign(answers=answers)
        chosen = plan(
            customers.merge(people, on="customer_id", how="left", validate="one_to_one"),
            as_of=scored.as_of,
            size=size,
            fatigue=rules.fatigue,
            quiet=rules.quiet,
            random_share=rules.random_share,
            key=f"{workspace.deployment} {instrument} {day}",
        )
        if instruments[instrument].about == "case":
            notes = (*notes, f"{instrument} is asked about a case: send it about the customer's last one")
        notes = (*notes, *_learned_later(scored, zone=workspace.spec.deployment.zone))
        rows = _rows(chosen, scored, instrument, zone=workspace.spec.deployment.zone)
        directory = workspace.out / f"{day}-surveys"
        summary = {
            "deployment": workspace.deployment,
            "as_of": str(day),
            "model": name,
            "model_version": scored.version,
            "instrument": instrument,
            "ranked_by": _ranked_by(chosen),
            "size": size,
            "rules": {"fatigue": rules.fatigue, "quiet": rules.quiet, "random_share": rules.random_share},
            "counts": asdict(chosen.counts),
            "drawn": int(chosen.chosen["drawn"].sum()),
            "expected": asdict(chosen.expected),
            "at_random": asdict(chosen.at_random),
            "ranked_alone": asdict(chosen.ranked),
            "warnings": [*notes, *scored.warnings],
        }
        publish(
            directory,
            {FILE: survey_plan_csv(rows)},
            manifest={**summary, "program": churnwatch.__version__, "made_at": workspace.now.isoformat()},
            replace=True,
        )
    return Planned(directory, rows, summary)


def _instrument(instruments: Mapping[str, Answer], wanted: str | None, *, file: str) -> str:
    """The wanted instrument, else the first about the customer, else the first."""
    if wanted is None:
        return next((name for name, one in instruments.items() if one.about == "customer"), next(iter(instruments)))
    if wanted not in instruments:
        raise UsageError(
            f"there is no instrument {wanted}",
            where="--instrument",
            allowed=f"those of {file}: {', '.join(instruments)}",
            hint=nearest(wanted, instruments),
        )
    return wanted


def _check_asked(tables: Tables, model: Model, instrument: str) -> None:
    """DataRefused where no survey has the instrument: whoever never asked by it would plan by a slip of the pen."""
    if not (told := unasked_words(tables, [instrument])):
        return
    known = [name for name in instruments_of(tables) if name in (model.outcome.answer or ())]
    raise DataRefused(
        told,
        where=f"{model.file}: outcome.answer.{instrument}",
        allowed=f"an instrument of that file that surveys have: {', '.join(known) or 'none'}",
        hint="correct the file, or name another with --instrument",
    )


def _answers(
    workspace: Workspace,
    tables: Tables,
    model: Model,
    scored: Scored,
    instrument: str,
    *,
    report: Report | None,
) -> tuple[np.ndarray[Any, np.dtype[np.float64]], tuple[str, ...]]:
    """How likely each scored customer answered if asked now (NaN: unknown), and why it is unknown where it is."""
    answering = answering_of(workspace, tables, model, before=scored.as_of, report=report)
    sent = int((answering.surveys["instrument"] == instrument).sum())
    why = None
    if instrument in answering.only_answers:
        why = f"every survey of {instrument} has an answer: the source lists answers only"
    elif sent == 0:
        why = f"no survey of {instrument} was sent whose fate is known"
    elif answering.fitted is None:
        why = f"of only {len(answering.surveys)} surveys it is known whether they were answered"
    if why is not None:
        told = f"{why}. Nobody can say who would answer, so uncertainty alone ranks, as if everybody did"
        return np.full(len(scored.frame), np.nan), (told,)
    matrix = build(tables, answering.matrix.columns, scored.matrix.observations, report=report)
    return answering.predict(matrix, instrument), ()


def _people(tables: Tables, instruments: Mapping[str, Answer], as_of: datetime) -> pd.DataFrame:
    """Who each customer is, and when they were last asked anything, and last answered one of ``instruments``."""
    found = tables.con.execute(
        f"""with asked as (
            select customer_id, max(sent_at) as asked_at,
                   max(answered_at) filter (
                       answered_at < $cut and {where_sql({"instrument": list(instruments)})}) as answered_at
            from surveys where sent_at < $cut group by customer_id
        )
        select customer_id, customers.name as customer_name, owner, agents.name as owner_name,
               do_not_contact or coalesce(ended_at <= $cut, false) as do_not_contact, asked_at, answered_at
        from customers left join agents using (owner) left join asked using (customer_id)
        order by customer_id""",
        {"cut": as_of.astimezone(UTC).replace(tzinfo=None)},
    ).to_arrow_table()
    texts = ("customer_id", "customer_name", "owner", "owner_name")
    return pd.DataFrame(
        {
            **{name: pd.Series(found[name].to_pylist(), dtype=object) for name in texts},
            "do_not_contact": found["do_not_contact"].to_numpy(zero_copy_only=False).astype(bool),
            **{name: found[name].to_numpy().astype("datetime64[us]") for name in ("asked_at", "answered_at")},
        }
    )


def _rows(chosen: Plan, scored: Scored, instrument: str, *, zone: str) -> list[dict[str, Any]]:
    ranked_by = _ranked_by(chosen)
    return [
        {
            "rank": int(record["rank"]),
            "customer": record["customer_id"],
            "customer_name": record["customer_name"] or "",
            "owner": record["owner"] or "",
            "owner_name": record["owner_name"] or record["owner"] or "",
            "instrument": instrument,
            "chosen_by": "draw" if record["drawn"] else ranked_by,
            "answers": None if pd.isna(record["answers"]) else float(record["answers"]),
            "risk": float(record["risk"]),
            "bits": float(record["bits"]),
            "last_asked": _day(record["asked_at"], zone),
            "last_answered": _day(record["answered_at"], zone),
            "model_version": scored.version,
        }
        for record in chosen.chosen.to_dict("records")
    ]


def _learned_later(scored: Scored, *, zone: str) -> list[str]:
    """A warning where the model knows days that lie after the plan's."""
    until = scored.bundle.notes.get(TRAINED_UNTIL)
    if until is None or datetime.fromisoformat(until) <= scored.as_of:
        return []
    last = civil_day(datetime.fromisoformat(until) - timedelta(microseconds=1), zone)
    return [
        f"The model has learned from days up to {last}, and a plan of {civil_day(scored.as_of, zone)} should know "
        "nothing from that day on: this one shows how a plan works, not how good it would have been."
    ]


def _ranked_by(chosen: Plan) -> str:
    return "uncertainty" if chosen.expected.answers is None else "information"


def _day(instant: Any, zone: str) -> date | None:
    return None if pd.isna(instant) else civil_day(instant.replace(tzinfo=UTC), zone)
