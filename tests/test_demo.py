"""The demo: the same company twice is the same list; what is not the demo's own is left alone."""

from __future__ import annotations

import hashlib

import pytest
from command_line import END, call, ok, refused, spawn

import churnwatch.synthetic


def picture(directory):
    return {
        path.relative_to(directory).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }


def test_a_directory_that_holds_another_project_is_left_alone(tmp_path):
    ok(call("init", tmp_path / "mine"))
    (tmp_path / "mine" / "data").mkdir()
    (tmp_path / "mine" / "data" / "customers.csv").write_text("mine\n")
    before = picture(tmp_path)
    said = call("demo", "--dir", tmp_path / "mine", "--customers", 300)
    refused(said, 2, "holds a project that is not the demo's", "a new or empty directory", "--dir")
    assert before == picture(tmp_path)


@pytest.mark.parametrize("wrong", [("--customers", 0), ("--customers", -5), ("--seed", -1)])
def test_a_company_that_cannot_be_is_refused_before_anything_is_written(tmp_path, wrong):
    said = call("demo", "--dir", tmp_path / "demo", *wrong)
    assert 2 == said.code
    assert wrong[0] in said.err
    assert "Traceback" not in said.err
    assert not (tmp_path / "demo").exists()


def test_an_interrupted_demo_can_be_made_again(tmp_path, monkeypatch):
    """Interrupted while it simulates, the directory is still the demo's own."""

    def interrupted(*_arguments, **_options):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(churnwatch.synthetic, "simulate", interrupted)
        assert 130 == call("demo", "--dir", tmp_path / "demo", "--customers", 60).code
        # Not refused as somebody else's project: it gets as far as before.
        assert 130 == call("demo", "--dir", tmp_path / "demo", "--customers", 60).code


def test_the_demo_leaves_an_ordinary_project_and_the_truth_beside_it(company):
    """Everything a user would have, and `truth/`, which no file of the project names."""
    folders = {one.name for one in company.root.iterdir()}
    assert {"configs", "data", "features", "models", "out", "state", "truth"} == folders
    texts = [path.read_text() for path in company.root.rglob("*.yaml") if "state" not in path.parts]
    assert [] == [text for text in texts if "truth/" in text]


@pytest.mark.slow
def test_two_fresh_demos_give_the_same_bytes(tmp_path):
    """Issue, done when 1: byte-equal outreach.csv and scores.parquet; and another seed gives another list."""
    lists = {}
    for name, seed in (("one", 1), ("two", 1), ("three", 2)):
        said = spawn("demo", "--dir", tmp_path / name, "--customers", 1500, "--seed", seed, "--json")
        assert said.code in (0, 5), said.err
        out = tmp_path / name / "out" / "demo" / END
        lists[name] = {
            file: (out / file).read_bytes()
            for file in ("outreach.csv", "outreach.html", "outreach.xlsx", "scores.parquet")
        }
    assert lists["one"] == lists["two"]
    assert lists["one"]["outreach.csv"] != lists["three"]["outreach.csv"]


@pytest.mark.slow
def test_a_demo_is_made_again_in_its_own_directory(tmp_path):
    """The same list again, as a new revision; and smaller the second time, nothing of the first data is left."""
    arguments = ("demo", "--dir", tmp_path / "demo", "--json", "--customers")
    first = spawn(*arguments, 1500)
    assert first.code in (0, 5), first.err
    again = spawn(*arguments, 1500)
    rows, corrected = ([row | {"list": ""} for row in said.json["daily"]["rows"]] for said in (first, again))
    assert rows == corrected
    assert ("issued", "corrected") == (first.json["daily"]["status"], again.json["daily"]["status"])
    smaller = spawn(*arguments, 1300)
    assert smaller.code in (0, 5), smaller.err
    assert 1300 == smaller.json["customers"]
    assert smaller.json["daily"]["counts"]["observed"] < first.json["daily"]["counts"]["observed"]
