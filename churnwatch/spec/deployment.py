"""Where and how: one folder of ``configs/``, and the playbook they share."""

from __future__ import annotations

from typing import Any, Self

from pydantic import Field, field_validator, model_validator

from churnwatch.spec.model import Model
from churnwatch.spec.node import Duration, Language, Name, Node, Words, Zone
from churnwatch.spec.signal import Column, Family
from churnwatch.spec.source import Sources


class Deployment(Node):
    """``deployment.yaml``: zone, money, languages, and which models are in use."""

    deployment: Name
    title: str
    zone: Zone
    currency: str = Field(pattern=r"^[A-Z]{3}$")
    languages: tuple[Language, ...] = Field(default=("en", "id"), min_length=1)
    listing_model: Name
    also: tuple[Name, ...] = ()
    """Further models in use: they list customers who are not leaving yet (``Outreach.also_share``)."""

    @field_validator("languages", "also", mode="before")
    @classmethod
    def _as_tuple(cls, value: Any) -> Any:
        return tuple(value) if isinstance(value, list) else value

    @model_validator(mode="after")
    def _each_model_once(self) -> Self:
        used = (self.listing_model, *self.also)
        for name in self.also:
            if used.count(name) > 1:
                raise ValueError(f"the model {name} is in use twice: once as listing_model, or once under `also`")
        return self


class Surveys(Node):
    """Whom ``surveys plan`` may ask again, and how many of them it draws at random."""

    fatigue: Duration = Duration("90d")
    """Nobody is asked twice within it, whatever the survey."""
    quiet: Duration = Duration("182d")
    """Who has answered within it has said what they think."""
    random_share: float = Field(default=0.2, ge=0, le=1)
    """The share of the places that is drawn at random among those who may be asked."""


class Outreach(Node):
    """``outreach.yaml``: how long the list is and who may be on it."""

    capacity: int = Field(default=5, ge=0)
    """Rows an owner can work in a day, where the agents table does not say."""
    capacity_total: float = Field(default=0.05, gt=0, le=1)
    """Without owners: the share of the observed customers that is listed."""
    minimum_band: str = Field(default="watch", pattern=r"^(healthy|watch|at_risk|critical)$")
    reasons: int = Field(default=3, ge=1, le=3)
    default_action: Name
    due_days: int = Field(default=1, ge=0)
    also_share: float = Field(default=0.25, ge=0, le=1)
    """Of an owner's places those kept for customers whom a further model lists (``also`` in deployment.yaml)."""
    also_reasons: tuple[Name, ...] = ("surveys", "service", "contact", "wording", "fulfilment")
    """Families whose signs are told of such a customer; others only where none of these tells anything."""
    surveys: Surveys = Surveys()

    @field_validator("also_reasons", mode="before")
    @classmethod
    def _as_tuple(cls, value: Any) -> Any:
        return tuple(value) if isinstance(value, list) else value


class Tracking(Node):
    """``tracking.yaml``: where MLflow keeps runs and models. Left out: an SQLite store under ``state/``."""

    uri: str | None = None
    experiment: str | None = None


class Action(Node):
    """One thing an agent can do."""

    title: Words
    steps: Words
    minutes: int = Field(ge=1)


class Playbook(Node):
    """``configs/playbook.yaml``: the actions by name."""

    actions: dict[Name, Action] = Field(min_length=1)


class ProjectSpec(Node):
    """Everything a deployment's files say, checked against each other."""

    deployment: Deployment
    sources: Sources
    outreach: Outreach
    tracking: Tracking
    playbook: Playbook
    families: tuple[Family, ...]
    models: dict[str, Model]
    replaced: tuple[Model, ...] = ()
    """The project's models in whose place the deployment has its own."""

    @property
    def columns(self) -> tuple[Column, ...]:
        """Every column of the catalogue, family by family."""
        return tuple(column for family in self.families for column in family.columns)

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        seen: dict[str, str] = {}
        for column in self.columns:
            if column.name in seen:
                raise ValueError(f"{column.name} stands in both {seen[column.name]} and {column.family}")
            seen[column.name] = column.family
        families = {family.family for family in self.families}
        for model in self.models.values():
            unknown = sorted(set(model.families) - families)
            if unknown:
                raise ValueError(f"the model {model.model} uses the family {unknown[0]}, which is not in features/")
            for name in (model.baselines.recency, model.baselines.last_score, model.baselines.tenure):
                if name is not None and name not in seen:
                    raise ValueError(f"a baseline of the model {model.model} names {name}, which is no column")
            for name in model.acknowledge:
                if seen.get(name) not in model.families:
                    raise ValueError(f"the model {model.model} acknowledges {name}, which is no column of its families")
        if "also_reasons" in self.outreach.model_fields_set:
            for name in self.outreach.also_reasons:
                if name not in families:
                    raise ValueError(f"outreach.yaml names the family {name}, which is not in features/")
        for name in (self.deployment.listing_model, *self.deployment.also):
            if name not in self.models:
                raise ValueError(f"deployment.yaml uses the model {name}, which is not in models/")
            if self.models[name].outcome.given is None and "interactions" not in self.sources.tables:
                raise ValueError(f"no mapping makes the table interactions, which the model {name} needs")
        actions = self.playbook.actions
        for family in self.families:
            for signal in family.signals:
                if signal.action is not None and signal.action not in actions:
                    raise ValueError(f"{signal.name} suggests {signal.action}, which is not in playbook.yaml")
        if self.outreach.default_action not in actions:
            raise ValueError(f"outreach.yaml suggests {self.outreach.default_action}, which is not in playbook.yaml")
        return self
