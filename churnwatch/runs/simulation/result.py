"""What a simulation gave: numbers by day, and at the end what the lists were worth by the truth."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class DayOf:
    """One day: the counts of its list, what the agents did with it, and what of it came back.

    ``listed`` … ``below`` add up to ``observed``. ``decided`` and ``decided_out``: units whose arm was decided today,
    and those of them left alone. ``repeats``: rows whose customer stood on an earlier list of it. ``worked``
    is ``listed`` without the ``ignored``; ``kept`` and ``lost`` are customers whom a contact kept or drove away.
    """

    day: date
    observed: int
    listed: int
    held_out: int
    cooling: int
    snoozed: int
    announced: int
    spilled: int
    below: int
    refused: int
    decided: int
    decided_out: int
    repeats: int
    back_early: int
    proactive: int
    handed: int
    away: int
    worked: int
    reached: int
    not_reached: int
    ignored: int
    kept: int
    lost: int
    broken: tuple[str, ...] = ()


@dataclass(frozen=True)
class Estimate:
    """The bad outcome's share among the units of an arm, and their difference with its 95 % interval.

    ``difference`` is treated minus held out, below 0 where contact helps; ``truth`` what it is by the simulation: the
    share among the treated minus what it would have been had nobody called them in the epoch. ``None`` where an arm is
    empty.
    """

    treated: int
    held_out: int
    treated_left: int
    held_out_left: int
    difference: float | None
    low: float | None
    high: float | None
    truth: float | None


@dataclass(frozen=True)
class Simulated:
    """The whole loop. ``value_saved`` is money a month of who stayed by a contact, less of who left by one."""

    directory: Path
    customers: int
    seed: int
    model_version: str
    days: Sequence[DayOf]
    leavers_without: int
    """Who would have cancelled in these days had nobody called."""
    kept: int
    lost: int
    value_saved: float
    currency: str
    share: float
    """The share to hold out, as outreach.yaml says."""
    held_out_share: tuple[float, float, float] | None
    """What was held out of the units decided on, and its binomial 95 % interval."""
    estimate: Estimate

    @property
    def broken(self) -> list[str]:
        """What failed, on which day."""
        found = [f"{one.day}: {what}" for one in self.days for what in one.broken]
        if self.held_out_share is not None:
            share, low, high = self.held_out_share
            if not low <= self.share <= high:
                found.append(f"held out {share:.1%} ({low:.1%} to {high:.1%}), which is not {self.share:.1%}")
        return found

    def total(self, name: str) -> int:
        """The sum of a number over all days."""
        return sum(int(getattr(one, name)) for one in self.days)

    @property
    def repeat_rate(self) -> float | None:
        """The share of all rows whose customer stood on an earlier list; ``None`` without a row."""
        rows = self.total("listed")
        return self.total("repeats") / rows if rows else None

    def as_json(self) -> dict[str, Any]:
        """The machine-readable object of ``--json``."""
        return {
            "directory": str(self.directory),
            "customers": self.customers,
            "seed": self.seed,
            "model_version": self.model_version,
            "days": [{**asdict(one), "day": str(one.day), "broken": list(one.broken)} for one in self.days],
            "repeat_rate": self.repeat_rate,
            "leavers_without_contact": self.leavers_without,
            "kept": self.kept,
            "lost": self.lost,
            "value_saved": self.value_saved,
            "currency": self.currency,
            "holdout": {
                "share": self.share,
                **dict(zip(("found", "low", "high"), self.held_out_share or (None, None, None), strict=True)),
            },
            "estimate": asdict(self.estimate),
            "broken": self.broken,
        }

    def days_csv(self) -> bytes:
        """A line per day; what failed in the last column."""
        out = io.StringIO(newline="")
        names = list(DayOf.__dataclass_fields__)
        writer = csv.DictWriter(out, names, lineterminator="\n")
        writer.writeheader()
        writer.writerows({**asdict(one), "broken": "; ".join(one.broken)} for one in self.days)
        return out.getvalue().encode()
