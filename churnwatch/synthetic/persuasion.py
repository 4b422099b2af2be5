"""What each kind of contact would change, for every customer there is when a week ends."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from churnwatch.synthetic.behaviour import (
    CANCELS,
    CAUSES,
    COMES_ROUND,
    FIRST_WEEK,
    LONG_AGO,
    OUTSIDE,
    STAYING,
    TURNS_OUTSIDE,
    Doings,
    turning_chance,
)
from churnwatch.synthetic.company import Customers
from churnwatch.synthetic.seasons import DAY, Floats, Ints, Seasons

WEEKS_AHEAD = 9

# The actions of configs/playbook.yaml, and what each leaves of the risk of leaving (1: it changes nothing) by
# what weighs on the customer: an open grudge, falling silent, the price, reliability and payments, service.
EFFECTS = {
    "check_in": {"grudge": 0.90, "silent": 0.62, "price": 0.92, "reliability": 0.85, "service": 0.85},
    "call_back": {"grudge": 0.48, "silent": 0.90, "price": 0.98, "reliability": 0.80, "service": 0.75},
    "apologise": {"grudge": 0.70, "silent": 0.95, "price": 1.00, "reliability": 0.85, "service": 0.72},
    "solve_case": {"grudge": 0.52, "silent": 0.97, "price": 1.00, "reliability": 0.75, "service": 0.70},
    "solve_payment": {"grudge": 0.98, "silent": 0.97, "price": 0.95, "reliability": 0.78, "service": 0.98},
    "show_value": {"grudge": 1.02, "silent": 0.70, "price": 0.88, "reliability": 0.92, "service": 0.95},
    "offer": {"grudge": 1.05, "silent": 0.85, "price": 0.60, "reliability": 0.95, "service": 0.98},
    "visit": {"grudge": 0.65, "silent": 0.66, "price": 0.90, "reliability": 0.80, "service": 0.78},
    "ask": {"grudge": 0.95, "silent": 0.90, "price": 0.98, "reliability": 0.95, "service": 0.90},
    "explain_price": {"grudge": 1.00, "silent": 0.93, "price": 0.74, "reliability": 1.00, "service": 1.00},
    "renew": {"grudge": 1.03, "silent": 0.85, "price": 0.84, "reliability": 0.95, "service": 0.97},
}
ACTIONS = tuple(EFFECTS)


@dataclass(frozen=True)
class Persuasion:
    """One entry per customer still there; ``effect`` is (customers, actions), below 0 where contact helps."""

    customer: Ints
    leaving: Floats
    """Probability of cancelling within nine weeks when nobody contacts them."""
    effect: Floats
    """What each of ``ACTIONS`` adds to that probability."""


def persuade(seasons: Seasons, customers: Customers, doings: Doings, *, week: int = -1) -> Persuasion:
    """The effect of every action on everyone who is there at the end of ``week`` (-1: when the data end).

    An action multiplies the risk: p becomes 1 - (1 - p)^m. Reasons that lie outside (a firm closes) are
    beyond reach, and contact of any kind makes it worse for the stubborn.
    """
    week = range(seasons.weeks)[week]
    leaving = leaving_probability(seasons, customers, doings, week=week)
    there = np.flatnonzero(~np.isnan(leaving))
    leaving = leaving[there]
    manner = doings.standing.manner[week, there]
    cause = doings.cause[week, there]
    weighs = np.array([("service", "price", "reliability").index(cause) for cause in CAUSES])[cause]
    keys = np.where(~customers.vocal[there], "silent", np.array(["service", "price", "reliability"])[weighs])
    keys = np.where(customers.vocal[there] & (doings.grudge[week, there] > 0.3), "grudge", keys)
    left = np.ones((there.size, len(ACTIONS)))
    for column, action in enumerate(ACTIONS):
        for key, factor in EFFECTS[action].items():
            left[keys == key, column] = factor
    left[manner == OUTSIDE] = 1.0
    left[customers.stubborn[there]] = 1.25
    with_contact = 1 - (1 - leaving[:, None]) ** left
    return Persuasion(there, leaving, with_contact - leaving[:, None])


def leaving_probability(seasons: Seasons, customers: Customers, doings: Doings, *, week: int) -> Floats:
    """Probability of cancelling within ``WEEKS_AHEAD`` weeks after ``week``, satisfaction as it was at its end.

    The chain of ``behaviour``: staying, turned (by weeks since), then cancelled or staying again. Being
    soothed by good service is left out. NaN for who has cancelled or was not there yet.
    """
    size = customers.size
    at = min(seasons.midnight + np.timedelta64((week + 1) * 7 * DAY, "s"), seasons.end)
    there = ((doings.cancelled < 0) | (doings.cancelled > week)) & (customers.started < at)
    age = np.floor((at - customers.started).astype(np.int64) / (7 * DAY)).astype(np.int64)
    satisfaction = np.nan_to_num(doings.satisfaction[week])
    turning = turning_chance(customers, satisfaction, doings.grudge[week], age)
    own = np.where(customers.vocal, 1, 2)
    manner = doings.standing.manner[week].astype(np.int64)
    staying = (manner == STAYING).astype(float)
    oldest = LONG_AGO
    since = doings.since[week]
    turned = np.zeros((size, 4, oldest + 1))  # by manner and weeks since turning
    rows = np.flatnonzero(manner != STAYING)
    turned[rows, manner[rows], since[rows]] = 1.0
    left = np.zeros(size)
    possible = np.arange(oldest + 1)[None, :] >= FIRST_WEEK[:, None]
    cancels, returns = CANCELS[:, None] * possible, COMES_ROUND[:, None]
    everyone = np.arange(size)
    for _ in range(WEEKS_AHEAD):
        turned[:, :, -1] += turned[:, :, -2]
        turned[:, :, 1:-1] = turned[:, :, :-2]
        turned[:, :, 0] = 0.0
        turned[everyone, own, 0] = staying * turning
        turned[:, OUTSIDE, 0] = staying * TURNS_OUTSIDE
        staying = staying * (1 - turning - TURNS_OUTSIDE) + (turned * returns).sum(axis=(1, 2))
        left += (turned * cancels).sum(axis=(1, 2))
        turned = turned * (1 - cancels - returns)
    return np.where(there, left, np.nan)
