"""Model cards as files: a hand-written part in both languages, and the numbers of a real training between marks."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest
from command_line import call, facts, ok, refused
from ruamel.yaml import YAML

from churnwatch.delivery.definition_words import definition
from churnwatch.runs.card_file import MARKED, demoted
from churnwatch.spec import Model

MODELS = sorted((Path(__file__).resolve().parents[1] / "models").glob("*.yaml"), key=lambda path: path.stem)
EVERY = pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
HEADS = {
    "en": ("Predicts", "For whom", "Learns from", "Use it to", "Do not use it to", "Limits"),
    "id": ("Memprediksi", "Untuk siapa", "Belajar dari", "Gunakan untuk", "Jangan gunakan untuk", "Batasannya"),
}
FORBIDDEN = {"en": ("prices", "refuse", "employee"), "id": ("harga", "menolak", "karyawan")}


def card(path: Path) -> str:
    return path.with_suffix(".md").read_text(encoding="utf-8")


def numbers(path: Path) -> dict[str, str]:
    """What stands between the marks, by language."""
    text = card(path)
    return {found[2]: text[found.end(1) : found.end()] for found in MARKED.finditer(text)}


@EVERY
def test_every_model_has_a_card_that_says_what_it_is_for_and_what_not(path):
    english, indonesian = card(path).split("# Kartu model: ")
    assert english.startswith(f"# Model card: {path.stem}\n")
    assert indonesian.startswith(f"{path.stem}\n")
    for language, part in (("en", english), ("id", indonesian)):
        by_hand = MARKED.sub("", part)
        for head in HEADS[language]:
            assert f"**{head}**" in by_hand
        forbidden = by_hand.split(f"**{HEADS[language][4]}**")[1].split("**")[0]
        for word in FORBIDDEN[language]:
            assert word in forbidden


@EVERY
@pytest.mark.parametrize("language", ["en", "id"])
def test_the_numbers_of_a_card_are_of_the_definition_that_stands_in_the_model_file(path, language):
    """A definition changed without a new training leaves the card wrong, and this test red."""
    model = Model.model_validate(YAML(typ="safe", pure=True).load(path))
    found = numbers(path)[language]
    # But for the day up to which the data reach, which the model file does not say.
    for part in definition(model, language=language, end=date(1999, 1, 1)).split("1999-01-01"):
        assert part in found
    assert model.title.in_language(language) in found
    assert len(re.findall(r"\d\.\d{3}", found.replace(",", "."))) > 20


def test_the_champions_numbers_are_written_between_the_marks_and_nowhere_else(project):
    """Both languages, the rest byte for byte as it was; written again it is the same file."""
    file = project / "models" / "churn.md"
    before = MARKED.sub(r"\1", file.read_text())
    version = facts(project, "promotions")[-1]["model_version"]
    told = ok(call("models", "churn", "--card", file, "--project", project, "--json")).json
    assert (version, ["en", "id"]) == (told["version"], told["languages"])
    written = file.read_text()
    assert before == MARKED.sub(r"\1", written)
    assert "\n### demo.churn: Will cancel within two months\n" in written
    assert "\n### demo.churn: Akan berhenti dalam dua bulan\n" in written
    assert [1, 1] == [written.count(f"# {one}") for one in ("Model card: churn", "Kartu model: churn")]
    assert "stand in" in ok(call("models", "churn", "--card", file, "--project", project)).out
    assert written == file.read_text()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("churn", "--card", "{}/models/chrun.md"), "there is no file"),
        (("churn", "--card", "{}/models/README.md"), "has no place for numbers"),
        (("--card", "{}/models/churn.md"), "--card: whose card?"),
        (("churn", "--on", "2026-07-01", "--card", "{}/models/churn.md"), "--card: whose card?"),
    ],
)
def test_a_card_that_cannot_be_written_is_usage(arguments, told, company):
    said = call("models", *(one.format(company.root) for one in arguments), "--project", company.root)
    assert 2 == said.code
    assert told in said.err


def test_a_card_without_a_champion_is_no_usable_model(untrained):
    said = call("models", "churn", "--card", untrained / "models" / "churn.md", "--project", untrained)
    refused(said, 6, "the model churn has no champion yet")


def test_headings_move_two_levels_down():
    assert "### a\n\ntext # b\n\n#### c\n" == demoted("# a\n\ntext # b\n\n## c\n\n")
