"""The commands about outreach as a whole: what a holdout would show, and whom it must not touch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

from churnwatch.cli.models import account
from churnwatch.cli.options import AsOfOption, Common, day_of, progress_bar, tell, with_common

outreach = typer.Typer(name="outreach", help="What a holdout shows and costs, and whom it never touches.")


@outreach.callback()
def start() -> None:
    """What a holdout shows and costs, and whom it never touches."""


@outreach.command()
@with_common
def plan(
    common: Common,
    share: Annotated[
        float | None,
        typer.Option("--share", help="A share to hold out, beside the usual ones.", show_default="outreach.yaml's"),
    ] = None,
    epochs: Annotated[
        int | None, typer.Option("--epochs", help="How many epochs, beside 1 to 4.", show_default=False)
    ] = None,
    as_of: AsOfOption = None,
) -> None:
    """What holdout share and how long are needed to see which effect, and what holding out costs."""
    from churnwatch.runs.outreach_plan import plan_outreach

    workspace = common.workspace()
    with progress_bar() as report:
        made = plan_outreach(workspace, day=day_of(as_of, workspace), share=share, epochs=epochs, report=report)
    told = made.as_json()
    tell(common.json, told, lambda: show_plan(told))


@outreach.command()
@with_common
def veto(
    common: Common,
    customer: Annotated[str, typer.Argument(help="A customer's id.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; kept with the veto.")],
    lift: Annotated[bool, typer.Option("--lift", help="Lift the veto that stands.")] = False,
) -> None:
    """A critical account that is never held out; or no longer, with --lift. Logged with who said so and why."""
    from churnwatch.runs.veto import said_json
    from churnwatch.runs.veto import veto as run

    workspace = common.workspace()
    with progress_bar() as report:
        said = run(workspace, customer, reason=reason, by=account(), lift=lift, report=report)
    told = said_json(workspace, said)
    tell(common.json, told, lambda: show_said(told))


@outreach.command()
@with_common
def vetoes(common: Common) -> None:
    """The vetoes that stand: whom, since when, by whom and why."""
    from churnwatch.runs.veto import standing_vetoes, veto_json

    workspace = common.workspace()
    told = [veto_json(workspace, one) for one in standing_vetoes(workspace)]
    tell(common.json, {"vetoes": told}, lambda: show_vetoes(told))


def show_said(told: Mapping[str, Any]) -> None:
    """What was written down, and from when on it holds."""
    stood = told["before"]
    if told["lifted"]:
        print(f"The veto of {told['customer']} is lifted: from the next list on it may be held out like everybody.")
    elif stood is not None:
        print(f"{told['customer']} was vetoed already, on {stood['day']} by {stood['by']}: {stood['reason']}")
        print("The new reason is kept beside it." if told["written"] else "Nothing was written.")
    else:
        print(f"{told['customer']} is vetoed: from the next list on it is never held out, and in neither arm.")


def show_vetoes(told: Sequence[Mapping[str, Any]]) -> None:
    """The vetoes that stand, a line each."""
    from churnwatch.cli.terminal import console, table

    if not told:
        print("No veto stands: everybody listed may be held out.")
        return
    shown = table("customer", "since", "by", "reason")
    for one in told:
        shown.add_row(one["customer"], one["day"], one["by"], one["reason"])
    console().print(shown)


def show_plan(told: Mapping[str, Any]) -> None:
    """What was replayed, the smallest effect seen for each share and duration, and what that costs."""
    from churnwatch.cli.terminal import console, indented, table, titled

    page = console()
    base = told["base_rate"]
    page.print(f"Holding out, planned for {told['deployment']} as of {told['as_of']}", style="bold", markup=False)
    page.print()
    indented(page, [("·", line, "") for line in _replayed(told)])
    ways = {(one["epochs"], one["share"]): one for one in told["ways"]}
    shares = sorted({share for _, share in ways})
    lengths = sorted({length for length, _ in ways})
    heads = [f"{share:.0%}" if share * 100 % 1 < 1e-9 else f"{share:.1%}" for share in shares]
    seen = table("epochs", "customers", *heads, right=("epochs", "customers", *heads))
    cost = table("epochs", *heads, right=("epochs", *heads))
    for length in lengths:
        of = [ways[length, share] for share in shares]
        seen.add_row(str(length), f"{told['units'] * length:,}", *(_seen(one) for one in of))
        cost.add_row(str(length), *(_cost(one) for one in of))
    titled(
        page,
        f"The smallest effect seen, in points of the base rate {base['share']:.1%} (and as a share of it), by share "
        "held out",
        seen,
    )
    titled(page, "What it costs: how many of those left alone a contact with just that effect would have kept", cost)
    page.print()
    indented(page, [("·", line, "") for line in _lessons(told, ways)])
    indented(page, [("!", note, "yellow") for note in told["notes"]])


def _replayed(told: Mapping[str, Any]) -> list[str]:
    base = told["base_rate"]
    places = "" if told["places"] is None else f", {told['places']:,} places a day"
    return [
        f"replayed: the lists of {told['first']} to {told['last']} ({told['days']} days of an epoch of "
        f"{told['epoch_days']}), by {told['model']} trained on what was known before{places}",
        f"they name {told['units']:,} customers, each counted from the first day: as many are decided on in an epoch",
        f"base rate: {told['bad']:,} of the {told['told']:,} whose outcome is known had it within "
        f"{told['within_days']} days and before the epoch closes on {told['epoch_closes']}: {base['share']:.1%} "
        f"({base['low']:.1%} to {base['high']:.1%}); the outcome of a customer-epoch, as only so long are they left "
        "alone",
        f"seen: with probability {told['power']:.0%} by a two-sided test at {told['alpha']:.0%}",
    ]


def _seen(one: Mapping[str, Any]) -> str:
    if one["points"] is None:
        return "none"
    return f"{100 * one['points']:.1f} ({one['relative']:.0%}){' ~' if one['rough'] else ''}"


def _cost(one: Mapping[str, Any]) -> str:
    if one["kept"] is None:
        return f"– of {one['held_out']:,.0f}"
    return f"{one['kept']:,.1f} of {one['held_out']:,.0f}"


def _lessons(told: Mapping[str, Any], ways: Mapping[tuple[int, float], Mapping[str, Any]]) -> list[str]:
    lines = [
        "what is held out frees its places: others are contacted in them, so a full day's list costs less than told"
    ]
    if any(one["rough"] for one in ways.values()):
        lines.append("~: an arm expects fewer than five with the outcome; the number is a rough one")
    share = told["share"]
    if share == 0:
        lines.append("outreach.yaml holds nobody out: no effect will be seen at all")
        return lines
    own = ways[1, share]
    if own["points"] is None:
        lines.append(f"at the {share:.0%} of outreach.yaml one epoch shows nothing, not even if contact kept everybody")
    else:
        base = told["base_rate"]["share"]
        lines.append(
            f"at the {share:.0%} of outreach.yaml one epoch shows that contact works if it brings {base:.1%} down to "
            f"{base - own['points']:.1%} or less; a smaller effect may be there and stay unseen"
        )
    return lines
