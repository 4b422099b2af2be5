"""The company's agents and customers: who they are, and the dispositions that drive what they do."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from churnwatch.synthetic import words
from churnwatch.synthetic.seasons import DAY, Floats, Ints, Seasons, Times

Bools = NDArray[np.bool_]
Texts = NDArray[np.object_]

PLANS = ("starter", "team", "business")
_PLAN_SHARES = (0.52, 0.34, 0.14)
PLAN_FEES = (290_000.0, 1_600_000.0, 9_000_000.0)  # rupiah a month, the middle of each plan
_ALREADY_THERE = 0.68  # of all customers; the others arrive while we watch
_CUSTOMERS_PER_AGENT = 125


@dataclass(frozen=True)
class Agents:
    """The care team; row number = agent number. ``lead`` is the row of the agent's lead, -1 for a lead."""

    name: Texts
    email: Texts
    language: Texts
    capacity: Ints
    lead: Ints
    away_from: Times
    away_to: Times
    slowness: Floats
    """How much longer than usual the agent takes; 1 is usual."""

    @property
    def size(self) -> int:
        """How many agents there are."""
        return self.capacity.size


@dataclass(frozen=True)
class Customers:
    """All customers in order of arrival; row number = customer number.

    From ``vocal`` on, the fields are dispositions: they drive behaviour and no table shows them.
    """

    name: Texts
    email: Texts
    phone: Texts
    language: Texts
    plan: Ints
    fee: Floats
    owner: Ints
    started: Times
    do_not_contact: Bools

    vocal: Bools
    """Says so when unhappy; the others fall silent."""
    venter: Bools
    """Complains by habit and stays all the same."""
    content: Floats
    """The satisfaction the customer comes back to; 0 is the company's usual."""
    price_pain: Floats
    card_trouble: Floats
    """Chance that a monthly payment fails."""
    stubborn: Bools
    """Rather leaves when called: contact of any kind makes it worse."""
    usage: Floats
    contact: Floats
    purchase: Floats
    self_service: Floats
    visit: Floats
    """The customer's own rhythm, events a week."""

    @property
    def size(self) -> int:
        """How many customers there are."""
        return self.plan.size


