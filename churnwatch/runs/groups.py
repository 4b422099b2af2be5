"""Which group each customer of a past date belonged to, as far as anybody knew it then."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pandas as pd

from churnwatch.evaluation import Grouping

if TYPE_CHECKING:
    from churnwatch.sources import Tables

FACTS = ("segment", "language")
"""The facts of customers that groups are compared by."""


def groupings_of(tables: Tables, customer_ids: pd.Series, as_of: datetime) -> list[Grouping]:
    """A grouping for each fact of ``FACTS`` that tells these customers apart, in their order.

    A fact with a history (``known_at``) holds where it was known before ``as_of`` (aware); who had none by then is in
    no known group. Where no customer's has a history there is only today's value: no signal may read it, but how a list
    treated those who are in a group today is still worth knowing, so it is told as today's (``Grouping.today``).
    """
    moment = as_of.astimezone(UTC).replace(tzinfo=None)
    found = []
    for fact in FACTS:
        rows = tables.con.execute(
            f"select customer_id, {fact}, known_at from customers where {fact} is not null"
        ).fetchall()
        today = all(known is None for _, _, known in rows)
        then = {who: value for who, value, known in rows if today or (known is not None and known < moment)}
        labels = [then.get(customer) for customer in customer_ids]
        if len(set(labels)) > 1:
            found.append(Grouping(fact, labels, today))
    return found
