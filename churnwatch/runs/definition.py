"""What a model calls leaving, measured: pauses, base rates, who comes back, and the n that past pauses propose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa

from churnwatch.errors import UsageError
from churnwatch.evaluation.pauses import SHARES, CalledGone, Pauses, called_gone, proposed_days
from churnwatch.outcomes import any_unanswered, grid, label, observe, span
from churnwatch.runs.workspace import Report, Workspace, load_tables
from churnwatch.spec import Duration, Model, civil_day, where_sql

if TYPE_CHECKING:
    from churnwatch.sources import Tables

DAYS = range(30, 181, 10)
"""The n tried for inactivity."""
HORIZONS = (30, 60, 90)
SETTLING = 30
"""Days after an end event in which bills, refunds and surveys still follow: what comes in them is no return (our
choice).
"""
DAY = 86_400_000_000
"""Microseconds."""
Numbers = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class Silences:
    """Inactivity: pauses between events and from how many customers, what each n would mean, the proposed n.

    ``steps`` are over the same ``as_ofs`` as-ofs; ``later`` the median days seen after n = ``later_at``.
    """

    pauses: Pauses
    customers: int
    steps: Sequence[CalledGone]
    as_ofs: int
    later: float | None
    later_at: int | None
    file_days: float
    proposed: int | None


@dataclass(frozen=True)
class Leavers:
    """An end event: base rate by horizon over ``as_ofs`` as-ofs, leavers per civil month, and who came back.

    Of ``leavers`` customers with the event, ``twice`` had it on more than one civil day. ``later`` of them are in the
    data for longer than 30 days after their first one; ``returned`` of those had another interaction then.
    ``restarted`` have a start after it.
    """

    horizons: Sequence[Mapping[str, Any]]
    as_ofs: int
    months: Sequence[tuple[str, int]]
    partly: str | None
    leavers: int
    twice: int
    later: int
    returned: int
    restarted: int


@dataclass(frozen=True)
class Defined:
    """A model's outcome, in words per language and in numbers; ``measured`` None where the outcome is ``given``."""

    model: Model
    deployment: str
    words: Mapping[str, str]
    end: datetime
    as_ofs: int
    observed: int
    bad: int
    too_late: int
    unanswered: int
    """Observations without an answer; of an outcome ``answer`` only."""
    only_answers: bool
    """Whether the source lists answers only: whatever is unanswered will be answered one day."""
    measured: Silences | Leavers | None
    picture: Path | None

    @property
    def base_rate(self) -> float | None:
        """The share with the outcome, of the complete observations in time."""
        return self.bad / self.observed if self.observed else None

    def as_json(self) -> dict[str, Any]:
        """The machine-readable object of ``label --json``."""
        told: dict[str, Any] = {
            "model": self.model.model,
            "deployment": self.deployment,
            "definition": dict(self.words),
            "complete_until": self.end.isoformat(),
            "as_ofs": self.as_ofs,
            "observations": self.observed,
            "outcomes": self.bad,
            "base_rate": self.base_rate,
            "too_late": self.too_late,
            "unanswered": self.unanswered,
            "only_answers": self.only_answers,
            "picture": str(self.picture) if self.picture else None,
        }
        if isinstance(self.measured, Silences):
            told["inactivity"] = _silences_json(self.measured)
        elif isinstance(self.measured, Leavers):
            told["event"] = {
                key: getattr(self.measured, key)
                for key in ("as_ofs", "leavers", "twice", "later", "returned", "restarted")
            } | {
                "horizons": [dict(one) for one in self.measured.horizons],
                "leavers_per_month": dict(self.measured.months),
            }
        return told


def _silences_json(found: Silences) -> dict[str, Any]:
    return {
        "pauses": len(found.pauses.closed),
        "open": len(found.pauses.open),
        "customers": found.customers,
        "percentiles": {f"{share:g}": found.pauses.percentile(share) for share in SHARES},
        "censored_percentiles": {f"{share:g}": found.pauses.censored_percentile(share) for share in SHARES},
        "as_ofs": found.as_ofs,
        "by_days": [
            {
                "days": one.days,
                "observed": one.observed,
                "gone": one.gone,
                "base_rate": one.base_rate,
                "seen_later": one.later,
                "returned": one.returned,
                "returning": one.returning,
            }
            for one in found.steps
        ],
        "file_days": found.file_days,
        "proposed_days": found.proposed,
    }


