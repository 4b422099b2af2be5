"""`churnwatch init` and `init --diff`: the reference project copied and compared."""

from __future__ import annotations

from pathlib import Path

import pytest

from churnwatch.errors import UsageError
from churnwatch.project import scaffold

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def small_reference(tmp_path, monkeypatch):
    """A reference project of three files, so that what is expected can be written down by hand."""
    root = tmp_path / "reference"
    for path, text in {
        "features/contact.yaml": "family: contact\ntable: interactions\n",
        "models/churn.yaml": "model: churn\n",
        "configs/demo/deployment.yaml": "deployment: demo\n",
    }.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    monkeypatch.setattr(scaffold, "reference", lambda: root)
    return root


def test_a_checkout_copies_the_three_folders_of_its_root(tmp_path):
    written = scaffold.init(tmp_path / "mine")
    assert {"features/README.md", "models/README.md", "configs/README.md"} <= set(written)
    assert all((ROOT / path).read_bytes() == (tmp_path / "mine" / path).read_bytes() for path in written)
    assert ["configs", "features", "models"] == sorted(p.name for p in (tmp_path / "mine").iterdir())


def test_a_fresh_copy_does_not_differ(tmp_path):
    scaffold.init(tmp_path)
    assert [] == scaffold.diff(tmp_path)


def test_init_names_every_file_it_wrote(small_reference, tmp_path):
    assert [
        "configs/demo/deployment.yaml",
        "features/contact.yaml",
        "models/churn.yaml",
    ] == scaffold.init(tmp_path / "new" / "deep")
    assert "model: churn\n" == (tmp_path / "new" / "deep" / "models" / "churn.yaml").read_text()


def test_bytes_are_copied_as_they_are(small_reference, tmp_path):
    (small_reference / "models" / "churn.md").write_bytes(b"no newline conversion:\r\n\xc3\xa9")
    scaffold.init(tmp_path / "new")
    assert b"no newline conversion:\r\n\xc3\xa9" == (tmp_path / "new" / "models" / "churn.md").read_bytes()


def test_other_things_in_the_directory_stay_and_do_not_hinder(small_reference, tmp_path):
    mine = tmp_path / "mine"
    (mine / "data").mkdir(parents=True)
    (mine / "features").mkdir()
    scaffold.init(mine)
    assert ["configs", "data", "features", "models"] == sorted(p.name for p in mine.iterdir())
    assert (mine / "features" / "contact.yaml").is_file()


def test_a_project_is_never_overwritten_and_nothing_is_written_beside_it(small_reference, tmp_path):
    mine = tmp_path / "mine"
    (mine / "models").mkdir(parents=True)
    (mine / "models" / "churn.yaml").write_text("mine")
    with pytest.raises(UsageError) as refused:
        scaffold.init(mine)
    assert (
        f"{mine / 'models'} is there already, with churn.yaml\n"
        "  allowed: a directory without features, models, configs\n"
        "  try: choose another directory, or see what differs with `churnwatch init --diff`"
    ) == str(refused.value)
    assert 2 == refused.value.exit_code
    assert ["models"] == [p.name for p in mine.iterdir()]
    assert "mine" == (mine / "models" / "churn.yaml").read_text()


def test_many_files_in_the_way_are_named_by_the_first_three(small_reference, tmp_path):
    (tmp_path / "features").mkdir()
    for name in "abcde":
        (tmp_path / "features" / name).touch()
    with pytest.raises(UsageError, match="is there already, with a, b, c and 2 more"):
        scaffold.init(tmp_path)


@pytest.mark.parametrize("kind", ["file", "link"])
def test_a_file_or_link_in_the_place_of_a_folder_is_refused(kind, small_reference, tmp_path):
    mine = tmp_path / "mine"
    mine.mkdir()
    if kind == "file":
        (mine / "configs").touch()
    else:
        (mine / "configs").symlink_to(tmp_path)
    with pytest.raises(UsageError, match="configs is there already"):
        scaffold.init(mine)
    assert ["configs"] == [p.name for p in mine.iterdir()]


