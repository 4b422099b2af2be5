"""The fuzz of bundles: sixty of its thousand cases, and that it sees what it looks for."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from command_line import copied

from churnwatch.learner import risks
from churnwatch.registry import bundle_version, read_bundle
from churnwatch.registry.bundle import MANIFEST, PARTS
from tests.fuzz import bundles
from tests.fuzz.bundles import judge, make, mutate, real_bundle, sized, summary


@pytest.fixture(scope="module")
def real(company, tmp_path_factory) -> tuple[Path, Path]:
    """The company's bundle and the signals of some of its customers."""
    place = tmp_path_factory.mktemp("bundle")
    return real_bundle(copied(company.root, place / "project"), place)


def test_no_damage_kills_a_process_or_changes_an_accepted_score(real):
    """Every case with its hashes as they were is refused; of the forged ones none is accepted by its version."""
    results = mutate(*real, range(60), seed=1, workers=1)
    assert [] == [(one.number, one.ending.wrong) for one in results if one.ending.wrong]
    found = summary(results, seed=1, seconds=1.0)
    assert {"refused": 30} == found["hashes as they were"]
    assert 30 == sum(found["hashes computed again"].values())
    assert {"refused", "same", "changed"} >= set(found["hashes computed again"])
    assert {"refused", "changed"} <= set(found["hashes computed again"])


def test_the_seed_and_the_number_make_the_same_damage_again(real):
    files = {path.name: path.read_bytes() for path in real[0].iterdir()}
    names = Counter()
    for number in range(60):
        case = make(files, 5, number)
        assert case == make(files, 5, number)
        assert case.files[case.name] != files[case.name]
        assert {*PARTS, MANIFEST} == set(case.files)
        names[case.name] += 1
        others = {name for name in files if case.files[name] != files[name]} - {case.name}
        assert others == ({MANIFEST} if case.forged else set())
    assert set(PARTS) <= set(names)
    assert make(files, 5, 0) != make(files, 6, 0)


def test_a_careful_forger_puts_the_sizes_right(real):
    booster = (real[0] / "booster.txt").read_bytes()
    assert booster == sized(booster)
    grown = booster.replace(b"shrinkage=", b"shrinkage=0", 1)
    assert grown != sized(grown)
    assert len(grown) == len(sized(grown))


@pytest.fixture
def whole(real):
    """What judging needs to know of the whole bundle: its version, signals, and the risks it gives."""
    X = np.load(real[1])
    return bundle_version(real[0]), X, risks(read_bundle(real[0]).fitted, X)


def test_the_judge_takes_a_whole_bundle_for_what_it_is(real, whole):
    assert ("accepted", ()) == (judge(real[0], *whole).way, judge(real[0], *whole).wrong)


def test_the_judge_sees_a_changed_score_a_risk_that_is_none_and_another_error(real, whole, monkeypatch):
    bundle = read_bundle(real[0])

    def reading(change):
        monkeypatch.setattr(bundles, "read_bundle", change)
        return judge(real[0], *whole)

    other = replace(bundle, fitted=replace(bundle.fitted, calibration=replace(bundle.fitted.calibration)))
    monkeypatch.setattr(bundles, "risks", lambda fitted, X: risks(fitted, X) / 2)
    found = reading(lambda *_, **__: other)
    assert ("wrong", ("by version: accepted, and the risks changed",)) == (found.way, found.wrong)
    monkeypatch.setattr(bundles, "risks", lambda fitted, X: np.full(len(X), np.nan))
    assert any("a risk that is none" in told for told in reading(lambda *_, **__: other).wrong)

    def broken(*_, **__):
        raise KeyError("feature")

    assert any("KeyError: 'feature'" in told for told in reading(broken).wrong)