def define(
    workspace: Workspace, name: str, *, out: Path | None = None, language: str = "en", report: Report | None = None
) -> Defined:
    """The outcome of the model ``name``, measured on all data up to their end, and its picture in ``out``.

    Left out, the picture goes to ``out/<deployment>/label/NAME.png``; a ``given`` outcome has nothing to draw. Nothing
    that happened or became known at the data end or later is read, but for late answers to surveys whose time was over
    by then. Raises UsageError for a picture of another kind,
    ProjectError for an unknown model, DataRefused where no row is such an outcome.
    """
    from churnwatch.delivery import replace_file
    from churnwatch.delivery.definition_words import definition

    model = workspace.model(name)
    path = out if out is not None else workspace.out / "label" / f"{name}.png"
    if path.suffix not in (".png", ".svg") or path.is_dir():
        raise UsageError(f"{path} is no picture", where="--out", allowed="a file whose name ends in .png or .svg")
    if out is not None and model.outcome.given is not None:
        raise UsageError(
            f"the outcome of {name} is given by a column: there are no times to draw",
            where="--out",
            hint="leave it out",
        )
    tables = load_tables(workspace, report=report)
    zone = workspace.spec.deployment.zone
    end = known_end(tables, model, now=workspace.now)
    as_ofs = grid(model, zone=zone, span=span(tables, model), complete_by=end)
    labels = label(
        tables, model, observe(tables, model, as_ofs), known_before=_labels_known(model, end, now=workspace.now)
    )
    late = labels["too_late"].to_numpy()
    measured: Silences | Leavers | None = None
    if model.outcome.inactive is not None:
        measured = silences(tables, model, end=end)
    elif model.outcome.event is not None:
        measured = leavers(tables, model, end=end)
    picture = _picture(model, measured, language, path.suffix[1:])
    if picture is not None:
        replace_file(path, picture)
    last = end if model.outcome.given is not None else end - timedelta(microseconds=1)
    return Defined(
        model=model,
        deployment=workspace.deployment,
        words={one: definition(model, language=one, end=civil_day(last, zone)) for one in ("en", "id")},
        end=end,
        as_ofs=len(as_ofs),
        observed=int(labels["told"].sum()),
        bad=int(labels.loc[labels["told"], "outcome"].sum()),
        too_late=int(late.sum()),
        unanswered=int((~late & ~labels["told"] & ~labels["treated"]).sum()),
        only_answers=model.outcome.answer is not None and not any_unanswered(tables, model),
        measured=measured,
        picture=path if picture is not None else None,
    )


def known_end(tables: Tables, model: Model, *, now: datetime) -> datetime:
    """Until when outcomes are read: the data end of what feeds them, and not after ``now``."""
    return min(span(tables, model).end, now)


def _labels_known(model: Model, end: datetime, *, now: datetime) -> datetime:
    # The answer to a survey is known from a time of its own: it counts once it is there, as in training.
    if model.at_events:
        return now
    # A given outcome is taken as it stands; its one as-of is the data's end itself.
    return end + timedelta(days=1) if model.outcome.given is not None else end


def silences(tables: Tables, model: Model, *, end: datetime) -> Silences:
    """The pauses between events of the outcome's kind, and what each n of 30 to 180 days would call gone.

    Beside every tenth n stand the file's and the proposed one. All are measured on the same observations: those of the
    model's grid whose longest n is complete by ``end``; where not even the first as-of's is, the longest are left out.
    """
    assert model.outcome.for_ is not None
    pauses, customers = _pauses(tables, model, end)
    within = span(tables, model)
    as_ofs = grid(model, zone=tables.zone, span=within, complete_by=end)
    proposed = proposed_days(pauses)
    named = {int(n) for n in (model.outcome.for_.days, proposed or 0) if n in range(1, DAYS[-1] + 1)}
    longest = (end - as_ofs[0]) - timedelta(seconds=model.gap.seconds) if as_ofs else timedelta()
    shown = [n for n in sorted({*DAYS} | named) if timedelta(days=n) <= longest]
    steps: list[CalledGone] = []
    together: list[datetime] = []
    later = None
    if shown:
        reach = timedelta(seconds=model.gap.seconds, days=shown[-1])
        together = [as_of for as_of in as_ofs if as_of + reach <= end]
        wait, seen = waits(tables, model, observe(tables, model, together), end=end)
        steps = [called_gone(wait, seen, days=n) for n in shown]
        after = seen - shown[-1]
        later = float(np.median(after[(after > 0) & ~(wait < shown[-1])])) if steps[-1].later else None
    return Silences(
        pauses=pauses,
        customers=customers,
        steps=steps,
        as_ofs=len(together),
        later=later,
        later_at=shown[-1] if shown else None,
        file_days=model.outcome.for_.days,
        proposed=proposed,
    )


