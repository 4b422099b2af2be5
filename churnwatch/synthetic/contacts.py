"""The simulated care team at work: who works a row, whom they reach, what they hear, and whether it changes anything.

What a contact changes follows the truth of ``persuasion``, by potential outcomes: who would cancel within nine weeks
stays after all with the probability that the action takes off the risk, and whom contact makes worse leaves with the
one it adds. Nothing else of the simulated company moves: who is kept goes on as simulated, and so falls silent where
they had.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from churnwatch.synthetic.files import Company
from churnwatch.synthetic.persuasion import ACTIONS, WEEKS_AHEAD, Persuasion
from churnwatch.synthetic.seasons import DAY, Floats, Ints, Times
from churnwatch.synthetic.tables import end_of_service

NOT_YET = np.datetime64("NaT", "s")
SKIPS_DAY = 0.06  # chance that an agent does nothing of a day's list
SKIPS_ROW = (1.5, 10.0)  # beta distribution of the share of rows an agent never gets round to
UNREACHED = 0.25
AWAY = 1 / 60  # chance a day that an absence begins
AWAY_DAYS = (2, 12)
SAYS_LEAVING = 0.45  # of whom they reach and do not persuade
SAYS_STAYING = 0.5  # of whom they persuade; of others who are there to stay, half as many
WRONG_FLAG, SNOOZES = 0.08, 0.05  # of those who are there to stay
SOLVES = ("solve_case", "solve_payment", "apologise")
WRONG = "on holiday"
DRAWS = 7


@dataclass(frozen=True)
class Heard:
    """What came of one listed row: ``words`` are keys of outcomes, none where the row was ignored.

    ``at`` is the local time of the contact. ``kept``: who would have cancelled within nine weeks now does not;
    ``lost``: who would not, now does.
    """

    customer_id: str
    words: tuple[str, ...]
    snooze_until: date | None
    why: str
    at: np.datetime64
    kept: bool
    lost: bool


@dataclass
class Team:
    """A company's care team and what its customers do in the end; changes with every day that is worked.

    ``cancelled`` and ``ended`` (customers,), local, NaT: not, begin as simulated and change with the contacts.
    """

    company: Company
    seed: int
    cancelled: Times = field(init=False)
    ended: Times = field(init=False)

    def __post_init__(self) -> None:
        self.cancelled = self.company.built.cancelled.copy()
        self.ended = np.where(np.isnat(self.cancelled), NOT_YET, self.company.built.ended)
        self._place = {number: row for row, number in enumerate(self.company.numbers)}
        self._agent = {number: row for row, number in enumerate(self.company.owners)}
        rng = np.random.default_rng([self.seed, 1])
        self._skips = rng.beta(*SKIPS_ROW, self.company.agents)
        self._persuasion: tuple[int, Persuasion, Ints] | None = None

    def absences(self, days: Sequence[date]) -> Mapping[str, list[tuple[date, date]]]:
        """By owner, the absences that begin on these days: (first day away, first day back)."""
        rng = np.random.default_rng([self.seed, 2])
        found: dict[str, list[tuple[date, date]]] = {}
        back = np.zeros(self.company.agents, dtype=np.int64)
        for place, day in enumerate(days):
            begins = (rng.random(self.company.agents) < AWAY) & (back <= place)
            lengths = rng.integers(*AWAY_DAYS, self.company.agents, endpoint=True)
            for agent in np.flatnonzero(begins):
                length = int(lengths[agent])
                back[agent] = place + length
                found.setdefault(self.company.owners[agent], []).append((day, day + timedelta(days=length)))
        return found

    def work(self, day: date, rows: Sequence[tuple[str, str, str]]) -> list[Heard]:
        """Work a day's list: (customer_id, owner, action) per row, the owner being whose list it is.

        What chance decides hangs on seed, day, and customer or agent, so the same rows in any order give the same.
        """
        draws = np.random.default_rng([self.seed, 3, day.toordinal()]).random((self.company.people.size, DRAWS))
        idle = np.random.default_rng([self.seed, 4, day.toordinal()]).random(self.company.agents) < SKIPS_DAY
        return [self._contact(day, row, self._agent[owner], action, draws, idle) for row, owner, action in rows]

    def row_of(self, customer_id: str) -> int:
        """The customer's place in ``cancelled`` and ``ended``."""
        return self._place[customer_id]

    def truth(self, customer_id: str, action: str, day: date) -> tuple[float, float]:
        """(probability of cancelling within nine weeks when nobody calls, what the action adds), that morning.

        An action of which the truth knows nothing adds nothing.
        """
        persuasion, place = self._as_of(day)
        row = place[self._place[customer_id]]
        if row < 0:
            return 1.0, 0.0  # the week's truth has them gone
        adds = persuasion.effect[row, ACTIONS.index(action)] if action in ACTIONS else 0.0
        return float(persuasion.leaving[row]), float(adds)

    def _as_of(self, day: date) -> tuple[Persuasion, Ints]:
        week = (day - self.company.seasons.start).days // 7
        if self._persuasion is None or self._persuasion[0] != week:
            found = self.company.persuasion(day)
            place = np.full(self.company.people.size, -1)
            place[found.customer] = np.arange(found.customer.size)
            self._persuasion = (week, found, place)
        return self._persuasion[1:]

    def _contact(self, day: date, customer_id: str, agent: int, action: str, draws: Floats, idle: np.ndarray) -> Heard:
        row = self._place[customer_id]
        ignores, reaches, moment, fate, when, says, more = draws[row]
        at = np.datetime64(day, "s") + np.timedelta64(int((9 + 7 * moment) * 3_600), "s")

        def heard(
            *words: str, until: date | None = None, why: str = "", kept: bool = False, lost: bool = False
        ) -> Heard:
            return Heard(customer_id, words, until, why, at, kept, lost)

        if idle[agent] or ignores < self._skips[agent]:
            return heard()
        if reaches < UNREACHED:
            return heard("not_reached")
        leaving, effect = self.truth(customer_id, action, day)
        leaves = bool(self.cancelled[row] <= at + np.timedelta64(WEEKS_AHEAD * 7 * DAY, "s"))
        if leaves and self.cancelled[row] > at and effect < 0 and fate >= (leaving + effect) / leaving:
            self.cancelled[row] = self.ended[row] = NOT_YET
            if says < SAYS_STAYING:
                return heard("reached", "will_stay", kept=True)
            if action in SOLVES:
                return heard("reached", "solved", kept=True)
            return heard("reached", "offer_accepted", kept=True) if action == "offer" else heard("reached", kept=True)
        if leaves:
            return heard("reached", "will_leave") if says < SAYS_LEAVING else heard("reached")
        if effect > 0 and fate < effect / (1 - leaving):
            seconds = DAY + int(when * (WEEKS_AHEAD * 7 - 1) * DAY)
            cancelled = at + np.timedelta64(seconds, "s")
            if cancelled < self.company.seasons.end:
                self.cancelled[row] = cancelled
                self.ended[row] = end_of_service(np.array([cancelled]))[0]
                return heard("reached", lost=True)
        if more < WRONG_FLAG:
            return heard("wrong_flag", why=WRONG)
        if more < WRONG_FLAG + SNOOZES:
            return heard("reached", "snooze", until=day + timedelta(days=5 + int(20 * when)))
        return heard("reached", "will_stay") if says < SAYS_STAYING / 2 else heard("reached")


