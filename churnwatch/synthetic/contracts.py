"""Contract terms: who signs when and for how long, price rises at renewals, changes of plan.

A term fixes plan and price; whoever cancels leaves with the month all the same. Customers decide by how they stand in
the week in which they decide: who has turned puts the signature off, lets the term run out or asks for monthly terms,
who is content takes a larger plan. Nothing is drawn from a cancellation that lies ahead; who has cancelled signs no
more.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from churnwatch.synthetic.behaviour import SILENT, VOCAL, Doings, Standing
from churnwatch.synthetic.company import PLAN_FEES, PLANS, Bools, Customers
from churnwatch.synthetic.seasons import DAY, Floats, Ints, Seasons, Times

CHANGES = ("new", "renewal", "upgrade", "downgrade")
NEW, RENEWAL, UPGRADE, DOWNGRADE = range(4)
YEAR = 12  # months
MONTHLY_SHARES = (0.07, 0.03, 0.01)  # by plan, of those who begin with monthly terms
AGAIN = 10  # days at least between two signatures
UPGRADES = 0.0016  # weekly chance at the usual satisfaction
LATE_SHARE, LATEST = 0.15, 6  # yearly papers typed in later than signed; days

# Chance of putting the signature off: calm, uneasy, turned; weeks before the end, in the last days, once it has ended.
PUTS_OFF = np.array([[0.12, 0.30, 0.60], [0.08, 0.20, 0.60], [0.30, 0.40, 0.75]])
ASKS_MONTHLY = np.array([0.02, 0.08, 0.25])
ASKS_YEARLY = 0.02  # each month, of the content
ASKS_SMALLER = np.array([0.04, 0.10, 0.22])


@dataclass(frozen=True)
class Contracts:
    """One entry per term in order of signing; days are local. A term holds from ``begins`` until before ``ends``."""

    customer: Ints
    signed: Times
    """NaT: an offer that lies on the customer's desk when the data end."""
    entered: Times
    """When it was typed in; for terms signed before the data begin, the day they begin."""
    begins: Times
    ends: Times
    plan: Ints
    fee: Floats
    change: Ints
    """An index into ``CHANGES``."""


def sign(
    rng: np.random.Generator,
    seasons: Seasons,
    customers: Customers,
    doings: Doings,
    cancelled: Times,
    until: Times,
) -> Contracts:
    """All terms that run in the period or are signed in it, and known before it ends.

    ``cancelled`` (NaT: not) and ``until``, when the service of each customer ends or the data do.
    """
    everyone = np.arange(customers.size)
    stop = np.where(np.isnat(cancelled), seasons.end, cancelled)
    book = _carried_over(rng, seasons, customers)
    book.write(everyone, np.where(book.begun == 0, NEW, RENEWAL))
    upgrade = _upgrades(rng, seasons, customers, doings)
    while True:
        _enlarge(rng, customers, book, upgrade, upgrade < np.minimum(book.decides, stop))
        open_ = np.flatnonzero(book.decides < stop)
        if open_.size == 0:
            break
        stood = doings.stood(seasons, book.decides[open_], open_)
        chance = PUTS_OFF[np.minimum(book.phase[open_], 2), _mood(stood)]
        off = (book.months[open_] > 1) & (rng.random(open_.size) < chance)
        _renew(rng, customers, book, open_[~off], _of(stood, ~off))
        _put_off(rng, book, open_[off])

    on_desk = np.flatnonzero((book.phase > 0) & np.isnat(cancelled))
    book.begins[on_desk] = book.ends[on_desk]
    book.ends[on_desk] = month_later(book.anchor[on_desk], book.due[on_desk] + book.months[on_desk])
    book.signed[on_desk] = np.datetime64("NaT")
    book.write(on_desk, np.full(on_desk.size, RENEWAL))
    return _in_order(rng, seasons, customers, book, until)


@dataclass
class _Book:
    """The last term of every customer while time goes by, and all ``rows`` written so far."""

    anchor: Times
    """The day the first term began; ``begun``, ``due`` and ``rise_due`` count months from it."""
    months: Ints
    begun: Ints
    due: Ints
    rise_due: Ints
    begins: Times
    ends: Times
    signed: Times
    decides: Times
    """When the customer next decides on a renewal."""
    phase: Ints
    """How often the signature was put off."""
    level: Floats
    """The fee, relative to that of the first row."""
    step: Ints
    """Plan sizes above that of the first row."""
    changed: Bools
    rows: list[dict[str, np.ndarray]] = field(default_factory=list)

    def write(self, who: Ints, change: Ints) -> None:
        columns = ("signed", "begins", "ends", "level", "step")
        self.rows.append({"customer": who, "change": change, **{name: getattr(self, name)[who] for name in columns}})