def _pauses(tables: Tables, model: Model, end: datetime) -> tuple[Pauses, int]:
    """Pauses before ``end`` in days, and the customers they are of; two events on one civil day are no pause."""
    found = tables.con.sql(
        f"""with those as (
            select distinct customer_id, "at", {_local(tables, '"at"')}::date as day from interactions
            where {where_sql(model.outcome.where)} and {_before(end)}
        ), steps as (
            select customer_id, "at", day,
                lead("at") over following as next_at, lead(day) over following as next_day
            from those window following as (partition by customer_id order by "at")
        )
        select customer_id, epoch_us(coalesce(next_at, timestamp '{_naive(end)}')) - epoch_us("at") as length,
            next_at is null as open
        from steps where next_day is null or next_day <> day order by length, customer_id"""
    ).to_arrow_table()
    days = found["length"].to_numpy() / DAY
    still = found["open"].to_numpy(zero_copy_only=False).astype(bool)
    return Pauses(days[~still], days[still]), len(found["customer_id"].unique())


def waits(tables: Tables, model: Model, observations: pd.DataFrame, *, end: datetime) -> tuple[Numbers, Numbers]:
    """Days from the opening of each observation's outcome window (as-of + gap) to the next event, and to ``end``.

    The first is NaN where no event comes before ``end``; both (n,) in the order of ``observations``.
    """
    opening = observations["as_of"].to_numpy() + np.timedelta64(model.gap.seconds, "s")
    tables.con.register(
        "opened",
        pa.table(
            {
                "place": pa.array(range(len(observations)), pa.int64()),
                "customer_id": pa.array(observations["customer_id"].to_list(), pa.string()),
                "opening": pa.array(opening, pa.timestamp("us")),
            }
        ),
    )
    found = tables.con.sql(
        f"""select epoch_us(those."at") - epoch_us(opened.opening) as wait
        from opened asof left join (
            select customer_id, "at" from interactions where {where_sql(model.outcome.where)} and {_before(end)}
        ) as those on those.customer_id = opened.customer_id and opened.opening <= those."at"
        order by opened.place"""
    ).to_arrow_table()
    tables.con.unregister("opened")
    wait = found["wait"].to_numpy(zero_copy_only=False).astype(np.float64) / DAY
    seen = (np.datetime64(_naive(end)) - opening) / np.timedelta64(1, "us") / DAY
    return wait, seen


def leavers(tables: Tables, model: Model, *, end: datetime) -> Leavers:
    """Base rate by horizon, leavers per month and who came back, of an outcome that is an event.

    The horizons are 30, 60, 90 days and those of the file, all on the as-ofs whose longest is complete by ``end``.
    """
    assert model.horizon is not None
    as_ofs = grid(model, zone=tables.zone, span=span(tables, model), complete_by=end)
    named = {one.seconds for one in (model.horizon, *model.horizons)}
    lengths = sorted(named | {Duration(f"{days}d").seconds for days in HORIZONS})
    lengths = [one for one in lengths if as_ofs and as_ofs[0] + timedelta(seconds=model.gap.seconds + one) <= end]
    horizons = []
    together: list[datetime] = []
    if lengths:
        reach = timedelta(seconds=model.gap.seconds + lengths[-1])
        together = [as_of for as_of in as_ofs if as_of + reach <= end]
        observations = observe(tables, model, together)
        for length in lengths:
            asked = model.model_copy(update={"horizon": Duration(f"{length // 3600}h")})
            labels = label(tables, asked, observations, known_before=end)
            in_time = labels["told"].to_numpy()
            left = int(labels.loc[in_time, "outcome"].sum())
            horizons.append(
                {
                    "days": length / 86_400,
                    "observed": int(in_time.sum()),
                    "left": left,
                    "base_rate": left / int(in_time.sum()) if in_time.any() else None,
                }
            )
    return Leavers(horizons=horizons, as_ofs=len(together), **_left(tables, model, end))


