"""Simulate and write: ``data/`` for the company, ``truth/`` for whoever asks how well it was understood."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pa_compute
import pyarrow.csv as pa_csv
import pyarrow.parquet as pa_parquet

from churnwatch.errors import UsageError
from churnwatch.synthetic.behaviour import CAUSES, NEVER, SILENT, Doings, live
from churnwatch.synthetic.company import Customers, hire_agents, win_customers
from churnwatch.synthetic.persuasion import ACTIONS, Persuasion, persuade
from churnwatch.synthetic.seasons import DAY, Seasons, Times, plan_seasons
from churnwatch.synthetic.surveys import Nonresponse, nps_chances, survey_numbers
from churnwatch.synthetic.tables import Built, build_tables

SMALLEST = 50
COMPLAINT_COUNTS_FOR = np.timedelta64(120 * DAY, "s")
TYPES = ("complains_and_leaves", "silent_leaver", "leaves_without_a_sign", "complains_and_stays", "steady")


@dataclass(frozen=True)
class Summary:
    """What was written: counts, the first local day and the one after the last, and rows by file of data/."""

    customers: int
    agents: int
    cancellations: int
    start: date
    end: date
    rows: dict[str, int]


@dataclass(frozen=True)
class Company:
    """A simulated company: what its people are and did, and the raw tables and truths made of that."""

    seasons: Seasons
    people: Customers
    doings: Doings
    built: Built
    agents: int

    @property
    def numbers(self) -> list[str]:
        """The id of every customer, in the order of ``people``."""
        return [str(one) for one in self.built.tables["customers.csv"]["customer_no"].slice(0, self.people.size)]

    @property
    def owners(self) -> list[str]:
        """The id of every agent, in their order."""
        return [str(one) for one in self.built.tables["agents.csv"]["agent_no"]]

    def persuasion(self, day: date) -> Persuasion:
        """What every action would change from the morning of ``day`` on: as of the last week over by then.

        Raises ValueError for a day before the first week is over.
        """
        week = (day - self.seasons.start).days // 7 - 1
        if week < 0:
            raise ValueError(f"no week of the simulation is over on {day}")
        return persuade(self.seasons, self.people, self.doings, week=min(week, self.seasons.weeks - 1))


def found(
    *,
    customers: int = 5000,
    seed: int = 1,
    start: date = date(2025, 1, 1),
    months: int = 18,
    nonresponse: Nonresponse = "mild",
    report: Callable[[str, int, int], None] | None = None,
) -> Company:
    """Simulate a company in memory; the arguments and what is raised are those of ``simulate``."""
    if customers < SMALLEST:
        raise UsageError(f"{customers} customers", where="customers", allowed=f"a whole number from {SMALLEST}")
    if months < 1:
        raise UsageError(f"{months} months", where="months", allowed="a whole number from 1")
    last_month = (np.datetime64(start, "M") + np.timedelta64(months, "M")).astype("datetime64[D]")
    days = last_month + np.timedelta64(start.day - 1, "D") - np.datetime64(start, "D")
    seasons = plan_seasons(start, int(days.astype(int)))
    rng = np.random.default_rng(seed)
    agents = hire_agents(rng, seasons, customers)
    people = win_customers(rng, seasons, agents, customers)

    def weeks_done(done: int, total: int) -> None:
        if report is not None:
            report("simulate weeks", done, total)

    doings = live(rng, seasons, agents, people, weeks_done)
    built = build_tables(rng, seasons, agents, people, doings, nonresponse)
    return Company(seasons, people, doings, built, agents.size)


def write(directory: Path, company: Company, *, report: Callable[[str, int, int], None] | None = None) -> Summary:
    """Write ``directory/data`` and ``directory/truth`` of a company; files of the same names are overwritten."""
    built, seasons = company.built, company.seasons
    truth = _truth(seasons, company.people, company.doings, built)
    files = {f"data/{name}": table for name, table in built.tables.items()}
    files |= {f"truth/{name}": table for name, table in truth.items()}
    for done, (name, table) in enumerate(files.items(), start=1):
        write_table(directory / name, table)
        if report is not None:
            report("write files", done, len(files))
    return Summary(
        customers=company.people.size,
        agents=company.agents,
        cancellations=int((~np.isnat(built.cancelled)).sum()),
        start=seasons.start,
        end=seasons.end.astype("datetime64[D]").astype(object),
        rows={name: table.num_rows for name, table in built.tables.items()},
    )


def simulate(
    directory: Path,
    *,
    customers: int = 5000,
    seed: int = 1,
    start: date = date(2025, 1, 1),
    months: int = 18,
    nonresponse: Nonresponse = "mild",
    report: Callable[[str, int, int], None] | None = None,
) -> Summary:
    """Simulate a company and write ``directory/data`` and ``directory/truth``; same arguments, same bytes.

    ``customers`` counts everyone who is or becomes a customer within the period of ``months`` calendar months
    from ``start``. ``nonresponse``: whether a survey is answered hangs on what the company can see, so
    little that the answers hardly mislead (``mild``) or so much that they do (``observed``), or on the ``latent``
    satisfaction. Files of the same names are overwritten. Raises UsageError for a company too small or a
    period too short.
    """
    company = found(customers=customers, seed=seed, start=start, months=months, nonresponse=nonresponse, report=report)
    return write(directory, company, report=report)


def write_table(path: Path, table: pa.Table) -> None:
    """One file, by its ending, and the directory it lies in."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".csv":
        pa_csv.write_csv(table, path, pa_csv.WriteOptions(quoting_style="needed"))
    else:
        pa_parquet.write_table(table, path, compression="zstd", write_page_checksum=True)


