"""One case of the fuzz, made from a seed and its number: a small project one file of which is damaged."""

from __future__ import annotations

import copy
import csv
import gzip
import io
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

import pyarrow as pa

from tests.fuzz import cells, damage, writing
from tests.fuzz.company import GROUPED, MAPPINGS, TYPES, Draft, clean

FORMATS = ("csv", "csv.gz", "parquet", "parquet in place", "xlsx", "jsonl", "jsonl.gz")
NAMES = {"customers": "crm", "interactions": "log", "surveys": "asked", "agents": "team"}
ZONES = ("Asia/Jakarta", "UTC", "Europe/Berlin", "America/St_Johns")


@dataclass(frozen=True)
class Case:
    """A case: what was done to which file, the files by name, the mapping, what is known of the outcome."""

    seed: int
    number: int
    format: str
    table: str
    done: tuple[str, ...]
    """The mutations, in order; none: a control, which must load without a complaint."""
    files: dict[str, bytes]
    sources: dict[str, Any]
    rows: int | None
    """How many rows the damaged file has, where that can be told without the product."""
    whole: bool
    """Whether the command line is tried too."""

    @property
    def source(self) -> str:
        """The name of the damaged source."""
        return NAMES[self.table]


def format_of(number: int) -> str:
    """The format of case ``number``: they take turns."""
    return FORMATS[number % len(FORMATS)]


def make(seed: int, number: int) -> Case:
    """Case ``number`` of ``seed``: the same files on every machine with the same libraries."""
    rng = Random(f"{seed}:{number}")
    kind = format_of(number)
    table = rng.choices(list(NAMES), weights=(3, 5, 3, 1))[0]
    draft, done = clean(table), list[str]()
    if rng.random() < 0.2 and not kind.startswith(("parquet", "xlsx")):
        draft.encoding = rng.choice(("cp1252", "latin-1", "utf-16"))
    if rng.random() < 0.2 and kind.startswith("csv"):
        draft.delimiter = rng.choice((";", "\t", "|"))
    for _ in range(0 if rng.random() < 0.03 else rng.choices((1, 2, 3), weights=(6, 3, 1))[0]):
        done.append(rng.choices(("draft", "file"), weights=(2, 3))[0])
    for step, place in enumerate(done):
        if place == "draft":
            change = rng.choices(cells.DRAFTED, weights=(4, 4, 3, 1))[0]
            change(draft, rng)
            done[step] = change.__name__
    name = f"{table}.{kind.removesuffix(' in place')}"
    written, rows, told = _WRITERS[kind](draft, rng, done.count("file"))
    done = [one for one in done if one != "file"] + told
    sources = _sources(table, name, kind, rng, control=not done)
    source = sources["sources"][NAMES[table]]
    source |= {"delimiter": draft.delimiter} if draft.delimiter != "," else {}
    source |= {"encoding": draft.encoding} if draft.encoding != "utf-8" else {}
    if not kind.startswith(("parquet", "xlsx")):
        rows = counted_in(written, kind, draft.delimiter, draft.encoding)
    whole = rng.random() < 0.015
    return Case(seed, number, kind, table, tuple(done), {name: written, **_others(table)}, sources, rows, whole)


def _others(table: str) -> dict[str, bytes]:
    """The files beside the damaged one, clean."""
    needed = {"customers", "interactions"} - {table}
    return {f"{one}.csv": writing.csv_text(clean(one)).encode() for one in sorted(needed)}


def _sources(table: str, name: str, kind: str, rng: Random, *, control: bool) -> dict[str, Any]:
    """sources.yaml: the damaged table from its file, the others it needs from clean CSV."""
    typed = kind != "xlsx" and not kind.startswith("parquet")
    sources: dict[str, Any] = {"sources": {}, "tables": {}}
    for one in ("customers", "interactions", *({table} - {"customers", "interactions"})):
        source: dict[str, Any] = {"from": f"{one}.csv", "types": TYPES[one], "allowance": 1.0}
        mapping = {"source": NAMES[one], **copy.deepcopy(MAPPINGS[one])}
        if one == "interactions" and (one != table or rng.random() < 0.7):
            del mapping["columns"]["text"]  # to look for words costs as much as all the rest
        if one == table:
            source = {"from": name, "zone": rng.choice(ZONES), "allowance": rng.choice((1.0, 1.0, 1.0, 1.0, 0.01))}
            if (control and typed) or rng.random() < (0.8 if typed else 0.3):
                source["types"] = TYPES[one]
            if rng.random() < 0.3 and not (control and table == "customers"):  # a control loses no customer
                first = next(iter(mapping["columns"].values()))
                source["exclude"] = [{"rule": "test rows", "when": f"{first} LIKE 'TEST-%' OR {first} LIKE '%13'"}]
            if one == "interactions" and "types" in source and rng.random() < 0.12:
                mapping = {"source": NAMES[one], "select": GROUPED, "measures": {"amount": "amount"}}
        sources["sources"][NAMES[one]] = source
        sources["tables"][one] = [mapping]
    return sources


