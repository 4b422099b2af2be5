"""The words of the page in the two languages the product speaks, and how each writes numbers and days."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from functools import lru_cache

from babel.dates import format_date
from babel.numbers import format_decimal, format_percent

# British English: day before month, as everywhere the product is used.
_LOCALES = {"en": "en_GB", "id": "id_ID"}
KEPT = 4096
"""Numbers and days whose words are kept: a long list says the same few over and over."""
_ISO_DAY = re.compile(r"\b[0-9]{4}-[0-9]{2}-[0-9]{2}\b")

WORDS: dict[str, dict[str, str]] = {
    "en": {
        "heading": "Customers to contact",
        "as_of": "List of {day}",
        "revision": "Corrected list, revision {n}; it replaces the earlier one",
        "to_contact_one": "1 customer to contact",
        "to_contact_many": "{n} customers to contact",
        "observed": "out of {n} watched",
        "minutes_one": "about 1 minute",
        "minutes_many": "about {n} minutes",
        "hours": "about {n} hours",
        "waiting_one": "1 more is worth a call, but not today",
        "waiting_many": "{n} more are worth a call, but not today",
        "nobody": "Nobody needs a call today.",
        "no_place_one": "1 customer is worth a call, but there is no place for it today: nobody is there to make it, "
        "or it takes longer than the day allows.",
        "no_place_many": "{n} customers are worth a call, but there is no place for any of them today: nobody is there "
        "to call, or the calls take longer than the day allows.",
        "by_model": "Ranked by the model, version {version}.",
        "by_baseline": "Ranked by {baseline}, not by a model: take the order as rough.",
        "row_by_baseline": "Ranked by {baseline}",
        "rule_score": "Rule score {n} of 100",
        "overview": "Find your list",
        "everybody": "The whole list",
        "contact_first": "Contact first",
        "rank": "{n} of {total} in all",
        "risk": "Risk of leaving",
        "rose": "{n} points up",
        "fell": "{n} points down",
        "same": "unchanged",
        "new": "new on the list",
        "again": "back on the list",
        "since_last": "since the last list",
        "rising_since": "rising since {day}",
        "for_days_one": "for 1 day",
        "for_days_many": "for {n} days",
        "curve_told": "Risk over the last {days} days: {first} at first, lowest {least}, highest {most}, {last} today",
        "away": "for {owner}, who is away",
        "overflow": "over from {owner}, whose day is full",
        "back_early": "Back before its time: {why}",
        "not_at_risk": "not at risk",
        "proactive": "Not at risk",
        "proactive_among_one": "1 of them not at risk",
        "proactive_among_many": "{n} of them not at risk",
        "details": "Details",
        "why_this": "Why this action",
        "tone": "Tone",
        "minutes_short": "{n} min",
        "listed_before": "Last on the list",
        "growing_unhappy": "Growing unhappy",
        "growing_unhappy_among_one": "1 of them growing unhappy",
        "growing_unhappy_among_many": "{n} of them growing unhappy",
        "early_sign": "Early sign",
        "early_sign_among_one": "1 of them with an early sign",
        "early_sign_among_many": "{n} of them with an early sign",
        "not_leaving_yet": "not leaving yet",
        "not_unhappy_yet": "not unhappy yet",
        "by_further": "{mark}: listed by the model {model}, version {version}.",
        "bad_answer": "Risk of a bad answer",
        "expected_score": "Expected score {n} of 100",
        "answers_explained": "Risk of a bad answer: how likely the next answer to a survey is a bad one. "
        "Expected score: that answer, from 0 to 100.",
        "unhappy_explained": "Risk of a bad answer: how likely the next answer to a survey is a bad one. "
        "Expected score: that answer, from 0 to 100. Growing unhappy: not listed for leaving, but this risk is high "
        "and has risen within 28 days.",
        "rose_lately": "{n} points up in 28 days",
        "fell_lately": "{n} points down in 28 days",
        "same_lately": "unchanged in 28 days",
        "higher_lately": "{n} up in 28 days",
        "lower_lately": "{n} down in 28 days",
        "why": "Why",
        "no_reasons": "No single reason stands out.",
        "do": "What to do",
        "due": "Due",
        "today": "today",
        "tomorrow": "tomorrow",
        "late": "overdue",
        "last_activity": "Last activity",
        "days_ago_one": "1 day ago",
        "days_ago_many": "{n} days ago",
        "never": "none on record",
        "last_survey": "Last survey",
        "no_survey": "none answered",
        "value_at_risk": "Value at risk",
        "a_month": "a month",
        "unknown": "unknown",
        "healthy": "Healthy",
        "watch": "Watch",
        "at_risk": "At risk",
        "critical": "Critical",
        "hand_back": "Write what came of a contact into the column Outcome of outreach.xlsx; "
        "where a reason is wrong, say so in the column beside it.",
        "private": "For {deployment} only: this page holds customers' data.",
        "leavers": "Announced leavers",
        "leavers_why": "They have said that they leave: nothing is foretold of them, and they take no place on a list. "
        "Settle what is open, and ask what would bring them back.",
        "leavers_one": "1 customer has announced that they leave",
        "leavers_many": "{n} customers have announced that they leave",
        "announced": "announced {day}",
        "ends": "ends {day}",
        "ended": "ended {day}",
        "in_days_one": "in 1 day",
        "in_days_many": "in {n} days",
    },
    "id": {
        "heading": "Pelanggan yang perlu dihubungi",
        "as_of": "Daftar {day}",
        "revision": "Daftar yang diperbaiki, revisi {n}; menggantikan yang sebelumnya",
        "to_contact_one": "1 pelanggan perlu dihubungi",
        "to_contact_many": "{n} pelanggan perlu dihubungi",
        "observed": "dari {n} yang dipantau",
        "minutes_one": "sekitar 1 menit",
        "minutes_many": "sekitar {n} menit",
        "hours": "sekitar {n} jam",
        "waiting_one": "1 lagi layak dihubungi, tetapi bukan hari ini",
        "waiting_many": "{n} lagi layak dihubungi, tetapi bukan hari ini",
        "nobody": "Hari ini tidak ada yang perlu dihubungi.",
        "no_place_one": "1 pelanggan layak dihubungi, tetapi hari ini tidak ada tempat untuknya: tidak ada petugas "
        "yang masuk, atau waktu yang tersedia tidak cukup.",
        "no_place_many": "{n} pelanggan layak dihubungi, tetapi hari ini tidak ada tempat untuk seorang pun: tidak ada "
        "petugas yang masuk, atau waktu yang tersedia tidak cukup.",
        "by_model": "Diurutkan oleh model versi {version}.",
        "by_baseline": "Diurutkan menurut {baseline}, bukan oleh model: urutannya masih kasar.",
        "row_by_baseline": "Diurutkan menurut {baseline}",
        "rule_score": "Skor aturan {n} dari 100",
        "overview": "Cari daftar Anda",
        "everybody": "Seluruh daftar",
        "contact_first": "Hubungi lebih dulu",
        "rank": "urutan {n}/{total}",
        "risk": "Risiko berhenti",
        "rose": "naik {n} poin",
        "fell": "turun {n} poin",
        "same": "tidak berubah",
        "new": "baru di daftar",
        "again": "kembali di daftar",
        "since_last": "sejak daftar terakhir",
        "rising_since": "naik sejak {day}",
        "for_days_one": "sudah 1 hari",
        "for_days_many": "sudah {n} hari",
        "curve_told": "Risiko {days} hari terakhir: awalnya {first}, terendah {least}, tertinggi {most}, "
        "hari ini {last}",
        "away": "untuk {owner}, yang sedang tidak masuk",
        "overflow": "limpahan dari {owner}, yang harinya sudah penuh",
        "back_early": "Kembali sebelum waktunya: {why}",
        "not_at_risk": "tidak berisiko",
        "proactive": "Tidak berisiko",
        "proactive_among_one": "1 di antaranya tidak berisiko",
        "proactive_among_many": "{n} di antaranya tidak berisiko",
        "details": "Rincian",
        "why_this": "Mengapa tindakan ini",
        "tone": "Nada bicara",
        "minutes_short": "{n} menit",
        "listed_before": "Terakhir di daftar",
        "growing_unhappy": "Makin tidak puas",
        "growing_unhappy_among_one": "1 di antaranya makin tidak puas",
        "growing_unhappy_among_many": "{n} di antaranya makin tidak puas",
        "early_sign": "Tanda awal",
        "early_sign_among_one": "1 di antaranya dengan tanda awal",
        "early_sign_among_many": "{n} di antaranya dengan tanda awal",
        "not_leaving_yet": "belum akan berhenti",
        "not_unhappy_yet": "belum tergolong tidak puas",
        "by_further": "{mark}: didaftar oleh model {model}, versi {version}.",
        "bad_answer": "Risiko jawaban buruk",
        "expected_score": "Perkiraan skor {n} dari 100",
        "answers_explained": "Risiko jawaban buruk: seberapa mungkin jawaban survei berikutnya buruk. "
        "Perkiraan skor: jawaban itu, dari 0 sampai 100.",
        "unhappy_explained": "Risiko jawaban buruk: seberapa mungkin jawaban survei berikutnya buruk. "
        "Perkiraan skor: jawaban itu, dari 0 sampai 100. Makin tidak puas: tidak didaftar karena akan berhenti, tetapi "
        "risiko ini tinggi dan naik dalam 28 hari.",
        "rose_lately": "naik {n} poin dalam 28 hari",
        "fell_lately": "turun {n} poin dalam 28 hari",
        "same_lately": "tidak berubah dalam 28 hari",
        "higher_lately": "naik {n} dalam 28 hari",
        "lower_lately": "turun {n} dalam 28 hari",
        "why": "Mengapa",
        "no_reasons": "Tidak ada satu alasan yang menonjol.",
        "do": "Yang perlu dilakukan",
        "due": "Tenggat",
        "today": "hari ini",
        "tomorrow": "besok",
        "late": "terlambat",
        "last_activity": "Aktivitas terakhir",
        "days_ago_one": "1 hari lalu",
        "days_ago_many": "{n} hari lalu",
        "never": "belum tercatat",
        "last_survey": "Survei terakhir",
        "no_survey": "belum pernah dijawab",
        "value_at_risk": "Nilai berisiko",
        "a_month": "per bulan",
        "unknown": "tidak diketahui",
        "healthy": "Sehat",
        "watch": "Pantau",
        "at_risk": "Berisiko",
        "critical": "Kritis",
        "hand_back": "Tulis hasil kontak di kolom Hasil pada outreach.xlsx; bila sebuah alasan keliru, "
        "tulis di kolom sebelahnya.",
        "private": "Khusus untuk {deployment}: halaman ini memuat data pelanggan.",
        "leavers": "Sudah menyatakan akan berhenti",
        "leavers_why": "Mereka sudah mengatakan akan berhenti: tidak ada lagi yang diperkirakan, dan mereka tidak "
        "mengambil tempat di daftar. Selesaikan yang masih terbuka, dan tanyakan apa yang membuat mereka kembali.",
        "leavers_one": "1 pelanggan sudah menyatakan akan berhenti",
        "leavers_many": "{n} pelanggan sudah menyatakan akan berhenti",
        "announced": "menyatakan {day}",
        "ends": "berakhir {day}",
        "ended": "sudah berakhir {day}",
        "in_days_one": "dalam 1 hari",
        "in_days_many": "dalam {n} hari",
    },
}


def known(language: str) -> str:
    """The language itself where the product speaks it, English otherwise."""
    return language if language in WORDS else "en"


def say(key: str, *, language: str, **values: str) -> str:
    """The words for ``key``, with ``{name}`` filled in."""
    return WORDS[known(language)][key].format(**values)


def say_of(pairs: Mapping[str, tuple[str, str]], key: str, *, language: str, **values: str) -> str:
    """The words for ``key`` of a page's own ``pairs`` (English, Indonesian), with ``{name}`` filled in."""
    return pairs[key][known(language) == "id"].format(**values)


