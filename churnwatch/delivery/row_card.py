"""One row of the list as the page shows it: every value a finished text."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from churnwatch.delivery import words
from churnwatch.delivery.card_words import ranking_words
from churnwatch.delivery.risk_curve import spark
from churnwatch.delivery.text import clean
from churnwatch.outreach import Further, ListRow
from churnwatch.reasons import money


def mark_of(row: ListRow) -> str:
    """What marks a row that the listing model does not list for its risk, as a word's key; empty where it does.

    ``proactive``, or ``growing_unhappy`` or ``early_sign`` where a further model lists it.
    """
    if row.proactive:
        return "proactive"
    if row.further is None or not row.by_further:
        return ""
    return "growing_unhappy" if row.further.answers else "early_sign"


def customer(row: ListRow, *, total: int | None, language: str, as_of: date, currency: str) -> dict[str, Any]:
    """One row for the template; ``None`` where it says that a value is missing.

    ``total`` rows are on the page, ``None`` where all of them are this owner's.
    """
    name = clean(row.customer_name)
    reasons = [clean(reason) for reason in row.reasons]
    direction, change = _change(row.change, before=row.listed_before is not None, language=language)
    key = "bad_answer" if row.answers else "risk"
    own = {
        "key": key,
        "label": words.say(key, language=language),
        "risk": None if row.risk is None else words.percent(row.risk, language=language),
        "band": row.band,
        "width": f"{100 * (row.risk or 0):.1f}",
        "expected": _expected(row.expected_score, None, language=language),
    }
    beside = None if row.further is None else _beside(row.further, answers_too=row.answers, language=language)
    mark = mark_of(row)
    return {
        "kind": "proactive" if row.proactive else "further" if mark else row.band,
        # What people call the rule stands in the owner's language already.
        "mark": (clean(row.proactive_title) or words.say(mark, language=language)) if mark else None,
        "mark_kind": "proactive" if row.proactive else "further",
        # The larger figure is that of the model that lists the row.
        "main": beside if row.by_further else own,
        "other": own if row.by_further else beside,
        "not_yet": words.say("not_unhappy_yet" if row.answers else "not_leaving_yet", language=language),
        "proactive": bool(row.proactive),
        "rank": None if total is None else _rank(row.rank, total=total, language=language),
        "name": name or clean(row.customer_id),
        "id": clean(row.customer_id) if name else "",
        "handed": _handed(row, language=language),
        "direction": direction,
        "change": change,
        "rising_since": _rising(row.rising_since, as_of=as_of, language=language),
        "spark": spark(row.curve, rising_since=row.rising_since, as_of=as_of, language=language),
        "back_early": words.days_in(clean(row.back_early), language=language) if row.back_early else None,
        "reasons": [words.days_in(reason, language=language) for reason in reasons if reason],
        "what_if": clean(row.counterfactual) if row.counterfactual else None,
        "action": clean(row.action),
        "steps": clean(row.action_steps),
        "way": _way(row, language=language),
        "due": words.short_day(row.due, language=language),
        "due_near": _near(row.due, as_of=as_of, language=language),
        "last_contact": words.day(row.last_contact, language=language) if row.last_contact else None,
        "contact_age": _age(row.last_contact, as_of=as_of, language=language),
        "last_survey": words.days_in(clean(row.last_survey), language=language) if row.last_survey else None,
        "more": _more(row, own, language=language),
        "value": None if row.value_at_risk is None else money(row.value_at_risk, currency=currency, language=language),
        "baseline": clean(ranking_words(row.baseline, language)) if row.baseline else None,
        "rule_score": None if row.rule_score is None else words.whole(row.rule_score, language=language),
    }


def _handed(row: ListRow, *, language: str) -> str | None:
    """Why the row is not on the list of who looks after the customer; ``None`` where it is."""
    if not row.handed:
        return None
    owner = clean(row.account_owner_name) or clean(row.account_owner)
    return words.say(row.handed, language=language, owner=owner)


def _more(row: ListRow, own: Mapping[str, Any], *, language: str) -> list[tuple[str, str]]:
    """What is told on a click, what is not known left out: the word's key and the text."""
    said = [
        ("why_this", words.days_in(clean(row.action_why or ""), language=language)),
        ("tone", clean(row.action_tone)),
        ("listed_before", words.day(row.listed_before, language=language) if row.listed_before else ""),
    ]
    if row.proactive and own["risk"]:
        said.append((own["key"], f"{own['risk']}, {words.say(row.band, language=language)}"))
    return [(key, told) for key, told in said if told]


