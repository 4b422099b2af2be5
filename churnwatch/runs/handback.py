"""Handing back: what agents wrote into a list becomes facts of the ledger, or nothing of the file does."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from churnwatch.errors import DataRefused, UsageError
from churnwatch.runs.record import recorded
from churnwatch.runs.workspace import Workspace, ledger, lock
from churnwatch.spec import civil_day, midnight

if TYPE_CHECKING:
    import sqlalchemy as sa

    from churnwatch.delivery import Filled, FilledRow
    from churnwatch.ledger import IssuedList, Outcome

SHOWN = 20
"""Problems that a message names; the file has to be mended anyway."""

LONGEST = 366
"""Days for which a customer may be put off; our choice: a longer snooze is a slip of the pen, or a do_not_contact."""

_AS_LISTED = "customers as the list names them"

Place = tuple[date, int | None]
"""Which list: its day and revision, ``None`` the last one."""


@dataclass(frozen=True)
class Imported:
    """What became of a file: ``rows == without_outcome + twice + new + repeated``; ``corrected`` of the new ones took
    the place of an earlier word; of the repeated, ``superseded`` were corrected by another file since, and stay so.
    ``words`` counts those of the new ones, ``lists`` names the lists they are of.
    """

    file: str
    rows: int
    without_outcome: int
    twice: int
    """Lines that say again what an earlier line of the file says."""
    new: int
    repeated: int
    corrected: int
    superseded: int
    words: Mapping[str, int]
    lists: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """The machine-readable object of ``--json``."""
        return {
            "file": self.file,
            "rows": self.rows,
            "without_outcome": self.without_outcome,
            "twice": self.twice,
            "new": self.new,
            "repeated": self.repeated,
            "corrected": self.corrected,
            "superseded": self.superseded,
            "words": dict(self.words),
            "lists": list(self.lists),
        }


@dataclass(frozen=True)
class _Problem:
    line: int
    found: str
    allowed: str = ""
    hint: str = ""


def import_outcomes(
    workspace: Workspace,
    path: Path,
    *,
    by: str,
    on: date | None = None,
    of_list: Place | None = None,
    correct: bool = False,
) -> Imported:
    """Keep what a filled list says in the ledger, all of it or nothing.

    A row tells by its column ``list`` which list it is of; else the run.json beside the file does, or ``of_list``. It
    was worked ``on`` that day, else on its list's own. Rows without outcome are left alone, and a file handed in again
    changes nothing, also where it was corrected since. An outcome unlike the one that stands for its row is refused,
    unless it is to ``correct`` it, whatever the file: then both are kept, and the last counts. Raises DataRefused, with
    every problem of the file, where there is one.
    """
    from churnwatch.delivery import read_filled
    from churnwatch.ledger import outcomes, record_outcomes

    filled = read_filled(path)
    today = civil_day(workspace.now, workspace.spec.deployment.zone)
    if on is not None and on > today:
        raise UsageError(f"{on} is yet to come", where="--on", allowed=f"a day until {today}")
    with lock(workspace), ledger(workspace) as engine:
        file = _File(workspace, engine, filled, by, on, of_list or _beside(workspace, path), today)
        found = file.outcomes()
        before = _Before(outcomes(engine, deployment=workspace.deployment, replaced=True))
        found = file.against(found, before, correct=correct)
        if file.problems:
            raise _refused(filled.file, file.problems)
        new = [one for one in found if not (before.stands(one) if correct else before.knows(one))]
        with recorded(workspace, engine, command="outcomes import") as record:
            kept = record_outcomes(engine, deployment=workspace.deployment, outcomes=found, correct=correct)
            record.detail |= {"new": kept.new, "repeated": kept.repeated, "corrected": kept.corrected}
    return Imported(
        file=filled.file,
        rows=len(filled.rows),
        without_outcome=file.without,
        twice=len(filled.rows) - file.without - len(found),
        new=kept.new,
        repeated=kept.repeated,
        corrected=kept.corrected,
        superseded=0 if correct else sum(before.knows(one) and not before.stands(one) for one in found),
        words=dict(Counter(word for one in new for word in one.words)),
        lists=tuple(sorted({file.names[one.line] for one in new})),
    )


class _Before:
    """The outcomes that the ledger has already."""

    def __init__(self, outcomes: Sequence[Outcome]) -> None:
        replaced = {one.replaces for one in outcomes}
        stand = [one for one in outcomes if one.outcome_id not in replaced]
        self._standing = {(one.list_day, one.customer_id): one for one in stand}
        self._said = {one.said for one in stand}
        self._from_file = {(one.source, one.said) for one in outcomes}

    def standing(self, one: Outcome) -> Outcome | None:
        """What stands for the same customer of the same day's list."""
        return self._standing.get((one.list_day, one.customer_id))

    def stands(self, one: Outcome) -> bool:
        """Whether the last word says the same."""
        return one.said in self._said

    def knows(self, one: Outcome) -> bool:
        """Whether it stands, or this very file said so, and was corrected since."""
        return self.stands(one) or (one.source, one.said) in self._from_file


