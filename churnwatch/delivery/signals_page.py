"""The catalogue as one page: for the care lead first, cards and plain words; the tables for the scientist below."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from churnwatch.delivery import words
from churnwatch.delivery.charts import HIGH, LOW, WIDE, drift_strip, rate_chart, strip, top_of
from churnwatch.delivery.signal_words import say
from churnwatch.delivery.template import template
from churnwatch.delivery.text import clean
from churnwatch.evaluation import Bin, Catalogue, Deciles, Entry, Measured
from churnwatch.reasons import quantity
from churnwatch.spec import OPTIONAL, PLACEHOLDER, Language

STANDING_OUT = 6
"""Signals named at the top."""
SHOWN_ALIKE = 2
"""Signals that say the same, named on a card; the table has all."""


def signals_html(catalogue: Catalogue, *, language: str = "en") -> bytes:
    """The catalogue as one self-contained page in ``language``.

    It asks no other machine for anything and runs no script; all text from files and data is escaped; equal catalogues
    give equal bytes. Descriptions are written in English only: in Indonesian a signal is called by its reason.
    """
    page: str = template("signals.html").render(_Page(catalogue, "id" if language == "id" else "en").told())
    return page.encode()


class _Page:
    """What the template shows, every value a finished text."""

    def __init__(self, catalogue: Catalogue, language: Language) -> None:
        self.catalogue = catalogue
        self.language: Language = language
        measured = [entry.main.deciles for entry in catalogue.usable if entry.main]
        self.top = top_of(measured, catalogue.base_rate)
        self.entries = {entry.signal.name: entry for entry in catalogue.entries}

    def say(self, key: str, **values: str) -> str:
        return say(key, language=self.language, **values)

    def percent(self, share: float) -> str:
        return words.percent(share, language=self.language)

    def whole(self, n: int) -> str:
        return words.whole(n, language=self.language)

    def told(self) -> dict[str, Any]:
        about = self.catalogue
        days = [words.day(day, language=self.language) for day in about.as_ofs]
        rates = [outcomes / n for n, outcomes in about.periods]
        families = [self.family(name, description) for name, description in about.families.items()]
        return {
            "say": self.say,
            "language": self.language,
            "title": clean(about.title),
            "predicts": clean(about.predicts.in_language(self.language)),
            "measured_on": self.say(
                "measured_on",
                customers=self.whole(about.customers),
                observations=self.whole(about.observations),
                days=self.whole(len(days)),
                first=days[0],
                last=days[-1],
            ),
            "tiles": [
                (self.whole(len(about.entries)), self.say("signals_all")),
                (self.whole(len(about.usable)), self.say("signals_usable")),
                (self.whole(len(about.skipped)), self.say("signals_skipped")),
                (self.percent(about.base_rate), self.say("came_true_all")),
            ],
            "over_time": strip(rates, top=max(rates) * 1.1 or 1.0, wide=240.0) if len(days) > 1 else None,
            "over_time_told": [f"{day}: {self.percent(rate)}" for day, rate in zip(days, rates, strict=True)],
            "low": f"{LOW:.0f}",
            "wide": f"{WIDE:.0f}",
            "high": f"{HIGH:.0f}",
            "days": days,
            "standing_out": [self.stands(entry) for entry in about.standing_out(STANDING_OUT)],
            "look_at": [item for item in self.look_at() if item["links"]],
            # What can be seen here first; a family without data is a note at the end.
            "families": sorted(families, key=lambda family: not family["cards"]),
            "columns": [self.row(one) for entry in about.usable for one in entry.measured],
            "drifts": [self.drift_row(one) for entry in about.usable for one in entry.measured if one.drift],
            "clusters": [(", ".join(one.columns), f"{one.least:.2f}") for one in about.clusters],
            "method": self.say(
                "method_text", model=about.model, outcome=about.outcome, too_late=self.whole(about.too_late)
            ),
            "deployment": clean(about.deployment),
            "example": self.example(),
        }

    def label(self, entry: Entry) -> str:
        """What the signal is, in the reader's language, short."""
        signal = entry.signal
        if self.language == "en":
            return clean(signal.description).rstrip(".")
        window = (entry.main.column.window if entry.main else None) or (signal.windows[0] if signal.windows else None)

        def fill(found: re.Match[str]) -> str:
            return f"{window.days:g}" if found[1] == "window" and window is not None else "…"

        return re.sub(r"[:;,]?\s*…$", "", PLACEHOLDER.sub(fill, OPTIONAL.sub("", clean(signal.reason.id))))

    def link(self, name: str) -> dict[str, str]:
        return {"anchor": f"signal-{name}", "label": self.label(self.entries[name]), "name": name}

    def span(self, one: Bin, column: Measured) -> str:
        """The values of a bin, as people write them; one value once."""
        assert one.low is not None
        assert one.high is not None
        unit, currency = column.column.signal.unit, self.catalogue.currency
        low, high = (quantity(value, unit, language=self.language, currency=currency) for value in (one.low, one.high))
        return low if low == high else self.say("span", low=low, high=high)

    def window(self, one: Measured) -> str | None:
        """How far back the column looks; ``None`` where its label says so already."""
        window = one.column.window
        if self.language == "id" and "{window}" in one.column.signal.reason.id:
            return None
        if window is None:
            return self.say("all_history")
        if window.seconds % 86_400:
            return self.say("window_hours", n=f"{window.seconds / 3600:g}")
        return self.say("window_days", n=f"{window.days:g}")

    def stands(self, entry: Entry) -> dict[str, Any]:
        main = entry.main
        assert main is not None
        first, last = main.deciles.bins[0], main.deciles.bins[-1]
        worst, best = (last, first) if last.rate >= first.rate else (first, last)
        if main.deciles.shape == "turns":
            worst = max(main.deciles.bins, key=lambda one: one.rate)
            best = min(main.deciles.bins, key=lambda one: one.rate)
        told = self.say(
            "stands",
            worst=self.percent(worst.rate),
            worst_at=self.span(worst, main),
            best=self.percent(best.rate),
            best_at=self.span(best, main),
        )
        return {**self.link(entry.signal.name), "window": self.window(main), "told": told}

    def look_at(self) -> list[dict[str, Any]]:
        """What deserves a second look, each kind with its signals."""
        mains = [(entry, entry.main) for entry in self.catalogue.usable if entry.main]

        def links(chosen: Sequence[Entry]) -> list[list[dict[str, str]]]:
            return [[self.link(entry.signal.name)] for entry in chosen]

        suspects = [[self.link(entry.signal.name)] for entry, _ in mains if self.catalogue.suspicious(entry)]
        # A fact of customers that no signal reads has no card to lead to.
        suspects += [[{"anchor": "", "label": name, "name": name}] for name in self.catalogue.suspects if "." in name]
        against = [entry for entry, main in mains if main.agreement == "against"]
        changed = [entry for entry, main in mains if main.drift and main.drift.verdict == "changed"]
        rare = [entry for entry, main in mains if main.coverage.rare]
        flat = [entry for entry, main in mains if main.deciles.shape == "flat" and entry not in rare]
        return [
            {"told": self.say("look_suspects"), "links": suspects, "folded": False},
            {"told": self.say("look_against"), "links": links(against), "folded": False},
            {"told": self.say("look_changed"), "links": links(changed), "folded": False},
            {"told": self.say("look_alike"), "links": self.separate_reasons(), "folded": True},
            {"told": self.say("look_rare"), "links": links(rare), "folded": True},
            {"told": self.say("look_flat"), "links": links(flat), "folded": True},
        ]

    def separate_reasons(self) -> list[list[dict[str, str]]]:
        """The clusters of signals' main columns that would become more than one reason."""
        found = []
        for cluster in self.catalogue.clusters:
            inside = [e for e in self.catalogue.usable if e.main and e.main.column.name in cluster.columns]
            if len({entry.signal.says or entry.signal.name for entry in inside}) > 1:
                found.append([self.link(entry.signal.name) for entry in inside])
        return found

    def family(self, name: str, description: str) -> dict[str, Any]:
        mine = [entry for entry in self.catalogue.entries if entry.family == name]
        return {
            "name": name.replace("_", " "),
            "anchor": f"family-{name}",
            "description": clean(description),
            "cards": [self.card(entry) for entry in mine if entry.main],
            "skipped": [
                (self.label(entry), entry.signal.name, clean(entry.skipped)) for entry in mine if entry.skipped
            ],
        }

    def card(self, entry: Entry) -> dict[str, Any]:
        main = entry.main
        assert main is not None
        signal = entry.signal
        coverage = main.coverage
        others = [one for one in entry.measured if one is not main]
        alike = self.catalogue.alike(entry)
        return {
            **self.link(signal.name),
            "direction": signal.direction,
            "direction_told": self.say(signal.direction),
            "agreement": main.agreement,
            "agreement_told": self.verdict(main),
            "actionable": signal.actionable,
            "sentence": clean(main.sentence.in_language(self.language)) if main.sentence else None,
            "column": main.column.name,
            "window": self.window(main),
            "known": self.say("known_for", share=self.percent(coverage.share)),
            "known_width": f"{100 * coverage.share:.1f}",
            "nonzero": None
            if coverage.nonzero_share is None
            else self.say("not_zero_for", share=self.percent(coverage.nonzero_share)),
            "telling_width": f"{100 * coverage.telling:.1f}",
            "chart": self.chart(main),
            "drift": drift_strip(main.drift) if main.drift else None,
            "drift_verdict": main.drift.verdict if main.drift else "one_date",
            "drift_told": self.say(main.drift.verdict if main.drift else "one_date"),
            "suspect": self.suspect(entry),
            "alike": [self.link(name) for name in alike[:SHOWN_ALIKE]],
            "alike_more": self.say("alike_more", n=self.whole(len(alike) - SHOWN_ALIKE)) if alike[SHOWN_ALIKE:] else "",
            "others": [
                {
                    "column": one.column.name,
                    "agreement": one.agreement,
                    "told": self.verdict(one),
                    "chart": self.chart(one),
                }
                for one in others
            ],
        }

    def suspect(self, entry: Entry) -> str | None:
        """Why the signal knows too much, by column; in English, as `check` says it."""
        why = self.catalogue.suspects
        told = [f"{one.column.name}: {why[one.column.name]}" for one in entry.measured if one.column.name in why]
        return clean("; ".join(told)) or None

    def verdict(self, one: Measured) -> str:
        return self.say(one.deciles.shape if one.agreement == "free" else one.agreement)

    def chart(self, one: Measured) -> dict[str, Any]:
        """The chart, its labels, and the same in words for who cannot see it."""
        parts: Deciles = one.deciles
        drawn = rate_chart(parts, base_rate=self.catalogue.base_rate, top=self.top)
        ends = []
        if len(parts.bins) > 1:
            for key, part in (("lowest", parts.bins[0]), ("highest", parts.bins[-1])):
                ends.append({"key": self.say(key), "at": self.span(part, one), "rate": self.percent(part.rate)})
        for band in [*drawn["bins"], *([drawn["missing"]] if drawn["missing"] else [])]:
            band["told"] = self.band_told(band.pop("bin"), one)
        note = None
        if len(parts.bins) == 1:
            note = self.say("one_value", value=self.span(parts.bins[0], one))
        elif not parts.bins:
            note = self.say("nobody")
        return {
            **drawn,
            "ends": ends,
            "without": self.percent(parts.missing.rate) if parts.missing else None,
            "note": note,
            "scale": self.percent(self.top),
            "everybody": self.say("everybody", rate=self.percent(self.catalogue.base_rate)),
        }

    def band_told(self, part: Bin, one: Measured) -> str:
        at = self.say("no_value") if part.low is None else self.span(part, one)
        floor, ceiling = self.percent(part.floor), self.percent(part.ceiling)
        rate = self.say("came_true", rate=self.percent(part.rate))
        return f"{at}: {rate} ({floor} – {ceiling}), n = {self.whole(part.n)}"

    def row(self, one: Measured) -> list[tuple[str, str]]:
        """A line of the table of columns: (text, class)."""
        bins, missing = one.deciles.bins, one.deciles.missing

        def rate(part: Bin | None) -> str:
            if part is None:
                return "–"
            return f"{self.percent(part.rate)} ({self.percent(part.floor)} – {self.percent(part.ceiling)})"

        nonzero = one.coverage.nonzero_share
        return [
            (one.column.name, "code"),
            (one.column.direction, ""),
            (self.percent(one.coverage.share), "n"),
            ("–" if nonzero is None else self.percent(nonzero), "n"),
            (f"{one.auc:.3f}", "n"),
            (rate(bins[0] if bins else None), "n"),
            (rate(bins[-1] if bins else None), "n"),
            (rate(missing), "n"),
            (self.verdict(one), one.agreement),
            ("–" if one.drift is None or one.drift.index[-1] is None else f"{one.drift.index[-1]:.3f}", "n"),
            (self.say(one.drift.verdict) if one.drift else "–", one.drift.verdict if one.drift else ""),
        ]

    def drift_row(self, one: Measured) -> tuple[str, list[tuple[str, bool]]]:
        assert one.drift is not None
        pairs = zip(one.drift.index, one.drift.chance, strict=True)
        return one.column.name, [
            ("–" if index is None else f"{index:.2f}", index is not None and index >= 0.25 and index > (chance or 0))
            for index, chance in pairs
        ]

    def example(self) -> dict[str, Any] | None:
        """A chart to explain the others by: that of the signal that stands out most, with a bin of the missing."""
        mains = [e.main for e in self.catalogue.standing_out(len(self.entries)) if e.main]
        chosen = next((one for one in mains if 0.6 < one.coverage.share < 0.95 and len(one.deciles.bins) > 3), None)
        chosen = chosen or next(iter(mains), None)
        return self.chart(chosen) if chosen else None
