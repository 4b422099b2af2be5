"""What came of a contact, as agents write it: the words in both languages, and what a cell of them says."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from churnwatch.delivery import words
from churnwatch.errors import nearest

OUTCOMES: dict[str, tuple[str, str]] = {
    "reached": ("reached", "terhubung"),
    "not_reached": ("not reached", "tidak terhubung"),
    "solved": ("solved", "selesai"),
    "offer_accepted": ("offer accepted", "tawaran diterima"),
    "will_stay": ("will stay", "akan bertahan"),
    "will_leave": ("will leave", "akan berhenti"),
    "wrong_flag": ("wrong flag", "tanda keliru"),
    "snooze": ("snooze until", "tunda sampai"),
}
"""The word of each outcome in English and Indonesian, as drop-downs offer it; a snooze is followed by its day."""

_ALSO = {
    "berhasil dihubungi": "reached",
    "tidak terjawab": "not_reached",
    "tidak berhasil dihubungi": "not_reached",
    "belum terhubung": "not_reached",
    "teratasi": "solved",
    "menerima tawaran": "offer_accepted",
    "tetap berlangganan": "will_stay",
    "alasan keliru": "wrong_flag",
    "flag wrong": "wrong_flag",
    "snooze": "snooze",
    "tunda": "snooze",
    "tunda hingga": "snooze",
}
"""Further words that mean the same."""

_KEYS = {word: key for key, both in OUTCOMES.items() for word in both} | _ALSO
_TOGETHER = (
    ("will_stay", "will_leave"),
    *(("not_reached", other) for other in ("reached", "solved", "offer_accepted", "will_stay", "will_leave")),
)
"""What cannot have come of one contact both."""
_SNOOZE = re.compile(r"^(?P<word>(?:snooze|tunda)(?: until| sampai| hingga)?)\s*:?\s*(?P<day>\S.*)$")
_FLAGGED = re.compile(rf"(?:{'|'.join(word for word, key in _KEYS.items() if key == 'wrong_flag')})\b")


@dataclass(frozen=True)
class Outcomes:
    """What a cell says: keys of ``OUTCOMES`` in their order, each once; ``snooze_until`` is set where snooze is one."""

    words: tuple[str, ...]
    snooze_until: date | None = None


@dataclass(frozen=True)
class Wrong:
    """Why a cell cannot be taken: what was found, what is allowed, what to try."""

    found: str
    allowed: str = ""
    hint: str = ""


def word(key: str, *, language: str, until: date | None = None) -> str:
    """The word of an outcome: ``will stay``, ``akan bertahan``, ``snooze until 2026-08-01``."""
    said = OUTCOMES[key][words.known(language) == "id"]
    return f"{said} {until}" if until else said


def offered(language: str, *, until: date) -> list[str]:
    """The words that a drop-down offers; ``until`` is the day it offers to snooze until."""
    return [word(key, language=language, until=until if key == "snooze" else None) for key in OUTCOMES]


def parse_outcomes(text: str, *, why: str = "") -> Outcomes | Wrong:
    """The outcomes of a cell: words in English or Indonesian, joined by ``;`` (or a comma), capitals as you like.

    A ``why`` beside it says that the reasons were wrong, so it is a wrong flag; a wrong flag needs one. Empty text
    without a why gives no words.
    """
    keys: list[str] = []
    until: date | None = None
    for part in re.split(r"[;,\n]", text):
        told = _plain(part)
        if not told:
            continue
        snoozed = _SNOOZE.match(told)
        key = "snooze" if snoozed else _KEYS.get(told)
        if key is None and _FLAGGED.match(told):
            return Wrong(
                f"`{_shown(part)}` says why in the same cell",
                "wrong flag or tanda keliru alone, and what was wrong in the next column, flag_wrong_reason",
            )
        if key is None:
            return Wrong(f"`{_shown(part)}` is no outcome", _allowed(), nearest(told, _KEYS))
        if key == "snooze":
            day = _day(snoozed["day"]) if snoozed else None
            if day is None:
                return Wrong(f"`{_shown(part)}` names no day", "snooze until 2026-08-01, tunda sampai 2026-08-01")
            if until not in (None, day):
                return Wrong(f"it snoozes until {until} and until {day}", "one day")
            until = day
        if key not in keys:
            keys.append(key)
    if why and "wrong_flag" not in keys:
        keys.append("wrong_flag")
    if "wrong_flag" in keys and not why:
        return Wrong("a wrong flag without a why", "what was wrong with the reasons, in the column flag_wrong_reason")
    for one, other in _TOGETHER:
        if one in keys and other in keys:
            both = f"{OUTCOMES[one][0]} and {OUTCOMES[other][0]}"
            return Wrong(f"{both} cannot both have come of one contact", "one of them")
    return Outcomes(tuple(key for key in OUTCOMES if key in keys), until)


def _plain(text: str) -> str:
    """Small letters and single blanks, so that ``Not_Reached `` is ``not reached``."""
    return " ".join(re.sub(r"[\s_]+", " ", text).casefold().split())


def _shown(text: str) -> str:
    """What stands there, short: nobody's notes are repeated at length."""
    plain = " ".join(text.split())
    return plain if len(plain) <= 40 else f"{plain[:40]}…"


def _allowed() -> str:
    def said(place: int) -> Sequence[str]:
        return [both[place] + (" 2026-08-01" if key == "snooze" else "") for key, both in OUTCOMES.items()]

    return f"{', '.join(said(0))}; {', '.join(said(1))}; several joined by ;"


def _day(text: str) -> date | None:
    """An ISO day; of any other form nobody can tell the month from the day."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if str(day) == text else None
