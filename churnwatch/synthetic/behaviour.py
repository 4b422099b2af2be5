"""What customers feel and do, week by week.

Every customer has a latent satisfaction (autoregressive around an own level) that service, incidents, price
and payment trouble push down and good service lifts. Dissatisfaction makes it likelier that the customer
*turns*: makes up the mind to leave. Who has turned either comes round or cancels, some weeks later; until
then the vocal complain more, the silent do less and less of everything, and those whose reasons lie outside
show nothing. Everyone also has quiet spells that mean nothing, and some complain by habit, so that no event
belongs to leavers alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from churnwatch.synthetic.company import Agents, Bools, Customers
from churnwatch.synthetic.seasons import DAY, STREAMS, Feelings, Floats, Ints, Seasons, Times
from churnwatch.synthetic.service import Handling, handle

BURN_IN = 20  # weeks before the data begin, unseen, so that some have already turned on the first day

STAYING, VOCAL, SILENT, OUTSIDE = 0, 1, 2, 3  # how the customer stands; the last three have turned
CAUSES = ("service", "price", "reliability")

# After turning: weeks until a cancellation is possible, its weekly chance then, and that of coming round.
FIRST_WEEK = np.array([0, 6, 9, 1])
CANCELS = np.array([0.0, 0.13, 0.14, 0.35])
COMES_ROUND = np.array([0.0, 0.02, 0.015, 0.02])
LONG_AGO = int(FIRST_WEEK.max())  # weeks after turning from which on its chances no longer change
FADES = 0.6  # what is left of a silent customer's doings after each week, down to a tenth

TURNS = 0.0020  # weekly chance of turning at the usual satisfaction
TURNS_OUTSIDE = 0.0007


@dataclass(frozen=True)
class Standing:
    """How customers stand in some week, one entry per (customer, time) asked about; nothing of it lies ahead."""

    feeling: Feelings
    """Satisfaction; 0 is the company's usual."""
    engagement: Feelings
    """What is left of the customer's usual doings; 1 is usual. Falls in silence, in pauses and after leaving."""
    manner: NDArray[np.int8]
    """Staying, vocal, silent, outside."""
    price: Bools
    """The price weighs on the customer more than service and reliability do."""