def _left(tables: Tables, model: Model, end: datetime) -> dict[str, Any]:
    """Leavers by the civil month of their first end event, and what followed it."""
    where, before = where_sql(model.outcome.where), _before(end)
    first = f"""select customer_id, min("at") as left_at, count(distinct {_local(tables, '"at"')}::date) as days
        from interactions where {where} and {before} group by customer_id"""
    months = tables.con.sql(
        f"""select strftime({_local(tables, "left_at")}, '%Y-%m') as month, count(*)
        from ({first}) group by month order by month"""
    ).fetchall()
    settled = f"left_at + interval {SETTLING} day"
    [(count, twice, later, returned, restarted)] = tables.con.sql(
        f"""select count(*), count(*) filter (days > 1), count(*) filter ({settled} < timestamp '{_naive(end)}'),
            count(*) filter (exists (
                select 1 from interactions as e where e.customer_id = gone.customer_id and e."at" > gone.{settled}
                and e."at" < timestamp '{_naive(end)}' and e.known_at < timestamp '{_naive(end)}' and not {where}
            )),
            count(*) filter (exists (
                select 1 from customers as c where c.customer_id = gone.customer_id and c.started_at > gone.left_at
                and c.started_at < timestamp '{_naive(end)}'
            ))
        from ({first}) as gone"""
    ).fetchall()
    last = civil_day(end - timedelta(microseconds=1), tables.zone)
    whole = civil_day(end, tables.zone).month != last.month
    return {
        "months": [(str(month), int(number)) for month, number in _every_month(months)],
        "partly": None if whole else f"{last:%Y-%m}",
        "leavers": count,
        "twice": twice,
        "later": later,
        "returned": returned,
        "restarted": restarted,
    }


def _every_month(months: Sequence[tuple[str, int]]) -> list[tuple[str, int]]:
    """The months from the first to the last, those without leavers too."""
    if not months:
        return []
    counted = dict(months)
    return [(str(one), counted.get(str(one), 0)) for one in pd.period_range(min(counted), max(counted), freq="M")]


def _picture(model: Model, measured: Silences | Leavers | None, language: str, kind: str) -> bytes | None:
    from churnwatch.delivery.definition_words import say
    from churnwatch.delivery.row_words import rows_words
    from churnwatch.evaluation.definition_picture import leavers_picture, pauses_picture

    what = rows_words(model.outcome.where, language)
    if isinstance(measured, Silences):
        words = {
            name: say(name, language, what=what, n=f"{number:g}" if number else "")
            for name, number in (
                *((one, None) for one in ("pauses", "pause_days", "share_of_pauses", "longer", "called_gone")),
                *((one, None) for one in ("n_days", "gone_of_observed", "returned_of_gone")),
                ("file_n", measured.file_days),
                ("proposed_n", measured.proposed),
            )
        }
        return pauses_picture(
            measured.pauses,
            measured.steps,
            file_days=measured.file_days,
            proposed=measured.proposed,
            words=words,
            kind=kind,
        )
    if isinstance(measured, Leavers):
        names = ("leavers_by_month", "leavers", "by_horizon", "horizon_days", "left_of_observed")
        rates = [(f"{one['days']:g}", one["base_rate"]) for one in measured.horizons if one["base_rate"] is not None]
        return leavers_picture(
            measured.months, rates, words={name: say(name, language, what=what) for name in names}, kind=kind
        )
    return None


def _before(end: datetime) -> str:
    return f"\"at\" < timestamp '{_naive(end)}' and known_at < timestamp '{_naive(end)}'"


def _local(tables: Tables, instant: str) -> str:
    """The civil time of a naive UTC expression."""
    return f"timezone('{tables.zone}', timezone('UTC', {instant}))"


def _naive(instant: datetime) -> datetime:
    return instant.astimezone(UTC).replace(tzinfo=None)
