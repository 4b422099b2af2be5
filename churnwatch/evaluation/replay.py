"""A replay: the lists that would have been, one per as-of, and what became of everybody they could have held."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from churnwatch.evaluation.curves import gain
from churnwatch.evaluation.deciles import Z, deciles, equal_mass, wilson
from churnwatch.evaluation.figures import Codes, Numbers, codes_of, listed_at_capacity
from churnwatch.evaluation.interval import Interval
from churnwatch.evaluation.lead import LeadTimes, lead_times

Mask = NDArray[np.bool_]
Names = NDArray[np.object_]

SHARES = tuple(i / 50 for i in range(51))
"""Where the gain curve is told: shares of the observed, best first."""


@dataclass(frozen=True)
class PastList:
    """The list of one as-of, and what became of everybody observed then; arrays have one entry per observation (n,).

    That is one per customer; only at events a slice may hold a customer more than once. ``last_day`` is the last one
    of such a slice, ``None`` where all were observed at ``as_of``.
    ``listed`` and ``open_to`` (who may be contacted at all) are masks, ``lists`` names the list each customer competes
    for, ``outcome`` is 1 where they left within the outcome window, ``too_late`` where they left before the gap was
    over (their ``outcome`` is 0), ``left_at`` datetime64[us], naive UTC, NaT unknown or stayed. ``scores`` rank,
    ``risks`` are probabilities, ``baselines`` rank too. ``counts`` says where the others
    went; of a model of answers also how many more were observed but are ``unanswered``, so that nobody can judge them.
    """

    day: date
    as_of: np.datetime64
    customers: Names
    listed: Mask
    open_to: Mask
    lists: Names
    outcome: Numbers
    too_late: Mask
    left_at: NDArray[np.datetime64]
    scores: Numbers
    risks: Numbers
    baselines: Mapping[str, Numbers]
    counts: Mapping[str, int]
    last_day: date | None = None


@dataclass(frozen=True)
class Rate:
    """A share with its 95 % interval: ``hits`` of ``n``; expected, so not always whole, where ties are shared."""

    hits: float
    n: int
    low: float
    high: float

    @property
    def share(self) -> float:
        """``hits`` over ``n``."""
        return self.hits / self.n

    def as_json(self) -> dict[str, float]:
        """Plain numbers."""
        return {"share": self.share, "low": self.low, "high": self.high}


@dataclass(frozen=True)
class ListFigures:
    """What one past list was worth.

    ``precision`` is the share of its rows that left within the outcome window, ``None`` for an empty list; rows that
    left before the gap was over (``too_late``) are rows, but no hits. ``chance`` is the same share among everybody who
    could have been listed, ``baselines`` that of the rows each baseline would have put in the same places (as many per
    owner). ``recall`` is the share of the window's leavers who were on it. ``kept`` rows stood on the list before,
    ``returned`` on an earlier one but not on that. ``base_rate`` and ``foretold`` (the mean risk) are of those who had
    not left before the gap was over.
    """

    day: date
    counts: Mapping[str, int]
    rows: int
    hits: int
    too_late: int
    precision: Rate | None
    chance: float
    recall: float | None
    baselines: Mapping[str, float]
    kept: int
    returned: int
    owners: int
    base_rate: Rate
    foretold: float
    last_day: date | None = None

    @property
    def repeat_rate(self) -> float | None:
        """The share of the rows that had stood on an earlier list; ``None`` for an empty list."""
        return (self.kept + self.returned) / self.rows if self.rows else None

    def as_json(self) -> dict[str, Any]:
        """Plain numbers and text."""
        return {
            "as_of": str(self.day),
            **({"last_day": str(self.last_day)} if self.last_day else {}),
            **self.counts,
            "hits": self.hits,
            "too_late": self.too_late,
            "precision": self.precision.as_json() if self.precision else None,
            "chance": self.chance,
            "recall": self.recall,
            "baselines": dict(self.baselines),
            "kept": self.kept,
            "returned": self.returned,
            "repeat_rate": self.repeat_rate,
            "owners_served": self.owners,
            "base_rate": self.base_rate.as_json(),
            "foretold": self.foretold,
        }


@dataclass(frozen=True)
class Coverage:
    """Whom the lists reached: distinct ``customers`` of ``observed``, ``owners`` of ``all_owners`` (0: none known).

    Of the ``leavers`` who were watched before they left, ``in_time`` stood on a list at least the gap before.
    """

    customers: int
    observed: int
    owners: int
    all_owners: int
    leavers: int
    in_time: int

    def as_json(self) -> dict[str, Any]:
        """Plain numbers."""
        return {
            "customers_listed": self.customers,
            "customers_observed": self.observed,
            "owners_served": self.owners,
            "owners": self.all_owners,
            "leavers": self.leavers,
            "leavers_listed_in_time": self.in_time,
            "share_listed_in_time": self.in_time / self.leavers if self.leavers else None,
        }


@dataclass(frozen=True)
class RiskBin:
    """A tenth of all observations by risk: ``mean_risk``, and the ``rate`` that came true with its interval."""

    mean_risk: float
    rate: Rate


@dataclass(frozen=True)
class Replay:
    """All dates together; see the parts.

    ``precision`` is that of all rows of all lists with an interval that knows a customer may stand on many, ``None``
    without any row; ``lead_by_chance`` what lists as long, but drawn at random, would have recalled at each lead time,
    ``None`` where nobody was watched that long; ``against`` the difference to each baseline (precision of the lists
    minus the baseline's) with its interval; ``gain`` the share of the leavers among the best ``SHARES`` of each date,
    by what ranks.
    """

    lists: tuple[ListFigures, ...]
    precision: Rate | None
    chance: float
    against: Mapping[str, Interval]
    lead: LeadTimes
    lead_by_chance: tuple[float | None, ...]
    coverage: Coverage
    gain: Mapping[str, tuple[float, ...]]
    reliability: tuple[RiskBin, ...]

    @property
    def rows(self) -> int:
        """Rows of all lists."""
        return sum(one.rows for one in self.lists)

    @property
    def moved(self) -> tuple[date, ...]:
        """The dates whose base rate differs from that of all dates by more than chance explains (95 %)."""
        n = sum(one.base_rate.n for one in self.lists)
        usual = sum(one.base_rate.hits for one in self.lists) / n
        return tuple(one.day for one in self.lists if not one.base_rate.low <= usual <= one.base_rate.high)

    def as_json(self) -> dict[str, Any]:
        """The object ``replay`` of ``backtest --json``."""
        return {
            "lists": [one.as_json() for one in self.lists],
            "rows": self.rows,
            "precision": self.precision.as_json() if self.precision else None,
            "chance": self.chance,
            "precision_minus": {name: one._asdict() for name, one in self.against.items()},
            "lead_times": {**self.lead.as_json(), "recall_by_chance": list(self.lead_by_chance)},
            "coverage": self.coverage.as_json(),
            "base_rate_moved": [str(day) for day in self.moved],
            "gain": {"share": list(SHARES), **{name: list(one) for name, one in self.gain.items()}},
            "reliability": [
                {"mean_risk": one.mean_risk, "n": one.rate.n, **one.rate.as_json()} for one in self.reliability
            ],
        }


def replay(lists: Sequence[PastList], *, gap_days: float, all_owners: int = 0) -> Replay:
    """Judge past lists, in the order of their dates. Raises ValueError without any, DataRefused where everybody or
    nobody had the outcome at one of the dates.

    Where ``all_owners`` is above 0, ``PastList.lists`` are the owners.
    """
    if not lists:
        raise ValueError("a replay of no date")
    told: list[ListFigures] = []
    places = [_places(one) for one in lists]
    before: set[str] = set()
    last: set[str] = set()
    for one in lists:
        told.append(_figures(one, places[len(told)], before, last))
        last = set(one.customers[one.listed])
        before |= last
    leavings = watched_leavings(lists)
    warning = np.array([one.warning for one in leavings], dtype=np.float64)
    watched = np.array([one.watched for one in leavings], dtype=np.float64)
    lead = lead_times(warning, watched)
    seen = {customer for one in lists for customer in one.customers}
    served = {owner for one in lists for owner in one.lists[one.listed]} if all_owners else set()
    open_to = [one.outcome[one.open_to] for one in lists]
    return Replay(
        lists=tuple(told),
        precision=_pooled_precision(lists),
        chance=float(np.concatenate(open_to).mean()),
        against=_against(lists, places),
        lead=lead,
        lead_by_chance=tuple(_by_chance(leavings, one.days) for one in lead.recall),
        coverage=Coverage(
            customers=len(before),
            observed=len(seen),
            owners=len(served),
            all_owners=all_owners,
            leavers=len(watched),
            in_time=int((warning >= gap_days).sum()),
        ),
        gain=_gains(lists),
        reliability=_reliability(lists),
    )


@dataclass(frozen=True)
class Leaving:
    """Days from the first list until somebody left (NaN: never listed), from their first observation, and of each date
    on which they were observed: (days until they left, share of those who could be listed that was).
    """

    warning: float
    watched: float
    dates: tuple[tuple[float, float], ...]


def watched_leavings(lists: Sequence[PastList]) -> list[Leaving]:
    """Every leaving that was watched.

    A leaving is a customer and an instant; whoever returned and left again has two, and what came before the first is
    none of the second's. Who was seen only after they had left (it became known late) was not watched and is left out.
    """
    lefts: dict[str, set[np.datetime64]] = {}
    for one in lists:
        gone = ~np.isnat(one.left_at)
        for customer, left in zip(one.customers[gone], one.left_at[gone], strict=True):
            lefts.setdefault(customer, set()).add(left)
    seen: dict[str, list[tuple[np.datetime64, bool, float]]] = {customer: [] for customer in lefts}
    for one in lists:
        share = float(one.listed.sum() / one.open_to.sum())
        for i, customer in enumerate(one.customers):
            if customer in seen:
                seen[customer].append((one.as_of, bool(one.listed[i]), share))
    day = np.timedelta64(1, "D")
    found = []
    for customer, instants in lefts.items():
        earlier: Any = np.datetime64("0001-01-01", "us")
        for left in sorted(instants):
            own = [((left - at) / day, listed, share) for at, listed, share in seen[customer] if earlier < at <= left]
            earlier = left
            if own:
                warning = max((ahead for ahead, listed, _ in own if listed), default=np.nan)
                dates = tuple((ahead, share) for ahead, _, share in own)
                found.append(Leaving(warning, max(ahead for ahead, _ in dates), dates))
    return found


def _by_chance(leavings: Sequence[Leaving], days: int) -> float | None:
    """Recall at a lead time, expected of lists as long as these but drawn at random anew at each date."""
    chances = [
        1 - float(np.prod([1 - share for ahead, share in one.dates if ahead >= days]))
        for one in leavings
        if one.watched >= days
    ]
    return float(np.mean(chances)) if chances else None


def _figures(one: PastList, places: Mapping[str, Numbers], before: set[str], last: set[str]) -> ListFigures:
    rows = int(one.listed.sum())
    hits = int(one.outcome[one.listed].sum())
    on_it = one.customers[one.listed]
    inside = ~one.too_late
    leavers = int(one.outcome.sum())
    return ListFigures(
        day=one.day,
        counts=dict(one.counts),
        rows=rows,
        hits=hits,
        too_late=int(one.too_late[one.listed].sum()),
        precision=_rate(one.outcome[one.listed], on_it) if rows else None,
        chance=float(one.outcome[one.open_to].mean()),
        recall=hits / leavers if leavers else None,
        baselines={name: float((by * one.outcome).sum()) / rows for name, by in places.items()} if rows else {},
        kept=sum(customer in last for customer in on_it),
        returned=sum(customer in before and customer not in last for customer in on_it),
        owners=len(set(one.lists[one.listed])),
        base_rate=_rate(one.outcome[inside], one.customers[inside]),
        foretold=float(one.risks[inside].mean()),
        last_day=one.last_day,
    )


def _room(one: PastList) -> dict[str, int]:
    """How many rows each list has: those the model's list took."""
    names, counts = np.unique(one.lists[one.listed].astype(str), return_counts=True)
    taken = {str(name): int(count) for name, count in zip(names, counts, strict=True)}
    return {name: taken.get(name, 0) for name in {str(name) for name in one.lists[one.open_to]}}


def _places(one: PastList) -> dict[str, Numbers]:
    """How surely each customer (n,) stands in as many places per list, by each baseline, ties shared by expectation."""
    room = _room(one)
    found = {}
    for name, scores in one.baselines.items():
        found[name] = np.zeros(len(scores))
        found[name][one.open_to] = listed_at_capacity(scores[one.open_to], owners=one.lists[one.open_to], capacity=room)
    return found


def _against(lists: Sequence[PastList], places: Sequence[Mapping[str, Numbers]]) -> dict[str, Interval]:
    """Precision over all lists minus each baseline's in the same places, with its 95 % interval.

    The lists are what they are; drawn are customers, each with all the places they took on either side. A precision is
    a ratio, so what a customer adds is their outcomes less what their places had on average; the interval is the normal
    one for a sum over clusters. Source: Cochran, Sampling Techniques (1977), ch. 6 and 9A.
    """
    rows = sum(int(one.listed.sum()) for one in lists)
    if rows == 0:
        return {}
    codes = _codes([one.customers for one in lists])
    outcome = np.concatenate([one.outcome for one in lists])
    listed = np.concatenate([one.listed for one in lists]).astype(np.float64)
    own = float((listed * outcome).sum()) / rows
    found = {}
    for name in lists[0].baselines:
        placed = np.concatenate([by[name] for by in places])
        theirs = float((placed * outcome).sum()) / rows
        sums = np.bincount(codes, weights=listed * (outcome - own) - placed * (outcome - theirs))
        difference = own - theirs
        spread = float(np.sqrt(len(sums) * sums.var(ddof=1))) / rows if len(sums) > 1 else 0.0
        found[name] = Interval(difference, difference - Z * spread, difference + Z * spread)
    return found


def _pooled_precision(lists: Sequence[PastList]) -> Rate | None:
    outcome = np.concatenate([one.outcome[one.listed] for one in lists])
    if len(outcome) == 0:
        return None
    return _clustered(outcome, _codes([one.customers[one.listed] for one in lists]))


def _clustered(outcome: Numbers, codes: Codes) -> Rate:
    [everybody] = deciles(np.zeros(len(outcome)), outcome, codes).bins
    return Rate(everybody.outcomes, everybody.n, everybody.floor, everybody.ceiling)


def _rate(outcome: Numbers, customers: Names) -> Rate:
    """The share with the outcome on one date, with Wilson's interval; where a customer stands there more than once,
    that of ``deciles``, which knows it.
    """
    n, hits = len(outcome), int(outcome.sum())
    codes = codes_of(customers, n)
    return Rate(hits, n, *wilson(hits / n, n)) if codes.max() + 1 == n else _clustered(outcome, codes)


def _codes(customers: Sequence[Names]) -> Codes:
    everybody = np.concatenate(customers)
    return codes_of(everybody, len(everybody))


def _gains(lists: Sequence[PastList]) -> dict[str, tuple[float, ...]]:
    """The gain curves of the model and the baselines over all dates, each date ranked by itself."""
    found: dict[str, Numbers] = {}
    for one in lists:
        inside = ~one.too_late
        scores = {"model": one.scores[inside], **{name: s[inside] for name, s in one.baselines.items()}}
        told: Any = gain(one.outcome[inside], scores)
        for name, caught in told["caught"].items():
            leavers = np.interp(SHARES, told["share"], caught) * one.outcome.sum()
            found[name] = found.get(name, np.zeros(len(SHARES))) + leavers
    everybody = sum(float(one.outcome.sum()) for one in lists)
    return {name: tuple(float(count) for count in leavers / everybody) for name, leavers in found.items()}


def _reliability(lists: Sequence[PastList]) -> tuple[RiskBin, ...]:
    """Ten bins of equal mass over all dates, with intervals that know a customer is observed often."""
    inside = [~one.too_late for one in lists]
    outcome = np.concatenate([one.outcome[rows] for one, rows in zip(lists, inside, strict=True)])
    risks = np.concatenate([one.risks[rows] for one, rows in zip(lists, inside, strict=True)])
    codes = _codes([one.customers[rows] for one, rows in zip(lists, inside, strict=True)])
    bins = deciles(risks, outcome, codes).bins
    place = equal_mass(risks)
    return tuple(
        RiskBin(float(risks[place == i].mean()), Rate(one.outcomes, one.n, one.floor, one.ceiling))
        for i, one in enumerate(bins)
    )
