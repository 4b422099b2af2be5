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
    "more": ("and {n} more in the files", "dan {n} lagi di berkas"),
    "usual": ("everybody's average", "rata-rata semua"),
    "rule_score": ("rule score, 0 to 100", "skor aturan, 0 sampai 100"),
    "rule": ("rule", "aturan"),
    "within": ("within", "dalam"),
    "d": ("days", "hari"),
    "h": ("hours", "jam"),
    "nothing": ("nothing that stands out", "tidak ada yang menonjol"),
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
    "healthy": ("healthy", "sehat"),
    "watch": ("watch", "pantau"),
    "at_risk": ("at risk", "berisiko"),
    "critical": ("critical", "kritis"),
}


def say(word: str, language: str) -> str:
    """One of the words above in ``language``."""
    return WORDS[word][1 if language == "id" else 0]
