"""The commands about outcomes: what came of the contacts on a list."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from churnwatch.cli.options import Common, parse_day, tell, with_common
from churnwatch.errors import UsageError

if TYPE_CHECKING:
    from datetime import date

    from churnwatch.runs.handback import CameBack, Imported

SHOWN = 50
"""Outcomes shown in the terminal; --json has all."""

outcomes = typer.Typer(name="outcomes", help="What came of the contacts on a list.")


@outcomes.callback()
def start() -> None:
    """What came of the contacts on a list."""


@outcomes.command("import")
@with_common
def import_(
    common: Common,
    file: Annotated[Path, typer.Argument(help="outreach.xlsx or outreach.csv, its column of outcomes filled in.")],
    on: Annotated[
        str | None,
        typer.Option("--on", help="The day (YYYY-MM-DD) on which it was worked.", show_default="the list's own day"),
    ] = None,
    by: Annotated[str | None, typer.Option("--by", help="Who hands it in.", show_default="your account")] = None,
    of_list: Annotated[
        str | None,
        typer.Option("--list", help="Of a file without the column `list`: the list's day, or '2026-07-01 r2'."),
    ] = None,
    correct: Annotated[
        bool, typer.Option("--correct", help="Take these in place of outcomes that stand; both are kept.")
    ] = False,
) -> None:
    """Keep what a filled list says: all of the file, or nothing where a line cannot be right."""
    from churnwatch.cli.models import account
    from churnwatch.runs.handback import import_outcomes

    worked = None if on is None else parse_day(on, option="--on")
    place = None if of_list is None else _place(of_list)
    workspace = common.workspace()
    done = import_outcomes(workspace, file, by=by or account(), on=worked, of_list=place, correct=correct)
    tell(common.json, done.as_json(), lambda: show_imported(done, common.lang))


@outcomes.command("list")
@with_common
def list_(
    common: Common,
    since: Annotated[str | None, typer.Option("--since", help="Worked on this day (YYYY-MM-DD) or later.")] = None,
    wrong: Annotated[bool, typer.Option("--wrong", help="Only wrong flags, with what was wrong.")] = False,
) -> None:
    """What came back, the last first: outcomes, and of wrong flags what was wrong beside the reasons given."""
    from churnwatch.runs.handback import came_back

    first = None if since is None else parse_day(since, option="--since")
    found = came_back(common.workspace(), since=first, wrong=wrong)
    tell(common.json, {"outcomes": [one.as_json() for one in found]}, lambda: show_came_back(found, common.lang))


def _place(text: str) -> tuple[date, int | None]:
    found = re.fullmatch(r"(?P<day>\S+)(?: r(?P<revision>[1-9]\d{0,5}))?", text.strip())
    if found is None:
        raise UsageError(f"{text} names no list", where="--list", allowed="2026-07-01, or '2026-07-01 r2'")
    return parse_day(found["day"], option="--list"), None if found["revision"] is None else int(found["revision"])


def show_imported(done: Imported, lang: str) -> None:
    """How many outcomes are new, and what became of the other lines."""
    from churnwatch.cli.terminal import console, indented
    from churnwatch.cli.words import say
    from churnwatch.delivery.outcome_words import OUTCOMES, word
    from churnwatch.delivery.words import whole

    page = console()
    head = say("outcomes_kept" if done.new else "outcomes_nothing_new", lang)
    page.print(head.format(n=whole(done.new, language=lang), file=done.file, lists=", ".join(done.lists)))
    told = [
        f"{whole(done.words[key], language=lang)} × {word(key, language=lang)}" for key in OUTCOMES if key in done.words
    ]
    lines = [("·", ", ".join(told), "")] if told else []
    for key in ("corrected", "repeated", "superseded", "twice", "without_outcome"):
        count = getattr(done, key)
        if count:
            lines.append(("·", say(f"outcomes_{key}", lang).format(n=whole(count, language=lang)), "dim"))
    indented(page, lines)


def show_came_back(found: Sequence[CameBack], lang: str) -> None:
    """The outcomes as a table, each with what the list had said."""
    from rich.text import Text

    from churnwatch.cli.terminal import console, table, titled
    from churnwatch.cli.words import say
    from churnwatch.delivery.outcome_words import word
    from churnwatch.delivery.text import clean
    from churnwatch.delivery.words import day, percent, whole

    page = console()
    if not found:
        page.print(say("outcomes_none", lang))
        return
    flagged = any(one.outcome.why for one in found)
    heads = ["day", "customer", "owner", "risk", "outcome", *(["what_was_wrong"] if flagged else []), "why"]
    shown = table(*(say(head, lang) for head in heads), right=(say("risk", lang),))
    for one in found[:SHOWN]:
        said = one.outcome
        words = "; ".join(
            word(key, language=lang, until=said.snooze_until if key == "snooze" else None) for key in said.words
        )
        cells = [
            day(said.day, language=lang),
            clean(said.customer_id),
            clean(said.owner or ""),
            "–" if one.risk is None else percent(one.risk, language=lang),
            words,
            *([clean(said.why or "")] if flagged else []),
            "\n".join(map(clean, one.reasons)) or "–",
        ]
        shown.add_row(*map(Text, cells))
    titled(page, say("outcomes_head", lang).format(n=whole(len(found), language=lang)), shown)
    if len(found) > SHOWN:
        page.print(say("outcomes_more", lang).format(n=whole(len(found) - SHOWN, language=lang)))
