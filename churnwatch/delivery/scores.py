"""Everybody's scores as ``scores.parquet``."""

from __future__ import annotations

import io

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

REQUIRED = ("customer_id", "as_of", "margin", "risk", "band", "model_version")


def scores_parquet(frame: pd.DataFrame) -> bytes:
    """One row per observation, ordered by as-of and customer, as Parquet; equal scores give equal bytes.

    ``frame`` has at least customer_id, as_of, margin, risk, band and model_version; further columns follow in
    their order. Pages carry checksums, so that a flipped bit is noticed. Raises ``ValueError`` where a column
    or a risk is missing, or an observation stands twice.
    """
    missing = [name for name in REQUIRED if name not in frame.columns]
    if missing:
        raise ValueError(f"scores lack {', '.join(missing)}")
    if frame["risk"].isna().any() and not frame["risk"].isna().all():
        raise ValueError("a score has no risk")
    if frame.duplicated(["as_of", "customer_id"]).any():
        raise ValueError("an observation is scored twice")
    ordered = frame.sort_values(["as_of", "customer_id"])
    columns = [*REQUIRED, *(name for name in frame.columns if name not in REQUIRED)]
    # Pandas' own metadata name its version: the file would change with the library, not with the scores.
    table = pa.Table.from_pandas(ordered[columns], preserve_index=False).replace_schema_metadata(None)
    out = io.BytesIO()
    pq.write_table(table, out, compression="zstd", compression_level=3, write_page_checksum=True)
    return out.getvalue()