class _File:
    """A file on its way into the ledger: its problems pile up, so that all of them are told at once."""

    def __init__(
        self,
        workspace: Workspace,
        engine: sa.Engine,
        filled: Filled,
        by: str,
        on: date | None,
        default: Place | None,
        today: date,
    ) -> None:
        from churnwatch.ledger import lists_so_far

        self.workspace, self.engine, self.filled = workspace, engine, filled
        self.by, self.on, self.default, self.today = by, on, default, today
        self.problems = [_Problem(line, found) for line, found in filled.broken]
        self.without = 0
        self.names: dict[int, str] = {}
        self.days = [(day, revision) for _, day, revision in lists_so_far(engine, deployment=workspace.deployment)]
        self._issued: dict[Place, IssuedList | None] = {}
        self._rows: dict[int, _ByCustomer] = {}

    def outcomes(self) -> list[Outcome]:
        """What the rows say, each customer of a list once."""
        from churnwatch.delivery import Wrong, parse_outcomes

        found: dict[tuple[date, str], Outcome] = {}
        for row in self.filled.rows:
            said = parse_outcomes(row.outcome, why=row.why)
            if isinstance(said, Wrong):
                self.problems.append(_Problem(row.line, said.found, said.allowed, said.hint))
                continue
            if not said.words:
                self.without += 1
                continue
            one = self._outcome(row, said.words, said.snooze_until)
            if one is None:
                continue
            assert one.list_day is not None
            before = found.setdefault((one.list_day, one.customer_id), one)
            if before.said[1:] != one.said[1:]:
                self._problem(row, f"line {before.line} says something else of the same customer", "one line for each")
        return list(found.values())

    def against(self, found: Sequence[Outcome], before: _Before, *, correct: bool) -> list[Outcome]:
        """The outcomes as the ledger takes them, each of the row it is already known by; conflicts become problems."""
        checked = []
        for one in found:
            stands = before.standing(one)
            # A revision of the day's list names the same customer once more, but the contact was one.
            own = one if stands is None else replace(one, list_id=stands.list_id)
            checked.append(own)
            if stands is None or correct or before.knows(own):
                continue
            told = "; ".join(_words(stands))
            self.problems.append(
                _Problem(
                    one.line,
                    f"another outcome stands for this customer: {told}, of {stands.day} by {stands.by}",
                    hint="--correct takes this one in its place and keeps both",
                )
            )
        return checked

    def _named(self, day: date, revision: int) -> str:
        from churnwatch.delivery import list_name

        return list_name(self.workspace.deployment, day, revision)

    def _problem(self, row: FilledRow, found: str, allowed: str = "", hint: str = "") -> None:
        self.problems.append(_Problem(row.line, found, allowed, hint))

    def _outcome(self, row: FilledRow, words: tuple[str, ...], until: date | None) -> Outcome | None:
        from churnwatch.ledger import Outcome

        issued = self._list(row)
        if issued is None:
            return None
        listed = self._listed(row, issued)
        if listed is None:
            return None
        day = self.on or issued.as_of
        if day < issued.as_of:
            self._problem(row, f"worked on {day}, before its list of {issued.as_of}", "--on the list's day or later")
            return None
        if day > self.today:
            self._problem(row, f"its list is of {day}, which is yet to come", f"lists until {self.today}")
            return None
        if until is not None and until <= day:
            self._problem(row, f"it snoozes until {until}, and was worked on {day}", f"a day after {day}")
            return None
        if until is not None and (until - day).days > LONGEST:
            self._problem(
                row, f"it snoozes until {until}", f"a day within {LONGEST} days of {day}", "a slip in the year?"
            )
            return None
        return Outcome(
            deployment=self.workspace.deployment,
            customer_id=listed["customer_id"],
            list_id=issued.list_id,
            list_day=issued.as_of,
            day=day,
            at=_moment(self.workspace, day),
            known_at=self.workspace.now,
            words=words,
            snooze_until=until,
            why=row.why or None,
            action_name=listed["action_name"] or None,
            owner=listed["owner"] or None,
            by=self.by,
            source=self.filled.sha256,
            line=row.line,
        )

    def _list(self, row: FilledRow) -> IssuedList | None:
        """The list a row is of; ``None`` where that is a problem."""
        from churnwatch.delivery import parse_list_name
        from churnwatch.ledger import latest_list

        deployment = self.workspace.deployment
        last = f"the last ones are {', '.join(self._named(*one) for one in self.days[-3:])}" if self.days else "none"
        place = self.default
        if row.list_name:
            named = parse_list_name(row.list_name)
            if named is None:
                self._problem(row, f"`{row.list_name[:40]}` names no list", f"such as {deployment} 2026-07-01 r1")
                return None
            if named[0] != deployment:
                found = f"its list is one of {named[0]}, and this is the deployment {deployment}"
                self._problem(row, found, hint=f"--deployment {named[0]}")
                return None
            place = named[1:]
        if place is None:
            self._problem(row, "nothing tells which list it is of", "a column `list`", "--list DAY")
            return None
        if place not in self._issued:
            self._issued[place] = latest_list(self.engine, deployment=deployment, as_of=place[0], revision=place[1])
        issued = self._issued[place]
        if issued is None:
            name = f"{deployment} {place[0]}" if place[1] is None else self._named(place[0], place[1])
            self._problem(row, f"no list {name} was issued", f"a list that this ledger issued: {last}")
            return None
        self.names[row.line] = self._named(issued.as_of, issued.revision)
        return issued

    def _listed(self, row: FilledRow, issued: IssuedList) -> Mapping[str, Any] | None:
        """The row of the list that the line is about; ``None`` where that is a problem."""
        name = self._named(issued.as_of, issued.revision)
        if not row.customer:
            self._problem(row, "the line names no customer", _AS_LISTED)
            return None
        if issued.list_id not in self._rows:
            self._rows[issued.list_id] = _ByCustomer(issued.rows)
        rows = self._rows[issued.list_id]
        found = rows.of(row.customer)
        if found is None:
            hint = rows.why_not(row.customer)
            self._problem(row, f"the customer is not on the list {name}", _AS_LISTED, hint)
        return found


