"""The words of a customer's own page, in English and Indonesian."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from churnwatch.delivery import words
from churnwatch.delivery.outcome_words import word
from churnwatch.delivery.text import clean

WORDS: dict[str, tuple[str, str]] = {
    "as_of": ("As known on {day}", "Seperti diketahui pada {day}"),
    "owner": ("Looked after by", "Ditangani oleh"),
    "segment": ("Segment", "Segmen"),
    "value": ("Value a month", "Nilai per bulan"),
    "since": ("Customer since", "Pelanggan sejak"),
    "no_contact": ("Does not want to be contacted", "Tidak ingin dihubungi"),
    "average": ("{risk} on average", "rata-rata {risk}"),
    "within_d": ("within {n} days {risk}", "dalam {n} hari {risk}"),
    "within_h": ("within {n} hours {risk}", "dalam {n} jam {risk}"),
    "left": (
        "Has left: ended on {day}. No risk is told of who is gone.",
        "Sudah berhenti: berakhir {day}. Bagi yang sudah pergi tidak ada risiko yang disebut.",
    ),
    "announced": (
        "Has announced on {day} that they leave. No risk is told: it is no longer foretold.",
        "Sudah menyatakan akan berhenti pada {day}. Risikonya tidak disebut: ini bukan lagi perkiraan.",
    ),
    "not_observed": (
        "Not watched by the model {model} on this day: not begun yet, not active, or gone. No risk is told.",
        "Tidak dipantau model {model} pada hari ini: belum mulai, tidak aktif, atau sudah pergi. Risikonya tidak "
        "disebut.",
    ),
    "curve": ("The last {n} days", "{n} hari terakhir"),
    "curve_note": (
        "Every day recomputed with today’s model, from what was known then.",
        "Setiap hari dihitung ulang dengan model hari ini, dari yang diketahui saat itu.",
    ),
    "curve_rise": ("The dashed line: rising since {day}.", "Garis putus-putus: naik sejak {day}."),
    "lane_theirs": ("the customer", "pelanggan"),
    "lane_ours": ("us", "kami"),
    "lane_answers": ("answers", "jawaban"),
    "lane_lists": ("lists", "daftar"),
    "lane_outcomes": ("outcomes", "hasil"),
    "nothing": ("Nothing stands out.", "Tidak ada yang menonjol."),
    "against": (
        "No reason: taken together, the signs lower this risk.",
        "Tidak ada alasan: secara keseluruhan, tanda-tandanya menurunkan risiko ini.",
    ),
    "by": ("model {model}, version {version}", "model {model}, versi {version}"),
    "listed": ("On our lists, and what came of it", "Di daftar kami, dan hasilnya"),
    "never_listed": ("Never on a list.", "Belum pernah di daftar."),
    "nothing_back": ("nothing handed back", "belum ada kabar"),
    "no_list": ("A contact of no list", "Kontak di luar daftar"),
    "revised": ("On an earlier revision of the list", "Di revisi daftar yang lebih awal"),
    "recent": ("Latest interactions", "Interaksi terakhir"),
    "none_recent": ("None on record.", "Belum ada yang tercatat."),
    "ours": ("ours", "dari kami"),
    "answered": ("Surveys", "Survei"),
    "not_answered": ("no answer", "tidak dijawab"),
    "weighs": ("What weighs most in the model", "Yang paling berpengaruh dalam model"),
    "signal": ("Signal", "Sinyal"),
    "number": ("Value", "Nilai"),
    "share": ("Effect (log-odds)", "Pengaruh (log-odds)"),
    "by_baseline": ("by {baseline}", "menurut {baseline}"),
    "private": (
        "For {deployment} only: this page holds a customer’s data.",
        "Khusus untuk {deployment}: halaman ini memuat data pelanggan.",
    ),
}


def came_words(came: Mapping[str, Any], language: str) -> str:
    """What was handed back of a row: ``2 May 2026, phone: reached, snooze until 1 Aug 2026``."""
    until = date.fromisoformat(came["snooze_until"]) if came["snooze_until"] else None
    said = (word(key, language=language, until=until if key == "snooze" else None) for key in came["words"])
    where = [words.day(date.fromisoformat(came["day"]), language=language)]
    where += [clean(came["channel"])] if came["channel"] else []
    return f"{', '.join(where)}: {words.days_in(', '.join(said), language=language)}"
