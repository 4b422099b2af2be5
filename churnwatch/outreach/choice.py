"""The choice: who of everybody observed stands on today's list, and where everybody else went."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from churnwatch.outreach.holdout import Arm, Draw

LEFT_ALONE = ("announced", "snoozed", "held_out", "cooling")
"""The standings that keep a customer off the list."""

Bools = np.ndarray[Any, np.dtype[np.bool_]]


@dataclass(frozen=True)
class Counts:
    """What became of everybody observed: each counts once, in the order of the fields from ``refused`` on."""

    observed: int
    listed: int
    below: int
    """Below the band from which customers are listed, by every model that lists; and not listed proactively."""
    refused: int
    """Who may not be contacted (do_not_contact, no consent), or whose contract has ended."""
    spilled: int
    """List-worthy, but their owner's day was full, and the lead's too; or nobody owns them."""
    announced: int = 0
    """Who has said that they will leave: they have a list of their own."""
    snoozed: int = 0
    """List-worthy, and put off to a later day by who spoke with them."""
    held_out: int = 0
    """List-worthy, and left alone at random to measure by. Nothing rendered shows this number."""
    cooling: int = 0
    """List-worthy, and listed or spoken with a short time ago."""

    @property
    def waiting(self) -> int | None:
        """List-worthy and not listed today, for whatever reason: the number that people may see.

        ``None`` where nobody is spilled: it would be that of those left in peace, on a first list of the held out.
        """
        return self.spilled + self.snoozed + self.held_out + self.cooling if self.spilled else None


class Choice(NamedTuple):
    """``listed``: the rows of the list, best first, with ``rank``, ``for_further`` and ``for_proactive`` (bool),
    ``recipient`` (on whose list, None without owners) and ``handed`` (``away``, ``overflow`` or empty). ``counts`` says
    where everybody went. ``drawn``: who was decided on for the holdout today: customer_id, arm, owner, band, score,
    risk (NaN where ``scored`` has none).
    """

    listed: pd.DataFrame
    counts: Counts
    drawn: pd.DataFrame


def choose(
    scored: pd.DataFrame,
    *,
    capacity: Mapping[str, int] | None,
    total: float,
    also_share: float = 0.0,
    proactive_share: float = 0.0,
    stands_in: Mapping[str, str | None] | None = None,
    leads: Mapping[str, str] | None = None,
    draw: Draw | None = None,
    minutes: Callable[[int], int] | None = None,
    budget: int = 0,
) -> Choice:
    """The customers on today's list.

    ``scored`` has one row per observed customer: customer_id, score (higher goes first), worthy (bool: the band is
    high enough), do_not_contact (bool), owner (text or missing). Each owner gets at most ``capacity`` rows, the highest
    scores; without owners (``capacity`` None) the top ``total`` share of the observed is listed. Ties go to
    the smaller customer_id, so the list is the same on every run. ``scored`` keeps its other columns.

    Where further models list too, ``scored`` has ``further_place`` (which of them would list the customer, 0 the first;
    missing: none) and ``further_score`` (higher goes first); where proactive rules do, ``proactive_place`` and
    ``proactive_score``. Of an owner's places ``kept_places`` are for each; what they do not use goes back, and
    what the listing model leaves is open to them. Their rows follow the listing model's, by place and score.

    ``standing`` (text, left out: nobody's) is one of ``LEFT_ALONE`` or empty. ``stands_in`` names who works the rows of
    each owner who is away (None: nobody); ``leads`` who gets, into places of theirs that are free, the list-worthy
    for whom an owner, or who stands in, has none: the owner's lead first, then the stand-in's. With a ``draw``,
    whoever would get a place and has no arm yet (``arm`` is not ``treated``, ``vetoed`` not true) is decided on first,
    in the stratum of owner and ``band``: held out, the place goes to the next.

    ``minutes`` says what the row of a customer (their place in ``scored``) takes of whoever works it; a customer whose
    row does not fit into what is left of the ``budget`` has no place, and so is not decided on either. The rows in kept
    places take at most the same share of the ``budget``: else a few long ones would be somebody's whole day.
    """
    scored = scored.reset_index(drop=True)
    walk = _Walk(scored, capacity=capacity, total=total, stands_in=stands_in or {}, draw=draw)
    walk.minutes, walk.budget = minutes, budget
    refused = scored["do_not_contact"].to_numpy(dtype=bool)
    standing = scored["standing"].to_numpy(dtype=object) if "standing" in scored else np.full(len(scored), "")
    announced = (standing == "announced") & ~refused
    may = ~refused & ~announced
    worthy = scored["worthy"].to_numpy(dtype=bool) & may
    further = _wanted(scored, "further_place", may)
    proactive = _wanted(scored, "proactive_place", may & ~worthy & ~further)
    free = standing == ""

    leaving_order = _order(scored, worthy & free, ["score"])
    further_order = _order(scored, further & free, ["further_place", "further_score"])
    proactive_order = _order(scored, proactive & free, ["proactive_place", "proactive_score"])
    by_further = walk.go(further_order, among=also_share)
    by_proactive = walk.go(proactive_order, among=proactive_share)
    leaving = walk.go(leaving_order)
    by_further |= walk.go(further_order)
    if leads:
        leaving |= walk.go(leaving_order, leads=leads)
        by_further |= walk.go(further_order, leads=leads)
    by_proactive |= walk.go(proactive_order)

    rows = [
        *(i for i in leaving_order if i in leaving),
        *(i for i in further_order if i in by_further),
        *(i for i in proactive_order if i in by_proactive),
    ]
    listed = scored.loc[rows].reset_index(drop=True)
    listed.insert(0, "rank", range(1, len(listed) + 1))
    listed["for_further"] = np.array([i in by_further for i in rows], dtype=bool)
    listed["for_proactive"] = np.array([i in by_proactive for i in rows], dtype=bool)
    listed["recipient"] = pd.Series([walk.recipient[i] for i in rows], dtype=object)
    listed["handed"] = pd.Series([walk.handed[i] for i in rows], dtype=object)

    worth_it = worthy | further
    drawn_out = [i for i, arm in walk.drawn.items() if arm == "held_out"]
    left = {name: int((worth_it & (standing == name)).sum()) for name in ("snoozed", "held_out", "cooling")}
    # Whom a proactive rule named and the draw held out is no longer one who is merely below.
    only_proactive = sum(1 for i in drawn_out if not worth_it[i])
    listed_below = sum(1 for i in by_proactive if not worth_it[i])
    counts = Counts(
        observed=len(scored),
        listed=len(rows),
        below=int((may & ~worth_it).sum()) - listed_below - only_proactive,
        refused=int(refused.sum()),
        spilled=int((worth_it & free).sum()) - (len(rows) - listed_below) - (len(drawn_out) - only_proactive),
        announced=int(announced.sum()),
        snoozed=left["snoozed"],
        held_out=left["held_out"] + len(drawn_out),
        cooling=left["cooling"],
    )
    return Choice(listed, counts, walk.drawn_frame())


def kept_places(places: int, share: float) -> int:
    """How many of an owner's places are kept for rows of a kind: the share, to the nearest whole place.

    Half a place stays with those who are leaving, so that of two places a quarter takes none.
    """
    return max(0, math.ceil(places * share - 0.5 - 1e-9))


class _Walk:
    """One walk after the other through candidates in their order, as long as there is room for them."""

    def __init__(
        self,
        scored: pd.DataFrame,
        *,
        capacity: Mapping[str, int] | None,
        total: float,
        stands_in: Mapping[str, str | None],
        draw: Draw | None,
    ) -> None:
        self.scored = scored
        n = len(scored)
        self.alone = capacity is None
        if capacity is None:
            self.owner: list[Any] = [""] * n
            self.room: dict[str, int] = {"": max(1, math.floor(total * n + 0.5)) if n else 0}
        else:
            self.owner = [owner if isinstance(owner, str) else None for owner in scored["owner"]]
            self.room = dict(capacity)
        self.full = dict(self.room)
        self.stands_in = stands_in
        self.draw = draw
        self.arm = scored["arm"].tolist() if "arm" in scored else [""] * n
        self.vetoed = scored["vetoed"].tolist() if "vetoed" in scored else [False] * n
        self.band = scored["band"].tolist() if "band" in scored else [""] * n
        self.recipient: dict[int, str | None] = {}
        self.handed: dict[int, str] = {}
        self.drawn: dict[int, Arm] = {}
        self.minutes: Callable[[int], int] | None = None
        self.budget = 0
        self.spent: Counter[str] = Counter()

    def go(
        self, order: Sequence[int], *, among: float | None = None, leads: Mapping[str, str] | None = None
    ) -> set[int]:
        """Who of these gets a place: within each owner's share ``among`` of places and minutes, or of all that is left.

        With ``leads`` the places are those of the owner's lead.
        """
        found: set[int] = set()
        # Of its share the walk knows only what it spends itself: every kind of row has its own.
        used: Counter[str] = Counter()
        share = (1 if among is None else among) * self.budget + 1e-9
        kept = {who: kept_places(n, among) for who, n in self.full.items()} if among is not None else None
        left = sum(self.room.values() if kept is None else kept.values())
        for i in order:
            if left <= 0:
                break
            if i in self.recipient or self.drawn.get(i) == "held_out":
                continue
            for who in self._asked(i, leads):
                if self.room.get(who, 0) <= 0 or (kept is not None and kept.get(who, 0) <= 0):
                    continue
                cost = self.minutes(i) if self.minutes else 0
                if not self.minutes or (self.spent[who] + cost <= self.budget and used[who] + cost <= share):
                    break
            else:
                continue
            # Only here: only who would get a place is decided on.
            if self._held_out(i):
                continue
            found.add(i)
            self.spent[who] += cost
            used[who] += cost
            away = self.stands_in.get(self.owner[i], self.owner[i]) != self.owner[i]
            self.handed[i] = "away" if away else "" if leads is None else "overflow"
            self.recipient[i] = None if self.alone else who
            self.room[who] -= 1
            left -= 1
            if kept is not None:
                kept[who] -= 1
        return found

    def _asked(self, i: int, leads: Mapping[str, str] | None) -> list[str]:
        """On whose list a row may stand, the first first."""
        owner = self.owner[i]
        works = self.stands_in.get(owner, owner)
        if leads is None:
            return [works] if works is not None else []
        # The owner's lead first, also where somebody else stands in: it is their team's customer.
        theirs = [leads[one] for one in dict.fromkeys((owner, works)) if one in leads]
        found = [self.stands_in.get(lead, lead) for lead in theirs]
        return [who for who in found if who is not None]

    def _held_out(self, i: int) -> bool:
        if self.draw is None or self.vetoed[i] or self.arm[i] == "treated" or self.drawn.get(i) == "treated":
            return False
        arm = self.draw.arm((self.owner[i] or "", self.band[i]))
        self.drawn[i] = arm
        return arm == "held_out"

    def drawn_frame(self) -> pd.DataFrame:
        rows = list(self.drawn)
        return pd.DataFrame(
            {
                "customer_id": pd.Series(self.scored["customer_id"].to_numpy()[rows], dtype=object),
                "arm": pd.Series(list(self.drawn.values()), dtype=object),
                "owner": pd.Series([self.owner[i] or "" for i in rows], dtype=object),
                "band": pd.Series([self.band[i] for i in rows], dtype=object),
                "score": self.scored["score"].to_numpy(dtype=float)[rows],
                "risk": self.scored["risk"].to_numpy(dtype=float)[rows] if "risk" in self.scored else np.nan,
            }
        )


def _wanted(scored: pd.DataFrame, column: str, among: Bools) -> Bools:
    if column not in scored:
        return np.zeros(len(scored), dtype=bool)
    wanted: Bools = scored[column].notna().to_numpy() & among
    return wanted


def _order(scored: pd.DataFrame, which: Bools, keys: list[str]) -> list[int]:
    """The rows of ``which`` in the order they are asked in: by place (the first), by score (the highest), by id."""
    if not which.any():
        return []
    rising = [name.endswith("_place") for name in keys]
    found = scored.loc[which, [*keys, "customer_id"]]
    ordered = found.sort_values([*keys, "customer_id"], ascending=[*rising, True], kind="stable")
    return [int(i) for i in ordered.index]
