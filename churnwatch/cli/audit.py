"""The commands that prove what is said, on the user's own data."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from churnwatch.cli.options import Common, progress_bar, tell, with_common
from churnwatch.errors import CheckFailed

if TYPE_CHECKING:
    from rich.console import Console

    from churnwatch.ledger import Chain
    from churnwatch.runs.audit.leakage import Audited, Moved

SHOWN = 30
"""Lines of what moved; --json has all."""
NAMED = 10
"""Columns and cohorts that the message names."""

audit = typer.Typer(name="audit", help="Proofs on your own data.")


@audit.callback()
def start() -> None:
    """Proofs on your own data."""


@audit.command()
@with_common
def leakage(
    common: Common,
    as_ofs: Annotated[int, typer.Option("--as-ofs", min=1, help="How many random moments are tried.")] = 20,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Another seed, other moments and other garbage.")] = 1,
) -> None:
    """Delete, garble and multiply the future: does any signal of the past, or who is observed, change?"""
    from churnwatch.runs.audit.leakage import leakage as run

    workspace = common.workspace()
    with progress_bar() as report:
        found = run(workspace, as_ofs=as_ofs, seed=seed, report=report)
    tell(common.json, found.as_json(), lambda: show_audited(found))
    if found.moved:
        what = sorted({one.what for one in found.moved})
        more = f" and {len(what) - NAMED} more" if len(what) > NAMED else ""
        error = CheckFailed(
            f"the past knows its future: {', '.join(what[:NAMED])}{more} changed with it",
            allowed="nothing known at as-of or later makes a difference",
            hint="look for what these read that has no `known_at`; docs/leakage.md says how to find it",
        )
        sys.stderr.write(f"{error.message}\n")
        raise typer.Exit(error.exit_code)


@audit.command()
@with_common
def verify(
    common: Common,
    noted: Annotated[
        str | None,
        typer.Option("--noted", help="ENTRY:HASH, a head printed earlier: it must still be there.", show_default=False),
    ] = None,
) -> None:
    """Compute the ledger's audit chain again from its facts: was anything changed, taken out or put in?"""
    from churnwatch.runs.audit.chain import chain_json, failure
    from churnwatch.runs.audit.chain import verify as run

    chain = run(common.workspace(), noted=noted)
    error = failure(chain)
    tell(common.json, chain_json(chain), lambda: None if error else show_chain(chain))
    if error:
        sys.stderr.write(f"{error.message}\n")
        raise typer.Exit(error.exit_code)


def show_chain(chain: Chain) -> None:
    """How many facts hold, and the head to note down."""
    from churnwatch.cli.terminal import console, numbered

    page = console()
    page.print(f"{numbered(chain.entries, 'fact')} in the chain, each as it was written.")
    page.print(f"Head, to note down elsewhere and give to --noted later:\n{chain.head}", soft_wrap=True)


def show_audited(found: Audited) -> None:
    """What was tried, what each attack met, and what moved."""
    from churnwatch.cli.terminal import console, indented, numbered, table, titled

    page = console()
    page.print(
        f"{numbered(len(found.as_ofs), 'as-of')} from {found.as_ofs[0]:%Y-%m-%d} to {found.as_ofs[-1]:%Y-%m-%d}, "
        f"{found.on_event:,} of them exactly when something became known (seed {found.seed}): "
        f"{numbered(found.observations, 'observation')} of {numbered(len(found.columns), 'signal column')}, "
        f"and who is observed by {', '.join(found.models)}."
    )
    numbers = ("events of the future", "cells compared", "cohort members", "moved")
    attacks = table("the future was", *numbers, right=numbers)
    for one in found.struck:
        moved = sum(1 for other in found.moved if other.attack == one.attack)
        cells = (f"{number:,}" for number in (one.events, one.cells, one.observed, moved))
        attacks.add_row(one.attack, *cells, style="red" if moved else "")
    titled(page, "Compared, byte by byte", attacks)
    if found.moved:
        _moved(page, found.moved)
    else:
        page.print("\nNothing moved: no signal and no cohort knows anything of its future.")
    if found.trusted:
        page.print("\nTaken on trust, as the audit begins after the mappings of sources.yaml:")
        indented(page, [("·", sentence, "") for sentence in found.trusted])


def _moved(page: Console, moved: Sequence[Moved]) -> None:
    from churnwatch.cli.terminal import indented, table, titled

    groups: dict[tuple[str, str], list[Moved]] = {}
    for change in moved:
        groups.setdefault((change.what, change.attack), []).append(change)
    ordered = sorted(groups.items(), key=lambda item: (-_together(item[1]), item[0]))
    shown = table("what", "the future was", "as-ofs", "first", "observations", right=("as-ofs", "observations"))
    for (what, attack), changes in ordered[:SHOWN]:
        shown.add_row(
            what, attack, f"{len(changes):,}", f"{changes[0].as_of:%Y-%m-%d %H:%M:%S}", f"{_together(changes):,}"
        )
    titled(page, "What moved", shown)
    if len(ordered) > SHOWN:
        indented(page, [("·", f"and {len(ordered) - SHOWN:,} more: --json has all", "")])


def _together(changes: Sequence[Moved]) -> int:
    return sum(one.observations for one in changes)
