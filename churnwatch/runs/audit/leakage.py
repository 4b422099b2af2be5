"""The leak audit: does any signal, or the cohort, change when the future does?

For random as-ofs every signal and the cohort of every model are computed from the tables as they are, and once more
after all that became known at as-of or later was deleted, garbled or multiplied. Both must be equal to the byte.
docs/leakage.md says what that proves and what it cannot see.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from churnwatch.errors import DataRefused
from churnwatch.outcomes import observe
from churnwatch.runs.audit.attacks import ATTACKS, SPREAD, Attack, Ground
from churnwatch.runs.audit.trust import trusted
from churnwatch.runs.workspace import Report, Workspace, load_tables
from churnwatch.signals import available, build
from churnwatch.spec import Column, Model, civil_day, midnight

if TYPE_CHECKING:
    from churnwatch.sources import Tables

MOST_OBSERVATIONS = 200_000
"""Rows of the reference matrix; with more, a sample of the customers is compared at each as-of (our choice: 0.3 GB)."""

LONG_AFTER = timedelta(seconds=2 * SPREAD)
"""After the last as-of: when all garbled rows have become known."""
COHORT = "cohort of "

_EVENTS = """
    select customer_id, known_at as known from interactions
    union all select customer_id, sent_at from surveys
    union all select customer_id, answered_at from surveys where answered_at is not null"""
_KNOWN = f"""{_EVENTS}
    union all select customer_id, started_at from customers where started_at is not null
    union all select customer_id, known_at from customers where known_at is not null"""


@dataclass(frozen=True)
class Moved:
    """A signal's column, or the cohort of a model, that was another after an attack."""

    what: str
    """A column's name, or ``cohort of MODEL``."""
    attack: Attack
    as_of: datetime
    """Aware UTC."""
    observations: int
    """How many of the observations compared have another value; of a cohort, how many joined or left it."""


@dataclass(frozen=True)
class Struck:
    """One kind of attack, over all as-ofs: how many events of the future it met, how much was compared."""

    attack: Attack
    events: int
    cells: int
    observed: int
    """Members of the cohorts, of all models."""

    def __add__(self, other: Struck) -> Struck:
        """Both together."""
        return Struck(self.attack, self.events + other.events, self.cells + other.cells, self.observed + other.observed)


@dataclass(frozen=True)
class Audited:
    """What was tried, and what moved: nothing, if nothing leaks."""

    as_ofs: Sequence[datetime]
    on_event: int
    """How many of the as-ofs are exactly the moment something became known."""
    seed: int
    observations: int
    columns: Sequence[str]
    skipped: Mapping[str, str]
    models: Sequence[str]
    struck: Sequence[Struck]
    moved: Sequence[Moved]
    trusted: Sequence[str] = ()
    """Where a mapping could have looked ahead before the audit begins."""

    def as_json(self) -> dict[str, Any]:
        """The machine-readable object of ``audit leakage --json``."""
        return {
            "as_ofs": [one.isoformat() for one in self.as_ofs],
            "on_event": self.on_event,
            "seed": self.seed,
            "observations": self.observations,
            "columns": list(self.columns),
            "skipped": dict(self.skipped),
            "models": list(self.models),
            "attacks": [asdict(one) for one in self.struck],
            "moved": [
                {
                    "what": one.what,
                    "attack": one.attack,
                    "as_of": one.as_of.isoformat(),
                    "observations": one.observations,
                }
                for one in self.moved
            ],
            "trusted": list(self.trusted),
        }


def leakage(workspace: Workspace, *, as_ofs: int = 20, seed: int = 1, report: Report | None = None) -> Audited:
    """Audit the deployment's own tables at ``as_ofs`` random moments; the same ``seed`` gives the same audit.

    Raises DataRefused where no moment lies between two events.
    """
    tables = load_tables(workspace, report=report)
    deployment = workspace.spec.deployment
    models = [workspace.model(name) for name in (deployment.listing_model, *deployment.also)]
    columns, skipped = available(tables, workspace.spec.columns)
    moments = choose(tables, as_ofs, seed=seed)
    found = audit(tables, columns, models, moments, seed=seed, skipped=skipped, report=report)
    return replace(found, trusted=trusted(workspace.spec.sources))


