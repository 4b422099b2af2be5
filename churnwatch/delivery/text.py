"""Text that came from data, made safe to show: no control characters, and never a formula."""

from __future__ import annotations

import re
import unicodedata

_SPACES = str.maketrans(dict.fromkeys("\t\n\r\v\f\x85\u2028\u2029", " "))
# Marks that turn the reading direction make one text look like another.
_TURNS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")
_FORMULA = r"=+\-@\uff1d\uff0b\uff0d\uff20"  # spreadsheets in East Asian languages take the wide signs too
_STARTS = re.compile(rf"^[{_FORMULA}]")
# Where the list separator is a semicolon (Indonesia's is), a program may cut our cell there.
_STARTS_AFTER_CUT = re.compile(rf";(?=[\s\"]*[{_FORMULA}])")
_GUARDS = re.compile(rf"(?:^'(?=[{_FORMULA}]))|(?<=;)'(?=[\s\"]*[{_FORMULA}])")


def clean(text: str) -> str:
    """One line without control characters, lone surrogates and marks that turn the reading direction."""
    if text.isprintable():
        return text.strip()  # none of those is printable, and most texts are
    shown = "".join(
        character
        for character in text.translate(_SPACES)
        if unicodedata.category(character) not in ("Cc", "Cs") and character not in _TURNS
    )
    return shown.strip()


def cell(text: str) -> str:
    """Clean text that no spreadsheet takes for a formula: an apostrophe precedes a sign that starts one."""
    guarded = _STARTS_AFTER_CUT.sub(";'", clean(text))
    return f"'{guarded}" if _STARTS.match(guarded) else guarded


def unguarded(text: str) -> str:
    """A text of a table as it was before ``cell`` kept it from being a formula."""
    return _GUARDS.sub("", text) if "'" in text else text


def is_formula(text: str) -> bool:
    """Whether a spreadsheet in which it is typed takes the text for a formula."""
    return _STARTS.match(text) is not None
