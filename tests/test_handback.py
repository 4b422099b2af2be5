"""Handing a list back: the whole file becomes facts of the ledger, or nothing of it."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from command_line import call, ok, refused
from openpyxl import load_workbook
from test_delivery import FULL, GRACE, SITI

from churnwatch.cli.outcomes import show_imported
from churnwatch.delivery import list_name, outreach_csv, outreach_xlsx
from churnwatch.errors import DataRefused, RunBusy, UsageError
from churnwatch.ledger import begin_run, outcomes, record_list, runs
from churnwatch.project import scaffold
from churnwatch.runs.daily import _kept
from churnwatch.runs.handback import Imported, came_back, import_outcomes
from churnwatch.runs.workspace import Workspace, ledger, lock, open_workspace

JULY_1, JULY_2 = date(2026, 7, 1), date(2026, 7, 2)
NOON_IN_JAKARTA = 5
"""Hours of UTC."""
ANA = replace(SITI, customer_id="00123", customer_name="Ana", action_name="call_back")
BUDI = replace(GRACE, customer_id="C-9", customer_name="Budi", listed_for="churn", action_name="check_in")
CITRA = replace(GRACE, rank=3, customer_id="+62 811", customer_name="Citra", listed_for="churn")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("handed") / "project"
    scaffold.init(root)
    return root


@pytest.fixture
def workspace(project: Path, tmp_path: Path) -> Workspace:
    """The demo's deployment on the evening of 3 July, with lists of two days, the first in two revisions."""
    opened = open_workspace(project, deployment="demo", data=None, now=datetime(2026, 7, 3, 11, tzinfo=UTC))
    made = replace(opened, root=tmp_path)
    issue(made, JULY_1, ANA, BUDI, CITRA)
    issue(made, JULY_2, BUDI)
    issue(made, JULY_1, ANA, BUDI)
    return made


def issue(workspace: Workspace, day: date, *rows: Any) -> None:
    with ledger(workspace) as engine:
        run = begin_run(
            engine, deployment="demo", command="daily", started_at=workspace.now, program_version="0", as_of=day
        )
        record_list(
            engine,
            run_id=run,
            deployment="demo",
            as_of=day,
            model="churn",
            model_version="3fa91c07be52",
            baseline=None,
            files={},
            issued_at=workspace.now,
            rows=[_kept(row) for row in rows],
        )


def filed(tmp_path: Path, *said: tuple[Any, str, str], day: date = JULY_1, revision: int = 1, **other: str) -> Path:
    """outreach.csv with these (row, outcome, why)."""
    text = outreach_csv([row for row, _, _ in said], name=list_name("demo", day, revision)).decode()
    header, *lines = csv.reader(io.StringIO(text))
    for line, (_, outcome, why) in zip(lines, said, strict=True):
        line[-2:] = [outcome, why]
        for column, value in other.items():
            line[header.index(column)] = value
    path = tmp_path / "handed.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *lines])
    return path


def kept(workspace: Workspace, **options: Any) -> Any:
    with ledger(workspace) as engine:
        return outcomes(engine, deployment="demo", **options)


def hand_in(workspace: Workspace, path: Path, **options: Any) -> Any:
    return import_outcomes(workspace, path, **{"by": "ratna", **options})


def problems(workspace: Workspace, path: Path, **options: Any) -> str:
    """The message of a refused file, of which nothing was written."""
    before = kept(workspace, replaced=True)
    with ledger(workspace) as engine:
        begun = len(runs(engine, deployment="demo"))
    with pytest.raises(DataRefused) as found:
        hand_in(workspace, path, **options)
    assert before == kept(workspace, replaced=True)
    with ledger(workspace) as engine:
        assert begun == len(runs(engine, deployment="demo"))
    return found.value.message


