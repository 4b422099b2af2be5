"""Spark against the local engine: the same bytes, however customers are cut into blocks; what is said without Spark."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from oracle import Event
from small_tables import spine_of as frame_of
from small_tables import tables_of
from test_signals import AS_OF, AS_OFS, EVERY, EVERY_OF_SURVEYS, US, ZONE, at_every_edge, family_of
from test_wording import family_of as words_of

from churnwatch.errors import UsageError
from churnwatch.signals import Spine, parts, spark, spine_of, write
from churnwatch.signals.cluster import check_spark, run, session
from churnwatch.sources import Tables

WORDS = words_of()
COLUMNS = (
    *WORDS.columns,
    *EVERY.columns,
    *EVERY_OF_SURVEYS.columns,
    *family_of(
        {"aggregate": "days_since"},
        {"aggregate": "count", "where": {"segment": "gold"}},
        {"aggregate": "latest", "measure": "months"},
        {"aggregate": "silence", "where": {"kind": "started"}},
        table="customers",
    ).columns,
)
SEEN = ("", "10", "9", "A", "a", "b", "é", "zoë", "ß", "Ω", "日本", "𝄞")
"""Customers with rows whose order of bytes is none of any language."""
UNSEEN = ("B", "nobody", "ÿ")
"""Customers without any row, the first not even among the customers."""
BLOCK_ROWS = (1, 60, 10**6)
"""A customer a block, some customers a block, all in one."""


def a_company() -> Tables:
    """Interactions, surveys and customers with ties, rows known late, edges of windows, missing levels and measures."""
    choose = random.Random(4)
    edges = [Event(f"x{event.id}", *vars_of(event)) for event in at_every_edge()]
    events = list(edges)
    for i in range(400):
        at = AS_OF - choose.randrange(2 * 10**6, 80 * 86_400 * 10**6) * US
        if i % 3 == 0:
            at = AS_OF - timedelta(days=choose.randrange(60), hours=1)
        known_at = at + choose.choice([timedelta(0), timedelta(0), timedelta(hours=7), timedelta(days=33)])
        levels = {"kind": choose.choice(["complaint", "contact", "resolved"])}
        if i % 4:
            levels["text"] = ("I will cancel", "I will not cancel", "Kapan batal?")[i % 4 - 1]
        if choose.random() < 0.8:
            levels["topic"] = choose.choice(["billing", "it's", "Ürün"])
        measures = {"amount": choose.choice([choose.uniform(-1e6, 1e6), 0.1, 1e12])} if choose.random() < 0.8 else {}
        who = choose.choice(SEEN[:-1])
        events.append(Event(str(i), who, at, known_at, levels, measures))
        if i % 5 == 0:  # the same customer, at and known_at, another row: the id decides
            events.append(Event(str(10 * i + 7), who, at, known_at, {"kind": "contact"}, {"amount": float(i)}))
    surveys = []
    for i in range(120):
        sent_at = AS_OF - timedelta(days=choose.randrange(70), hours=choose.randrange(3))
        row: dict[str, Any] = {"survey_id": f"q{i}", "customer_id": choose.choice(SEEN), "sent_at": sent_at}
        row["instrument"] = choose.choice(["nps", "ces"])
        if choose.random() < 0.7:
            row["answered_at"] = sent_at + choose.choice([timedelta(0), timedelta(days=2), timedelta(days=30)])
            row |= {"raw_score": float(choose.randrange(1, 8)), "scale_min": 1.0, "scale_max": 7.0}
            row["higher_is_better"] = row["instrument"] == "nps"
        surveys.append(row)
    started = AS_OF - timedelta(days=90)
    customers = [
        {
            "customer_id": who,
            "started_at": started + timedelta(days=i),
            "segment": ("small", "large", None)[i % 3],
            "known_at": started + timedelta(days=10 * i),
        }
        for i, who in enumerate(SEEN[3:])
    ]
    for i, row in enumerate(customers):
        row |= {"segment": choose.choice(["gold", "it's"]), "months": float(i)}
        row |= {"known_at": row["started_at"] + timedelta(days=choose.randrange(100))} if i % 3 else {}
    customers += [{"customer_id": who} for who in UNSEEN[1:]]
    choose.shuffle(events)
    made = tables_of(
        events,
        customers=customers,
        surveys=surveys,
        measures=("amount",),
        customer_measures=("months",),
        zone=ZONE,
    )
    return made.reworded([WORDS])


def vars_of(event: Event) -> tuple[Any, ...]:
    return event.customer, event.at, event.known_at, event.levels, event.measures


def a_spine() -> Spine:
    """Not everybody with rows, everybody without; as-ofs that not all have, one of them twice."""
    observed = [(who, as_of) for who in (*SEEN[::2], *UNSEEN) for as_of in AS_OFS]
    observed += [("b", AS_OF - timedelta(days=3)), ("b", AS_OF), ("b", AS_OF)]
    return spine_of(frame_of(observed))[0]


@contextlib.contextmanager
def terminal(path: Path) -> Iterator[None]:
    """What this process and its children write to the terminal goes to a file."""
    sys.stdout.flush()
    sys.stderr.flush()
    kept = os.dup(1), os.dup(2)
    with path.open("wb") as sink:
        os.dup2(sink.fileno(), 1)
        os.dup2(sink.fileno(), 2)
    try:
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for number, original in enumerate(kept, start=1):
            os.dup2(original, number)
            os.close(original)


@dataclass(frozen=True)
class Lived:
    """What came of one life of Spark, on two cores of this machine."""

    values: dict[int, list[tuple[int, np.ndarray[Any, Any]]]]
    """By block_rows."""
    file: bytes
    told: list[tuple[str, int, int]]
    failures: list[str]
    printed: str
    java: Any
    left: list[str]
    """Files that are still there."""


@pytest.fixture(scope="module")
def company() -> Tables:
    return a_company()


@pytest.fixture(scope="module")
def lived(company: Tables, tmp_path_factory: pytest.TempPathFactory) -> Lived:
    needed()
    from pyspark import SparkContext

    place, work = tmp_path_factory.mktemp("spark"), tmp_path_factory.mktemp("work")
    told: list[tuple[str, int, int]] = []
    spine = a_spine()

    def fails(batches: Any) -> Any:
        raise ModuleNotFoundError("No module named 'churnwatch'")

    def dies(batches: Any) -> Any:
        os._exit(9)

    def broken(opened: Any, worker: Any) -> None:
        opened.range(4).mapInArrow(worker, "id long").collect()

    failures = []
    with pytest.MonkeyPatch.context() as environment, contextlib.ExitStack() as life:
        # Java that lives so shortly had better not compile what it runs: half the time.
        environment.setenv("JDK_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")
        life.enter_context(terminal(place / "terminal"))
        opened = life.enter_context(session("local[2]", place))
        java = SparkContext._gateway.proc
        values = {
            rows: list(spark.parts(company, COLUMNS, spine, directory=work, block_rows=rows)) for rows in BLOCK_ROWS
        }
        out = work / "signals.parquet"
        spark.write(company, COLUMNS, spine, out=out, report=lambda *a: told.append(a))
        file = out.read_bytes()
        out.unlink()
        for worker in (fails, dies):
            with pytest.raises(UsageError) as caught:
                run(opened.sparkContext, "break", partial(broken, opened, worker), None)
            failures.append(caught.value.message)
    printed = (place / "terminal").read_text()
    return Lived(values, file, told, failures, printed, java, sorted(path.name for path in work.iterdir()))


def needed() -> None:
    """Skip where Spark cannot run."""
    pytest.importorskip("pyspark", reason="pyspark is not installed (the extra spark)")
    if not shutil.which("java") and not os.environ.get("JAVA_HOME"):
        pytest.skip("Java is not installed")


@pytest.mark.slow
@pytest.mark.parametrize("block_rows", BLOCK_ROWS)
def test_spark_gives_the_bytes_of_the_local_engine(company: Tables, lived: Lived, block_rows: int) -> None:
    """Every aggregate over every window of three tables, of customers with and without rows, in blocks of any size."""
    spine = a_spine()
    local = np.concatenate([part for _, part in parts(company, COLUMNS, spine)], axis=1)
    found = np.concatenate([part for _, part in lived.values[block_rows]], axis=1)
    assert (len(COLUMNS), len(spine)) == found.shape
    differ = [
        column.name
        for column, a, b in zip(COLUMNS, local, found, strict=True)
        if not np.array_equal(a, b, equal_nan=True)
    ]
    assert [] == differ
    assert local.tobytes() == found.tobytes()
    widths = [part.shape[1] for _, part in lived.values[block_rows]]
    assert [sum(widths[:i]) for i in range(len(widths))] == [start for start, _ in lived.values[block_rows]]


@pytest.mark.slow
def test_the_comparison_is_of_numbers(lived: Lived) -> None:
    """Every aggregate of every table has some, but for rhythms of what happens once, and last year's surveys."""
    found = np.concatenate([part for _, part in lived.values[1]], axis=1)
    every = {(column.table, column.signal.aggregate) for column in COLUMNS}
    seen = {(c.table, c.signal.aggregate) for c, row in zip(COLUMNS, found, strict=True) if np.isfinite(row).any()}
    assert {("customers", "silence"), ("surveys", "season")} == every - seen
    alone, some, all_in_one = (len(lived.values[rows]) for rows in BLOCK_ROWS)
    assert (10, 1) == (alone, all_in_one)
    assert 1 < some < 10


