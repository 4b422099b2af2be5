"""The few words the terminal says in both languages."""

from __future__ import annotations

WORDS = {
    "list": ("Whom to contact", "Yang perlu dihubungi"),
    "customer": ("customer", "pelanggan"),
    "owner": ("owner", "petugas"),
    "segment": ("segment", "segmen"),
    "risk": ("risk", "risiko"),
    "band": ("band", "tingkat"),
    "why": ("why", "mengapa"),
    "action": ("action", "tindakan"),
    "usual": ("usual", "biasanya"),
    "nothing": ("nothing that stands out", "tidak ada yang menonjol"),
    "signals": ("What weighs most", "Yang paling berpengaruh"),
    "signal": ("signal", "sinyal"),
    "value": ("value", "nilai"),
    "share": ("share of the margin", "andil pada margin"),
    "interactions": ("Latest interactions", "Interaksi terakhir"),
    "surveys": ("Latest surveys", "Survei terakhir"),
    "healthy": ("healthy", "sehat"),
    "watch": ("watch", "pantau"),
    "at_risk": ("at risk", "berisiko"),
    "critical": ("critical", "kritis"),
}


def say(word: str, language: str) -> str:
    """One of the words above in ``language``."""
    return WORDS[word][1 if language == "id" else 0]