def _truth(seasons: Seasons, customers: Customers, doings: Doings, built: Built) -> dict[str, pa.Table]:
    number = built.tables["customers.csv"]["customer_no"].combine_chunks().slice(0, customers.size)
    tickets = built.tables["tickets.csv"]
    return {
        "customers.parquet": _truth_of_customers(seasons, doings, tickets, number, built.cancelled, built.ended),
        "satisfaction.parquet": _truth_of_weeks(seasons, doings, number),
        "effects.parquet": _truth_of_effects(persuade(seasons, customers, doings), number),
        "surveys.parquet": _truth_of_surveys(built.asked, number),
        "nps.parquet": _truth_of_nps(doings, number),
    }


def _truth_of_customers(
    seasons: Seasons, doings: Doings, tickets: pa.Table, number: pa.Array, cancelled: Times, ended: Times
) -> pa.Table:
    """One row per customer; times are local. ``risk_rose_at`` is when the customer last turned."""
    left = ~np.isnat(cancelled)
    complaints = tickets.filter(
        pa_compute.and_(
            pa_compute.equal(tickets["type"], "complaint"), pa_compute.starts_with(tickets["ticket_no"], "K0")
        )
    )
    by = pa_compute.index_in(complaints["customer_no"], number).to_numpy()
    at = complaints["opened"].cast(pa.timestamp("s")).to_numpy().astype("datetime64[s]")
    ever = np.bincount(by, minlength=len(number)) > 0
    in_time = (at < cancelled[by]) & (at >= cancelled[by] - COMPLAINT_COUNTS_FOR)
    lately = np.bincount(by[in_time], minlength=len(number)) > 0
    silent = doings.manner == SILENT
    kind = np.select([left & lately & ~silent, left & silent, left, ever], np.array(TYPES[:4], dtype=object), TYPES[4])
    rose = np.where(doings.turned == NEVER, 0, doings.turned)
    rose_at = seasons.midnight + (rose * 7 * DAY).astype("timedelta64[s]")
    rose_at = np.where(doings.turned == NEVER, np.datetime64("NaT", "s"), rose_at)
    settled = (doings.came_round >= 0) & (doings.came_round >= doings.turned) & (doings.turned < NEVER)
    settled_at = seasons.midnight + (np.maximum(doings.came_round, 0) * 7 * DAY).astype("timedelta64[s]")
    return pa.table(
        {
            "customer_id": number,
            "type": kind,
            "leaves": pa.array(left),
            "silent_leaver": pa.array(left & silent),
            "risk_rose_at": pa.array(rose_at),
            "risk_settled_at": pa.array(np.where(settled, settled_at, np.datetime64("NaT", "s"))),
            "cancelled_at": pa.array(cancelled),
            "ended_at": pa.array(np.where(left, ended, np.datetime64("NaT", "s"))),
            "weighs_most": np.array(CAUSES, dtype=object)[doings.cause[-1]],
        }
    )


def _truth_of_weeks(seasons: Seasons, doings: Doings, number: pa.Array) -> pa.Table:
    """Satisfaction at the end of each week (0 is usual, higher is better) and whether they have turned."""
    customer, week = np.nonzero(~np.isnan(doings.satisfaction.T))
    return pa.table(
        {
            "customer_id": number.take(pa.array(customer)),
            "week": pa.array((seasons.midnight + (week * 7 * DAY).astype("timedelta64[s]")).astype("datetime64[D]")),
            "satisfaction": pa.array(doings.satisfaction[week, customer].astype(np.float32)),
            "turned": pa.array(doings.turned_now[week, customer]),
        }
    )


def _truth_of_effects(persuasion: Persuasion, number: pa.Array) -> pa.Table:
    """Per remaining customer and action: leaving within nine weeks untouched, and what the action adds."""
    actions = len(ACTIONS)
    return pa.table(
        {
            "customer_id": number.take(pa.array(np.repeat(persuasion.customer, actions))),
            "action": np.tile(np.array(ACTIONS, dtype=object), persuasion.customer.size),
            "leaving": pa.array(np.repeat(persuasion.leaving, actions)),
            "effect": pa.array(persuasion.effect.ravel()),
        }
    )


def _truth_of_surveys(asked: dict[str, np.ndarray], number: pa.Array) -> pa.Table:
    """Every survey sent, and the score it would have got, also of those who did not answer; times are local."""
    return pa.table(
        {
            "survey_id": survey_numbers(asked["customer"].size),
            "customer_id": number.take(pa.array(asked["customer"])),
            "instrument": pa.array([name.lower() for name in asked["survey"]]),
            "sent_at": pa.array(asked["sent"]),
            "answered": pa.array(~np.isnat(asked["answered"])),
            "score": pa.array(asked["score"]),
        }
    )


def _truth_of_nps(doings: Doings, number: pa.Array) -> pa.Table:
    """What NPS everybody still there would give, were they asked on the last day: the mean score, and the chances of
    a promoter (9 or 10) and of a detractor (0 to 6).
    """
    there = np.flatnonzero(doings.cancelled < 0)
    chances = nps_chances(np.nan_to_num(doings.satisfaction[-1, there]))
    return pa.table(
        {
            "customer_id": number.take(pa.array(there)),
            "score": pa.array((chances * np.arange(11)).sum(axis=1)),
            "promoter": pa.array(chances[:, 9:].sum(axis=1)),
            "detractor": pa.array(chances[:, :7].sum(axis=1)),
        }
    )
