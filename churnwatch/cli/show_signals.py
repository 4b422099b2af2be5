"""What the commands about the catalogue print for people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from churnwatch.cli.show import files
from churnwatch.cli.terminal import console as new_console
from churnwatch.cli.terminal import indented, numbered, table, titled

if TYPE_CHECKING:
    from churnwatch.evaluation import Bin, Coverage, Entry, Measured
    from churnwatch.runs.catalogue import Described, Listed, Reported
    from churnwatch.spec import Language, Signal

BAR = 24
"""Characters of the longest bar."""
STYLE = {"against": "bold red", "partly": "yellow", "agrees": "green", "unclear": "dim", "free": ""}
COMPARED = {
    "previous": "also the change against the window before",
    "past": "also the change against all history before the window",
}
SIDES = {"up": "a higher value", "down": "a lower value", "any": "no side: the model may use both"}
WORSE = {"up": ("higher", "tinggi"), "down": ("lower", "rendah"), "any": ("–", "–")}
HEADS = {
    "signal": ("signal", "sinyal"),
    "what": ("what it is", "apa itu"),
    "worse": ("worse", "buruk"),
    "act": ("act", "tindak"),
    "yes": ("yes", "ya"),
    "known": ("known", "terisi"),
    "not_zero": ("not 0", "bukan 0"),
    "skipped": ("not here", "tidak ada di sini"),
    "listed": (
        "{signals} of the catalogue, {usable} of them usable here.",
        "{signals} dalam katalog, {usable} dapat dipakai di sini.",
    ),
    "known_means": (
        "known: share of the {observations} observations of the model {model} ({customers} customers, {first} to "
        "{last}) that have a value; not 0: a value other than 0, of what counts or adds up. Several windows: least to "
        "greatest. worse: which side of the values is the bad one. act: an agent can change it.",
        "terisi: bagian dari {observations} pengamatan model {model} ({customers} pelanggan, {first} sampai {last}) "
        "yang punya nilai; bukan 0: nilai selain 0, untuk yang menghitung atau menjumlah. Beberapa jendela: terkecil "
        "sampai terbesar. buruk: sisi nilai yang buruk. tindak: petugas bisa mengubahnya.",
    ),
    "more": (
        "More about one: churnwatch signals describe NAME. All of them as a page: churnwatch signals report.",
        "Lebih lanjut tentang satu sinyal: churnwatch signals describe NAMA. Semuanya sebagai halaman: churnwatch "
        "signals report.",
    ),
    "range": ("values", "nilai"),
    "observations": ("observations", "pengamatan"),
    "outcomes": ("outcomes", "hasil"),
    "rate": ("rate", "tingkat"),
    "interval": ("95 % interval", "rentang 95 %"),
    "no_value": ("no value", "tanpa nilai"),
}


def _say(key: str, language: str, **values: str) -> str:
    return HEADS[key][language == "id"].format(**values)


def signals_listed(found: Listed, language: Language) -> None:
    """The catalogue family by family: what each signal is, and how much it covers here."""
    console = new_console()
    heads = {key: _say(key, language) for key in ("signal", "what", "worse", "act", "known", "not_zero")}
    right = (heads["known"], heads["not_zero"])
    # The same widths in every family, so that the eye goes down a column.
    widest = max(len(signal.name) for family in found.families for signal in family.signals)
    for family in found.families:
        grid = table(*heads.values(), right=right)
        for column, width in zip(grid.columns, (min(widest, 26), None, 6, 3, 8, 8), strict=True):
            column.width = width
        grid.columns[1].ratio = 1
        grid.expand = True
        for signal in family.signals:
            why = found.skipped.get(signal.name)
            covered = [
                found.coverage[column.name]
                for column in family.columns
                if column.signal.name == signal.name and not column.change and column.name in found.coverage
            ]
            what = Text(signal.description)
            if why:
                what.append(f"\n{_say('skipped', language)}: {why}", style="yellow")
            for one in family.columns:
                if one.signal.name == signal.name and one.name in found.suspects:
                    what.append(f"\n{one.name}: {found.suspects[one.name]}", style="bold red")
            name = Text(signal.name, style="dim" if why else "bold")
            if signal.windows:
                name.append(f"\n{' '.join(signal.windows)}", style="not bold dim")
            grid.add_row(
                name,
                what,
                WORSE[signal.direction][language == "id"],
                _say("yes", language) if signal.actionable else "",
                _shares([one.share for one in covered]),
                _shares([one.nonzero_share for one in covered if one.nonzero_share is not None]),
            )
        titled(console, f"{family.family}: {family.description}", grid)
    _legend(console, found, language)


def _legend(console: Console, found: Listed, language: Language) -> None:
    names = [signal.name for family in found.families for signal in family.signals]
    usable = sum(name not in found.skipped for name in names)
    counted = numbered(len(names), "signal") if language == "en" else f"{len(names)} sinyal"
    console.print()
    # Facts of customers that no signal reads stand in no family.
    indented(console, [("!", f"{name}: {why}", "bold red") for name, why in found.suspects.items() if "." in name])
    console.print(_say("listed", language, signals=counted, usable=str(usable)), style="bold")
    told = _say(
        "known_means",
        language,
        observations=f"{found.observations:,}",
        customers=f"{found.customers:,}",
        model=found.model,
        first=found.as_ofs[0],
        last=found.as_ofs[-1],
    )
    console.print(Text(told, style="dim"))
    console.print(Text(_say("more", language), style="dim"))


def _shares(shares: Sequence[float]) -> str:
    """One share, or the least and the greatest where windows differ."""
    if not shares:
        return "–"
    low, high = _percent(min(shares)), _percent(max(shares))
    return f"{high} %" if low == high else f"{low}–{high} %"


def _percent(share: float) -> str:
    """Whole percents; nothing rare reads as 0, nothing nearly whole as 100."""
    shown = round(100 * share)
    if (shown == 0 and share > 0) or (shown == 100 and share < 1):
        return "<1" if shown == 0 else ">99"
    return str(shown)


def signal_described(found: Described, language: Language) -> None:
    """The definition in words, coverage, the values, the outcome rate by decile, the picture's path."""
    console = new_console()
    entry, about = found.entry, found.catalogue
    console.print(Text(entry.signal.name, style="bold").append(f" · {entry.family}", style="not bold"))
    console.print(Text(entry.signal.description))
    console.print()
    facts = _definition(entry.signal, found)
    if entry.main and entry.main.sentence:
        facts += [("agents read", entry.main.sentence.en), ("", entry.main.sentence.id)]
    else:
        facts += [("reason", entry.signal.reason.en), ("", entry.signal.reason.id)]
    if found.action:
        facts.append(("what to do", f"{found.action.en} / {found.action.id}"))
    indented(console, [(key, text, "") for key, text in facts])
    if entry.skipped is not None:
        console.print(f"\nCannot be computed here: {entry.skipped}.", style="yellow")
        return
    console.print(
        f"\nMeasured on {about.observations:,} observations of {about.customers:,} customers at "
        f"{numbered(len(about.as_ofs), 'as-of')} of the model {about.model} "
        f"({about.predicts.in_language(language)}): {about.base_rate:.1%} had the outcome."
    )
    _columns(console, entry)
    main = entry.main
    assert main is not None
    _deciles(console, main, language, currency=about.currency, base_rate=about.base_rate)
    if len(entry.measured) > 1:
        names = ", ".join(one.column.name for one in entry.measured if one is not main)
        console.print(Text(f"\nThe same of the others: churnwatch signals describe COLUMN ({names}).", style="dim"))
    if found.picture:
        console.print("\nThe picture:")
        files({found.picture.name: str(found.picture)})


