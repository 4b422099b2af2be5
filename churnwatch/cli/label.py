"""``churnwatch label``: what a model calls leaving, in words, numbers and a picture."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from churnwatch.cli.options import Common, progress_bar, tell, with_common

if TYPE_CHECKING:
    from rich.console import Console

    from churnwatch.runs.definition import Defined, Leavers, Silences

label = typer.Typer()

SHOWN_DAYS = 30
"""The terminal shows every n of so many days, the file's and the proposed one; --json has all."""


@label.command("label")
@with_common
def label_(
    common: Common,
    model: Annotated[str, typer.Argument(help="A model of models/.")],
    out: Annotated[
        Path | None,
        typer.Option("--out", help="The picture, .png or .svg.", show_default="out/<deployment>/label/MODEL.png"),
    ] = None,
) -> None:
    """What the model calls leaving: in words, base rates, who comes back, and the n that past pauses propose."""
    from churnwatch.runs.definition import define

    workspace = common.workspace()
    with progress_bar() as report:
        found = define(workspace, model, out=out, language=common.lang, report=report)
    tell(common.json, found.as_json(), lambda: show_defined(found, common.lang))


def show_defined(found: Defined, language: str) -> None:
    """The definition, its base rate, and what was measured about it."""
    from churnwatch.cli.terminal import console, files, indented
    from churnwatch.delivery.card_words import number
    from churnwatch.delivery.definition_words import say, when_words
    from churnwatch.delivery.row_words import length_words
    from churnwatch.runs.definition import Leavers, Silences

    page = console()
    page.print(found.model.title.in_language(language), style="bold", markup=False)
    page.print(f"\n{found.words[language]}\n", markup=False)
    lines = [say("no_complete", language)]
    if found.base_rate is not None:
        lines = [
            say(
                "complete",
                language,
                observations=number(found.observed, language),
                when=when_words(found.model, found.as_ofs, language),
                bad=number(found.bad, language),
                rate=_share(found.base_rate, language),
            )
        ]
    if found.unanswered:
        word = "still_open" if found.only_answers else "unanswered"
        lines.append(say(word, language, n=number(found.unanswered, language)))
    if found.too_late:
        gap = length_words(found.model.gap, language)
        lines.append(say("inside_gap", language, late=number(found.too_late, language), gap=gap))
    indented(page, [("·", line, "") for line in lines])
    if isinstance(found.measured, Silences):
        _silences(page, found, found.measured, language)
    elif isinstance(found.measured, Leavers):
        _leavers(page, found, found.measured, language)
    if found.picture:
        page.print()
        files({found.picture.name: str(found.picture)})


def _silences(page: Console, found: Defined, measured: Silences, language: str) -> None:
    from churnwatch.cli.terminal import indented, table, titled
    from churnwatch.delivery.card_words import number
    from churnwatch.delivery.definition_words import dates_words, say
    from churnwatch.delivery.row_words import rows_words
    from churnwatch.evaluation.pauses import SHARES

    what = rows_words(found.model.outcome.where, language)
    heads = (say("closed", language), say("censored", language))
    shown = table(say("percentile", language), *heads, right=heads)
    for share in SHARES:
        values = (measured.pauses.percentile(share), measured.pauses.censored_percentile(share))
        shown.add_row(f"{share:.0%}", *(_days(value, language) for value in values))
    titled(page, say("pauses", language, what=what), shown)
    counts = {
        "closed": number(len(measured.pauses.closed), language),
        "customers": number(measured.customers, language),
        "what": what,
    }
    page.print()
    indented(
        page,
        [
            ("·", say("closed_pauses", language, **counts), ""),
            ("·", say("open_pauses", language, open=number(len(measured.pauses.open), language)), ""),
        ],
    )
    if measured.steps:
        names = ("observed", "gone", "base_rate", "seen_later", "returning")
        heads_n = tuple(say(name, language) for name in names)
        rates = table("n", *heads_n, right=("n", *heads_n))
        for one in measured.steps:
            if one.days % SHOWN_DAYS == 0 or one.days in (measured.file_days, measured.proposed):
                rates.add_row(
                    f"{one.days}",
                    number(one.observed, language),
                    number(one.gone, language),
                    _share(one.base_rate, language),
                    number(one.later, language),
                    _share(one.returning, language),
                    style="bold" if one.days == measured.file_days else "",
                )
        titled(page, say("called_gone", language), rates)
        told = {
            "observed": number(measured.steps[0].observed, language),
            "as_ofs": dates_words(measured.as_ofs, language),
            "days": "0" if measured.later is None else number(measured.later, language),
            "n": measured.later_at,
        }
        page.print()
        indented(page, [("·", say("same_as_ofs", language, **told), "")])
    page.print(f"\n{_proposal(measured, what, language)}", markup=False)


