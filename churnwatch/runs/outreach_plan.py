"""Outreach plan: what holdout share and how long are needed to see which effect, and what holding out costs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from churnwatch.errors import CheckFailed, UsageError
from churnwatch.evaluation import is_rough, smallest_effect
from churnwatch.evaluation.deciles import wilson
from churnwatch.evaluation.power import ALPHA, POWER
from churnwatch.health import BANDS, bands
from churnwatch.learner import Fitted, margins, risk
from churnwatch.outcomes import answers, label, observe, span
from churnwatch.outreach import choose
from churnwatch.runs.candidate import dates_of
from churnwatch.runs.observations import capacities, instants, labelled
from churnwatch.runs.people import people_of, team_of, values_of
from churnwatch.runs.study import fit_on, usable_columns
from churnwatch.runs.workspace import Report, Workspace, as_known_on, load_tables
from churnwatch.signals import build
from churnwatch.spec import Column, Model, civil_day, midnight

if TYPE_CHECKING:
    from churnwatch.sources import Tables

SHARES = (0.05, 0.10, 0.20, 0.30)
EPOCHS = (1, 2, 3, 4)
MOST_EPOCHS = 40
REFRESH = 7
"""Days for which the replay keeps a risk: it is computed anew every week, as the whole company's for every day of an
epoch would be much work for a count."""
AT_ONCE = 400_000
"""Observations whose signals are in memory at a time."""


@dataclass(frozen=True)
class Way:
    """One way to hold out: a ``share`` for so many ``epochs``.

    ``held_out`` and ``treated`` are expected customer-epochs. ``points`` is the least fall of the bad outcome's share
    that is then seen, ``relative`` the same as a share of the base rate; both ``None`` where not even a fall to nothing
    would be seen. ``rough``: an arm expects fewer than five either way, so the formula is a rough one. ``kept``
    is how many of those held out a contact with just that effect would have kept.
    """

    share: float
    epochs: int
    held_out: float
    treated: float
    points: float | None
    relative: float | None
    rough: bool
    kept: float | None


@dataclass(frozen=True)
class OutreachPlan:
    """What past lists say of the units and the base rate, and what each way of holding out would show.

    A unit is a customer-epoch, from the first day on which the list would name the customer. ``units`` are those of
    ``days`` replayed days of an epoch of ``epoch_days``; of ``told`` of them it is known what became, and ``bad`` of
    these had the bad outcome within ``within_days`` and before ``epoch_closes``, the first day after it. ``places`` is
    how many rows all owners together can work in a day (``None`` without owners), ``share`` what outreach.yaml holds
    out.
    """

    deployment: str
    as_of: date
    model: str
    first: date
    last: date
    days: int
    epoch_days: int
    epoch_closes: date
    places: int | None
    units: int
    told: int
    bad: int
    within_days: int
    share: float
    ways: tuple[Way, ...]
    notes: tuple[str, ...]

    @property
    def base_rate(self) -> float:
        """The share of the bad outcome among those a list named."""
        return self.bad / self.told

    def as_json(self) -> dict[str, Any]:
        """The machine-readable object of ``--json``."""
        low, high = wilson(self.base_rate, self.told)
        told = {name: value for name, value in asdict(self).items() if name != "ways"}
        return {
            **told,
            **{name: str(told[name]) for name in ("as_of", "first", "last", "epoch_closes")},
            "notes": list(self.notes),
            "unit": "customer-epoch",
            "base_rate": {"share": self.base_rate, "low": low, "high": high},
            "power": POWER,
            "alpha": ALPHA,
            "ways": [asdict(one) for one in self.ways],
        }


def plan_outreach(
    workspace: Workspace,
    *,
    day: date,
    share: float | None = None,
    epochs: int | None = None,
    report: Report | None = None,
) -> OutreachPlan:
    """Replay past lists as known on ``day``, and say for each share and duration how small an effect would be seen.

    A model is trained on what was known before its first test date, as in ``train``, and lists every day of an epoch
    from there on: by risk times value within the capacities of owners and leads, each listed customer resting
    afterwards as if worked. Nothing is held out in the replay. ``share`` and ``epochs`` are looked at beside the usual
    ones. Raises UsageError for a share or a number of epochs that is none, CheckFailed where the listing model has no
    past days, there is too little to train on, or nobody would have been listed whose outcome is known.
    """
    if share is not None and not 0 < share <= 0.5:
        raise UsageError(
            f"{share:g} is no share to hold out", where="--share", allowed="above 0, up to 0.5", hint="0.1 is a tenth"
        )
    if epochs is not None and not 1 <= epochs <= MOST_EPOCHS:
        allowed = f"a whole number from 1 to {MOST_EPOCHS}"
        raise UsageError(
            f"{epochs} epochs", where="--epochs", allowed=allowed, hint="4 are a year of epochs of 90 days"
        )
    outreach = workspace.spec.outreach
    model = workspace.model(workspace.spec.deployment.listing_model)
    if model.outcome.given is not None or model.at_events:
        raise CheckFailed(
            f"the listing model {model.model} knows no past days on which it would have listed",
            where=f"{model.file}: grid",
            allowed="a calendar grid, such as {every: 30d}",
        )
    load_tables(workspace, report=report)
    past = as_known_on(workspace, day)
    tables = load_tables(past)
    as_ofs, tests, known = dates_of(past, tables, model)
    columns, _ = usable_columns(past, tables, model)
    zone = workspace.spec.deployment.zone
    learned = labelled(tables, model, columns, known, known_before=tests[0], report=report)
    fitted, _ = fit_on(learned, model, when=f"before {civil_day(tests[0], zone)}", report=report)
    end = span(tables, model).end
    epoch = outreach.holdout.epoch.seconds // 86_400
    first = civil_day(tests[0], zone)
    days = min(epoch, (civil_day(end - timedelta(microseconds=1), zone) - first).days + 1)
    units, places = _units(past, tables, model, fitted, columns, first=first, days=days, report=report)
    closes = first + timedelta(days=epoch)
    bad, told = _became(tables, model, units, closes=midnight(closes, zone), end=end)
    if told == 0:
        raise CheckFailed(
            f"of {len(units)} customers whom lists from {first} on would have named, nobody's outcome is known",
            hint="wait for more history, or look at outreach.yaml: minimum_band",
        )
    shares = sorted({*SHARES, outreach.holdout.share or SHARES[0], *([share] if share else [])})
    lengths = sorted({*EPOCHS, *([epochs] if epochs else [])})
    return OutreachPlan(
        deployment=workspace.deployment,
        as_of=day,
        model=model.model,
        first=first,
        last=first + timedelta(days=days - 1),
        days=days,
        epoch_days=epoch,
        epoch_closes=closes,
        places=places,
        units=len(units),
        told=told,
        bad=bad,
        within_days=round(model.reach / 86_400),
        share=outreach.holdout.share,
        ways=tuple(_way(bad / told, len(units), one, length) for length in lengths for one in shares),
        notes=tuple(_notes(days, epoch, len(as_ofs))),
    )


def _way(base: float, units: int, share: float, epochs: int) -> Way:
    held_out, treated = share * units * epochs, (1 - share) * units * epochs
    points = smallest_effect(base, held_out=held_out, treated=treated)
    return Way(
        share=share,
        epochs=epochs,
        held_out=held_out,
        treated=treated,
        points=points,
        relative=None if points is None else points / base,
        rough=is_rough(base, held_out) or is_rough(base - (points or 0.0), treated),
        kept=None if points is None else points * held_out,
    )


def _notes(days: int, epoch: int, dates: int) -> Iterator[str]:
    if days < epoch:
        yield (
            f"only {days} of the {epoch} days of an epoch could be replayed ({dates} dates with known outcomes): an "
            "epoch holds more customers than counted here, so less may be needed than told"
        )
    yield (
        "whoever is listed in several epochs counts in each; their epochs are not independent, so several epochs show "
        "a little less than told"
    )


def _units(
    workspace: Workspace,
    tables: Tables,
    model: Model,
    fitted: Fitted,
    columns: Sequence[Column],
    *,
    first: date,
    days: int,
    report: Report | None,
) -> tuple[pd.DataFrame, int | None]:
    """Whom the lists of these days would have named, each on the first of them (customer_id, as_of: of that week's
    risk), and how many rows a day holds.
    """
    outreach = workspace.spec.outreach
    rest = outreach.cooldown.worked.seconds // 86_400
    weeks = [first + timedelta(days=back) for back in range(0, days, REFRESH)]
    room: Mapping[str, int] | None = None
    # Who was away on a past day nobody knows any more; leads are as they are today.
    leads = team_of(tables, midnight(first, workspace.spec.deployment.zone)).leads
    rested: dict[str, int] = {}
    found: dict[str, Any] = {}
    for week, frame in enumerate(_frames(workspace, tables, model, fitted, columns, weeks, report=report)):
        if report:
            report("replaying", week, len(weeks))
        if frame["owner"].notna().any():
            room = room or capacities(tables, default=outreach.capacity)
        for back in range(week * REFRESH, min((week + 1) * REFRESH, days)):
            cooling = frame["customer_id"].map(rested).fillna(-1).to_numpy() > back
            chosen = choose(
                frame.assign(standing=np.where(cooling, "cooling", "")),
                capacity=room,
                total=outreach.capacity_total,
                leads=leads,
            )
            for customer in chosen.listed["customer_id"]:
                found.setdefault(customer, frame["as_of"].iloc[0])
                rested[customer] = back + rest
    if report:
        report("replaying", len(weeks), len(weeks))
    units = pd.DataFrame(
        {
            "customer_id": pd.Series(list(found), dtype=object),
            "as_of": np.array(list(found.values()), "datetime64[us]"),
        }
    )
    return units, None if room is None else sum(room.values())


def _frames(
    workspace: Workspace,
    tables: Tables,
    model: Model,
    fitted: Fitted,
    columns: Sequence[Column],
    days: Sequence[date],
    *,
    report: Report | None,
) -> Iterator[pd.DataFrame]:
    """Everybody observed on each of these days, as ``choose`` wants them."""
    zone, least = workspace.spec.deployment.zone, BANDS.index(workspace.spec.outreach.minimum_band)
    [(customers,)] = tables.con.execute("select count(*) from customers").fetchall()
    step = max(1, AT_ONCE // max(customers, 1))
    for begin in range(0, len(days), step):
        moments: list[datetime] = [midnight(day, zone) for day in days[begin : begin + step]]
        spine = observe(tables, model, moments)
        matrix = build(tables, columns, spine, report=report)
        margin = margins(fitted, matrix.values)
        risks = risk(fitted.calibration, margin)
        found = bands(risks, base_rate=fitted.base_rate, edges=model.bands)
        frame = spine.assign(risk=risks, worthy=[BANDS.index(band) >= least for band in found])
        for moment, instant in zip(moments, instants(moments), strict=True):
            one = frame[frame["as_of"].to_numpy() == instant]
            people = people_of(tables, moment, consent=workspace.spec.outreach.consent)
            one = one.merge(people, on="customer_id", how="left", validate="one_to_one")
            values = values_of(one)
            yield one.assign(score=one["risk"] if values is None else one["risk"] * values).reset_index(drop=True)


def _became(tables: Tables, model: Model, units: pd.DataFrame, *, closes: datetime, end: datetime) -> tuple[int, int]:
    """(How many of the units had the bad outcome in their epoch, of how many it is known).

    A unit's window opens on its first day, as from then on it is left alone or not: what comes within the gap counts.
    It ends with gap and horizon, or before, when the epoch ``closes``: from then on a customer held out may be listed.
    """
    windows = np.minimum(
        units["as_of"].to_numpy().astype("datetime64[us]") + np.timedelta64(model.reach, "s"), instants([closes])[0]
    )
    past = windows <= instants([end])[0]
    told, ends = units[past].reset_index(drop=True), windows[past]
    if told.empty:
        return 0, 0
    labels = label(tables, model, told, known_before=end)
    known = (labels["told"] | labels["too_late"]).to_numpy()
    if model.outcome.answer is not None:
        at = answers(tables, model, told, known_before=end)["answered_at"].to_numpy()
        known &= at < ends
        bad = labels["outcome"].to_numpy() == 1
    else:
        # The first end however late it came, as one in the gap counts, too; who fell silent left when it was complete.
        bad = labels["ended_at" if model.outcome.event is not None else "left_at"].to_numpy() < ends
    return int((bad & known).sum()), int(known.sum())
