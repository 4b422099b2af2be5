"""Open a ledger: make it, bring its schema up to date, or say why not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, DatabaseError, DBAPIError, NoSuchModuleError, OperationalError
from sqlalchemy.pool import NullPool

from churnwatch.errors import DeliveryFailed, ProjectError
from churnwatch.ledger.schema import REVISIONS, VERSION_TABLE, metadata

# Keys in order, so that equal facts are equal text; NaN is no JSON and PostgreSQL would refuse it anyway.
_to_json = partial(json.dumps, sort_keys=True, ensure_ascii=False, allow_nan=False)


REFUSED = ("25006", "42501", "42P01")
"""PostgreSQL's own words for it: a database only to be read, without the right, without the table."""


def open_ledger(url_or_path: str | Path) -> sa.Engine:
    """The ledger at a path (SQLite, made when it is not there) or a database URL, its schema current.

    Raises ``ProjectError``: the schema is newer than this program, the file is no SQLite database or cannot
    be opened, the database holds other tables by the ledger's names, the URL or its driver is unknown.
    """
    url, where = located(url_or_path)
    if url.get_backend_name() == "sqlite" and url.database:
        try:
            Path(url.database).parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ProjectError(f"the ledger cannot be opened: {error.strerror}", where=where) from None
    engine = connect(url, where=where)
    try:
        with engine.connect() as connection:
            current = revision(connection, where=where)
        if current != REVISIONS[-1]:
            _upgrade(engine, where=where)
    except DBAPIError as error:
        raise unopened(error, engine, where=where) from None
    return engine


def is_ledger(url_or_path: str | Path) -> bool:
    """Whether a ledger was made there yet, of whatever schema; nothing is made. Raises as ``open_ledger``."""
    url, where = located(url_or_path)
    if url.get_backend_name() == "sqlite" and url.database:
        return Path(url.database).exists()
    engine = connect(url, where=where)
    try:
        with engine.connect() as connection:
            return sa.inspect(connection).has_table(VERSION_TABLE)
    except DBAPIError as error:
        raise unopened(error, engine, where=where) from None


@contextmanager
def writing(engine: sa.Engine) -> Iterator[sa.Connection]:
    """One transaction that holds the right to write from its start: all of it is kept, or none."""
    with engine.execution_options(writes=True).begin() as connection:
        if engine.dialect.name == "postgresql":
            # What BEGIN IMMEDIATE is to SQLite: a revision is read, then written; two must not read the same.
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext('churnwatch.ledger'))"))
        yield connection


@contextmanager
def reading(engine: sa.Engine) -> Iterator[sa.Connection]:
    """One state of the whole ledger, however long the reading takes."""
    with engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield connection


@contextmanager
def served(engine: sa.Engine) -> Iterator[None]:
    """Where the database refuses what is asked of it inside, one message: ``DeliveryFailed``.

    Refused is what has nothing to do with the facts: it may not be written, is full, locked, damaged or not reached,
    a table is gone. What breaks the schema is a mistake of the program and stays what it is.
    """
    try:
        yield
    except DBAPIError as error:
        on_file = engine.dialect.name == "sqlite"
        # Of a damaged file SQLite's driver says nothing closer; PostgreSQL's triggers speak by that class.
        damaged = on_file and type(error) is DatabaseError
        refused = isinstance(error, OperationalError) or getattr(error.orig, "sqlstate", None) in REFUSED
        if not (damaged or refused):
            raise
        raise DeliveryFailed(
            f"the ledger refused: {str(error.orig).splitlines()[0]}",
            where=str(engine.url.database) if on_file else engine.url.render_as_string(),
            hint="make room, set the rights or end what holds it, then run again; `churnwatch audit verify` looks "
            "whether the ledger is whole",
        ) from None


def unopened(error: DBAPIError, engine: sa.Engine, *, where: str) -> ProjectError:
    """What to say where a database refuses."""
    hint = ""
    if engine.dialect.name == "postgresql":
        hint = (
            "look whether the server is up; the URL stands in deployment.yaml or CHURNWATCH_LEDGER, the password in "
            "PGPASSWORD or ~/.pgpass"
        )
    return ProjectError(f"the ledger cannot be opened: {error.orig}", where=where, hint=hint)


