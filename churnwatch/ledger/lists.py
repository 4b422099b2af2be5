"""Lists issued: who was named to whom, on which day, in which revision."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from churnwatch.ledger import schema
from churnwatch.ledger.audit import enter
from churnwatch.ledger.holdout import Assigned, insert_assigned
from churnwatch.ledger.opening import writing

_ROW = tuple(column.name for column in schema.list_rows.columns if column.name != "list_id")
# What rows have since schema 0003; a caller that knows nothing of it leaves it out.
_LATER = frozenset(
    """proactive account_owner handed back_early action_name action_minutes signs worth counterfactual""".split()
)


@dataclass(frozen=True)
class Seen:
    """What a list knew when it was made: outcomes and vetoes up to these numbers, 0 where there were none."""

    outcome_id: int
    veto_id: int


@dataclass(frozen=True, kw_only=True)
class PastRow:
    """A row of an earlier day's list, as far as later lists ask for it.

    ``risk``, ``band`` and ``signs`` are by the listing model in every row, also in one that a further model lists, and
    ``model_version`` is the version of it; risk, band and version are ``None`` where a baseline ranked. ``signs``,
    ``action_name`` and ``proactive`` are empty in lists of schemas before 0003.
    """

    list_id: int
    as_of: date
    customer_id: str
    owner: str
    risk: float | None
    band: str | None
    signs: tuple[str, ...]
    listed_for: str
    model_version: str | None
    action_name: str
    proactive: str


@dataclass(frozen=True)
class IssuedList:
    """One revision of one day's list.

    ``files`` maps each published file to its sha256 and size. ``rows`` are by rank, each with customer_id,
    rank, owner, risk, band, change, rising_since, value_at_risk, reasons, last_contact, last_survey, action,
    due, listed_for, also_model, also_risk, also_band, also_change, expected_score, expected_change, proactive,
    account_owner, handed, back_early, action_name, action_minutes, signs, worth, counterfactual; risk and band
    are ``None`` where a baseline ranked, also_* and expected_* where no further model spoke, listed_for in lists of
    schema 0001, all from proactive on in lists before 0003 (signs then is empty).
    ``also`` holds the further models asked with their versions, in their order; no version: it had no champion.
    ``seen`` is ``None`` in lists before 0003.
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
    seen: Seen | None = None


def seen_now(engine: sa.Engine, deployment: str) -> Seen:
    """The last outcome and the last veto there are; 0 where there is none."""
    outcomes, vetoes = schema.outcomes, schema.vetoes
    with engine.connect() as connection:
        found = (
            connection.execute(sa.select(sa.func.max(number)).where(table.c.deployment == deployment)).scalar()
            for table, number in ((outcomes, outcomes.c.outcome_id), (vetoes, vetoes.c.veto_id))
        )
        return Seen(*(last or 0 for last in found))


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
    assigned: Sequence[Assigned] = (),
    seen: Seen | None = None,
    publish: Callable[[], object] | None = None,
) -> int:
    """Keep a list with all its rows, or nothing of it; returns the revision, 1 for a day's first list.

    ``rows`` are mappings with the keys of ``IssuedList.rows``, those from proactive on where they are known; other keys
    are left out, so that names and steps, which the customers table and the playbook hold, are not kept twice. A list
    without rows is a fact too. ``assigned`` are the arms of the holdout that this list decided, ``seen`` what it knew.
    Raises ``KeyError`` where a row lacks a key, SQLAlchemy's ``IntegrityError`` where one breaks the schema or an arm
    was decided before.

    ``publish`` is called last, when the database has taken everything: a list it refuses is not published, one whose
    publication raises is not kept. Only who is killed between the two leaves one published that is not kept.
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
                seen_outcome=seen.outcome_id if seen else None,
                seen_veto=seen.veto_id if seen else None,
            )
            .returning(lists.c.list_id)
        ).scalar_one()
        if rows:
            connection.execute(sa.insert(schema.list_rows), [{"list_id": list_id, **_kept(row)} for row in rows])
        insert_assigned(connection, list_id=list_id, deployment=deployment, assigned=assigned)
        enter(connection, "list", list_id)
        if publish is not None:
            publish()
        return revision


def latest_list(engine: sa.Engine, *, deployment: str, as_of: date, revision: int | None = None) -> IssuedList | None:
    """The last revision of a day's list, or the one asked for; ``None`` where there is none."""
    lists = schema.lists
    which = (lists.c.deployment == deployment) & (lists.c.as_of == as_of)
    if revision is not None:
        which &= lists.c.revision == revision
    return _issued(engine, which)


def list_of(engine: sa.Engine, *, list_id: int) -> IssuedList:
    """The list of that number; ``LookupError`` where there is none."""
    found = _issued(engine, schema.lists.c.list_id == list_id)
    if found is None:
        raise LookupError(f"there is no list {list_id}")
    return found