def after(team: Team, away: Mapping[str, tuple[date, date]]) -> dict[str, pa.Table]:
    """The raw tables that the contacts changed, by file name; ``away`` is who is away at the end, from when until when.

    Who was kept has no cancellation and no end of service any more, who was lost has both.
    """
    built, before = team.company.built, team.company.built.cancelled
    numbers = np.array(team.company.numbers, dtype=object)
    kept = ~np.isnat(before) & ((team.cancelled != before) | np.isnat(team.cancelled))
    lost = np.flatnonzero(~np.isnat(team.cancelled) & (team.cancelled != before))
    said = built.tables["cancellations.csv"]
    said = said.filter(pc.invert(pc.is_in(said["customer_no"], pa.array(numbers[kept], pa.string()))))
    more = pa.table(
        {
            "cancellation_no": pa.array([f"X{one}" for one in numbers[lost]], pa.string()),
            "customer_no": pa.array(numbers[lost], pa.string()),
            "received": pa.array(team.cancelled[lost]),
            "service_ends": pa.array(team.ended[lost].astype("datetime64[D]")),
            "channel": pa.array(["phone"] * lost.size, pa.string()),
            "reason": pa.nulls(lost.size, pa.string()),
        }
    ).cast(said.schema)
    people = built.tables["customers.csv"]
    end = np.where(team.ended < team.company.seasons.end, team.ended, NOT_YET)
    end = np.concatenate([end, np.full(people.num_rows - end.size, NOT_YET)])
    agents = built.tables["agents.csv"]
    absent = [away.get(owner) for owner in team.company.owners]
    for place, name in enumerate(("away_from", "away_to")):
        days = [NOT_YET if one is None else np.datetime64(one[place], "s") for one in absent]
        column = pa.array(np.array(days, "datetime64[s]"))
        agents = agents.set_column(agents.column_names.index(name), name, column)
    return {
        "cancellations.csv": pa.concat_tables([said, more]).sort_by([("received", "ascending")]),
        "customers.csv": people.set_column(people.column_names.index("contract_end"), "contract_end", pa.array(end)),
        "agents.csv": agents,
    }
