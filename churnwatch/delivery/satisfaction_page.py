"""Today's satisfaction as one page: what the answers say, what everybody would say, who answers, and how sure it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from churnwatch.delivery import words
from churnwatch.delivery.over_time import HIGH, WIDE, across, dates_shown, line, nice_top, reaches, ticks
from churnwatch.delivery.satisfaction_charts import LANE, Axis, Quantity, Span, axis, by_month, lanes, marks_of
from churnwatch.delivery.satisfaction_said import (
    NAMES,
    Told,
    absent,
    counted,
    decimals,
    headline_of_none,
    lack,
    named,
    owners,
)
from churnwatch.delivery.satisfaction_words import say
from churnwatch.delivery.template import template
from churnwatch.delivery.text import clean
from churnwatch.spec import Language

SHOWN = 8
"""Segments that are drawn; of more, those with the most answers."""


def satisfaction_html(told: Told, *, title: str, deployment: str, language: str = "en") -> bytes:
    """The page in ``language`` of what ``churnwatch satisfaction --json`` tells, self-contained.

    It asks no other machine for anything, runs no script and names no customer; all text from files is escaped; equal
    figures give equal bytes. A figure that is ``None`` is left out, and why is said.
    """
    page = _Page(told, "id" if language == "id" else "en")
    made: str = template("satisfaction.html").render(page.told(title=title, deployment=deployment))
    return made.encode()


def satisfaction_assumptions(told: Told, *, language: str = "en") -> list[str]:
    """What the estimates take for granted and what would break it, in sentences, as the page has them."""
    page = _Page(told, "id" if language == "id" else "en")
    return page.assumed([_Survey(page, one) for one in counted(told)])


class _Page:
    """What the template shows, every value a finished text."""

    def __init__(self, told: Told, language: Language) -> None:
        self.all = told
        self.language: Language = language
        self.days = self.whole(told["window_days"])

    def say(self, key: str, **values: str) -> str:
        return say(key, language=self.language, **values)

    def whole(self, n: float) -> str:
        return words.whole(round(n), language=self.language)

    def percent(self, share: float) -> str:
        return words.percent(share, language=self.language)

    def told(self, *, title: str, deployment: str) -> dict[str, Any]:
        told = [_Survey(self, one) for one in counted(self.all)]
        missing = absent(self.all, language=self.language)
        first = told[0].headline() if told else [headline_of_none(self.all, language=self.language)]
        months = [row for one in told for row in one.month_rows()]
        day = words.day(date.fromisoformat(self.all["as_of"]), language=self.language)
        return {
            "say": self.say,
            "language": self.language,
            "title": clean(title),
            "as_of": self.say("as_of", day=day, days=self.days, n=self.whole(self.all["customers"])),
            "headline": first,
            "absent": [clean(sentence) for sentence in missing if sentence not in first],
            "warnings": [clean(warning) for warning in self.all["warnings"]],
            "surveys": [one.told(f"survey-{place}") for place, one in enumerate(told, 1)],
            "legend": [("corrected", self.say("corrected")), ("naive", self.say("naive"))],
            "assumed": self.assumed(told),
            "owners": self.owners(told),
            "months": self.table_of(months),
            "footer": self.say("footer", deployment=clean(deployment)),
            "wide": f"{WIDE:.0f}",
            "high": f"{HIGH:.0f}",
        }

    def table_of(self, rows: Sequence[Sequence[str]]) -> dict[str, Any] | None:
        """The months; a column in which nothing stands is left out."""
        heads = ("month", "survey", "sent", "answered", "rate", "corrected_head", "naive_head")
        kept = [place for place in range(len(heads)) if any(row[place] != "–" for row in rows)]
        if not rows:
            return None
        return {
            "heads": [self.say(heads[place]) for place in kept],
            "rows": [[row[place] for place in kept] for row in rows],
        }

    def assumed(self, surveys: Sequence[_Survey]) -> list[str]:
        about = {one.one["about"] for one in surveys if one.corrected}
        keys = ["assumed_seen", "broken_seen"] if about else []
        keys += [f"assumed_{kind}" for kind in ("customer", "case") if kind in about]
        if any(one.one["only_answers"] for one in surveys):
            keys.append("only_answers")
        if any(one.naive or one.one["response_rate"] for one in surveys):
            keys += ["assumed_interval", "assumed_time"]
        rule = [self.say("rule", n=self.whole(self.all["fewest"]))] if surveys else []
        return [*(self.say(key) for key in keys), *rule]

    def owners(self, surveys: Sequence[_Survey]) -> dict[str, Any] | None:
        """A line per owner with every survey's number, the worst of the first survey first."""
        found = owners([one.one for one in surveys])
        known = [row for row in found if any(one["naive"] for one in row[2].values())]
        if not found:
            return None
        few = len(found) - len(known)
        estimated = any(one["corrected"] for _, _, groups in known for one in groups.values())
        return {
            "few": self.say("few_owners", n=self.whole(few), all=self.whole(len(found))) if few else None,
            "says": self.say("owners_says" if estimated else "owners_says_alone"),
            "heads": [self.say("owner"), self.say("customers")]
            + [head for one in surveys for head in (self.say("answers_head", name=one.name), one.name)],
            "rows": [
                {
                    "name": clean(str(name or "")) or self.level(level),
                    "customers": self.whole(max(one["customers"] for one in groups.values())),
                    "cells": [one.owner_cell(groups.get(place)) for place, one in enumerate(surveys)],
                }
                for level, name, groups in known
            ],
        }

    def level(self, level: object) -> str:
        return self.say("unknown_level") if level is None else clean(str(level))


