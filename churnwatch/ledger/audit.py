"""The audit chain: every fact enters it as it is written, so that what was changed afterwards is found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from churnwatch.errors import UsageError
from churnwatch.ledger import schema
from churnwatch.ledger.chain import START, Kind, link, texts
from churnwatch.ledger.opening import reading
from churnwatch.ledger.triggers import missing

KINDS = {
    "run": Kind("runs", "run_id", "finished_at"),
    "list": Kind("lists", "list_id", "issued_at", parts=("list_rows", "assignments")),
    "outcome": Kind("outcomes", "outcome_id", "known_at"),
    "veto": Kind("vetoes", "veto_id", "at"),
    "promotion": Kind("promotions", "promotion_id", "moved_at"),
}
"""Every kind of fact; a run is one once it has ended."""

BLOCK = 500
"""Facts read at once: bounds what a verification holds."""


@dataclass(frozen=True)
class Break:
    """Where the chain does not hold: the entry, the fact it is about, and in words what is wrong.

    ``entry`` is ``None`` for a fact that never entered, ``kind`` and ``number`` where the entry itself is not there.
    """

    entry: int | None
    kind: str | None
    number: int | None
    found: str


@dataclass(frozen=True)
class Chain:
    """What a verification found: how many entries, the last one's hash, and the first break, if any.

    ``head`` is ``ENTRY:HASH`` of the last entry that holds; noted down elsewhere, it proves later that nothing up to it
    was changed or cut off.
    """

    entries: int
    head: str
    first_bad: Break | None

    @property
    def ok(self) -> bool:
        """Whether every entry holds and every fact has one."""
        return self.first_bad is None


def enter(connection: sa.Connection, kind: str, number: int) -> None:
    """Bind the fact just written, as the database keeps it, to the end of the chain, in the same transaction.

    The connection must hold the right to write (``writing``): two may not take the same place.
    """
    audit = schema.audit
    last = connection.execute(
        sa.select(audit.c.entry, audit.c.hash).order_by(audit.c.entry.desc()).limit(1)
    ).one_or_none()
    before, previous = (last.entry, last.hash) if last else (0, START)
    at, fact = texts(connection, KINDS[kind], [number], tables=schema.metadata.tables)[number]
    connection.execute(
        sa.insert(audit).values(
            entry=before + 1,
            kind=kind,
            number=number,
            at=at,
            hash=link(previous, entry=before + 1, kind=kind, at=at, fact=fact),
        )
    )


def chain_head(engine: sa.Engine) -> str:
    """``ENTRY:HASH`` of the last entry as it stands, unverified; ``0:`` and zeros where there is none."""
    audit = schema.audit
    with engine.connect() as connection:
        last = connection.execute(
            sa.select(audit.c.entry, audit.c.hash).order_by(audit.c.entry.desc()).limit(1)
        ).one_or_none()
    return f"{last.entry}:{last.hash}" if last else f"0:{START}"


def verify_chain(engine: sa.Engine, *, noted: str | None = None) -> Chain:
    """Compute the whole chain again from the facts themselves, and find the first place where it does not hold.

    Found are facts that were changed, taken out or put in, and entries that were; and, where all of them hold, triggers
    that no longer keep the tables append-only. Who can rewrite the database can also
    rewrite the whole chain: ``noted``, a ``head`` written down earlier, must be found in it. All of it is read in
    blocks, in one transaction.
    """
    wanted = _parsed(noted)
    with reading(engine) as connection:
        try:
            return _verified(connection, *wanted)
        except DBAPIError as error:
            # What the tables of facts refuse is caught where they are asked.
            _raise_where_lost(error)
            return Chain(0, f"0:{START}", Break(None, None, None, "the table audit cannot be read any more"))


def _verified(connection: sa.Connection, wanted: int, wanted_hash: str) -> Chain:
    previous, last = START, 0
    for entries in _blocks(connection):
        facts = {
            (kind, number): told
            for kind in {entry.kind for entry in entries} & KINDS.keys()
            for number, told in _told(
                connection, kind, [entry.number for entry in entries if entry.kind == kind]
            ).items()
        }
        for entry in entries:
            bad = _broken(entry, facts.get((entry.kind, entry.number)), previous=previous, expected=last + 1)
            if bad is None and entry.entry == wanted and entry.hash != wanted_hash:
                bad = _at(entry, "is not the entry that was noted down")
            if bad is not None:
                return Chain(_count(connection), f"{last}:{previous}", bad)
            previous, last = entry.hash, entry.entry
    head = f"{last}:{previous}"
    if wanted > last:
        return Chain(last, head, Break(last + 1, None, None, f"the chain ends before entry {wanted}, which was noted"))
    return Chain(last, head, _unentered(connection) or _unguarded(connection))


def _told(connection: sa.Connection, kind: str, numbers: Sequence[int]) -> dict[int, tuple[Any, str]]:
    """The facts by number as ``texts`` has them; one that cannot be read any more is none, and so is found."""
    try:
        # To PostgreSQL a refusal ends the transaction, unless it is within one of its own.
        with connection.begin_nested():
            return texts(connection, KINDS[kind], numbers, tables=schema.metadata.tables)
    except (ValueError, TypeError):
        if len(numbers) == 1:
            return {}
    except DBAPIError as error:
        # The table itself is gone, or is another one: then every fact of it is.
        _raise_where_lost(error)
        return {}
    return {number: told for one in numbers for number, told in _told(connection, kind, [one]).items()}


def _blocks(connection: sa.Connection) -> Iterator[Sequence[Any]]:
    audit = schema.audit
    last = None
    while True:
        query = sa.select(audit).order_by(audit.c.entry).limit(BLOCK)
        entries = connection.execute(query if last is None else query.where(audit.c.entry > last)).all()
        if not entries:
            return
        yield entries
        last = entries[-1].entry


def _broken(entry: Any, told: tuple[Any, str] | None, *, previous: str, expected: int) -> Break | None:
    if entry.entry != expected:
        return Break(expected, None, None, "the entry is not there")
    if told is None:
        return _at(entry, "is not there any more")
    if link(previous, entry=entry.entry, kind=entry.kind, at=entry.at, fact=told[1]) != entry.hash:
        return _at(entry, "is not what was entered")
    return None


def _at(entry: Any, found: str) -> Break:
    return Break(entry.entry, entry.kind, entry.number, found)


def _unentered(connection: sa.Connection) -> Break | None:
    """A fact that is in no entry: put in past the program, or its entry was cut off."""
    for name, kind in KINDS.items():
        # Without foreign keys, which SQLite can be told to forget, parts may be of a fact that is not there at all.
        for table in (kind.table, *kind.parts):
            try:
                with connection.begin_nested():
                    found = _stray(connection, name, kind, schema.metadata.tables[table])
            except DBAPIError as error:
                _raise_where_lost(error)
                return Break(None, name, None, f"the table {table} cannot be read any more")
            if found is not None:
                told = "" if table == kind.table else f"has rows in {table}, but "
                return Break(None, name, found, f"{told}never entered the chain")
    return None


def _stray(connection: sa.Connection, name: str, kind: Kind, table: sa.Table) -> int | None:
    """The first number in a table that no entry of that kind has."""
    audit = schema.audit
    number = table.c[kind.number]
    entered = sa.exists().where(audit.c.kind == name, audit.c.number == number)
    query = sa.select(number).where(~entered).order_by(number).limit(1)
    if table.name == kind.table:
        query = query.where(table.c[kind.at].is_not(None))
    found: int | None = connection.execute(query).scalar()
    return found


def _unguarded(connection: sa.Connection) -> Break | None:
    """Triggers that are gone, so that rows may be changed by whoever can write."""
    gone = missing(connection)
    if not gone:
        return None
    return Break(
        None, None, None, f"the database no longer refuses every change; triggers gone or changed: {', '.join(gone)}"
    )


def _raise_where_lost(error: DBAPIError) -> None:
    # A server that has gone says nothing of what it holds.
    if error.connection_invalidated:
        raise error


def _count(connection: sa.Connection) -> int:
    return connection.execute(sa.select(sa.func.count()).select_from(schema.audit)).scalar_one()


def _parsed(noted: str | None) -> tuple[int, str]:
    if noted is None:
        return 0, START
    entry, _, digest = noted.partition(":")
    if not entry.isascii() or not entry.isdigit() or len(digest) != len(START):
        raise UsageError(
            f"`{noted}` is no head of a chain",
            allowed="ENTRY:HASH, as `churnwatch audit verify` prints it",
            hint="copy the whole of it",
        )
    return int(entry), digest.lower()
