"""What a model calls leaving, in words for those who have to live with it, in both languages."""

from __future__ import annotations

from datetime import date

from churnwatch.delivery.answer_words import answer_definition
from churnwatch.delivery.row_words import length_words, rows_words
from churnwatch.spec import Model

WORDS: dict[str, tuple[str, str]] = {
    "pauses": ("Pauses between two {what}", "Jeda antara dua {what}"),
    "pause_days": ("days", "hari"),
    "share_of_pauses": ("share of the pauses", "bagian dari jeda"),
    "longer": ("longer", "lebih lama"),
    "called_gone": ("Called gone after n days", "Dianggap pergi setelah n hari"),
    "n_days": ("n, days without {what}", "n, hari tanpa {what}"),
    "base_rate": ("base rate", "tingkat dasar"),
    "gone_of_observed": ("called gone, of the observed", "dianggap pergi, dari yang diamati"),
    "returning": ("came back", "kembali lagi"),
    "returned_of_gone": (
        "came back later, of those called gone and seen later",
        "kembali lagi, dari yang dianggap pergi dan masih terlihat sesudahnya",
    ),
    "file_n": ("n of the file: {n}", "n di berkas: {n}"),
    "proposed_n": ("proposed: {n}", "usulan: {n}"),
    "leavers_by_month": ("Leavers per month", "Yang pergi per bulan"),
    "leavers": ("leavers", "yang pergi"),
    "month": ("month", "bulan"),
    "by_horizon": ("Base rate by horizon", "Tingkat dasar menurut horizon"),
    "horizon_days": ("horizon, days", "horizon, hari"),
    "left_of_observed": ("left, of the observed", "pergi, dari yang diamati"),
    "observed": ("observed", "diamati"),
    "gone": ("gone", "pergi"),
    "seen_later": ("seen later", "terlihat sesudahnya"),
    "too_late": ("too late", "terlambat"),
    "left": ("left", "pergi"),
    "percentile": ("share of pauses", "bagian dari jeda"),
    "closed": ("over within, of those that ended", "berakhir dalam, dari yang sudah berakhir"),
    "censored": ("the open ones counted", "yang masih berjalan dihitung"),
    "not_reached": ("not reached", "tidak tercapai"),
    "partly": ("{month} is not over in the data", "{month} belum selesai dalam data"),
    "complete": (
        "{observations} complete observations {when}, {bad} of them with the outcome: base rate {rate}",
        "{observations} pengamatan lengkap {when}, {bad} di antaranya dengan hasil ini: tingkat dasar {rate}",
    ),
    "no_complete": (
        "no complete observations: the data end before any outcome window does",
        "belum ada pengamatan lengkap: data berakhir sebelum jendela hasil mana pun selesai",
    ),
    "inside_gap": (
        "{late} more left inside the {gap} of time to act: too late, left out of training",
        "{late} lagi pergi dalam {gap} waktu bertindak: terlambat, tidak dipakai untuk belajar",
    ),
    "unanswered": (
        "{n} more without an answer: no outcome, weighed for by those who answered",
        "{n} lagi tanpa jawaban: tidak punya hasil, diwakili oleh bobot yang menjawab",
    ),
    "still_open": (
        "{n} more without an answer so far: still open, for the source lists answers only",
        "{n} lagi belum ada jawabannya: masih terbuka, karena sumbernya hanya memuat jawaban",
    ),
    "closed_pauses": (
        "{closed} pauses that ended, of {customers} customers; two {what} on one day are no pause",
        "{closed} jeda yang berakhir, dari {customers} pelanggan; dua {what} pada satu hari bukan jeda",
    ),
    "open_pauses": (
        "{open} pauses were still open when the data ended. The first column leaves them out, so it is too short: the "
        "long ones have had no time to end. The second counts each as longer than it is so far (Kaplan–Meier), so it "
        "is too long: it waits for customers who never come back.",
        "{open} jeda masih berjalan saat data berakhir. Kolom pertama tidak menghitungnya, jadi terlalu pendek: yang "
        "panjang belum sempat berakhir. Kolom kedua menghitungnya lebih lama daripada sejauh ini (Kaplan–Meier), "
        "jadi terlalu panjang: ia menunggu pelanggan yang tidak pernah kembali.",
    ),
    "same_as_ofs": (
        "All n on the same {observed} observations at {as_ofs}, so that only n moves. Came back: of those "
        "called gone of whom any later time is in the data, {days} days on median at n = {n}.",
        "Semua n pada {observed} pengamatan yang sama di {as_ofs}, jadi hanya n yang berubah. Kembali lagi: "
        "dari yang dianggap pergi dan waktu sesudahnya ada dalam data, median {days} hari pada n = {n}.",
    ),
    "rule": (
        "Proposed: n = {n} days. Nine of ten past pauses were over by then.",
        "Usulan: n = {n} hari. Sembilan dari sepuluh jeda yang lalu sudah berakhir saat itu.",
    ),
    "file_same": ("The model's file says just that.", "Berkas model menyebut angka yang sama."),
    "file_shorter": (
        "The model's file says {file}, {by} shorter: {share} of past pauses lasted that long and ended with another "
        "{what}, so it calls more customers gone, sooner, who come back by themselves.",
        "Berkas model menyebut {file}, {by} lebih pendek: {share} jeda yang lalu selama itu dan berakhir dengan {what} "
        "lagi, jadi lebih banyak pelanggan lebih cepat dianggap pergi padahal kembali sendiri.",
    ),
    "file_longer": (
        "The model's file says {file}, {by} longer: only {share} of past pauses lasted that long, so whom it calls "
        "gone is gone more surely, but known later.",
        "Berkas model menyebut {file}, {by} lebih lama: hanya {share} jeda yang lalu selama itu, jadi yang dianggap "
        "pergi lebih pasti pergi, tetapi diketahui lebih lambat.",
    ),
    "no_rule": (
        "No n is proposed: no pause between two {what} has ended within the data.",
        "Tidak ada usulan n: belum ada jeda antara dua {what} yang berakhir dalam data.",
    ),
    "same_horizons": (
        "All horizons on the same observations at {as_ofs}, so that only the horizon moves.",
        "Semua horizon pada pengamatan yang sama di {as_ofs}, jadi hanya horizonnya yang berubah.",
    ),
    "left_ever": (
        "{leavers} customers had a {what} within the data, {twice} of them on more than one day",
        "{leavers} pelanggan punya {what} dalam data, {twice} di antaranya pada lebih dari satu hari",
    ),
    "came_back": (
        "{returned} of {later} did something else more than {settling} days after it ({share}; the others left too "
        "late to tell), {restarted} have a start after it",
        "{returned} dari {later} melakukan hal lain lebih dari {settling} hari sesudahnya ({share}; yang lain pergi "
        "terlalu akhir untuk diketahui), {restarted} mulai lagi sesudahnya",
    ),
    "no_leavers": ("nobody had a {what} within the data", "belum ada pelanggan dengan {what} dalam data"),
}