class _Survey:
    """One instrument in words and marks."""

    def __init__(self, page: _Page, one: Told) -> None:
        self.page = page
        self.say = page.say
        self.one = one
        self.name = named(clean(one["instrument"]))
        self.corrected: Quantity | None = one["corrected"]
        self.naive: Quantity | None = one["naive"]
        self.months: Sequence[Told] = one["months"]

    def level(self, value: float) -> str:
        """The figure itself: a whole NPS, a mean to the hundredth."""
        return self.to(value, 0 if self.one["figure"] == "nps" else 2)

    def to(self, value: float, decimals: int) -> str:
        """To so many decimals, with the sign of print."""
        rounded = round(value, decimals)
        shown = words.fixed(abs(rounded), decimals, language=self.page.language) if decimals else ""
        return f"{'−' if rounded < 0 else ''}{shown or self.page.whole(abs(rounded))}"

    def marks(self, along: Axis, *, upright: bool = False) -> list[dict[str, str]]:
        return marks_of(along, lambda value: self.to(value, along.decimals), upright=upright)

    def points(self, value: float, *, signed: bool = False) -> str:
        """A number of the difference, to as many decimals as its interval wants."""
        places = decimals(self.one["difference"], 1 if self.one["figure"] == "nps" else 2)
        shown = words.fixed(abs(value), places, language=self.page.language)
        sign = "−" if value < 0 else "+" if value > 0 else ""
        return f"{sign}{shown}" if signed else shown

    def between(self, one: Quantity | None) -> str:
        if one is None:
            return "–"
        told = self.ends(one)
        return f"{told['value']} ({self.say('from_to', **told)})"

    def ends(self, one: Quantity) -> dict[str, str]:
        return {key: self.level(one[key]) for key in ("value", "low", "high")}

    def verdict(self) -> str | None:
        """Whether the answers alone look better than everybody (``flatters``), worse (``harsh``), or it is not sure."""
        naive, corrected, difference = self.naive, self.corrected, self.one["difference"]
        if naive is None or corrected is None or difference is None:
            return None
        if difference["low"] <= 0 <= difference["high"]:
            return "unsure"
        return "flatters" if (naive["value"] > corrected["value"]) == self.one["higher_is_better"] else "harsh"

    def headline(self) -> list[str]:
        main = self.corrected or self.naive
        if main is None:
            return [self.say("headline_few", name=self.name, why=self.note(self.one))]
        if self.corrected is None:
            return [self.say("headline_alone", name=self.name, **self.ends(main))]
        found = [self.say(f"headline_{self.one['about']}", name=self.name, **self.ends(main))]
        verdict = self.verdict()
        if verdict and self.naive:
            diff = self.say("points", n=self.points(self.one["difference"]["value"]))
            found.append(self.say(f"head_{verdict}", naive=self.level(self.naive["value"]), diff=diff))
        return found

    def told(self, anchor: str) -> dict[str, Any]:
        low, high = (words.decimal(end, language=self.page.language) for end in self.one["scale"])
        figure = "figure_nps" if self.one["figure"] == "nps" else "figure_mean"
        way = "higher_is_better" if self.one["higher_is_better"] else "lower_is_better"
        return {
            "anchor": anchor,
            "name": self.name,
            "asks": self.say(self.one["instrument"] if self.one["instrument"] in NAMES else "other"),
            "figure": " ".join((self.say(figure, low=low, high=high), self.say(way))),
            "glance": self.glance(),
            "figures": [one for one in (self.over_time(), self.answering(), self.segments()) if one],
            "facts": self.facts(),
            "note": self.note(self.one) if self.corrected is None and self.naive is None else None,
        }

    def note(self, one: Told) -> str:
        """Why there is no number."""
        return lack(one, language=self.page.language)

    def glance(self) -> dict[str, Any]:
        """The two numbers with their intervals, and what their difference means."""
        series = {"corrected": self.corrected, "naive": self.naive}
        numbers = [
            {
                "class": name,
                "value": self.level(one["value"]),
                "range": self.say("from_to", **self.ends(one)),
                "told": self.say(f"all_{self.one['about']}" if name == "corrected" else "naive"),
            }
            for name, one in series.items()
            if one is not None
        ]
        known = {name: one for name, one in series.items() if one is not None}
        verdict = self.verdict()
        told = None
        if verdict:
            gap = self.one["difference"]
            # The answers' error has the sign that shows which way they are off, whatever is subtracted from what.
            turn = 1 if verdict == "unsure" else (1 if gap["value"] > 0 else -1)
            near, far = sorted((turn * gap["low"], turn * gap["high"]))
            signed = verdict == "unsure"
            told = self.say(
                verdict,
                diff=self.points(gap["value"]),
                low=self.points(near, signed=signed),
                high=self.points(far, signed=signed),
            )
        along = axis(known.values()) if known else None
        rate, drift = self.one["response_rate"], self.one["response_drift"]
        way = None
        if drift and drift["moved"]:
            way = "up" if drift["value"] > 0 else "down"
        return {
            "numbers": numbers,
            "lanes": lanes(known, along) if along else [],
            "tall": f"{LANE * len(known):.0f}",
            "ticks": self.marks(along) if along else [],
            "kind": verdict,
            "told": told,
            "rate": rate
            and self.say(
                "answered_of", share=self.page.percent(rate["value"]), asked=self.page.whole(self.one["asked"])
            ),
            "way": way,
            "way_told": way and self.say(f"drift_{way}"),
            "only_answers": self.say("only_answers") if self.one["only_answers"] else None,
        }

    def figure(self, key: str, says: Sequence[str], **parts: Any) -> dict[str, Any]:
        return {"key": key, "head": self.say(key), "says": [sentence for sentence in says if sentence], **parts}

    def over_time(self) -> dict[str, Any] | None:
        series: dict[str, Sequence[Quantity | None]] = {
            name: [month[name] for month in self.months] for name in ("corrected", "naive")
        }
        series = {name: found for name, found in series.items() if any(found)}
        if not series:
            return None
        along = axis([one for found in series.values() for one in found])
        named = self.month_names()
        return self.figure(
            "over_time",
            [self.say("over_time_says")],
            kind="time",
            ticks=self.marks(along, upright=True),
            labels=self.labels(),
            **by_month(series, along),
            legend=[(name, self.say(name)) for name in series],
            aria="; ".join(
                f"{month}: " + ", ".join(f"{self.say(name)} {self.between(found[i])}" for name, found in series.items())
                for i, month in enumerate(named)
            ),
        )

    def answering(self) -> dict[str, Any] | None:
        rate = self.one["response_rate"]
        if rate is None or not self.months:
            return None
        rates = [month["response_rate"] for month in self.months]
        known = [one for one in (*rates, rate) if one]
        top = nice_top(max(one["high"] for one in known))
        spans = [one and Span(one["low"], one["high"]) for one in rates]
        values = [one and one["value"] for one in rates]
        drift, before = self.one["response_drift"], self.one["response_before"]
        changed = ""
        if drift and before:
            key = "not_moved" if not drift["moved"] else "moved_up" if drift["value"] > 0 else "moved_down"
            changed = self.say(key, days=self.page.days, before=self.page.percent(before["value"]))
        ends = {
            key: self.page.percent(rate[end]) for key, end in (("share", "value"), ("low", "low"), ("high", "high"))
        }
        return self.figure(
            "answering",
            [self.say("answering_says", days=self.page.days, **ends), changed],
            kind="time",
            ticks=ticks(top, self.page.percent),
            labels=self.labels(),
            reaches=[{"class": "answering", **band} for band in reaches(spans, top)],
            lines=[{"class": "answering", **line(values, top)}],
            legend=[],
            aria="; ".join(
                f"{month}: {'–' if one is None else self.page.percent(one['value'])}"
                for month, one in zip(self.month_names(), rates, strict=True)
            ),
        )

    def segments(self) -> dict[str, Any] | None:
        everyone: Sequence[Told] = self.one["groups"].get("segment", [])
        most = sorted(range(len(everyone)), key=lambda place: -everyone[place]["answered"])[:SHOWN]
        groups = [everyone[place] for place in sorted(most)]
        left = len(everyone) - len(groups)
        drawn = [one[name] for one in groups for name in ("corrected", "naive") if one[name]]
        if not drawn:
            return None
        main = self.corrected or self.naive
        along = axis([*drawn, main])
        return self.figure(
            "segment",
            [self.say("segment_says"), self.say("segment_more", n=self.page.whole(left)) if left else ""],
            kind="levels",
            ticks=self.marks(along),
            upright=f"{WIDE * along.share(main['value']):.1f}" if main else None,
            rows=[self.row(one, along) for one in groups],
            legend=[(name, self.say(name)) for name in ("corrected", "naive") if any(one[name] for one in groups)],
        )

    def row(self, one: Told, along: Axis) -> dict[str, Any]:
        series = {name: one[name] for name in ("corrected", "naive") if one[name]}
        counts = {key: self.page.whole(one[key]) for key in ("answered", "asked")}
        return {
            "name": self.page.level(one["level"]),
            "of": self.say("level_answers" if self.one["only_answers"] else "level_of", **counts),
            "lanes": lanes(series, along),
            "tall": f"{LANE * max(len(series), 1):.0f}",
            "numbers": [(name, self.between(found)) for name, found in series.items()],
            "note": None if series else self.note(one),
        }

    def facts(self) -> list[tuple[str, str]]:
        """How sure the numbers are, in words: (what, told)."""
        one, whole, percent = self.one, self.page.whole, self.page.percent
        found = []
        bad, of_answers = one["bad_corrected"], one["bad_naive"]
        shown = bad or of_answers
        if shown and of_answers:
            ends = {"low": percent(shown["low"]), "high": percent(shown["high"])}
            naive = percent(of_answers["value"])
            told = (
                self.say("bad_told", corrected=percent(bad["value"]), naive=naive, **ends)
                if bad
                else self.say("bad_alone", naive=naive, **ends)
            )
            found.append((f"{self.say('bad')}{self.bad_scores()}", told))
        if one["asked_share"] is not None and not one["only_answers"]:
            key, everybody = f"asked_{one['about']}" if self.corrected else "asked_alone", self.page.all["customers"]
            values = {"n": whole(one["customers_asked"]), "all": whole(everybody), "share": percent(one["asked_share"])}
            found.append((self.say("asked"), self.say(key, **values)))
        if one["effective"] is not None and self.corrected:
            values = {"n": whole(one["answered"]), "effective": whole(one["effective"])}
            found.append((self.say("weight"), self.say("weight_told", **values)))
        if one["clipped"] is not None and self.corrected:
            key = "cut_told" if one["clipped"] > 0 else "cut_none"
            found.append((self.say("cut"), self.say(key, share=percent(one["clipped"]))))
        if one["pending"]:
            found.append((self.say("waiting"), self.say("pending", n=whole(one["pending"]))))
        return found

    def bad_scores(self) -> str:
        """The scores that count as unhappy, where they are told."""
        bad: Mapping[str, float] = self.one.get("bad") or {}
        low, high = self.one["scale"]
        low, high = bad.get("at_least", low), bad.get("at_most", high)
        if not bad:
            return ""
        ends = {key: words.decimal(end, language=self.page.language) for key, end in (("low", low), ("high", high))}
        return f" ({self.say('from_to', **ends)})"

    def month_names(self) -> list[str]:
        return [words.month(date.fromisoformat(f"{m['month']}-01"), language=self.page.language) for m in self.months]

    def labels(self) -> list[dict[str, str]]:
        named = self.month_names()
        n = len(named)
        return [{"at": f"{100 * across(i, n) / WIDE:.1f}", "told": named[i]} for i in dates_shown(n)]

    def month_rows(self) -> list[list[str]]:
        return [
            [
                month,
                self.name,
                "–" if self.one["only_answers"] else self.page.whole(one["asked"]),
                self.page.whole(one["answered"]),
                "–" if one["response_rate"] is None else self.page.percent(one["response_rate"]["value"]),
                self.between(one["corrected"]),
                self.between(one["naive"]),
            ]
            for month, one in zip(self.month_names(), self.months, strict=True)
        ]

    def owner_cell(self, one: Told | None) -> dict[str, str]:
        if one is None:
            return {"answered": "–", "main": "–", "range": "", "small": ""}
        counts = {key: self.page.whole(one[key]) for key in ("answered", "asked")}
        main = one["corrected"] or one["naive"]
        told = f"{self.level(one['naive']['value'])}" if one["corrected"] and one["naive"] else ""
        return {
            "answered": counts["answered"] if self.one["only_answers"] else self.say("of_asked", **counts),
            "main": self.level(main["value"]) if main else "–",
            "range": f"({self.say('from_to', **self.ends(main))})" if main else self.note(one),
            "small": self.say("answers_short", value=told) if told else "",
        }
