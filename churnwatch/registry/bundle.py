"""The bundle: a trained model as a directory of text and JSON, in which nothing is code.

::

    booster.txt        LightGBM's text model
    calibration.json   from margin to risk, and to the expected score where there is one
    schema.json        the matrix columns in order, and what each usually holds in training
    model.json         the deployment, the model file, rounds, base rate, notes
    catalogue.json     the signal families the model was trained on
    manifest.json      the sha256 of each of the others, and the format's number

The version of a model is the first 12 hex digits of the sha256 of the manifest's canonical JSON. No clock and
no path enters a file, so training on unchanged inputs gives the same version. A bundle is verified before
LightGBM sees any of its text, because a damaged text aborts the process that loads it (FACTS.md, LightGBM).
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from churnwatch.errors import NoUsableModel
from churnwatch.learner.fitted import Calibration, Fitted, Horizon
from churnwatch.registry.booster import check_booster
from churnwatch.spec import Duration, Family, Model

FORMAT = 2
MANIFEST = "manifest.json"
PARTS = ("booster.txt", "calibration.json", "catalogue.json", "model.json", "schema.json")
VERSION_DIGITS = 12
TIME = re.compile(r"^\d{4}-\d\d-\d\d(T|$)")
N = TypeVar("N", Model, Family)
HINT = "`churnwatch verify-model` fetches it again from MLflow; else train again, or roll back to an earlier version"


@dataclass(frozen=True)
class Bundle:
    """Everything scoring needs, and everything that decides the numbers.

    ``families`` are those the model was trained on, in catalogue order: scoring computes signals from these,
    not from the project's files of the day. ``notes`` is JSON-like and tells people how training went; no
    clock and no path belongs into it.
    """

    fitted: Fitted
    model: Model
    families: tuple[Family, ...]
    deployment: str
    notes: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The registered name, ``<deployment>.<model>``."""
        return f"{self.deployment}.{self.model.model}"


def write_bundle(directory: Path, bundle: Bundle) -> str:
    """Write the bundle's files into ``directory`` (new or empty), the manifest last; returns the version.

    The same bundle gives the same bytes. What was written is read back and verified. Raises FileExistsError
    when the directory holds something, ValueError when a note is not JSON, NoUsableModel when the parts do
    not fit each other.
    """
    directory.mkdir(parents=True, exist_ok=True)
    if any(directory.iterdir()):
        raise FileExistsError(f"{directory} is not empty")
    fitted, calibration = bundle.fitted, bundle.fitted.calibration
    score = {} if fitted.score is None else {"score": _knots(fitted.score)}
    files = {
        "booster.txt": fitted.booster_text.encode(),
        "calibration.json": _json_bytes(
            {
                **_knots(calibration),
                "horizons": [{"length": h.length, **_knots(h.step)} for h in fitted.horizons],
                **score,
            }
        ),
        "schema.json": _json_bytes(
            {
                "dtype": "float64",
                "columns": [{"name": name, "usual": fitted.usual.get(name)} for name in fitted.columns],
            }
        ),
        "model.json": _json_bytes(
            {
                "deployment": bundle.deployment,
                "model": bundle.model.model_dump(mode="json", by_alias=True),
                "rounds": fitted.rounds,
                "base_rate": fitted.base_rate,
                "notes": bundle.notes,
            }
        ),
        "catalogue.json": _json_bytes(
            {"families": [family.model_dump(mode="json", by_alias=True) for family in bundle.families]}
        ),
    }
    manifest = {"format": FORMAT, "files": {name: _hash(data) for name, data in files.items()}}
    for name, data in files.items():
        (directory / name).write_bytes(data)
    (directory / MANIFEST).write_bytes(_json_bytes(manifest))
    version = _version(manifest)
    read_bundle(directory, expected_version=version)
    return version


def read_bundle(directory: Path, *, expected_version: str | None = None) -> Bundle:
    """Verify a bundle and read it.

    First the set of files, the manifest, the version (where ``expected_version`` says which it must be) and
    every hash; then that the contents fit each other. Raises NoUsableModel, naming the file and what is wrong
    with it.
    """
    files = _verified_files(directory, expected_version)
    try:
        knots = _object(files, "calibration.json", {"method", "x", "y", "horizons"}, also={"score"})
        calibration = _calibration(knots)
        if not isinstance(knots["horizons"], list):
            raise _damaged("the horizons are not a list", "calibration.json")
        horizons = tuple(_horizon(one) for one in knots["horizons"])
        columns, usual = _schema(_object(files, "schema.json", {"dtype", "columns"}))
        about = _object(files, "model.json", {"deployment", "model", "rounds", "base_rate", "notes"})
        catalogue = _object(files, "catalogue.json", {"families"})
        model = _parsed(Model, about["model"], "model.json")
        families = tuple(_parsed(Family, _with_times(family), "catalogue.json") for family in catalogue["families"])
        fitted = Fitted(
            booster_text=files["booster.txt"].decode(),
            columns=columns,
            calibration=calibration,
            rounds=about["rounds"],
            base_rate=about["base_rate"],
            usual=usual,
            horizons=horizons,
            score=_score(knots["score"]) if "score" in knots else None,
        )
        bundle = Bundle(fitted, model, families, about["deployment"], about["notes"])
        _check_fit(bundle)
    except (TypeError, KeyError, AttributeError, ValueError) as error:
        raise _damaged(f"its contents are not laid out as format {FORMAT} says ({error})") from None
    check_booster(fitted.booster_text, columns=columns, rounds=fitted.rounds)
    return bundle