def _proposal(measured: Silences, what: str, language: str) -> str:
    from churnwatch.delivery.definition_words import say

    if measured.proposed is None:
        return say("no_rule", language, what=what)
    by = measured.file_days - measured.proposed
    told = {
        "file": f"{measured.file_days:g}",
        "by": _days(abs(by), language),
        "share": _share(measured.pauses.share_reaching(measured.file_days), language),
        "what": what,
    }
    word = "file_same" if by == 0 else "file_longer" if by > 0 else "file_shorter"
    return f"{say('rule', language, n=measured.proposed)} {say(word, language, **told)}"


def _leavers(page: Console, found: Defined, measured: Leavers, language: str) -> None:
    from churnwatch.cli.terminal import indented, table, titled
    from churnwatch.delivery.card_words import number
    from churnwatch.delivery.definition_words import dates_words, say
    from churnwatch.delivery.row_words import rows_words
    from churnwatch.runs.definition import SETTLING

    what = rows_words(found.model.outcome.where, language)
    if measured.horizons:
        heads = tuple(say(name, language) for name in ("horizon_days", "observed", "left", "base_rate"))
        rates = table(*heads, right=heads)
        file_days = found.model.label_length.days
        for one in measured.horizons:
            style = "bold" if one["days"] == file_days else ""
            counts = (number(one["observed"], language), number(one["left"], language))
            rates.add_row(f"{one['days']:g}", *counts, _share(one["base_rate"], language), style=style)
        titled(page, say("by_horizon", language), rates)
        page.print()
        indented(page, [("·", say("same_horizons", language, as_ofs=dates_words(measured.as_ofs, language)), "")])
    if not measured.leavers:
        page.print()
        indented(page, [("·", say("no_leavers", language, what=what), "")])
        return
    months = table(say("month", language), say("leavers", language), right=(say("leavers", language),))
    for month, count in measured.months:
        months.add_row(month, number(count, language))
    titled(page, say("leavers_by_month", language), months)
    page.print()
    returned = say(
        "came_back",
        language,
        returned=number(measured.returned, language),
        later=number(measured.later, language),
        share=_share(measured.returned / measured.later if measured.later else None, language),
        settling=SETTLING,
        restarted=number(measured.restarted, language),
    )
    lines = [
        say(
            "left_ever",
            language,
            leavers=number(measured.leavers, language),
            twice=number(measured.twice, language),
            what=what,
        ),
        returned,
    ]
    if measured.partly:
        lines.insert(0, say("partly", language, month=measured.partly))
    indented(page, [("·", line, "") for line in lines])


def _days(days: float | None, language: str) -> str:
    from churnwatch.delivery.card_words import number
    from churnwatch.delivery.definition_words import say

    if days is None:
        return say("not_reached", language)
    told = number(days, language, digits=0 if round(days, 1) == int(round(days, 1)) else 1)
    return f"{told} hari" if language == "id" else f"{told} day{'' if told == '1' else 's'}"


def _share(part: float | None, language: str) -> str:
    from churnwatch.delivery.card_words import share

    return "–" if part is None else share(part, language)
