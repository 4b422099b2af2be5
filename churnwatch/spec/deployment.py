"""Where and how: one folder of ``configs/``, and the playbook they share."""

from __future__ import annotations

import re
from typing import Any, Literal, Self
from urllib.parse import parse_qs, urlsplit

from pydantic import Field, field_validator, model_validator

from churnwatch.spec.model import Model
from churnwatch.spec.node import Language, Name, Node, Words, Zone
from churnwatch.spec.outreach import Outreach
from churnwatch.spec.signal import Column, Family
from churnwatch.spec.source import Sources

Channel = Literal["phone", "email", "chat", "visit", "letter"]

CHANNELS: dict[Channel, Words] = {
    "phone": Words(en="phone", id="telepon"),
    "email": Words(en="e-mail", id="e-mail"),
    "chat": Words(en="chat", id="chat"),
    "visit": Words(en="visit", id="kunjungan"),
    "letter": Words(en="letter", id="surat"),
}


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
    ledger: str | None = None
    """The URL of the PostgreSQL database that holds the ledger; left out: an SQLite file under ``state/``."""

    @field_validator("languages", "also", mode="before")
    @classmethod
    def _as_tuple(cls, value: Any) -> Any:
        return tuple(value) if isinstance(value, list) else value

    @field_validator("ledger")
    @classmethod
    def _url_without_password(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = urlsplit(value)
        if parts.scheme != "postgresql" or len(parts.path) < 2:
            raise ValueError(f"{_unsaid(value)} is no ledger; write postgresql://USER@HOST/DATABASE, or leave it out")
        if parts.password is not None or "password" in parse_qs(parts.query):
            raise ValueError("no password belongs here; put it into PGPASSWORD or ~/.pgpass, which PostgreSQL reads")
        return value

    @model_validator(mode="after")
    def _each_model_once(self) -> Self:
        used = (self.listing_model, *self.also)
        for name in self.also:
            if used.count(name) > 1:
                raise ValueError(f"the model {name} is in use twice: once as listing_model, or once under `also`")
        return self


def _unsaid(url: str) -> str:
    """A text that was to be a URL, without what may be a password."""
    return re.sub(r"//[^/]*@", "//…@", url)


class Tracking(Node):
    """``tracking.yaml``: where MLflow keeps runs and models. Left out: an SQLite store under ``state/``."""

    uri: str | None = None
    experiment: str | None = None


class Action(Node):
    """One thing an agent can do: the steps, in which tone, over which channel, and how long it takes."""

    title: Words
    steps: Words
    tone: Words | None = None
    """How to speak, in a few words; left out: nothing is said of it."""
    channel: Channel | None = None
    """How to reach the customer best; left out: as the agent likes."""
    minutes: int = Field(ge=1)

    def channel_in(self, language: Language) -> str:
        """The channel as people call it, empty without one."""
        return CHANNELS[self.channel].in_language(language) if self.channel else ""


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
        for name, rule in self.outreach.proactive.items():
            if rule.when.column not in seen:
                raise ValueError(f"outreach.yaml: proactive {name} names {rule.when.column}, which is no column")
            if rule.action not in actions:
                raise ValueError(
                    f"outreach.yaml: proactive {name} suggests {rule.action}, which is not in playbook.yaml"
                )
        if self.outreach.default_action not in actions:
            raise ValueError(f"outreach.yaml suggests {self.outreach.default_action}, which is not in playbook.yaml")
        return self
