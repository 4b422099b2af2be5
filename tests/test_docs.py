"""What is written is true: every command, key and aggregate is documented, and the examples work."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import BaseModel
from ruamel.yaml import YAML

from churnwatch.aggregates import AGGREGATES, Aggregate
from churnwatch.signals import check_examples, check_signals
from churnwatch.sources.tables import SHAPES
from churnwatch.spec import (
    Answer,
    Answering,
    Bad,
    Bands,
    Baselines,
    Deployment,
    Family,
    Gates,
    Grid,
    LearnerSettings,
    Mapping,
    Model,
    Outcome,
    Outreach,
    Playbook,
    Population,
    Searched,
    Signal,
    Source,
    Sources,
    Tracking,
)

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    + [path for folder in ("features", "models", "configs") for path in (ROOT / folder).rglob("*.md")]
)
MODEL_KINDS = [
    *(Model, Outcome, Answer, Bad, Answering, Population, Grid, LearnerSettings, Searched, Baselines, Bands, Gates)
]
HAS_CLI = (ROOT / "churnwatch" / "cli").exists()


def page(name: str) -> str:
    return (ROOT / name).read_text()


def yaml_blocks(name: str) -> list[object]:
    """Every YAML block of a page, parsed as YAML 1.2."""
    return [YAML(typ="safe", pure=True).load(block) for block in re.findall(r"```yaml\n(.*?)```", page(name), re.S)]


def commands() -> set[str]:
    import typer

    from churnwatch.cli import app

    return set(typer.main.get_command(app).commands)


def row(aggregate: Aggregate) -> str:
    """The line of features/README.md about an aggregate."""
    needs = [key for key in ("measure", "by", "of", "within", "windows") if getattr(aggregate, key) == "required"]
    change = ", ".join(["previous"] * aggregate.comparable + ["past"] * aggregate.level)
    cells = [f"`{aggregate.name}`", aggregate.summary, ", ".join(f"`{key}`" for key in needs), change]
    return "|" + "|".join(f" {cell} " if cell else " " for cell in cells) + "|"


@pytest.mark.parametrize("aggregate", AGGREGATES.values(), ids=lambda aggregate: aggregate.name)
def test_every_aggregate_has_its_line_in_the_grammar(aggregate):
    assert row(aggregate) in page("features/README.md").splitlines()


def test_the_grammar_lists_no_aggregate_that_does_not_exist():
    table = page("features/README.md").split("## Aggregates")[1].split("\n## ")[0]
    assert set(AGGREGATES) == set(re.findall(r"^\| `(\w+)` ", table, re.M))


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("features/README.md", [Family, Signal]),
        ("models/README.md", MODEL_KINDS),
        ("configs/README.md", [Deployment, Outreach, Tracking, Source, Mapping]),
    ],
)
def test_every_key_of_a_project_file_is_on_its_page(name, kinds):
    text = page(name)
    keys = {field.alias or key for kind in kinds for key, field in kind.model_fields.items()}
    assert [] == sorted(key for key in keys if not re.search(rf"[`.]{key}[`.]|\b{key}:", text))


@pytest.mark.parametrize("table", SHAPES)
def test_the_data_contract_names_every_column_and_which_may_be_left_out(table):
    section = page("configs/README.md").split(f"\n**{table}**")[1].split("\n\n")[1]
    written = [cell for line in section.splitlines()[2:] for cell in re.findall(r"`(\w+\??)`", line.split("|")[1])]
    shape = SHAPES[table]
    assert [column if column in shape.required else f"{column}?" for column in shape.columns] == written


@pytest.mark.parametrize("folder", ["features", "models"])
def test_every_file_of_a_folder_is_on_its_map(folder):
    text = page(f"{folder}/README.md")
    files = {path.name for path in (ROOT / folder).glob("*.yaml")}
    assert files == set(re.findall(r"^\| \[(\w+\.yaml)\]", text, re.M))


def test_the_example_of_the_grammar_is_a_family_whose_numbers_come_true():
    block, words = yaml_blocks("features/README.md")
    family = Family.model_validate(block | words)
    check_signals([family])
    assert 2 == check_examples([family])
    names = [column.name for column in family.columns]
    assert ["complaints_28d", "complaints_28d_change", "complaints_84d", "complaints_84d_change"] == names


def test_the_other_examples_are_what_the_program_accepts():
    model, tuned = yaml_blocks("models/README.md")
    assert isinstance(tuned, dict)
    deployment, outreach, tracking, playbook, *data = yaml_blocks("configs/README.md")
    facts, sources, surveys, agents, times, grouped = data
    # what an example adds to the one before it
    added = {"sources": {}, "tables": {}}
    for block in (sources, surveys, agents):
        added["sources"] |= block["sources"]
        added["tables"] |= block["tables"]
    assert {"at", "known_at"} == set(times)
    kinds: list[tuple[type[BaseModel], object]] = [
        (Model, model),
        (LearnerSettings, tuned["learner"]),
        (Deployment, deployment),
        (Outreach, outreach),
        (Mapping, facts["tables"]["customers"][0]),
        (Tracking, tracking),
        (Playbook, playbook),
        (Sources, sources),
        (Sources, added),
        (Sources, grouped),
    ]
    for kind, block in kinds:
        assert isinstance(kind.model_validate(block), kind)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere(path):
    targets = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", path.read_text())
    local = [target for target in targets if not re.match(r"[a-z]+:", target)]
    assert [] == [target for target in local if not (path.parent / target).exists()]


@pytest.mark.skipif(not HAS_CLI, reason="there is no command line yet")
def test_every_command_is_in_the_readme():
    text = page("README.md")
    assert [] == sorted(name for name in commands() if f"churnwatch {name}" not in text)


@pytest.mark.skipif(not HAS_CLI, reason="there is no command line yet")
@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_pages_name_only_commands_that_exist(path):
    named = set(re.findall(r"(?:`|^|\$ )churnwatch ([a-z]+(?:-[a-z]+)*)", path.read_text(), re.M))
    assert [] == sorted(named - commands())
