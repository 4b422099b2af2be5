"""A ledger in one file, and back: the portable form is a SQLite ledger, whatever database it came from or goes to."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from churnwatch.errors import CheckFailed, DeliveryFailed, ProjectError, UsageError
from churnwatch.ledger.audit import Chain, verify_chain
from churnwatch.ledger.opening import connect, located, migrate, open_ledger, reading, revision, unopened, writing
from churnwatch.ledger.schema import REVISIONS, VERSION_TABLE, metadata
from churnwatch.ledger.triggers import put_back

BLOCK = 1000
"""Rows copied at once: bounds what a backup holds."""


@dataclass(frozen=True)
class Restored:
    """What a restore put in place: the chain it verified, and where the ledger from before is kept, if it had facts."""

    chain: Chain
    aside: Path | None


def back_up(engine: sa.Engine, file: Path) -> Chain:
    """Write the whole ledger, every deployment in it, into a new file, as it stands at one moment.

    The file appears whole or not at all. The chain is computed again from what was written; a ledger that does not hold
    is written all the same, as evidence, and the chain says so. Raises ``UsageError`` where there is such a file,
    ``DeliveryFailed`` where it cannot be written.
    """
    if file.exists():
        raise UsageError("there is such a file already", where=str(file), hint="name another; nothing was written")
    with _written(file) as part:
        if engine.dialect.name == "sqlite":
            with closing(engine.raw_connection()) as source, closing(sqlite3.connect(part)) as target:
                source.driver_connection.backup(target)  # type: ignore[union-attr]
        else:
            with reading(engine) as source_tables:
                _copy_into(source_tables, part)
        with _opened(part) as copy:
            chain = verify_chain(copy)
    return chain


def restore(
    file: Path, url_or_path: str | Path, *, deployment: str, replace: bool, beside: Path, at: datetime
) -> Restored:
    """Put the ledger of a backup in place of the one at ``url_or_path``; nothing is touched before all is checked.

    A ledger in place that holds facts goes, with ``replace``, into ``ledger-before-AT.db``: beside it where it is a
    file, else in the directory ``beside``. Raises ``UsageError`` where it holds facts and ``replace`` is not set, or
    where the backup knows other deployments but not this one; ``ProjectError`` where the file is no ledger, or either
    ledger is of a newer schema; ``CheckFailed`` where the backup's facts are not what was written.
    """
    url, where = located(url_or_path)
    on_file = url.get_backend_name() == "sqlite"
    directory = Path(str(url.database)).parent if on_file else beside
    aside = directory / f"ledger-before-{at.astimezone(UTC):%Y%m%dT%H%M%S.%fZ}.db"
    work = directory / f".{aside.name}.restored"
    try:
        _taken(file, work)
        with _opened(work) as copy:
            _known(copy, deployment, where=str(file))
            with writing(copy) as connection:
                # Copied without them from a ledger that had lost them; PostgreSQL's are made anew.
                put_back(connection)
            chain = verify_chain(copy)
        if not chain.ok:
            raise CheckFailed(
                "the backup is not what was written: its chain is broken",
                where=str(file),
                hint="restore another backup; nothing was changed",
            )
        holds = _holds_facts(url, where=where)
        if holds and not replace:
            raise UsageError(
                "the ledger in place is not empty",
                where=where,
                hint="--replace puts the backup in its place and keeps what is there in a file beside it",
            )
        if holds and aside.exists():
            raise _unwritten(FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST)), aside)
        put = _put_file if on_file else _put_tables
        put(work, url, where=where, aside=aside, holds=holds)
    finally:
        _gone(work)
    return Restored(chain, aside if holds else None)


def _taken(file: Path, work: Path) -> None:
    """Copy a backup, whatever its schema, and bring the copy up to date."""
    if not file.is_file():
        raise UsageError("there is no such file", where=str(file), hint="name a file that `ledger backup` wrote")
    no_ledger = ProjectError("this is no backup of a ledger", where=str(file), hint="`ledger backup` writes one")
    work.parent.mkdir(parents=True, exist_ok=True)
    _gone(work)
    try:
        held = sqlite3.connect(f"file:{quote(str(file.resolve()))}?mode=ro", uri=True)
        with closing(held) as source, closing(sqlite3.connect(work)) as target:
            source.backup(target)
            [(sound, *_), *_] = target.execute("PRAGMA integrity_check").fetchall()
            tables = {name for (name,) in target.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    except sqlite3.DatabaseError:
        raise no_ledger from None
    if sound != "ok":
        raise CheckFailed("the backup is damaged", where=str(file), hint="restore another; nothing was changed")
    if VERSION_TABLE not in tables:
        raise no_ledger
    engine = connect(sa.URL.create("sqlite", database=str(work)), where=str(file))
    with engine.connect() as connection:
        revision(connection, where=str(file))
    engine.dispose()


def _known(copy: sa.Engine, deployment: str, *, where: str) -> None:
    runs = metadata.tables["runs"]
    with copy.connect() as connection:
        found = set(connection.execute(sa.select(runs.c.deployment).distinct()).scalars())
    if found and deployment not in found:
        raise UsageError(
            f"the backup knows nothing of the deployment {deployment}",
            where=where,
            allowed=f"--deployment {' or '.join(sorted(found))}",
            hint="look whether this is the right file; nothing was changed",
        )


def _put_file(work: Path, url: sa.URL, *, where: str, aside: Path, holds: bool) -> None:  # noqa: ARG001 (as below)
    path = Path(str(url.database))
    try:
        if holds:
            # Both names show the old file until the rename shows the new one: at no moment is there none.
            os.link(path, aside)
        journal = Path(f"{path}-journal")
        if journal.exists():
            # Left of a write into the old file, which SQLite would take back from the new one.
            journal.rename(f"{aside}-journal")
        _synced(work)
        work.replace(path)
        _synced(path.parent)
    except OSError as error:
        raise _unwritten(error, path) from None


def _put_tables(work: Path, url: sa.URL, *, where: str, aside: Path, holds: bool) -> None:
    engine = connect(url, where=where)
    try:
        with _opened(work) as copy, reading(copy) as source, writing(engine) as connection:
            if holds:
                if revision(connection, where=where) != REVISIONS[-1]:
                    migrate(connection)
                with _written(aside) as part:
                    _copy_into(connection, part)
            # All in one transaction: who reads meanwhile waits, and finds the new ledger whole or the old one.
            for name in (*metadata.tables, VERSION_TABLE):
                connection.execute(sa.text(f"DROP TABLE IF EXISTS {name} CASCADE"))
            connection.execute(sa.text("DROP FUNCTION IF EXISTS ledger_append_only"))
            migrate(connection)
            _copy_tables(source, connection)
            for table in metadata.tables.values():
                _count_on(connection, table)
    except DBAPIError as error:
        raise unopened(error, engine, where=where) from None


def _holds_facts(url: sa.URL, *, where: str) -> bool:
    """Whether a ledger has any row; so is said of a SQLite file that cannot be read, as nobody can tell."""
    if url.get_backend_name() == "sqlite" and not Path(str(url.database)).exists():
        return False
    engine = connect(url, where=where)
    try:
        with engine.connect() as connection:
            if revision(connection, where=where) is None:
                return False
            found = sa.inspect(connection)
            return any(
                connection.execute(sa.select(sa.func.count()).select_from(sa.table(name))).scalar_one()
                for name in metadata.tables
                if found.has_table(name)
            )
    except DBAPIError as error:
        if url.get_backend_name() == "sqlite":
            return True
        raise unopened(error, engine, where=where) from None


def _copy_into(source: sa.Connection, part: Path) -> None:
    with _opened(part) as target, writing(target) as connection:
        _copy_tables(source, connection)


def _copy_tables(source: sa.Connection, target: sa.Connection) -> None:
    """Every row with its numbers, in the order in which rows may refer to others."""
    for table in metadata.sorted_tables:
        query = sa.select(table).order_by(*table.primary_key)
        rows = source.execute(query, execution_options={"yield_per": BLOCK})
        for block in rows.mappings().partitions():
            target.execute(sa.insert(table), [dict(row) for row in block])


def _count_on(connection: sa.Connection, table: sa.Table) -> None:
    """Let PostgreSQL number the next row after the last one copied."""
    number = table.autoincrement_column
    if number is None:
        return
    last = connection.execute(sa.select(sa.func.max(number))).scalar()
    if last is not None:
        sequence = sa.func.pg_get_serial_sequence(table.name, number.name)
        connection.execute(sa.select(sa.func.setval(sequence, last)))


@contextmanager
def _opened(path: Path) -> Iterator[sa.Engine]:
    engine = open_ledger(path)
    try:
        yield engine
    finally:
        engine.dispose()


@contextmanager
def _written(file: Path) -> Iterator[Path]:
    """A name to write under; when all is well it becomes ``file``, else nothing is left."""
    part = file.with_name(f".{file.name}.part")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        _gone(part)
    except OSError as error:
        raise _unwritten(error, file) from None
    try:
        yield part
        _synced(part)
        part.rename(file)
        _synced(file.parent)
    except (OSError, sqlite3.Error) as error:
        raise _unwritten(error, file) from None
    except DBAPIError as error:
        # The file's own, or that of the database it is copied from.
        if isinstance(error.orig, sqlite3.Error):
            raise _unwritten(error.orig, file) from None
        raise
    finally:
        _gone(part)


def _gone(path: Path) -> None:
    for one in (path, Path(f"{path}-journal")):
        one.unlink(missing_ok=True)


def _synced(path: Path) -> None:
    held = os.open(path, os.O_RDONLY)
    try:
        os.fsync(held)
    finally:
        os.close(held)


def _unwritten(error: Exception, path: Path) -> DeliveryFailed:
    said = getattr(error, "strerror", None) or error
    return DeliveryFailed(
        f"could not be written: {said}", where=str(path), hint="make room or set the rights; nothing was changed"
    )
