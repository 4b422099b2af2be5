"""The few words the terminal says in both languages."""

from __future__ import annotations

WORDS = {
    "list": ("Whom to contact", "Yang perlu dihubungi"),
    "customer": ("customer", "pelanggan"),
    "owner": ("owner", "petugas"),
    "segment": ("segment", "segmen"),
    "risk": ("risk", "risiko"),
    "why": ("Why", "Mengapa"),
    "why_and_do": ("why, and what to do", "mengapa, dan yang perlu dilakukan"),
    "issued_before": (
        "The list of {day} was issued before; here it is (--rerun correct makes it anew).",
        "Daftar {day} sudah terbit sebelumnya; inilah daftarnya (--rerun correct membuatnya ulang).",
    ),
    "made_again": (
        "The list of {day}, made again, is the same to the byte.",
        "Daftar {day}, dibuat ulang, sama persis hingga setiap bita.",
    ),
    "more": ("and {n} more in the files", "dan {n} lagi di berkas"),
    "usual": ("everybody's average", "rata-rata semua"),
    "rule_score": ("rule score, 0 to 100", "skor aturan, 0 sampai 100"),
    "rule": ("rule", "aturan"),
    "growing_unhappy": ("growing unhappy", "makin tidak puas"),
    "early_sign": ("early sign", "tanda awal"),
    "leaving": ("leaving", "berhenti"),
    "leaving_risk": ("Risk of leaving", "Risiko berhenti"),
    "bad_answer": ("bad answer", "jawaban buruk"),
    "bad_answer_risk": ("Risk of a bad answer", "Risiko jawaban buruk"),
    "expected_score": ("score {n} of 100", "skor {n} dari 100"),
    "expected_of": ("Expected score {n} of 100", "Perkiraan skor {n} dari 100"),
    "up_lately": ("{n} up in 28 days", "naik {n} dalam 28 hari"),
    "down_lately": ("{n} down in 28 days", "turun {n} dalam 28 hari"),
    "same_lately": ("unchanged in 28 days", "tidak berubah dalam 28 hari"),
    "within": ("within", "dalam"),
    "d": ("days", "hari"),
    "h": ("hours", "jam"),
    "nothing": ("nothing that stands out", "tidak ada yang menonjol"),
    "against": (
        "no reason: taken together, the signs lower this risk",
        "tidak ada alasan: secara keseluruhan, tanda-tandanya menurunkan risiko ini",
    ),
    "signals": ("What weighs most", "Yang paling berpengaruh"),
    "signal": ("signal", "sinyal"),
    "value": ("value", "nilai"),
    "share": ("effect (log-odds)", "pengaruh (log-odds)"),
    "interactions": ("Latest interactions", "Interaksi terakhir"),
    "surveys": ("Latest surveys", "Survei terakhir"),
    "at": ("when", "waktu"),
    "kind": ("what", "kejadian"),
    "channel": ("channel", "kanal"),
    "topic": ("topic", "topik"),
    "agent": ("agent", "petugas"),
    "details": ("details", "rincian"),
    "sent_at": ("sent", "dikirim"),
    "instrument": ("survey", "survei"),
    "answered_at": ("answered", "dijawab"),
    "raw_score": ("score", "nilai"),
    "ask": ("Whom to ask next", "Yang perlu ditanya berikutnya"),
    "answers": ("answers", "menjawab"),
    "bits": ("bits", "bit"),
    "last_asked": ("last asked", "terakhir ditanya"),
    "last_answered": ("last answered", "terakhir menjawab"),
    "never": ("never", "belum pernah"),
    "drawn": ("drawn", "diundi"),
    "n_answers": ("{n} answers", "{n} jawaban"),
    "n_bits": ("{n} bits of information", "{n} bit informasi"),
    "if_all": ("if everybody answered", "bila semua menjawab"),
    "expected": ("expected: {worth}", "diharapkan: {worth}"),
    "by_chance": (
        "as many drawn at random among those who may be asked: {worth}",
        "bila sebanyak itu diundi di antara yang boleh ditanya: {worth}",
    ),
    "without_draw": (
        "{n} of the places were drawn at random, for answers that no model picked; without that: {worth}",
        "{n} tempat diundi, agar ada jawaban yang tidak dipilih model; tanpa itu: {worth}",
    ),
    "without_one_drawn": (
        "{n} of the places was drawn at random, for an answer that no model picked; without that: {worth}",
        "{n} tempat diundi, agar ada jawaban yang tidak dipilih model; tanpa itu: {worth}",
    ),
    "plan_counts": (
        "{observed} observed = {chosen} to ask + {refused} not to be contacted + {asked} asked within {fatigue} + "
        "{answered} answered within {quiet} + {over} over the size",
        "{observed} diamati = {chosen} ditanya + {refused} tidak boleh dihubungi + {asked} ditanya dalam {fatigue} + "
        "{answered} menjawab dalam {quiet} + {over} di luar jumlah",
    ),
    "healthy": ("healthy", "sehat"),
    "watch": ("watch", "pantau"),
    "at_risk": ("at risk", "berisiko"),
    "critical": ("critical", "kritis"),
}


def say(word: str, language: str) -> str:
    """One of the words above in ``language``."""
    return WORDS[word][1 if language == "id" else 0]
