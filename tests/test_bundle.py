"""Bundles: what is written reads back to the bit, and nothing damaged or inconsistent is ever loaded."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_model import COLUMNS, matrix, tiny_bundle

from churnwatch.errors import NoUsableModel
from churnwatch.learner import Calibration, risks
from churnwatch.registry import Bundle, bundle_hashes, bundle_version, read_bundle, write_bundle
from churnwatch.registry.bundle import FORMAT, MANIFEST, PARTS
from churnwatch.spec import Model


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """A good bundle on disk."""
    write_bundle(tmp_path / "bundle", tiny_bundle())
    return tmp_path / "bundle"


def refusal(directory: Path, **options: str) -> NoUsableModel:
    """The refusal reading gives; it must name a file, carry exit code 6 and say what to try."""
    with pytest.raises(NoUsableModel) as refused:
        read_bundle(directory, **options)
    assert 6 == refused.value.exit_code
    assert refused.value.where
    assert "train again" in refused.value.hint
    return refused.value


def forge(directory: Path, name: str, change: Callable[[Any], Any]) -> NoUsableModel:
    """The refusal of a bundle one file of which was changed and whose manifest was made to agree."""
    path = directory / name
    if name.endswith(".json"):
        content = change(json.loads(path.read_text()))
        path.write_text(json.dumps(content, sort_keys=True, indent=1, ensure_ascii=False) + "\n")
    else:
        path.write_text(change(path.read_text()))
    files = {part: sha256((directory / part).read_bytes()).hexdigest() for part in PARTS}
    manifest = json.dumps({"format": FORMAT, "files": files}, sort_keys=True, indent=1) + "\n"
    (directory / MANIFEST).write_text(manifest)
    return refusal(directory)


def test_what_is_written_reads_back_to_the_bit(written: Path) -> None:
    """The bundle read equals the one written, and gives the same risks bit for bit."""
    read = read_bundle(written)
    assert tiny_bundle() == read
    X = matrix(300, 9)
    np.testing.assert_array_equal(risks(tiny_bundle().fitted, X), risks(read.fitted, X))
    assert len(np.unique(risks(read.fitted, X))) > 10
    assert "demo.churn" == read.name


def test_the_same_bundle_gives_the_same_bytes_and_version(tmp_path: Path) -> None:
    """Two directories, equal files, one version: no clock and no path in them."""
    versions = [write_bundle(tmp_path / place, tiny_bundle()) for place in ("one", "two/deeper")]
    assert versions[0] == versions[1] == bundle_version(tmp_path / "one")
    assert 12 == len(versions[0])
    for name in (*PARTS, MANIFEST):
        data = (tmp_path / "one" / name).read_bytes()
        assert data == (tmp_path / "two/deeper" / name).read_bytes()
        assert str(tmp_path).encode() not in data


def test_the_version_is_the_hash_of_the_manifest(written: Path) -> None:
    """Anybody can recompute it: sha256 of the manifest without spaces, keys sorted, first 12 digits."""
    manifest = json.loads((written / MANIFEST).read_text())
    canonical = json.dumps(manifest, sort_keys=True, separators=(",", ":"))
    assert sha256(canonical.encode()).hexdigest()[:12] == bundle_version(written)
    expected = {name: sha256((written / name).read_bytes()).hexdigest() for name in PARTS}
    assert expected == bundle_hashes(written)


@pytest.mark.parametrize(
    "other",
    [
        replace(tiny_bundle(), deployment="shop"),
        replace(tiny_bundle(), notes={"choice": "another"}),
        replace(tiny_bundle(), model=tiny_bundle().model.model_copy(update={"test_slices": 7})),
        replace(tiny_bundle(), fitted=replace(tiny_bundle().fitted, base_rate=math.nextafter(0.25, 1))),
        replace(tiny_bundle(), fitted=replace(tiny_bundle().fitted, calibration=Calibration("none", (), ()))),
    ],
    ids=["deployment", "notes", "model", "base_rate", "calibration"],
)
def test_whatever_decides_a_number_changes_the_version(written: Path, tmp_path: Path, other: Bundle) -> None:
    """Another deployment, note, model file, base rate or calibration is another version."""
    assert bundle_version(written) != write_bundle(tmp_path / "other", other)


def test_a_used_directory_is_not_written_into(written: Path) -> None:
    """A bundle never mixes with what stood there."""
    with pytest.raises(FileExistsError):
        write_bundle(written, tiny_bundle())


@pytest.mark.parametrize("name", [*PARTS, MANIFEST])
def test_a_flipped_bit_anywhere_is_seen(written: Path, name: str) -> None:
    """One bit flipped at forty places of each file in turn: always refused, never loaded."""
    data = (written / name).read_bytes()
    for place in np.linspace(0, len(data) - 1, 40).astype(int):
        flipped = bytearray(data)
        flipped[place] ^= 1 << (int(place) % 8)
        (written / name).write_bytes(bytes(flipped))
        refusal(written)
    (written / name).write_bytes(data)
    read_bundle(written)


@pytest.mark.parametrize("digest", [float("nan"), "\ud800", None, 7])
def test_a_hash_that_is_no_text_is_refused(written: Path, digest: object) -> None:
    """Also what JSON takes and cannot be written again the way churnwatch writes: NaN, half a character."""
    manifest = json.loads((written / MANIFEST).read_text())
    manifest["files"]["booster.txt"] = digest
    (written / MANIFEST).write_text(json.dumps(manifest))
    assert MANIFEST == refusal(written).where


@pytest.mark.parametrize("name", [MANIFEST, *(part for part in PARTS if part.endswith(".json"))])
def test_json_too_deep_to_read_is_refused(written: Path, name: str) -> None:
    """Also where the manifest was made to agree."""
    deep = "[" * 200_000
    (written / name).write_text(deep)
    assert name == refusal(written).where
    if name != MANIFEST:
        files = {part: sha256((written / part).read_bytes()).hexdigest() for part in PARTS}
        manifest = json.dumps({"format": FORMAT, "files": files}, sort_keys=True, indent=1) + "\n"
        (written / MANIFEST).write_text(manifest)
        assert (name, "this is not JSON") == (refusal(written).where, refusal(written).found)


@pytest.mark.parametrize("name", [*PARTS, MANIFEST])
def test_a_cut_or_missing_file_is_named(written: Path, name: str) -> None:
    """Half a file, an empty file and no file are refused; the message names it."""
    data = (written / name).read_bytes()
    for part in (data[: len(data) // 2], b""):
        (written / name).write_bytes(part)
        assert name == refusal(written).where
    (written / name).unlink()
    assert (name, "this file of the bundle is missing") == (refusal(written).where, refusal(written).found)


def test_a_file_too_many_is_refused(written: Path) -> None:
    """Nothing is in a bundle but its parts, so nothing can be smuggled in."""
    (written / "loader.py").write_text("print('hello')\n")
    assert ("loader.py", "this file does not belong to a bundle") == (
        refusal(written).where,
        refusal(written).found,
    )


def test_a_link_in_place_of_a_file_is_refused(written: Path, tmp_path: Path) -> None:
    """What a link points at can change after it was verified."""
    (written / "schema.json").rename(tmp_path / "schema.json")
    (written / "schema.json").symlink_to(tmp_path / "schema.json")
    assert "this is not a plain file" == refusal(written).found


def test_no_directory_is_no_bundle(tmp_path: Path) -> None:
    """A missing bundle says so by its name, without a path of the machine."""
    assert "nowhere: there is no bundle here\n" in refusal(tmp_path / "nowhere").message + "\n"


def test_another_version_than_expected_is_refused(written: Path) -> None:
    """A whole, consistent bundle in the place of another is seen by its version."""
    version = bundle_version(written)
    assert tiny_bundle() == read_bundle(written, expected_version=version)
    assert f"this is version {version}, not 0123456789ab" == refusal(written, expected_version="0123456789ab").found


def test_a_bundle_of_a_later_format_says_which_release_to_use(written: Path) -> None:
    """Format 3 is not damaged, it is newer."""
    path = written / MANIFEST
    path.write_text(path.read_text().replace('"format": 2', '"format": 3'))
    refused = refusal(written)
    assert "the bundle has format 3" == refused.found
    assert "release of churnwatch" in refused.hint


def knots(x: list[float], y: list[float], method: str = "isotonic") -> Callable[[Any], Any]:
    return lambda content: {"method": method, "x": x, "y": y, "horizons": content["horizons"]}


def steps(*lengths: str, method: str = "platt", **more: Any) -> Callable[[Any], Any]:
    """Horizons of these lengths in place of the bundle's 30d, 20d, 90d."""
    told = [{"length": length, "method": method, "x": [1.0], "y": [0.0], **more} for length in lengths]
    return lambda content: {**content, "horizons": told}


