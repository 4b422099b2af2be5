"""The file of a source into DuckDB, by its format."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import duckdb

from churnwatch.errors import DataRefused, ProjectError, nearest
from churnwatch.sources.jsonlines import read_jsonlines
from churnwatch.sources.plain import plain_text
from churnwatch.sources.raw import RawTable, read_parquet
from churnwatch.sources.separated import read_csv
from churnwatch.sources.sheets import read_sheet
from churnwatch.spec import Source

Format = Literal["csv", "jsonl", "parquet", "xlsx"]

_FORMATS: dict[str, Format] = {
    **dict.fromkeys((".csv", ".tsv", ".txt"), "csv"),
    **dict.fromkeys((".jsonl", ".ndjson"), "jsonl"),
    **dict.fromkeys((".parquet", ".pq"), "parquet"),
    **dict.fromkeys((".xlsx", ".xlsm"), "xlsx"),
}


def _format(path: Path) -> Format | None:
    """The format a file's name tells, its ``.gz`` aside."""
    ending = path.with_suffix("").suffix if path.suffix == ".gz" else path.suffix
    return _FORMATS.get(ending.lower())


def read_raw(
    con: duckdb.DuckDBPyConnection,
    name: str,
    source: Source,
    *,
    data: Path,
    told: str,
    computed: frozenset[str] = frozenset(),
) -> RawTable:
    """Read the file of ``source`` below ``data`` into ``raw.<name>``; ``told`` names the project file.

    ``computed`` are the words, in small letters, of the project's SQL that does more than take a column as it stands.
    Columns of CSV, JSON lines and XLSX are all text and an empty value is missing. Raises ``DataRefused`` where the
    file is missing, empty, has no usable header or cannot be read; ``ProjectError`` where its format is not known.
    """
    path = data / source.from_
    if not path.is_file():
        folder = path.parent
        there = sorted(item.name for item in folder.iterdir() if item.is_file()) if folder.is_dir() else []
        raise DataRefused(
            f"no such file, and the deployment {Path(told).parent.name} asks for it ({told}: sources.{name})",
            where=source.from_,
            allowed=f"a file below {data}; there: {', '.join(there[:20]) or 'no files'}",
            hint=nearest(path.name, there)
            or "name the data directory with --data, or another deployment with --deployment",
        )
    place = f"{told}: sources.{name}"
    kind = source.format or _format(path)
    for key, of in (("sheet", ("xlsx",)), ("encoding", ("csv", "jsonl"))):
        if getattr(source, key) is not None and kind is not None and kind not in of:
            raise ProjectError(
                f"`{key}` says nothing of a {kind} file", where=place, allowed=f"{key} of {', '.join(of)}"
            )
    match kind:
        case "csv":
            with plain_text(path, source) as text:
                return read_csv(con, name, source, text)
        case "jsonl":
            with plain_text(path, source) as text:
                return read_jsonlines(con, name, source, text)
        case "xlsx":
            return read_sheet(con, name, source, path)
        case "parquet":
            return read_parquet(con, name, source, path, computed)
    raise ProjectError(
        f"the format of {source.from_} is not clear from its name",
        where=place,
        allowed="csv, jsonl, parquet, xlsx",
        hint="add `format: csv`",
    )