def _carried_over(rng: np.random.Generator, seasons: Seasons, customers: Customers) -> _Book:
    """The term that runs when the data begin, or the first of who comes later; earlier ones nobody carried over."""
    size = customers.size
    anchor = customers.started.astype("datetime64[D]")
    months: Ints = np.where(rng.random(size) < np.array(MONTHLY_SHARES)[customers.plan], 1, YEAR)
    age = np.maximum(_months_between(anchor, np.datetime64(seasons.start, "D")), 0)
    begun = age // months * months
    begins, ends = month_later(anchor, begun), month_later(anchor, begun + months)
    signed = np.where(begun == 0, customers.started, _office_time(rng, begins - _lead(rng, months)))
    return _Book(
        anchor=anchor,
        months=months,
        begun=begun,
        due=begun + months,
        rise_due=age // YEAR * YEAR + YEAR,
        begins=begins,
        ends=ends,
        signed=signed,
        decides=_next_decision(rng, signed, ends, months),
        phase=np.zeros(size, dtype=np.int64),
        level=np.ones(size),
        step=np.zeros(size, dtype=np.int64),
        changed=np.zeros(size, dtype=bool),
    )


def _enlarge(rng: np.random.Generator, customers: Customers, book: _Book, upgrade: Times, wants: Bools) -> None:
    """A larger plan from that day on, in the same term. Not right after a signature, nor with an offer open."""
    wants = wants & ~book.changed
    bars = wants & ((upgrade < book.signed + _soonest()) | (book.phase > 0))
    book.changed |= wants  # a chance that went by does not come again
    who = np.flatnonzero(wants & ~bars)
    book.signed[who] = upgrade[who]
    book.begins[who] = upgrade[who].astype("datetime64[D]")
    book.level[who] *= _step_of_fee(rng, customers.plan[who] - 1)
    book.step[who] += 1
    book.write(who, np.full(who.size, UPGRADE))
    book.decides[who] = np.maximum(book.decides[who], upgrade[who] + _soonest())


def _renew(rng: np.random.Generator, customers: Customers, book: _Book, who: Ints, stood: Standing) -> None:
    """The next term, signed now: for how long, on which plan, at which price."""
    mood, plan = _mood(stood), customers.plan[who]
    yearly, draw = book.months[who] == YEAR, rng.random(who.size)
    to_months = yearly & (draw < ASKS_MONTHLY[mood])
    to_years = ~yearly & (draw < ASKS_YEARLY) & (mood == 0) & (stood.feeling > 0.3)
    book.months[who] = np.where(to_months | (~yearly & ~to_years), 1, YEAR)
    smaller = (plan < len(PLANS) - 1) & ~book.changed[who]
    smaller &= rng.random(who.size) < ASKS_SMALLER[mood] * np.where(yearly, 1.0, 0.1)
    dearer = book.due[who] >= book.rise_due[who]
    book.rise_due[who] += np.where(dearer, YEAR, 0)
    rise = np.where(dearer & ~smaller, _rises(rng, customers, who, stood), 0.0)
    book.level[who] *= np.where(smaller, 1 / _step_of_fee(rng, np.minimum(plan, len(PLANS) - 2)), 1 + rise)
    book.step[who] -= smaller
    book.changed[who] |= smaller
    # The new term follows on the old one; a smaller plan is wanted at once, and a lapsed term is not made good.
    book.signed[who] = book.decides[who]
    day = book.signed[who].astype("datetime64[D]")
    book.begins[who] = np.where(smaller, day, np.maximum(book.ends[who], day))
    book.due[who] += book.months[who]
    while (behind := np.asarray(month_later(book.anchor[who], book.due[who]) <= day)).any():
        book.due[who[behind]] += book.months[who[behind]]
    book.ends[who] = month_later(book.anchor[who], book.due[who])
    book.write(who, np.where(smaller, DOWNGRADE, RENEWAL))
    book.decides[who] = _next_decision(rng, book.signed[who], book.ends[who], book.months[who])
    book.phase[who] = 0


def _put_off(rng: np.random.Generator, book: _Book, who: Ints) -> None:
    """First until the last days of the term, then from month to month."""
    book.phase[who] += 1
    last_days = _office_time(rng, book.ends[who] - rng.integers(1, 7, who.size).astype("timedelta64[D]"))
    later = book.decides[who] + rng.integers(20, 45, who.size) * np.timedelta64(DAY, "s")
    book.decides[who] = np.where((book.phase[who] == 1) & (last_days > book.decides[who]), last_days, later)


def month_later(day: Times, months: Ints) -> Times:
    """The same day ``months`` later, the month's last where it has no such day."""
    first = day.astype("datetime64[M]")
    target = first + months
    last = (target + 1).astype("datetime64[D]") - np.timedelta64(1, "D")
    return np.asarray(np.minimum(target.astype("datetime64[D]") + (day - first.astype("datetime64[D]")), last))


def _months_between(day: Times, until: np.datetime64) -> Ints:
    """Whole months from ``day`` to ``until``; below 0 where it lies after."""
    months = (until.astype("datetime64[M]") - day.astype("datetime64[M]")).astype(np.int64)
    return np.asarray(months - (month_later(day, months) > until))


