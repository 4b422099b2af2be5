"""The simulated company: raw tables as a small company's systems export them, and the truth behind them.

``simulate`` is the room's only entry, ``SMALLEST`` the fewest customers it takes. ``data/`` is what a company has;
``truth/`` is what only the simulation knows, and no model reads it.
"""

from churnwatch.synthetic.files import SMALLEST, Summary, simulate
from churnwatch.synthetic.surveys import Nonresponse

__all__ = ["SMALLEST", "Nonresponse", "Summary", "simulate"]