@pytest.mark.parametrize(
    "change",
    [
        knots([0.0, 1.0], [0.5, 0.4]),
        knots([0.0, 0.0], [0.1, 0.2]),
        knots([1.0, 0.0], [0.1, 0.2]),
        knots([0.0, 1.0], [0.1, 1.2]),
        knots([0.0, 1.0], [0.1]),
        knots([], []),
        knots([0.0, float("nan")], [0.1, 0.2]),
        knots([0.0, float("inf")], [0.1, 0.2]),
        knots([-1.0], [0.0], "platt"),
        knots([1.0, 2.0], [0.0, 1.0], "platt"),
        knots([1.0], [0.0], "none"),
        knots([1.0], [0.0], "spline"),
        lambda content: {**content, "x": ["a"], "y": [0.1]},
        lambda content: {"method": "none"},
        lambda content: [],
        steps("30d", "20d", "90d", method="isotonic"),
        steps("30d", "20d", "90d", x=[-1.0]),
        steps("30d", "20d", "90d", more=1),
        steps("45d"),
        steps("60d"),
        steps("20d", "30d"),
        steps("90d", "30d"),
        steps("90d", "90d"),
        steps("soon"),
        lambda content: {**content, "horizons": {}},
        lambda content: {**content, "horizons": ["30d"]},
        lambda content: {**content, "score": {"method": "platt", "x": [1.0], "y": [0.0]}},
        lambda content: {**content, "more": 1},
    ],
)
def test_a_calibration_that_is_none_is_refused(written: Path, change: Callable[[Any], Any]) -> None:
    """Falling, repeated, unbounded, not finite, wrong in number or of no known method: refused by name."""
    assert "calibration.json" in forge(written, "calibration.json", change).message


