"""The list as ``outreach.html``: one page an agent opens on a phone or a desk, or prints."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from churnwatch.delivery import words
from churnwatch.delivery.card_words import ranking_words
from churnwatch.delivery.template import template
from churnwatch.delivery.text import clean
from churnwatch.outreach import Further, ListRow
from churnwatch.reasons import money

BANDS = ("critical", "at_risk", "watch", "healthy")
"""Worst first, as the page counts them."""


def outreach_html(
    rows: Sequence[ListRow],
    *,
    title: str,
    as_of: date,
    deployment: str,
    currency: str,
    language: str = "en",
    summary: Mapping[str, int] | None = None,
    warnings: Sequence[str] = (),
    revision: int = 1,
) -> bytes:
    """The rows as one self-contained page, a section per owner in the order the owners first appear.

    Each section speaks its owner's language, the page's head ``language``. ``currency`` is an ISO 4217 code.
    ``summary`` may hold ``observed``, how many customers the rows were chosen from. ``warnings`` are sentences
    that stand at the top; a ``revision`` above 1 says there that the list replaces an earlier one. A fact that
    no row has, the value at risk or a survey, stands on no card. The page asks no other machine for anything
    and runs no script; all text from data is escaped; equal rows give equal bytes.
    """
    owners: dict[str, list[ListRow]] = {}
    for row in rows:
        owners.setdefault(row.owner, []).append(row)
    sections = [
        _section(mine, number=number, total=len(rows) if len(owners) > 1 else None, as_of=as_of, currency=currency)
        for number, mine in enumerate(owners.values(), start=1)
    ]
    bands = Counter(row.band for row in rows if row.risk is not None and not row.by_further)
    head = _Words(language)
    marks = Counter(_mark(row.further) for row in rows if row.further and row.by_further)
    page: str = template("outreach.html").render(
        language=words.known(language),
        say=head.say,
        title=clean(title),
        as_of=words.long_day(as_of, language=language),
        count=head.number("to_contact", len(rows)),
        observed=words.whole(summary["observed"], language=language) if summary and "observed" in summary else None,
        listed_by=_listed_by(rows, language=language),
        revision=words.whole(revision, language=language) if revision > 1 else None,
        warnings=[clean(warning) for warning in warnings],
        baseline=any(row.baseline for row in rows),
        # On a first list everybody would be new, which says nothing.
        followed=any(row.change is not None for row in rows),
        bands=[(band, bands[band]) for band in BANDS if bands[band]],
        marks=list(marks.items()),
        # Where a second number stands beside the risk of leaving, both say what they are; a bad answer's always does.
        labelled=any(row.further or row.answers for row in rows),
        explained=_explained(rows, language=language),
        sections=sections,
        # The sections go by urgency, but who looks for a name looks by the alphabet.
        names=sorted(sections, key=lambda section: section["owner"].casefold()),
        surveyed=any(row.last_survey for row in rows),
        valued=any(row.value_at_risk is not None for row in rows),
        deployment=clean(deployment),
    )
    return page.encode()


class _Words:
    """The words of one language, as the template asks for them."""

    def __init__(self, language: str) -> None:
        self.language = language

    def say(self, key: str, **values: str) -> str:
        return words.say(key, language=self.language, **values)

    def number(self, key: str, n: int) -> str:
        return words.say_number(key, n, language=self.language)


def _listed_by(rows: Sequence[ListRow], *, language: str) -> list[str]:
    """One sentence per way in which the rows were ranked; normally there is one. Those of further models last."""
    ways = dict.fromkeys((row.baseline, row.model_version) for row in rows if not row.by_further)
    beside = dict.fromkeys(
        (_mark(row.further), row.listed_for, row.model_version) for row in rows if row.further and row.by_further
    )
    said = [
        words.say("by_baseline", language=language, baseline=clean(ranking_words(baseline, language)))
        if baseline
        else words.say("by_model", language=language, version=clean(version))
        for baseline, version in ways
    ]
    said += [
        words.say("by_further", language=language, mark=own, model=clean(model), version=clean(version))
        for own, model, version in ((words.say(mark, language=language), *rest) for mark, *rest in beside)
    ]
    return list(dict.fromkeys(said))


def _explained(rows: Sequence[ListRow], *, language: str) -> str:
    """What the numbers of a model of answers mean; empty where none speaks."""
    unhappy = any(row.further and row.further.answers for row in rows)
    if any(row.answers and row.risk is not None for row in rows):
        return words.say("answers_explained", language=language)
    return words.say("unhappy_explained", language=language) if unhappy else ""


def _section(rows: Sequence[ListRow], *, number: int, total: int | None, as_of: date, currency: str) -> dict[str, Any]:
    """One owner's part of the page; ``total`` rows are on the page, ``None`` where all of them are this owner's."""
    language = words.known(rows[0].language)
    own = _Words(language)
    return {
        "anchor": f"owner-{number}",
        "language": language,
        "say": own.say,
        "owner": clean(rows[0].owner_name) or clean(rows[0].owner),
        "count": ", ".join([own.number("to_contact", len(rows)), *_among(rows, own)]),
        "n": len(rows),
        "customers": [_customer(row, total=total, language=language, as_of=as_of, currency=currency) for row in rows],
    }


def _among(rows: Sequence[ListRow], own: _Words) -> list[str]:
    """How many of them a further model lists."""
    marks = Counter(_mark(row.further) for row in rows if row.further and row.by_further)
    return [own.number(f"{mark}_among", n) for mark, n in marks.items()]


def _mark(further: Further) -> str:
    """The word for a customer whom this model lists."""
    return "growing_unhappy" if further.answers else "early_sign"


def _customer(row: ListRow, *, total: int | None, language: str, as_of: date, currency: str) -> dict[str, Any]:
    """One row, every value a finished text; ``None`` where the template says that it is missing."""
    name = clean(row.customer_name)
    reasons = [clean(reason) for reason in row.reasons]
    direction, change = _change(row.change, language=language)
    own = {
        "label": words.say("bad_answer" if row.answers else "risk", language=language),
        "risk": None if row.risk is None else words.percent(row.risk, language=language),
        "band": row.band,
        "width": f"{100 * (row.risk or 0):.1f}",
        "expected": _expected(row.expected_score, None, language=language),
    }
    beside = None if row.further is None else _beside(row.further, answers_too=row.answers, language=language)
    return {
        "mark": words.say(_mark(row.further), language=language) if row.further and row.by_further else None,
        # The larger figure is that of the model that lists the row.
        "main": beside if row.by_further else own,
        "other": own if row.by_further else beside,
        "not_yet": words.say("not_unhappy_yet" if row.answers else "not_leaving_yet", language=language),
        "rank": None if total is None else _rank(row.rank, total=total, language=language),
        "name": name or clean(row.customer_id),
        "id": clean(row.customer_id) if name else "",
        "direction": direction,
        "change": change,
        "rising_since": words.day(row.rising_since, language=language) if row.rising_since else None,
        "reasons": [reason for reason in reasons if reason],
        "action": clean(row.action),
        "steps": clean(row.action_steps),
        "due": words.short_day(row.due, language=language),
        "due_near": _near(row.due, as_of=as_of, language=language),
        "last_contact": words.day(row.last_contact, language=language) if row.last_contact else None,
        "contact_age": _age(row.last_contact, as_of=as_of, language=language),
        "last_survey": words.days_in(clean(row.last_survey), language=language) if row.last_survey else None,
        "value": None if row.value_at_risk is None else money(row.value_at_risk, currency=currency, language=language),
        "baseline": clean(ranking_words(row.baseline, language)) if row.baseline else None,
        "rule_score": None if row.rule_score is None else words.whole(row.rule_score, language=language),
    }


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


def _change(change: float | None, *, language: str) -> tuple[str, str]:
    """Which way, and in words: whole percentage points."""
    if change is None:
        return "new", words.say("new", language=language)
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