def bundle_version(directory: Path) -> str:
    """The version of the bundle in ``directory``, verified by reading it whole. Raises NoUsableModel."""
    read_bundle(directory)
    manifest: dict[str, Any] = json.loads((directory / MANIFEST).read_bytes())
    return _version(manifest)


def bundle_hashes(directory: Path) -> dict[str, str]:
    """The sha256 of each file of a bundle as its manifest lists them. Raises NoUsableModel."""
    read_bundle(directory)
    hashes: dict[str, str] = json.loads((directory / MANIFEST).read_bytes())["files"]
    return hashes


def _verified_files(directory: Path, expected_version: str | None) -> dict[str, bytes]:
    if not directory.is_dir():
        raise NoUsableModel("there is no bundle here", where=directory.name, hint=HINT)
    found = {entry.name for entry in directory.iterdir()}
    for name in sorted({*PARTS, MANIFEST} - found):
        raise _damaged("this file of the bundle is missing", name)
    for name in sorted(found - {*PARTS, MANIFEST}):
        raise _damaged("this file does not belong to a bundle", name)
    for name in sorted(found):
        if (directory / name).is_symlink() or not (directory / name).is_file():
            raise _damaged("this is not a plain file", name)
    files = {name: (directory / name).read_bytes() for name in (*PARTS, MANIFEST)}
    manifest = _object(files, MANIFEST, {"format", "files"})
    if manifest["format"] != FORMAT:
        raise NoUsableModel(
            f"the bundle has format {manifest['format']}",
            where=MANIFEST,
            allowed=f"format {FORMAT}",
            hint="use the release of churnwatch that trained it, or train again",
        )
    if not isinstance(manifest["files"], dict) or set(manifest["files"]) != set(PARTS):
        raise _damaged("the manifest does not list the bundle's files", MANIFEST)
    if not all(isinstance(digest, str) and digest.isascii() for digest in manifest["files"].values()):
        raise _damaged("a sha256 in the manifest is no text of ASCII letters", MANIFEST)
    if files[MANIFEST] != _json_bytes(manifest):
        raise _damaged("the manifest is not written the way churnwatch writes it", MANIFEST)
    version = _version(manifest)
    if expected_version is not None and version != expected_version:
        raise _damaged(f"this is version {version}, not {expected_version}", MANIFEST)
    for name in PARTS:
        if manifest["files"][name] != _hash(files[name]):
            raise _damaged("the file was changed or damaged: its sha256 is not the manifest's", name)
    return files


def _calibration(content: dict[str, Any]) -> Calibration:
    method = content["method"]
    x, y = (tuple(content[axis]) for axis in ("x", "y"))
    if not all(type(value) is float and math.isfinite(value) for value in (*x, *y)):
        raise _damaged("a knot is not a finite number", "calibration.json")
    if method == "isotonic":
        good = len(x) == len(y) > 0 and all(a < b for a, b in pairwise(x))
        good = good and all(a <= b for a, b in pairwise(y)) and min(y) >= 0 and max(y) <= 1
        if not good:
            raise _damaged("the knots do not rise from risk to risk within 0 and 1", "calibration.json")
    elif method == "platt":
        if len(x) != 1 or len(y) != 1 or x[0] < 0:
            raise _damaged("platt needs one slope, 0 or above, and one offset", "calibration.json")
    elif method != "none" or x or y:
        raise _damaged("the method is not isotonic, platt or none with its numbers", "calibration.json")
    return Calibration(method, x, y)


def _horizon(content: dict[str, Any]) -> Horizon:
    if set(content) != {"length", "method", "x", "y"} or content["method"] != "platt":
        raise _damaged("a horizon is not a length with one platt step", "calibration.json")
    return Horizon(content["length"], _calibration(content))


