"""Scores that lie within their scale and are another instrument's, or count the other way round.

No row is wrong by itself, so the distribution is asked, per source and instrument, over scores from 0 (worst) to 1
(best). Three questions, each with a chance of a false alarm that can be named:

* **Does nobody give a good score?** Of at least 400 answers not one lies in the best quarter of the scale. Scores from
  1 to 5 delivered on a scale to 10 look like that. An honest instrument has at least 5 % of its answers there (our
  assumption), and then the chance is at most 0.95^400 = 1.3e-9.
* **Did the distribution jump?** The answers of 30 days against those of the 180 days before: the greatest difference of
  the two distribution functions (Kolmogorov and Smirnov) exceeds JUMP by more than chance. Chance is bounded by the
  inequality of Dvoretzky, Kiefer and Wolfowitz with Massart's constant (Ann. Probab. 18, 1990),
  P(sup |F_n - F| > e) <= 2 exp(-2 n e^2), at 5e-10 for each side; so while no true distribution moves by more than JUMP
  an alarm is false once in 10^9 questions. That a fifth of all customers change their minds within a month is rare, and
  worth a look where they do: our reason for JUMP. A slow drift is none.
* **Does it run against the others?** Who scores high in one instrument tends to score high in the others. The
  correlation of the customers' mean score with the mean of their other (standardised) scores is below 0 by more than 4
  standard errors (Fisher's z): by chance once in 30,000 for instruments that have nothing to do with each other, and
  far more rarely for those that agree. ``higher_is_better`` the wrong way round looks like that, whatever the
  distribution; of two instruments nobody can tell which one it is, and both are named.

What is mixed up in a few rows among many, or from the first day in an instrument with few answers, shows in none.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import duckdb
import numpy as np
from numpy.typing import NDArray

ANSWERS = 400
BEST = 0.75
BLOCK_DAYS = 30
BLOCKS_BEFORE = 6
JUMP = 0.2
CHANCE = 5e-10
CUSTOMERS = 100
CONTRARY = -4.0

_SCORES = """(
    SELECT source, instrument, customer_id, answered_at, raw_score, scale_min, scale_max,
           abs((raw_score - if(higher_is_better, scale_min, scale_max)) / (scale_max - scale_min)) AS score
    FROM surveys WHERE answered_at IS NOT NULL AND raw_score IS NOT NULL)"""


@dataclass(frozen=True)
class Mixup:
    """A source whose scores of one instrument look like those of another, and the numbers that say so."""

    source: str
    instrument: str
    told: str


def mixed_up(con: duckdb.DuckDBPyConnection) -> tuple[Mixup, ...]:
    """The alarms over all answered surveys in ``con``, by source and instrument; see the module."""
    found = [*_without_good_scores(con), *_jumps(con), *_contrary(con)]
    return tuple(sorted(found, key=lambda one: (one.source, one.instrument)))


def _without_good_scores(con: duckdb.DuckDBPyConnection) -> Iterator[Mixup]:
    rows = con.execute(
        f"""WITH found AS (
                SELECT source, instrument, count(*) AS answers, max(score) AS best, min(raw_score) AS low,
                       max(raw_score) AS high, min(scale_min) AS scale_low, max(scale_max) AS scale_high
                FROM {_SCORES} GROUP BY ALL)
            SELECT *, (SELECT string_agg(DISTINCT other.instrument, ', ' ORDER BY other.instrument)
                       FROM found AS other
                       WHERE other.instrument <> found.instrument
                             AND found.low >= other.scale_low AND found.high <= other.scale_high
                             AND other.scale_high - other.scale_low < found.scale_high - found.scale_low)
            FROM found WHERE answers >= {ANSWERS} AND best < {BEST}"""
    ).fetchall()
    for source, instrument, answers, _, low, high, scale_low, scale_high, others in rows:
        fits = f", as scores of {others} would" if others else ""
        yield Mixup(
            source,
            instrument,
            f"none of {answers:,} scores lies in the best quarter of the scale from {scale_low:g} to {scale_high:g}; "
            f"they lie from {low:g} to {high:g}{fits}",
        )


def _jumps(con: duckdb.DuckDBPyConnection) -> Iterator[Mixup]:
    """The first of the blocks of 30 days in a row that differ from the six before them."""
    counted = con.execute(
        f"""SELECT source, instrument, epoch_us(answered_at) // {BLOCK_DAYS * 86_400_000_000} AS block, score, count(*)
            FROM {_SCORES} GROUP BY ALL ORDER BY ALL"""
    ).fetchall()
    series: dict[tuple[str, str], list[tuple[int, float, int]]] = {}
    for source, instrument, block, score, count in counted:
        series.setdefault((source, instrument), []).append((block, score, count))
    for (source, instrument), cells in series.items():
        blocks, place = np.unique([block for block, _, _ in cells], return_inverse=True)
        scores, column = np.unique([score for _, score, _ in cells], return_inverse=True)
        counts = np.zeros((len(blocks), len(scores)), np.int64)
        counts[place, column] = [count for _, _, count in cells]
        last = -math.inf
        for index, block in enumerate(blocks.tolist()):
            before = counts[(blocks >= block - BLOCKS_BEFORE) & (blocks < block)].sum(axis=0)
            told = _jump(counts[index], before, scores)
            if not told:
                continue
            if block > last + BLOCKS_BEFORE:
                day = datetime.fromtimestamp(0, UTC) + timedelta(days=BLOCK_DAYS * block)
                yield Mixup(source, instrument, f"in the 30 days from {day:%Y-%m-%d} {told}")
            last = block


def _jump(now: NDArray[np.int64], before: NDArray[np.int64], scores: NDArray[np.float64]) -> str:
    """The difference in words where it is more than chance and JUMP; else nothing."""
    n, m = int(now.sum()), int(before.sum())
    if not n or not m:
        return ""
    after, earlier = np.cumsum(now) / n, np.cumsum(before) / m
    at = int(np.argmax(np.abs(after - earlier)))
    chance = sum(math.sqrt(math.log(2 / CHANCE) / (2 * answers)) for answers in (n, m))
    if abs(after[at] - earlier[at]) <= JUMP + chance:
        return ""
    return (
        f"{after[at]:.0%} of {n:,} answers scored {scores[at]:.2f} or less (0 worst, 1 best), in the half year before "
        f"{earlier[at]:.0%} of {m:,}"
    )


def _contrary(con: duckdb.DuckDBPyConnection) -> Iterator[Mixup]:
    rows = con.execute(
        f"""WITH spread AS (
                SELECT source, instrument, avg(score) AS mean, stddev_pop(score) AS width
                FROM {_SCORES} GROUP BY ALL HAVING width > 0),
            own AS (
                SELECT source, instrument, customer_id, sum((score - mean) / width) AS total, count(*) AS answers
                FROM {_SCORES} JOIN spread USING (source, instrument) GROUP BY ALL),
            every AS (SELECT customer_id, sum(total) AS total, sum(answers) AS answers FROM own GROUP BY ALL)
            SELECT source, instrument, count(*), corr(own.total / own.answers,
                   (every.total - own.total) / (every.answers - own.answers))
            FROM own JOIN every USING (customer_id) WHERE every.answers > own.answers
            GROUP BY ALL HAVING count(*) >= {CUSTOMERS}"""
    ).fetchall()
    found = [(r, *rest) for *rest, r in rows if math.atanh(max(r, -0.999999)) * math.sqrt(rest[-1] - 3) < CONTRARY]
    for r, source, instrument, customers in sorted(found)[: len(found) if len(rows) == 2 else 1]:
        yield Mixup(
            source,
            instrument,
            f"{customers:,} customers who answered other surveys too score it the other way round (correlation "
            f"{r:.2f})",
        )