def test_a_file_is_no_directory_to_copy_to(small_reference, tmp_path):
    (tmp_path / "note.txt").touch()
    with pytest.raises(UsageError, match=r"note\.txt is a file"):
        scaffold.init(tmp_path / "note.txt")


def test_a_directory_that_cannot_be_made_is_told_in_one_message(small_reference, tmp_path):
    (tmp_path / "note.txt").touch()
    with pytest.raises(UsageError, match=r"cannot write to .*note\.txt/project: Not a directory"):
        scaffold.init(tmp_path / "note.txt" / "project")


def test_a_copy_that_fails_half_way_leaves_nothing(small_reference, tmp_path, monkeypatch):
    write = Path.write_bytes

    def full_disk(path, data):
        if path.name == "churn.yaml":
            raise OSError(28, "No space left on device")
        return write(path, data)

    monkeypatch.setattr(Path, "write_bytes", full_disk)
    with pytest.raises(UsageError, match="No space left on device"):
        scaffold.init(tmp_path / "new")
    assert [] == list((tmp_path / "new").iterdir())


def test_diff_tells_added_changed_and_missing_files_apart(small_reference, tmp_path):
    mine = tmp_path / "mine"
    scaffold.init(mine)
    (mine / "features" / "contact.yaml").write_text("family: contact\ntable: surveys\n")
    (mine / "features" / "visits.yaml").write_text("family: visits\n")
    (mine / "models" / "churn.yaml").unlink()
    added, changed, missing = sorted(scaffold.diff(mine), key=lambda one: one.state)
    assert ("features/visits.yaml", "added") == (added.path, added.state)
    assert ("features/contact.yaml", "changed") == (changed.path, changed.state)
    assert ("models/churn.yaml", "missing") == (missing.path, missing.state)
    assert changed.text == (
        "--- reference/features/contact.yaml\n"
        "+++ project/features/contact.yaml\n"
        "@@ -1,2 +1,2 @@\n"
        " family: contact\n"
        "-table: interactions\n"
        "+table: surveys\n"
    )
    assert "+family: visits\n" == added.text.splitlines(keepends=True)[-1]
    assert "-model: churn\n" == missing.text.splitlines(keepends=True)[-1]


def test_diff_is_in_the_order_of_paths(small_reference, tmp_path):
    mine = tmp_path / "mine"
    scaffold.init(mine)
    for path in ("models/churn.yaml", "configs/demo/deployment.yaml", "features/contact.yaml"):
        (mine / path).unlink()
    assert [
        "configs/demo/deployment.yaml",
        "features/contact.yaml",
        "models/churn.yaml",
    ] == [one.path for one in scaffold.diff(mine)]


def test_a_file_that_is_no_text_differs_without_a_text(small_reference, tmp_path):
    mine = tmp_path / "mine"
    scaffold.init(mine)
    (mine / "models" / "churn.yaml").write_bytes(b"\xff\xfe")
    assert [scaffold.Difference("models/churn.yaml", "changed", "")] == scaffold.diff(mine)


def test_a_missing_last_newline_is_seen(small_reference, tmp_path):
    mine = tmp_path / "mine"
    scaffold.init(mine)
    (mine / "models" / "churn.yaml").write_text("model: churn")
    [one] = scaffold.diff(mine)
    assert "-model: churn\n+model: churn\n\\ no newline at the end\n" == one.text.split("@@\n")[1]


def test_hidden_files_of_editors_are_no_part_of_a_project(small_reference, tmp_path):
    mine = tmp_path / "mine"
    scaffold.init(mine)
    (mine / "features" / ".contact.yaml.swp").touch()
    assert [] == scaffold.diff(mine)


def test_a_directory_without_a_project_cannot_be_compared(tmp_path):
    with pytest.raises(UsageError, match="is no project: it has no features, models, configs"):
        scaffold.diff(tmp_path)
