"""Civil days and instants: an as-of written as a day means local midnight opening that day."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo


def midnight(day: date, zone: str) -> datetime:
    """The instant (UTC) that opens the civil ``day`` in ``zone``; where that wall time is skipped, the next one."""
    return datetime.combine(day, time(), tzinfo=ZoneInfo(zone)).astimezone(UTC)


def civil_day(instant: datetime, zone: str) -> date:
    """The civil day of an aware ``instant`` in ``zone``."""
    return instant.astimezone(ZoneInfo(zone)).date()
