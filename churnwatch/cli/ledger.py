"""The commands about the ledger as a whole: into a file, and back."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from churnwatch.cli.options import Common, tell, with_common

ledger = typer.Typer(name="ledger", help="The facts that cannot be rebuilt: keep them safe.")


@ledger.callback()
def start() -> None:
    """The facts that cannot be rebuilt: keep them safe."""


@ledger.command()
@with_common
def backup(
    common: Common,
    file: Annotated[Path, typer.Argument(help="A new file.")],
) -> None:
    """Write the whole ledger into one file, as it stands now, whatever database it is in."""
    from churnwatch.runs.audit.chain import chain_json, failure
    from churnwatch.runs.backup import backup as run

    chain = run(common.workspace(), file)
    tell(
        common.json,
        {"file": str(file), **chain_json(chain)},
        lambda: _show(f"{chain.entries:,} facts are in {file}", chain.head),
    )
    error = failure(chain)
    if error:
        sys.stderr.write(f"{error.message}\n")
        raise typer.Exit(error.exit_code)


@ledger.command()
@with_common
def restore(
    common: Common,
    file: Annotated[Path, typer.Argument(help="A file that `ledger backup` wrote.")],
    replace: Annotated[
        bool, typer.Option("--replace", help="Also where the ledger in place holds facts; they are kept in a file.")
    ] = False,
) -> None:
    """Put the ledger of a backup in place, once it is checked; on SQLite or PostgreSQL, wherever it came from."""
    from churnwatch.runs.audit.chain import chain_json
    from churnwatch.runs.backup import restore as run

    done = run(common.workspace(), file, replace=replace)
    aside = None if done.aside is None else str(done.aside)
    said = f"{done.chain.entries:,} facts are restored"
    if aside:
        said += f"; the ledger from before is in {aside}"
    tell(
        common.json, {"file": str(file), "aside": aside, **chain_json(done.chain)}, lambda: _show(said, done.chain.head)
    )


def _show(said: str, head: str) -> None:
    from churnwatch.cli.terminal import console

    page = console()
    page.print(f"{said}.", soft_wrap=True)
    page.print(f"Head of the chain, to note down elsewhere:\n{head}", soft_wrap=True)
