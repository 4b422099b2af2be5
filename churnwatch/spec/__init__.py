"""The project's objects, frozen, each with its invariants; ``project`` makes them from files."""

from churnwatch.spec.civil import civil_day, midnight
from churnwatch.spec.deployment import Action, Deployment, Playbook, ProjectSpec, Tracking
from churnwatch.spec.model import (
    Answer,
    Answering,
    Bad,
    Bands,
    Baselines,
    Gates,
    Grid,
    LearnerSettings,
    Model,
    Outcome,
    Population,
)
from churnwatch.spec.node import Duration, Language, Node, Words
from churnwatch.spec.outreach import MOST, Holdout, Outreach, Proactive
from churnwatch.spec.search import Searched
from churnwatch.spec.signal import MENTIONS, OPTIONAL, PLACEHOLDER, Column, EventTable, Example, Family, Signal
from churnwatch.spec.source import CanonicalTable, Exclusion, Mapping, RawType, Source, Sources
from churnwatch.spec.where import Level, Where, level_text, where_sql, where_words
from churnwatch.spec.wording import GAP, Phrases

__all__ = [
    "GAP",
    "MENTIONS",
    "MOST",
    "OPTIONAL",
    "PLACEHOLDER",
    "Action",
    "Answer",
    "Answering",
    "Bad",
    "Bands",
    "Baselines",
    "CanonicalTable",
    "Column",
    "Deployment",
    "Duration",
    "EventTable",
    "Example",
    "Exclusion",
    "Family",
    "Gates",
    "Grid",
    "Holdout",
    "Language",
    "LearnerSettings",
    "Level",
    "Mapping",
    "Model",
    "Node",
    "Outcome",
    "Outreach",
    "Phrases",
    "Playbook",
    "Population",
    "Proactive",
    "ProjectSpec",
    "RawType",
    "Searched",
    "Signal",
    "Source",
    "Sources",
    "Tracking",
    "Where",
    "Words",
    "civil_day",
    "level_text",
    "midnight",
    "where_sql",
    "where_words",
]
