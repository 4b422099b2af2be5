"""The world of a simulation as the runs read it: one company's tables, which the contacts of each day change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from churnwatch.runs.workspace import Workspace, as_known_on, load_tables
from churnwatch.sources import SHAPES
from churnwatch.spec import midnight

if TYPE_CHECKING:
    from churnwatch.sources import Tables
    from churnwatch.synthetic import Heard, Team

LIST_AT = timedelta(hours=6)
HANDED_BACK_AT = timedelta(hours=17)
EVENTS = "cancellation"


class World:
    """A workspace of each day and hour over tables that are read once.

    Rows that become known later are filtered away by ``as_known_on``; what contacts change is changed in the tables
    themselves: the cancellation of who is kept is taken out with the end of their service, that of who is lost is put
    in.
    """

    def __init__(self, workspace: Workspace, team: Team, *, days: Sequence[date]) -> None:
        self.team = team
        self.zone = workspace.spec.deployment.zone
        self.away = team.absences(days)
        self.workspace = replace(workspace, kept={"tables": _own(load_tables(workspace))})
        self.tables = self.workspace.kept["tables"]

    def at(self, day: date, hour: timedelta) -> Workspace:
        """The workspace at an hour of ``day``: the data as known at the midnight that opens it."""
        past = as_known_on(self.workspace, day)
        return replace(past, now=midnight(day, self.zone) + hour)

    def opens(self, day: date) -> None:
        """The day begins: who is away is written into the agents' table."""
        self.tables.con.execute("update agents set away_from = null, away_to = null")
        for owner, (first, back) in self.away_on(day).items():
            self.tables.con.execute(
                "update agents set away_from = ?, away_to = ? where owner = ?",
                [self._utc(np.datetime64(first, "s")), self._utc(np.datetime64(back, "s")), owner],
            )

    def away_on(self, day: date) -> Mapping[str, tuple[date, date]]:
        """Who is away on ``day``, from when until when."""
        return {owner: one for owner, some in self.away.items() for one in some if one[0] <= day < one[1]}

    def changed(self, heard: Iterable[Heard]) -> None:
        """What contacts have changed is so from now on."""
        for one in heard:
            if not (one.kept or one.lost):
                continue
            row = self.team.row_of(one.customer_id)
            self.tables.con.execute(
                "delete from interactions where customer_id = ? and kind = ?", [one.customer_id, EVENTS]
            )
            ended = self.team.ended[row]
            end = self.team.company.seasons.end
            self.tables.con.execute(
                "update customers set ended_at = ? where customer_id = ?",
                [self._utc(ended) if ended < end else None, one.customer_id],
            )
            if one.lost:
                moment = self._utc(self.team.cancelled[row])
                self.tables.con.execute(
                    """insert into interactions (interaction_id, customer_id, "at", known_at, kind, channel, direction,
                    topic, source) values (?, ?, ?, ?, ?, 'phone', 'in', 'account', 'cancellations')""",
                    [f"X{one.customer_id}", one.customer_id, moment, moment, EVENTS],
                )

    def _utc(self, local: np.datetime64) -> datetime:
        """Naive UTC of a local time, which a simulated company's zone shifts by the same hours all year."""
        moment: datetime = local.astype("datetime64[s]").item()
        opens = midnight(moment.date(), self.zone).astimezone(UTC).replace(tzinfo=None)
        return opens + (moment - datetime.combine(moment.date(), datetime.min.time()))


def _own(tables: Tables) -> Tables:
    """The same tables, none of them a view of files any more: a view could not be changed."""
    con = tables.con
    views = con.execute(
        "select table_name from information_schema.tables where table_schema = 'main' and table_type = 'VIEW'"
    ).fetchall()
    for (name,) in views:
        if name in SHAPES:
            con.execute(f"create table main.{name}_copied as from main.{name}")
            con.execute(f"drop view main.{name}")
            con.execute(f"alter table main.{name}_copied rename to {name}")
    return tables
