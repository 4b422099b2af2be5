"""Damage a real bundle a thousand ways and load it: ``python -m tests.fuzz.bundles``.

Every second case is forged: the manifest's hashes are computed again, so that only the checks of what the files say
stand between them and LightGBM, which a damaged text model would abort, hang or lie to. Each case is read twice in a
process of its own: as the daily run reads a bundle, by the version that the ledger names, where it must be refused or
score as before; and without that version, where it may come through, but must neither kill nor hold the process, nor
give a risk that is none. A case is made from the seed and its number: ``--seed 5 --case 123`` runs it again.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import shutil
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from churnwatch.errors import NoUsableModel
from churnwatch.learner import risks
from churnwatch.registry import bundle_version, read_bundle
from churnwatch.registry.bundle import MANIFEST, PARTS
from tests.command_line import END, ok, spawn
from tests.fuzz.judged import Ending
from tests.fuzz.run import RESULTS, Result, limit_memory, run

PATIENCE = 30.0
"""Seconds a case may take; one is usually done in a tenth of one."""
ROWS = 200
CUSTOMERS = 3000
"""Of the demo whose bundle it is: enough for its model."""
WAYS = {
    "refused": "refused",
    "same": "refused by version; its contents pass, risks as before",
    "changed": "refused by version; its contents pass, risks changed",
    "accepted": "accepted by version, risks as before",
    "wrong": "wrong",
}
NUMBER = re.compile(rb"-?\d+(?:\.\d+)?(?:e[-+]?\d+)?")


@dataclass(frozen=True)
class Mutation:
    """A bundle's files after something was done to one of them."""

    number: int
    files: dict[str, bytes]
    name: str
    done: str
    forged: bool


def make(files: dict[str, bytes], seed: int, number: int) -> Mutation:
    """Case ``number`` of ``seed``; its file always differs from the bundle's."""
    rng = random.Random(f"{seed}:{number}")
    forged = number % 2 == 1
    # Half of them in the booster: that is what LightGBM reads.
    name = "booster.txt" if rng.random() < 0.5 else rng.choice(PARTS if forged else (*PARTS, MANIFEST))
    ways = [*WAYS_OF_BYTES, *(WAYS_OF_BOOSTER if name == "booster.txt" else WAYS_OF_JSON)]
    while True:
        way = rng.choice(ways)
        content, done = way(files[name], rng), way.__name__
        if name == "booster.txt" and forged and rng.random() < 0.7:
            content, done = sized(content), f"{done}, tree_sizes put right"
        if content != files[name]:
            break
    changed = {**files, name: content}
    if forged:
        manifest = json.loads(files[MANIFEST])
        manifest["files"] = {part: sha256(changed[part]).hexdigest() for part in PARTS}
        changed[MANIFEST] = written(manifest)
    return Mutation(number, changed, name, done, forged)


def flip(data: bytes, rng: random.Random) -> bytes:
    out = bytearray(data)
    for _ in range(rng.choice([1, 1, 1, 4, 32])):
        out[rng.randrange(len(out))] ^= 1 << rng.randrange(8)
    return bytes(out)


def cut(data: bytes, rng: random.Random) -> bytes:
    return data[: rng.randrange(len(data))]


def cut_out(data: bytes, rng: random.Random) -> bytes:
    start = rng.randrange(len(data))
    return data[:start] + data[start + rng.choice([1, 2, 40, 2000]) :]


def put_in(data: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(data))
    return data[:at] + rng.choice([b"\0", b" ", b"9", b"-", b"\n", b"\xff\xfe", b"inf", b"Tree=0\n"]) + data[at:]


def lines(data: bytes, rng: random.Random) -> bytes:
    """One line doubled, dropped, or two of them exchanged."""
    parts = data.split(b"\n")
    one, other = rng.randrange(len(parts)), rng.randrange(len(parts))
    match rng.randrange(3):
        case 0:
            parts.insert(one, parts[one])
        case 1:
            del parts[one]
        case _:
            parts[one], parts[other] = parts[other], parts[one]
    return b"\n".join(parts)


def exchange(data: bytes, rng: random.Random) -> bytes:
    """Two numbers change places."""
    found = list(NUMBER.finditer(data))
    if len(found) < 2:
        return data
    one, other = sorted(rng.sample(found, 2), key=lambda match: match.start())
    between = data[one.end() : other.start()]
    return data[: one.start()] + other[0] + between + one[0] + data[other.end() :]


def renumber(data: bytes, rng: random.Random) -> bytes:
    """One number becomes another."""
    found = list(NUMBER.finditer(data))
    if not found:
        return data
    one = rng.choice(found)
    value = rng.choice([b"0", b"-1", b"1", b"2", b"7", b"9" * 12, b"1e308", b"1e999", b"nan", b"inf", b"-inf", b"0.5"])
    return data[: one.start()] + value + data[one.end() :]


