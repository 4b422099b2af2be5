"""How the care team handles tickets: response, resolution, hand-offs, reopening, and how good that felt."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from churnwatch.synthetic.company import Agents, Bools, Customers
from churnwatch.synthetic.seasons import Feelings, Floats, Ints

CHANNELS = ("phone", "email", "chat", "social")
_SHARES = {"question": (0.3, 0.35, 0.28, 0.07), "complaint": (0.38, 0.34, 0.14, 0.14)}
_TOPIC_SHARES = {
    "question": (0.2, 0.15, 0.25, 0.15, 0.15, 0.1),
    "complaint": (0.22, 0.24, 0.28, 0.06, 0.14, 0.06),
}
_RESPONSE_MINUTES = np.array([3.0, 200.0, 6.0, 120.0])  # the middle of each channel
PATIENCE = 10
_RESOLUTION_HOURS = {"question": 9.0, "complaint": 22.0}


@dataclass(frozen=True)
class Handling:
    """One row per ticket opened in a week. Durations count from the opening; NaN: it never happened."""

    customer: Ints
    complaint: Bools
    channel: Ints
    topic: Ints
    agent: Ints
    response_minutes: Floats
    handoff_hours: Floats
    resolution_hours: Floats
    reopened_hours: Floats
    resolved_again_hours: Floats
    quality: Floats
    """How it felt: 0 is usual, below is worse."""


def handle(
    rng: np.random.Generator,
    agents: Agents,
    customers: Customers,
    opened: Ints,
    complaint: Bools,
    load: float,
) -> Handling:
    """Handle the tickets ``opened`` (customer rows) in one week; ``load`` above 1 makes everything slower."""
    size = opened.size
    channel = np.where(complaint, _draw(rng, _SHARES["complaint"], size), _draw(rng, _SHARES["question"], size))
    topic = np.where(
        complaint, _draw(rng, _TOPIC_SHARES["complaint"], size), _draw(rng, _TOPIC_SHARES["question"], size)
    )
    # Mostly the owner; otherwise whoever of the team is free.
    other = rng.integers(0, agents.size, size)
    same_language = agents.language[other] == customers.language[opened]
    agent = np.where((rng.random(size) < 0.25) & same_language, other, customers.owner[opened])
    slow = agents.slowness[agent] * load

    response = _RESPONSE_MINUTES[channel] * slow * np.exp(rng.normal(0, 0.8, size))
    unanswered = rng.random(size) < np.where((channel == 1) | (channel == 3), 0.07, 0.01)
    usual = np.where(complaint, _RESOLUTION_HOURS["complaint"], _RESOLUTION_HOURS["question"])
    spread = rng.normal(0, 1.0, size)
    resolution = usual * slow * np.exp(spread) + np.where(unanswered, 0.0, response / 60)
    handed = (rng.random(size) < np.where(complaint, 0.28, 0.12)) & ~unanswered
    resolution = np.where(handed, resolution * 1.4, resolution)
    stale = unanswered | (rng.random(size) < np.where(complaint, 0.10, 0.03))
    # Nobody works on a stale ticket; the system closes it after a month.
    resolution = np.where(stale, 24 * rng.uniform(30, 37, size), resolution)
    reopens = ~stale & (rng.random(size) < np.where(complaint, 0.2, 0.07) * np.clip(slow, 0.5, 2))
    reopened = resolution + 24 * (0.3 + rng.exponential(2.5, size))
    again = reopened + usual * slow * np.exp(rng.normal(0.3, 0.8, size))

    quality = -0.7 * np.log(resolution / usual) - 0.5 * handed - 1.1 * reopens - 0.2 * np.log(slow)
    quality = np.where(stale, -2.2, np.clip(quality, -2.5, 1.5))
    missing = np.nan
    return Handling(
        customer=opened,
        complaint=complaint,
        channel=channel,
        topic=topic,
        agent=agent,
        response_minutes=np.where(unanswered, missing, response),
        handoff_hours=np.where(handed, response / 60 + rng.random(size) * (resolution - response / 60), missing),
        resolution_hours=resolution,
        reopened_hours=np.where(reopens, reopened, missing),
        resolved_again_hours=np.where(reopens, again, missing),
        quality=quality,
    )


def escalate(rng: np.random.Generator, told: Handling, feeling: Feelings, vocal: Bools) -> Floats:
    """Hours from the opening until the customer has the case passed up; NaN: never. One entry per ticket of ``told``.

    Each day a case is open it may happen: likelier for a complaint, for who says so when unhappy, the unhappier, and
    once the case was handed on. Who has waited ``PATIENCE`` days asks no more.
    """
    daily = np.where(told.complaint, 0.022, 0.006) * np.where(vocal, 1.5, 0.7) * np.exp(-0.4 * np.clip(feeling, -2, 2))
    need = rng.exponential(1.0, told.customer.size) / daily  # days, were it never handed on
    handed = np.nan_to_num(told.handoff_hours / 24, nan=np.inf)
    days = np.minimum(need, handed + np.maximum(need - handed, 0) / 4)
    return np.where((days * 24 < told.resolution_hours) & (days < PATIENCE), days * 24, np.nan)


def _draw(rng: np.random.Generator, shares: tuple[float, ...], size: int) -> Ints:
    return np.searchsorted(np.cumsum(shares)[:-1], rng.random(size), side="right").astype(np.int64)
