"""The list as ``outreach.html``: one page an agent opens on a phone or a desk, or prints."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from churnwatch.delivery import words
from churnwatch.delivery.card_words import ranking_words
from churnwatch.delivery.risk_curve import HIGH, WIDE
from churnwatch.delivery.row_card import customer, mark_of
from churnwatch.delivery.template import template
from churnwatch.delivery.text import clean
from churnwatch.outreach import Leaver, ListRow
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
    leavers: Sequence[Leaver] = (),
) -> bytes:
    """The rows as one self-contained page, a section per owner in the order the owners first appear.

    Each section speaks its owner's language, the page's head ``language``. ``currency`` is an ISO 4217 code.
    ``summary`` may hold ``observed``, how many customers the rows were chosen from, and ``waiting``, how many more were
    worth a row (0: not told); what else it holds is not shown, as it could tell how many the holdout keeps from the
    list.
    ``warnings`` are sentences that stand at the top; a ``revision`` above 1 says there that the list replaces an
    earlier one. ``leavers`` have announced that they leave and stand at the end. A fact that no row has, the value at
    risk or a survey, stands on no card; of what else is known of a row the page shows some, and the rest on a click.
    The page asks no other machine for anything and runs no script; all text from data is escaped; equal rows give
    equal bytes.
    """
    owners: dict[str, list[ListRow]] = {}
    for row in rows:
        owners.setdefault(row.owner, []).append(row)
    sections = [
        _section(mine, number=number, total=len(rows) if len(owners) > 1 else None, as_of=as_of, currency=currency)
        for number, mine in enumerate(owners.values(), start=1)
    ]
    bands = Counter(row.band for row in rows if row.risk is not None and not mark_of(row))
    head = _Words(language)
    waiting = summary.get("waiting", 0) if summary else 0
    marks = Counter(mark_of(row) for row in rows if mark_of(row))
    page: str = template("outreach.html").render(
        language=words.known(language),
        say=head.say,
        head_say=head.say,
        spark_wide=f"{WIDE:.0f}",
        spark_high=f"{HIGH:.0f}",
        title=clean(title),
        as_of=words.long_day(as_of, language=language),
        count=head.number("to_contact", len(rows)),
        observed=words.whole(summary["observed"], language=language) if summary and "observed" in summary else None,
        more=head.number("waiting", waiting) if waiting and rows else None,
        nobody=words.say_nobody(waiting, language=language),
        listed_by=_listed_by(rows, language=language),
        revision=words.whole(revision, language=language) if revision > 1 else None,
        warnings=[clean(warning) for warning in warnings],
        baseline=any(row.baseline for row in rows),
        # On a first list everybody would be new, which says nothing.
        followed=any(row.change is not None for row in rows),
        bands=[(band, bands[band]) for band in BANDS if bands[band]],
        marks=[("proactive" if mark == "proactive" else "further", n, head.say(mark)) for mark, n in marks.items()],
        # Where a second number stands beside the risk of leaving, both say what they are; a bad answer's always does.
        labelled=any(row.further or row.answers for row in rows),
        explained=_explained(rows, language=language),
        sections=sections,
        # The sections go by urgency, but who looks for a name looks by the alphabet.
        names=sorted(sections, key=lambda section: section["owner"].casefold()),
        surveyed=any(row.last_survey for row in rows),
        valued=any(row.value_at_risk is not None for row in rows),
        leavers=[_leaver(one, head, as_of=as_of, currency=currency) for one in leavers],
        leaving=head.number("leavers", len(leavers)),
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
        (mark_of(row), row.listed_for, row.model_version) for row in rows if row.by_further and not row.proactive
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
    minutes = sum(row.action_minutes or 0 for row in rows)
    return {
        "anchor": f"owner-{number}",
        "language": language,
        "say": own.say,
        "owner": clean(rows[0].owner_name) or clean(rows[0].owner),
        "count": ", ".join([own.number("to_contact", len(rows)), *_among(rows, own)]),
        "time": _time(minutes, own) if minutes else None,
        "n": len(rows),
        "customers": [customer(row, total=total, language=language, as_of=as_of, currency=currency) for row in rows],
    }


def _time(minutes: int, own: _Words) -> str:
    """What the rows take together: nobody plans a team's day of 1,330 minutes."""
    if minutes < 120:
        return own.number("minutes", minutes)
    return own.say("hours", n=words.whole(round(minutes / 60), language=own.language))


def _among(rows: Sequence[ListRow], own: _Words) -> list[str]:
    """How many of them are listed for something else than the listing model's risk."""
    return [own.number(f"{mark}_among", n) for mark, n in Counter(map(mark_of, rows)).items() if mark]


def _leaver(one: Leaver, head: _Words, *, as_of: date, currency: str) -> dict[str, Any]:
    """A customer who has announced that they leave, every value a finished text."""
    language, name = head.language, clean(one.customer_name)
    ends, left = None, 0
    if one.ends_on is not None:
        left = (one.ends_on - as_of).days
        ends = head.say("ended" if left < 0 else "ends", day=words.day(one.ends_on, language=language))
    return {
        "name": name or clean(one.customer_id),
        "id": clean(one.customer_id) if name else "",
        "owner": clean(one.owner_name) or clean(one.owner),
        "announced": head.say("announced", day=words.day(one.announced_on, language=language)),
        "ends": ends,
        "left": None if ends is None or left < 0 else head.number("in_days", left) if left else head.say("today"),
        "value": None if one.value is None else money(one.value, currency=currency, language=language),
        "said": clean(one.said) if one.said else None,
    }