def _definition(signal: Signal, found: Described) -> list[tuple[str, str]]:
    """Every key of the signal in words; one this module does not know is shown as it is written."""
    from churnwatch.aggregates import AGGREGATES
    from churnwatch.spec import where_words

    aggregate, table = AGGREGATES.get(signal.aggregate), found.family.table
    said = {
        "rows": f"{table} with {where_words(signal.where)}" if signal.where else f"all {table}",
        "number": f"{signal.aggregate}: {aggregate.summary}".replace("`", "") if aggregate else signal.aggregate,
        "measure": signal.measure,
        "by": signal.by,
        "of": where_words(signal.of) if signal.of else None,
        "after": f"only rows that follow {where_words(signal.after)}" if signal.after else None,
        "within": f"at most {signal.within} apart" if signal.within else None,
        "windows": ", ".join(signal.windows) or "all history",
        "compared": COMPARED.get(signal.compare or ""),
        "worse": SIDES[signal.direction],
        "unit": signal.unit,
        "actionable": "an agent can change it" if signal.actionable else "no",
        "same reason": f"as all that says {signal.says}" if signal.says else None,
    }
    told = {"name", "description", "where", "aggregate", "compare", "direction", "reason", "change_reason", "action"}
    for key, value in signal.model_dump(mode="json", exclude_defaults=True).items():
        if key not in {*told, "says", *said}:
            said[key] = str(value)
    return [(key, value) for key, value in said.items() if value is not None]


