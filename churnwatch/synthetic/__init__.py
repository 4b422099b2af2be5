"""The simulated company: raw tables as a small company's systems export them, and the truth behind them.

``simulate`` writes a company, ``SMALLEST`` is the fewest customers it takes. ``data/`` is what a company has;
``truth/`` is what only the simulation knows, and no model reads it. ``found`` gives the company in memory, and ``Team``
works its lists.
"""

from churnwatch.synthetic.contacts import Heard, Team, after
from churnwatch.synthetic.files import SMALLEST, Company, Summary, found, simulate, write, write_table
from churnwatch.synthetic.surveys import Nonresponse

__all__ = [
    "SMALLEST",
    "Company",
    "Heard",
    "Nonresponse",
    "Summary",
    "Team",
    "after",
    "found",
    "simulate",
    "write",
    "write_table",
]