def test_what_is_filled_in_becomes_facts_and_the_rest_is_left_alone(workspace: Workspace, tmp_path: Path) -> None:
    path = filed(tmp_path, (ANA, "terhubung; akan bertahan", ""), (BUDI, "", ""), (CITRA, "", "was on holiday"))
    done = hand_in(workspace, path)
    assert (3, 1, 0, 2, 0, 0) == (
        done.rows, done.without_outcome, done.twice, done.new, done.repeated, done.corrected,
    )  # fmt: skip
    assert {"reached": 1, "will_stay": 1, "wrong_flag": 1} == done.words
    assert ("demo 2026-07-01 r1",) == done.lists
    ana, citra = kept(workspace)
    noon = datetime(2026, 7, 1, NOON_IN_JAKARTA, tzinfo=UTC)
    assert ("00123", JULY_1, JULY_1, noon, workspace.now) == (
        ana.customer_id, ana.list_day, ana.day, ana.at, ana.known_at,
    )  # fmt: skip
    assert (("reached", "will_stay"), None, None, "call_back", "a1", "ratna", 2) == (
        ana.words, ana.snooze_until, ana.why, ana.action_name, ana.owner, ana.by, ana.line,
    )  # fmt: skip
    assert ("+62 811", ("wrong_flag",), "was on holiday") == (citra.customer_id, citra.words, citra.why)
    assert 64 == len(ana.source)


def test_a_run_of_it_is_written_down(workspace: Workspace, tmp_path: Path) -> None:
    hand_in(workspace, filed(tmp_path, (ANA, "reached", "")))
    with ledger(workspace) as engine:
        last = runs(engine, deployment="demo")[-1]
    assert ("outcomes import", "done", {"new": 1, "repeated": 0, "corrected": 0}) == (
        last.command,
        last.status,
        last.detail,
    )


def test_the_workbook_is_handed_back_as_the_table_is(workspace: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "outreach.xlsx"
    path.write_bytes(outreach_xlsx([ANA, BUDI], name=list_name("demo", JULY_1, 1), day=JULY_1, currency="IDR"))
    book = load_workbook(path)
    place = {cell.value: cell.column for cell in book.active[1]}
    book.active.cell(2, place["Outcome"]).value = "tunda sampai 2026-08-01"
    book.save(path)
    assert 1 == hand_in(workspace, path).new
    [one] = kept(workspace)
    assert ("00123", ("snooze",), date(2026, 8, 1)) == (one.customer_id, one.words, one.snooze_until)


def test_the_same_file_again_says_nothing_new(workspace: Workspace, tmp_path: Path) -> None:
    path = filed(tmp_path, (ANA, "reached", ""), (BUDI, "solved", ""))
    hand_in(workspace, path)
    again = hand_in(workspace, path)
    assert (0, 2, {}, ()) == (again.new, again.repeated, again.words, again.lists)
    # The words in another language and order are the same fact.
    assert 0 == hand_in(workspace, filed(tmp_path, (ANA, "Terhubung", ""), (BUDI, "selesai", ""))).new
    assert 2 == len(kept(workspace, replaced=True))


def test_another_revision_of_the_day_names_the_same_contact(workspace: Workspace, tmp_path: Path) -> None:
    """One call was made, though two revisions of the day's list asked for it."""
    hand_in(workspace, filed(tmp_path, (ANA, "reached", "")))
    again = hand_in(workspace, filed(tmp_path, (ANA, "reached", ""), (BUDI, "solved", ""), revision=2))
    assert (1, 1, ("demo 2026-07-01 r2",)) == (again.new, again.repeated, again.lists)
    assert "another outcome stands" in problems(workspace, filed(tmp_path, (ANA, "not reached", ""), revision=2))


def test_another_day_is_another_contact(workspace: Workspace, tmp_path: Path) -> None:
    hand_in(workspace, filed(tmp_path, (BUDI, "not reached", "")))
    assert 1 == hand_in(workspace, filed(tmp_path, (BUDI, "reached", ""), day=JULY_2)).new


def test_a_conflict_is_refused_and_a_correction_keeps_both(workspace: Workspace, tmp_path: Path) -> None:
    first = filed(tmp_path, (ANA, "reached", ""))
    data = first.read_bytes()
    hand_in(workspace, first)
    other = filed(tmp_path, (ANA, "not reached", ""))
    assert (
        "handed.csv:2: another outcome stands for this customer: reached, of 2026-07-01 by ratna; "
        "--correct takes this one in its place and keeps both" in problems(workspace, other)
    )
    done = hand_in(workspace, other, correct=True, by="joko")
    assert (1, 1, 0) == (done.new, done.corrected, done.repeated)
    assert [("not_reached",)] == [one.words for one in kept(workspace)]
    assert [("reached",), ("not_reached",)] == [one.words for one in kept(workspace, replaced=True)]
    # The first file once more takes the correction back by no accident.
    first.write_bytes(data)
    again = hand_in(workspace, first)
    assert (0, 0, 1, 1) == (again.new, again.corrected, again.repeated, again.superseded)
    assert [("not_reached",)] == [one.words for one in kept(workspace)]
    # Who asks for it gets it, once.
    for new in (1, 0):
        asked = hand_in(workspace, first, correct=True)
        assert (new, new, 1 - new, 0) == (asked.new, asked.corrected, asked.repeated, asked.superseded)
        assert {"reached": new} == {"reached": 0, **asked.words}
        assert [("reached",)] == [one.words for one in kept(workspace)]
    assert 3 == len(kept(workspace, replaced=True))


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", "1 of these were corrected since, and stay so"), ("id", "1 di antaranya telah diperbaiki sesudahnya")],
)
def test_a_file_is_told_what_of_it_no_longer_stands(
    capsys: pytest.CaptureFixture[str], language: str, words: str
) -> None:
    done = Imported("a.csv", 1, 0, 0, new=0, repeated=1, corrected=0, superseded=1, words={}, lists=())
    show_imported(done, language)
    assert words in " ".join(capsys.readouterr().out.split())


