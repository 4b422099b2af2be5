"""Pauses between a customer's events: how long they last, and what calling somebody gone after n days would mean."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

SHARES = (0.5, 0.75, 0.9, 0.95, 0.99)
"""The percentiles that are told."""
RULE = 0.9
"""The percentile of past pauses that is proposed as n (our choice: one in ten is then still mistaken for an end)."""
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Pauses:
    """Lengths in days: ``closed`` (k,) between two events, ``open`` (m,) from a last event to the data's end so far."""

    closed: Numbers
    open: Numbers

    def percentile(self, share: float) -> float | None:
        """The shortest length that at least ``share`` of the closed pauses do not exceed; None where there is none.

        The open ones are left out, so it is too short: the long pauses are those that have had no time to close.
        """
        if len(self.closed) == 0:
            return None
        return float(np.quantile(self.closed, share, method="inverted_cdf"))

    def censored_percentile(self, share: float) -> float | None:
        """The same with each open pause counted as longer than it is so far (Kaplan & Meier, 1958).

        None where the share is not reached within the data. It is too long for the pauses that do end: the last
        one of whoever has left for good never will, and is waited for here.
        """
        lengths, surviving = self.survival()
        reached = np.flatnonzero(surviving <= 1 - share + _ROUNDING)
        return float(lengths[reached[0]]) if len(reached) else None

    def survival(self) -> tuple[Numbers, Numbers]:
        """(lengths, share of pauses still not over after that length) at each length at which one closes, rising.

        The product-limit estimate; an open pause as long as a closed one is still at risk when that one closes.
        """
        lengths, closing = np.unique(self.closed, return_counts=True)
        every = np.sort(np.concatenate([self.closed, self.open]))
        at_risk = len(every) - np.searchsorted(every, lengths, side="left")
        return lengths, np.cumprod(1 - closing / at_risk, dtype=np.float64)

    def share_reaching(self, days: float) -> float | None:
        """The share of the closed pauses that lasted ``days`` or longer; None where there is none."""
        return float((self.closed >= days).mean()) if len(self.closed) else None


@dataclass(frozen=True)
class CalledGone:
    """What becomes of ``observed`` rows when ``days`` without an event count as gone.

    ``later`` of the ``gone`` are those of whom any time after the ``days`` is in the data, ``returned`` those of
    them who came back in it.
    """

    days: int
    observed: int
    gone: int
    later: int
    returned: int

    @property
    def base_rate(self) -> float | None:
        """The share that counts as gone."""
        return self.gone / self.observed if self.observed else None

    @property
    def returning(self) -> float | None:
        """The share of those called gone, and seen later, that came back."""
        return self.returned / self.later if self.later else None


def called_gone(wait: Numbers, seen: Numbers, *, days: int) -> CalledGone:
    """Call gone whoever has no event for ``days``, half open as labels are: one exactly then is no longer in time.

    ``wait`` (n,) days from the outcome window's opening to the next event, NaN where none came by the data's end;
    ``seen`` (n,) days from the opening to the data's end. Rows seen for less than ``days`` are left out: nobody can
    tell what became of them.
    """
    complete = seen >= days
    gone = complete & ~(wait < days)
    later = gone & (seen > days)
    return CalledGone(
        days, int(complete.sum()), int(gone.sum()), int(later.sum()), int((later & ~np.isnan(wait)).sum())
    )


def proposed_days(pauses: Pauses) -> int | None:
    """The n that the rule proposes: the 90th percentile of closed pauses, in whole days upwards, at least 1."""
    ninth = pauses.percentile(RULE)
    return None if ninth is None else max(1, int(np.ceil(ninth - _ROUNDING)))