def _lead(rng: np.random.Generator, months: Ints) -> NDArray[np.timedelta64]:
    """Days before the end at which a renewal comes up: weeks for a year, the last day for a month."""
    days = np.clip(np.round(15 + rng.gamma(2.0, 11.0, months.size)), 10, 90).astype(np.int64)
    return np.where(months > 1, days, 1).astype("timedelta64[D]")


def _office_time(rng: np.random.Generator, day: Times) -> Times:
    seconds = rng.integers(8 * 3_600, 18 * 3_600, day.size).astype("timedelta64[s]")
    return np.asarray(day.astype("datetime64[s]") + seconds)


def _next_decision(rng: np.random.Generator, signed: Times, ends: Times, months: Ints) -> Times:
    at = _office_time(rng, ends - _lead(rng, months))
    return np.asarray(np.maximum(at, signed + _soonest()))


def _soonest() -> np.timedelta64:
    return np.timedelta64(AGAIN * DAY, "s")


def _mood(stood: Standing) -> Ints:
    """Calm, uneasy, turned: rows of the chances above. Whose reasons lie outside shows nothing."""
    turned = (stood.manner == VOCAL) | (stood.manner == SILENT)
    uneasy = (stood.feeling < -0.6) | (stood.engagement < 0.5)
    return np.where(turned, 2, np.where(uneasy, 1, 0))


def _of(stood: Standing, rows: Bools) -> Standing:
    return Standing(stood.feeling[rows], stood.engagement[rows], stood.manner[rows], stood.price[rows])


def _rises(rng: np.random.Generator, customers: Customers, who: Ints, stood: Standing) -> Floats:
    """By how much a renewal is dearer: what hurts the customers whose price pain it is. Who haggles gets less."""
    pain = customers.price_pain[who]
    rises = rng.random(who.size) < 0.10 + 0.85 * (1 - np.exp(-pain / 0.35))
    share = np.clip(np.round(0.02 + 0.20 * pain * np.exp(rng.normal(0, 0.4, who.size)), 2), 0.02, 0.25)
    haggles = stood.price & (stood.feeling < -0.3) & (rng.random(who.size) < 0.15)
    return np.where(haggles, -0.05, np.where(rises, share, 0.0))


def _upgrades(rng: np.random.Generator, seasons: Seasons, customers: Customers, doings: Doings) -> Times:
    """When each customer would take the plan they have today, one size up; the data's end: never.

    Once per customer at most, so that no change hangs on a later one.
    """
    now = doings.standing
    chance = UPGRADES * np.exp(0.8 * np.clip(now.feeling, -2, 2)) * np.clip(now.engagement, 0, 2)
    chance = chance * ((now.manner != VOCAL) & (now.manner != SILENT)) * (customers.plan > 0)
    week = np.arange(seasons.weeks)[:, None]
    since = week - np.floor((customers.started - seasons.midnight).astype(np.int64) / (7 * DAY))
    takes = (rng.random(chance.shape) < chance) & (since >= 6)
    monday = seasons.midnight.astype("datetime64[D]") + 7 * takes.argmax(axis=0) + rng.integers(0, 7, customers.size)
    return np.where(takes.any(axis=0), _office_time(rng, monday), seasons.end)


def _step_of_fee(rng: np.random.Generator, plan: Ints) -> Floats:
    """How many times dearer the next larger plan is than ``plan``."""
    fees = np.array(PLAN_FEES)
    return np.asarray(fees[plan + 1] / fees[plan] * np.exp(rng.normal(0, 0.2, plan.size)))


def _in_order(rng: np.random.Generator, seasons: Seasons, customers: Customers, book: _Book, until: Times) -> Contracts:
    """Sorted by signing; plan and fee such that the last term that ran has those of the customer's record."""
    told = {name: np.concatenate([row[name] for row in book.rows]) for name in book.rows[0]}
    customer, begins, signed = told["customer"], told["begins"], told["signed"]
    order = np.lexsort((customer, signed))
    customer, begins, signed = customer[order], begins[order], signed[order]
    level, step = told["level"][order], told["step"][order]
    current = np.zeros((2, customers.size))
    running = np.flatnonzero(~np.isnat(signed) & (begins < until[customer]))
    current[:, customer[running]] = level[running], step[running]  # the last of each customer stays
    fee = np.round(customers.fee[customer] * level / current[0, customer], -3)
    late = (rng.random(order.size) < LATE_SHARE) * rng.integers(0, LATEST * DAY, order.size)
    late *= told["ends"][order] - begins > np.timedelta64(31, "D")
    entered = np.maximum(signed, seasons.midnight) + late * (signed >= seasons.midnight).astype("timedelta64[s]")
    there = np.isnat(signed) | (entered < seasons.end)  # the export has no paper that is still to be typed in
    return Contracts(
        customer=customer[there],
        signed=signed[there],
        entered=entered[there],
        begins=begins[there],
        ends=told["ends"][order][there],
        plan=(customers.plan[customer] + (step - current[1, customer]).astype(np.int64))[there],
        fee=fee[there],
        change=told["change"][order][there],
    )