def _columns(console: Console, entry: Entry) -> None:
    heads = ("column", "known", "not 0", "median", "AUC", "direction", "drift")
    grid = table(*heads, right=heads[1:5])
    grid.columns[0].no_wrap = True
    for one in entry.measured:
        grid.add_row(
            one.column.name,
            f"{one.coverage.share:.1%}",
            _share(one.coverage),
            "–" if one.quantiles is None else f"{one.quantiles[3]:,.4g}",
            f"{one.auc:.3f}",
            Text(_verdict(one), style=STYLE[one.agreement]),
            one.drift.verdict if one.drift else "–",
        )
    titled(console, "Coverage, values, and what the column tells alone", grid)


def _share(coverage: Coverage) -> str:
    return "–" if coverage.nonzero_share is None else f"{coverage.nonzero_share:.1%}"


def _verdict(one: Measured) -> str:
    from churnwatch.delivery.signal_words import say

    return say(one.deciles.shape if one.agreement == "free" else one.agreement, language="en")


def _deciles(console: Console, one: Measured, language: Language, *, currency: str, base_rate: float) -> None:
    from churnwatch.reasons import quantity

    def span(part: Bin) -> str:
        if part.low is None or part.high is None:
            return _say("no_value", language)
        unit = one.column.signal.unit
        low, high = (quantity(v, unit, language=language, currency=currency) for v in (part.low, part.high))
        return low if low == high else f"{low} … {high}"

    heads = tuple(_say(key, language) for key in ("range", "observations", "outcomes", "rate", "interval"))
    grid = table(*heads, "", right=heads[1:])
    parts = [*one.deciles.bins, *([one.deciles.missing] if one.deciles.missing else [])]
    most = max(part.ceiling for part in parts)
    for part in parts:
        grid.add_row(
            span(part),
            f"{part.n:,}",
            f"{part.outcomes:,}",
            f"{part.rate:.1%}",
            f"{part.floor:.1%} to {part.ceiling:.1%}",
            _bar(part, most, base_rate),
        )
    titled(console, f"{one.column.name}: outcome rate by tenth of the values", grid)
    if one.quantiles is not None:
        names = ("least", "10 %", "25 %", "median", "75 %", "90 %", "greatest")
        told = " · ".join(f"{name} {value:,.4g}" for name, value in zip(names, one.quantiles, strict=True))
        console.print(Text(f"\nThe values: {told}"))
    told = (
        f"\n█ rate, ░ up to the end of its interval, │ everybody ({base_rate:.1%}). Equal values stay together; "
        "intervals allow for customers who are observed several times."
    )
    console.print(Text(told, style="dim"))


def _bar(part: Bin, most: float, base_rate: float) -> Text:
    scale = BAR / most
    full, reach, base = round(part.rate * scale), round(part.ceiling * scale), round(base_rate * scale)
    drawn = ["█" if i < full else "░" if i < reach else " " for i in range(BAR + 1)]
    if drawn[base] != "█":
        drawn[base] = "│"
    return Text("".join(drawn).rstrip(), style="yellow" if part.low is None else "blue")


def signals_reported(found: Reported) -> None:
    """What the page says at its top, and where it is."""
    console = new_console()
    about = found.catalogue
    console.print(
        f"{numbered(len(about.entries), 'signal')}, {len(about.usable)} usable here, measured on "
        f"{about.observations:,} observations of {about.customers:,} customers at "
        f"{numbered(len(about.as_ofs), 'as-of')}; base rate {about.base_rate:.1%}."
    )
    console.print("\nWhat stands out", style="bold")
    indented(console, [("·", _stands(entry), "") for entry in about.standing_out(5)])
    lines = [("!", f"{name}: {why}", "bold red") for name, why in about.suspects.items()]
    for style, key, told in (
        ("bold red", "against", "goes the other way than the catalogue says"),
        ("yellow", "changed", "clearly different at the last as-of from before"),
    ):
        names = [entry.signal.name for entry in about.usable if entry.main and key in _marks(entry.main)]
        if names:
            lines.append(("!", f"{told}: {', '.join(names)}", style))
    if lines:
        console.print("\nWhat to look at", style="bold")
        indented(console, lines)
    console.print("\nThe page:")
    files({found.file.name: str(found.file)})


def _marks(one: Measured) -> tuple[str, str]:
    return one.agreement, one.drift.verdict if one.drift else "steady"


def _stands(entry: Entry) -> str:
    main = entry.main
    assert main is not None
    rates = [part.rate for part in main.deciles.bins]
    return f"{main.column.name}: outcome rate {min(rates):.1%} to {max(rates):.1%} over its tenths"
