"""What the terminal's tables and lists share: a console, tables that fold, marked lines."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping, Sequence
from typing import IO, Any, cast

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text


class _Unpadded:
    """Standard output without the blanks with which a table fills its lines up."""

    def write(self, text: str) -> int:
        return sys.stdout.write(re.sub(r" +(?=\n)", "", text))

    def __getattr__(self, name: str) -> Any:
        return getattr(sys.stdout, name)


BAND_STYLE = {"critical": "bold red", "at_risk": "dark_orange", "watch": "yellow", "healthy": "green"}


def console() -> Console:
    """Standard output; piped, lines of 120 without blanks at their ends."""
    direct = Console(highlight=False)
    if direct.is_terminal:
        return direct
    # Piped into a file or a pager the width is unknown; 80 would fold every reason.
    width = None if "COLUMNS" in os.environ else 120
    return Console(highlight=False, width=width, file=cast(IO[str], _Unpadded()))


def table(*columns: str, right: Sequence[str] = (), leading: int = 0) -> Table:
    """A table that folds a long cell rather than cut it."""
    made = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, collapse_padding=True, leading=leading)
    for name in columns:
        made.add_column(name, justify="right" if name in right else "left", overflow="fold")
    return made


def titled(console: Console, title: str, table: Table | str) -> None:
    """A table, or a sentence in its place, under its title."""
    console.print(Text(f"\n{title}\n", style="bold"))
    console.print(table)


def marked(lines: Sequence[tuple[str, str, str]]) -> Table:
    """Lines of (mark, text, style); a text that folds stays to the right of its mark."""
    grid = Table.grid(padding=(0, 1, 0, 0))
    for mark, text, style in lines:
        grid.add_row(Text(mark, style=style), Text(text, style=style))
    return grid


def indented(console: Console, lines: Sequence[tuple[str, str, str]]) -> None:
    """The lines of ``marked``, moved in; nothing where there are none."""
    if not lines:
        return
    console.print(Padding(marked(lines), (0, 0, 0, 2)))


def numbered(count: int, one: str) -> str:
    """``1 signal``, ``2 signals``."""
    return f"{count:,} {one}{'' if count == 1 else 's'}"


def warned(console: Console, warnings: Sequence[str]) -> None:
    """The warnings of a run, one line each."""
    indented(console, [("!", warning, "yellow") for warning in warnings])


def files(paths: Mapping[str, str]) -> None:
    """The files' paths, one a line, whole."""
    printed = console()
    for path in paths.values():
        printed.print(Text(f"  {path}"), soft_wrap=True)
