"""Where raw tables lie and how they become canonical tables: ``configs/<deployment>/sources.yaml``."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Any, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator, model_validator

from churnwatch.spec.node import Name, Node, Zone

CanonicalTable = Literal["customers", "interactions", "surveys", "agents"]
RawType = Literal["text", "integer", "number", "boolean", "time"]


class Exclusion(Node):
    """A declared rule: raw rows that meet the SQL condition ``when`` are left out, and counted under ``rule``."""

    rule: str
    when: str


class Source(Node):
    """One raw table: a CSV, JSON lines, Parquet or XLSX file below the data directory.

    ``zone`` is the zone of times that carry none (the deployment's where it is left out). In CSV, JSON lines and XLSX
    every column is text unless ``types`` says otherwise; a value that does not fit its type quarantines the row.
    ``allowance`` is the share of rows that may be quarantined before the whole source is refused. ``data_end`` says
    until when the file is complete, at the latest now (left out: its greatest ``known_at``). CSV and JSON lines may be
    gzip; ``encoding`` is theirs (UTF-8 where it is left out), ``sheet`` that of a workbook (the first).
    """

    from_: str = Field(alias="from")
    format: Literal["csv", "jsonl", "parquet", "xlsx"] | None = None
    delimiter: str = ","
    encoding: Literal["utf-8", "utf-16", "cp1252", "latin-1"] | None = None
    sheet: str | None = None
    zone: Zone | None = None
    types: dict[str, RawType] = Field(default_factory=dict)
    allowance: float = Field(default=0.01, ge=0, le=1)
    data_end: date | datetime | None = None
    exclude: tuple[Exclusion, ...] = ()

    def declared_end(self, zone: str) -> datetime | None:
        """The instant (UTC) of ``data_end``: a day is the midnight that opens it in ``zone``, the source's own."""
        if self.data_end is None:
            return None
        moment = self.data_end if isinstance(self.data_end, datetime) else datetime.combine(self.data_end, time())
        local = moment if moment.tzinfo is not None else moment.replace(tzinfo=ZoneInfo(zone))
        return local.astimezone(UTC)

    @field_validator("exclude", mode="before")
    @classmethod
    def _exclude_as_tuple(cls, value: Any) -> Any:
        return tuple(value) if isinstance(value, list) else value


class Mapping(Node):
    """How one source feeds one canonical table.

    Either ``columns``, one DuckDB SQL expression per canonical column over the raw row (``where`` keeps a part of
    the rows), or ``select``, a whole SELECT over the source by its name where rows must be grouped. ``measures`` names
    numeric columns of interactions or of customers.
    """

    source: Name
    where: str | None = None
    columns: dict[Name, str] | None = None
    measures: dict[Name, str] = Field(default_factory=dict)
    select: str | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.columns is None) == (self.select is None):
            raise ValueError("a mapping has either `columns` or one whole `select`")
        if self.select is not None and self.where is not None:
            raise ValueError("with `select`, write the condition into the SELECT instead of `where`")
        return self


class Sources(Node):
    """All of ``sources.yaml``: the raw tables by name, and the mappings by canonical table."""

    sources: dict[Name, Source] = Field(min_length=1)
    tables: dict[CanonicalTable, tuple[Mapping, ...]]

    @field_validator("tables", mode="before")
    @classmethod
    def _mappings_as_tuples(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {key: tuple(item) if isinstance(item, list) else item for key, item in value.items()}

    @model_validator(mode="after")
    def _sources_exist(self) -> Self:
        for table, mappings in self.tables.items():
            for mapping in mappings:
                if mapping.source not in self.sources:
                    raise ValueError(f"{table} maps the source {mapping.source}, which is not declared")
        if "customers" not in self.tables:
            raise ValueError("no mapping makes the table customers")
        return self