class _ByCustomer:
    """The rows of a list by their customer, as the list's files write the id."""

    def __init__(self, rows: Sequence[Mapping[str, Any]]) -> None:
        from churnwatch.delivery.text import cell

        self._exact: dict[str, list[Mapping[str, Any]]] = {}
        self._digits: dict[int, list[Mapping[str, Any]]] = {}
        for row in rows:
            self._exact.setdefault(cell(row["customer_id"]), []).append(row)
            if row["customer_id"].isdecimal():
                self._digits.setdefault(int(row["customer_id"]), []).append(row)
        self._folded = {customer.casefold() for customer in self._exact}

    def of(self, customer: str) -> Mapping[str, Any] | None:
        """The row of a customer; a spreadsheet makes 7 of 007, which is known where one alone has these digits."""
        from churnwatch.delivery.text import cell

        found = self._exact.get(cell(customer), [])
        if not found and customer.isdecimal():
            found = self._digits.get(int(customer), [])
        return found[0] if len(found) == 1 else None

    def why_not(self, customer: str) -> str:
        """What may have become of an id that is not on the list; messages name no customer, so neither does it."""
        if "E+" in customer.upper():
            return "a spreadsheet has written the id as a number: hand back outreach.xlsx, which keeps it"
        if customer.casefold() in self._folded:
            return "on the list the id has other capital letters"
        return ""


