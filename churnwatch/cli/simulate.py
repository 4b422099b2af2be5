"""``churnwatch simulate``: the loop of lists, contacts and outcomes on a company whose truth is known."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from churnwatch.cli.models import account
from churnwatch.cli.options import Common, now, progress_bar, tell, with_common
from churnwatch.errors import CheckFailed, UsageError

if TYPE_CHECKING:
    from churnwatch.runs.simulation import Simulated
    from churnwatch.runs.simulation.many import Many

simulate = typer.Typer()

SHOWN = {
    "observed": "all",
    "listed": "listed",
    "held_out": "held",
    "cooling": "cooling",
    "snoozed": "snoozed",
    "announced": "leaving",
    "spilled": "spilled",
    "below": "below",
    "refused": "refused",
    "repeats": "again",
    "back_early": "early",
    "worked": "worked",
    "kept": "kept",
    "lost": "lost",
}
"""The numbers of a day, and the heads they have in the table."""


@simulate.command("simulate")
@with_common
def simulate_(
    common: Common,
    days: Annotated[int, typer.Option("--days", help="Days of the loop, the company's last ones.")] = 60,
    directory: Annotated[Path, typer.Option("--dir", help="Where the simulation's project goes.")] = Path("simulation"),
    customers: Annotated[int, typer.Option("--customers", help="How many customers the company has.")] = 1500,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Another seed, another company.")] = 1,
    seeds: Annotated[
        int | None,
        typer.Option("--seeds", help="So many companies from --seed on, by arrays; no project is left.", min=2),
    ] = None,
) -> None:
    """Lists, agents who work them by the known truth, outcomes, day after day; checks every list."""
    if (common.project, common.deployment, common.data) != (Path(), "demo", None):
        raise UsageError("simulate makes its own project; use --dir", where="--project, --deployment, --data")
    if seeds is not None:
        from churnwatch.runs.simulation.many import many

        with progress_bar() as report:
            all_ = many(seeds, first=seed, days=days, customers=customers, now=now(), report=report)
        tell(common.json, all_.as_json(), lambda: show_many(all_))
        return
    from churnwatch.runs.simulation import simulate as run

    with progress_bar() as report:
        done = run(directory, days=days, customers=customers, seed=seed, now=now(), by=account(), report=report)
    tell(common.json, done.as_json(), lambda: show_simulated(done))
    if done.broken:
        error = CheckFailed(
            f"{len(done.broken)} checks of the lists are not met:\n" + "\n".join(f"    {one}" for one in done.broken),
            where=str(done.directory),
            hint="the lists of these days are in out/demo/, what agents did in simulation/handed_back/",
        )
        sys.stderr.write(f"{error.message}\n")
        raise typer.Exit(error.exit_code)


def show_simulated(done: Simulated) -> None:
    """The days, what they were worth, what the holdout shows of it, and the checks."""
    from churnwatch.cli.terminal import console, files, indented, table, titled

    page = console()
    names = tuple(SHOWN) if page.width >= WIDE else FEWER
    heads = tuple(SHOWN[name] for name in names)
    shown = table("day", *heads, right=heads)
    for one in done.days:
        shown.add_row(f"{one.day:%m-%d}", *(f"{getattr(one, name):,}" for name in names))
    titled(page, f"{len(done.days)} days of a company of {done.customers:,}, seed {done.seed}", shown)
    page.print()
    indented(page, [("·", line, "") for line in (HEADS, *_worth(done))])
    if done.broken:
        indented(page, [("✗", line, "bold red") for line in done.broken])
    else:
        indented(page, [("✓", line, "green") for line in KEPT_TO])
    files({name: str(done.directory / "simulation" / name) for name in ("days.csv", "report.json", "handed_back")})


WIDE = 112
FEWER = ("observed", "listed", "held_out", "cooling", "spilled", "below", "repeats", "worked", "kept")
"""The numbers of a day that a terminal narrower than ``WIDE`` shows."""
HEADS = (
    "all = listed + held out + cooling + snoozed + leaving + spilled + below + refused; of the listed, those again "
    "on a list and those back early; days.csv has more"
)
KEPT_TO = (
    "every day: no owner has more rows than places, who is away has none, nobody stands on a list twice",
    "nobody is listed in their cooldown without a stated reason, put off, held out, or after saying that they leave",
    "no file of any day shows the holdout, and everybody observed is counted where scores, contacts and arms put them",
    "nobody spills while a place is free, the treated are just those newly listed, whoever is back early is worse off",
)


def _worth(done: Simulated) -> list[str]:
    repeats, found = done.repeat_rate, done.estimate
    lines = [
        f"{done.total('listed'):,} rows, {done.total('worked'):,} worked"
        + ("" if repeats is None else f", {repeats:.0%} of customers who had stood on an earlier list"),
        f"by the truth: {done.leavers_without:,} would have cancelled in these days had nobody called; contact kept "
        f"{done.kept:,} of them and drove {done.lost:,} others away: "
        f"{done.currency} {done.value_saved:,.0f} a month saved",
    ]
    if done.held_out_share is not None:
        share, low, high = done.held_out_share
        lines.append(
            f"held out: {share:.1%} of {found.treated + found.held_out:,} decided on ({low:.1%} to {high:.1%}; to be "
            f"held out: {done.share:.0%})"
        )
    if found.difference is not None and found.low is not None and found.high is not None and found.truth is not None:
        lines.append(
            f"the holdout says: {found.treated_left:,} of {found.treated:,} treated cancelled and "
            f"{found.held_out_left:,} of {found.held_out:,} left alone: {_points(found.difference)} points "
            f"({_points(found.low)} to {_points(found.high)}); the truth is {_points(found.truth)}"
        )
    return lines


def _points(share: float) -> str:
    return f"{100 * share:+.1f}"


def show_many(done: Many) -> None:
    """What many companies say together."""
    from churnwatch.cli.terminal import console, table, titled

    told: Mapping[str, Any] = done.as_json()
    page = console()
    shown = table("of a company", "mean", "95 %", right=("mean", "95 %"))
    for name, one in told["means"].items():
        between = "–" if one["low"] is None else f"{_plain(one['low'])} to {_plain(one['high'])}"
        lacking = told["missing"].get(name)
        said = name.replace("_", " ") + (f" ({lacking} of {told['seeds']} cannot tell)" if lacking else "")
        shown.add_row(said, "–" if one["mean"] is None else _plain(one["mean"]), between)
    titled(page, f"{told['seeds']} companies of {told['customers']:,}, {told['days']} days each", shown)


def _plain(number: float) -> str:
    return f"{number:,.0f}" if abs(number) >= 1000 else f"{number:.3g}"