def hire_agents(rng: np.random.Generator, seasons: Seasons, customers: int) -> Agents:
    """One agent for about 125 customers, at least four; the first of each language leads."""
    size = max(4, round(customers / _CUSTOMERS_PER_AGENT))
    language = np.where(np.arange(size) % 5 < 3, "id", "en").astype(object)
    language[:2] = ("id", "en")
    first, last = _names(rng, language)
    lead = np.where(language == "id", 0, 1)
    lead[:2] = -1
    away_from = np.full(size, np.datetime64("NaT", "s"))
    away_to = away_from.copy()
    away = rng.choice(np.arange(2, size), max(1, size // 12), replace=False)
    away_from[away] = seasons.end - rng.integers(1, 6, away.size) * np.timedelta64(DAY, "s")
    away_to[away] = seasons.end + rng.integers(2, 15, away.size) * np.timedelta64(DAY, "s")
    return Agents(
        name=first + " " + last,
        email=_addresses(first, last, np.full(size, "care.example", dtype=object)),
        language=language,
        capacity=np.where(lead < 0, 3, rng.integers(3, 9, size)),
        lead=lead,
        away_from=away_from,
        away_to=away_to,
        slowness=np.exp(rng.normal(0, 0.35, size)),
    )


def win_customers(rng: np.random.Generator, seasons: Seasons, agents: Agents, size: int) -> Customers:
    """``size`` customers: about two thirds are there when the data begin, the others arrive week by week."""
    started = _starts(rng, seasons, size)
    language = np.where(rng.random(size) < 0.6, "id", "en").astype(object)
    first, last = _names(rng, language)
    plan = rng.choice(3, size, p=_PLAN_SHARES)
    fee = np.round(np.array(PLAN_FEES)[plan] * np.exp(rng.normal(0, 0.35, size)), -3)
    firm = rng.choice(np.array([f"{word}.example" for word in words.FIRMS], dtype=object), size)
    domain = np.where(plan == 0, "example.com", firm)
    email = _addresses(first, last, domain)
    email[rng.random(size) < 0.03] = None
    phone = _phones(rng, language)
    phone[rng.random(size) < 0.06] = None
    venter = rng.random(size) < 0.05
    busy = np.array([0.8, 1.1, 1.5])[plan]
    return Customers(
        name=first + " " + last,
        email=email,
        phone=phone,
        language=language,
        plan=plan,
        fee=fee,
        owner=_owners(rng, agents, language),
        started=started,
        do_not_contact=rng.random(size) < 0.02,
        vocal=(rng.random(size) < 0.45) | venter,
        venter=venter,
        content=rng.normal(0.1, 0.45, size),
        price_pain=rng.exponential(0.25, size) * np.array([1.3, 1.0, 0.5])[plan],
        card_trouble=rng.beta(0.6, 25, size),
        stubborn=rng.random(size) < 0.07,
        usage=busy * np.exp(rng.normal(0.0, 0.65, size)),
        contact=0.05 * busy * np.exp(rng.normal(0, 0.6, size)),
        purchase=0.11 * np.exp(rng.normal(-0.15, 0.6, size)),
        self_service=0.10 * np.exp(rng.normal(-0.15, 0.7, size)),
        visit=0.025 * np.exp(rng.normal(-0.3, 0.8, size)),
    )


def _starts(rng: np.random.Generator, seasons: Seasons, size: int) -> Times:
    there = round(size * _ALREADY_THERE)
    before = -np.minimum(rng.exponential(650, there), 2_400)  # days before the data begin
    during = rng.random(size - there) * seasons.days
    day = np.floor(np.concatenate([before, during])).astype(np.int64)
    second = day * DAY + rng.integers(8 * 3_600, 20 * 3_600, size)
    return np.sort(seasons.midnight + second.astype("timedelta64[s]"))


def _names(rng: np.random.Generator, language: Texts) -> tuple[Texts, Texts]:
    size = language.size
    local = rng.random(size) < np.where(language == "id", 0.93, 0.35)

    def pick(indonesian: list[str], international: list[str]) -> Texts:
        ours = rng.choice(np.array(indonesian, dtype=object), size)
        theirs = rng.choice(np.array(international, dtype=object), size)
        return np.where(local, ours, theirs)

    return (
        pick(words.INDONESIAN_FIRST, words.INTERNATIONAL_FIRST),
        pick(words.INDONESIAN_LAST, words.INTERNATIONAL_LAST),
    )


def _addresses(first: Texts, last: Texts, domain: Texts) -> Texts:
    return np.array(
        [
            f"{one}.{two}{row}@{host}".lower().replace("'", "")
            for row, (one, two, host) in enumerate(zip(first, last, domain, strict=True), start=1)
        ],
        dtype=object,
    )


def _phones(rng: np.random.Generator, language: Texts) -> Texts:
    # Numbers that ring nowhere: no Indonesian area code begins with 0; +44 7700 900xxx is kept for fiction.
    digits = rng.integers(0, 10_000_000, language.size)
    abroad = (language == "en") & (rng.random(language.size) < 0.5)
    return np.array(
        [
            f"+44 7700 900{number % 1_000:03d}" if far else f"+62 000 {number // 10_000:03d} {number % 10_000:04d}"
            for number, far in zip(digits, abroad, strict=True)
        ],
        dtype=object,
    )


def _owners(rng: np.random.Generator, agents: Agents, language: Texts) -> Ints:
    owner = np.zeros(language.size, dtype=np.int64)
    for spoken in ("en", "id"):
        team = np.flatnonzero(agents.language == spoken)
        share = agents.capacity[team] / agents.capacity[team].sum()
        rows = np.flatnonzero(language == spoken)
        owner[rows] = rng.choice(team, rows.size, p=share)
    return owner
