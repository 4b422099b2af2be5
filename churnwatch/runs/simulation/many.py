"""Many companies: the same loop by arrays, without files, ledger and explanations, to know what is chance.

Signals of all days are computed at once and risks in one go; then day after day the same functions as in ``daily``
decide who stands where and who is chosen. What is left out: the further models (``also``), and that recorded contacts
become interactions, which no simulated model has learned from. So a company's first list is that of the real loop
without further models, and later ones are nearly.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from churnwatch.errors import UsageError
from churnwatch.health import BANDS
from churnwatch.outcomes import observe
from churnwatch.outreach import choose, epoch_of, suggest
from churnwatch.project import scaffold
from churnwatch.runs.candidate import candidate
from churnwatch.runs.observations import capacities, instants
from churnwatch.runs.people import people_of, team_of, values_of
from churnwatch.runs.proactive import rules_of, with_proactive
from churnwatch.runs.ranking import Ranking, by_contribution
from churnwatch.runs.score import Scored, bundle_matrix, score_frame
from churnwatch.runs.simulation.checks import Issued, Watch, everybody_of
from churnwatch.runs.simulation.loop import MOST_DAYS, day_of
from churnwatch.runs.simulation.result import DayOf, Simulated
from churnwatch.runs.simulation.world import EVENTS, World
from churnwatch.runs.simulation.worth import Unit, worth
from churnwatch.runs.standing import Past, draw_of, signs_there, standings_of
from churnwatch.runs.workspace import Report, Workspace, open_workspace
from churnwatch.spec import midnight

if TYPE_CHECKING:
    from churnwatch.ledger import Outcome, PastRow
    from churnwatch.registry import Bundle
    from churnwatch.signals import Matrix
    from churnwatch.synthetic import Heard, Team

SMALLEST = 500
"""Customers below which a demo's model has too little to learn from."""


@dataclass(frozen=True)
class Many:
    """The loops of companies that differ in their seed alone."""

    customers: int
    days: int
    results: tuple[Simulated, ...]

    def as_json(self) -> dict[str, Any]:
        """The machine-readable object of ``--json``: means over the companies with 95 % intervals (Student's t).

        A company that lacks a figure (an arm without a unit) is left out of its mean; ``missing`` says how many are.
        """
        told = [_figures(one) for one in self.results]
        known = {name: [found for one in told if (found := one[name]) is not None] for name in told[0]}
        held = [
            one.estimate.low <= one.estimate.truth <= one.estimate.high
            for one in self.results
            if one.estimate.low is not None and one.estimate.high is not None and one.estimate.truth is not None
        ]
        return {
            "seeds": len(self.results),
            "customers": self.customers,
            "days": self.days,
            "means": {name: _mean(values) for name, values in known.items()},
            "missing": {name: len(told) - len(values) for name, values in known.items() if len(values) < len(told)},
            "estimates": len(held),
            "estimates_that_hold_the_truth": sum(held),
            "broken": [f"seed {one.seed}, {what}" for one in self.results for what in one.broken],
            "companies": [{"seed": one.seed, **figures} for one, figures in zip(self.results, told, strict=True)],
        }


def many(seeds: int, *, first: int, days: int, customers: int, now: datetime, report: Report | None = None) -> Many:
    """The loop of ``seeds`` companies, from seed ``first`` on, each trained on what was known on its first day.

    Raises UsageError for numbers that cannot be, CheckFailed where a company has too little to train on.
    """
    if customers < SMALLEST:
        raise UsageError(f"{customers} customers", where="--customers", allowed=f"a whole number from {SMALLEST}")
    if not 1 <= days <= MOST_DAYS:
        raise UsageError(f"{days} days", where="--days", allowed=f"a whole number from 1 to {MOST_DAYS}")
    done = []
    for place in range(seeds):
        if report:
            report("companies", place, seeds)
        with tempfile.TemporaryDirectory() as directory:
            done.append(
                arrays(Path(directory) / "company", seed=first + place, days=days, customers=customers, now=now)
            )
    if report:
        report("companies", seeds, seeds)
    return Many(customers, days, tuple(done))


def arrays(directory: Path, *, seed: int, days: int, customers: int, now: datetime) -> Simulated:
    """The loop of one company by arrays; its data are written into ``directory``, which is a project or becomes one."""
    from churnwatch.synthetic import Team, found, write

    if not directory.exists():
        scaffold.init(directory)
    company = found(customers=customers, seed=seed)
    end = write(directory, company).end
    calendar = [end - timedelta(days=back) for back in range(days, 0, -1)]
    workspace = open_workspace(directory, deployment="demo", data=None, now=now)
    team = Team(company, seed)
    world = World(workspace, team, days=calendar)
    past = world.at(calendar[0], timedelta(0))
    model = past.model(past.spec.deployment.listing_model)
    bundle = candidate(past, past.kept["tables"], model).bundle
    loop = _Loop(world, team, bundle, _all_days(world, bundle, calendar))
    for day in calendar:
        loop.run(day)
    return worth(workspace, team, loop.days, loop.units, version="candidate")


