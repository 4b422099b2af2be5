"""The named aggregates a signal may use: what each needs, what it gives for no rows, and its SQL.

An aggregate sees the rows of one customer with ``low < age <= high``, where the age is the time from the row to as-of.
Its SQL reads these columns of the engine's event table: ``_age`` (microseconds), ``_seq`` (the rank of the row by at,
known_at, id), ``_day`` (the civil day as a number), and the columns of the table itself; all rows of the customer are
there, so ``max(_age)`` without a filter is the age of the first. A value that is no finite number becomes missing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

DAY = 86_400_000_000
"""Microseconds."""

Need = Literal["required", "optional", "none"]


@dataclass(frozen=True)
class Rows:
    """Which rows an aggregate sees, as SQL: ``keep`` (where and window), ``base`` (for shares), ages in µs."""

    keep: str
    base: str
    measure: str
    by: str
    low: int
    high: int | None


@dataclass(frozen=True)
class Aggregate:
    """One named aggregate.

    ``sql`` makes the expression over one customer's rows; ``finish``, where given, the expression over all
    customers' results (column, table) that turns it into the value. ``empty`` is the value over no rows
    (``None``: missing). ``comparable``: a change against the window before has a meaning. ``slope``: the value
    says which way something moves.
    """

    name: str
    summary: str
    sql: Callable[[Rows], str]
    measure: Need = "none"
    by: Need = "none"
    of: Need = "none"
    windows: Need = "optional"
    empty: float | None = 0.0
    comparable: bool = False
    slope: bool = False
    finish: Callable[[str, str], str] | None = None


def _days(expression: str) -> str:
    return f"({expression}) / {DAY}.0"


def _gap(rows: Rows) -> str:
    span = f"(max(_age) filter ({rows.keep}) - min(_age) filter ({rows.keep}))"
    return f"case when count(*) filter ({rows.keep}) >= 2 then {_days(span)} / (count(*) filter ({rows.keep}) - 1) end"


def _gap_ratio(rows: Rows) -> str:
    return f"{_days(f'min(_age) filter ({rows.keep})')} / nullif({_gap(rows)}, 0)"


def _share(rows: Rows) -> str:
    return f"(count(*) filter ({rows.keep} and {rows.base}))::double / nullif(count(*) filter ({rows.base}), 0)"


def _rate(rows: Rows) -> str:
    longest = "max(_age)" if rows.high is None else f"least(max(_age), {rows.high})"
    return f"count(*) filter ({rows.keep}) * 30.0 / greatest({_days(longest)}, 1.0)"


def _trend(rows: Rows) -> str:
    # A slope per month out of hours would be noise, and out of microseconds past what a double can tell apart.
    known = f"filter ({rows.keep} and {rows.measure} is not null)"
    slope = f"30.0 * regr_slope({rows.measure}, {_days('-_age')}) {known}"
    return f"case when max(_age) {known} - min(_age) {known} >= {DAY} then {slope} end"


def _count_trend(rows: Rows) -> str:
    # Rows seen as a density a + b t on t in [-1, 1): the first moment, the sum of t, is 2b/3. The sum is of whole
    # microseconds, so that rows that balance give exactly 0.
    assert rows.high is not None
    length = rows.high - rows.low
    moment = f"coalesce(sum({rows.low + rows.high} - 2 * _age) filter ({rows.keep}), 0)"
    return f"{moment} / {length}.0 * {5400.0 / (length / DAY) ** 2!r}"


def _silence(rows: Rows) -> str:
    n = f"count(*) filter ({rows.keep})"
    seen = f"max(_age) filter ({rows.keep}) - min(_age) filter ({rows.keep})"
    quiet = f"min(_age) filter ({rows.keep})"
    return f"case when {n} >= 1 then {{'n': {n}, 'seen': {seen}, 'quiet': {quiet}}} end"


def _silence_probability(column: str, table: str) -> str:
    """Rate ~ Gamma(1, usual gap), updated by the n - 1 further rows of ``seen`` time.

    The predictive probability of no row for ``quiet`` is then ((b + seen) / (b + seen + quiet)) ** n with
    b = the mean gap over all customers (the Gamma–Poisson rate of Fader & Hardie, Marketing Science 24, 2005). A
    prior that weighs as much as one gap is our choice: it matters only for customers with a handful of rows. All rows
    count, whoever is in the spine. Where every gap of all customers is 0, any quiet is certain: 1.
    """
    gap = f"(select sum({column}.seen)::double / nullif(sum({column}.n - 1), 0) from {table})"
    return f"1.0 - pow(1.0 - {column}.quiet / ({gap} + {column}.seen + {column}.quiet), {column}.n)"


AGGREGATES: dict[str, Aggregate] = {
    aggregate.name: aggregate
    for aggregate in (
        Aggregate(
            "count",
            "how many rows",
            lambda rows: f"count(*) filter ({rows.keep})",
            comparable=True,
        ),
        Aggregate(
            "sum",
            "the measure added up; 0 over no rows",
            lambda rows: f"coalesce(sum({rows.measure}) filter ({rows.keep}), 0.0)",
            measure="required",
            comparable=True,
        ),
        Aggregate(
            "mean",
            "the measure's mean; missing over no rows",
            lambda rows: f"avg({rows.measure}) filter ({rows.keep})",
            measure="required",
            empty=None,
            comparable=True,
        ),
        Aggregate(
            "min",
            "the measure's least value; missing over no rows",
            lambda rows: f"min({rows.measure}) filter ({rows.keep})",
            measure="required",
            empty=None,
            comparable=True,
        ),
        Aggregate(
            "max",
            "the measure's greatest value; missing over no rows",
            lambda rows: f"max({rows.measure}) filter ({rows.keep})",
            measure="required",
            empty=None,
            comparable=True,
        ),
        Aggregate(
            "latest",
            "the measure's value in the last row that has one; missing over no rows",
            lambda rows: f"arg_max({rows.measure}, _seq) filter ({rows.keep} and {rows.measure} is not null)",
            measure="required",
            empty=None,
            comparable=True,
        ),
        Aggregate(
            "distinct",
            "how many different values of `by`; rows without one count for nothing",
            lambda rows: f"count(distinct {rows.by}) filter ({rows.keep})",
            by="required",
            comparable=True,
        ),
        Aggregate(
            "distinct_days",
            "on how many civil days there are rows",
            lambda rows: f"count(distinct _day) filter ({rows.keep})",
            comparable=True,
        ),
        Aggregate(
            "days_since",
            "days from the last row to as-of, fractional; missing over no rows",
            lambda rows: _days(f"min(_age) filter ({rows.keep})"),
            empty=None,
        ),
        Aggregate(
            "share",
            "share of the rows of `of` that are rows of `where` too; missing when there are none of `of`",
            _share,
            of="required",
            empty=None,
            comparable=True,
        ),
        Aggregate(
            "open",
            "rows of `where` minus rows of `of`, at least 0: opened and not yet closed",
            lambda rows: f"greatest(count(*) filter ({rows.keep}) - count(*) filter ({rows.base}), 0)",
            of="required",
            comparable=True,
        ),
        Aggregate(
            "rate",
            "rows per 30 days, over the part of the window since the customer's first row of any kind (at least a day)",
            _rate,
        ),
        Aggregate(
            "trend",
            "least-squares slope of the measure per 30 days; missing where its rows span less than a day",
            _trend,
            measure="required",
            windows="required",
            empty=None,
            comparable=True,
            slope=True,
        ),
        Aggregate(
            "count_trend",
            "slope per 30 days of the rows per 30 days, by their first moment over the window; 0 over no rows",
            _count_trend,
            windows="required",
            comparable=True,
            slope=True,
        ),
        Aggregate(
            "gap",
            "mean days between neighbouring rows, 0 where all came at once; missing with fewer than two",
            _gap,
            empty=None,
        ),
        Aggregate(
            "gap_ratio",
            "days since the last row over the mean gap, 1 is usual; missing without a gap longer than 0",
            _gap_ratio,
            empty=None,
        ),
        Aggregate(
            "silence",
            "probability that the customer, by their own rhythm, would have been heard of by now "
            "(Gamma–Poisson, prior: the mean gap of all customers); missing over no rows, "
            "and for all while nobody has two",
            _silence,
            empty=None,
            finish=_silence_probability,
        ),
    )
}
