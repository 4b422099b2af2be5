"""Satisfaction as tables: the answers beside everybody, who answers, by segment, owner and month."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from churnwatch.cli.terminal import console as _console
from churnwatch.cli.terminal import indented, numbered, table, titled

Told = Mapping[str, Any]
ABOUT = {"customer": "customers", "case": "cases"}


def satisfaction(told: Told) -> None:
    """Every instrument on a line, what is to be said of it below, then segments, owners and months."""
    console = _console()
    asked = [one for one in told["instruments"] if one["asked"] or one["answered"]]
    title = (
        f"Satisfaction of {told['deployment']} as of {told['as_of']}: surveys of the {told['window_days']} days "
        f"before, {numbered(told['customers'], 'customer')} watched"
    )
    if asked:
        titled(console, title, _overview(asked))
        console.print()
    else:
        console.print(Text(f"\n{title}\n", style="bold"))
        indented(console, [("!", "no survey was sent in this time", "yellow")])
    indented(console, [line for one in asked for line in _said(one)])
    for one in asked:
        _segments(console, one)
    _owners(console, asked)
    _months(console, asked)
    if told["warnings"]:
        console.print()
    indented(console, [("!", warning, "yellow") for warning in told["warnings"]])


def _overview(asked: Sequence[Told]) -> Table:
    """A line per instrument, and two below it: the ends of its 95 % intervals."""
    right = (
        "asked",
        "answered",
        "share",
        "answers alone",
        "everybody",
        "difference",
        "unhappy: answers",
        "unhappy: all",
    )
    shown = table("survey", "of", *right, right=right)
    for one in asked:
        counts = ("–" if one["only_answers"] else f"{one['asked']:,}", f"{one['answered']:,}")
        shown.add_row(one["instrument"], ABOUT[one["about"]], *counts, *_numbers(one, "value"), style="bold")
        shown.add_row("", "95 % from", "", "", *_numbers(one, "low"), style="dim")
        shown.add_row("", "to", "", "", *_numbers(one, "high"), style="dim")
    return shown


def _numbers(one: Told, end: str) -> list[str]:
    """One end, or the value itself, of every quantity of a line of the overview."""
    decimals = 1 if one["figure"] == "nps" else 3
    forms: dict[str, Callable[[float], str]] = {
        "response_rate": "{:.1%}".format,
        "naive": lambda value: _figure(one, value),
        "corrected": lambda value: _figure(one, value),
        "difference": lambda value: f"{value:+.{decimals}f}",
        "bad_naive": "{:.1%}".format,
        "bad_corrected": "{:.1%}".format,
    }
    lack = "–" if end == "value" else ""
    return [lack if one[name] is None else form(one[name][end]) for name, form in forms.items()]


def _said(one: Told) -> list[tuple[str, str, str]]:
    """What a line of the overview cannot hold, in sentences."""
    name = one["instrument"]
    found = []
    if one["only_answers"]:
        found.append(("!", f"{name}: the source lists answers only: no response rate, nothing of the silent", "yellow"))
    elif one["note"]:
        found.append(("!", f"{name}: {one['note']}", "yellow"))
    gap = one["difference"]
    if gap and one["naive"] and one["corrected"]:
        rosy = (one["naive"]["value"] > one["corrected"]["value"]) == one["higher_is_better"]
        sure = not gap["low"] <= 0 <= gap["high"]
        way = f"too {'rosy' if rosy else 'bleak'}: who did not answer seems {'less' if rosy else 'more'} satisfied"
        told = f"the answers alone are {way}" if sure else "whether who did not answer feels otherwise is not sure"
        found.append(("!" if sure else "·", f"{name}: {told}", "yellow" if sure else ""))
    drift, before = one["response_drift"], one["response_before"]
    if drift and before and drift["moved"]:
        way = "fewer" if drift["value"] < 0 else "more"
        found.append(("!", f"{name}: {way} answer than in the window before ({_rate(before)})", "yellow"))
    if one["corrected"] and one["effective"] is not None and one["clipped"] is not None:
        told = f"{name}: {one['answered']:,} answers, weighted for the silent, are worth {one['effective']:,.0f} alike"
        cut = f"; {one['clipped']:.1%} of the weights were cut" if one["clipped"] else ""
        found.append(("·", told + cut, "dim"))
    if one["pending"]:
        found.append(("·", f"{name}: {numbered(one['pending'], 'survey')} may yet be answered, counted nowhere", "dim"))
    return found


def _segments(console: Console, one: Told) -> None:
    groups = one["groups"].get("segment") or []
    if not groups:
        return
    right = ("customers", "asked", "answered", "share", "answers alone", "everybody")
    shown = table("segment", *right, right=right)
    for group in groups:
        shown.add_row(_level(group), f"{group['customers']:,}", *_counts(one, group), *_both(one, group))
    titled(console, f"{one['instrument']} by segment", shown)


def _owners(console: Console, asked: Sequence[Told]) -> None:
    """A line per owner, as the first instrument orders them; a pair of columns per instrument."""
    rows: dict[str, dict[int, Told]] = {}
    names: dict[str, str] = {}
    for place, one in enumerate(asked):
        for group in one["groups"].get("owner") or []:
            key = str(group["level"])
            rows.setdefault(key, {})[place] = group
            names[key] = str(group.get("name") or _level(group))
    if not rows:
        return
    heads = [head for one in asked for head in (f"{one['instrument']}: answered", _whom(one))]
    shown = table("owner", *heads, right=heads)
    known = [key for key, groups in rows.items() if any(group["naive"] for group in groups.values())]
    for key in known:
        groups = rows[key]
        cells: list[str] = []
        for place, one in enumerate(asked):
            group = groups.get(place)
            main = group and (group["corrected"] or group["naive"])
            cells += [f"{group['answered']:,}" if group else "–", _ranged(one, main)]
        shown.add_row(names[key], *cells)
    if known:
        titled(console, "By owner; few answers each: where to look, not who is good at the job", shown)
    if len(known) < len(rows):
        console.print(
            f"\n{len(rows) - len(known)} of {numbered(len(rows), 'owner')} have too few answers for any number"
        )


def _months(console: Console, asked: Sequence[Told]) -> None:
    rows: dict[str, dict[int, Told]] = {}
    for place, one in enumerate(asked):
        for month in one["months"]:
            rows.setdefault(month["month"], {})[place] = month
    if not rows:
        return
    heads = [head for one in asked for head in (f"{one['instrument']}: share", _whom(one))]
    shown = table("month", *heads, right=heads)
    for key in sorted(rows):
        cells: list[str] = []
        for place, one in enumerate(asked):
            month = rows[key].get(place)
            rate, main = (month["response_rate"], month["corrected"] or month["naive"]) if month else (None, None)
            cells += [f"{rate['value']:.0%}" if rate else "–", _ranged(one, main)]
        shown.add_row(key, *cells)
    titled(console, "Month by month", shown)


def _whom(one: Told) -> str:
    """Whose number the best of one instrument is."""
    return "everybody" if one["corrected"] else "the answers"


def _level(group: Told) -> str:
    return "not known" if group["level"] is None else str(group["level"])


def _counts(one: Told, group: Told) -> list[str]:
    return [
        "–" if one["only_answers"] else f"{group['asked']:,}",
        f"{group['answered']:,}",
        _rate(group["response_rate"]),
    ]


def _both(one: Told, group: Told) -> list[str | Text]:
    if group["naive"] is None and group["corrected"] is None:
        return [Text(group["note"] or "–", style="dim"), "–"]
    return [_ranged(one, group["naive"]), _ranged(one, group["corrected"])]


def _figure(one: Told, value: float) -> str:
    """A whole NPS, a mean to the hundredth."""
    return f"{round(value):d}" if one["figure"] == "nps" else f"{value:.2f}"


def _ranged(one: Told, quantity: Mapping[str, float] | None) -> str:
    if quantity is None:
        return "–"
    value, low, high = (_figure(one, quantity[key]) for key in ("value", "low", "high"))
    return f"{value} ({low} to {high})"


def _rate(rate: Mapping[str, float] | None) -> str:
    return "–" if rate is None else f"{rate['value']:.0%} ({rate['low']:.0%} to {rate['high']:.0%})"
