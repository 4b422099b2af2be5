"""How rows of interactions and lengths of time are named, in both languages."""

from __future__ import annotations

from churnwatch.spec import Duration, Where
from churnwatch.spec.where import level_text


def rows_words(where: Where, language: str) -> str:
    """The rows of ``where`` as a reader would name them: ``“purchase” or “visit”``, ``“order” (channel: web)``."""
    joined = " atau " if language == "id" else " or "
    texts = {
        name: joined.join(f"“{level_text(one)}”" for one in (wanted if isinstance(wanted, list) else [wanted]))
        for name, wanted in where.items()
    }
    kind = texts.pop("kind", "")
    rest = "; ".join(f"{name}: {text}" for name, text in texts.items())
    return f"{kind} ({rest})" if kind and rest else kind or rest


def instrument_words(instrument: str) -> str:
    """``NPS``, ``CSAT``, ``CES``; others as the file has them, ``review``."""
    return instrument.upper() if instrument in ("nps", "csat", "ces") else instrument


def length_words(length: Duration, language: str) -> str:
    """``28 days``, ``36 hours``; ``28 hari``, ``36 jam``."""
    number = int(length[:-1])
    if language == "id":
        return f"{number} {'hari' if length[-1] == 'd' else 'jam'}"
    return f"{number} {'day' if length[-1] == 'd' else 'hour'}{'' if number == 1 else 's'}"
