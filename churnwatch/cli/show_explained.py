"""What `explain` prints of one customer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.text import Text

from churnwatch.cli.terminal import BAND_STYLE, warned
from churnwatch.cli.terminal import console as _console
from churnwatch.cli.terminal import indented as _indented
from churnwatch.cli.terminal import table as _table
from churnwatch.cli.terminal import titled as _titled
from churnwatch.cli.words import say

if TYPE_CHECKING:
    from churnwatch.reasons import Reason
    from churnwatch.runs.explain import Curve, Explained, ExplainedFurther, Risk

LEVELS = "▁▂▃▄▅▆▇█"
"""The curve in a terminal: a letter a week, from 0 to its greatest risk."""
WEEK = 7


def explained(told: Explained, lang: str) -> None:
    """Where the customer stands, the risk with its curve and reasons, what happened, and our lists."""
    console = _console()
    customer = told.customer
    console.print(Text(f"{customer['name'] or ''} {customer['customer_id']}".strip(), style="bold"))
    known = {"owner": customer["owner_name"] or customer["owner"], "segment": customer["segment"]}
    facts = [f"{say(key, lang)} {value}" for key, value in known.items() if value]
    if facts:
        console.print(Text(" · ".join(facts)))
    if told.told is None:
        warned(console, [_standing(told, lang)])
    else:
        _risk(console, told, told.told, lang)
    for one in told.further:
        _further(console, one, lang, answers=told.answers)
    warned(console, told.notes)
    _lists(console, told.lists, lang)
    _interactions(console, told.interactions, lang)
    _surveys(console, told.surveys, lang)


def _standing(told: Explained, lang: str) -> str:
    """Why no risk is told."""
    from churnwatch.delivery.explain_words import WORDS
    from churnwatch.delivery.words import day, say_of

    on = "" if told.standing.on is None else day(told.standing.on, language=lang)
    return say_of(WORDS, told.standing.state, language=lang, day=on, model=told.model)


def _risk(console: Console, told: Explained, one: Risk, lang: str) -> None:
    from churnwatch.delivery.words import percent

    console.print(
        Text(f"{_label(told.answers, lang)} ")
        .append(f"{percent(one.risk, language=lang)} {say(one.band, lang)}", style=BAND_STYLE[one.band])
        .append(f", {say('usual', lang)} {percent(told.base_rate, language=lang)}")
        .append(f" · {told.as_of} · {told.model} {told.model_version}")
    )
    if one.expected_score is not None:
        console.print(say("expected_of", lang).format(n=round(100 * one.expected_score)))
    if one.horizons:
        within = (
            f"{say('within', lang)} {length[:-1]} {say(length[-1], lang)} {percent(risk, language=lang)}"
            for length, risk in one.horizons.items()
        )
        console.print(Text(" · ".join(within)))
    if one.curve is not None:
        _curve(console, one.curve, lang)
    _weighing(console, one.reasons, one.signals, lang, what_if=one.counterfactual)


def _curve(console: Console, curve: Curve, lang: str) -> None:
    """The risk at every seventh day until today, from nought to its greatest, and since when it rises."""
    from churnwatch.delivery.words import day, percent

    weeks = list(curve.risks[::-1][::WEEK])[::-1]
    known = [risk for risk in weeks if risk is not None]
    if len(known) > 1:
        top = max(known)
        drawn = "".join(
            " " if risk is None else LEVELS[min(int(risk / top * len(LEVELS)), len(LEVELS) - 1)] for risk in weeks
        )
        ends = f"{percent(known[0], language=lang)} {drawn} {percent(known[-1], language=lang)}"
        console.print(Text(f"{say('weeks', lang).format(n=len(weeks))} {ends}"))
    if curve.rising_since is not None:
        console.print(say("risen", lang).format(day=day(curve.rising_since, language=lang)))


def _weighing(
    console: Console,
    reasons: Sequence[Reason],
    signals: Sequence[tuple[str, float | None, float]],
    lang: str,
    *,
    what_if: str | None = None,
) -> None:
    """The reasons, what would help, and the signals that weigh most."""
    from churnwatch.delivery.card_words import number

    console.print(f"\n{say('why', lang)}", style="bold")
    nothing = say("nothing" if sum(share for *_, share in signals) > 0 else "against", lang)
    lines = [("·", one.sentence, "") for one in reasons] or [("·", nothing, "")]
    _indented(console, [*lines, *([("?", what_if, "dim")] if what_if else [])])
    heads = tuple(say(word, lang) for word in ("signal", "value", "share"))
    table = _table(*heads, right=heads[1:])
    for name, value, share in signals[:10]:
        shown = "–" if value is None else number(value, lang, digits=2)
        table.add_row(name, shown, number(share, lang, digits=3, signed=True))
    _titled(console, say("signals", lang), table)


def _label(answers: bool, lang: str) -> str:
    """What a risk is the risk of."""
    return say("bad_answer_risk" if answers else "leaving_risk", lang)


def _further(console: Console, one: ExplainedFurther, lang: str, *, answers: bool) -> None:
    """What a further model says of the customer; ``answers``: the listing model foretells these already."""
    from churnwatch.delivery.words import percent

    said = one.said
    # Of two models of answers the further one goes by its title.
    label = _label(True, lang) if said.answers and not answers else said.title
    line = (
        Text(f"\n{label} ")
        .append(f"{percent(said.risk, language=lang)} {say(said.band, lang)}", style=BAND_STYLE[said.band])
        .append(f", {say('usual', lang)} {percent(one.base_rate, language=lang)}")
    )
    lately = _lately(said.change, lang)
    console.print(line.append(f", {lately}" if lately else "").append(f" · {said.model} {one.model_version}"))
    if said.expected_score is not None:
        expected, lately = round(100 * said.expected_score), _lately(said.expected_change, lang)
        console.print(", ".join([say("expected_of", lang).format(n=expected), *([lately] if lately else [])]))
    _weighing(console, one.reasons, one.signals, lang)


def _lately(change: float | None, lang: str) -> str:
    """The change within four weeks in whole points; nothing where nobody knows."""
    if change is None:
        return ""
    points = round(100 * change)
    way = "up_lately" if points > 0 else "down_lately" if points < 0 else "same_lately"
    return say(way, lang).format(n=abs(points))


def _lists(console: Console, rows: Sequence[Mapping[str, Any]], lang: str) -> None:
    """The lists that named the customer, and what came of them."""
    from churnwatch.delivery.explain_words import came_words
    from churnwatch.delivery.words import percent

    if not rows:
        return
    table = _table(*(say(name, lang) for name in ("list_day", "risk", "listed_for", "came")))
    for row in rows:
        risk = Text("–")
        if row["risk"] is not None:
            risk = Text(
                f"{percent(row['risk'], language=lang)} {say(row['band'], lang)}", style=BAND_STYLE[row["band"]]
            )
        why = row["reasons"][:1] if row["listed"] else [say("revised" if row["revised"] else "no_list", lang)]
        what = [f"→ {row['action']}"] if row["action"] else []
        came = Text(say("nothing_back", lang), style="dim")
        if row["came"]:
            said = row["came"]["why"]
            came = Text(came_words(row["came"], lang) + (f" “{said}”" if said else ""))
        table.add_row(row["day"], risk, "\n".join(why + what), came)
    _titled(console, say("lists", lang), table)


def _interactions(console: Console, rows: Sequence[Mapping[str, Any]], lang: str) -> None:
    from churnwatch.delivery.words import decimal

    if not rows:
        return
    named = ("at", "kind", "channel", "topic", "agent")
    table = _table(*(say(name, lang) for name in named), say("details", lang))
    for row in rows:
        measures = [
            f"{_spaced(name)} {decimal(row[name], language=lang)}"
            for name in row
            if isinstance(row[name], float) and name not in named
        ]
        shown = {**row, "agent": row["agent_name"] or row["agent"]}
        table.add_row(*(Text(_spaced(shown[name])) for name in named), " · ".join(measures))
    _titled(console, say("interactions", lang), table)


def _surveys(console: Console, rows: Sequence[Mapping[str, Any]], lang: str) -> None:
    if not rows:
        return
    from churnwatch.delivery.row_words import instrument_words

    heads = tuple(say(name, lang) for name in ("sent_at", "instrument", "answered_at", "raw_score"))
    table = _table(*heads, right=heads[-1:])
    for row in rows:
        score = "–" if row["raw_score"] is None else f"{row['raw_score']:g}"
        table.add_row(row["sent_at"], instrument_words(str(row["instrument"])), row["answered_at"] or "–", score)
    _titled(console, say("surveys", lang), table)


def _spaced(value: object) -> str:
    """A code of the data in words: first_response reads first response."""
    return "" if value is None else str(value).replace("_", " ")
