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
from datetime import date, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from churnwatch.health import BANDS
from churnwatch.runs.further import GROWS
from churnwatch.runs.people import people_of, team_of
from churnwatch.spec import Outreach

if TYPE_CHECKING:
    import pandas as pd

    from churnwatch.sources import Tables
    from churnwatch.synthetic import Heard

SPEAKS_OF_ARMS = re.compile(rb"held[_ ]?out|holdout|treated", re.IGNORECASE)
TALKED = {"reached", "solved", "offer_accepted", "will_stay", "will_leave", "wrong_flag"}


ANNOUNCED_DAYS = 90
"""How long the word of who says that they leave holds (docs/outreach.md)."""
RISEN = ("the risk has risen by ", "risikonya naik ")
"""How a row begins that says its customer is back early for a risen risk; else it names a new sign."""


@dataclass(frozen=True)
class Everybody:
    """All who are ``observed`` on a day as they stand before anybody is chosen, by customer.

    ``worthy`` are in a band from which a model lists, ``refused`` may not be contacted. ``owners`` has the owner of who
    has one; ``stands_in`` and ``leads`` are those of each owner (``runs.people.Team``).
    """

    observed: Collection[str]
    worthy: Collection[str]
    refused: Collection[str]
    owners: Mapping[str, str]
    stands_in: Mapping[str, str | None]
    leads: Mapping[str, str]
    risks: Mapping[str, float] = field(default_factory=dict)
    """By the listing model, of whom it is that finds them list-worthy; missing where a baseline ranks."""

    def working(self, who: str) -> frozenset[str]:
        """On whose list a customer may stand: the owner's, the owner's lead's, of a stand-in the lead's, too.

        In the place of each who is away it is who stands in for them. Empty where nobody owns the customer.
        """
        owner = self.owners.get(who)
        if owner is None:
            return frozenset()
        works = self.stands_in.get(owner, owner)
        leads = [self.leads[one] for one in (owner, works) if one is not None and one in self.leads]
        asked = (works, *(self.stands_in.get(lead, lead) for lead in leads))
        return frozenset(one for one in asked if one is not None)


@dataclass(frozen=True)
class Issued:
    """A day's list: its ``rows`` as the ledger keeps them, the ``counts`` of its run.json, where its files are, if any.

    ``version`` is that of the listing model. ``arms`` are those decided in the epoch before today, ``decided`` those of
    today; ``capacity`` has the places of each owner, ``away`` who is away.
    """

    day: date
    rows: Sequence[Mapping[str, Any]]
    counts: Mapping[str, int]
    directory: Path | None
    version: str | None
    everybody: Everybody
    arms: Mapping[str, str]
    decided: Mapping[str, str]
    capacity: Mapping[str, int]
    away: Collection[str]

    @cached_property
    def held_out(self) -> frozenset[str]:
        """Who is held out of the epoch."""
        return frozenset(who for arms in (self.arms, self.decided) for who, arm in arms.items() if arm == "held_out")

    @cached_property
    def listed(self) -> frozenset[str]:
        """Whom the rows name."""
        return frozenset(row["customer_id"] for row in self.rows)


def everybody_of(
    scores: pd.DataFrame, tables: Tables, as_of: datetime, outreach: Outreach, *, also: Sequence[str] = ()
) -> Everybody:
    """Everybody of ``scores``, with the columns of scores.parquet: customer_id, band, and of each further model in
    ``also`` that spoke its own band and change.
    """
    least = BANDS[BANDS.index(outreach.minimum_band) :]
    leaving = scores["band"].isin(least) & scores["risk"].notna()
    worthy = scores["band"].isin(least)
    for name in also:
        if f"{name}_band" in scores:
            grows = scores[f"{name}_change"] >= GROWS - 1e-12
            worthy |= scores[f"{name}_band"].isin(least) & grows
    people = people_of(tables, as_of, consent=outreach.consent).set_index("customer_id")
    people = people.reindex(scores["customer_id"])
    team = team_of(tables, as_of)
    return Everybody(
        observed=frozenset(scores["customer_id"]),
        worthy=frozenset(scores["customer_id"][worthy]),
        refused=frozenset(people.index[people["do_not_contact"].to_numpy(dtype=bool)]),
        owners=dict(people["owner"].dropna()),
        stands_in=team.stands_in,
        leads=team.leads,
        risks=dict(zip(scores["customer_id"][leaving], scores["risk"][leaving], strict=True)),
    )