def edit_json(data: bytes, rng: random.Random) -> bytes:
    """A value somewhere replaced, a key dropped or renamed, an item doubled; written as churnwatch writes."""
    content = json.loads(data)
    holders: list[Any] = []

    def gather(node: Any) -> None:
        if isinstance(node, (dict, list)) and node:
            holders.append(node)
            for child in node.values() if isinstance(node, dict) else node:
                gather(child)

    gather(content)
    node = rng.choice(holders)
    key = rng.choice(sorted(node)) if isinstance(node, dict) else rng.randrange(len(node))
    match rng.randrange(4):
        case 0:
            del node[key]
        case 1 if isinstance(node, dict):
            node[f"{key}x"] = node.pop(key)
        case 1 | 2 if isinstance(node, list):
            node.insert(key, node[rng.randrange(len(node))])
        case _:
            node[key] = rng.choice([None, True, -1, 0, 0.5, 1e300, 10**30, "", "x", [], {}, [[1]], "2026-01-01"])
    return written(content)


def nudge_json(data: bytes, rng: random.Random) -> bytes:
    """A number made a little larger or smaller, which no structure can tell."""
    content = json.loads(data)
    found: list[tuple[Any, Any]] = []

    def gather(node: Any) -> None:
        for key, child in node.items() if isinstance(node, dict) else enumerate(node):
            if isinstance(child, (dict, list)):
                gather(child)
            elif isinstance(child, float):
                found.append((node, key))

    gather(content)
    if not found:
        return data
    node, key = rng.choice(found)
    node[key] *= rng.choice([0.5, 0.99, 1.01, 2.0, -1.0])
    return written(content)


def nudge_tree(data: bytes, rng: random.Random) -> bytes:
    """One leaf, threshold, split or child of one tree becomes another that could stand there."""
    found = list(re.finditer(rb"^(leaf_value|threshold|split_feature|left_child|right_child)=(.+)$", data, re.M))
    if not found:
        return data
    line = rng.choice(found)
    parts = line[2].split(b" ")
    place = rng.randrange(len(parts))
    if line[1] in (b"leaf_value", b"threshold"):
        parts[place] = repr(float(parts[place]) * rng.choice([0.5, 1.01, -1.0]) + rng.choice([0.0, 0.1])).encode()
    else:
        parts[place] = str(int(parts[place]) + rng.choice([-1, 1, 3])).encode()
    return data[: line.start(2)] + b" ".join(parts) + data[line.end(2) :]


WAYS_OF_BYTES: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    flip, cut, cut_out, put_in, lines, exchange, renumber,
)  # fmt: skip
WAYS_OF_BOOSTER = (nudge_tree, nudge_tree, nudge_tree)
WAYS_OF_JSON = (edit_json, edit_json, nudge_json, nudge_json)


def written(content: Any) -> bytes:
    """JSON the way churnwatch writes it; a forger would."""
    return f"{json.dumps(content, sort_keys=True, indent=1, ensure_ascii=False)}\n".encode()


def sized(booster: bytes) -> bytes:
    """The text model with ``tree_sizes`` true again: a careful forger's last step."""
    head, line, rest = booster.partition(b"tree_sizes=")
    _, gap, trees = rest.partition(b"\n\n")
    starts = [match.start() for match in re.finditer(rb"^Tree=\d+$", trees, re.M)]
    end = trees.find(b"end of trees")
    if not (line and gap and starts and end > 0):
        return booster
    sizes = [b - a for a, b in zip(starts, [*starts[1:], end], strict=True)]
    return head + line + " ".join(map(str, sizes)).encode() + gap + trees


def work(pipe: Connection, seed: int, directory: str, *, bundle: Path, signals: Path) -> None:
    """A worker of the pool in ``run.py``: case numbers come, endings go back."""
    limit_memory()
    files = {path.name: path.read_bytes() for path in sorted(bundle.iterdir())}
    X = np.load(signals)
    version, whole = bundle_version(bundle), risks(read_bundle(bundle).fitted, X)
    pipe.send(None)
    while (number := pipe.recv()) is not None:
        started = time.monotonic()
        case = make(files, seed, number)
        place = Path(directory) / "case"
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        for name, content in case.files.items():
            (place / name).write_bytes(content)
        ending = judge(place, version, X, whole)
        pipe.send(Result(number, case.name, ending, time.monotonic() - started))


