"""The action a row names: what to do, how, and why that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from churnwatch.spec import Action, Language, Words

BECAUSE = Words(en="Because of this: {sign}", id="Karena ini: {sign}")
NOTHING = Words(
    en="No sign points to one action, so this is where to start.",
    id="Tidak ada tanda yang mengarah ke satu tindakan, jadi mulailah dari sini.",
)


@dataclass(frozen=True)
class Suggestion:
    """One action of the playbook in one language.

    ``name`` is its key; ``tone`` and ``channel`` are empty where the playbook says nothing of them; ``minutes`` is what
    it takes; ``why`` a sentence that says why this one.
    """

    name: str
    title: str
    steps: str
    tone: str
    channel: str
    minutes: int
    why: str


def suggest(
    signs: Sequence[tuple[str, str | None]], *, default: str, actions: Mapping[str, Action], language: Language
) -> Suggestion:
    """The action that the strongest sign which has one suggests, else the default.

    ``signs`` are the reasons of the row, the strongest first: the sentence and the action it suggests (None: none). The
    strongest decides, and not the one easiest to act on: an old open case is no reason to open with it when somebody
    has fallen silent. A model in use may suggest what the playbook has no longer: that is passed over.
    """
    sign, name = next(((said, wanted) for said, wanted in signs if wanted in actions), (None, default))
    assert name is not None
    action = actions[name]
    return Suggestion(
        name=name,
        title=action.title.in_language(language),
        steps=action.steps.in_language(language),
        tone=action.tone.in_language(language) if action.tone else "",
        channel=action.channel_in(language),
        minutes=action.minutes,
        why=(NOTHING if sign is None else BECAUSE).in_language(language).replace("{sign}", sign or ""),
    )
