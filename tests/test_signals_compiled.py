"""Machine code is kept between processes, and never outlives the source it was made from."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from churnwatch.signals import compiled

INNER = """from room.compiled import compiled

@compiled
def inner(n):
    return n + {}
"""
OUTER = """from room.compiled import compiled
from room.inner import inner

@compiled
def outer(n):
    return inner(n)
"""
ASK = "from room.outer import outer; found = outer(1); print(found, sum(outer.stats.cache_hits.values()))"


def ask(directory: Path) -> str:
    """What ``outer(1)`` gives in a process of its own, and how often its code came from the cache."""
    done = subprocess.run(
        [sys.executable, "-c", ASK], cwd=directory, capture_output=True, text=True, check=True, env={"PATH": ""}
    )
    return done.stdout.strip()


def test_a_change_of_any_file_of_the_room_is_seen(tmp_path):
    """numba asks only whether a function's own file has changed; what it calls may stand in another."""
    room = tmp_path / "room"
    room.mkdir()
    (room / "__init__.py").touch()
    shutil.copy(compiled.__file__, room / "compiled.py")
    (room / "inner.py").write_text(INNER.format(10))
    (room / "outer.py").write_text(OUTER)
    assert "11 0" == ask(tmp_path)
    assert "11 1" == ask(tmp_path)
    (room / "inner.py").write_text(INNER.format(200))
    assert "201 0" == ask(tmp_path)
    assert "201 1" == ask(tmp_path)


def test_machine_code_is_made_where_no_cache_can_be_written(monkeypatch):
    """numba refuses to cache in a read-only container; then it compiles in every process."""

    def njit(*, cache: bool = False, nogil: bool):
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return lambda function: ("compiled", function, nogil)

    monkeypatch.setattr(compiled, "njit", njit)
    assert ("compiled", njit, True) == compiled.compiled(njit)