def _score(content: dict[str, Any]) -> Calibration:
    if not isinstance(content, dict) or set(content) != {"method", "x", "y"} or content["method"] != "platt":
        raise _damaged("the expected score is not one platt curve", "calibration.json")
    return _calibration(content)


def _knots(calibration: Calibration) -> dict[str, Any]:
    return {"method": calibration.method, "x": list(calibration.x), "y": list(calibration.y)}


def _schema(content: dict[str, Any]) -> tuple[tuple[str, ...], dict[str, float | None]]:
    if content["dtype"] != "float64":
        raise _damaged("the columns are not float64", "schema.json")
    usual: dict[str, float | None] = {}
    for column in content["columns"]:
        name, value = column["name"], column["usual"]
        if not isinstance(name, str) or name in usual:
            raise _damaged("the columns are not text, each once", "schema.json")
        if value is not None and not math.isfinite(value):
            raise _damaged(f"what {name} usually holds is not finite", "schema.json")
        usual[name] = value
    if not usual:
        raise _damaged("there are no columns", "schema.json")
    return tuple(usual), usual


def _check_fit(bundle: Bundle) -> None:
    fitted = bundle.fitted
    if type(fitted.rounds) is not int or fitted.rounds < 1:
        raise _damaged("rounds is not a whole number above 0", "model.json")
    if type(fitted.base_rate) is not float or not 0 < fitted.base_rate < 1:
        raise _damaged("base_rate is not between 0 and 1", "model.json")
    if not isinstance(bundle.deployment, str) or not isinstance(bundle.notes, dict):
        raise _damaged("deployment is not text or notes are not an object", "model.json")
    lengths = [str(length) for length in bundle.model.horizons]
    if not {horizon.length for horizon in fitted.horizons} <= set(lengths) - {str(bundle.model.label_length)}:
        raise _damaged("a horizon is not one of model.json", "calibration.json")
    below = [h for h in fitted.horizons if Duration(h.length).seconds < bundle.model.label_length.seconds]
    steps = [(h in below, (-1 if h in below else 1) * Duration(h.length).seconds) for h in fitted.horizons]
    if steps != sorted(set(steps), key=lambda step: (not step[0], step[1])):
        raise _damaged("the horizons do not lead away from the model's own", "calibration.json")
    if fitted.score is not None and bundle.model.outcome.answer is None:
        raise _damaged("there is an expected score of an outcome that is no answer", "calibration.json")
    strangers = [family.family for family in bundle.families if family.family not in bundle.model.families]
    if strangers:
        raise _damaged(f"the model does not use the family {strangers[0]}", "catalogue.json")
    known = {column.name for family in bundle.families for column in family.columns}
    unknown = [name for name in fitted.columns if name not in known]
    if unknown:
        raise _damaged(f"the column {unknown[0]} is not in catalogue.json", "schema.json")


def _parsed(kind: type[N], content: object, where: str) -> N:
    try:
        return kind.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise _damaged(f"{place}: {first['msg']}", where) from None


def _with_times(family: dict[str, Any]) -> dict[str, Any]:
    """The family with its examples' times as dates and datetimes, which YAML knows and JSON does not."""
    examples = [
        {
            **example,
            "as_of": _time(example["as_of"]),
            **{
                table: [{key: _time(value) for key, value in row.items()} for row in example.get(table, ())]
                for table in ("rows", "interactions")
            },
        }
        for example in family["examples"]
    ]
    return {**family, "examples": examples}


def _time(value: Any) -> Any:
    if not isinstance(value, str) or not TIME.match(value):
        return value
    try:
        return date.fromisoformat(value) if len(value) == len("2026-03-01") else datetime.fromisoformat(value)
    except ValueError:
        return value


def _object(files: dict[str, bytes], name: str, keys: set[str], *, also: Iterable[str] = ()) -> dict[str, Any]:
    try:
        content = json.loads(files[name])
    except (ValueError, RecursionError):
        raise _damaged("this is not JSON", name) from None
    if not isinstance(content, dict) or not keys <= set(content) <= keys | set(also):
        raise _damaged(f"this is not an object of {', '.join(sorted(keys))}", name)
    return content


def _json_bytes(content: object) -> bytes:
    """One way to write it: keys sorted, indented, UTF-8, numbers so that they read back to the same bit."""
    text = json.dumps(content, sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False)
    return f"{text}\n".encode()


def _version(manifest: dict[str, Any]) -> str:
    canonical = json.dumps(manifest, sort_keys=True, separators=(",", ":"))
    return _hash(canonical.encode())[:VERSION_DIGITS]


def _hash(data: bytes) -> str:
    return sha256(data).hexdigest()


def _damaged(what: str, where: str = "bundle") -> NoUsableModel:
    return NoUsableModel(what, where=where, hint=HINT)
