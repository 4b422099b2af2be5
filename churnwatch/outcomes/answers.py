"""Answers: what customers said in the surveys a model foretells, and when it was known."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd

from churnwatch.errors import DataRefused, nearest
from churnwatch.sources import Tables
from churnwatch.spec import Model

SHOWN = 10
"""More instruments than this are a column of words that was taken for one: a message does not repeat them."""


def unasked_words(tables: Tables, instruments: Iterable[str]) -> str:
    """``no survey has the instrument npss; there are nps, csat`` where that is so, and a hint apart by a semicolon;
    empty where each has a survey.
    """
    there = instruments_of(tables)
    wanted = list(instruments)
    missing = [name for name in wanted if name not in there]
    if not missing:
        return ""
    others = [name for name in there if name not in wanted]
    found = f"there {'is' if len(there) == 1 else 'are'} {', '.join(there)}" if there else "there are no surveys"
    if len(there) > SHOWN:
        found = f"there are {len(there):,} others: is instrument mapped from the right column?"
    told = f"no survey has the instrument{'s' if len(missing) > 1 else ''} {', '.join(missing)}; {found}"
    if len(there) > SHOWN:
        return told
    return "; ".join((told, *dict.fromkeys(hint for name in missing if (hint := nearest(name, others)))))


def instruments_of(tables: Tables) -> list[str]:
    """The instruments that surveys have, the most frequent first."""
    rows = tables.con.execute(
        "select instrument from surveys where instrument is not null group by 1 order by count(*) desc, 1"
    ).fetchall()
    return [str(name) for (name,) in rows]


def check_instruments(tables: Tables, model: Model) -> None:
    """DataRefused where a survey the model foretells has another scale, or counts the other way, than its file says."""
    assert model.outcome.answer is not None
    found = tables.con.execute(
        f"""select s.instrument, s.scale_min, s.scale_max, s.higher_is_better, count(*) from surveys as s
        where {asked_sql(model)} and s.scale_min is not null and s.scale_max is not null group by all order by all"""
    ).fetchall()
    for instrument, low, high, better, count in found:
        said = model.outcome.answer[instrument]
        if (low, high) != said.scale or better != said.higher_is_better:
            ways = {True: "a high score is good", False: "a high score is bad"}
            raise DataRefused(
                f"{count:,} surveys {instrument} run from {low:g} to {high:g}, {ways[better]}",
                where=f"{model.file}: outcome.answer.{instrument}",
                allowed=f"{said.scale[0]:g} to {said.scale[1]:g}, {ways[said.higher_is_better]}",
                hint="correct `scale` and `bad` there, or the mapping of surveys in sources.yaml",
            )


def last_sent(tables: Tables, model: Model) -> datetime:
    """When the last survey of the model's instruments was sent, aware."""
    [(last,)] = tables.con.execute(
        f"select epoch_us(max(s.sent_at)) from surveys as s where {asked_sql(model)}"
    ).fetchall()
    return datetime.fromtimestamp(0, UTC) + timedelta(microseconds=last)


def any_unanswered(tables: Tables, model: Model) -> bool:
    """Whether a survey of the model's instruments stands there without an answer."""
    return bool(
        tables.con.execute(
            f"select 1 from surveys as s where {asked_sql(model)} and s.answered_at is null limit 1"
        ).fetchall()
    )


def asked_sql(model: Model) -> str:
    """The condition on surveys ``s`` that one of the model's instruments was asked."""
    assert model.outcome.answer is not None
    names = ", ".join(f"'{name}'" for name in sorted(model.outcome.answer))
    return f"s.instrument in ({names})"


def answers(tables: Tables, model: Model, observations: pd.DataFrame, *, known_before: datetime) -> pd.DataFrame:
    """The answer of each observation (customer_id, as_of), in its order: ``outcome`` 1.0 bad, 0.0 not, ``score`` 0
    worst to 1 best, ``answered_at`` datetime64[us], naive UTC; NaN and NaT where none is known before ``known_before``.

    On a grid of events the answer to the survey sent at as-of, else the first answer within the outcome window,
    whichever survey it belongs to. Of answers at one instant the smaller survey_id comes first.
    """
    con = tables.con
    register_observed(tables, observations)
    opens = f"observed.as_of + interval {model.gap.seconds} second"
    closes = f"observed.as_of + interval {model.reach} second"
    window = (
        "s.sent_at = observed.as_of" if model.at_events else f"s.answered_at >= {opens} and s.answered_at < {closes}"
    )
    found = con.sql(
        f"""select observed.place, s.instrument, s.raw_score, s.answered_at
        from observed left join surveys as s
            on s.customer_id = observed.customer_id and {asked_sql(model)} and s.raw_score is not null
            and s.answered_at < timestamp '{naive(known_before)}' and {window}
        qualify row_number() over (partition by observed.place order by s.answered_at, s.survey_id) = 1
        order by observed.place"""
    ).to_arrow_table()
    con.unregister("observed")
    outcome = np.full(len(observations), np.nan)
    score = outcome.copy()
    raw = found["raw_score"].to_numpy().astype(np.float64)
    instrument = np.array(found["instrument"].to_pylist(), dtype=object)
    for name, said in (model.outcome.answer or {}).items():
        rows = instrument == name
        low, high = said.scale
        share = (raw[rows] - low) / (high - low)
        score[rows] = share if said.higher_is_better else 1 - share
        bad = raw[rows] <= said.bad.at_most if said.bad.at_most is not None else raw[rows] >= (said.bad.at_least or 0)
        outcome[rows] = bad
    answered = found["answered_at"].to_numpy().astype("datetime64[us]")
    return pd.DataFrame({"outcome": outcome, "score": score, "answered_at": answered})


def register_observed(tables: Tables, observations: pd.DataFrame) -> None:
    """The observations as the relation ``observed``: place (their row), customer_id, as_of."""
    import pyarrow as pa

    tables.con.register(
        "observed",
        pa.table(
            {
                "place": pa.array(range(len(observations)), pa.int64()),
                "customer_id": pa.array(observations["customer_id"].to_list(), pa.string()),
                "as_of": pa.array(observations["as_of"].to_numpy(), pa.timestamp("us")),
            }
        ),
    )


def naive(instant: datetime) -> datetime:
    """An aware instant as the tables hold it: UTC without saying so."""
    return instant.astimezone(UTC).replace(tzinfo=None)