def lists_so_far(engine: sa.Engine, *, deployment: str) -> tuple[tuple[int, date, int], ...]:
    """(list_id, as_of, revision) of every list issued, in the order they were."""
    lists = schema.lists
    query = sa.select(lists.c.list_id, lists.c.as_of, lists.c.revision).where(lists.c.deployment == deployment)
    with engine.connect() as connection:
        return tuple((row[0], row[1], row[2]) for row in connection.execute(query.order_by(lists.c.list_id)))


def _issued(engine: sa.Engine, which: sa.ColumnElement[bool]) -> IssuedList | None:
    with engine.connect() as connection:
        head = _latest(connection, which)
        if head is None:
            return None
        rows = _rows(connection, list_id=head["list_id"])
    facts = dict(head)
    outcome, veto = facts.pop("seen_outcome"), facts.pop("seen_veto")
    facts["also"] = tuple((model, version) for model, version in head["also"] or ())
    return IssuedList(**facts, rows=rows, seen=None if outcome is None else Seen(outcome, veto))


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


def past_rows(
    engine: sa.Engine, *, deployment: str, before: date, since: date, issued_before: int | None = None
) -> tuple[PastRow, ...]:
    """The rows of the last revision of each day in [since, before), by day, rank and customer.

    ``issued_before`` as in ``previous_risks``: of lists before this ``list_id``, what was the last revision then.
    """
    lists, rows = schema.lists, schema.list_rows
    same = (lists.c.deployment == deployment) & (lists.c.as_of >= since) & (lists.c.as_of < before)
    if issued_before is not None:
        same &= lists.c.list_id < issued_before
    # A later revision of a day has a greater number.
    last = sa.select(sa.func.max(lists.c.list_id)).where(same).group_by(lists.c.as_of)
    asked = ("list_id", "customer_id", "owner", "risk", "band", "signs", "listed_for", "action_name", "proactive")
    query = (
        sa.select(lists.c.as_of, lists.c.model_version, *(rows.c[name] for name in asked))
        .join(rows, rows.c.list_id == lists.c.list_id)
        .where(lists.c.list_id.in_(last))
        .order_by(lists.c.as_of, rows.c.rank)
    )
    with engine.connect() as connection:
        found = connection.execute(query).mappings().all()
    return tuple(
        PastRow(
            **{name: row[name] for name in ("list_id", "as_of", "customer_id", "owner", "risk", "band")},
            signs=tuple(row["signs"] or ()),
            listed_for=row["listed_for"] or "",
            model_version=row["model_version"],
            action_name=row["action_name"] or "",
            proactive=row["proactive"] or "",
        )
        for row in found
    )


def rows_of_customer(engine: sa.Engine, *, deployment: str, customer_id: str) -> tuple[Mapping[str, Any], ...]:
    """Every row that ever named a customer, oldest day first, then by revision.

    Each has the keys of ``IssuedList.rows`` and those of its list: list_id, as_of, revision, model, model_version,
    baseline; ``latest`` (bool) says that no later revision of that day took its place.
    """
    lists, rows = schema.lists, schema.list_rows
    later = lists.alias()
    same_day = (later.c.deployment == lists.c.deployment) & (later.c.as_of == lists.c.as_of)
    latest = ~sa.exists().where(same_day, later.c.revision > lists.c.revision)
    of_list = ("list_id", "as_of", "revision", "model", "model_version", "baseline")
    query = (
        sa.select(*(lists.c[name] for name in of_list), latest.label("latest"), *(rows.c[name] for name in _ROW))
        .join(rows, rows.c.list_id == lists.c.list_id)
        .where(lists.c.deployment == deployment, rows.c.customer_id == customer_id)
        .order_by(lists.c.as_of, lists.c.revision)
    )
    with engine.connect() as connection:
        found = connection.execute(query).mappings()
        return tuple({**_as_said(row), "latest": bool(row["latest"])} for row in found)


def _kept(row: Mapping[str, Any]) -> dict[str, Any]:
    values = {key: row.get(key) if key in _LATER else row[key] for key in _ROW}
    return {**values, "band": row["band"] or None, "signs": list(row.get("signs") or ())}


def _as_said(row: sa.RowMapping) -> dict[str, Any]:
    return {**row, "reasons": tuple(row["reasons"]), "signs": tuple(row["signs"] or ())}


def _latest(connection: sa.Connection, which: sa.ColumnElement[bool]) -> sa.RowMapping | None:
    lists = schema.lists
    query = sa.select(lists).where(which).order_by(lists.c.as_of.desc(), lists.c.revision.desc()).limit(1)
    return connection.execute(query).mappings().one_or_none()


def _rows(connection: sa.Connection, *, list_id: int) -> tuple[Mapping[str, Any], ...]:
    rows = schema.list_rows
    query = sa.select(*(rows.c[name] for name in _ROW)).where(rows.c.list_id == list_id)
    ordered = query.order_by(rows.c.rank, rows.c.owner, rows.c.customer_id)
    found = connection.execute(ordered).mappings()
    return tuple(_as_said(row) for row in found)