def say(word: str, language: str, **filled: object) -> str:
    """One of the texts above in ``language``, with what stands in its braces."""
    return WORDS[word][1 if language == "id" else 0].format(**filled)


def dates_words(count: int, language: str) -> str:
    """``1 as-of``, ``12 as-ofs``; ``12 tanggal``."""
    if language == "id":
        return f"{count:,} tanggal"
    return f"{count:,} as-of{'' if count == 1 else 's'}"


def when_words(model: Model, count: int, language: str) -> str:
    """``at 12 as-ofs``; of observations at events ``in 12 slices of 30 days``."""
    if not model.at_events or model.grid is None:
        return f"{'pada' if language == 'id' else 'at'} {dates_words(count, language)}"
    length = length_words(model.grid.every, language)
    if language == "id":
        return f"dalam {count:,} rentang waktu {length}"
    return f"in {count:,} slice{'' if count == 1 else 's'} of {length}"


def definition(model: Model, *, language: str, end: date) -> str:
    """The outcome as a paragraph: who is observed, what counts as leaving, when, what is left out.

    ``end`` is the last civil day whose outcomes are complete; of a ``given`` outcome its one as-of.
    """
    if model.outcome.answer is not None:
        parts = answer_definition(model, language=language, end=end)
    else:
        parts = (_indonesian if language == "id" else _english)(model, end)
    return " ".join(part for part in parts if part)


