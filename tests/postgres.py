"""A PostgreSQL server for the tests: in a temporary directory, reached by a socket there, gone with whom it serves.

``python tests/postgres.py`` starts one to try things on and prints how to reach it; Ctrl-C ends it.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from filelock import FileLock

MISSING = "PostgreSQL's server is not installed (Debian: apt-get install postgresql)"
SETTINGS = {
    "listen_addresses": "",
    # Nothing here outlives a crash, nor has to.
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "32MB",
    "max_connections": "60",
}
# The watcher: when the process it is told of has gone, the server and its directory go too, however that one ended.
WATCH = """(
while kill -0 "$1" 2>/dev/null; do sleep 0.5; done
read server < "$2/data/postmaster.pid"
kill -QUIT "$server"
while kill -0 "$server" 2>/dev/null; do sleep 0.1; done
rm -rf "$2"
) &"""


def programs() -> Path | None:
    """The directory of ``initdb`` and ``pg_ctl``, the newest there is; Debian keeps them off the path."""
    found = shutil.which("initdb")
    if found:
        return Path(found).resolve().parent
    kept = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    return kept[-1].parent if kept else None


def serve(shared: Path, *, until: int) -> str:
    """The URL of the one server of this test run, started by who asks first; it runs ``until`` that process ends.

    ``shared`` is a directory that all workers of the run see. The database of the URL is only there to make others in.
    """
    with FileLock(shared / "postgres.lock"):
        told = shared / "postgres.url"
        if not told.exists():
            told.write_text(_start(until))
        return told.read_text()


def create(server: str, *, template: str = "template0") -> str:
    """The URL of a new database, empty or as its ``template`` is; who is connected to that one is waited for.

    ``server`` is the URL of any database of it.
    """
    name = f"t{secrets.token_hex(6)}"
    like = sa.make_url(template).database if "://" in template else template
    _do(server, f'CREATE DATABASE "{name}" TEMPLATE "{like}"')
    return sa.make_url(server).set(database=name).render_as_string(hide_password=False)


def drop(server: str, url: str) -> None:
    """Drop a database, whoever is connected to it."""
    _do(server, f'DROP DATABASE IF EXISTS "{sa.make_url(url).database}" WITH (FORCE)')


@contextlib.contextmanager
def connected(url: str) -> Iterator[sa.Connection]:
    """A plain connection to any database, which knows nothing of churnwatch; every statement is kept at once."""
    place = sa.make_url(url)
    if place.get_backend_name() == "postgresql":
        place = place.set(drivername="postgresql+psycopg")
    with sa.create_engine(place, poolclass=sa.NullPool, isolation_level="AUTOCOMMIT").connect() as connection:
        yield connection


def _do(server: str, statement: str) -> None:
    # By the database that nobody uses: neither a template nor what is dropped may have a connection.
    with connected(sa.make_url(server).set(database="postgres").render_as_string(hide_password=False)) as connection:
        connection.exec_driver_sql(statement)


def _start(until: int) -> str:
    binaries = programs()
    assert binaries is not None, MISSING
    user = _user()
    # A short name: the path of a socket may have 107 bytes.
    home = Path(tempfile.mkdtemp(prefix="cwpg"))
    shutil.chown(home, user.pw_uid, user.pw_gid)
    run: dict[str, Any] = {"cwd": home, "env": {**os.environ, "LC_ALL": "C"}}
    if os.geteuid() == 0:
        run |= {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    # Debian's own databases sort by the rules of a language, and so does this one: nothing may lean on byte order.
    helped = subprocess.run([binaries / "initdb", "--help"], capture_output=True, text=True, check=True, **run).stdout
    words = ["--locale-provider=icu", "--icu-locale=en"] if "--icu-locale" in helped else []
    _run([binaries / "initdb", "-D", "data", "-U", "tests", "-A", "trust", "-E", "UTF8", "--no-sync", *words], **run)
    settings = {**SETTINGS, "unix_socket_directories": str(home)}
    with (home / "data" / "postgresql.conf").open("a") as conf:
        conf.writelines(f"{name} = '{value}'\n" for name, value in settings.items())
    _run([binaries / "pg_ctl", "start", "-s", "-w", "-D", "data", "-l", "log"], **run)
    _run(["/bin/sh", "-c", WATCH, "watch", str(until), home], start_new_session=True)
    return f"postgresql://tests@/postgres?host={home}"


def _user() -> pwd.struct_passwd:
    """Whose server it is; PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return pwd.getpwuid(os.geteuid())
    names = {entry.pw_name: entry for entry in pwd.getpwall()}
    return names.get("postgres") or names["nobody"]


def _run(command: list[Any], **run: Any) -> None:
    # Into files: a server that goes on holds what it inherited, and a pipe would be waited for.
    with tempfile.TemporaryFile("w+") as said:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=said, stderr=said, check=False, **run)
        said.seek(0)
        assert 0 == done.returncode, said.read()


if __name__ == "__main__":
    if programs() is None:
        sys.exit(MISSING)
    with tempfile.TemporaryDirectory() as mine:
        where = create(serve(Path(mine), until=os.getpid()))
        print(re.sub("^", "ledger: ", where), flush=True)  # noqa: T201 (what it is for)
        with contextlib.suppress(KeyboardInterrupt):
            while True:
                time.sleep(60)
