"""``outreach.yaml``: how long the list is, who may be on it, and who is left alone."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from churnwatch.spec.node import Duration, Name, Node, Words

MOST = 10
"""Rows of an owner a day at the most (DESIGN: short lists that respect people's time)."""


class Surveys(Node):
    """Whom ``surveys plan`` may ask again, and how many of them it draws at random."""

    fatigue: Duration = Duration("90d")
    """Nobody is asked twice within it, whatever the survey."""
    quiet: Duration = Duration("182d")
    """Who has answered within it has said what they think."""
    random_share: float = Field(default=0.2, ge=0, le=1)
    """The share of the places that is drawn at random among those who may be asked."""


class Cooldown(Node):
    """For how long a customer is left in peace, and what ends it early."""

    worked: Duration = Duration("14d")
    """From the day somebody spoke with them."""
    ignored: Duration = Duration("3d")
    """From the day of a list that named them and brought nothing, and from one on which nobody was reached."""
    rise: float = Field(default=0.10, gt=0, le=1)
    """A risk higher than then by at least this much ends it."""

    @model_validator(mode="after")
    def _whole_days(self) -> Self:
        for name in ("worked", "ignored"):
            if getattr(self, name).seconds % 86_400:
                raise ValueError(f"{name} is a number of whole days, such as 14d: lists are made by the day")
        return self


class Holdout(Node):
    """The share of those who would be listed that is left alone at random, to measure by."""

    share: float = Field(default=0.10, ge=0, le=0.5)
    epoch: Duration = Duration("90d")
    """For so long who was held out stays so; then everybody is drawn anew."""
    key: str | None = Field(default=None, min_length=1)
    """What the draw hangs on; left out: the deployment's name."""

    @model_validator(mode="after")
    def _some_or_none(self) -> Self:
        if 0 < self.share < 0.01:
            raise ValueError("share is 0, or at least 0.01: less shows nothing in any epoch")
        return self

    @model_validator(mode="after")
    def _whole_days(self) -> Self:
        if self.epoch.seconds % 86_400 or not self.epoch.seconds:
            raise ValueError("epoch is a number of whole days, such as 90d")
        return self


class When(Node):
    """A column of the catalogue and the numbers that meet the rule: ``from`` on, ``below`` excluded."""

    column: Name
    from_: float | None = Field(default=None, alias="from")
    below: float | None = None
    missing: bool = False
    """Whether a missing number meets it too (never asked, never bought)."""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.from_ is None and self.below is None:
            raise ValueError("`when` wants `from`, `below` or both")
        if self.from_ is not None and self.below is not None and self.from_ >= self.below:
            raise ValueError("`from` lies below `below`")
        return self


class Proactive(Node):
    """A rule by which somebody who is not at risk is listed: a good moment to be in touch."""

    title: Words
    when: When
    action: Name


class Outreach(Node):
    """``outreach.yaml``: how long the list is and who may be on it."""

    capacity: int = Field(default=5, ge=0, le=MOST)
    """Rows an owner can work in a day, where the agents table does not say."""
    capacity_total: float = Field(default=0.05, gt=0, le=1)
    """Without owners: the share of the observed customers that is listed."""
    minutes: int | None = Field(default=None, ge=1)
    """Minutes an owner has for the list in a day; ``None``: as many as its rows take."""
    minimum_band: str = Field(default="watch", pattern=r"^(healthy|watch|at_risk|critical)$")
    reasons: int = Field(default=3, ge=1, le=3)
    default_action: Name
    due_days: int = Field(default=1, ge=0)
    cooldown: Cooldown = Cooldown()
    holdout: Holdout = Holdout()
    consent: Literal["refused", "required"] = "refused"
    """Who is left out: those who have refused (customers.consent is false), or all who have not agreed."""
    also_share: float = Field(default=0.25, ge=0, le=1)
    """Of an owner's places those kept for customers whom a further model lists (``also`` in deployment.yaml)."""
    also_reasons: tuple[Name, ...] = ("surveys", "service", "contact", "wording", "fulfilment")
    """Families whose signs are told of such a customer; others only where none of these tells anything."""
    proactive_share: float = Field(default=0.10, ge=0, le=1)
    """Of an owner's places those kept for proactive rows."""
    proactive: dict[Name, Proactive] = Field(default_factory=dict)
    """By name, in the order in which they claim a customer."""
    surveys: Surveys = Surveys()

    @field_validator("also_reasons", mode="before")
    @classmethod
    def _as_tuple(cls, value: Any) -> Any:
        return tuple(value) if isinstance(value, list) else value
