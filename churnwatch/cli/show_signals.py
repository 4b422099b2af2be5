"""What the commands about the catalogue print for people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from churnwatch.cli.terminal import console as new_console
from churnwatch.cli.terminal import files, indented, numbered, table, titled

if TYPE_CHECKING:
    from churnwatch.evaluation import Bin, Coverage, Entry, Measured
    from churnwatch.runs.catalogue import Described, Listed, Reported
    from churnwatch.spec import Language

BAR, SHORT_BAR, WIDE = 24, 12, 100
"""Characters of the longest bar, of the longest on a narrow terminal, and from what width a terminal is not narrow."""
STYLE = {"against": "bold red", "partly": "yellow", "agrees": "green", "unclear": "dim", "free": ""}
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
    "rows": ("rows", "baris"),
    "number": ("number", "angka"),
    "measure": ("measure", "ukuran"),
    "by": ("by", "menurut"),
    "of": ("of", "dari"),
    "after": ("after", "setelah"),
    "within": ("within", "dalam"),
    "windows": ("windows", "jendela"),
    "compared": ("compared", "dibanding"),
    "unit": ("unit", "satuan"),
    "actionable": ("actionable", "bisa ditindak"),
    "says": ("same reason", "alasan sama"),
    "reads": ("agents read", "dibaca petugas"),
    "reason": ("reason", "alasan"),
    "do": ("what to do", "tindakan"),
    "all_history": ("all history", "seluruh riwayat"),
    "previous": ("also the change against the window before", "juga perubahan terhadap jendela sebelumnya"),
    "past": (
        "also the change against all history before the window",
        "juga perubahan terhadap seluruh riwayat sebelum jendela",
    ),
    "up": ("a higher value", "nilai yang lebih tinggi"),
    "down": ("a lower value", "nilai yang lebih rendah"),
    "any": ("no side: the model may use both", "tidak ada: model boleh memakai keduanya"),
    "can": ("an agent can change it", "petugas bisa mengubahnya"),
    "cannot": ("no", "tidak"),
    "with": ("{table} with {where}", "{table} dengan {where}"),
    "all_rows": ("all {table}", "semua {table}"),
    "follow": ("only rows that follow {where}", "hanya baris yang mengikuti {where}"),
    "apart": ("at most {within} apart", "paling jauh {within}"),
    "as_says": ("as all signals with `says: {says}`", "seperti semua sinyal dengan `says: {says}`"),
    "lacking": ("Cannot be computed here: {why}.", "Tidak dapat dihitung di sini: {why}."),
    "measured": (
        "Measured on {observations} observations of {customers} customers at {as_ofs} as-ofs of the model {model} "
        "({predicts}): {rate} had the outcome.",
        "Diukur pada {observations} pengamatan dari {customers} pelanggan pada {as_ofs} tanggal model {model} "
        "({predicts}): {rate} mengalaminya.",
    ),
    "column": ("column", "kolom"),
    "median": ("median", "median"),
    "direction": ("direction", "arah"),
    "drift": ("drift", "geseran"),
    "steady": ("steady", "tetap"),
    "moved": ("moved", "bergeser"),
    "changed": ("changed", "berubah"),
    "alone": ("Coverage, values, and what the column tells alone", "Cakupan, nilai, dan isi kolom itu sendiri"),
    "by_tenth": ("{column}: outcome rate by tenth of the values", "{column}: tingkat kejadian per sepersepuluh nilai"),
    "values": ("The values", "Nilainya"),
    "least": ("least", "terkecil"),
    "greatest": ("greatest", "terbesar"),
    "bars": (
        "█ rate, ░ up to the end of its interval, │ everybody ({rate}). Equal values stay together; intervals allow "
        "for customers who are observed several times.",
        "█ tingkat, ░ sampai ujung rentangnya, │ semua ({rate}). Nilai yang sama tidak dipisah; rentang "
        "memperhitungkan pelanggan yang diamati beberapa kali.",
    ),
    "others": (
        "The same of the others: churnwatch signals describe COLUMN ({names}).",
        "Hal yang sama untuk yang lain: churnwatch signals describe KOLOM ({names}).",
    ),
    "picture": ("The picture:", "Gambarnya:"),
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
    indented(console, [(key, text, "") for key, text in _definition(found, language)])
    if entry.skipped is not None:
        console.print(Text(f"\n{_say('lacking', language, why=entry.skipped)}", style="yellow"))
        return
    told = _say(
        "measured",
        language,
        observations=f"{about.observations:,}",
        customers=f"{about.customers:,}",
        as_ofs=str(len(about.as_ofs)),
        model=about.model,
        predicts=about.predicts.in_language(language),
        rate=f"{about.base_rate:.1%}",
    )
    console.print(Text(f"\n{told}"))
    _columns(console, entry, language)
    main = entry.main
    assert main is not None
    _deciles(console, main, language, currency=about.currency, base_rate=about.base_rate)
    if len(entry.measured) > 1:
        names = ", ".join(one.column.name for one in entry.measured if one is not main)
        console.print(Text(f"\n{_say('others', language, names=names)}", style="dim"))
    if found.picture:
        console.print(f"\n{_say('picture', language)}")
        files({found.picture.name: str(found.picture)})


def _definition(found: Described, language: Language) -> list[tuple[str, str]]:
    """Every key of the signal in words; one this module does not know is shown as it is written."""
    from churnwatch.aggregates import AGGREGATES
    from churnwatch.spec import where_words

    def say(key: str, **values: str) -> str:
        return _say(key, language, **values)

    signal, table = found.entry.signal, found.family.table
    aggregate = AGGREGATES.get(signal.aggregate)
    rows = say("with", table=table, where=where_words(signal.where)) if signal.where else say("all_rows", table=table)
    said = {
        "rows": rows,
        "number": f"{signal.aggregate}: {aggregate.summary}" if aggregate else signal.aggregate,
        "measure": signal.measure,
        "by": signal.by,
        "of": where_words(signal.of) if signal.of else None,
        "after": say("follow", where=where_words(signal.after)) if signal.after else None,
        "within": say("apart", within=signal.within) if signal.within else None,
        "windows": ", ".join(signal.windows) or say("all_history"),
        "compared": say(signal.compare) if signal.compare in HEADS else signal.compare,
        "worse": say(signal.direction),
        "unit": signal.unit,
        "actionable": say("can" if signal.actionable else "cannot"),
        "says": say("as_says", says=signal.says) if signal.says else None,
    }
    facts = [(say(key), value) for key, value in said.items() if value is not None]
    told = {"name", "description", "where", "aggregate", "compare", "direction", "reason", "change_reason", "action"}
    for key, value in signal.model_dump(mode="json", exclude_defaults=True).items():
        if key not in {*told, *said}:
            facts.append((key, str(value)))
    main = found.entry.main
    words = main.sentence if main and main.sentence else signal.reason
    facts += [(say("reads" if words is not signal.reason else "reason"), words.en), ("", words.id)]
    if found.action:
        facts.append((say("do"), f"{found.action.en} / {found.action.id}"))
    return facts


def _columns(console: Console, entry: Entry, language: Language) -> None:
    keys = ("column", "known", "not_zero", "median")
    heads = (*(_say(key, language) for key in keys), "AUC", _say("direction", language), _say("drift", language))
    grid = table(*heads, right=heads[1:5])
    grid.columns[0].no_wrap = True
    for one in entry.measured:
        grid.add_row(
            one.column.name,
            f"{one.coverage.share:.1%}",
            _share(one.coverage),
            "–" if one.quantiles is None else _number(one.quantiles[3]),
            f"{one.auc:.3f}",
            Text(_verdict(one, language), style=STYLE[one.agreement]),
            _say(one.drift.verdict, language) if one.drift else "–",
        )
    titled(console, _say("alone", language), grid)


def _number(value: float) -> str:
    """Four digits of what is small, whole from a thousand on."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def _share(coverage: Coverage) -> str:
    return "–" if coverage.nonzero_share is None else f"{coverage.nonzero_share:.1%}"


