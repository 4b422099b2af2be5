"""The model card as a file of the project: a hand-written part, and a champion's numbers between two marks."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from churnwatch.errors import UsageError
from churnwatch.runs.models import the_version
from churnwatch.runs.tracking import tracking_uri
from churnwatch.runs.workspace import Workspace, ledger

CARDS = {"en": "card.md", "id": "card.id.md"}
END = "<!-- end of numbers -->"
MARKED = re.compile(r"(<!-- numbers (en|id)\b[^>]*-->\n).*?(?=^<!-- end of numbers -->$)", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Carded:
    """A card file after its numbers were written, and the version they are of."""

    model: str
    version: str
    file: Path
    languages: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """The machine-readable object."""
        return {
            "model": self.model,
            "version": self.version,
            "file": str(self.file),
            "languages": list(self.languages),
        }


def write_card(workspace: Workspace, name: str, file: Path) -> Carded:
    """Write the champion's cards, as its training logged them, between the marks of ``file``; the rest stays as it is.

    A mark is a line ``<!-- numbers en … -->`` (or ``id``), its end a line ``<!-- end of numbers -->``. Raises
    UsageError where there is no such file or no mark in it, NoUsableModel where nobody is champion or its cards were
    not logged.
    """
    from churnwatch.registry import logged_text

    model = workspace.model(name).model
    if not file.is_file():
        raise UsageError(f"there is no file {file}", where="--card", hint=f"the card of {model} is models/{model}.md")
    text = file.read_text(encoding="utf-8")
    languages = tuple(dict.fromkeys(found[2] for found in MARKED.finditer(text)))
    if not languages:
        raise UsageError(
            f"{file} has no place for numbers",
            where="--card",
            allowed=f"a line `<!-- numbers en -->` or `<!-- numbers id -->`, and after it a line `{END}`",
        )
    with ledger(workspace) as engine:
        version = the_version(workspace, engine, model, None)
    uri, full = tracking_uri(workspace), f"{workspace.deployment}.{model}"
    cards = {language: demoted(logged_text(uri, full, version, CARDS[language])) for language in languages}
    new = MARKED.sub(lambda found: f"{found[1]}\n{cards[found[2]]}\n", text)
    file.write_text(new, encoding="utf-8")
    return Carded(model, version, file, languages)


def demoted(card: str) -> str:
    """The card with its headings two levels lower, to stand inside another page."""
    return re.sub(r"^#", "###", card.strip(), flags=re.MULTILINE) + "\n"
