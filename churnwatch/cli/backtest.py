"""The command that replays history."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

import typer

from churnwatch.cli.options import Common, parse_day, progress_bar, tell, with_common
from churnwatch.errors import UsageError

if TYPE_CHECKING:
    from rich.console import Console

FEW = 3
"""Dates up to which each one's figures are shown in full; of more there is a line each."""
EVERY = "30d"
LEFT = {False: "left", True: "answered badly"}
"""What the customers did that a model foretells: one of leaving, one of answers."""


@with_common
def backtest(
    common: Common,
    model: Annotated[str, typer.Argument(help="A model of models/.")],
    as_of: Annotated[str | None, typer.Option("--as-of", help="Days to judge at, D[,D…].", show_default=False)] = None,
    first: Annotated[
        str | None, typer.Option("--from", help="A range: no day before this.", show_default=False)
    ] = None,
    last: Annotated[
        str | None,
        typer.Option("--to", help="Its last day, from which the steps go back.", show_default=False),
    ] = None,
    every: Annotated[
        str | None, typer.Option("--every", help="The step of the range in days, Nd.", show_default=EVERY)
    ] = None,
    until: Annotated[
        str | None,
        typer.Option(
            "--until",
            help="Of a model at events: the day before which the last slice ends.",
            show_default="the data end",
        ),
    ] = None,
) -> None:
    """At each day: train only on what was complete then, make the list, judge it by what came after; a page of it."""
    from churnwatch.runs.backtest import backtest as run

    days = _days(as_of, first, last, every)
    end = None if until is None else parse_day(until, option="--until")
    workspace = common.workspace()
    with progress_bar() as report:
        told = run(workspace, model, days=days, until=end, language=common.lang, report=report)
    tell(common.json, told, lambda: show_backtest(told))


def _days(as_of: str | None, first: str | None, last: str | None, every: str | None) -> list[date]:
    """The days of the one way that was taken; UsageError for both, none, or half of one."""
    ranged = [name for name, given in (("--from", first), ("--to", last), ("--every", every)) if given is not None]
    hint = "--as-of 2026-01-01,2026-04-01, or --from 2025-07-01 --to 2026-04-01 --every 30d"
    if as_of is not None and ranged:
        raise UsageError(
            "there are two answers to when", where=f"--as-of, {', '.join(ranged)}", allowed="one of the two", hint=hint
        )
    if as_of is not None:
        return [parse_day(one.strip()) for one in as_of.split(",")]
    if first is None or last is None:
        found = f"{ranged[0]} alone is no range" if ranged else "at which days?"
        raise UsageError(found, where="backtest", allowed="--as-of, or --from and --to", hint=hint)
    from churnwatch.runs.backtest import replay_days

    return replay_days(parse_day(first, option="--from"), parse_day(last, option="--to"), every=_step(every or EVERY))


def _step(text: str) -> int:
    """``30d`` as whole days."""
    if not re.fullmatch(r"[1-9][0-9]{0,4}d", text):
        raise UsageError(
            f"{text or 'nothing'} is no step", where="--every", allowed="whole days from 1d, such as 30d", hint="30d"
        )
    return int(text[:-1])


def show_backtest(told: Mapping[str, Any]) -> None:
    """The figures of each date, what the lists were worth together, and where the page is."""
    from churnwatch.cli import show_figures
    from churnwatch.cli.terminal import console, files, indented

    page = console()
    if len(told["slices"]) <= FEW:
        show_figures.slices(told["slices"])
    answers = told["outcome"] == "answer"
    _lists(page, told["replay"]["lists"], told["slices"], answers)
    indented(page, [("·", sentence, "") for sentence in _together(told["replay"], answers)])
    page.print()
    files(told["replay"]["files"])