def test_all_that_is_wrong_with_a_file_is_told_at_once_and_nothing_is_written(
    workspace: Workspace, tmp_path: Path
) -> None:
    dora = replace(BUDI, customer_id="C-77")
    path = filed(
        tmp_path,
        (ANA, "reachd", ""),
        (BUDI, "wrong flag", ""),
        (CITRA, "will stay; will leave", ""),
        (dora, "reached", ""),
        (ANA, "reached", ""),
        (ANA, "solved", ""),
        (CITRA, "snooze until 2026-07-01", ""),
        (CITRA, "snooze until 2062-07-01", ""),
    )
    message = problems(workspace, path)
    assert [
        "7 problems, so nothing of the file was written",
        "handed.csv:2: `reachd` is no outcome; did you mean reached?",
        "handed.csv:3: a wrong flag without a why",
        "handed.csv:4: will stay and will leave cannot both have come of one contact",
        "handed.csv:5: the customer is not on the list demo 2026-07-01 r1",
        "handed.csv:7: line 6 says something else of the same customer",
        "handed.csv:8: it snoozes until 2026-07-01, and was worked on 2026-07-01",
        "handed.csv:9: it snoozes until 2062-07-01; a slip in the year?",
    ] == message.split("\n")[:8]
    for word in ("offer accepted", "tawaran diterima", "snooze until 2026-08-01", "flag_wrong_reason"):
        assert word in message
    for private in ("00123", "C-77", "Ana", "Citra"):
        assert private not in message


def test_the_first_twenty_problems_are_named_and_the_others_counted(workspace: Workspace, tmp_path: Path) -> None:
    message = problems(workspace, filed(tmp_path, *[(ANA, "nonsense", "")] * 23))
    assert message.startswith("23 problems")
    assert ("handed.csv:21:" in message, "handed.csv:22:" in message, "and 3 more" in message) == (True, False, True)


def test_two_lines_that_agree_are_one(workspace: Workspace, tmp_path: Path) -> None:
    done = hand_in(workspace, filed(tmp_path, (ANA, "reached", ""), (ANA, "terhubung", "")))
    assert (2, 1, 1) == (done.rows, done.new, done.twice)


