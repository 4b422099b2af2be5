"""The commands about surveys: whom to ask next."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from churnwatch.cli.options import AsOfOption, Common, day_of, progress_bar, tell, with_common

if TYPE_CHECKING:
    from churnwatch.runs.survey_plan import Planned

SHOWN = 20
"""Rows of a plan shown in the terminal; the file has all."""

surveys = typer.Typer(name="surveys", help="Whom to ask what they think.")


@surveys.callback()
def start() -> None:
    """Whom to ask what they think."""


@surveys.command()
@with_common
def plan(
    common: Common,
    size: Annotated[int, typer.Option("--size", min=1, help="How many customers are asked.")],
    as_of: AsOfOption = None,
    instrument: Annotated[
        str | None,
        typer.Option(
            "--instrument",
            help="An instrument of the model, such as nps.",
            show_default="its first about the customer",
        ),
    ] = None,
    model: Annotated[str, typer.Option("--model", help="A model of models/ that foretells answers.")] = "satisfaction",
) -> None:
    """Whom to ask next: quiet, uncertain, likely to answer, not asked lately; writes survey_plan.csv."""
    from churnwatch.runs.survey_plan import plan_surveys

    workspace = common.workspace()
    with progress_bar() as report:
        made = plan_surveys(
            workspace, day=day_of(as_of, workspace), size=size, instrument=instrument, name=model, report=report
        )
    tell(common.json, made.as_json(), lambda: show_plan(made, common.lang))


def show_plan(made: Planned, lang: str) -> None:
    """The top of the plan, what it is expected to bring beside chance, where everybody else went, and the file."""
    from churnwatch.cli.terminal import console, files, indented, table, titled
    from churnwatch.cli.words import say
    from churnwatch.delivery.card_words import number
    from churnwatch.delivery.words import percent

    page, told = console(), made.summary
    numbers = tuple(say(word, lang) for word in ("answers", "risk", "bits"))
    days = tuple(say(word, lang) for word in ("last_asked", "last_answered"))
    shown = table("#", say("customer", lang), say("owner", lang), *numbers, *days, "", right=("#", *numbers))
    for row in made.rows[:SHOWN]:
        shown.add_row(
            str(row["rank"]),
            "\n".join(part for part in (row["customer_name"], row["customer"]) if part),
            row["owner_name"],
            "–" if row["answers"] is None else percent(row["answers"], language=lang),
            percent(row["risk"], language=lang),
            number(row["bits"], lang, digits=3),
            *(str(row[name] or say("never", lang)) for name in ("last_asked", "last_answered")),
            say("drawn", lang) if row["chosen_by"] == "draw" else "",
        )
    by = f"{told['instrument']} · {told['model']} {told['model_version']}"
    titled(page, f"{say('ask', lang)}, {told['as_of']} · {by}", shown)
    if len(made.rows) > SHOWN:
        page.print(f"\n  … {say('more', lang).format(n=number(len(made.rows) - SHOWN, lang))}")
    page.print()
    indented(page, [("·", line, "") for line in (*_expected(told, lang), _counts(told, lang))])
    indented(page, [("!", warning, "yellow") for warning in told["warnings"]])
    files({path.name: str(path) for path in sorted(made.directory.iterdir())})


def _expected(told: Mapping[str, Any], lang: str) -> list[str]:
    """What the plan is expected to bring, beside a draw of as many, and what its drawn places cost."""
    from churnwatch.cli.words import say
    from churnwatch.delivery.card_words import number

    def worth(expected: Mapping[str, Any]) -> str:
        bits = say("n_bits", lang).format(n=number(expected["bits"], lang, digits=1))
        if expected["answers"] is None:
            return f"{bits} ({say('if_all', lang)})"
        return f"{say('n_answers', lang).format(n=number(expected['answers'], lang, digits=1))}, {bits}"

    lines = [
        say("expected", lang).format(worth=worth(told["expected"])),
        say("by_chance", lang).format(worth=worth(told["at_random"])),
    ]
    if told["drawn"]:
        word = "without_draw" if told["drawn"] > 1 else "without_one_drawn"
        lines.append(say(word, lang).format(n=number(told["drawn"], lang), worth=worth(told["ranked_alone"])))
    return lines


def _counts(told: Mapping[str, Any], lang: str) -> str:
    from churnwatch.cli.words import say
    from churnwatch.delivery.card_words import number

    rules = told["rules"]
    counts = {name: number(count, lang) for name, count in told["counts"].items()}
    lengths = {name: f"{rules[name][:-1]} {say(rules[name][-1], lang)}" for name in ("fatigue", "quiet")}
    return say("plan_counts", lang).format(**counts, **lengths)
