"""The fuzz itself: sixty of its two thousand cases, and that it sees what it looks for."""

from __future__ import annotations

import dataclasses
import gzip
import os
import signal
import time
from collections import Counter
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest

from churnwatch.errors import CheckFailed, DataRefused
from churnwatch.sources import Tables
from tests.fuzz import judged, run
from tests.fuzz.cases import FORMATS, Case, counted, counted_in, make
from tests.fuzz.judged import Ending, judge
from tests.fuzz.run import Result


@pytest.mark.slow
def test_damaged_files_of_every_format_end_as_they_may() -> None:
    results = list(run.run(range(9 * len(FORMATS)), seed=1, workers=1))
    assert [] == [(one.number, one.ending.wrong) for one in results if one.ending.wrong]
    assert dict.fromkeys(FORMATS, 9) == Counter(one.format for one in results)
    assert {"accepted", "quarantined", "4"} <= {one.ending.way for one in results}


def test_the_seed_and_the_number_make_the_same_case_again() -> None:
    for number in range(len(FORMATS)):
        assert make(5, number) == make(5, number)
        assert make(5, number).files != make(6, number).files


def control(**changes: Any) -> Case:
    """A case in CSV to which nothing was done."""
    number = next(number for number in range(0, 10_000, len(FORMATS)) if not make(1, number).done)
    return dataclasses.replace(make(1, number), **{"whole": False, **changes})


def test_a_control_is_accepted_by_load_and_check(tmp_path: Path) -> None:
    assert Ending("accepted") == judge(control(whole=True), tmp_path)


def raising(error: Exception) -> Callable[..., Tables]:
    def load(*_: Any, **__: Any) -> Tables:
        raise error

    return load


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ZeroDivisionError("by nothing"), "ZeroDivisionError: by nothing"),
        (CheckFailed("no"), "exit code 5: no"),
        (DataRefused(" "), "a refusal says nothing"),
        (DataRefused("the name is Zubaidah S. 3"), "a message repeats 'Zubaidah'"),
        (DataRefused("x" * 20_001), "a message of 20001 characters"),
        (DataRefused("no"), "a control is refused: no"),
    ],
)
def test_an_end_that_may_not_be_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, told: str
) -> None:
    monkeypatch.setattr(judged, "load", raising(error))
    ending = judge(control(), tmp_path)
    assert "wrong" == ending.way
    assert any(told in one for one in ending.wrong)


def spoilt(monkeypatch: pytest.MonkeyPatch, spoil: Callable[[Tables], Tables]) -> None:
    load = judged.load
    monkeypatch.setattr(judged, "load", lambda *args, **options: spoil(load(*args, **options)))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"accepted": 1}, "the law is broken"),
        ({"read": 1}, "the law is broken"),
        ({"quarantined": {"a rule": 1}, "read": 21}, "1 rows of crm are quarantined and 0 kept"),
        ({"events": {"customers": 21}}, "each row of crm makes one event"),
    ],
)
def test_a_broken_account_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any], told: str
) -> None:
    def spoil(tables: Tables) -> Tables:
        crm, *others = tables.accounting
        return dataclasses.replace(tables, accounting=(dataclasses.replace(crm, **change), *others))

    spoilt(monkeypatch, spoil)
    assert any(told in one for one in judge(control(), tmp_path).wrong)


def test_another_count_of_the_rows_is_wrong(tmp_path: Path) -> None:
    case = control()
    assert case.rows is not None
    [wrong] = judge(dataclasses.replace(case, rows=case.rows + 1), tmp_path).wrong
    assert wrong.endswith(f"has {case.rows + 1} rows, and {case.rows} were read")


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("UPDATE interactions SET amount = 'inf' WHERE interaction_id = 'e5'", "1 rows of interactions break a rule"),
        ('UPDATE interactions SET known_at = "at" - INTERVAL 1 SECOND', "110 rows of interactions break a rule"),
        ("UPDATE customers SET customer_id = 'nobody'", "19 values of customers.customer_id repeat"),
        ("UPDATE customers SET started_at = NULL", "20 rows of customers break a rule"),
    ],
)
def test_a_canonical_row_that_breaks_a_rule_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sql: str, told: str
) -> None:
    def spoil(tables: Tables) -> Tables:
        tables.con.execute(sql)
        return tables

    spoilt(monkeypatch, spoil)
    assert told in judge(control(), tmp_path).wrong


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("a,b\n1,2\n\n3\n", 2),  # a blank line is none; a ragged one is one
        ("a,b\r\n1,2\r\n\r\n", 1),
        ("a\n1\n\n2\n", 3),  # of one column a blank line is a missing value
        ("a,b\n1,2", 1),
        ('a,b\n"1\n1",2\n3,4\n', 2),
        ('a,b\n"1,2\n3,4\n', None),  # never closed
        ("", 0),
    ],
)
def test_rows_are_counted_without_the_product(text: str, rows: int | None) -> None:
    assert rows == counted(text)


@pytest.mark.parametrize(
    ("data", "kind", "rows"),
    [
        (b"a,b\n\xff,2\n", "csv", None),
        (gzip.compress(b"a,b\n1,2\n", mtime=0), "csv.gz", 1),
        (
            gzip.compress(b"a,b\n1,2\n", mtime=0) * 2,
            "csv.gz",
            3,
        ),  # two members are one text: the second header is a row
        (gzip.compress(b"a,b\n1,2\n", mtime=0)[:-9], "csv.gz", None),
        (b'\xef\xbb\xbf\n{"a": 1}\n\n[]\n', "jsonl", 2),
        (gzip.compress(b'{"a": 1}', mtime=0), "jsonl.gz", 1),
    ],
)
def test_rows_of_text_are_counted_in_what_it_was_packed_into(data: bytes, kind: str, rows: int | None) -> None:
    assert rows == counted_in(data, kind)


def misbehaving(pipe: Connection, seed: int, directory: str) -> None:
    """A worker that dies of case 1 and never comes back from case 2."""
    pipe.send(None)
    while (number := pipe.recv()) is not None:
        if number == 1:
            os.kill(os.getpid(), signal.SIGSEGV)
        if number == 2:
            time.sleep(600)
        pipe.send(Result(number, "csv", Ending("accepted"), 0.0))


def test_a_case_that_kills_its_process_or_hangs_is_told_and_the_others_run() -> None:
    results = list(run.run(range(5), seed=1, workers=2, work=misbehaving, patience=3))
    assert list(range(5)) == sorted(one.number for one in results)
    assert {
        1: (f"the process ended with {-signal.SIGSEGV}",),
        2: ("no answer for 3 seconds",),
    } == {one.number: one.ending.wrong for one in results if one.ending.wrong}


def test_the_command_prints_seed_and_table_and_keeps_what_went_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ends = [Ending("accepted"), Ending("4"), Ending("wrong", ("Traceback: at the end",))]
    ended = [Result(number, FORMATS[number], ending, 0.25) for number, ending in enumerate(ends)]
    monkeypatch.setattr(run, "run", lambda *_, **__: iter(ended))
    monkeypatch.setattr(run, "RESULTS", tmp_path / "results")
    assert 1 == run.main(["--seed", "7", "--cases", "3"])
    out = capsys.readouterr().out
    assert f"--seed 7 --case 2 ({FORMATS[2]}): Traceback: at the end" in out
    assert "all                   3         1                0           0           1      1    0.2 s" in out
    assert "seed 7: 1 ended as none may" in out
    assert '"case": 2' in (tmp_path / "results" / "seed_7.json").read_text()
    ended.pop()
    assert 0 == run.main(["--seed", "7", "--cases", "2"])
