"""Signals as a care lead writes them: one family per file of ``features/``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from churnwatch.errors import nearest
from churnwatch.spec.node import Duration, Name, Node, Words
from churnwatch.spec.where import Where
from churnwatch.spec.wording import Phrases

EventTable = Literal["interactions", "surveys", "customers"]
Direction = Literal["up", "down", "any"]
Unit = Literal["count", "days", "minutes", "hours", "money", "share", "score", "number"]

MENTIONS = "mentions_"
"""Before the name of a list of words: the column it gives to interactions. No other column begins so."""
PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9_]*)\}")
OPTIONAL = re.compile(r"\[([^\[\]]*)\]")
"""A part of a reason that is left out where a number in it is missing or 0."""


class Signal(Node):
    """One number about an observation, or one per window.

    ``where`` keeps rows by equality or membership; ``aggregate`` names the function (``aggregates.py``);
    ``measure`` is the column it reads, ``by`` the column whose distinct values are counted, ``of`` the rows a
    share is taken of. ``windows`` look back from as-of; none means all history. ``compare: previous`` adds
    the change against the window before, ``compare: past`` that against all history before the window.
    ``after`` keeps rows that came up to ``within`` after an interaction which meets it was known.
    ``direction`` points towards the bad outcome.
    ``reason`` is worded with ``{value}``, ``{window}`` (days), ``{previous}`` (the window before) and any other column
    of the family by its name; a part in square brackets is left out where a number in it is missing or 0. ``remedy``
    says of an actionable signal what would put it right ("if the open cases were solved"). Signals that say the same
    thing share a word in ``says`` and become one reason.
    """

    name: Name
    description: str
    where: Where = Field(default_factory=dict)
    aggregate: Name
    measure: Name | None = None
    by: Name | None = None
    of: Where | None = None
    after: Where | None = None
    within: Duration | None = None
    windows: tuple[Duration, ...] = ()
    compare: Literal["previous", "past"] | None = None
    direction: Direction
    unit: Unit = "count"
    actionable: bool = False
    reason: Words
    change_reason: Words | None = None
    remedy: Words | None = None
    action: Name | None = None
    says: Name | None = None

    @field_validator("windows", mode="before")
    @classmethod
    def _windows_as_tuple(cls, value: Any) -> Any:
        return tuple(value) if isinstance(value, list) else value

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        if len(set(self.windows)) != len(self.windows):
            raise ValueError(f"windows of {self.name} repeat: {', '.join(self.windows)}")
        if any(window.seconds == 0 for window in self.windows):
            raise ValueError(f"a window of {self.name} is empty: a window is longer than 0d")
        if self.compare and not self.windows:
            raise ValueError(f"{self.name} compares with the time before a window but has no windows")
        if self.after is not None and self.within is None:
            raise ValueError(f"{self.name} has `after` but no `within`: how long after?")
        if self.within is not None and self.within.seconds == 0:
            raise ValueError(f"{self.name} has `within: 0d`, which holds no row: it is longer than 0d")
        if self.compare and self.change_reason is None:
            raise ValueError(f"{self.name} has compare but no change_reason: how would the change be told?")
        if self.remedy is not None and not self.actionable:
            raise ValueError(f"{self.name} has a remedy but is not actionable: what nobody can act on has none")
        for text in (self.remedy.en, self.remedy.id) if self.remedy else ():
            if set("{}") & set(text):
                raise ValueError(f"the remedy of {self.name} holds a brace, and there is no number to fill in: {text}")
        return self


@dataclass(frozen=True)
class Column:
    """One column of the signal matrix: a signal, its window (``None``: all history), value or change."""

    name: str
    family: str
    table: EventTable
    signal: Signal
    window: Duration | None
    change: bool = False

    @property
    def direction(self) -> Direction:
        """Towards the bad outcome."""
        return self.signal.direction


class Example(Node):
    """Rows in, numbers out: checked by ``churnwatch check`` before any data are touched.

    Times without a zone are UTC; ``known_at`` defaults to ``at``; an expected ``null`` means missing.
    ``interactions`` are rows of that table beside those of a family of another one, for signals with `after`.
    """

    as_of: date | datetime
    rows: tuple[dict[str, Any], ...]
    interactions: tuple[dict[str, Any], ...] = ()
    expect: dict[str, float | int | None] = Field(min_length=1)

    @field_validator("rows", "interactions", mode="before")
    @classmethod
    def _rows_as_tuple(cls, value: Any) -> Any:
        return tuple(value) if isinstance(value, list) else value


class Family(Node):
    """One file of ``features/``: the signals of one table that tell one side of the customer.

    Each list of ``words`` gives interactions a column ``mentions_<list>`` for the ``where`` of this family's signals:
    whether the row's text mentions one of its phrases that none of ``negations`` denies. ``contrasts`` end the reach of
    a negation; ``exceptions`` hold such a phrase and mean something else (``sources/wording.py``).
    """

    family: Name
    description: str
    table: EventTable
    words: dict[Name, Phrases] = Field(default_factory=dict)
    negations: Phrases | None = None
    contrasts: Phrases | None = None
    exceptions: Phrases | None = None
    signals: tuple[Signal, ...] = Field(min_length=1)
    examples: tuple[Example, ...] = Field(min_length=1)

    @field_validator("signals", "examples", mode="before")
    @classmethod
    def _as_tuple(cls, value: Any) -> Any:
        return tuple(value) if isinstance(value, list) else value

    @property
    def mentions(self) -> dict[str, Phrases]:
        """The columns that ``words`` give to interactions, each with its phrases."""
        return {f"{MENTIONS}{name}": phrases for name, phrases in self.words.items()}

    @property
    def columns(self) -> tuple[Column, ...]:
        """The matrix columns of this family, in file order: windows as written, each value before its change."""
        return tuple(self._expand())

    def _expand(self) -> Iterator[Column]:
        for signal in self.signals:
            for window in signal.windows or (None,):
                name = f"{signal.name}_{window}" if window else signal.name
                yield Column(name, self.family, self.table, signal, window)
                if signal.compare:
                    yield Column(f"{name}_change", self.family, self.table, signal, window, change=True)

    @model_validator(mode="after")
    def _words_have_a_text(self) -> Self:
        if self.words and self.table != "interactions":
            raise ValueError(f"`words` stand with interactions only: a row of {self.table} has no text")
        for key in ("negations", "contrasts", "exceptions"):
            if getattr(self, key) is not None and not self.words:
                raise ValueError(f"there are {key} but no `words` that they could be about")
        if self.contrasts is not None and self.negations is None:
            raise ValueError("there are contrasts but no `negations` whose reach they could end")
        return self

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        seen: set[str] = set()
        for column in self.columns:
            if column.name in seen:
                raise ValueError(f"two columns are called {column.name}")
            seen.add(column.name)
        for signal in self.signals:
            for words in (signal.reason, signal.change_reason):
                for text in (words.en, words.id) if words else ():
                    _check_words(signal, text, seen)
        for example in self.examples:
            unknown = sorted(set(example.expect) - seen)
            if unknown:
                meant = nearest(unknown[0], seen)
                told = f"an example expects {unknown[0]}, which is no column of this family"
                raise ValueError(f"{told}: {meant}" if meant else told)
        return self


def _check_words(signal: Signal, text: str, columns: set[str]) -> None:
    """Every place in a reason must have a number to fill it; a place left over would be read by an agent."""
    for name in PLACEHOLDER.findall(text):
        if name == "window" and not signal.windows:
            raise ValueError(f"the reason of {signal.name} names {{window}}, but the signal has no windows")
        if name == "previous" and not signal.compare:
            raise ValueError(f"the reason of {signal.name} names {{previous}}, but the signal has no compare")
        if name not in columns and name not in {"value", "window", "previous"}:
            raise ValueError(
                f"the reason of {signal.name} names {{{name}}}, which is neither value, window "
                "nor previous, nor a column of this family"
            )
    if set("{}") & set(PLACEHOLDER.sub("", text)):
        raise ValueError(f"the reason of {signal.name} has a stray brace: {text}")
    if set("[]") & set(OPTIONAL.sub("", text)):
        raise ValueError(f"the reason of {signal.name} has a stray bracket: {text}")
    for part in OPTIONAL.findall(text):
        if not PLACEHOLDER.search(part):
            raise ValueError(f"the reason of {signal.name} has a part in brackets that names no number: [{part}]")