@dataclass(frozen=True)
class Doings:
    """Everything that happened, one array entry per event, by week and customer row."""

    streams: dict[str, tuple[Ints, Ints]]
    """``usage``, ``purchase``, ``self_service``, ``visit``: (week, customer) per event."""
    ticket_weeks: Ints
    tickets: Handling
    failures: tuple[Ints, Ints]
    """(week, customer) per failed payment."""
    cancelled: Ints
    """The week of each customer's cancellation; -1: still a customer."""
    turned: Ints
    """The week in which the customer last turned, may lie before the data; a large number: never."""
    came_round: Ints
    """The week in which the customer last came round; -1: never."""
    manner: Ints
    """How the customer stood last: staying, vocal, silent, outside."""
    satisfaction: Floats
    """(weeks, customers): at the end of each week; NaN before the start and after the cancellation."""
    turned_now: Bools
    """(weeks, customers): has turned by the end of the week."""
    standing: Standing
    """(weeks, customers) at the end of each week, everyone's from the first week on, those who left as well."""
    since: NDArray[np.int8]
    """(weeks, customers): full weeks since the customer last turned, at most ``LONG_AGO``; of who has turned."""
    grudge: Floats
    """(weeks, customers) at the end of each week: badly handled complaints, fading."""
    cause: NDArray[np.int8]
    """(weeks, customers) at the end of each week: what weighed on the customer most, an index into ``CAUSES``."""

    def stood(self, seasons: Seasons, at: Times, customer: Ints) -> Standing:
        """How each ``customer`` stood at the end of the week of ``at``; before the data begin, of the first week."""
        week = np.clip((at - seasons.midnight).astype(np.int64) // (7 * DAY), 0, seasons.weeks - 1)
        return Standing(**{one.name: getattr(self.standing, one.name)[week, customer] for one in fields(Standing)})


NEVER = 1_000_000


def live(
    rng: np.random.Generator,
    seasons: Seasons,
    agents: Agents,
    customers: Customers,
    report: Callable[[int, int], None] | None = None,
) -> Doings:
    """Simulate all weeks; ``report`` is told (weeks done, weeks) now and then."""
    size, weeks = customers.size, seasons.weeks
    first_week = np.floor((customers.started - seasons.midnight).astype(np.int64) / (7 * DAY)).astype(np.int64)
    satisfaction = customers.content + rng.normal(0, 0.4, size)
    manner = np.full(size, STAYING)
    turned = np.full(size, NEVER)
    came_round = np.full(size, -1)
    cancelled = np.full(size, -1)
    grudge = np.zeros(size)
    weight_of = np.zeros((len(CAUSES), size))
    spell_left: Ints = np.zeros(size, dtype=np.int64)
    spell_depth = np.ones(size)
    drift = np.zeros(size)
    waiting = np.zeros(size, dtype=bool)  # complained last week
    pending = np.zeros(size)  # how last week's tickets felt, not yet taken to heart
    path = np.full((weeks, size), np.nan)
    turned_path = np.zeros((weeks, size), dtype=bool)
    since_path = np.zeros((weeks, size), dtype=np.int8)
    grudge_path = np.zeros((weeks, size))
    cause_path = np.zeros((weeks, size), dtype=np.int8)
    standing = Standing(
        feeling=np.zeros((weeks, size), dtype=np.float32),
        engagement=np.ones((weeks, size), dtype=np.float32),
        manner=np.zeros((weeks, size), dtype=np.int8),
        price=np.zeros((weeks, size), dtype=bool),
    )
    happened: dict[str, list[tuple[Ints, Ints]]] = {stream: [] for stream in STREAMS if stream != "contact"}
    failures: list[tuple[Ints, Ints]] = []
    handled: list[tuple[int, Handling]] = []
    billing = rng.integers(0, 4, size)
    load = 1.0

    for week in range(-BURN_IN, weeks):
        if report is not None and week >= 0 and week % 13 == 0:
            report(week, weeks)
        present = (first_week <= week) & (cancelled < 0)
        age = np.maximum(week - first_week, 0)

        # What happens to people, and what it does to their satisfaction.
        chance = 0.012 if rng.random() > 0.06 else 0.12  # now and then a breakdown hits many
        incident = present & (rng.random(size) < chance)
        failed = present & ((week + billing) % 4 == 0)
        failed &= rng.random(size) < customers.card_trouble * np.where(manner == STAYING, 1.0, 1.6)
        renewal = present & (age > 0) & (age % 52 == 0)
        push = np.stack([np.minimum(pending, 0), -(renewal * customers.price_pain), -0.5 * incident - 0.3 * failed])
        weight_of = 0.93 * weight_of - push
        satisfaction = customers.content + 0.95 * (satisfaction - customers.content)
        satisfaction += push.sum(axis=0) + np.maximum(pending, 0) + rng.normal(0, 0.14, size)
        satisfaction = np.clip(satisfaction, -3.5, 2.5)

        # Who turns, comes round, cancels.
        leaning = turning_chance(customers, satisfaction, grudge, age)
        draw = rng.random(size)
        mind = present & (manner == STAYING) & (draw < leaning + TURNS_OUTSIDE)
        outside = mind & (draw >= leaning)
        manner[mind] = np.where(outside, OUTSIDE, np.where(customers.vocal, VOCAL, SILENT))[mind]
        turned[mind] = week
        since = week - turned
        fate = rng.random(size)
        soothed = (manner == VOCAL) & (pending > 0.15) & (rng.random(size) < 0.5)
        back = present & (manner != STAYING) & ((fate > 1 - COMES_ROUND[manner]) | soothed)
        manner[back] = STAYING
        came_round[back] = week
        satisfaction[back] = np.maximum(satisfaction[back], customers.content[back])
        leaves = present & (manner != STAYING) & (since >= FIRST_WEEK[manner]) & (fate < CANCELS[manner])
        if week < 0:  # before the data, someone else takes the place of who leaves
            manner[leaves] = STAYING
            satisfaction[leaves] = customers.content[leaves]
        else:
            cancelled[leaves] = week

        # What they do.
        gone = (cancelled >= 0) & (cancelled < week)
        factor: Floats = np.where(gone, 0.45 ** np.maximum(week - cancelled, 0), 1.0)
        silent = (manner == SILENT) & (since > 0)
        factor *= np.where(silent, np.maximum(FADES ** np.minimum(np.maximum(since, 0), 20), 0.08), 1.0)
        # Pauses mean nothing: holidays of old customers, and those who complained wait and see for a while.
        pauses = 0.003 + 0.006 * (age > 104) + 0.5 * (waiting & (manner == STAYING))
        starts_spell = (spell_left == 0) & (rng.random(size) < pauses)
        spell_left = np.maximum(spell_left - 1, 0)
        spell_left[starts_spell] = rng.integers(2, 7, starts_spell.sum())
        spell_depth[starts_spell] = rng.uniform(0.05, 0.5, starts_spell.sum())
        factor *= np.where(spell_left > 0, spell_depth, 1.0)
        drift = 0.985 * drift + rng.normal(0, 0.05, size)
        here = (first_week <= week) & (week >= 0)
        mood = np.exp(0.12 * np.clip(satisfaction, -2, 2))
        for stream, events in happened.items():
            rate = getattr(customers, stream) * factor * seasons.of_week(stream, week) * here
            if stream in ("usage", "purchase"):
                rate = rate * mood * np.exp(drift)
            count = rng.poisson(rate)
            rows = np.repeat(np.arange(size), count)
            events.append((np.full(rows.size, week), rows))
        if week >= 0:
            rows = np.flatnonzero(failed)
            failures.append((np.full(rows.size, week), rows))

        # What they ask and complain about, and how that is handled.
        busy = seasons.of_week("contact", week)
        present_rate = np.where(gone, 0.5 * factor, 1.0) * (first_week <= week) * busy
        hushed = np.where(silent | (spell_left > 0), factor, 1.0)
        questions = rng.poisson(customers.contact * present_rate * hushed * (1 + 0.8 * (age < 6) + 1.5 * failed))
        complaints = rng.poisson(complaint_rate(customers, satisfaction, manner, incident) * present_rate)
        opened = np.concatenate([np.repeat(np.arange(size), questions), np.repeat(np.arange(size), complaints)])
        complaint = np.arange(opened.size) >= questions.sum()
        load = 0.6 * load + 0.4 * float(np.clip(rng.lognormal(0, 0.25) * (1.6 if chance > 0.1 else 1), 0.5, 3))
        handling = handle(rng, agents, customers, opened, complaint, load)
        if week >= 0:
            handled.append((week, handling))
        felt = handling.quality * np.where(complaint, 0.30, 0.07)
        pending = np.zeros(size) + np.bincount(opened, weights=felt, minlength=size)
        angers = np.bincount(opened, weights=np.where(complaint, np.maximum(-handling.quality, 0), 0), minlength=size)
        waiting = np.bincount(opened, weights=complaint, minlength=size) > 0
        good = np.bincount(opened, weights=complaint & (handling.quality > 0.3), minlength=size) > 0
        grudge = np.minimum(np.where(good, 0.3 * grudge, 0.86 * grudge) + angers, 4)

        if week >= 0:
            path[week] = np.where(present, satisfaction, np.nan)
            turned_path[week] = present & (manner != STAYING)
            since_path[week] = np.clip(week - turned, 0, LONG_AGO)
            grudge_path[week] = grudge
            cause_path[week] = weight_of.argmax(axis=0)
            standing.feeling[week] = satisfaction
            standing.engagement[week] = factor * mood * np.exp(drift)
            standing.manner[week] = manner
            standing.price[week] = (weight_of.argmax(axis=0) == CAUSES.index("price")) & (weight_of.max(axis=0) > 0.1)

    if report is not None:
        report(weeks, weeks)
    return Doings(
        streams={stream: _joined(events) for stream, events in happened.items()},
        ticket_weeks=np.concatenate([np.full(one.customer.size, week) for week, one in handled]),
        tickets=Handling(
            **{
                field.name: np.concatenate([getattr(one, field.name) for _, one in handled])
                for field in fields(Handling)
            }
        ),
        failures=_joined(failures),
        cancelled=cancelled,
        turned=turned,
        came_round=came_round,
        manner=manner,
        satisfaction=path,
        turned_now=turned_path,
        standing=standing,
        since=since_path,
        grudge=grudge_path,
        cause=cause_path,
    )


def turning_chance(customers: Customers, satisfaction: Floats, grudge: Floats, age: Ints) -> Floats:
    """The weekly chance of turning out of dissatisfaction, per customer; ``age`` in weeks since the start.

    A badly handled complaint weighs on the vocal only while they are unhappy; venters hardly ever mean it.
    """
    chance = TURNS * np.exp(-1.6 * np.clip(satisfaction, -2.5, 2.0))
    chance = chance * (0.7 + 3.0 * np.exp(-age / 40))
    chance = chance * np.array([1.3, 0.85, 0.55])[customers.plan]
    chance = chance * np.where(customers.vocal, 0.1 + 8.0 * np.maximum(grudge - 0.4, 0) * (satisfaction < 0.1), 1.0)
    chance = chance * np.where(customers.venter, 0.25, 1.0)
    return np.asarray(np.minimum(chance, 0.25))


def complaint_rate(customers: Customers, satisfaction: Floats, manner: Ints, incident: Bools) -> Floats:
    """Complaints a week, per customer: unhappiness and incidents make the vocal complain."""
    mood = np.exp(-0.9 * np.clip(satisfaction, -2.0, 2.0))
    rate = np.where(customers.vocal, 0.014, 0.0025) * mood
    rate = rate + incident * np.where(customers.vocal, 0.30, 0.06)
    rate = rate + np.where(customers.venter, 0.05, 0.0)
    return np.where(manner == VOCAL, rate * 1.3 + 0.07, np.where(manner == SILENT, rate * 0.4, rate))


def _joined(events: list[tuple[Ints, Ints]]) -> tuple[Ints, Ints]:
    return np.concatenate([week for week, _ in events]), np.concatenate([rows for _, rows in events])