def _english(model: Model, end: date) -> list[str]:
    outcome, population, gap = model.outcome, model.population, model.gap
    if outcome.given is not None:
        return [
            f"The customers' table says of each customer whether they left: the column {outcome.given}, 1 left and 0 "
            f"not. Everybody with an answer is observed once, on {end}, the first day after all facts were known; who "
            "has none is left out. Such a table has no time in it: when somebody left, and whether the other columns "
            "were known before that, it cannot say."
        ]
    what = rows_words(outcome.where, "en")
    tenure = f"has been a customer for at least {length_words(population.tenure, 'en')}"
    old = population.tenure.seconds > 0
    active = window = ""
    if population.active is not None and population.within is not None:
        window = f"{rows_words(population.active, 'en')} in the {length_words(population.within, 'en')} before it"
        active = f"had a {window}"
    whole = (
        f"A day counts only when the time until its answer is over within the data, whose outcomes are complete up to "
        f"{end}; nothing later is read, and nothing is guessed."
    )
    length = length_words(model.label_length, "en")
    lead = length_words(gap, "en")
    if outcome.event is not None:
        who = " and ".join(part for part in (tenure if old else "", active, f"has had no {what} so far") if part)
        return [
            f"On a day, the model looks at every customer who {who}.",
            f"They count as leaving when a {what} comes within {length}"
            + (f", beginning {lead} after that day." if gap.seconds else " from that day on."),
            f"The {lead} between are the time left to act: whoever leaves in them is found too late, is left out of "
            "training, and is counted apart when the model is judged."
            if gap.seconds
            else "",
            "Whoever has left is not looked at again.",
            whole,
        ]
    who = " and ".join(part for part in (tenure if old else "", active) if part)
    return [
        f"On a day, the model looks at every customer who {who}.",
        f"They count as gone when there is no {what} for {length}"
        + (f", beginning {lead} after that day;" if gap.seconds else " from that day on;")
        + " a single one, and they have stayed.",
        f"The {lead} between are the time left to act, and what happens in them decides nothing."
        if gap.seconds
        else "",
        f"Whoever is gone is said to have left {length} after their last {what}.",
        f"Left out is who had no {window}: they are gone already." if active else "",
        whole,
    ]


def _indonesian(model: Model, end: date) -> list[str]:
    outcome, population, gap = model.outcome, model.population, model.gap
    if outcome.given is not None:
        return [
            f"Tabel pelanggan sudah menyebut siapa yang pergi: kolom {outcome.given}, 1 pergi dan 0 tidak. Semua yang "
            f"punya jawaban diamati sekali, pada {end}, hari pertama setelah semua fakta diketahui; yang tanpa jawaban "
            "tidak diikutkan. Tabel seperti ini tidak mengandung waktu: kapan seseorang pergi, dan apakah kolom lain "
            "sudah diketahui sebelumnya, tidak dapat dilihat darinya."
        ]
    what = rows_words(outcome.where, "id")
    tenure = f"sudah menjadi pelanggan sedikitnya {length_words(population.tenure, 'id')}"
    old = population.tenure.seconds > 0
    active = window = ""
    if population.active is not None and population.within is not None:
        window = f"{rows_words(population.active, 'id')} dalam {length_words(population.within, 'id')} sebelumnya"
        active = f"punya {window}"
    whole = (
        f"Sebuah hari hanya dihitung bila waktu sampai jawabannya sudah lewat dalam data, yang lengkap sampai {end}; "
        "tidak ada yang dibaca dari sesudahnya, dan tidak ada yang ditebak."
    )
    length = length_words(model.label_length, "id")
    lead = length_words(gap, "id")
    if outcome.event is not None:
        who = " dan ".join(part for part in (tenure if old else "", active, f"belum pernah punya {what}") if part)
        return [
            f"Pada suatu hari, model melihat setiap pelanggan yang {who}.",
            f"Mereka dianggap pergi bila ada {what} dalam {length}"
            + (f", mulai {lead} setelah hari itu." if gap.seconds else " sejak hari itu."),
            f"{lead} di antaranya adalah waktu untuk bertindak: yang pergi di dalamnya ditemukan terlambat, tidak "
            "dipakai untuk belajar, dan dihitung terpisah saat model dinilai."
            if gap.seconds
            else "",
            "Yang sudah pergi tidak dilihat lagi.",
            whole,
        ]
    who = " dan ".join(part for part in (tenure if old else "", active) if part)
    return [
        f"Pada suatu hari, model melihat setiap pelanggan yang {who}.",
        f"Mereka dianggap pergi bila tidak ada {what} selama {length}"
        + (f", mulai {lead} setelah hari itu;" if gap.seconds else " sejak hari itu;")
        + " satu saja, dan mereka dianggap tetap.",
        f"{lead} di antaranya adalah waktu untuk bertindak, dan yang terjadi di dalamnya tidak menentukan apa pun."
        if gap.seconds
        else "",
        f"Yang pergi dianggap pergi {length} setelah {what} terakhirnya.",
        f"Tidak diikutkan: yang tidak punya {window}, karena sudah pergi." if active else "",
        whole,
    ]
