"""Surveys: NPS twice a year, CSAT or CES after a resolved ticket, most of them never answered."""

from __future__ import annotations

from typing import Literal

import numpy as np

from churnwatch.synthetic.behaviour import Doings
from churnwatch.synthetic.company import Customers
from churnwatch.synthetic.seasons import DAY, Floats, Ints, Seasons, Times

NPS_EVERY = 26  # weeks
NOBODY = np.datetime64("NaT", "s")
Nonresponse = Literal["mild", "observed", "latent"]
NPS_LEVEL, NPS_SLOPE, NPS_NOISE = 7.6, 1.7, 1.5
"""The score before it is rounded: where it lies at the usual satisfaction, how far it follows it, its own chance."""


def ask(
    rng: np.random.Generator,
    seasons: Seasons,
    customers: Customers,
    doings: Doings,
    cancelled: Times,
    until: Times,
    usage: tuple[Times, Ints],
    resolved: dict[str, np.ndarray],
    nonresponse: Nonresponse = "mild",
) -> dict[str, np.ndarray]:
    """All surveys in order: customer, survey, ticket, sent, answered (NaT: not), score, mood (0 bad to 2 good).

    ``ticket`` is the row of ``resolved`` that is asked about, -1 for none; ``score`` is there for all: what an answer
    would have said.

    Whether somebody answers hangs on the kind of survey, the plan, and

    * ``mild``: the sessions in the four weeks before. The unhappy answer a little less, because they are there less;
    * ``observed``: that, and a complaint in the three months before, after which few answer. All of it can be seen, and
      the answers alone are some points too rosy;
    * ``latent``: the satisfaction itself in place of both, so that who is unhappy keeps silent, however often they are
      there and whatever they said.

    About as many answer in all three, and would say the same.
    """
    nps_at, nps_by = _nps_rounds(rng, seasons, customers)
    kind = np.where(rng.random(resolved["at"].size) < 0.65, "CSAT", "CES").astype(object)
    sent_after = rng.random(kind.size) < 0.8
    sent = np.concatenate([nps_at, (resolved["at"] + np.timedelta64(3_600, "s"))[sent_after]])
    customer = np.concatenate([nps_by, resolved["customer"][sent_after]])
    survey = np.concatenate([np.full(nps_at.size, "NPS", dtype=object), kind[sent_after]])
    quality = np.concatenate([np.zeros(nps_at.size), resolved["quality"][sent_after]])
    ticket = np.concatenate([np.full(nps_at.size, -1), np.flatnonzero(sent_after)])

    wanted = (sent >= customers.started[customer]) & (sent < np.minimum(until[customer], seasons.end))
    wanted &= np.isnat(cancelled[customer]) | (sent < cancelled[customer])  # who has cancelled is not asked
    order = np.flatnonzero(wanted)
    order = order[np.lexsort((survey[order].astype(str), customer[order], sent[order]))]
    sent, customer, survey, quality = sent[order], customer[order], survey[order], quality[order]

    week = (sent - seasons.midnight).astype(np.int64) // (7 * DAY)
    feeling = np.nan_to_num(doings.satisfaction[week, customer])
    lean = np.where(survey == "NPS", -1.75, np.where(survey == "CSAT", -1.5, -1.65))
    if nonresponse == "latent":
        lean = lean + 0.8 + 0.6 * feeling
    else:
        lean = lean + 0.5 * np.log1p(_times_before(usage, sent, customer, 28))
    if nonresponse == "observed":
        complaints = (resolved["complained"], resolved["complained_by"])
        lean = lean + 0.35 - 1.5 * (_times_before(complaints, sent, customer, 90) > 0)
    lean = lean + np.array([-0.1, 0.0, 0.25])[customers.plan[customer]]
    delay = (rng.exponential(1.6, sent.size) * DAY + 300).astype("timedelta64[s]")
    answered = np.where(rng.random(sent.size) < 1 / (1 + np.exp(-lean)), sent + delay, NOBODY)
    answered = np.where(answered < np.minimum(until[customer], seasons.end), answered, NOBODY)

    score = _scores(rng, survey, feeling, quality)
    happy = np.where(survey == "NPS", (score - 6.5) / 3, np.where(survey == "CSAT", score - 3, 4 - score))
    mood = np.where(happy < -0.4, 0, np.where(happy < 0.6, 1, 2))
    return {
        "customer": customer,
        "survey": survey,
        "ticket": ticket[order],
        "sent": sent,
        "answered": answered,
        "score": score,
        "mood": mood,
    }


def survey_numbers(count: int) -> list[str]:
    """The numbers of so many surveys, in the order they were sent."""
    return [f"S{row:07d}" for row in range(1, count + 1)]


def nps_chances(feeling: Floats) -> Floats:
    """How likely each NPS of 0 to 10 is, (n, 11), for customers asked while they feel so (n,)."""
    from scipy.special import ndtr

    edges = np.concatenate(([-np.inf], np.arange(10) + 0.5, [np.inf]))
    below = ndtr((edges - (NPS_LEVEL + NPS_SLOPE * feeling)[:, None]) / NPS_NOISE)
    return np.asarray(np.diff(below, axis=1))


def _nps_rounds(rng: np.random.Generator, seasons: Seasons, customers: Customers) -> tuple[Times, Ints]:
    """Each customer's NPS days: every half-year from a phase of their own, on weekday mornings."""
    phase = rng.integers(0, NPS_EVERY, customers.size)
    rounds = np.arange(-(-seasons.weeks // NPS_EVERY))
    week = (phase[:, None] + NPS_EVERY * rounds[None, :]).ravel()
    customer = np.repeat(np.arange(customers.size), rounds.size)
    week, customer = week[week < seasons.weeks], customer[week < seasons.weeks]
    day = seasons.midnight.astype("datetime64[D]") + 7 * week + rng.integers(0, 7, week.size)
    day = np.busday_offset(day, 0, roll="backward")
    at = day.astype("datetime64[s]") + rng.integers(9 * 3_600, 11 * 3_600, week.size).astype("timedelta64[s]")
    inside = at >= seasons.midnight
    return at[inside], customer[inside]


def _times_before(events: tuple[Times, Ints], sent: Times, customer: Ints, days: int) -> Ints:
    """How many of the events each asked customer had in the days before; one sorted key of customer and second."""
    scale = np.int64(10**11)  # more seconds than any date here
    keys = np.sort(events[1] * scale + events[0].astype(np.int64))
    here = customer * scale + sent.astype(np.int64)
    return np.searchsorted(keys, here) - np.searchsorted(keys, here - days * DAY)


def _scores(rng: np.random.Generator, survey: np.ndarray, feeling: Floats, quality: Floats) -> Ints:
    noise = rng.normal(0, 1, feeling.size)
    nps = np.clip(np.round(NPS_LEVEL + NPS_SLOPE * feeling + NPS_NOISE * noise), 0, 10)
    csat = np.clip(np.round(3.7 + 0.45 * feeling + 0.45 * quality + 0.75 * noise), 1, 5)
    ces = np.clip(np.round(3.3 - 0.4 * feeling - 0.75 * quality + 1.2 * noise), 1, 7)
    return np.where(survey == "NPS", nps, np.where(survey == "CSAT", csat, ces)).astype(np.int64)