def _verdict(one: Measured, language: Language) -> str:
    from churnwatch.delivery.signal_words import say

    return say(one.deciles.shape if one.agreement == "free" else one.agreement, language=language)


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
    for column in grid.columns[1:]:
        column.no_wrap = True
    longest = BAR if console.width >= WIDE else SHORT_BAR
    parts = [*one.deciles.bins, *([one.deciles.missing] if one.deciles.missing else [])]
    most = max(part.ceiling for part in parts)
    for part in parts:
        grid.add_row(
            span(part),
            f"{part.n:,}",
            f"{part.outcomes:,}",
            f"{part.rate:.1%}",
            f"{part.floor:.1%} – {part.ceiling:.1%}",
            _bar(part, longest, most, base_rate),
        )
    titled(console, _say("by_tenth", language, column=one.column.name), grid)
    if one.quantiles is not None:
        least, greatest = _say("least", language), _say("greatest", language)
        names = (least, "10 %", "25 %", _say("median", language), "75 %", "90 %", greatest)
        told = " · ".join(f"{name} {_number(value)}" for name, value in zip(names, one.quantiles, strict=True))
        console.print(Text(f"\n{_say('values', language)}: {told}"))
    console.print(Text(f"\n{_say('bars', language, rate=f'{base_rate:.1%}')}", style="dim"))


def _bar(part: Bin, longest: int, most: float, base_rate: float) -> Text:
    scale = longest / most
    full, reach, base = round(part.rate * scale), round(part.ceiling * scale), round(base_rate * scale)
    drawn = ["█" if i < full else "░" if i < reach else " " for i in range(longest + 1)]
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