def located(url_or_path: str | Path) -> tuple[sa.URL, str]:
    """The URL, and how messages name it: without its password."""
    text = str(url_or_path)
    if "://" not in text:
        return sa.URL.create("sqlite", database=text), text
    url = _parse(text)
    return url, url.render_as_string(hide_password=True)


def _parse(text: str) -> sa.URL:
    try:
        url = sa.make_url(text)
    except ArgumentError:
        raise ProjectError(
            "the ledger's URL cannot be read",
            allowed="a path, sqlite:///PATH or postgresql://USER@HOST/DATABASE",
        ) from None
    if url.get_backend_name() not in ("sqlite", "postgresql"):
        raise ProjectError(
            f"the ledger cannot live in {url.get_backend_name()}",
            allowed="SQLite by path, or PostgreSQL by URL",
        )
    if url.drivername == "postgresql":
        # The driver of the extra `postgres`; SQLAlchemy 2.0 would look for another one.
        url = url.set(drivername="postgresql+psycopg")
    return url


def connect(url: sa.URL, *, where: str) -> sa.Engine:
    """An engine as the ledger wants it; raises ``ProjectError`` where the driver is not there."""
    # No pool: a run writes a few times, and no connection outlives its use.
    options: dict[str, Any] = {"poolclass": NullPool, "json_serializer": _to_json}
    if url.get_backend_name() == "sqlite":
        engine = sa.create_engine(url, connect_args={"timeout": 30}, **options)
        sa.event.listen(engine, "connect", _prepare_sqlite)
        sa.event.listen(engine, "begin", _begin_sqlite)
        return engine
    if "connect_timeout" not in url.query:
        # libpq waits for minutes by itself.
        options["connect_args"] = {"connect_timeout": 10}
    try:
        return sa.create_engine(url, **options)
    except (ModuleNotFoundError, NoSuchModuleError) as error:
        raise ProjectError(
            f"the driver for PostgreSQL is not there: {error}",
            where=where,
            hint="pip install 'churnwatch[postgres]'",
        ) from None


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # The driver's own BEGINs come late and end at DDL; ours are explicit, so that DDL is transactional too.
    connection.isolation_level = None
    for pragma in (
        "journal_mode = DELETE",  # WAL can corrupt in the SQLite versions in use (3.7.0-3.51.2)
        "synchronous = FULL",
        "foreign_keys = ON",
        "recursive_triggers = ON",  # otherwise INSERT OR REPLACE deletes without asking the triggers
    ):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin_sqlite(connection: sa.Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def revision(connection: sa.Connection, *, where: str) -> str | None:
    """The schema's revision; ``None`` in a database without a ledger."""
    inspector = sa.inspect(connection)
    if not inspector.has_table(VERSION_TABLE):
        for name in metadata.tables:
            if inspector.has_table(name):
                raise ProjectError(
                    f"this database has a table `{name}` of another program",
                    where=where,
                    hint="give the ledger a file or a database of its own",
                )
        return None
    found: str | None = connection.execute(sa.text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()
    if found is None and any(inspector.has_table(name) for name in metadata.tables):
        raise ProjectError(
            f"the ledger does not say its schema: its table {VERSION_TABLE} is empty",
            where=where,
            hint="somebody has emptied it; move the ledger away and put a backup in its place "
            "(`churnwatch ledger restore`)",
        )
    if found is not None and found not in REVISIONS:
        raise ProjectError(
            f"the ledger's schema is {found}, newer than this program",
            where=where,
            allowed=f"schemas up to {REVISIONS[-1]}",
            hint="use the churnwatch that wrote it last, or a later one; nothing was changed",
        )
    return found


def _upgrade(engine: sa.Engine, *, where: str) -> None:
    with writing(engine) as connection:
        # Asked again under the lock: another process may have been here first.
        if revision(connection, where=where) != REVISIONS[-1]:
            migrate(connection)


def migrate(connection: sa.Connection) -> None:
    """Bring the schema up to date, in the transaction of a connection that holds the right to write."""
    # Alembic costs about half a second to load; a current ledger never pays it.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "churnwatch.ledger:migrations")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
