"""Who answers surveys: what is known of the customer when one is sent, what becomes of it, and how likely that was."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from churnwatch.errors import DataRefused, ProjectError
from churnwatch.learner import CrossFit, cross_fit
from churnwatch.runs.study import usable_columns
from churnwatch.runs.workspace import Report, Workspace
from churnwatch.signals import Matrix, build
from churnwatch.spec import Answer, Model, where_sql

if TYPE_CHECKING:
    from churnwatch.sources import Tables

Array = np.ndarray[Any, np.dtype[np.float64]]

FEWEST = 50
"""Surveys that a model of answering is fitted on at least; our choice: of fewer it would tell little but their mean."""


@dataclass(frozen=True)
class Answering:
    """The surveys whose fate is known ``before`` a moment, and a small model of who answers.

    ``surveys``: customer_id, sent_at (naive UTC), instrument, answered (bool), raw_score (NaN without an answer), score
    (0 worst to 1 best), in the order of sending. An answer counts that came within ``answering.within``, so that fates
    do not change later; ``late`` tells of how many others. Where the source lists answers only, any counts. ``matrix``
    has their signals as of the sending; ``chance`` (n,) how likely an answer was, told by a model that has not seen the
    customer, NaN where the source lists answers only.
    """

    surveys: pd.DataFrame
    matrix: Matrix
    chance: Array
    fitted: CrossFit | None
    instruments: tuple[str, ...]
    only_answers: frozenset[str]
    """Instruments of which no survey is without an answer: there is no response rate."""
    late: Mapping[str, int]
    before: datetime
    since: datetime | None
    """From when on surveys are taken (naive UTC): the first ``grid.history`` of the data is left out."""

    def predict(self, matrix: Matrix, instrument: str) -> Array:
        """How likely each row's customer (m,) answered, were they sent this ``instrument`` at the row's as-of.

        ``matrix`` has the columns of ``self.matrix`` (else ValueError). Raises DataRefused where that cannot be known.
        """
        if matrix.names != self.matrix.names:
            raise ValueError("the matrix has other columns than the surveys'")
        if instrument in self.only_answers:
            raise DataRefused(
                f"every survey of {instrument} has an answer: the source lists answers only",
                where="surveys",
                allowed="surveys that were sent and not answered, as rows without answered_at",
                hint="ask for an export that holds them, or plan by another instrument",
            )
        if self.fitted is None:
            raise DataRefused(
                f"of {int((~self.surveys['instrument'].isin(self.only_answers)).sum())} surveys it is known whether "
                "they were answered: too few to tell who answers",
                where="surveys",
                allowed=f"at least {FEWEST}",
                hint="wait for more surveys, or look at `churnwatch check`: is every survey sent a row?",
            )
        return self.fitted.predict(_with_instrument(matrix.values, np.full(len(matrix.values), instrument), self))


def foretold_instruments(model: Model) -> Mapping[str, Answer]:
    """The instruments whose answers a model foretells; ProjectError where it foretells none."""
    if model.outcome.answer is None:
        raise ProjectError(
            f"the model {model.model} foretells no answers",
            where=f"{model.file}: outcome",
            allowed="outcome: {answer: {…}}",
            hint="name the model of satisfaction",
        )
    return model.outcome.answer


def answering_of(
    workspace: Workspace, tables: Tables, model: Model, *, before: datetime, report: Report | None = None
) -> Answering:
    """Fit who answers the instruments of ``model`` on the surveys whose fate is known before ``before`` (aware).

    Those are the surveys sent ``answering.within`` before it or earlier: of later ones the answers are known and the
    silences are not, and together they would look as if more people answered. Left out too are the surveys of the
    first ``grid.history`` of the data, where all customers look quiet. Nothing known at ``before`` or later is read,
    and of each survey's customer nothing known at its sending or later.
    """
    instruments = foretold_instruments(model)
    only = _only_answers(tables, instruments)
    since = _since(tables, model)
    found, late = _fates(tables, model, instruments, only=only, before=before, since=since)
    columns, _ = usable_columns(workspace, tables, model)
    spine = pd.DataFrame({"customer_id": found["customer_id"], "as_of": found["sent_at"]})
    told = Answering(
        found,
        build(tables, columns, spine, report=report),
        np.full(len(found), np.nan),
        None,
        tuple(instruments),
        only,
        late,
        before,
        since,
    )
    asked = ~found["instrument"].isin(only).to_numpy()
    if asked.sum() < FEWEST:
        return told
    fitted = cross_fit(
        _with_instrument(told.matrix.values[asked], found["instrument"].to_numpy()[asked], told),
        found["answered"].to_numpy(dtype=np.float64)[asked],
        groups=found["customer_id"].to_numpy()[asked],
        kind="binary",
        seed=model.learner.seed,
    )
    told.chance[asked] = fitted.told
    return Answering(found, told.matrix, told.chance, fitted, told.instruments, only, late, before, since)


class Uncounted(NamedTuple):
    """The surveys of an instrument sent before as-of, and those of a window before it that no number counts."""

    in_data: int
    left_out: int
    """Sent when the data had just begun, see ``Answering.since``."""
    pending: int
    """Sent so lately that their fate is not settled, whether an answer has come or not; 0 of answers only."""

    def why(self, mapped: bool, *, only: bool) -> str:
        """Why no survey of the window counts, of a deployment whose surveys are ``mapped`` or are not."""
        if not mapped:
            return "this deployment maps no surveys"
        if not self.in_data:
            return "no survey in the data"
        said = [f"{self.left_out} sent when the data had just begun are left out"] if self.left_out else []
        said += [f"{self.pending} were sent and may yet be answered"] if self.pending else []
        return "; ".join(said) or ("nobody answered" if only else "nobody was asked")


def uncounted(tables: Tables, model: Model, answering: Answering, *, opens: datetime) -> dict[str, Uncounted]:
    """By instrument, of the surveys sent from ``opens`` until ``answering.before``; those without any are not there."""
    rows = tables.con.execute(
        """select instrument, count(*),
            count(*) filter (sent_at >= $opens and coalesce(sent_at < $since, true)),
            count(*) filter (sent_at > $settled and sent_at >= $since)
        from surveys where sent_at < $before group by 1""",
        {
            "before": _naive(answering.before),
            "opens": _naive(opens),
            "settled": _naive(answering.before - timedelta(seconds=model.patience.within.seconds)),
            "since": answering.since,
        },
    ).fetchall()
    return {
        name: Uncounted(in_data, left_out, 0 if name in answering.only_answers else pending)
        for name, in_data, left_out, pending in rows
    }


def _since(tables: Tables, model: Model) -> datetime | None:
    """When the data are ``grid.history`` old: before, all customers look quiet."""
    [(found,)] = tables.con.execute(
        f"""select min("at") + interval {model.history.seconds} second from interactions"""
    ).fetchall()
    return found if isinstance(found, datetime) else None


def _fates(
    tables: Tables,
    model: Model,
    instruments: Mapping[str, Answer],
    *,
    only: frozenset[str],
    before: datetime,
    since: datetime | None,
) -> tuple[pd.DataFrame, dict[str, int]]:
    """The surveys of known fate, and how many answers of each instrument came too late to count."""
    within = model.patience.within.seconds
    rows = tables.con.execute(
        f"""select customer_id, epoch_us(sent_at) as sent_at, instrument, raw_score,
               coalesce(answered_at < $before and raw_score is not null, false) as there,
               coalesce(answered_at < sent_at + interval {within} second, false) as in_time
        from surveys
        where {where_sql({"instrument": list(instruments)})} and sent_at <= $until
            and sent_at >= $since
        order by sent_at, customer_id, instrument, survey_id""",
        {"before": _naive(before), "until": _naive(before - timedelta(seconds=within)), "since": since},
    ).to_arrow_table()
    instrument = np.array(rows["instrument"].to_pylist(), dtype=object)
    there, in_time = (rows[name].to_numpy(zero_copy_only=False).astype(bool) for name in ("there", "in_time"))
    # Where nobody is known to be silent, there is no waiting for an answer either.
    answered = there & (in_time | np.isin(instrument, list(only)))
    raw = np.where(answered, rows["raw_score"].to_numpy(zero_copy_only=False).astype(np.float64), np.nan)
    score = np.full(len(raw), np.nan)
    for name, answer in instruments.items():
        low, high = answer.scale
        share = (raw - low) / (high - low)
        score = np.where(instrument == name, share if answer.higher_is_better else 1 - share, score)
    surveys = pd.DataFrame(
        {
            "customer_id": pd.Series(rows["customer_id"].to_pylist(), dtype=object),
            "sent_at": rows["sent_at"].to_numpy(zero_copy_only=False).astype("datetime64[us]"),
            "instrument": pd.Series(instrument, dtype=object),
            "answered": answered,
            "raw_score": raw,
            "score": score,
        }
    )
    late = there & ~answered
    return surveys, {name: int((late & (instrument == name)).sum()) for name in instruments}


def _only_answers(tables: Tables, instruments: Mapping[str, Answer]) -> frozenset[str]:
    """Instruments with surveys, all of them answered: a property of the source, not of the customers in it."""
    rows = tables.con.execute(
        f"""select instrument from surveys where {where_sql({"instrument": list(instruments)})}
        group by instrument having bool_and(answered_at is not null)"""
    ).fetchall()
    return frozenset(str(name) for (name,) in rows)


def _with_instrument(values: Array, instruments: np.ndarray[Any, Any], answering: Answering) -> Array:
    marks = [(instruments == name).astype(np.float64) for name in answering.instruments]
    return np.column_stack([values, *marks])


def _naive(instant: datetime) -> datetime:
    return instant.astimezone(UTC).replace(tzinfo=None)
