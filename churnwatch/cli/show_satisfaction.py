"""Satisfaction as tables: the answers beside everybody, who answers, by segment, owner and month."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from churnwatch.cli.terminal import console as _console
from churnwatch.cli.terminal import indented, table, titled
from churnwatch.delivery import words
from churnwatch.delivery.satisfaction_said import Told, absent, counted, decimals, headline_of_none, lack, owners
from churnwatch.delivery.satisfaction_words import say

Line = tuple[str, str, str]
NONE = "–"


def satisfaction(told: Told, language: str = "en") -> None:
    """Every instrument on a line, what is to be said of it below, then segments, owners and months."""
    _Shown(told, language).all()


class _Shown:
    """The tables of one estimate in one language."""

    def __init__(self, told: Told, language: str) -> None:
        self.told = told
        self.language = language
        self.asked = counted(told)
        self.console: Console = _console()
        self.say: Callable[..., str] = partial(say, language=language)
        self.lacking = False
        """Whether a number was missing because too few had answered."""

    def all(self) -> None:
        """Print everything."""
        told, console, asked = self.told, self.console, self.asked
        missing = absent(told, language=self.language)
        values = {"days": self.whole(told["window_days"]), "n": self.whole(told["customers"])}
        title = self.say("t_title", deployment=told["deployment"], day=told["as_of"], **values)
        if asked:
            titled(console, title, self.overview())
            console.print()
        else:
            first = headline_of_none(told, language=self.language)
            console.print(Text(f"\n{title}\n", style="bold"))
            missing = [first, *(sentence for sentence in missing if sentence != first)]
        indented(console, [("!", sentence, "yellow") for sentence in missing])
        indented(console, [line for one in asked for line in self.said(one)])
        for one in asked:
            self.segments(one)
        self.owners()
        self.months()
        if self.lacking:
            console.print(Text(f"\n{self.say('rule', n=self.whole(told['fewest']))}"))
        if told["warnings"]:
            console.print()
        indented(console, [("!", warning, "yellow") for warning in told["warnings"]])

    def whole(self, n: float) -> str:
        return words.whole(round(n), language=self.language)

    def percent(self, share: float, places: int = 0) -> str:
        shown = words.fixed(100 * share, places, language=self.language) if places else self.whole(100 * share)
        return f"{shown}%"

    def overview(self) -> Table:
        """A line per instrument, and two below it: the ends of its 95 % intervals; no column without a number."""
        heads = {
            "response_rate": "t_share",
            "naive": "t_naive",
            "corrected": "t_corrected",
            "difference": "t_difference",
            "bad_naive": "t_bad_naive",
            "bad_corrected": "t_bad_corrected",
        }
        names = [name for name in heads if any(one[name] for one in self.asked)]
        right = [self.say("sent"), self.say("answered"), *(self.say(heads[name]) for name in names)]
        shown = table(self.say("survey"), self.say("t_of"), *right, right=right)
        for one in self.asked:
            counts = (NONE if one["only_answers"] else self.whole(one["asked"]), self.whole(one["answered"]))
            values = [self.number(one, name, "value") for name in names]
            shown.add_row(one["instrument"], self.say(f"t_{one['about']}"), *counts, *values, style="bold")
            if not any(one[name] for name in names):
                continue
            for end in ("low", "high"):
                ends = [self.number(one, name, end) for name in names]
                shown.add_row("", self.say(f"t_{end}"), "", "", *ends, style="dim")
        return shown

    def number(self, one: Told, name: str, end: str) -> str:
        """One end, or the value itself, of a quantity of the overview."""
        if one[name] is None:
            return NONE if end == "value" else ""
        value = one[name][end]
        if name in ("naive", "corrected"):
            return self.figure(one, value)
        if name != "difference":
            return self.percent(value, 1)
        places = decimals(one[name], 1 if one["figure"] == "nps" else 3)
        sign = "-" if value < 0 else "+" if value > 0 else ""
        return f"{sign}{words.fixed(abs(value), places, language=self.language)}"

    def said(self, one: Told) -> list[Line]:
        """What a line of the overview cannot hold, in sentences."""
        found: list[Line] = []
        if one["only_answers"]:
            found.append(("!", self.say("t_only_answers"), "yellow"))
        if one["naive"] is None and one["corrected"] is None:
            found.append(("!", self.lack(one), "yellow"))
        elif one["corrected"] is None and not one["only_answers"]:
            found.append(("!", self.say("unweighed"), "yellow"))
        gap = one["difference"]
        if gap and one["naive"] and one["corrected"]:
            sure = not gap["low"] <= 0 <= gap["high"]
            rosy = (one["naive"]["value"] > one["corrected"]["value"]) == one["higher_is_better"]
            verdict = ("flatters" if rosy else "harsh") if sure else "unsure"
            found.append(("!" if sure else "·", self.say(f"t_{verdict}"), "yellow" if sure else ""))
        drift, before = one["response_drift"], one["response_before"]
        if drift and before and drift["moved"]:
            way = "t_fewer" if drift["value"] < 0 else "t_more"
            found.append(("!", self.say(way, before=self.rate(before)), "yellow"))
        if one["corrected"] and one["effective"] is not None and one["clipped"] is not None:
            told = self.say("t_worth", n=self.whole(one["answered"]), effective=self.whole(one["effective"]))
            cut = f"; {self.say('t_cut', share=self.percent(one['clipped'], 1))}" if one["clipped"] else ""
            found.append(("·", told + cut, "dim"))
        if one["pending"]:
            found.append(("·", self.say("t_pending", n=self.whole(one["pending"])), "dim"))
        return [(mark, f"{one['instrument']}: {told}", style) for mark, told, style in found]

    def lack(self, one: Told) -> str:
        """Why a line has no number."""
        self.lacking = self.lacking or one["answered"] > 0
        return lack(one, language=self.language)

    def segments(self, one: Told) -> None:
        groups = one["groups"].get("segment") or []
        if not any(group["asked"] or group["answered"] for group in groups):
            return
        names = [name for name in ("naive", "corrected") if any(group[name] for group in groups)]
        right = [self.say(key) for key in ("customers", "sent", "answered", "t_share")]
        right += [self.say(f"t_{name}") for name in names or ("naive",)]
        shown = table(self.say("t_segment"), *right, right=right)
        for group in groups:
            cells: list[str | Text] = [self.ranged(one, group[name]) for name in names]
            if group["naive"] is None and group["corrected"] is None:
                cells = [Text(self.lack(group), style="dim"), *([NONE] * (len(names) - 1))]
            counts = [self.whole(group["customers"]), NONE if one["only_answers"] else self.whole(group["asked"])]
            counts += [self.whole(group["answered"]), self.rate(group["response_rate"])]
            shown.add_row(self.level(group), *counts, *cells)
        titled(self.console, self.say("t_segments", name=one["instrument"]), shown)

    def owners(self) -> None:
        """A line per owner, in the order of the page; a pair of columns per instrument."""
        rows = owners(self.asked)
        known = [row for row in rows if any(group["naive"] for group in row[2].values())]
        heads = [
            head
            for one in self.asked
            for head in (self.say("answers_head", name=one["instrument"]), self.whom(one, one["groups"].get("owner")))
        ]
        shown = table(self.say("owner"), *heads, right=heads)
        for key, name, groups in known:
            cells: list[str] = []
            for place, one in enumerate(self.asked):
                group = groups.get(place)
                main = group and (group["corrected"] or group["naive"])
                cells += [self.whole(group["answered"]) if group else NONE, self.ranged(one, main)]
            shown.add_row(name or key or self.say("unknown_level"), *cells)
        if known:
            titled(self.console, self.say("t_owners"), shown)
        if len(known) < len(rows):
            few = self.whole(len(rows) - len(known))
            self.lacking = self.lacking or any(one["answered"] for one in self.asked)
            self.console.print(Text(f"\n{self.say('few_owners', n=few, all=self.whole(len(rows)))}"))

    def months(self) -> None:
        rows: dict[str, dict[int, Told]] = {}
        for place, one in enumerate(self.asked):
            for month in one["months"]:
                rows.setdefault(month["month"], {})[place] = month
        if not rows:
            return
        heads = [
            head
            for one in self.asked
            for head in (self.say("t_share_head", name=one["instrument"]), self.whom(one, one["months"]))
        ]
        shown = table(self.say("month"), *heads, right=heads)
        for key in sorted(rows):
            cells: list[str] = []
            for place, one in enumerate(self.asked):
                month = rows[key].get(place)
                rate, main = (month["response_rate"], month["corrected"] or month["naive"]) if month else (None, None)
                cells += [self.percent(rate["value"]) if rate else NONE, self.ranged(one, main)]
            shown.add_row(key, *cells)
        titled(self.console, self.say("over_time"), shown)

    def whom(self, one: Told, rows: Sequence[Told] | None) -> str:
        """Whose number the best of some lines of one instrument is."""
        estimated = one["corrected"] or any(row["corrected"] for row in rows or ())
        return self.say("t_corrected" if estimated else "t_answers")

    def level(self, group: Told) -> str:
        return self.say("unknown_level") if group["level"] is None else str(group["level"])

    def figure(self, one: Told, value: float) -> str:
        """A whole NPS, a mean to the hundredth."""
        return f"{round(value):d}" if one["figure"] == "nps" else words.fixed(value, 2, language=self.language)

    def ranged(self, one: Told, quantity: Mapping[str, float] | None) -> str:
        if quantity is None:
            return NONE
        value, low, high = (self.figure(one, quantity[key]) for key in ("value", "low", "high"))
        return f"{value} ({self.say('from_to', low=low, high=high)})"

    def rate(self, rate: Mapping[str, Any] | None) -> str:
        if rate is None:
            return NONE
        ends = {end: self.percent(rate[end]) for end in ("low", "high")}
        return f"{self.percent(rate['value'])} ({self.say('from_to', **ends)})"
