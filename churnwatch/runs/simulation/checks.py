"""What a list must keep to on every day of a simulation, checked from what the agents did and not from what daily said.

The sentences say what failed and how often, never whom it concerned.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from churnwatch.spec import Outreach

if TYPE_CHECKING:
    from churnwatch.synthetic import Heard

SPEAKS_OF_ARMS = re.compile(rb"held[_ ]?out|holdout|treated", re.IGNORECASE)
TALKED = {"reached", "solved", "offer_accepted", "will_stay", "will_leave", "wrong_flag"}


@dataclass(frozen=True)
class Issued:
    """A day's list: its ``rows`` as the ledger keeps them, the ``counts`` of its run.json, where its files are, if any.

    ``held_out`` are the customers held out of the epoch, ``capacity`` the places of each owner, ``away`` who is away.
    """

    day: date
    rows: Sequence[Mapping[str, Any]]
    counts: Mapping[str, int]
    directory: Path | None
    held_out: Collection[str]
    capacity: Mapping[str, int]
    away: Collection[str]


@dataclass
class Watch:
    """What is known of every customer from the contacts themselves, independently of the ledger."""

    outreach: Outreach
    until: dict[str, date] = field(default_factory=dict)
    """The first day on which the cooldown lets a customer be listed again."""
    snoozed: dict[str, date] = field(default_factory=dict)
    leaving: dict[str, bool] = field(default_factory=dict)
    """Whether the last word of who spoke of it was that they leave."""

    def learn(self, day: date, heard: Sequence[Heard]) -> None:
        """What came of a day's rows."""
        worked, ignored = (int(one.days) for one in (self.outreach.cooldown.worked, self.outreach.cooldown.ignored))
        for one in heard:
            rest = worked if TALKED & set(one.words) else ignored
            self.until[one.customer_id] = day + timedelta(days=rest)
            if one.snooze_until:
                self.snoozed[one.customer_id] = one.snooze_until
            if {"will_leave", "will_stay"} & set(one.words):
                self.leaving[one.customer_id] = "will_leave" in one.words

    def broken(self, one: Issued) -> list[str]:
        """A sentence for each rule that the list breaks."""
        hidden = () if one.directory is None else _hidden(one.directory, one.held_out)
        return [*self._peace(one), *_room(one), *_sums(one), *hidden]

    def _peace(self, one: Issued) -> Iterator[str]:
        ids = [row["customer_id"] for row in one.rows]
        wrong = {
            "in their cooldown without a stated reason": sum(
                one.day < self.until.get(row["customer_id"], date.min) and not row["back_early"] for row in one.rows
            ),
            "put off to a later day": sum(one.day < self.snoozed.get(who, date.min) for who in ids),
            "who said they will leave": sum(self.leaving.get(who, False) for who in ids),
            "held out": sum(who in one.held_out for who in ids),
            "more than once": len(ids) - len(set(ids)),
        }
        yield from (f"{count} listed {what}" for what, count in wrong.items() if count)


def _room(one: Issued) -> Iterator[str]:
    rows = Counter(row["owner"] for row in one.rows)
    over = sum(count > one.capacity.get(owner, 0) for owner, count in rows.items())
    if over:
        yield f"{over} owners have more rows than places"
    absent = sum(owner in one.away for owner in rows)
    if absent:
        yield f"{absent} owners who are away have rows"


def _sums(one: Issued) -> Iterator[str]:
    told = {name: count for name, count in one.counts.items() if name != "observed"}
    if sum(told.values()) != one.counts["observed"]:
        yield f"{one.counts['observed']} observed, but {sum(told.values())} in {', '.join(told)}"
    if any(count < 0 for count in told.values()):
        yield "a count is below 0"
    if one.counts["listed"] != len(one.rows):
        yield f"{one.counts['listed']} counted as listed, {len(one.rows)} rows"


def _hidden(directory: Path, held_out: Collection[str]) -> Iterator[str]:
    """The holdout shows in no file of the day: neither whom it holds out, nor any word of it but counts in run.json.

    Who has announced to leave is on the list of leavers whatever their arm, and scores.parquet has everybody.
    """
    leavers = directory / "leavers.csv"
    gone = set()
    if leavers.exists():
        gone = {row["customer"] for row in csv.DictReader(io.StringIO(leavers.read_text(encoding="utf-8")))}
    ids = [who.encode() for who in held_out if who not in gone]
    for path in sorted(directory.iterdir()):
        data = _plain(path)
        if path.name != "run.json" and SPEAKS_OF_ARMS.search(data):
            yield f"{path.name} speaks of the holdout"
        if path.suffix != ".parquet" and (shown := sum(who in data for who in ids)):
            yield f"{path.name} names {shown} who are held out"


def _plain(path: Path) -> bytes:
    """What a file says: a workbook's sheets unpacked, of Parquet the columns' names and every text in them."""
    if path.suffix == ".xlsx":
        with zipfile.ZipFile(path) as sheets:
            return b"\n".join(sheets.read(name) for name in sheets.namelist())
    if path.suffix == ".parquet":
        import pyarrow as pa
        import pyarrow.parquet as pq

        table = pq.read_table(path)
        texts = [
            column.unique().to_pylist()
            for column in table.columns
            if pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
        ]
        return "\n".join([*table.column_names, *(str(one) for some in texts for one in some)]).encode()
    return path.read_bytes()