def judge(place: Path, version: str, X: np.ndarray, whole: np.ndarray) -> Ending:
    """How a damaged bundle ended: by the version the ledger names, then by its contents alone."""
    wrong = []
    told = {}
    for how, expected in (("by version", version), ("alone", None)):
        try:
            found = risks(read_bundle(place, expected_version=expected).fitted, X)
        except NoUsableModel as refused:
            told[how] = "refused"
            if refused.exit_code != 6 or not refused.where or "Traceback" in refused.message:
                wrong.append(f"{how}: a refusal that says too little: {refused.message[:300]}")
        except Exception:  # noqa: BLE001 (whatever it is, it is a finding)
            told[how] = "raised"
            wrong.append(f"{how}: {traceback.format_exc()[-1500:]}")
        else:
            told[how] = "same" if np.array_equal(found, whole) else "changed"
            if not (np.isfinite(found).all() and found.min() >= 0 and found.max() <= 1):
                wrong.append(f"{how}: a risk that is none, such as {found[~((found >= 0) & (found <= 1))][:1]}")
    if told["by version"] == "changed":
        wrong.append("by version: accepted, and the risks changed")
    if wrong:
        return Ending("wrong", tuple(wrong))
    return Ending("accepted" if told["by version"] == "same" else told["alone"])


def mutate(
    bundle: Path, signals: Path, numbers: Sequence[int], *, seed: int, workers: int, patience: float = PATIENCE
) -> list[Result]:
    """The cases ``numbers`` of ``seed`` on a bundle's directory and a saved matrix of its signals."""
    one = partial(work, bundle=bundle, signals=signals)
    return list(run(numbers, seed=seed, workers=workers, work=one, patience=patience))


def summary(results: Sequence[Result], *, seed: int, seconds: float) -> dict[str, Any]:
    """Counts by file and by way, those with the hashes computed again apart, and every case that ended as none may."""
    counts = {
        kind: dict(Counter(one.ending.way for one in results if (one.number % 2 == 1) == forged))
        for kind, forged in (("hashes as they were", False), ("hashes computed again", True))
    }
    wrong = [one for one in results if one.ending.wrong]
    return {
        "seed": seed,
        "cases": len(results),
        "seconds": round(seconds, 1),
        **counts,
        "files": dict(Counter(one.format for one in results)),
        "wrong": [{"case": one.number, "file": one.format, "why": one.ending.wrong} for one in wrong],
    }


def real_bundle(project: Path, into: Path) -> tuple[Path, Path]:
    """The champion's bundle of a trained demo project, and the signals of its first customers as a saved matrix."""
    told = ok(spawn("score", "--as-of", END, "--project", project, "--json")).json
    bundle = project / "state" / "demo" / "models" / "demo.churn" / told["model_version"]
    table = pq.read_table(told["files"]["signals.parquet"])
    columns = [name for name in table.column_names if name not in ("customer_id", "as_of")]
    X = np.column_stack([table[name].to_numpy() for name in columns])[:ROWS]
    np.save(into / "signals.npy", X)
    return bundle, into / "signals.npy"


def main(argv: Sequence[str] | None = None) -> int:
    """0 when every case ended as it may, 1 otherwise."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.bundles", description="Damage a bundle and load it.")
    parser.add_argument("--cases", type=int, default=1000, help="how many; 1000 unless told")
    parser.add_argument("--seed", type=int, help="another seed, other damage; drawn and printed unless told")
    parser.add_argument("--case", type=int, help="this one alone")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--project", type=Path, help="a trained demo project; made unless told")
    parser.add_argument("--json", action="store_true", help="the summary as one object")
    told = parser.parse_args(argv)
    seed = random.SystemRandom().randrange(10**6) if told.seed is None else told.seed
    numbers = range(told.cases) if told.case is None else [told.case]
    with tempfile.TemporaryDirectory(prefix="churnwatch-bundles-") as temporary:
        project = told.project
        if project is None:
            project = Path(temporary) / "demo"
            print("making a demo to take its bundle from ...", file=sys.stderr, flush=True)
            ok(spawn("demo", "--dir", project, "--customers", CUSTOMERS))
        bundle, signals = real_bundle(project.resolve(), Path(temporary))
        started = time.monotonic()
        results = mutate(bundle, signals, numbers, seed=seed, workers=told.workers)
        found = summary(results, seed=seed, seconds=time.monotonic() - started)
    if found["wrong"]:
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / f"bundles_{seed}.json").write_text(json.dumps(found, indent=2) + "\n")
    if told.json:
        print(json.dumps(found))
    else:
        tell(found)
    return 1 if found["wrong"] else 0


def tell(found: dict[str, Any]) -> None:
    print(f"seed {found['seed']}: a bundle damaged {found['cases']:,} times, {found['seconds']:g} s")
    for kind in ("hashes as they were", "hashes computed again"):
        print(f"  {kind}:")
        for way, words in WAYS.items():
            if way in found[kind]:
                print(f"    {found[kind][way]:5,}  {words}")
    for one in found["wrong"]:
        print(
            f"  --seed {found['seed']} --case {one['case']} ({one['file']}): {one['why'][0].strip().splitlines()[-1]}"
        )
    print("  none was accepted with another score, none ended a process" if not found["wrong"] else "  FAILED")


if __name__ == "__main__":
    sys.exit(main())
