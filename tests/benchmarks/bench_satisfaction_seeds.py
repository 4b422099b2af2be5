"""How near `satisfaction` comes to what everybody would have said: twenty companies, two reasons to keep silent."""

from __future__ import annotations

import sys

from tests.benchmarks.run import Figure
from tests.benchmarks.satisfaction_truth import Summary, beside_truths

SEEDS = range(1, 21)
CUSTOMERS = 5_000
HALVED = 50.0
"""Percent of the naive bias that may be left, where what is seen explains the silence."""
MISSES = 3
"""Of twenty 95 % intervals."""


def measure() -> list[Figure]:
    """The demo of 5,000 customers, seeds 1 to 20; limits hold for the ``observed`` silence, the ``latent`` has none."""
    figures = []
    for nonresponse in ("observed", "latent"):
        for one in beside_truths(SEEDS, nonresponse=nonresponse, customers=CUSTOMERS):
            print(f"  {line(nonresponse, one)}", file=sys.stderr, flush=True)
            figures += _figures(nonresponse, one)
    return figures


def line(nonresponse: str, one: Summary) -> str:
    """A summary in words."""
    return (
        f"{nonresponse} {one.instrument}: truth {one.truth:.2f}, answers {one.naive_bias:+.3f} "
        f"(hold {one.naive_held} of {one.seeds}), corrected {one.corrected_bias:+.3f} ± {one.noise:.3f} "
        f"(hold {one.corrected_held} of {one.seeds})"
    )


def _figures(nonresponse: str, one: Summary) -> list[Figure]:
    limits = nonresponse == "observed"
    unit = "points" if one.instrument == "nps" else "of the scale"
    name = f"{nonresponse}, {one.instrument}"
    return [
        Figure(f"{name}: mean bias of the answers alone", one.naive_bias, unit),
        Figure(f"{name}: mean bias corrected", one.corrected_bias, unit),
        Figure(f"{name}: bias left", 100 * abs(one.corrected_bias / one.naive_bias), "%", HALVED if limits else None),
        Figure(
            f"{name}: corrected intervals without the truth, of {one.seeds}",
            one.seeds - one.corrected_held,
            "",
            MISSES if limits else None,
        ),
        Figure(f"{name}: naive intervals without the truth, of {one.seeds}", one.seeds - one.naive_held, ""),
    ]
