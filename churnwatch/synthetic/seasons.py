"""When things happen: weekdays, hours, holidays and the year's wave, in the company's local time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Feelings = NDArray[np.float32]
Ints = NDArray[np.int64]
Times = NDArray[np.datetime64]

DAY = 86_400
STREAMS = ("usage", "contact", "purchase", "self_service", "visit")

# The first day of Lebaran (Idul Fitri) in Indonesia, as calculated for the years ahead.
LEBARAN = (
    date(2022, 5, 2),
    date(2023, 4, 22),
    date(2024, 4, 10),
    date(2025, 3, 31),
    date(2026, 3, 20),
    date(2027, 3, 10),
    date(2028, 2, 26),
    date(2029, 2, 14),
    date(2030, 2, 4),
)

# Weight of Monday … Sunday.
_WEEKDAYS = {
    "usage": (1.2, 1.2, 1.15, 1.15, 1.1, 0.7, 0.5),
    "contact": (1.6, 1.3, 1.2, 1.1, 1.1, 0.5, 0.2),
    "purchase": (0.9, 0.9, 0.95, 1.0, 1.15, 1.2, 0.9),
    "self_service": (1.1, 1.1, 1.05, 1.0, 0.95, 0.9, 0.9),
    "visit": (1.1, 1.1, 1.1, 1.1, 1.1, 1.3, 0.2),
}
# How much of the usual is left in the days of Lebaran and from Christmas to new year.
_LEBARAN_LEFT = {"usage": 0.35, "contact": 0.2, "purchase": 0.3, "self_service": 0.5, "visit": 0.1}
_YEAR_END_LEFT = {"usage": 0.6, "contact": 0.5, "purchase": 0.8, "self_service": 0.7, "visit": 0.4}

_OFFICE = np.array([0.2] * 6 + [0.6, 1.5, 5, 8, 9, 8, 5, 7, 8, 7, 6, 4, 2.5, 2, 2, 1.5, 1, 0.5])
_EVENING = np.array([0.6, 0.3, 0.2, 0.2, 0.2, 0.4, 1, 2, 3, 4, 4, 4, 5, 4, 4, 4, 4, 5, 6, 8, 9, 8, 5, 2])
_OPEN_DOORS = np.array([0.0] * 9 + [3, 5, 5, 4, 4, 5, 5, 4, 2] + [0.0] * 6)
_HOURS = {
    "usage": _OFFICE,
    "contact": _OFFICE,
    "purchase": _EVENING,
    "self_service": _EVENING,
    "visit": _OPEN_DOORS,
}


@dataclass(frozen=True)
class Seasons:
    """The calendar of one simulation: ``days`` civil days and weeks of seven days, both from ``start``."""

    start: date
    days: int
    weights: dict[str, Floats]
    """Per stream and day (whole weeks, so the last week may run past the end): 1 is an ordinary day."""

    @property
    def weeks(self) -> int:
        """Weeks begun, the last one perhaps cut short by the end."""
        return -(-self.days // 7)

    @property
    def end(self) -> np.datetime64:
        """The local midnight at which the data end."""
        return self.midnight + np.timedelta64(self.days * DAY, "s")

    @property
    def midnight(self) -> np.datetime64:
        """The local midnight at which the data begin."""
        return np.datetime64(self.start, "s")

    def of_week(self, stream: str, week: int) -> float:
        """The mean weight of a week's days; 1 before the data begin."""
        if week < 0:
            return 1.0
        return float(self.weights[stream][week * 7 : week * 7 + 7].mean())

    def times(self, rng: np.random.Generator, stream: str, weeks: Ints) -> Times:
        """A local time for each event of a stream, given its week: busy days and hours are likelier."""
        edges = np.concatenate([[0.0], np.cumsum(self.weights[stream])])
        low, high = edges[weeks * 7], edges[weeks * 7 + 7]
        day = np.searchsorted(edges, low + rng.random(weeks.size) * (high - low), side="right") - 1
        day = np.clip(day, weeks * 7, weeks * 7 + 6)
        hours = np.cumsum(_HOURS[stream]) / _HOURS[stream].sum()
        hour = np.searchsorted(hours, rng.random(weeks.size), side="right")
        second = day * DAY + hour * 3_600 + rng.integers(0, 3_600, weeks.size)
        return np.asarray(self.midnight + second.astype("timedelta64[s]"))


def plan_seasons(start: date, days: int) -> Seasons:
    """The day weights of every stream from ``start`` on."""
    calendar = [start + timedelta(days=day) for day in range(-(-days // 7) * 7)]
    weights: dict[str, Floats] = {}
    for stream in STREAMS:
        weights[stream] = np.array([_weight(stream, day) for day in calendar])
    return Seasons(start, days, weights)


def _weight(stream: str, day: date) -> float:
    weight = _WEEKDAYS[stream][day.weekday()]
    wave = np.cos(2 * np.pi * (day.timetuple().tm_yday - 15) / 365.25)  # highest in mid-January
    weight *= 1 + (0.1 if stream in ("contact", "self_service") else 0.04) * float(wave)
    if stream == "purchase" and day.month in (11, 12):
        weight *= 1.25  # the sales of 11.11 and 12.12
    if (day.month, day.day) >= (12, 24) or (day.month, day.day) <= (1, 2):
        weight *= _YEAR_END_LEFT[stream]
    for feast in LEBARAN:
        distance = (day - feast).days
        if -2 <= distance <= 6:
            weight *= _LEBARAN_LEFT[stream]
        elif stream == "purchase" and -23 <= distance < -2:
            weight *= 1.5  # people buy before the feast
    return weight
