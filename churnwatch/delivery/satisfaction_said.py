"""What page and terminal say alike of satisfaction: why a number is not there, and in which order owners stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from churnwatch.delivery import words
from churnwatch.delivery.satisfaction_words import say

Told = Mapping[str, Any]
"""What ``churnwatch satisfaction --json`` tells, or a part of it."""

NAMES = {"nps": "NPS", "csat": "CSAT", "ces": "CES"}
"""Instruments whose question and name readers know; of others the name stands as the file has it."""


def named(instrument: str) -> str:
    """How readers know an instrument."""
    return NAMES.get(instrument, instrument[:1].upper() + instrument[1:])


def counted(told: Told) -> list[Told]:
    """The instruments of which a survey counts."""
    return [one for one in told["instruments"] if one["asked"] or one["answered"]]


def absent(told: Told, *, language: str) -> list[str]:
    """A sentence for each instrument of which no survey counts, or one where there are no surveys at all."""
    if not told["surveys_mapped"]:
        return [say("not_mapped", language=language)]
    gone = [one for one in told["instruments"] if not (one["asked"] or one["answered"])]
    if len(gone) == len(told["instruments"]) and not any(one["left_out"] or one["pending"] for one in gone):
        return [say("nobody", language=language)]
    found = []
    for one in gone:
        name = named(one["instrument"])
        for key, count in (("all_left_out", one["left_out"]), ("all_pending", one["pending"])):
            if count:
                found.append(say(key, language=language, name=name, n=words.whole(count, language=language)))
        if not one["in_data"]:
            found.append(say("not_in_data", language=language, name=name))
        elif not one["left_out"] and not one["pending"]:
            found.append(say("not_sent", language=language, name=name))
    return found


def headline_of_none(told: Told, *, language: str) -> str:
    """What is said first where no survey counts."""
    n = sum(one["left_out"] + one["pending"] for one in told["instruments"])
    if n and told["surveys_mapped"]:
        return say("none_counted", language=language, n=words.whole(n, language=language))
    return absent(told, language=language)[0]


def lack(one: Told, *, language: str) -> str:
    """Why an instrument, a group or a month has no number."""
    answered, answerers = one["answered"], one["answerers"]
    if not answered:
        return say("no_answer_yet", language=language)
    key = "too_few" if answerers == answered else "too_few_of"
    n, customers = words.whole(answered, language=language), words.whole(answerers, language=language)
    return say(key, language=language, n=n, customers=customers)


def decimals(quantity: Mapping[str, float], least: int) -> int:
    """So many that no end of a difference looks like zero and is none; one more than ``least`` at most."""
    return least + any(value and not round(value, least) for value in quantity.values())


def owners(asked: Sequence[Told]) -> list[tuple[str | None, str | None, dict[int, Told]]]:
    """Each owner, their name where it is known, and their group by the place of the instrument in ``asked``.

    The worst number of the first instrument first, then by name; whoever has no number of it last.
    """
    found: dict[str | None, dict[int, Told]] = {}
    for place, one in enumerate(asked):
        for group in one["groups"].get("owner", []):
            found.setdefault(group["level"], {})[place] = group
    rows = [(key, next(iter(groups.values())).get("name"), groups) for key, groups in found.items()]

    def order(row: tuple[str | None, str | None, dict[int, Told]]) -> tuple[bool, float, str, str]:
        key, name, groups = row
        group = groups.get(0)
        main = group and (group["corrected"] or group["naive"])
        worst = (main["value"] if asked[0]["higher_is_better"] else -main["value"]) if main else 0.0
        return (not main, worst, name or key or "", key or "")

    return sorted(rows, key=order)


def satisfaction_warnings(
    *,
    language: str,
    stale: Sequence[tuple[str, float, datetime, float]],
    late: Mapping[str, tuple[int, int]],
    within: str,
    left_out: int,
    history: int,
    counted_from: str | None,
) -> list[str]:
    """What whoever reads the numbers should know, in sentences.

    ``stale``: sources that have fallen silent, each with days of silence, its last row and its usual rows a day.
    ``late``: by instrument the answers that came after ``within``, and all. ``left_out``: surveys of the window from
    the first ``history`` days of the data, before the day ``counted_from``.
    """

    def whole(n: float) -> str:
        return words.whole(round(n), language=language)

    found = []
    if left_out and counted_from:
        day = words.day(date.fromisoformat(counted_from), language=language)
        found.append(say("left_out", language=language, days=whole(history), n=whole(left_out), day=day))
    for source, days, last, usual in stale:
        values = {"source": source, "days": whole(days), "last": f"{last:%Y-%m-%d}", "usual": whole(usual)}
        found.append(say("stale", language=language, **values))
    for name, (count, answers) in late.items():
        values = {"late": whole(count), "all": whole(answers), "name": name, "within": within}
        found.append(say("late_answers", language=language, **values))
    return found
