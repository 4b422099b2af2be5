"""The named aggregates a signal may use: what each needs, and what it gives for no rows.

An aggregate sees the rows of one customer with ``low < age <= high``, where the age is the time from the row to as-of.
How each is computed stands in ``signals/walk.py``. A value that is no finite number becomes missing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Need = Literal["required", "optional", "none"]


@dataclass(frozen=True)
class Aggregate:
    """One named aggregate.

    ``empty`` is the value over no rows (``None``: missing). ``comparable``: a change against the window before has a
    meaning. ``level``: so has one against all history before the window, as the value does not grow with the time it
    is taken over. ``slope``: its sign says which way something goes, and a reason tells its size. ``span`` (days) is
    the longest window allowed.
    """

    name: str
    summary: str
    measure: Need = "none"
    by: Need = "none"
    of: Need = "none"
    within: Need = "none"
    windows: Need = "optional"
    empty: float | None = 0.0
    comparable: bool = False
    level: bool = False
    span: int | None = None
    slope: bool = False


AGGREGATES: dict[str, Aggregate] = {
    aggregate.name: aggregate
    for aggregate in (
        Aggregate(
            "count",
            "how many rows",
            comparable=True,
        ),
        Aggregate(
            "sum",
            "the measure added up; 0 over no rows",
            measure="required",
            comparable=True,
        ),
        Aggregate(
            "mean",
            "the measure's mean; missing over no rows",
            measure="required",
            empty=None,
            comparable=True,
            level=True,
        ),
        Aggregate(
            "median",
            "the measure's median, of an even number the mean of the middle two; missing over no rows",
            measure="required",
            empty=None,
            comparable=True,
            level=True,
        ),
        Aggregate(
            "min",
            "the measure's least value; missing over no rows",
            measure="required",
            empty=None,
            comparable=True,
        ),
        Aggregate(
            "max",
            "the measure's greatest value; missing over no rows",
            measure="required",
            empty=None,
            comparable=True,
        ),
        Aggregate(
            "latest",
            "the measure's value in the last row that has one; missing over no rows",
            measure="required",
            empty=None,
            comparable=True,
            level=True,
        ),
        Aggregate(
            "step",
            "the measure's last value minus the one before it; missing with fewer than two",
            measure="required",
            empty=None,
            slope=True,
        ),
        Aggregate(
            "days_until",
            "days from as-of to the moment the measure names in the last row that has one (days since 1970 in UTC), "
            "negative once it is past; missing over no rows",
            measure="required",
            empty=None,
        ),
        Aggregate(
            "distinct",
            "how many different values of `by`; rows without one count for nothing",
            by="required",
            comparable=True,
        ),
        Aggregate(
            "gone",
            "how many values of `by` the window before had and this window has not",
            by="required",
            windows="required",
        ),
        Aggregate(
            "repeats",
            "rows whose value of `by` the customer also had in another row up to `within` before",
            by="required",
            within="required",
            comparable=True,
        ),
        Aggregate(
            "distinct_days",
            "on how many civil days there are rows",
            comparable=True,
        ),
        Aggregate(
            "days_since",
            "days from the last row to as-of, fractional; missing over no rows",
            empty=None,
        ),
        Aggregate(
            "share",
            "share of the rows of `of` that are rows of `where` too; missing when there are none of `of`",
            of="required",
            empty=None,
            comparable=True,
            level=True,
        ),
        Aggregate(
            "open",
            "rows of `where` minus rows of `of`, at least 0: opened and not yet closed",
            of="required",
            comparable=True,
        ),
        Aggregate(
            "closed",
            "rows of `of` as a share of the rows of `where`, at most 1: what was closed of what was opened; "
            "missing without any of `where`",
            of="required",
            empty=None,
            comparable=True,
            level=True,
        ),
        Aggregate(
            "streak",
            "rows of `where` that came after the last row of `of`: so many in a row",
            of="required",
        ),
        Aggregate(
            "waiting",
            "days since the first row of `where` that came after the last row of `of`, both within the window; "
            "0 where none waits",
            of="required",
        ),
        Aggregate(
            "rate",
            "rows per 30 days, over the part of the window since the customer's first row of any kind (at least a day)",
        ),
        Aggregate(
            "pace",
            "rows over those to be expected at the customer's own rate before the window, 1 is usual; missing without "
            "rows before it, or less history before it than its own length",
            windows="required",
            empty=None,
        ),
        Aggregate(
            "season",
            "rows in the time of the window's length that began 364 days before as-of: the same weeks last year; "
            "missing for a customer whose first row is younger than that; at most 364d",
            windows="required",
            span=364,
            empty=None,
        ),
        Aggregate(
            "trend",
            "least-squares slope of the measure per 30 days; missing where its rows span less than a day",
            measure="required",
            windows="required",
            empty=None,
            comparable=True,
            slope=True,
        ),
        Aggregate(
            "count_trend",
            "slope per 30 days of the rows per 30 days, by their first moment over the window; 0 over no rows",
            windows="required",
            comparable=True,
            slope=True,
        ),
        Aggregate(
            "gap",
            "mean days between neighbouring rows, 0 where all came at once; missing with fewer than two",
            empty=None,
        ),
        Aggregate(
            "due",
            "days until the next row is due by the mean gap, negative: overdue; missing with fewer than two",
            empty=None,
            slope=True,
        ),
        Aggregate(
            "gap_ratio",
            "days since the last row over the mean gap, 1 is usual; missing without a gap longer than 0",
            empty=None,
        ),
        Aggregate(
            "silence",
            "probability that the customer, by their own rhythm, would have been heard of by now "
            "(Gamma–Poisson, prior: the usual gap of the segment, else of all customers); missing over no rows, "
            "and for all while nobody has two",
            empty=None,
        ),
    )
}
