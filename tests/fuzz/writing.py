"""A draft as the bytes of a file, in every format the product reads."""

from __future__ import annotations

import contextlib
import csv
import gzip
import io
import json
from collections.abc import Sequence
from datetime import datetime
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tests.fuzz.company import Cell, Draft


def csv_text(draft: Draft, *, end: str = "\n", quote_all: bool = False) -> str:
    out = io.StringIO()
    quoting = csv.QUOTE_ALL if quote_all else csv.QUOTE_MINIMAL
    writer = csv.writer(out, delimiter=draft.delimiter, lineterminator=end, quoting=quoting)
    writer.writerow(draft.columns)
    writer.writerows([[written(cell) for cell in row] for row in draft.rows])
    return out.getvalue()


def written(cell: Cell) -> str:
    """A cell as a text file holds it."""
    if cell is None:
        return ""
    return cell.isoformat(sep=" ") if isinstance(cell, datetime) else str(cell)


def json_lines(draft: Draft) -> str:
    """One object a line; a name that stands twice in the draft stands twice in the object."""
    return "".join("{" + ", ".join(_pairs(draft.columns, row)) + "}\n" for row in draft.rows)


def _pairs(columns: Sequence[str], row: Sequence[Cell]) -> list[str]:
    pairs = zip(columns, row, strict=False)
    return [
        f"{json.dumps(name)}: {json.dumps(written(cell) if isinstance(cell, datetime) else cell, ensure_ascii=False)}"
        for name, cell in pairs
    ]


def gzipped(data: bytes) -> bytes:
    return gzip.compress(data, compresslevel=1, mtime=0)


def workbook(draft: Draft) -> bytes:
    """The first sheet of an XLSX file; what a sheet cannot hold stands there as text."""
    import openpyxl

    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("rows")
    sheet.append([_sheet_cell(name) for name in draft.columns])
    for row in draft.rows:
        sheet.append([_sheet_cell(cell) for cell in row])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _sheet_cell(cell: Cell) -> Cell:
    if isinstance(cell, str):
        # A sheet holds no control signs and 32,767 characters at most.
        return "".join(sign for sign in cell if sign >= " " or sign in "\n\t")[:32_000]
    if isinstance(cell, float) and not abs(cell) < 1e300:
        return str(cell)
    if isinstance(cell, int) and not isinstance(cell, bool) and abs(cell) > 2**60:
        return str(cell)
    return cell


def parquet(draft: Draft, *, odd: dict[int, pa.Array] | None = None, **options: Any) -> bytes:
    """A Parquet file; ``odd`` gives other values for columns by their position."""
    arrays = [
        (odd or {}).get(position, _array([row[position] if position < len(row) else None for row in draft.rows]))
        for position in range(len(draft.columns))
    ]
    out = io.BytesIO()
    pq.write_table(pa.Table.from_arrays(arrays, names=draft.columns), out, **options)
    return out.getvalue()


def _array(values: Sequence[Cell]) -> pa.Array:
    kinds = {type(value) for value in values if value is not None}
    if kinds == {datetime}:
        return pa.array(values, pa.timestamp("us"))
    with contextlib.suppress(pa.ArrowException, OverflowError):
        if kinds == {bool}:
            return pa.array(values, pa.bool_())
        if kinds == {int}:
            return pa.array(values, pa.int64())
        if kinds and kinds <= {int, float}:
            return pa.array([None if value is None else float(value) for value in values], pa.float64())
    return pa.array([None if value is None else written(value) for value in values], pa.string())


def parquet_options(rng: Random) -> dict[str, Any]:
    """How a writer may lay out the same rows."""
    return {
        "compression": rng.choice(["none", "snappy", "zstd", "gzip", "lz4", "brotli"]),
        "row_group_size": rng.choice([None, None, 1, 7, 50]),
        "data_page_version": rng.choice(["1.0", "2.0"]),
        "use_dictionary": rng.random() < 0.5,
        "write_statistics": rng.random() < 0.7,
        "write_page_checksum": rng.random() < 0.3,
        "version": rng.choice(["1.0", "2.4", "2.6"]),
    }