def test_the_day_it_was_worked_lies_between_its_list_and_today(workspace: Workspace, tmp_path: Path) -> None:
    path = filed(tmp_path, (ANA, "reached", ""), day=JULY_1)
    with pytest.raises(UsageError, match=r"--on: 2026-07-04 is yet to come"):
        hand_in(workspace, path, on=date(2026, 7, 4))
    assert "worked on 2026-06-30, before its list of 2026-07-01" in problems(workspace, path, on=date(2026, 6, 30))
    hand_in(workspace, path, on=date(2026, 7, 3))
    [one] = kept(workspace)
    # Today's noon is past at 18:00 in Jakarta.
    assert (date(2026, 7, 3), datetime(2026, 7, 3, NOON_IN_JAKARTA, tzinfo=UTC)) == (one.day, one.at)


def test_a_contact_is_not_of_later_than_when_it_is_told(workspace: Workspace, tmp_path: Path) -> None:
    """On the morning of 3 July its noon is yet to come."""
    morning = replace(workspace, now=datetime(2026, 7, 3, 2, tzinfo=UTC))
    hand_in(morning, filed(tmp_path, (ANA, "reached", "")), on=date(2026, 7, 3))
    assert [morning.now] == [one.at for one in kept(workspace)]


def test_a_list_that_is_yet_to_come_was_not_worked(workspace: Workspace, tmp_path: Path) -> None:
    issue(workspace, date(2026, 7, 4), ANA)
    message = problems(workspace, filed(tmp_path, (ANA, "reached", ""), day=date(2026, 7, 4)))
    assert "its list is of 2026-07-04, which is yet to come" in message


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"list": "demo 2026-07-01 r3"}, "no list demo 2026-07-01 r3 was issued"),
        ({"list": "demo 2026-06-01 r1"}, "no list demo 2026-06-01 r1 was issued"),
        ({"list": "olist 2026-07-01 r1"}, "its list is one of olist, and this is the deployment demo"),
        ({"list": "01/07/2026"}, "`01/07/2026` names no list"),
        ({"list": ""}, "nothing tells which list it is of"),
        ({"customer": "1.23E+11"}, "hand back outreach.xlsx"),
        ({"customer": "²"}, "the customer is not on the list demo 2026-07-01 r1"),
        ({"customer": ""}, "the line names no customer"),
    ],
)
def test_a_row_must_be_of_a_list_that_this_ledger_issued(
    workspace: Workspace, tmp_path: Path, other: dict[str, str], message: str
) -> None:
    told = problems(workspace, filed(tmp_path, (ANA, "reached", ""), **other))
    assert message in told


def test_which_list_a_file_without_the_column_is_of_the_directory_or_an_option_tells(
    workspace: Workspace, tmp_path: Path
) -> None:
    path = filed(tmp_path, (CITRA, "reached", ""), list="")
    (tmp_path / "run.json").write_text(json.dumps({"deployment": "olist", "as_of": "2026-07-01", "revision": 1}))
    assert "nothing tells which list" in problems(workspace, path)
    (tmp_path / "run.json").write_text(json.dumps({"deployment": "demo", "as_of": "2026-07-01", "revision": 1}))
    assert 1 == hand_in(workspace, path).new
    # The last revision of that day does not name her, and neither does an option without a revision.
    assert "is not on the list demo 2026-07-01 r2" in problems(workspace, path, of_list=(JULY_1, None))
    assert 1 == hand_in(workspace, path, of_list=(JULY_1, 1)).repeated


def test_an_id_that_a_spreadsheet_made_a_number_of_is_still_known(workspace: Workspace, tmp_path: Path) -> None:
    """Where two customers have the same digits nobody knows whom it means."""
    assert 1 == hand_in(workspace, filed(tmp_path, (ANA, "reached", ""), customer="123")).new
    issue(workspace, date(2026, 7, 3), ANA, replace(ANA, rank=2, customer_id="0123"))
    path = filed(tmp_path, (ANA, "reached", ""), customer="123", day=date(2026, 7, 3))
    assert "is not on the list" in problems(workspace, path)


