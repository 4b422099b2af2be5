"""The days the signals are built for, light to import: every peer's process starts with this."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

ZONE = "Asia/Jakarta"
"""The civil days of ``distinct_days``; seven hours ahead of UTC all year round."""

LAST = datetime(2026, 6, 30, 17, tzinfo=UTC)
"""Midnight in Jakarta that opens 2026-07-01; the data go on for a week."""


def months(number: int) -> list[datetime]:
    """The last ``number`` months' first days, as instants, rising."""
    back = (LAST.year * 12 + LAST.month - 1 - i for i in range(number))
    # The midnight that opens a month in Jakarta is 17:00 UTC of the day before.
    firsts = (datetime((m + 1) // 12, (m + 1) % 12 + 1, 1, tzinfo=UTC) for m in back)
    return sorted(first - timedelta(hours=7) for first in firsts)


def days(number: int) -> list[datetime]:
    """The last ``number`` days, as instants, rising."""
    return [LAST - timedelta(days=i) for i in reversed(range(number))]


MEASURES = ("amount", "minutes", "resolution_hours")
"""The numeric columns of the events."""

DAY = 86_400_000_000
"""Microseconds."""