def choose(tables: Tables, count: int, *, seed: int) -> list[datetime]:
    """Random as-ofs (aware UTC, rising, different): half on the moment something became known, the rest between.

    Of the rest half are civil midnights, as a daily run has them, and half any microsecond. All lie after the first
    event and up to the last, so that there are a past and a future. Fewer where the data have fewer.
    Raises DataRefused where all became known at one moment.
    """
    bounds = tables.con.execute(f"select epoch_us(min(known)), epoch_us(max(known)) from ({_EVENTS})").fetchone()
    assert bounds is not None
    if bounds[0] is None or bounds[0] == bounds[1]:
        raise DataRefused(
            "all events became known at one moment: no as-of has a past and a future", where="interactions.known_at"
        )
    # By a hash, so that neither threads nor the order of rows make a difference.
    rows = tables.con.execute(
        f"""select epoch_us(known) from (select distinct known from ({_KNOWN}))
        where known > make_timestamp({bounds[0]}) and known <= make_timestamp({bounds[1]})
        order by hash(known, {seed}), known limit {-(-count // 2)}"""
    ).fetchall()
    first, last = (_instant(moment) for moment in bounds)
    dice = np.random.default_rng(seed)
    opening = civil_day(first, tables.zone)
    days = (civil_day(last, tables.zone) - opening).days
    picked = dice.choice(np.arange(1, days + 1), size=min(days, (count - len(rows)) // 2), replace=False)
    midnights = {midnight(opening + timedelta(days=int(day)), tables.zone) for day in picked}
    rest = dice.integers(bounds[0] + 1, bounds[1], size=count - len(rows) - len(midnights), endpoint=True)
    return sorted({_instant(moment) for (moment,) in rows} | midnights | {_instant(int(one)) for one in rest})


def audit(
    tables: Tables,
    columns: Sequence[Column],
    models: Sequence[Model],
    as_ofs: Sequence[datetime],
    *,
    seed: int = 1,
    skipped: Mapping[str, str] | None = None,
    report: Report | None = None,
) -> Audited:
    """Compute ``columns`` and the cohorts of ``models`` at ``as_ofs`` (aware) before and after every attack.

    What is not attacked is computed for all as-ofs at once, as training does it. What is left after a deletion is
    computed for its as-of alone, as a daily run does it; garbled and multiplied rows together with one observation long
    after, so that the engine meets the rows of the future and has to keep them apart itself.
    """
    moments = [as_of.astimezone(UTC).replace(tzinfo=None) for as_of in as_ofs]
    if report:
        report("before the attacks", 0, 1)
    most = max(MOST_OBSERVATIONS // len(moments), 1)
    spines = [_spine(_sample(tables, moment, most, seed=seed), moment) for moment in moments]
    before = build(tables, columns, pd.concat(spines, ignore_index=True))
    starts = np.cumsum([0, *map(len, spines)])
    struck = {attack: Struck(attack, 0, 0, 0) for attack in ATTACKS}
    moved: list[Moved] = []
    with closing(Ground(tables, seed=seed)) as ground:
        for place, (as_of, spine) in enumerate(zip(as_ofs, spines, strict=True)):
            told = before.values[starts[place] : starts[place + 1]]
            # Beside another as-of, as in training; all at once they would be too many.
            observed = [_cohort(tables, model, as_of, beside=[as_ofs[-1]]) for model in models]
            events = _events_from(tables, moments[place])
            later = _spine(spine["customer_id"][:1], max(moments) + LONG_AFTER)
            for turn, attack in enumerate(ATTACKS):
                if report:
                    report("attacking the future", place * len(ATTACKS) + turn, len(moments) * len(ATTACKS))
                attacked = ground.attacked(attack, moments[place])
                asked = spine if attack == "deleted" else pd.concat([spine, later], ignore_index=True)
                after = build(attacked, columns, asked).values[: len(spine)]
                changed = np.count_nonzero(told.view(np.int64) != after.view(np.int64), axis=0)
                counts = dict(zip(before.names, map(int, changed), strict=True))
                for model, was in zip(models, observed, strict=True):
                    counts[f"{COHORT}{model.model}"] = _apart(was, _cohort(attacked, model, as_of))
                moved += [Moved(what, attack, as_of, count) for what, count in counts.items() if count]
                struck[attack] += Struck(attack, events, told.size, sum(map(len, observed)))
    return Audited(
        as_ofs=tuple(as_ofs),
        on_event=_on_event(tables, moments),
        seed=seed,
        observations=len(before.values),
        columns=before.names,
        skipped=skipped or {},
        models=tuple(model.model for model in models),
        struck=tuple(struck.values()),
        moved=tuple(moved),
    )


def _sample(tables: Tables, moment: datetime, most: int, *, seed: int) -> pd.Series:
    """Customers to compare: all, or half of ``most`` those about whom something becomes known next, and any others.

    Where a row of the future is read, it shows first in those who have one soon.
    """
    rows = tables.con.execute(
        f"""with next as (
            select customer_id, row_number() over (order by min(known), hash(customer_id, {seed}), customer_id) as place
            from ({_KNOWN}) where known >= $moment group by customer_id)
        select customer_id from (
            select customer_id from customers left join next using (customer_id)
            order by coalesce(place <= {most // 2}, false) desc, hash(customer_id, {seed}, $moment), customer_id
            limit {most}) order by customer_id""",
        {"moment": moment},
    ).fetchall()
    return pd.Series([customer for (customer,) in rows], dtype=object)


def _spine(customers: pd.Series, moment: datetime) -> pd.DataFrame:
    as_of = np.full(len(customers), np.datetime64(moment, "us"))
    return pd.DataFrame({"customer_id": customers, "as_of": as_of})


def _cohort(tables: Tables, model: Model, as_of: datetime, *, beside: Sequence[datetime] = ()) -> list[str]:
    """Who is observed at ``as_of``, in order; ``beside`` are further as-ofs that are asked for with it.

    Of a model at events, whose past observations are events themselves: who would be scored at ``as_of``.
    """
    if model.at_events:
        return list(observe(tables, model, [as_of], to_score=True)["customer_id"])
    found = observe(tables, model, sorted({as_of, *beside}))
    moment = np.datetime64(as_of.astimezone(UTC).replace(tzinfo=None), "us")
    return list(found["customer_id"][found["as_of"].to_numpy() == moment])


def _apart(was: list[str], now: list[str]) -> int:
    """How many joined or left; where only the order is another, all of them."""
    if was == now:
        return 0
    one, other = Counter(was), Counter(now)
    return ((one - other) + (other - one)).total() or len(was)


def _events_from(tables: Tables, moment: datetime) -> int:
    [(count,)] = tables.con.execute(
        f"select count(*) from ({_KNOWN}) where known >= $moment", {"moment": moment}
    ).fetchall()
    return int(count)


def _on_event(tables: Tables, moments: Sequence[datetime]) -> int:
    [(count,)] = tables.con.execute(
        f"select count(distinct known) from ({_KNOWN}) where list_contains($moments::timestamp[], known)",
        {"moments": list(moments)},
    ).fetchall()
    return int(count)


def _instant(microseconds: int) -> datetime:
    return datetime.fromtimestamp(0, UTC) + timedelta(microseconds=microseconds)