def say_number(key: str, n: int, *, language: str) -> str:
    """``key_one`` for one, ``key_many`` with the number otherwise."""
    return say(f"{key}_one" if n == 1 else f"{key}_many", language=language, n=whole(n, language=language))


def say_nobody(waiting: int, *, language: str) -> str:
    """Why nobody is listed: of ``waiting`` who are worth a row none has a place; 0: there is nobody to call."""
    return say_number("no_place", waiting, language=language) if waiting else say("nobody", language=language)


@lru_cache(maxsize=KEPT)
def whole(n: int, *, language: str) -> str:
    """``4,213`` or ``4.213``."""
    return format_decimal(n, locale=_LOCALES[known(language)])


def decimal(value: float, *, language: str) -> str:
    """``3.1`` or ``3,1``: one decimal at most."""
    return format_decimal(value, format="#,##0.#", locale=_LOCALES[known(language)])


def fixed(value: float, decimals: int, *, language: str) -> str:
    """``0.780`` or ``0,780``: so many decimals, always."""
    return format_decimal(value, format=f"#,##0.{'0' * decimals}", locale=_LOCALES[known(language)])


def percent(share: float, *, language: str) -> str:
    """Whole percents, one decimal where whole ones would say nothing: below 10 % and from 99.5 % on."""
    pattern = "#,##0%" if 0.1 <= share < 0.995 or share == 1 else "#,##0.#%"
    return format_percent(share, format=pattern, locale=_LOCALES[known(language)])


