"""The project's files: what is read, and that every mistake is told with its file, line and remedy."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import pytest

from churnwatch.errors import ProjectError
from churnwatch.project import find_deployments, load_project

FILES = {
    "features/contact.yaml": """\
family: contact
description: Contacts.
table: interactions
signals:
  - name: contacts
    description: Contacts.
    where: {kind: contact, channel: NO, topic: 16:30}
    aggregate: count
    windows: [28d]
    direction: up
    reason: {en: "{value} contacts", id: "{value} kontak"}
    action: call
  - name: days_since_contact
    description: Days since the last contact.
    aggregate: days_since
    direction: any
    reason: {en: "{value} ago", id: "{value} lalu"}
examples:
  - as_of: 2026-03-01
    rows: [{at: 2026-02-20 10:30:00, kind: contact}]
    expect: {contacts_28d: 1}
""",
    "models/churn.yaml": """\
model: churn
title: {en: Leaving, id: Pergi}
outcome:
  event: {kind: cancellation}
grid:
  every: 28d
horizon: 60d
families:
  - contact
baselines:
  recency: days_since_contact
  last_score: null
  tenure: contacts_28d
""",
    "configs/playbook.yaml": """\
actions:
  call:
    title: {en: Call, id: Telepon}
    steps: {en: Call., id: Telepon.}
    minutes: 5
""",
    "configs/here/deployment.yaml": """\
deployment: here
title: Here
zone: Asia/Jakarta
currency: IDR
listing_model: churn
""",
    "configs/here/outreach.yaml": "default_action: call\n",
    "configs/here/tracking.yaml": "# nothing to say\n",
    "configs/here/sources.yaml": """\
sources:
  crm:
    from: customers.csv
    data_end: 2026-07-01
  desk:
    from: tickets.csv
    types: {opened: time}
tables:
  customers:
    - source: crm
      columns: {customer_id: id, started_at: since}
  interactions:
    - source: desk
      columns: {interaction_id: id, customer_id: customer, at: opened, kind: "'contact'"}