@dataclass
class Watch:
    """What is known of every customer from the contacts themselves, independently of the ledger."""

    outreach: Outreach
    until: dict[str, date] = field(default_factory=dict)
    """The first day on which the cooldown lets a customer be listed again."""
    snoozed: dict[str, date] = field(default_factory=dict)
    leaving: dict[str, date] = field(default_factory=dict)
    """When they said it, of those whose last word of it was that they leave."""
    stood: dict[str, tuple[str | None, Mapping[str, Any]]] = field(default_factory=dict)
    """The last row of each customer, and the version of the model that listed by it."""

    def learn(self, day: date, heard: Sequence[Heard]) -> None:
        """What came of a day's rows."""
        worked, ignored = (int(one.days) for one in (self.outreach.cooldown.worked, self.outreach.cooldown.ignored))
        for one in heard:
            rest = worked if TALKED & set(one.words) else ignored
            # Who comes back early and is not reached still rests as long as from the contact before.
            self.until[one.customer_id] = max(self.until.get(one.customer_id, date.min), day + timedelta(days=rest))
            if one.snooze_until:
                self.snoozed[one.customer_id] = one.snooze_until
            if "will_leave" in one.words:
                self.leaving[one.customer_id] = day
            elif "will_stay" in one.words:
                self.leaving.pop(one.customer_id, None)

    def remember(self, one: Issued) -> None:
        """The rows of a list that has been checked, for those that come after."""
        self.stood |= {row["customer_id"]: (one.version, row) for row in one.rows}

    def broken(self, one: Issued) -> list[str]:
        """A sentence for each rule that the list breaks."""
        hidden = () if one.directory is None else _hidden(one.directory, one.held_out)
        return [
            *self._peace(one),
            *self._early(one),
            *_room(one),
            *_whose(one),
            *_sums(one),
            *self._places(one),
            *self._arms(one),
            *hidden,
        ]

    def _leaves(self, who: str, day: date) -> bool:
        return who in self.leaving and (day - self.leaving[who]).days < ANNOUNCED_DAYS

    def _peace(self, one: Issued) -> Iterator[str]:
        ids = [row["customer_id"] for row in one.rows]
        wrong = {
            "in their cooldown without a stated reason": sum(
                one.day < self.until.get(row["customer_id"], date.min) and not row["back_early"] for row in one.rows
            ),
            "put off to a later day": sum(one.day < self.snoozed.get(who, date.min) for who in ids),
            "who said they will leave": sum(self._leaves(who, one.day) for who in ids),
            "held out": sum(who in one.held_out for who in ids),
            "more than once": len(ids) - len(set(ids)),
            "who may not be contacted": sum(who in one.everybody.refused for who in ids),
            "below the band for no rule's sake": sum(
                row["customer_id"] not in one.everybody.worthy and not row["proactive"] for row in one.rows
            ),
        }
        yield from (f"{count} listed {what}" for what, count in wrong.items() if count)

    def _early(self, one: Issued) -> Iterator[str]:
        """The reason for which a row is back early is held against the customer's row before."""
        untrue = sum(bool(row["back_early"]) and not self._worse(one, row) for row in one.rows)
        if untrue:
            yield f"{untrue} back early for a reason that is not so"

    def _worse(self, one: Issued, row: Mapping[str, Any]) -> bool:
        version, before = self.stood.get(row["customer_id"], (None, None))
        if before is None or version != one.version:
            return False
        if row["back_early"].startswith(RISEN):
            risks = before["risk"], row["risk"]
            return None not in risks and risks[1] - risks[0] >= self.outreach.cooldown.rise - 1e-9
        _, named, told = row["back_early"].partition(": ")
        return bool(set(row["signs"]) - set(before["signs"])) and (not named or told in row["reasons"])

    def _risen(self, one: Issued, who: str) -> bool:
        """Whose cooldown ends early whatever the signs, so that only a full day keeps them off the list."""
        version, before = self.stood.get(who, (None, None))
        now = one.everybody.risks.get(who)
        if before is None or before["risk"] is None or now is None or version != one.version:
            return False
        return bool(now - before["risk"] >= self.outreach.cooldown.rise + 1e-9)

    def _places(self, one: Issued) -> Iterator[str]:
        """Everybody has one place: found here from scores, contacts and arms, and held against what was counted."""
        found: dict[str, set[str]] = {name: set() for name in PLACES}
        for who in one.everybody.observed:
            found[self._place(who, one)].add(who)
        # Who is free to come back early and gets no place has spilled; here they still count as cooling.
        told = dict(one.counts) | {"waiting": one.counts["cooling"] + one.counts["spilled"]}
        counts = {name: len(some) for name, some in found.items()}
        counts["waiting"] = counts.pop("cooling") + counts["spilled"]
        spilled = counts.pop("spilled")
        for name, count in counts.items():
            if told[name] != count:
                yield f"{told[name]} counted as {SAID.get(name, name)}, {count} found"
        if told["spilled"] < spilled:
            yield f"{told['spilled']} counted as spilled, at least {spilled} found"
        risen = [who for who in found["cooling"] if self._risen(one, who)]
        for those, what in ((found["spilled"], "spilled"), (risen, "cooling after a clear rise")):
            if idle := self._idle(one, those):
                yield f"{idle} {what} while their owner or the lead has a place"

    def _place(self, who: str, one: Issued) -> str:
        worthy = who in one.everybody.worthy
        if who in one.listed:
            return "listed"
        if who in one.everybody.refused:
            return "refused"
        if self._leaves(who, one.day):
            return "announced"
        if worthy and one.day < self.snoozed.get(who, date.min):
            return "snoozed"
        # By a proactive rule, too, somebody is held out, on that day alone counted so.
        if (worthy and one.arms.get(who) == "held_out") or one.decided.get(who) == "held_out":
            return "held_out"
        if not worthy:
            return "below"
        return "cooling" if one.day < self.until.get(who, date.min) else "spilled"

    def _idle(self, one: Issued, spilled: Collection[str]) -> int:
        """How many of them have an owner, or a lead, with a place left; minutes leave places that nothing fits into."""
        if self.outreach.minutes is not None:
            return 0
        rows = Counter(row["owner"] for row in one.rows)
        return sum(
            any(rows[works] < one.capacity.get(works, 0) for works in one.everybody.working(who)) for who in spilled
        )

    def _arms(self, one: Issued) -> Iterator[str]:
        """Decided on as treated are just those listed for the first time in the epoch."""
        if not self.outreach.holdout.share:
            return
        treated = {who for who, arm in one.decided.items() if arm == "treated"}
        new = one.listed - one.arms.keys()
        if treated - new:
            yield f"{len(treated - new)} decided on as treated and not newly listed"
        if new - treated:
            yield f"{len(new - treated)} newly listed and not decided on"


PLACES = ("listed", "refused", "announced", "snoozed", "held_out", "below", "cooling", "spilled")
SAID = {"held_out": "held out", "waiting": "cooling or spilled"}


def _room(one: Issued) -> Iterator[str]:
    rows = Counter(row["owner"] for row in one.rows)
    over = sum(count > one.capacity.get(owner, 0) for owner, count in rows.items())
    if over:
        yield f"{over} owners have more rows than places"
    absent = sum(owner in one.away for owner in rows)
    if absent:
        yield f"{absent} owners who are away have rows"


def _whose(one: Issued) -> Iterator[str]:
    """Where customers have owners, each row is on the list of one who may work it, and says how it came there."""
    others = untold = 0
    for row in one.rows:
        owner = one.everybody.owners.get(row["customer_id"])
        if owner is None:
            continue
        others += row["owner"] not in one.everybody.working(row["customer_id"])
        away = owner in one.everybody.stands_in
        untold += row["handed"] != ("away" if away else "overflow" if row["owner"] != owner else "")
    if others:
        yield f"{others} on the list of somebody who is neither their owner nor stands in nor leads"
    if untold:
        yield f"{untold} do not say how they came to another list"


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