def _moment(workspace: Workspace, day: date) -> datetime:
    """Noon of the day, as nobody writes the hour down; no later than now."""
    noon = midnight(day, workspace.spec.deployment.zone) + timedelta(hours=12)
    return min(noon, workspace.now)


def _words(one: Outcome) -> list[str]:
    from churnwatch.delivery.outcome_words import word

    return [word(key, language="en", until=one.snooze_until if key == "snooze" else None) for key in one.words]


def _beside(workspace: Workspace, path: Path) -> Place | None:
    """The list whose directory the file still lies in."""
    try:
        told = json.loads((path.parent / "run.json").read_bytes())
        if told["deployment"] != workspace.deployment:
            return None
        return date.fromisoformat(told["as_of"]), int(told["revision"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _refused(file: str, problems: Sequence[_Problem]) -> DataRefused:
    """All that is wrong with a file, line by line; what is allowed once."""
    lines = [
        f"{file}:{one.line}: {one.found}{f'; {one.hint}' if one.hint else ''}"
        for one in sorted(problems, key=lambda one: one.line)[:SHOWN]
    ]
    if len(problems) > SHOWN:
        lines.append(f"and {len(problems) - SHOWN} more")
    count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    return DataRefused(
        "\n".join([f"{count}, so nothing of the file was written", *lines]),
        allowed="\n           ".join(dict.fromkeys(one.allowed for one in problems if one.allowed)),
        hint="mend the lines and hand the file in again",
    )


@dataclass(frozen=True)
class CameBack:
    """An outcome beside the row it is of: what the list had said of the customer, and why."""

    outcome: Outcome
    rank: int | None
    risk: float | None
    band: str | None
    reasons: tuple[str, ...]
    listed_for: str
    model_version: str | None

    def as_json(self) -> dict[str, Any]:
        """The machine-readable object under ``outcomes``."""
        one = self.outcome
        return {
            "outcome_id": one.outcome_id,
            "customer": one.customer_id,
            "list": None if one.list_day is None else str(one.list_day),
            "day": str(one.day),
            "words": list(one.words),
            "snooze_until": None if one.snooze_until is None else str(one.snooze_until),
            "why": one.why,
            "owner": one.owner,
            "action": one.action_name,
            "by": one.by,
            "known_at": one.known_at.isoformat(),
            "rank": self.rank,
            "risk": self.risk,
            "band": self.band,
            "reasons": list(self.reasons),
            "listed_for": self.listed_for,
            "model_version": self.model_version,
        }


def came_back(workspace: Workspace, *, since: date | None = None, wrong: bool = False) -> tuple[CameBack, ...]:
    """The outcomes that stand, by the day they were worked, the last first; ``wrong``: wrong flags alone."""
    from churnwatch.ledger import list_of, outcomes

    with ledger(workspace) as engine:
        kept = [
            one
            for one in outcomes(engine, deployment=workspace.deployment)
            if (since is None or one.day >= since) and (not wrong or "wrong_flag" in one.words)
        ]
        lists = {number: list_of(engine, list_id=number) for number in {one.list_id for one in kept} if number}
    rows = {(number, row["customer_id"]): row for number, issued in lists.items() for row in issued.rows}
    told = []
    for one in sorted(kept, key=lambda one: (one.day, one.outcome_id), reverse=True):
        row = rows.get((one.list_id, one.customer_id)) if one.list_id else None
        issued = lists.get(one.list_id) if one.list_id else None
        if row is None or issued is None:
            told.append(CameBack(one, None, None, None, (), "", None))
            continue
        listed_for = row["listed_for"] or issued.model
        version = dict(issued.also).get(listed_for, issued.model_version)
        told.append(CameBack(one, row["rank"], row["risk"], row["band"], tuple(row["reasons"]), listed_for, version))
    return tuple(told)
