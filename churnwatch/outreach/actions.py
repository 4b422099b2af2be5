"""The action a row names: what to do, and why that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from churnwatch.spec import Action, Language


def suggest(
    wanted: Sequence[str | None], *, default: str, actions: Mapping[str, Action], language: Language
) -> tuple[str, str]:
    """(title, steps) of the action the strongest reason that has one suggests, else of the default.

    A model in use may suggest what the playbook has no longer: that is passed over.
    """
    name = next((action for action in wanted if action is not None and action in actions), default)
    action = actions[name]
    return action.title.in_language(language), action.steps.in_language(language)