@pytest.mark.slow
def test_spark_writes_the_bytes_of_the_local_file(company: Tables, lived: Lived, tmp_path: Path) -> None:
    """The Parquet file is the same, whoever made it."""
    write(company, COLUMNS, a_spine(), out=tmp_path / "local.parquet")
    assert (tmp_path / "local.parquet").read_bytes() == lived.file


@pytest.mark.slow
def test_spark_says_how_far_it_is_and_nothing_else(lived: Lived) -> None:
    """Three steps are reported, each up to its end; the terminal is left alone, and nothing stays on the disk."""
    assert ["reading events", "priors", "signals"] == list(dict.fromkeys(step for step, _, _ in lived.told))
    ends = {step: (done, total) for step, done, total in lived.told}
    assert ends["priors"][0] == ends["priors"][1]
    assert ends["signals"][0] == ends["signals"][1]
    assert all(0 <= done <= total for _, done, total in lived.told)
    assert "" == lived.printed
    assert [] == lived.left


@pytest.mark.slow
def test_spark_ends_with_its_java(lived: Lived) -> None:
    """The Java process is gone, and the next session is one of its own."""
    from pyspark import SparkContext

    assert 0 == lived.java.returncode
    assert SparkContext._gateway is None
    assert SparkContext._active_spark_context is None