Written = tuple[bytes, int | None, list[str]]
"""The bytes, how many rows they hold where that is known, the damage done."""


def _csv(draft: Draft, rng: Random, times: int) -> Written:
    text = writing.csv_text(draft, end=rng.choice(("\n", "\n", "\r\n")), quote_all=rng.random() < 0.3)
    return _damaged(text.encode(draft.encoding, "replace"), rng, times, damage.text_damage, rows=None)


def _csv_gz(draft: Draft, rng: Random, times: int) -> Written:
    return _zipped(_csv(draft, rng, times if rng.random() < 0.5 else 0), rng, times)


def _jsonl(draft: Draft, rng: Random, times: int) -> Written:
    text = writing.json_lines(draft).encode(draft.encoding, "replace")
    return _damaged(text, rng, times, damage.json_damage, rows=len(draft.rows))


def _jsonl_gz(draft: Draft, rng: Random, times: int) -> Written:
    return _zipped(_jsonl(draft, rng, times if rng.random() < 0.5 else 0), rng, times)


def _zipped(inner: Written, rng: Random, times: int) -> Written:
    """Damage either to the text or to what it was packed into."""
    data, rows, told = inner
    if told or not times:
        return writing.gzipped(data), rows, told
    return _damaged(writing.gzipped(data), rng, times, damage.flipped, rows=rows)


def _parquet(draft: Draft, rng: Random, times: int) -> Written:
    options = writing.parquet_options(rng)
    odd = damage.odd_columns(draft, rng) if times and rng.random() < 0.5 else {}
    try:
        data = writing.parquet(draft, odd=odd, **options)
    except pa.ArrowException:  # this version of the format has no such type
        odd = {}
        data = writing.parquet(draft, **{**options, "version": "2.6"})
    told = ["odd_columns"] if odd else []
    data, rows, more = _damaged(data, rng, times - len(told), damage.parquet_damage, rows=len(draft.rows))
    return data, rows, told + more


def _xlsx(draft: Draft, rng: Random, times: int) -> Written:
    return _damaged(writing.workbook(draft), rng, times, damage.sheet_damage, rows=len(draft.rows))


def _damaged(data: bytes, rng: Random, times: int, own: damage.Damage, *, rows: int | None) -> Written:
    """Damage ``times`` over, two times in three of the format's own kind; then nobody knows the rows any more."""
    told = []
    for _ in range(times):
        change = own if rng.random() < 0.65 else rng.choice(damage.BYTES)
        data = change(data, rng)
        told.append(change.__name__)
    return data, None if told else rows, told


_WRITERS: dict[str, Callable[[Draft, Random, int], Written]] = {
    "csv": _csv,
    "csv.gz": _csv_gz,
    "parquet": _parquet,
    "parquet in place": _parquet,
    "xlsx": _xlsx,
    "jsonl": _jsonl,
    "jsonl.gz": _jsonl_gz,
}


def counted_in(data: bytes, kind: str, delimiter: str = ",", encoding: str = "utf-8") -> int | None:
    """The rows of a text file of format ``kind``, as it lies; None where that is not settled."""
    try:
        plain = gzip.decompress(data) if kind.endswith(".gz") else data
        text = plain.decode("utf-8-sig" if encoding == "utf-8" else encoding)
    except (OSError, EOFError, zlib.error):
        return None
    except UnicodeDecodeError:
        # A line of JSON is told by its end, whatever its bytes.
        return _lines(plain.decode("latin-1")) if kind.startswith("jsonl") and encoding == "utf-8" else None
    return counted(text, delimiter) if kind.startswith("csv") else _lines(text)


def _lines(text: str) -> int:
    """The lines that are not blank."""
    return sum(bool(line.strip(" \t\r\n\x0b\x0c")) for line in text.split("\n"))


def counted(text: str, delimiter: str = ",") -> int | None:
    """The rows below the header of a CSV, by another reader's rules; None where those do not settle it.

    Without a quote each line that is not blank is a row (of a file with one column the blank ones too). With quotes
    Python's own strict reader says how many there are, where it has no complaint and no line end is a lone \\r.
    """
    lines = text.split("\n")
    if '"' not in text:
        header = lines[0].split(delimiter)
        body = lines[1:-1] if lines[-1] == "" else lines[1:]
        return len(body) if len(header) == 1 else sum(line not in ("", "\r") for line in body)
    if "\r" in text.replace("\r\n", "") or "\0" in text:
        return None
    try:
        csv.field_size_limit(10_000_000)
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error:
        return None
    if len(rows) < 2 or len(rows[0]) == 1:
        return None
    return sum(bool(row) for row in rows[1:])