def _way(row: ListRow, *, language: str) -> str:
    """By which channel, and how long it takes: ``phone · 15 min``."""
    said = [clean(row.action_channel)] if row.action_channel else []
    if row.action_minutes is not None:
        said.append(words.say("minutes_short", language=language, n=words.whole(row.action_minutes, language=language)))
    return " · ".join(said)


def _rising(since: date | None, *, as_of: date, language: str) -> str | None:
    """``rising since 11 Apr 2026, for 21 days``."""
    if since is None:
        return None
    said = words.say("rising_since", language=language, day=words.day(since, language=language))
    days = (as_of - since).days
    return f"{said}, {words.say_number('for_days', days, language=language)}" if days > 0 else said


def _beside(further: Further, *, answers_too: bool, language: str) -> dict[str, Any]:
    """What a further model says, each value a finished text; of two models of answers by its own title."""
    titled = answers_too or not further.answers
    return {
        "label": clean(further.title) if titled else words.say("bad_answer", language=language),
        "risk": words.percent(further.risk, language=language),
        "band": further.band,
        "width": f"{100 * further.risk:.1f}",
        "way": _lately(further.change, ("rose_lately", "fell_lately"), language=language),
        "expected": _expected(further.expected_score, further.expected_change, language=language),
    }


def _expected(score: float | None, change: float | None, *, language: str) -> str | None:
    """The expected score of 100 with its change; ``None`` from a model that expects none."""
    if score is None:
        return None
    said = words.say("expected_score", language=language, n=words.whole(round(100 * score), language=language))
    lately = _lately(change, ("higher_lately", "lower_lately"), language=language)
    return ", ".join([said, *([lately[1]] if lately else [])])


def _lately(change: float | None, ways: tuple[str, str], *, language: str) -> tuple[str, str] | None:
    """Which way within four weeks, and in words: whole points; ``None`` where nobody knows."""
    if change is None:
        return None
    points = round(100 * change)
    if points == 0:
        return "same", words.say("same_lately", language=language)
    said = words.say(ways[points < 0], language=language, n=words.whole(abs(points), language=language))
    return "rose" if points > 0 else "fell", said


def _rank(rank: int, *, total: int, language: str) -> str:
    """The place on the whole list, which is another one than that among the owner's own."""
    n, whole = (words.whole(number, language=language) for number in (rank, total))
    return words.say("rank", language=language, n=n, total=whole)


def _change(change: float | None, *, before: bool, language: str) -> tuple[str, str]:
    """Which way, and in words: whole percentage points; ``before``: a list of the last weeks named the customer."""
    if change is None:
        return "new", words.say("again" if before else "new", language=language)
    points = round(100 * change)
    if points == 0:
        return "same", words.say("same", language=language)
    direction = "rose" if points > 0 else "fell"
    return direction, words.say(direction, language=language, n=words.whole(abs(points), language=language))


def _near(due: date, *, as_of: date, language: str) -> str | None:
    """Today, tomorrow or overdue; ``None`` for a later day, which is told by its date alone."""
    days = (due - as_of).days
    if days > 1:
        return None
    return words.say({0: "today", 1: "tomorrow"}.get(days, "late"), language=language)


def _age(day: date | None, *, as_of: date, language: str) -> str | None:
    """How long ago, ``None`` for no day at all and for as-of's own."""
    days = 0 if day is None else (as_of - day).days
    return words.say_number("days_ago", days, language=language) if days > 0 else None