def satisfied() -> Bundle:
    """A bundle of the next answer, with an expected score."""
    tiny = tiny_bundle()
    outcome = {"answer": {"nps": {"scale": [0, 10], "bad": {"at_most": 6}}}}
    told = {**tiny.model.model_dump(mode="json", by_alias=True), "outcome": outcome, "horizons": []}
    fitted = replace(tiny.fitted, horizons=(), score=Calibration("platt", (0.7,), (-0.4,)))
    return replace(tiny, model=Model.model_validate(told), fitted=fitted)


def test_an_expected_score_is_written_and_read_back(tmp_path: Path) -> None:
    """And decides the version: another curve is another model."""
    bundle = satisfied()
    version = write_bundle(tmp_path / "one", bundle)
    assert bundle == read_bundle(tmp_path / "one", expected_version=version)
    other = replace(bundle, fitted=replace(bundle.fitted, score=Calibration("platt", (0.8,), (-0.4,))))
    assert version != write_bundle(tmp_path / "two", other)
    assert version != write_bundle(tmp_path / "none", replace(bundle, fitted=replace(bundle.fitted, score=None)))


@pytest.mark.parametrize(
    "score",
    [
        {"method": "isotonic", "x": [0.0], "y": [0.5]},
        {"method": "platt", "x": [-1.0], "y": [0.0]},
        {"method": "platt", "x": [1.0]},
        [],
        None,
    ],
)
def test_an_expected_score_that_is_no_rising_curve_is_refused(tmp_path: Path, score: Any) -> None:
    write_bundle(tmp_path / "made", satisfied())
    said = forge(tmp_path / "made", "calibration.json", lambda content: {**content, "score": score})
    assert "calibration.json" in said.message


def renamed(content: dict[str, Any]) -> dict[str, Any]:
    return {**content, "columns": [{**column, "name": column["name"] + "x"} for column in content["columns"]]}


@pytest.mark.parametrize(
    ("name", "change", "found"),
    [
        ("schema.json", renamed, "is not in catalogue.json"),
        ("schema.json", lambda c: {**c, "columns": c["columns"][::-1]}, "feature_names are not the columns"),
        ("schema.json", lambda c: {**c, "columns": c["columns"][:2]}, "feature_names are not the columns"),
        ("schema.json", lambda c: {**c, "columns": []}, "there are no columns"),
        ("schema.json", lambda c: {**c, "columns": c["columns"] * 2}, "each once"),
        ("schema.json", lambda c: {**c, "dtype": "float32"}, "not float64"),
        ("schema.json", lambda c: {**c, "columns": 3}, "not laid out"),
        ("model.json", lambda c: {**c, "rounds": 0}, "rounds is not"),
        ("model.json", lambda c: {**c, "rounds": 1}, "more than the 1 rounds"),
        ("model.json", lambda c: {**c, "base_rate": 1.0}, "base_rate is not"),
        ("model.json", lambda c: {**c, "deployment": 3}, "deployment is not text"),
        ("model.json", lambda c: {**c, "model": {**c["model"], "horizon": "soon"}}, "horizon: "),
        (
            "model.json",
            lambda c: {**c, "model": {**c["model"], "families": ["surveys"]}},
            "does not use the family",
        ),
        ("catalogue.json", lambda c: {"families": []}, "is not in catalogue.json"),
        ("catalogue.json", lambda c: {"families": [{"family": "contact", "examples": []}]}, "Field required"),
    ],
)
def test_parts_that_do_not_fit_each_other_are_refused(
    written: Path, name: str, change: Callable[[Any], Any], found: str
) -> None:
    """A bundle whose hashes agree but whose contents do not is refused, saying what does not fit."""
    assert found in forge(written, name, change).message