@lru_cache(maxsize=KEPT)
def day(value: date, *, language: str) -> str:
    """``2 May 2026`` or ``2 Mei 2026``."""
    return format_date(value, format="d MMM y", locale=_LOCALES[known(language)])


def month(value: date, *, language: str) -> str:
    """``May 2026`` or ``Mei 2026``."""
    return format_date(value, format="MMM y", locale=_LOCALES[known(language)])


def days_in(text: str, *, language: str) -> str:
    """The text with its ISO days written as ``day`` writes them; what is no day of the calendar stays."""

    def rewrite(found: re.Match[str]) -> str:
        try:
            return day(date.fromisoformat(found[0]), language=language)
        except ValueError:
            return found[0]

    return _ISO_DAY.sub(rewrite, text)


def long_day(value: date, *, language: str) -> str:
    """``Saturday, 2 May 2026`` or ``Sabtu, 2 Mei 2026``."""
    return format_date(value, format="EEEE, d MMMM y", locale=_LOCALES[known(language)])


@lru_cache(maxsize=KEPT)
def short_day(value: date, *, language: str) -> str:
    """``Sat 2 May`` or ``Sab, 2 Mei``."""
    pattern = "EEE, d MMM" if language == "id" else "EEE d MMM"
    return format_date(value, format=pattern, locale=_LOCALES[known(language)])
