"""Signals as a Parquet file of any size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from churnwatch.signals.engine import Limits, Report, parts
from churnwatch.signals.rows import Array
from churnwatch.signals.spine import Spine
from churnwatch.spec import Column

if TYPE_CHECKING:
    from churnwatch.sources import Tables

ROW_GROUP = 131_072
"""Rows of a row group, whatever the blocks: so that the file's bytes do not depend on how the work was cut."""


def write(
    tables: Tables,
    columns: Sequence[Column],
    spine: Spine,
    *,
    out: Path,
    report: Report | None = None,
    limits: Limits | None = None,
) -> int:
    """Compute ``columns`` for the spine and write them to ``out``; how many rows there are.

    The file has customer_id, as_of (UTC, without a zone), and each column as a number, NaN where it is missing; its
    rows are by customer_id (in the order of bytes), then as_of. It takes its place when it is whole. The same inputs
    give the same bytes for any ``limits``.
    """
    made = (values for _, values in parts(tables, columns, spine, report=report, limits=limits))
    return write_parts(made, columns, spine, out=out)


def write_parts(made: Iterator[Array], columns: Sequence[Column], spine: Spine, *, out: Path) -> int:
    """Write values (n_columns, n_observations) that follow one another in the order of the spine, as `write` does."""
    names = [column.name for column in columns]
    schema = pa.schema(
        [("customer_id", pa.string()), ("as_of", pa.timestamp("us")), *((name, pa.float64()) for name in names)]
    )
    # Numbers that rarely repeat gain nothing from a dictionary.
    options = {"compression": "zstd", "use_dictionary": ["customer_id", "as_of"], "write_page_checksum": True}
    begin = 0
    with NamedTemporaryFile(dir=out.parent, prefix=f".{out.name}.", delete=False) as file:
        path = Path(file.name)
        try:
            with pq.ParquetWriter(file, schema, **options) as writer:
                for values in _grouped(made, len(names)):
                    end = begin + values.shape[1]
                    code = np.searchsorted(spine.starts, np.arange(begin, end), side="right") - 1
                    customers = spine.customers.take(pa.array(code))
                    as_ofs = pa.array(spine.as_ofs[begin:end]).cast(pa.timestamp("us"))
                    writer.write_table(pa.table([customers, as_ofs, *map(pa.array, values)], schema=schema))
                    begin = end
            path.chmod(0o644)
            path.replace(out)
        except BaseException:
            path.unlink()
            raise
    return begin


def _grouped(made: Iterator[Array], columns: int) -> Iterator[Array]:
    """The values again, cut into row groups, each in the memory of the one before: fresh pages take time."""
    group = np.empty((columns, ROW_GROUP))
    filled = 0
    for values in made:
        taken = 0
        while taken < values.shape[1]:
            count = min(ROW_GROUP - filled, values.shape[1] - taken)
            group[:, filled : filled + count] = values[:, taken : taken + count]
            filled, taken = filled + count, taken + count
            if filled == ROW_GROUP:
                yield group
                filled = 0
    if filled:
        yield group[:, :filled]
