"""How many of certain leavers stood on a list in time: of the silent ones where a simulation knows who they are."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass

from churnwatch.evaluation.deciles import wilson


@dataclass(frozen=True)
class Caught:
    """Of ``leavers``, ``listed`` were on a list in time."""

    leavers: int
    listed: int

    @property
    def share(self) -> float | None:
        """``listed`` over ``leavers``; ``None`` where nobody left."""
        return self.listed / self.leavers if self.leavers else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """The share's 95 % interval (Wilson), each leaver one independent fact; ``None`` where nobody left."""
        return wilson(self.listed / self.leavers, self.leavers) if self.leavers else None


def caught(gone: Sequence[Set[str]], listed: Sequence[Set[str]], *, among: Set[str] | None = None) -> Caught:
    """How many leavers the lists of some dates caught.

    ``gone`` are the customers who left within each date's outcome window, ``listed`` those on its list, one set per
    date. A leaver counts once, however many windows saw them leave, and is caught if the list of one such date held
    them. ``among`` (left out: all) are the leavers that are asked about.
    """
    left: set[str] = set()
    found: set[str] = set()
    for leavers, rows in zip(gone, listed, strict=True):
        asked = leavers if among is None else leavers & among
        left |= asked
        found |= asked & rows
    return Caught(len(left), len(found))