def _all_days(world: World, bundle: Bundle, calendar: Sequence[date]) -> Scored:
    """Everybody who could be observed on any of the days, with risk.

    Cancellations of these days are left out: who has cancelled is taken from the truth, which the contacts change.
    """
    moments = [midnight(day, world.zone) for day in calendar]
    opens = instants(moments[:1])[0]
    world.tables.con.execute("delete from interactions where kind = ? and known_at >= ?", [EVENTS, opens.item()])
    spine = observe(world.tables, bundle.model, moments, to_score=True)
    matrix = bundle_matrix(world.tables, bundle, spine)
    frame = score_frame(bundle, matrix, version="candidate")
    return Scored(frame, matrix, bundle, "candidate", moments[-1], ())


@dataclass
class _Loop:
    world: World
    team: Team
    bundle: Bundle
    scored: Scored
    days: list[DayOf] = field(default_factory=list)
    units: list[Unit] = field(default_factory=list)
    rows: dict[str, PastRow] = field(default_factory=dict)
    outcomes: dict[str, list[Outcome]] = field(default_factory=dict)
    arms: dict[str, str] = field(default_factory=dict)
    decided: Counter[tuple[str, str]] = field(default_factory=Counter)
    epoch: date = date.min
    listed: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.workspace: Workspace = self.world.workspace
        self.outreach = self.workspace.spec.outreach
        self.watch = Watch(self.outreach)
        self.capacity = capacities(self.world.tables, default=self.outreach.capacity)
        least = BANDS.index(self.outreach.minimum_band)
        self.worthy = np.array([BANDS.index(band) >= least for band in self.scored.frame["band"]])
        self.instants = self.scored.frame["as_of"].to_numpy().astype("datetime64[us]")
        place = [self.team.row_of(one) for one in self.scored.frame["customer_id"]]
        self.place = np.array(place, dtype=np.int64)
        self.rules, _ = rules_of(self.workspace, self.world.tables, self.scored.frame, self.scored.matrix)

    def run(self, day: date) -> None:
        """One day: who stands where, who is chosen, what comes of it."""
        self.world.opens(day)
        as_of = midnight(day, self.world.zone)
        there = ~(self.team.cancelled[self.place] < np.datetime64(day, "s"))
        mine = np.flatnonzero((self.instants == instants([as_of])[0]) & there)
        ranking = self._ranking(mine, as_of)
        people = people_of(self.world.tables, as_of, consent=self.outreach.consent)
        frame = ranking.frame.merge(people, on="customer_id", how="left", validate="one_to_one")
        values = values_of(frame)
        frame["score"] = frame["risk"] if values is None else frame["risk"] * values
        frame["position"] = np.arange(len(frame))
        rules = [replace(one, values=one.values[mine]) for one in self.rules]
        if rules:
            frame = with_proactive(frame, rules, values)
        past = self._past(day)
        stands = standings_of(frame, past, ranking, self.outreach, day=day)
        team = team_of(self.world.tables, as_of)
        choice = choose(
            frame.assign(standing=stands.standing, arm=stands.arm, vetoed=stands.vetoed),
            capacity=self.capacity,
            total=self.outreach.capacity_total,
            also_share=self.outreach.also_share,
            proactive_share=self.outreach.proactive_share,
            stands_in=team.stands_in,
            leads=team.leads,
            draw=draw_of(self.workspace, past),
        )
        arms = dict(self.arms)
        self._decide(day, choice.drawn)
        rows = self._rows(choice.listed, ranking, rules, stands.early)
        issued = Issued(
            day,
            rows,
            {name: getattr(choice.counts, name) for name in choice.counts.__dataclass_fields__},
            None,
            self.scored.version,
            everybody_of(ranking.frame, self.world.tables, as_of, self.outreach),
            arms,
            {who: arm for who, arm in self.arms.items() if who not in arms},
            self.capacity,
            frozenset(self.world.away_on(day)),
        )
        broken = self.watch.broken(issued)
        heard = self.team.work(day, [(row["customer_id"], row["owner"], row["action_name"]) for row in rows])
        self.watch.remember(issued)
        self.watch.learn(day, heard)
        decided = {"decided": len(choice.drawn), "decided_out": int((choice.drawn["arm"] == "held_out").sum())}
        self.days.append(day_of(issued, heard, decided, self.listed, broken))
        self._remember(day, rows, heard)

    def _ranking(self, mine: np.ndarray[Any, Any], as_of: datetime) -> Ranking:
        matrix: Matrix = self.scored.matrix.take(mine)
        frame = self.scored.frame.iloc[mine].reset_index(drop=True)
        scored = replace(self.scored, frame=frame, matrix=matrix, as_of=as_of)
        return Ranking(
            frame.assign(score=frame["margin"], worthy=self.worthy[mine]),
            self.scored.version,
            None,
            as_of,
            (),
            lambda positions, languages: by_contribution(self.workspace, scored, positions, languages),
            matrix,
            self.bundle,
        )

    def _past(self, day: date) -> Past:
        from churnwatch.ledger import Seen

        epoch = epoch_of(day, length=int(self.outreach.holdout.epoch.days))
        if epoch != self.epoch:
            self.epoch, self.arms, self.decided = epoch, {}, Counter()
        back = 2 * int(max(self.outreach.cooldown.worked.days, self.outreach.cooldown.ignored.days))
        since = day - timedelta(days=back)
        rows = {who: row for who, row in self.rows.items() if row.as_of >= since}
        return Past(rows, self.outcomes, self.arms, self.decided, frozenset(), Seen(0, 0), epoch)

    def _decide(self, day: date, drawn: pd.DataFrame) -> None:
        closes = self.epoch + timedelta(days=int(self.outreach.holdout.epoch.days))
        for one in drawn.itertuples():
            self.arms[one.customer_id] = one.arm
            self.decided[one.owner, one.band] += 1
            stood = self.team.cancelled[self.team.row_of(one.customer_id)]
            self.units.append(Unit(one.customer_id, one.arm, day, closes, stood))

    def _rows(
        self, listed: pd.DataFrame, ranking: Ranking, rules: Sequence[Any], early: Mapping[str, Any]
    ) -> list[dict[str, Any]]:
        """What the loop and its checks want of each row, as the ledger would keep it."""
        spec = self.workspace.spec
        why = ranking.reasons(listed["position"].to_numpy(dtype=np.int64), ["en"] * len(listed))
        rows = []
        there = signs_there(ranking, listed["position"].to_numpy(dtype=np.int64), why)
        for record, told, signs in zip(listed.to_dict("records"), (one.reasons for one in why), there, strict=True):
            rule = rules[int(record["proactive_rule"])] if record["for_proactive"] else None
            came = early.get(record["customer_id"])
            action = suggest(
                [(one.sentence, one.action) for one in told],
                default=spec.outreach.default_action,
                actions=spec.playbook.actions,
                language="en",
            ).name
            rows.append(
                {
                    "customer_id": record["customer_id"],
                    "owner": record["recipient"],
                    "risk": record["risk"],
                    "band": record["band"],
                    "listed_for": self.bundle.model.model,
                    "reasons": tuple(one.sentence for one in told) if rule is None else (),
                    "signs": signs,
                    "action_name": rule.says.action if rule else action,
                    "proactive": rule.name if rule else "",
                    "handed": record["handed"],
                    "back_early": None if came is None else came.sentence("en", told),
                }
            )
        return rows

    def _remember(self, day: date, rows: Sequence[Mapping[str, Any]], heard: Sequence[Heard]) -> None:
        from churnwatch.ledger import Outcome, PastRow

        number = day.toordinal()
        known = midnight(day, self.world.zone) + timedelta(hours=17)
        for row, one in zip(rows, heard, strict=True):
            who = row["customer_id"]
            self.listed.add(who)
            self.rows[who] = PastRow(
                list_id=number,
                as_of=day,
                customer_id=who,
                model_version=self.scored.version,
                **{
                    name: row[name]
                    for name in ("listed_for", "owner", "risk", "band", "signs", "action_name", "proactive")
                },
            )
            if not one.words:
                continue
            came = self.outcomes.setdefault(who, [])
            came.append(
                Outcome(
                    deployment=self.workspace.deployment,
                    customer_id=who,
                    list_id=number,
                    list_day=day,
                    day=day,
                    at=known,
                    known_at=known,
                    words=one.words,
                    snooze_until=one.snooze_until,
                    by="simulation",
                    source="",
                    line=0,
                    outcome_id=sum(len(some) for some in self.outcomes.values()),
                )
            )