@pytest.mark.slow
def test_failure_of_a_worker_is_one_message(lived: Lived) -> None:
    """The last words of the worker, or Spark's own of its end, not the hundred lines around them."""
    failed, died = (failure.splitlines() for failure in lived.failures)
    assert "local[2]: Spark gave up: ModuleNotFoundError: No module named 'churnwatch'" == failed[0]
    assert "Python worker exited unexpectedly" in died[0]
    assert [2, 2] == [len(failed), len(died)]


def test_empty_spine_needs_no_spark(company: Tables) -> None:
    """Nobody to look at: no parts, and no Java."""
    assert [] == list(spark.parts(company, COLUMNS, spine_of(frame_of([]))[0], master="spark://127.0.0.1:1"))


def test_missing_pyspark_is_said(company: Tables, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the extra: what to install."""
    monkeypatch.setitem(sys.modules, "pyspark", None)
    with pytest.raises(UsageError) as caught:
        list(spark.parts(company, COLUMNS, a_spine()))
    assert "Spark: pyspark is not installed\n  try: pip install 'churnwatch[spark]'" == caught.value.message


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("exit 1", "Java is not installed where JAVA_HOME says: "),
        ("echo 'openjdk version \"11.0.2\"' >&2", "Java 11 is too old where JAVA_HOME says: "),
        ("echo 'java version \"1.8.0_292\"' >&2", "Java 8 is too old where JAVA_HOME says: "),
    ],
)
def test_java_of_no_use_is_said(said: str, found: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A Java that does not run, and two that are too old for Spark."""
    pytest.importorskip("pyspark", reason="pyspark is not installed (the extra spark)")
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    java.write_text(f"#!/bin/sh\n{said}\n")
    java.chmod(0o755)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(UsageError) as caught:
        check_spark(None)
    assert [f"Spark: {found}{tmp_path}", "  allowed: Java 17 or newer"] == caught.value.message.splitlines()[:2]


def test_missing_java_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Not on the PATH, and no JAVA_HOME."""
    pytest.importorskip("pyspark", reason="pyspark is not installed (the extra spark)")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    with pytest.raises(UsageError) as caught:
        check_spark(None)
    assert "Spark: Java is not installed" == caught.value.message.splitlines()[0]


@pytest.mark.parametrize("master", ["spark://127.0.0.1:1", "k8s://https://127.0.0.1:1", "spark://127.0.0.1"])
def test_master_that_cannot_be_reached_is_said(master: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A closed port or none at all: at once, before Spark would try for minutes."""
    needed()
    with pytest.raises(UsageError, match=f"^{master}: nobody answers at 127.0.0.1.*\n  allowed: local"):
        check_spark(master)


def test_word_that_is_no_master_is_said() -> None:
    """What Spark allows is said."""
    needed()
    with pytest.raises(UsageError) as caught:
        check_spark("nonsense")
    allowed = "local[2], local[*], spark://host:7077, yarn, k8s://https://host:443"
    assert ["nonsense: is no master of Spark's", f"  allowed: {allowed}"] == caught.value.message.splitlines()


@pytest.mark.slow
def test_master_that_spark_refuses_is_said(tmp_path: Path) -> None:
    """Spark's own answer, in one message; Java is gone and the environment as it was."""
    needed()
    from pyspark import SparkContext

    before = dict(os.environ)
    with pytest.raises(UsageError) as caught, session("local[two]", tmp_path):
        pass
    told = "local[two]: Spark does not start: Could not parse Master URL: 'local[two]'"
    assert told == caught.value.message.splitlines()[0]
    assert before == dict(os.environ)
    assert SparkContext._gateway is None