def _lists(
    page: Console, lists: Sequence[Mapping[str, Any]], slices: Sequence[Mapping[str, Any]], answers: bool
) -> None:
    from churnwatch.cli.terminal import table, titled

    numbers = (
        "observed",
        *(("answered",) if answers else ()),
        "listed",
        "bad" if answers else "left",
        "share",
        "95 %",
        "random",
        "again",
        "base rate",
        "foretold",
        "AUC",
    )
    shown = table("as-of", *numbers, right=numbers)
    for one, slice_ in zip(lists, slices, strict=True):
        precise = one["precision"]
        shown.add_row(
            one["as_of"],
            f"{one['observed'] + one.get('unanswered', 0):,}",
            *((f"{one['observed']:,}",) if answers else ()),
            f"{one['listed']:,}",
            f"{one['hits']:,}",
            f"{precise['share']:.1%}" if precise else "–",
            f"{precise['low']:.1%} to {precise['high']:.1%}" if precise else "–",
            f"{one['chance']:.1%}",
            "–" if one["repeat_rate"] is None else f"{one['repeat_rate']:.0%}",
            f"{one['base_rate']['share']:.1%}",
            f"{one['foretold']:.1%}",
            f"{slice_['auc']:.3f}",
        )
    titled(page, f"The lists that would have been, and who of them {LEFT[answers]}", shown)
    page.print()


def _together(told: Mapping[str, Any], answers: bool) -> list[str]:
    """What all lists were worth, a sentence each."""
    if told["precision"] is None:
        return ["nobody would have been listed at any date"]
    precise, lead, coverage = told["precision"], told["lead_times"], told["coverage"]
    whose = "went to customers who answered badly" if answers else "left"
    found = [
        f"{'all lists' if len(told['lists']) > 1 else 'the list'}: {precise['share']:.1%} of {told['rows']:,} places "
        f"{whose} ({precise['low']:.1%} to {precise['high']:.1%}); at random {told['chance']:.1%}"
    ]
    if answers:
        found.append(_judged(told["lists"]))
        found.append("a list may be shorter than the capacity: nobody below outreach's minimum_band is listed")
    rules = [(name, one) for name, one in told["precision_minus"].items() if name != "random"]
    if rules:
        points = (
            f"{name} {100 * one['difference']:+.1f} ({100 * one['low']:+.1f} to {100 * one['high']:+.1f})"
            for name, one in rules
        )
        found.append(f"minus the baselines in the same places, in points: {', '.join(points)}")
    if lead["leavers"]:
        days = lead["median_warning_days"]
        found.append(
            f"{lead['warned']:,.0f} of {lead['leavers']:,} leavers were listed before they left"
            + (f", half of them {int(days)} days before or earlier" if days is not None else "")
        )
        at = (
            f"{one['recall']:.1%} at {one['days']} days ({chance:.1%})"
            for one, chance in zip(lead["recall"], lead["recall_by_chance"], strict=True)
            if one["recall"] is not None
        )
        found.append(f"recall by lead time (drawn at random): {', '.join(at)}")
    found.append(
        f"{coverage['customers_listed']:,} of {coverage['customers_observed']:,} customers"
        f"{' who answered' if answers else ''} were ever listed"
        + (f", {coverage['owners_served']} of {coverage['owners']} owners served" if coverage["owners"] else "")
    )
    if told["base_rate_moved"]:
        found.append(f"base rate beyond chance off its average at {', '.join(told['base_rate_moved'])}")
    return found


def _judged(lists: Sequence[Mapping[str, Any]]) -> str:
    """Among whom the lists of a model of answers are judged."""
    answered = sum(one["observed"] for one in lists)
    observed = answered + sum(one["unanswered"] for one in lists)
    surveys = "last_day" in lists[-1]
    if surveys:
        what = f"surveys sent from {lists[0]['as_of']} to {lists[-1]['last_day']}, each by its own answer"
    else:
        what = "times a customer was observed"
    if answered == observed:
        return f"judged: all {observed:,} {what}; none is known to be unanswered"
    return f"judged among those who answered: {answered:,} of {observed:,} {what}"