def swapped(old: str, new: str) -> Callable[[str], str]:
    def change(text: str) -> str:
        assert old in text
        return text.replace(old, new, 1)

    return change


def in_first_tree(name: str, edit: Callable[[list[str]], list[str]]) -> Callable[[str], str]:
    """Edit one line of the first tree and put the tree's size right, as a careful forger would."""

    def change(text: str) -> str:
        start = text.index("Tree=0\n")
        at = text.index(f"\n{name}=", start) + 1
        line = text[at : text.index("\n", at)]
        new = f"{name}=" + " ".join(edit(line.partition("=")[2].split(" ")))
        sizes = text[text.index("tree_sizes=") :].partition("\n")[0]
        first = sizes.partition("=")[2].split(" ")[0]
        right = sizes.replace(first, str(int(first) + len(new) - len(line)), 1)
        return text.replace(line, new, 1).replace(sizes, right, 1)

    return change


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda text: text[:-900], "what follows its trees"),
        (lambda text: "", "does not begin like"),
        (swapped("tree\n", "bush\n"), "does not begin like"),
        (swapped("objective=binary", "objective=regression"), "yes-or-no"),
        (swapped("num_class=1", "num_class=3"), "yes-or-no"),
        (swapped("feature_names=contacts_28d ", "feature_names=quiet "), "feature_names"),
        (swapped("max_feature_idx=2", "max_feature_idx=9"), "max_feature_idx"),
        (swapped("tree_sizes=", "tree_sizes=9"), "does not begin and end"),
        (swapped("tree_sizes=", "tree_sizes=x"), "tree_sizes is unreadable"),
        (swapped("Tree=1\n", "Tree=7\n"), "does not begin and end"),
        (in_first_tree("num_leaves", lambda part: ["99"]), "missing or unreadable"),
        (in_first_tree("split_gain", lambda part: ["b1", *part[1:]]), "missing or unreadable"),
        (in_first_tree("decision_type", lambda part: ["1", *part[1:]]), "plain splits"),
        (swapped("[seed: ", "[seed0 "), "what follows its trees"),
        (swapped("feature_infos=", "feature_infos=[0:1] "), "feature_infos does not hold"),
        (swapped("label_index=0", "lable_index=0"), "first lines"),
        (in_first_tree("num_cat", lambda part: ["1"]), "plain splits"),
        (in_first_tree("split_feature", lambda part: ["7", *part[1:]]), "column that does not exist"),
        (in_first_tree("threshold", lambda part: ["nan", *part[1:]]), "not finite"),
        (in_first_tree("threshold", lambda part: part[1:]), "missing or unreadable"),
        (in_first_tree("leaf_value", lambda part: ["inf", *part[1:]]), "not finite"),
        (in_first_tree("left_child", lambda part: ["0", *part[1:]]), "does not hang together"),
        (in_first_tree("left_child", lambda part: ["-1"] * len(part)), "does not hang together"),
    ],
)
def test_a_text_model_that_would_crash_lightgbm_is_never_loaded(
    written: Path, change: Callable[[str], str], found: str
) -> None:
    """Even with matching hashes, a broken text model is refused from its text (loading would kill this
    process).
    """
    refused = forge(written, "booster.txt", change)
    assert "booster.txt" == refused.where
    assert found in refused.found


def test_a_model_that_found_nothing_to_split_is_whole(tmp_path: Path) -> None:
    """LightGBM writes one tree of one leaf where no split helps: a poor model, not a damaged one."""
    import lightgbm

    data = lightgbm.Dataset(np.zeros((50, 3)), np.repeat([0, 1], 25), feature_name=list(COLUMNS))
    booster = lightgbm.train({"objective": "binary", "verbosity": -1, "num_threads": 1}, data, 5)
    fitted = replace(tiny_bundle().fitted, booster_text=booster.model_to_string(), rounds=5)
    write_bundle(tmp_path / "flat", replace(tiny_bundle(), fitted=fitted))
    assert 1 == len(np.unique(risks(read_bundle(tmp_path / "flat").fitted, matrix(20, 3))))


def test_reading_a_bundle_loads_no_heavy_library(written: Path) -> None:
    """Verification needs neither MLflow nor LightGBM nor pandas, so the scoring path stays light."""
    program = (
        "import sys; from pathlib import Path; from churnwatch.registry import read_bundle; "
        f"read_bundle(Path({str(written)!r})); "
        "print(sorted({'mlflow', 'lightgbm', 'pandas', 'sklearn', 'sqlalchemy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "[]\n" == done.stdout
