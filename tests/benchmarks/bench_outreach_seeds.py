"""What the order of the list saves beside pure risk order at equal capacity: twenty companies, by the truth."""

from __future__ import annotations

import sys

from tests.benchmarks.outreach_truth import Paired, paired
from tests.benchmarks.run import Figure

SEEDS = range(1, 21)
CUSTOMERS = 2_500
"""Half the demo's, to spare the machine: what is asked is a difference over companies, not the size of one."""
MILLION = 1e6


def measure() -> list[Figure]:
    """The list of the last day, seeds 1 to 20; the limit: even the interval's worse end saves more than risk order."""
    found = paired(SEEDS, customers=CUSTOMERS)
    for name, one in found.items():
        print(f"  {line(name, one)}", file=sys.stderr, flush=True)
    value, kept = found["value"], found["customers"]
    return [
        Figure("value saved by the list's order", value.worth / MILLION, "M IDR a month"),
        Figure("value saved by risk order", value.risk / MILLION, "M IDR a month"),
        Figure("list's order minus risk order", value.difference / MILLION, "M IDR a month"),
        Figure("risk order minus list's order, at best for it (95 %)", -value.low / MILLION, "M IDR a month", 0.0),
        Figure(f"companies of {value.companies} in which risk order saves more", value.companies - value.better, ""),
        Figure("customers kept by the list's order", kept.worth, ""),
        Figure("customers kept by risk order", kept.risk, ""),
        *(
            Figure(f"{what}, {order} order", 100 * getattr(found[name], side), "%")
            for name, what in (("precision", "rows that would leave"), ("caught", "leavers on the list"))
            for side, order in (("worth", "list's"), ("risk", "risk"))
        ),
    ]


def line(name: str, one: Paired) -> str:
    """A figure in words."""
    return (
        f"{name}: {one.worth:,.4g} by the list's order, {one.risk:,.4g} by risk, difference {one.difference:,.4g} "
        f"({one.low:,.4g} to {one.high:,.4g}), more in {one.better} of {one.companies}"
    )
