"""What texts mention: the lists of words of the catalogue as SQL over the text of an interaction.

A text is read in small letters. Words are runs of letters, digits and apostrophes; what stands between them does not
matter, except that ``. , ; : ! ? …``, brackets and line ends close a clause, and so do the contrasts ("but"). A phrase
is mentioned where its words follow one another in one clause. Of the last letter of each word there may be several
("kecewaaa"), an apostrophe may be left out ("dont"), ``*`` stands for any letters or none, ``...`` for up to two words.

A mention is denied by a negation before it in the same clause, with at most two words between them ("don't want to
cancel"). A phrase that holds a negation itself ("can't cancel") is one phrase: its own negation does not deny it, nor
anything behind it. An exception ("cancel my order") is taken for one word that says nothing.

RE2 has no lookaround. So the text is written with two spaces between words, each mention becomes one sign, mentions
with their negation are taken out, and what is left says yes. Few texts mention anything: all others are told by one
search for any of the phrases, as they stand.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from churnwatch.sources.raw import literal
from churnwatch.spec import GAP, Family, Phrases

REACH = 2
"""Words that may stand between a negation and what it denies, and in a gap; our choice: "don't want to cancel"."""

_LETTER = r"\p{L}\p{M}\p{N}"
_APOSTROPHES = "'’‘`´ʼ"
_CLAUSE_ENDS = r"[.,;:!?…()\[\]{}\r\n]+"
_BETWEEN = f"[^{_LETTER}.]*[^{_LETTER}'.][^{_LETTER}.]*"
"""What is no word; a quotation mark around one, but not the apostrophe inside."""
_MENTION, _NOTHING = "§", "¤"
"""Signs that no word has."""


@dataclass(frozen=True)
class Mention:
    """A column of interactions that says whether a row's text mentions one of some words."""

    sql: str
    """Over the column ``text``: true or false, NULL where there is no text."""
    stored: bool
    """Whether interactions has it as a column of this name."""


def mentions_of(families: Iterable[Family]) -> dict[str, str]:
    """The columns ``mentions_<list>`` of the families' words, each as SQL over the column ``text``."""
    return {
        name: mention_sql(phrases, negations=family.negations, contrasts=family.contrasts, exceptions=family.exceptions)
        for family in families
        for name, phrases in family.mentions.items()
    }


def mention_sql(
    phrases: Phrases,
    *,
    negations: Phrases | None = None,
    contrasts: Phrases | None = None,
    exceptions: Phrases | None = None,
) -> str:
    """SQL: whether ``text`` mentions one of ``phrases`` that is not denied; NULL where there is no text."""
    small = 'lower("text")'
    plain = f"translate({small}, {literal(_APOSTROPHES)}, {literal(chr(39) * len(_APOSTROPHES))})"
    clauses = _replaced(plain, _CLAUSE_ENDS, " . ")
    told = _replaced(f"(' ' || {clauses} || ' ')", _BETWEEN, "  ")
    if contrasts is not None:
        told = _replaced(told, _any(contrasts), " . ")
    if exceptions is not None:
        told = _replaced(told, _any(exceptions), f" {_NOTHING} ")
    told = _replaced(told, _any(phrases), f" {_MENTION} ")
    if negations is not None:
        told = _replaced(told, f"{_any(negations)}(?: [^ .]+ ){{0,{REACH}}} {_MENTION} ", "  ")
    hint = f"regexp_matches({small}, {literal(_anywhere(phrases))})"
    return f"CASE WHEN \"text\" IS NULL THEN NULL WHEN {hint} THEN contains({told}, '{_MENTION}') ELSE false END"


def _all(phrases: Phrases) -> list[str]:
    """The longest first: of two that begin at one word it is the one that counts."""
    return sorted({one for some in phrases.values() for one in some}, key=lambda one: (-len(_words(one)), one))


def _any(phrases: Phrases) -> str:
    """Any of the phrases, where two spaces stand between words."""
    told = (_pattern(phrase, between="  ", letter="[^ .']", word="[^ .]+", quote="'") for phrase in _all(phrases))
    return f" (?:{'|'.join(told)}) "


def _anywhere(phrases: Phrases) -> str:
    """Any of the phrases in a text as it stands: it finds at least what is found word by word.

    Letters beyond ASCII are taken for letters and for what stands between them, as their classes make large patterns.
    """
    between, quote = r"[\W_]+", f"[{_APOSTROPHES}]"
    told = (_pattern(phrase, between=between, letter=r"\S", word=r"\S+", quote=quote) for phrase in _all(phrases))
    return rf"(?:^|[\W_])(?:{'|'.join(told)})(?:[\W_]|$)"


def _words(phrase: str) -> list[str]:
    return re.split("[ -]", phrase)


def _pattern(phrase: str, *, between: str, letter: str, word: str, quote: str) -> str:
    """A checked phrase (``spec/wording.py``): it holds no sign of a pattern but ``*``, and gaps."""
    parts = []
    for one in _words(phrase):
        if one == GAP:
            parts.append(f"(?:{word}{between}){{0,{REACH}}}")
        else:
            drawn_out = one if one.endswith("*") or one[-1].isdigit() else f"{one}+"
            parts.append(drawn_out.replace("*", f"{letter}*").replace("'", f"{quote}?") + between)
    return "".join(parts).removesuffix(between)


def _replaced(value: str, pattern: str, by: str) -> str:
    return f"regexp_replace({value}, {literal(pattern)}, {literal(by)}, 'g')"
