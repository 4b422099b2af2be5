"""The loop: each day's list by the real ``daily``, worked by simulated agents, handed back by the real import."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from churnwatch.errors import CheckFailed, UsageError
from churnwatch.runs.daily import daily
from churnwatch.runs.demo import prepare, write_mark
from churnwatch.runs.handback import import_outcomes
from churnwatch.runs.observations import capacities
from churnwatch.runs.simulation.checks import Issued, Watch, everybody_of
from churnwatch.runs.simulation.result import DayOf, Simulated
from churnwatch.runs.simulation.world import HANDED_BACK_AT, LIST_AT, World
from churnwatch.runs.simulation.worth import Unit, worth
from churnwatch.runs.train import train
from churnwatch.runs.workspace import Report, Workspace, ledger, load_tables, open_workspace
from churnwatch.spec import midnight

if TYPE_CHECKING:
    from churnwatch.synthetic import Heard, Team

MOST_DAYS = 180
"""The company is simulated for a year and a half; the model needs a year before the first list."""
FOLDER = "simulation"


def simulate(
    directory: Path,
    *,
    days: int,
    customers: int,
    seed: int,
    now: datetime,
    by: str,
    report: Report | None = None,
) -> Simulated:
    """Simulate a company, train on what was known ``days`` days before its last, and run the loop from there on.

    Every day: the agents' absences, the list by ``daily`` at six in the morning, contacts by the truth, and their
    outcomes handed back at five in the afternoon by ``outcomes import``. ``directory`` then is an ordinary project
    whose data are those of the company after all these contacts; ``simulation/`` in it holds ``days.csv``,
    ``report.json`` and the files handed back. Nothing is raised where a day breaks a rule: look at ``broken`` of the
    result. Raises UsageError for a directory in which lists were made before or that holds another project,
    CheckFailed where no model passed the gate.
    """
    import json

    from churnwatch.synthetic import SMALLEST, Team, found, write

    if customers < SMALLEST:
        raise UsageError(f"{customers} customers", where="--customers", allowed=f"a whole number from {SMALLEST}")
    if not 1 <= days <= MOST_DAYS:
        raise UsageError(f"{days} days", where="--days", allowed=f"a whole number from 1 to {MOST_DAYS}")
    if (directory / "state" / "demo").exists():
        raise UsageError(
            f"{directory} holds the lists of an earlier run",
            where="--dir",
            allowed="a new or empty directory: what was listed before would be taken for this company's past",
            hint="name another directory, or remove this one",
        )
    prepare(directory)
    write_mark(directory, customers=customers, seed=seed, days=days)
    company = found(customers=customers, seed=seed, report=report)
    summary = write(directory, company, report=report)
    calendar = [summary.end - timedelta(days=back) for back in range(days, 0, -1)]
    workspace = open_workspace(directory, deployment="demo", data=None, now=now)
    team = Team(company, seed)
    world = World(workspace, team, days=calendar)
    version = _trained(world.at(calendar[0], timedelta(0)), by=by, report=report)
    loop = _Loop(world, team, Watch(workspace.spec.outreach), directory / FOLDER, by)
    for place, day in enumerate(calendar):
        if report:
            report("days", place, days)
        loop.run(day)
    if report:
        report("days", days, days)
    _write_after(directory, world, calendar[-1])
    told = worth(workspace, team, loop.days, loop.units, version=version)
    (directory / FOLDER / "days.csv").write_bytes(told.days_csv())
    (directory / FOLDER / "report.json").write_text(json.dumps(told.as_json(), indent=1) + "\n")
    return told


def _trained(workspace: Workspace, *, by: str, report: Report | None) -> str:
    """The champion of the listing model, and those of the further ones where there is enough to train on."""
    deployment = workspace.spec.deployment
    trained = train(workspace, deployment.listing_model, by=by, report=report)
    if trained.champion is None:
        raise CheckFailed(
            "no model passed the gate on what was known on the first day:\n" + trained.verdict.plainly,
            hint="simulate a larger company: --customers 5000",
        )
    for name in deployment.also:
        with suppress(CheckFailed):
            train(workspace, name, by=by, report=report)
    return trained.champion


@dataclass
class _Loop:
    world: World
    team: Team
    watch: Watch
    folder: Path
    by: str
    days: list[DayOf] = field(default_factory=list)
    listed: set[str] = field(default_factory=set)
    units: list[Unit] = field(default_factory=list)

    def run(self, day: date) -> None:
        """One day, from the absences to what was handed back."""
        self.world.opens(day)
        morning = self.world.at(day, LIST_AT)
        made = daily(morning, day=day)
        issued, decided = self._issued(morning, day, made.summary["counts"], made.directory)
        broken = self.watch.broken(issued)
        heard = self.team.work(day, [(row["customer_id"], row["owner"], row["action_name"]) for row in issued.rows])
        handed = self._handed_back(day, made.directory, heard)
        import_outcomes(self.world.at(day, HANDED_BACK_AT), handed, by=self.by)
        self.watch.remember(issued)
        self.watch.learn(day, heard)
        self.world.changed(heard)
        self.days.append(day_of(issued, heard, decided, self.listed, broken))
        self.listed |= {row["customer_id"] for row in issued.rows}

    def _issued(
        self, workspace: Workspace, day: date, counts: Mapping[str, int], directory: Path
    ) -> tuple[Issued, Mapping[str, int]]:
        import pyarrow.parquet as pq

        from churnwatch.ledger import assignments, latest_list
        from churnwatch.outreach import epoch_of

        outreach, name = workspace.spec.outreach, workspace.deployment
        epoch = epoch_of(day, length=int(outreach.holdout.epoch.days))
        with ledger(workspace) as engine:
            found = latest_list(engine, deployment=name, as_of=day)
            arms = assignments(engine, deployment=name, epoch=epoch)
        assert found is not None
        closes = epoch + timedelta(days=int(outreach.holdout.epoch.days))
        cancelled, place = self.team.cancelled, self.team.row_of
        today = [
            Unit(one.customer_id, one.arm, day, closes, cancelled[place(one.customer_id)])
            for one in arms
            if one.decided_on == day
        ]
        self.units += today
        scores = pq.read_table(directory / "scores.parquet").to_pandas()
        opens = midnight(day, self.world.zone)
        issued = Issued(
            day,
            found.rows,
            counts,
            directory,
            found.model_version,
            everybody_of(scores, load_tables(workspace), opens, outreach, also=workspace.spec.deployment.also),
            {one.customer_id: one.arm for one in arms if one.decided_on < day},
            {one.customer_id: one.arm for one in arms if one.decided_on == day},
            capacities(self.world.tables, default=outreach.capacity),
            frozenset(self.world.away_on(day)),
        )
        return issued, {"decided": len(today), "decided_out": sum(one.arm == "held_out" for one in today)}

    def _handed_back(self, day: date, directory: Path, heard: Sequence[Heard]) -> Path:
        """The day's own file with its two columns filled in, in the words of each agent's language."""
        from churnwatch.delivery.outcome_words import word

        came = {one.customer_id: one for one in heard}
        languages = dict(self.world.tables.con.execute("select owner, language from agents").fetchall())
        rows = list(csv.DictReader(io.StringIO((directory / "outreach.csv").read_text(encoding="utf-8"))))
        path = self.folder / "handed_back" / f"{day}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        for row in rows:
            one = came[row["customer"]]
            language = languages[row["owner"]]
            row["outcome"] = "; ".join(
                word(key, language=language, until=one.snooze_until if key == "snooze" else None) for key in one.words
            )
            row["flag_wrong_reason"] = one.why
        with path.open("w", encoding="utf-8", newline="") as out:
            writer = csv.DictWriter(out, list(rows[0]) if rows else ["customer", "outcome"])
            writer.writeheader()
            writer.writerows(rows)
        return path


def day_of(
    issued: Issued,
    heard: Sequence[Heard],
    decided: Mapping[str, int],
    listed: set[str],
    broken: Sequence[str],
) -> DayOf:
    """The numbers of a day; ``listed`` are those whom earlier lists of the simulation named."""
    counts: dict[str, Any] = dict(issued.counts)
    ignored = sum(not one.words for one in heard)
    unreached = sum("not_reached" in one.words for one in heard)
    return DayOf(
        day=issued.day,
        **counts,
        **decided,
        repeats=sum(row["customer_id"] in listed for row in issued.rows),
        back_early=sum(bool(row["back_early"]) for row in issued.rows),
        proactive=sum(bool(row["proactive"]) for row in issued.rows),
        handed=sum(bool(row["handed"]) for row in issued.rows),
        away=len(issued.away),
        worked=len(heard) - ignored,
        reached=len(heard) - ignored - unreached,
        not_reached=unreached,
        ignored=ignored,
        kept=sum(one.kept for one in heard),
        lost=sum(one.lost for one in heard),
        broken=tuple(broken),
    )


def _write_after(directory: Path, world: World, day: date) -> None:
    """The data files as the company's systems would export them after all contacts, in place of those simulated; the
    absences are those of ``day``.
    """
    from churnwatch.synthetic import after, write_table

    for name, table in after(world.team, world.away_on(day)).items():
        write_table(directory / "data" / name, table)
