"""The facts of customers: which of them signals may read for a past day, which are barred, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from churnwatch.signals import event_columns

if TYPE_CHECKING:
    from churnwatch.sources import Tables

TODAY = ("owner", "do_not_contact", "consent")
"""Facts that never have a history here: what they are today says nothing of a past as-of."""


def facts_of(tables: Tables) -> tuple[dict[str, str], dict[str, str]]:
    """({column: since when it is known}, {column: why no signal may read it}) of the facts that are filled.

    A row's facts are known from its ``known_at`` on; a row without one has no history.
    """
    levels, measures = event_columns("customers", tables.measures_of("customers"))
    names = (*TODAY, *(name for name in (*levels, *measures) if name != "kind"))
    filled = {name: f""""{name}" {"" if name == "do_not_contact" else "is not null"}""" for name in names}
    counted = ", ".join(
        f"""count(*) filter ({there}), count(known_at) filter ({there}), min(known_at) filter ({there})"""
        for there in filled.values()
    )
    [found] = tables.con.execute(f"select {counted} from customers").fetchall()
    facts, barred = {}, {}
    for place, name in enumerate(names):
        rows, known, since = found[3 * place : 3 * place + 3]
        if rows and name in TODAY:
            barred[name] = "of today, used for today's list only"
        elif rows and not known:
            use = "read by no signal" if name in tables.customer_measures else "used for today's list only"
            barred[name] = f"no history (no known_at), {use}"
        elif rows:
            of = "" if known == rows else f", for {known:,} of {rows:,} customers"
            facts[name] = f"with a history from {since:%Y-%m-%d} on{of}"
    return facts, barred