""",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path


def edit(root: Path, file: str, old: str, new: str) -> str:
    """Replace ``old`` once; the ``file:line`` at which ``new`` begins."""
    text = (root / file).read_text(encoding="utf-8")
    assert 1 == text.count(old)
    (root / file).write_text(text.replace(old, new), encoding="utf-8")
    return f"{file}:{text[: text.index(old)].count(chr(10)) + 1}"


def refusal(root: Path, deployment: str = "here") -> ProjectError:
    with pytest.raises(ProjectError) as caught:
        load_project(root, deployment)
    assert 3 == caught.value.exit_code
    return caught.value


def test_a_project_is_read_as_yaml_1_2_into_plain_values(root: Path) -> None:
    spec = load_project(root, "here")
    signal = spec.families[0].signals[0]
    assert {"kind": "contact", "channel": "NO", "topic": "16:30"} == signal.where
    assert str is type(signal.name)
    example = spec.families[0].examples[0]
    assert date(2026, 3, 1) == example.as_of
    assert datetime(2026, 2, 20, 10, 30) == example.rows[0]["at"]
    assert date(2026, 7, 1) == spec.sources.sources["crm"].data_end
    assert ["contacts_28d", "days_since_contact"] == [column.name for column in spec.columns]
    assert spec.tracking.uri is None


def test_a_deployment_replaces_a_model_whole(root: Path) -> None:
    folder = root / "configs/here/models"
    folder.mkdir()
    (folder / "churn.yaml").write_text(FILES["models/churn.yaml"].replace("60d", "30d"), encoding="utf-8")
    assert "30d" == load_project(root, "here").models["churn"].horizon


def test_tracking_may_be_left_out(root: Path) -> None:
    (root / "configs/here/tracking.yaml").unlink()
    assert load_project(root, "here").tracking.experiment is None


@pytest.mark.parametrize(
    ("file", "old", "new", "told"),
    [
        # the file, what is replaced, by what, and what the message must say beside file:line
        (
            "features/contact.yaml",
            "    windows: [28d]",
            "    window: [28d]",
            ["unknown key `window`", "allowed: name, description, where", "did you mean windows?"],
        ),
        (
            "configs/here/sources.yaml",
            "    types: {opened: time}",
            "    typs: {opened: time}",
            ["unknown key `typs`", "did you mean types?"],
        ),
        ("configs/here/sources.yaml", "  interactions:", "  interaction:", ["did you mean interactions?"]),
        (
            "configs/here/sources.yaml",
            "{opened: time}",
            "{opened: tme}",
            ["`opened` is the text 'tme'", "allowed: text, integer, number", "did you mean time?"],
        ),
        ("models/churn.yaml", "horizon: 60d", "horizon: 60", ["`horizon` is 60", "allowed: a whole number of days"]),
        ("models/churn.yaml", "horizon: 60d", "horizon: two months", ["such as 28d or 36h"]),
        ("models/churn.yaml", "horizon: 60d", "horizon: .inf", [".inf", "allowed: a finite number"]),
        ("models/churn.yaml", "model: churn", "model: chrun", ["`model` is chrun", "allowed: churn"]),
        ("models/churn.yaml", "horizon: 60d", "model: churn", ["`model` stands twice", "first in line 1"]),
        ("models/churn.yaml", "horizon: 60d", "horizon: !!set {}", ["allowed"]),
        ("models/churn.yaml", "horizon: 60d", "1: 60d", ["the key 1", "allowed: a text"]),
        ("models/churn.yaml", "  - contact", "  - contacts", ["no family contacts", "did you mean contact?"]),
        (
            "models/churn.yaml",
            "  tenure: contacts_28d",
            "  tenure: contacts_27d",
            ["no column contacts_27d", "did you mean contacts_28d?"],
        ),
        (
            "configs/here/deployment.yaml",
            "listing_model: churn",
            "listing_model: chrn",
            ["no model chrn in models/", "did you mean churn?"],
        ),
        ("configs/here/deployment.yaml", "zone: Asia/Jakarta", "zone: WIB+", ["no such time zone: WIB+"]),
        (
            "configs/here/sources.yaml",
            "    types: {opened: time}",
            "    zone: Jakarta",
            ["no such time zone: Jakarta; write one like Asia/Jakarta"],
        ),
        ("configs/here/deployment.yaml", "deployment: here", "deployment: there", ["allowed: here"]),
        ("configs/here/outreach.yaml", "default_action: call", "default_action: cal", ["did you mean call"]),
        ("features/contact.yaml", "    action: call", "    action: visit", ["no action visit"]),
        ("models/churn.yaml", "families:\n  - contact", "families: []", ["allowed: at least 1 of them"]),
        ("configs/here/sources.yaml", "source: desk", "source: dsk", ["the source dsk, which is not"]),
        (
            "features/contact.yaml",
            "name: days_since_contact",
            "name: contacts_28d",
            ["two columns are called contacts_28d"],
        ),
    ],
)
def test_a_mistake_is_told_with_its_line_and_what_is_allowed(
    root: Path, file: str, old: str, new: str, told: list[str]
) -> None:
    where = edit(root, file, old, new)
    error = refusal(root)
    assert where == error.where
    for words in told:
        assert words in error.message


def test_a_baseline_comes_from_the_models_own_families(root: Path) -> None:
    other = (root / "features/contact.yaml").read_text(encoding="utf-8").replace("contacts", "visits")
    other = other.replace("family: contact", "family: visit").replace("days_since_contact", "days_since_visit")
    (root / "features/visit.yaml").write_text(other, encoding="utf-8")
    where = edit(root, "models/churn.yaml", "  recency: days_since_contact", "  recency: days_since_visit")
    error = refusal(root)
    assert where == error.where
    assert "there is no column days_since_visit in the model's families" in error.message


def test_all_mistakes_of_a_file_are_listed_in_its_order(root: Path) -> None:
    first = edit(root, "features/contact.yaml", "direction: up", "direction: upp")
    second = edit(root, "features/contact.yaml", "    aggregate: days_since\n", "")
    lines = refusal(root).message.splitlines()
    assert "2 mistakes" == lines[0]
    assert f"{first}: `direction` is the text 'upp'" == lines[1]
    assert "  allowed: up, down, any" == lines[2]
    assert "  try: did you mean up?" == lines[3]
    signal = int(second.split(":")[1]) - 2
    assert f"features/contact.yaml:{signal}: the key `aggregate` is missing" == lines[4]


def test_disagreements_between_files_are_listed_together(root: Path) -> None:
    first = edit(root, "models/churn.yaml", "  - contact", "  - contacts")
    second = edit(root, "configs/here/outreach.yaml", "default_action: call", "default_action: sing")
    message = refusal(root).message
    assert first in message
    assert second in message


def test_a_column_of_two_families_is_told_at_the_second(root: Path) -> None:
    text = FILES["features/contact.yaml"].replace("family: contact", "family: later")
    (root / "features/later.yaml").write_text(text, encoding="utf-8")
    message = refusal(root).message
    assert "features/later.yaml:5: the column contacts_28d stands in features/contact.yaml too" in message


def test_what_is_no_yaml_is_told_with_its_line(root: Path) -> None:
    where = edit(root, "models/churn.yaml", "horizon: 60d", "horizon: 60d: 30d")
    error = refusal(root)
    assert where == error.where
    assert "no valid YAML" in error.message


def test_what_is_no_utf_8_is_told_with_its_line(root: Path) -> None:
    (root / "configs/here/outreach.yaml").write_bytes("default_action: call\n# café\n".encode("latin-1"))
    assert "configs/here/outreach.yaml:2: the file is not UTF-8 text" in refusal(root).message


def test_a_file_that_is_a_list_is_refused(root: Path) -> None:
    (root / "configs/here/outreach.yaml").write_text("- default_action\n", encoding="utf-8")
    assert "configs/here/outreach.yaml:1: the file holds a list" in refusal(root).message


def test_a_missing_file_names_those_that_are_there(root: Path) -> None:
    (root / "configs/here/outreach.yaml").rename(root / "configs/here/outreech.yaml")
    message = refusal(root).message
    assert "configs/here/outreach.yaml: no such file" in message
    assert "outreech.yaml" in message


def test_a_missing_deployment_names_those_that_exist(root: Path) -> None:
    error = refusal(root, "hre")
    assert "here" == error.allowed
    assert "did you mean here?" == error.hint


def test_a_directory_that_is_no_project_is_refused(tmp_path: Path) -> None:
    message = refusal(tmp_path).message
    assert "there is no features/" in message
    assert "churnwatch init" in message


def test_a_yml_file_is_not_passed_over(root: Path) -> None:
    (root / "features/more.yml").write_text("family: more\n", encoding="utf-8")
    assert "features/more.yml: a file that would be passed over" in refusal(root).message


def test_deployments_are_the_folders_that_hold_one(root: Path) -> None:
    (root / "configs/notes").mkdir()
    assert ["here"] == find_deployments(root)


@pytest.mark.parametrize("deployment", find_deployments(Path(__file__).parents[1]))
def test_every_deployment_of_the_reference_project_loads(deployment: str) -> None:
    spec = load_project(Path(__file__).parents[1], deployment)
    assert deployment == spec.deployment.deployment
    assert spec.deployment.listing_model in spec.models
