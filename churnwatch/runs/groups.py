"""Which group each customer of a past date belonged to, as far as anybody knew it then."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from churnwatch.evaluation import Grouping

if TYPE_CHECKING:
    from churnwatch.sources import Tables

FACTS = ("segment", "language")
"""The facts of customers that groups are compared by."""


def groupings_of(tables: Tables, observations: pd.DataFrame) -> list[Grouping]:
    """A grouping for each fact of ``FACTS`` that tells these observations (customer_id, as_of) apart, in their order.

    A fact with a history (``known_at``) holds where it was known before the row's as-of; who had none by then is in no
    known group. Where no customer's has a history there is only today's value: no signal may read it, but how a list
    treated those who are in a group today is still worth knowing, so it is told as today's (``Grouping.today``).
    """
    found = []
    for fact in FACTS:
        rows = tables.con.execute(
            f"select customer_id, {fact}, known_at from customers where {fact} is not null"
        ).fetchall()
        today = all(known is None for _, _, known in rows)
        known_of = {who: (value, known) for who, value, known in rows if today or known is not None}
        labels = [
            value if value is not None and (today or known < moment) else None
            for (value, known), moment in (
                (known_of.get(customer, (None, None)), moment)
                for customer, moment in zip(observations["customer_id"], observations["as_of"], strict=True)
            )
        ]
        if len(set(labels)) > 1:
            found.append(Grouping(fact, labels, today))
    return found
