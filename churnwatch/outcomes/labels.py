"""Labels: what became of each observation, as far as it is known by some time."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from churnwatch.errors import DataRefused
from churnwatch.outcomes.answers import answers, naive, register_observed
from churnwatch.outcomes.treated import treated
from churnwatch.sources import Tables
from churnwatch.spec import Model, where_sql, where_words


def label(tables: Tables, model: Model, observations: pd.DataFrame, *, known_before: datetime) -> pd.DataFrame:
    """What became of each observation, in the same order: ``outcome`` (1.0 bad, 0.0 not, NaN: there is none),
    ``too_late`` and ``told`` (bool), ``left_at``, ``ended_at`` and ``known_at`` (datetime64[us], naive UTC), ``score``,
    ``treated`` (bool) and ``stands_for``.

    ``told``: the row has an outcome to learn from and judge by; those that are too late, those without a known answer,
    and the ``treated``, whom we contacted before the outcome was complete, have none. ``stands_for`` is how many
    customers a row stands for, more than 1 of those held out (``outcomes.treated``). ``known_at`` is the last instant
    of which the label must know, NaT where it is not told.

    ``too_late``: with an outcome ``event``, it came before the gap was over, so there was no time left to act; such
    rows are left out of training and counted apart in evaluation. Their ``outcome`` is 0. ``left_at`` is the first
    such event not known at as-of, or, of those who fell silent, their last event + n; NaT for those who stayed, and
    for a ``given`` outcome, which is taken as it stands. ``ended_at`` is with an outcome ``event`` the first one not
    known at as-of however late it came, else NaT. ``score`` is with an outcome ``answer`` how good it was, 0 worst to
    1 best, else NaN. The labels are only as complete as the caller's as-ofs are (``grid``).
    """
    labels = _untreated(tables, model, observations, known_before=known_before)
    ours, stands_for = treated(tables, model, observations, known_before=known_before)
    labels["treated"], labels["stands_for"] = ours, stands_for
    if ours.any():
        labels.loc[ours, "told"] = False
        labels.loc[ours, "known_at"] = np.datetime64("NaT")
    return labels


def _untreated(tables: Tables, model: Model, observations: pd.DataFrame, *, known_before: datetime) -> pd.DataFrame:
    """The frame of ``label``, as if we had contacted nobody."""
    n = len(observations)
    as_of = observations["as_of"].to_numpy().astype("datetime64[us]")
    whole = as_of + np.timedelta64(model.reach, "s") - np.timedelta64(1, "us")
    nobody, nothing = np.full(n, np.datetime64("NaT"), "datetime64[us]"), np.full(n, np.nan)
    if model.outcome.answer is not None:
        found = answers(tables, model, observations, known_before=known_before)
        told = ~np.isnan(found["outcome"].to_numpy())
        known_at = found["answered_at"].to_numpy() if model.at_events else np.where(told, whole, nobody)
        return _labels(found["outcome"], np.zeros(n, np.bool_), nobody, nobody, known_at, found["score"])
    con = tables.con
    end = f"timestamp '{naive(known_before)}'"
    register_observed(tables, observations)
    if model.outcome.given is not None:
        given = con.sql(
            f"""select customers."{model.outcome.given}" as outcome
            from observed join customers using (customer_id) order by observed.place"""
        ).to_arrow_table()
        con.unregister("observed")
        return _labels(given["outcome"].to_numpy(), np.zeros(n, np.bool_), nobody, nobody, as_of, nothing)
    gap = f"observed.as_of + interval {model.gap.seconds} second"
    close = f"observed.as_of + interval {model.reach} second"
    contractual = model.outcome.event is not None
    # Ends are few, and the later ones are wanted too; of activity only what can tell silence is.
    far = "" if contractual else f'and e."at" < {close}'
    found = con.sql(
        f"""select coalesce(bool_or(e."at" >= {gap} and e."at" < {close}), false) as happened,
               coalesce(bool_or(e."at" < {gap} and not (e."at" < observed.as_of and e.known_at < observed.as_of)),
                        false) as early,
               epoch_us(min(e."at") filter (not (e."at" < observed.as_of and e.known_at < observed.as_of))) as next_at,
               epoch_us(max(e."at") filter (e."at" < {gap})) as last_at
        from observed left join (
            select * from interactions where {where_sql(model.outcome.where)} and known_at < {end}
        ) as e on e.customer_id = observed.customer_id {far}
        group by observed.place order by observed.place"""
    ).to_arrow_table()
    con.unregister("observed")
    happened = found["happened"].to_numpy()
    too_late = found["early"].to_numpy() & contractual
    outcome = ((happened & ~too_late) if contractual else ~happened).astype("float64")
    next_at, last_at = (found[name].to_numpy(zero_copy_only=False).astype("float64") for name in ("next_at", "last_at"))
    ended = _instants(next_at if contractual else nothing)
    gone = _instants(next_at if contractual else last_at + model.label_length.seconds * 1e6)
    left = np.where((outcome == 1) | too_late, gone, nobody)
    return _labels(outcome, too_late, left, ended, np.where(too_late, nobody, whole), nothing)


def _instants(microseconds: NDArray[np.float64]) -> NDArray[np.datetime64]:
    """Microseconds since 1970, NaN none, as datetime64[us]."""
    made = np.full(len(microseconds), np.datetime64("NaT"), dtype="datetime64[us]")
    told = ~np.isnan(microseconds)
    made[told] = microseconds[told].astype("int64").astype("datetime64[us]")
    return made


def _labels(
    outcome: ArrayLike,
    too_late: NDArray[np.bool_],
    left_at: NDArray[np.datetime64],
    ended_at: NDArray[np.datetime64],
    known_at: NDArray[np.datetime64],
    score: ArrayLike,
) -> pd.DataFrame:
    """The frame of ``label`` without what tells of contacts."""
    outcome = np.asarray(outcome, dtype=np.float64)
    return pd.DataFrame(
        {
            "outcome": outcome,
            "too_late": too_late,
            "told": ~too_late & ~np.isnan(outcome),
            "left_at": left_at,
            "ended_at": ended_at,
            "known_at": known_at,
            "score": np.asarray(score, dtype=np.float64),
        }
    )


def check_labels(outcome: pd.Series, model: Model, *, when: str) -> None:
    """DataRefused where all observations came out the same: nothing can be learned or measured from one class."""
    bad = int(outcome.sum())
    if 0 < bad < len(outcome):
        return
    if len(outcome) == 0:
        raise DataRefused(
            f"nobody is observed by the model {model.model} {when}",
            hint="look at the model's population and at `churnwatch check`",
        )
    raise DataRefused(
        f"all {len(outcome)} observations of the model {model.model} {when} have the same outcome ({bad} bad)",
        where=f"{model.file}: outcome",
        allowed="both outcomes occur",
        hint=_doubt(model),
    )


def _doubt(model: Model) -> str:
    """What to look at where all came out the same."""
    if model.outcome.given is not None:
        return "does the file hold those who left and those who stayed?"
    if model.outcome.answer is not None:
        return "are `bad` scores what they should be, and do the surveys reach far enough?"
    what = where_words(model.outcome.where)
    return f"is `{what}` the right event, and does the source that holds it reach far enough?"