def _figures(one: Simulated) -> dict[str, float | None]:
    """What is averaged over companies; ``None``: this company cannot tell."""
    estimated, true = one.estimate.difference, one.estimate.truth
    found = {
        "rows": one.total("listed"),
        "worked": one.total("worked"),
        "repeat_rate": one.repeat_rate,
        "back_early": one.total("back_early"),
        "would_have_cancelled": one.leavers_without,
        "kept": one.kept,
        "lost": one.lost,
        "value_saved": one.value_saved,
        "held_out_share": one.held_out_share[0] if one.held_out_share else None,
        "effect_estimated": estimated,
        "effect_true": true,
        "estimate_minus_truth": None if estimated is None or true is None else estimated - true,
    }
    return {name: None if value is None else float(value) for name, value in found.items()}


def _mean(values: Sequence[float]) -> dict[str, float | None]:
    """The mean with its interval; no interval of one value, and nothing of none."""
    from scipy.stats import t

    n = len(values)
    if n == 0:
        return {"mean": None, "low": None, "high": None}
    mean = float(np.mean(values))
    if n == 1:
        return {"mean": mean, "low": None, "high": None}
    half = float(t.ppf(0.975, n - 1) * np.std(values, ddof=1) / np.sqrt(n))
    return {"mean": mean, "low": mean - half, "high": mean + half}
