"""What `daily` prints: the top of the list, and where everybody else went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from churnwatch.cli.terminal import BAND_STYLE, files, marked, titled, warned
from churnwatch.cli.terminal import console as _console
from churnwatch.cli.terminal import table as _table
from churnwatch.cli.words import say

if TYPE_CHECKING:
    from churnwatch.runs.daily import Daily

SHOWN = 10
"""Rows of a list shown in the terminal; the files have all."""
FURTHER_SHOWN = 3
"""Of these, those of further models, which stand at the list's end."""

WIDTHS = (17, 22)
"""The columns of how bad and of who are no wider."""


def daily(made: Daily, lang: str) -> None:
    """The top of the list, where everybody else went, and the files."""
    from churnwatch.runs.daily import counts_told

    console = _console()
    summary = made.summary
    if made.status == "skipped":
        console.print(say("issued_before", lang).format(day=summary["as_of"]))
    if made.status == "verified":
        console.print(say("made_again", lang).format(day=summary["as_of"]))
    by = f"model {summary['model']} {summary['model_version']}"
    if summary["baseline"]:
        by = say("rule_score", lang) if summary["baseline"] == "health" else f"baseline {summary['baseline']}"
    also = {one["model"]: one for one in summary.get("also", ())}
    # A list of an earlier version of the program does not say what its model foretells.
    answers = summary.get("answers", False)
    shown = _top(made.rows, set(also))
    titled(
        console,
        f"{say('list', lang)}, {summary['as_of']} · {by}",
        _list(shown, also, lang, answers=answers) if shown else _nobody(summary["counts"], lang),
    )
    if len(made.rows) > len(shown):
        console.print(f"\n  … {say('more', lang).format(n=len(made.rows) - len(shown))}")
    proactive = summary.get("proactive")
    told = counts_told(summary["counts"], tuple(also.values()), proactive=proactive, answers=answers, language=lang)
    console.print(f"\n{told}.")
    # A list of an earlier version of the program has no warnings.
    warned(console, summary.get("warnings", ()))
    files({path.name: str(path) for path in sorted(made.directory.iterdir())})


def _nobody(counts: Mapping[str, int], lang: str) -> str:
    from churnwatch.delivery.words import say_nobody
    from churnwatch.outreach import Counts

    return say_nobody(Counts(**counts).waiting or 0, language=lang)


def _top(rows: Sequence[Mapping[str, str]], further: set[str]) -> list[Mapping[str, str]]:
    """The first rows of the listing model, and the first of further models."""
    last = [row for row in rows if row["listed_for"] in further][:FURTHER_SHOWN]
    return [row for row in rows if row["listed_for"] not in further][: SHOWN - len(last)] + last


def _list(
    rows: Sequence[Mapping[str, str]], also: Mapping[str, Mapping[str, Any]], lang: str, *, answers: bool
) -> Table:
    """How bad and since when, who, why and what to do; about five lines a customer."""
    heads = ("#", *(say(word, lang) for word in ("risk", "customer", "why_and_do")))
    table = _table(*heads, right=("#",), leading=1)
    # The sentences are what is read: who and how bad make room for them.
    for place, width in zip((1, 2), WIDTHS, strict=True):
        table.columns[place].max_width = width
    for row in rows:
        table.add_row(row["rank"], _numbers(row, also, lang, answers=answers), _who(row, lang), _why(row, lang))
    return table


def _who(row: Mapping[str, str], lang: str) -> Text:
    """The customer, on whose list and why there, and what is at stake."""
    from churnwatch.delivery.words import whole

    lines = [(row["customer_name"], "bold"), (row["customer"], ""), (row["owner_name"], "dim")]
    if row["handed"]:
        owner = row["account_owner_name"] or row["account_owner"]
        lines.append((say(row["handed"], lang).format(owner=owner), "italic"))
    if row["value_at_risk"] and not row["proactive"]:
        value = whole(round(float(row["value_at_risk"])), language=lang)
        lines.append((say("value_at_risk", lang).format(value=value), "dim"))
    return Text("\n").join(Text(part, style=look) for part, look in lines if part)


def _why(row: Mapping[str, str], lang: str) -> Table:
    """Why again, why at all, what would help, and what to do."""
    from churnwatch.delivery.words import days_in, short_day, whole

    lines = [("·", row[key], "") for key in ("reason_1", "reason_2", "reason_3") if row[key]]
    if row["back_early"]:
        back = say("back_early", lang).format(why=days_in(row["back_early"], language=lang))
        lines.insert(0, ("!", back, "yellow"))
    if row["counterfactual"]:
        lines.append(("?", row["counterfactual"], "dim"))
    how = [row["action_channel"]] if row["action_channel"] else []
    if row["action_minutes"]:
        how.append(say("minutes", lang).format(n=whole(int(row["action_minutes"]), language=lang)))
    how.append(say("due", lang).format(day=short_day(date.fromisoformat(row["due"]), language=lang)))
    return marked([*lines, ("→", row["action"], "bold"), ("", ", ".join(how), "dim")])


def _moved(row: Mapping[str, str], lang: str) -> list[Text]:
    """How the risk has moved since the last list, and since when it rises; nothing where nobody knows."""
    from churnwatch.delivery.words import day

    lines = []
    points = round(100 * float(row["change"])) if row["change"] else 0
    if points:
        lines.append(say("points_up" if points > 0 else "points_down", lang).format(n=abs(points)))
    if row["rising_since"]:
        since = day(date.fromisoformat(row["rising_since"]), language=lang)
        lines.append(say("rising_since", lang).format(day=since))
    return [Text(line, style="dim") for line in lines]


def _numbers(row: Mapping[str, str], also: Mapping[str, Mapping[str, Any]], lang: str, *, answers: bool) -> Text:
    """The numbers of a row: first of the model that lists it, then of the other; ``answers``: the listing model's."""
    from churnwatch.delivery.words import percent

    if row["proactive"]:
        return Text(row["proactive_title"] or row["proactive"], style="cyan")
    own = [percent(float(row["risk"]), language=lang)] if row["risk"] else []
    number = f"{say('bad_answer' if answers else 'leaving', lang)} {own[0]}" if own else ""
    own = [number] if number and answers else own
    own += [say(row["band"], lang)] if row["band"] else []
    own += [f"{say('rule', lang)} {row['rule_score']}"] if row["rule_score"] else []
    score = row["expected_score"]
    expected = [say("expected_score", lang).format(n=round(100 * float(score)))] if score else []
    style = BAND_STYLE.get(row["band"], "")
    mine = [Text("\n".join(own or ["–"]), style=style), *map(Text, expected if answers else [])]
    mine += _moved(row, lang)
    if not row["also_model"]:
        return Text("\n").join(mine)
    further = also.get(row["also_model"], {})
    unhappy = further.get("answers", False)
    title = further.get("title", {}).get(lang) or row["also_model"]
    label = say("bad_answer", lang) if unhappy and not answers else title
    beside = [f"{label} {percent(float(row['also_risk']), language=lang)}"]
    theirs = [] if answers else expected
    if row["listed_for"] != row["also_model"]:
        return Text("\n").join([*mine, *map(Text, beside + theirs)])
    parts = [
        Text(say("growing_unhappy" if unhappy else "early_sign", lang), style="bold medium_purple"),
        Text("\n".join([*beside, say(row["also_band"], lang)]), style=BAND_STYLE[row["also_band"]]),
        *map(Text, theirs),
    ]
    if number:
        parts += map(Text, [number, *(expected if answers else [])])
    return Text("\n").join(parts)
