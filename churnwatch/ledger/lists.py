"""Lists issued: who was named to whom, on which day, in which revision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from churnwatch.ledger import schema
from churnwatch.ledger.opening import writing

_ROW = tuple(column.name for column in schema.list_rows.columns if column.name != "list_id")


@dataclass(frozen=True)
class IssuedList:
    """One revision of one day's list.

    ``files`` maps each published file to its sha256 and size. ``rows`` are by rank, each with customer_id,
    rank, owner, risk, band, change, rising_since, value_at_risk, reasons, last_contact, last_survey, action,
    due, listed_for, also_model, also_risk, also_band, also_change, expected_score, expected_change; risk and band
    are ``None`` where a baseline ranked, the last six where no further model spoke, listed_for in lists of schema 0001.
    ``also`` holds the further models asked with their versions, in their order; no version: it had no champion.
    """

    list_id: int
    run_id: int
    deployment: str
    as_of: date
    revision: int
    model: str
    model_version: str | None
    baseline: str | None
    files: Mapping[str, Any]
    issued_at: datetime
    rows: tuple[Mapping[str, Any], ...]
    also: tuple[tuple[str, str | None], ...] = ()


def record_list(
    engine: sa.Engine,
    *,
    run_id: int,
    deployment: str,
    as_of: date,
    model: str,
    model_version: str | None,
    baseline: str | None,
    files: Mapping[str, Any],
    issued_at: datetime,
    rows: Sequence[Mapping[str, Any]],
    also: Sequence[tuple[str, str | None]] = (),
) -> int:
    """Keep a list with all its rows, or nothing of it; returns the revision, 1 for a day's first list.

    ``rows`` are mappings with the keys of ``IssuedList.rows``; other keys are left out, so that names and
    steps, which the customers table and the playbook hold, are not kept twice. A list without rows is a fact
    too. Raises ``KeyError`` where a row lacks a key, SQLAlchemy's ``IntegrityError`` where one breaks the
    schema.
    """
    lists = schema.lists
    with writing(engine) as connection:
        last = connection.execute(
            sa.select(sa.func.max(lists.c.revision)).where(lists.c.deployment == deployment, lists.c.as_of == as_of)
        ).scalar()
        revision = (last or 0) + 1
        list_id: int = connection.execute(
            sa.insert(lists)
            .values(
                run_id=run_id,
                deployment=deployment,
                as_of=as_of,
                revision=revision,
                model=model,
                model_version=model_version,
                baseline=baseline,
                files=dict(files),
                issued_at=issued_at,
                also=[list(asked) for asked in also],
            )
            .returning(lists.c.list_id)
        ).scalar_one()
        kept = [{"list_id": list_id, **{key: row[key] for key in _ROW}, "band": row["band"] or None} for row in rows]
        if kept:
            connection.execute(sa.insert(schema.list_rows), kept)
        return revision


def latest_list(engine: sa.Engine, *, deployment: str, as_of: date) -> IssuedList | None:
    """The last revision of a day's list; ``None`` where none was issued for that day."""
    lists = schema.lists
    with engine.connect() as connection:
        head = _latest(connection, (lists.c.deployment == deployment) & (lists.c.as_of == as_of))
        if head is None:
            return None
        also = tuple((model, version) for model, version in head["also"] or ())
        return IssuedList(**{**head, "also": also}, rows=_rows(connection, list_id=head["list_id"]))


def previous_risks(
    engine: sa.Engine,
    *,
    deployment: str,
    before: date,
    model: str,
    model_version: str,
    issued_before: int | None = None,
) -> dict[str, float]:
    """Risk by customer on the last list of an earlier day (its last revision) by the same version; else empty.

    Risks of another model or version are not comparable: a change of the model must not look like one of the customer.
    ``issued_before`` leaves out lists from this ``list_id`` on, to make an old list again as it was made.
    Customers whom a baseline listed have no risk and are left out.
    """
    lists = schema.lists
    same = (lists.c.deployment == deployment) & (lists.c.model == model) & (lists.c.model_version == model_version)
    if issued_before is not None:
        same &= lists.c.list_id < issued_before
    with engine.connect() as connection:
        head = _latest(connection, same & (lists.c.as_of < before))
        if head is None:
            return {}
        rows = _rows(connection, list_id=head["list_id"])
        return {row["customer_id"]: row["risk"] for row in rows if row["risk"] is not None}


def previously_by(engine: sa.Engine, *, deployment: str, before: date, issued_before: int | None = None) -> str | None:
    """What ranked the last list of an earlier day, ``model`` or ``baseline:NAME``; ``None`` where there was none.

    ``issued_before`` as in ``previous_risks``.
    """
    lists = schema.lists
    same = (lists.c.deployment == deployment) & (lists.c.as_of < before)
    if issued_before is not None:
        same &= lists.c.list_id < issued_before
    with engine.connect() as connection:
        head = _latest(connection, same)
    if head is None:
        return None
    return f"baseline:{head['baseline']}" if head["baseline"] else "model"


def _latest(connection: sa.Connection, which: sa.ColumnElement[bool]) -> sa.RowMapping | None:
    lists = schema.lists
    query = sa.select(lists).where(which).order_by(lists.c.as_of.desc(), lists.c.revision.desc()).limit(1)
    return connection.execute(query).mappings().one_or_none()


def _rows(connection: sa.Connection, *, list_id: int) -> tuple[Mapping[str, Any], ...]:
    rows = schema.list_rows
    query = sa.select(*(rows.c[name] for name in _ROW)).where(rows.c.list_id == list_id)
    ordered = query.order_by(rows.c.rank, rows.c.owner, rows.c.customer_id)
    found = connection.execute(ordered).mappings()
    return tuple({**row, "reasons": tuple(row["reasons"])} for row in found)