def test_an_id_in_other_letters_is_told_so(workspace: Workspace, tmp_path: Path) -> None:
    issue(workspace, date(2026, 7, 3), replace(ANA, customer_id="C-9a"))
    message = problems(workspace, filed(tmp_path, (ANA, "reached", ""), customer="c-9A", day=date(2026, 7, 3)))
    assert "is not on the list demo 2026-07-03 r1; on the list the id has other capital letters" in message


def test_nothing_is_handed_in_while_a_run_is_on(workspace: Workspace, tmp_path: Path) -> None:
    with lock(workspace), pytest.raises(RunBusy):
        hand_in(workspace, filed(tmp_path, (ANA, "reached", "")))


def test_what_came_back_stands_beside_what_the_list_had_said(workspace: Workspace, tmp_path: Path) -> None:
    assert () == came_back(workspace)
    hand_in(workspace, filed(tmp_path, (ANA, "reached", ""), (CITRA, "", "was on holiday")))
    hand_in(workspace, filed(tmp_path, (BUDI, "solved", ""), day=JULY_2))
    assert ["C-9", "+62 811", "00123"] == [one.outcome.customer_id for one in came_back(workspace)]
    assert ["C-9"] == [one.outcome.customer_id for one in came_back(workspace, since=JULY_2)]
    [wrong] = came_back(workspace, wrong=True)
    assert {
        "outcome_id": 2,
        "customer": "+62 811",
        "list": "2026-07-01",
        "day": "2026-07-01",
        "words": ["wrong_flag"],
        "snooze_until": None,
        "why": "was on holiday",
        "owner": "a2",
        "action": None,
        "by": "ratna",
        "known_at": "2026-07-03T11:00:00+00:00",
        "rank": 3,
        "risk": 0.093,
        "band": "watch",
        "reasons": ["Not one visit in 38 days"],
        "listed_for": "churn",
        "model_version": "3fa91c07be52",
    } == wrong.as_json()


def test_the_commands_tell_it_in_both_languages(project: Path, workspace: Workspace, tmp_path: Path) -> None:
    """Import, import again, a word of one's own, and what came back as a table and as JSON."""
    root = tmp_path / "copy"
    scaffold.init(root)
    own = replace(workspace, root=root)
    issue(own, JULY_1, FULL, BUDI)
    path = filed(tmp_path, (FULL, "terhubung", "sedang cuti"), (BUDI, "", ""))
    said = ok(call("outcomes", "import", path, "--project", root, "--by", "ratna"))
    assert "1 new from handed.csv, of demo 2026-07-01 r1" in said.out
    assert "1 without an outcome, left as they are" in said.out
    again = ok(call("outcomes", "import", path, "--project", root, "--lang", "id"))
    assert "Tidak ada yang baru di handed.csv." in again.out
    told = ok(call("outcomes", "import", path, "--project", root, "--json")).json
    assert (0, 1, 1) == (told["new"], told["repeated"], told["without_outcome"])
    path.write_text(path.read_text(encoding="utf-8").replace("terhubung", "terhubug"), encoding="utf-8")
    refused(
        call("outcomes", "import", path, "--project", root), 4, "`terhubug` is no outcome", "did you mean terhubung?"
    )
    table = ok(call("outcomes", "list", "--project", root, "--lang", "id")).out
    for words in ("Hasil yang kembali: 1", "terhubung; tanda keliru", "sedang cuti", "3 keluhan"):
        assert words in table
    [one] = ok(call("outcomes", "list", "--wrong", "--since", "2026-07-01", "--project", root, "--json")).json[
        "outcomes"
    ]
    assert (["reached", "wrong_flag"], "sedang cuti") == (one["words"], one["why"])
    assert "Nothing has come back." in ok(call("outcomes", "list", "--since", "2026-07-02", "--project", root)).out
    said = call("outcomes", "import", path, "--list", "yesterday", "--project", root)
    assert (2, True) == (said.code, "--list: yesterday is no day" in said.err)
