"""Words that people list in a family: plain words and phrases, by language."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from churnwatch.spec.node import Language

_WORD = re.compile(r"\*?[^\W_]+(?:'[^\W_]+)*\*?")
_STEM = 3
"""The fewest letters that may stand beside a ``*``."""
GAP = "..."
"""In a phrase: no word, one or two."""


def _plain(value: str) -> str:
    """Small letters, digits, apostrophes; a space or hyphen between words, or a gap; ``*`` at an end of a word."""
    words = re.split(rf" {re.escape(GAP)} |[ -]", value)
    if value != value.lower() or not all(_WORD.fullmatch(word) for word in words):
        small = value.lower()
        if value != small and all(_WORD.fullmatch(word) for word in re.split(rf" {re.escape(GAP)} |[ -]", small)):
            raise ValueError(f"{value!r} has capitals: write {small!r}, which finds every spelling")
        raise ValueError(
            f"{value!r} is no plain word or phrase: small letters, digits, apostrophes, one space between words; "
            f"`*` at an end of a word for any letters, `{GAP}` between words for up to two words"
        )
    if any("*" in word and len(word.strip("*")) < _STEM for word in words):
        raise ValueError(f"{value!r} would match too much: at least {_STEM} letters stand beside `*`")
    return value


def _each_once(value: tuple[str, ...]) -> tuple[str, ...]:
    for phrase in value:
        if value.count(phrase) > 1:
            raise ValueError(f"{phrase!r} stands twice in one list")
    return value


def _as_tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


Phrase = Annotated[str, AfterValidator(_plain)]
Phrases = Annotated[
    dict[
        Language,
        Annotated[tuple[Phrase, ...], BeforeValidator(_as_tuple), Field(min_length=1), AfterValidator(_each_once)],
    ],
    Field(min_length=1),
]
"""Phrases by language; all are looked for in every text, whatever its language."""
