"""Bad input: one message with where, what, what is allowed and what to try; the exit code; nothing half-written."""

from __future__ import annotations

import csv
import gzip
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import END, ROOT, call, environment, facts, ledger_of, ok, refused, spawn, tree, untouched
from postgres import connected

from churnwatch.ledger import opening
from churnwatch.ledger.schema import REVISIONS


def edit(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def rewrite(path, change):
    """Write a CSV file again, each row as ``change`` gives it (None: left out)."""
    with path.open(newline="") as file:
        reader = csv.DictReader(file)
        header, rows = reader.fieldnames, [change(row) for row in reader]
    with path.open("w", newline="") as file:
        out = csv.DictWriter(file, header)
        out.writeheader()
        out.writerows(row for row in rows if row is not None)


def told(said, code, *words):
    """As ``refused``, where the message need not name something to try."""
    assert code == said.code, said.out + said.err
    assert "Traceback" not in said.err
    for word in words:
        assert word in said.err
    assert "  allowed: " in said.err or "  try: " in said.err
    assert "" == said.out


# Data: every command reads the same tables, so a refusal of one is a refusal of all.


def test_a_missing_column(project):
    path = project / "data" / "tickets.csv"
    rows = list(csv.reader(path.read_text().splitlines()))
    gone = rows[0].index("opened")
    path.write_text("\n".join(",".join(cell for i, cell in enumerate(row) if i != gone) for row in rows) + "\n")
    with untouched(project):
        said = call("check", "--project", project)
    told(said, 4, "there is no column opened", "tickets.csv", "allowed: the columns of the file: ticket_no")


def test_a_misspelt_column_in_the_file(project):
    edit(project / "data" / "tickets.csv", "first_response", "first_respnse")
    with untouched(project):
        said = call("daily", "--as-of", "2026-06-30", "--project", project)
    refused(said, 4, "there is no column first_response", "did you mean first_respnse?")


def test_a_misspelt_column_in_the_mapping(project):
    edit(project / "configs" / "demo" / "sources.yaml", "customer_id: customer_no", "customer_id: customer_nr")
    with untouched(project):
        said = call("check", "--project", project)
    refused(said, 4, "no column customer_nr, and configs/demo/sources.yaml: customers[0]", "did you mean customer_no?")


def test_an_unknown_key(project):
    edit(project / "configs" / "demo" / "outreach.yaml", "capacity:", "capcity:")
    with untouched(project):
        said = call("daily", "--as-of", "2026-06-30", "--project", project)
    refused(said, 3, "configs/demo/outreach.yaml:1", "unknown key `capcity`", "capacity")


def test_a_score_outside_its_scale(project):
    """An 11 on a scale to 10 is quarantined with its line; a whole column on another scale is refused."""
    path = project / "data" / "surveys.csv"
    lines = path.read_text().splitlines()
    place = next(i for i, line in enumerate(lines) if re.search(r'"NPS",.*,10,', line))
    lines[place] = lines[place].replace(",10,", ",11,")
    path.write_text("\n".join(lines) + "\n")
    found = ok(call("check", "--project", project, "--json")).json
    [kept] = [row for row in found["quarantine"] if row["file"] == "surveys.csv" and row["line"] == place + 1]
    assert "surveys.raw_score outside its scale" == kept["rule"]
    rows = csv.DictReader(Path(found["quarantine_file"]).read_text(encoding="utf-8").splitlines())
    assert ["11"] == [re.sub(r"\D", "", row["found"])[:2] for row in rows if row["line"] == str(place + 1)]
    rewrite(path, lambda row: {**row, "score": row["score"] and str(10 * float(row["score"]))})
    with untouched(project):
        said = call("daily", "--as-of", "2026-06-30", "--project", project)
    refused(said, 4, "surveys.csv", "surveys.raw_score outside its scale", "allowance")


def test_an_unparsable_time(project):
    path = project / "data" / "surveys.csv"
    rewrite(path, lambda row: {**row, "sent": "last Tuesday"})
    with untouched(project):
        said = call("check", "--project", project)
    # A word in a time's place may be anybody's: it is crossed out.
    refused(said, 4, "surveys.csv", "xxxx xxxxxxx", "allowance")


def test_duplicate_ids(project):
    """The delivery was appended to itself: every order stands in the file twice."""
    path = project / "data" / "purchases.csv"
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines, *lines[1:]]) + "\n")
    with untouched(project):
        said = call("score", "--as-of", END, "--project", project)
    refused(said, 4, "purchases.csv", "exact duplicate", "take out what was delivered twice")


def test_rows_of_the_future(project):
    path = project / "data" / "visits.csv"
    rewrite(path, lambda row: {**row, "visited": row["visited"].replace("2025-", "2095-")})
    with untouched(project):
        said = call("score", "--as-of", END, "--project", project)
    refused(said, 4, "visits.csv", "in the future", "2095-")


def test_an_empty_table(project):
    path = project / "data" / "customers.csv"
    path.write_text(path.read_text().splitlines()[0] + "\n")
    with untouched(project):
        said = call("daily", "--as-of", END, "--rerun", "correct", "--project", project)
    refused(said, 4, "customers: the table is empty (customers.csv: 0 rows read", "at least one row")


def test_a_file_that_is_not_there(project):
    (project / "data" / "tickets.csv").rename(project / "data" / "ticket.csv")
    with untouched(project):
        said = call("check", "--project", project)
    refused(said, 4, "tickets.csv", "no such file", "did you mean ticket.csv?")


def test_a_data_directory_that_is_not_there(project, tmp_path):
    with untouched(project):
        said = call("check", "--project", project, "--data", tmp_path / "nowhere")
    refused(said, 4, "nowhere", "--data")


# What the data can teach.


def failed_training(project, before):
    """The ledger knows one failed run more, and nothing else."""
    assert before["promotions"] == facts(project, "promotions")
    assert before["lists"] == facts(project, "lists")
    [run] = facts(project, "runs")[len(before["runs"]) :]
    assert ("train", "failed") == (run["command"], run["status"])


def test_labels_of_one_class(project):
    """Nobody cancels within any label window: an event of another name, told apart from too few."""
    before, stood = {name: facts(project, name) for name in ("runs", "lists", "promotions")}, tree(project)
    first = iter(range(10**6))
    # One cancellation stays, so that the event exists; it came before anybody is observed.
    rewrite(project / "data" / "cancellations.csv", lambda row: row if next(first) == 0 else None)
    said = call("train", "churn", "--project", project)
    refused(
        said, 4, "have the same outcome (0 bad)", "models/churn.yaml: outcome", "both outcomes occur", "cancellation"
    )
    assert stood == tree(project)
    failed_training(project, before)


def test_too_few_churners(project):
    before, stood = {name: facts(project, name) for name in ("runs", "lists", "promotions")}, tree(project)
    edit(project / "configs" / "demo" / "models" / "churn.yaml", "minimum_outcomes: 20", "minimum_outcomes: 9000")
    said = call("train", "churn", "--project", project)
    refused(said, 5, "not enough data: ", " of 9000 bad outcomes", "learner.minimum_outcomes", "--baseline recency")
    assert stood == tree(project)
    failed_training(project, before)


def test_too_little_history(project):
    edit(project / "configs" / "demo" / "models" / "churn.yaml", "history: 210d", "history: 420d")
    said = call("train", "churn", "--project", project)
    refused(said, 5, "not enough history for the model churn", "gap and horizon", "--baseline recency")


@pytest.mark.parametrize("day", ["2024-12-31", "2026-07-02", "2031-01-01"])
def test_an_as_of_outside_the_data(project, day):
    with untouched(project):
        said = call("daily", "--as-of", day, "--project", project)
    refused(said, 4, f"as-of {day} lies outside the data", "allowed: 2025-01-02 to 2026-07-01", "newer data")


@pytest.mark.parametrize("command", [("score",), ("explain", "C000001")])
def test_an_as_of_outside_the_data_for_other_commands(project, command):
    with untouched(project):
        said = call(*command, "--as-of", "2027-01-01", "--project", project)
    refused(said, 4, "lies outside the data")


# Models.


@pytest.mark.parametrize("command", [("score",), ("daily",), ("explain", "C000001")])
def test_no_champion_yet(untrained, command):
    said = call(*command, "--as-of", END, "--project", untrained)
    refused(said, 6, "churn of the deployment demo has no champion yet", "churnwatch train churn", "--baseline recency")
    assert not (untrained / "out").exists()
    # A list that could not be made is on record; who only looks is not.
    assert [("daily", "failed")] * (command == ("daily",)) == [
        (run["command"], run["status"]) for run in facts(untrained, "runs")
    ]


def test_an_unknown_model(project):
    with untouched(project):
        said = call("train", "chrun", "--project", project)
    refused(said, 3, "there is no model chrun", "churn, inactivity", "churn")


@pytest.mark.parametrize("name", ["booster.txt", "calibration.json", "schema.json", "manifest.json"])
def test_a_damaged_bundle(project, name):
    """One bit of any file: scoring refuses before LightGBM sees it."""
    [bundle] = (project / "state" / "demo" / "models" / "demo.churn").iterdir()
    data = bytearray((bundle / name).read_bytes())
    data[len(data) // 2] ^= 1
    (bundle / name).write_bytes(bytes(data))
    with untouched(project):
        said = call("daily", "--as-of", "2026-06-30", "--project", project)
    refused(said, 6, name if name != "manifest.json" else "", "train again")


def test_a_champion_whose_copy_is_gone(project):
    [bundle] = (project / "state" / "demo" / "models" / "demo.churn").iterdir()
    bundle.rename(project / "elsewhere")
    with untouched(project):
        said = call("score", "--as-of", END, "--project", project)
    refused(said, 6, f"no copy of demo.churn version {bundle.name} is kept here", "train again")


# Projects.


def test_a_directory_that_is_no_project(tmp_path):
    said = call("check", "--project", tmp_path)
    assert 3 == said.code
    told(said, 3)
    assert [] == list(tmp_path.iterdir())


def test_a_deployment_that_is_not_there(project):
    with untouched(project):
        said = call("check", "--deployment", "dmeo", "--project", project)
    refused(said, 3, "dmeo", "demo")


def test_a_ledger_on_a_server_that_does_not_answer(untrained, tmp_path, monkeypatch):
    """Named by the environment, and without its password in the message."""
    monkeypatch.setenv("CHURNWATCH_LEDGER", f"postgresql://care:hunter2@/ledger?host={tmp_path}")
    told = call("train", "churn", "--project", untrained)
    refused(told, 3, "the ledger cannot be opened", "postgresql", str(tmp_path), "PGPASSWORD")
    assert "hunter2" not in told.err


def test_a_ledger_newer_than_the_program(project):
    with connected(ledger_of(project)) as connection:
        connection.exec_driver_sql("update ledger_version set version_num = '9999'")
    with untouched(project):
        said = call("daily", "--as-of", END, "--project", project)
    refused(said, 3, "the ledger's schema is 9999, newer than this program", f"up to {REVISIONS[-1]}")


def _read_only(project, monkeypatch):
    if ledger_of(project).startswith("postgresql"):
        with connected(ledger_of(project)) as connection:
            name = connection.exec_driver_sql("select current_database()").scalar()
            connection.exec_driver_sql(f'alter database "{name}" set default_transaction_read_only = on')
        return "read-only transaction"
    _pragma(monkeypatch, "query_only = on")
    return "readonly database"


def _full(project, monkeypatch):
    if ledger_of(project).startswith("postgresql"):
        pytest.skip("the disk of a server is not ours to fill")
    _pragma(monkeypatch, "max_page_count = 1")
    return "is full"


def _pragma(monkeypatch, said):
    """As the file system would have it; of rights that are missing, root notices nothing."""
    real = opening._prepare_sqlite

    def prepared(connection, record):
        real(connection, record)
        connection.execute(f"PRAGMA {said}").close()

    monkeypatch.setattr(opening, "_prepare_sqlite", prepared)


def _without_a_table(project, _monkeypatch):
    with connected(ledger_of(project)) as connection:
        connection.exec_driver_sql("drop table audit")
    return "audit"


@pytest.mark.parametrize("harm", [_read_only, _full, _without_a_table])
def test_a_ledger_that_cannot_be_written(project, monkeypatch, harm):
    """One message with the database's own word for it; the list of before stands, and no new one."""
    before = tree(project)
    word = harm(project, monkeypatch)
    said = call("daily", "--as-of", END, "--rerun", "correct", "--project", project)
    refused(said, 8, "the ledger refused: ", word, ledger_of(project).rpartition("///")[2].rpartition("=")[2])
    assert [1] == [one["revision"] for one in facts(project, "lists")]
    assert before == tree(project)


def test_a_lock_that_cannot_be_written(project):
    """Also for who would only be given what is there. A directory in its place stops root too."""
    lock = project / "state" / "demo" / "lock"
    lock.unlink(missing_ok=True)
    lock.mkdir()
    refused(call("daily", "--as-of", END, "--project", project), 8, "the lock cannot be written", str(lock))
    lock.rmdir()
    lock.parent.rename(project / "elsewhere")
    lock.parent.write_text("a file where the state should be")
    refused(call("daily", "--as-of", END, "--project", project), 8, "the lock cannot be written", str(lock))
    refused(
        call("tune", "churn", "--trials", 1, "--project", project), 8, "the lock cannot be written", "tune-churn.lock"
    )


# Two runs at once.

HOLD = """
import sys
from filelock import FileLock
with FileLock(sys.argv[1]):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def held(project):
    """Another process holds the deployment's lock while the test runs."""
    command = [sys.executable, "-c", HOLD, str(project / "state" / "demo" / "lock")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert "held\n" == other.stdout.readline()
        yield
        other.stdin.close()


@pytest.mark.parametrize("command", [("train", "churn"), ("daily", "--as-of", END), ("score", "--as-of", END)])
def test_a_second_run_exits_at_once(project, held, command):
    with untouched(project):
        said = call(*command, "--project", project)
    refused(said, 7, "another run of the deployment demo is on", "nothing was changed")


@pytest.mark.usefixtures("held")
def test_who_only_reads_does_not_wait(project):
    customer = json.loads((project / "data" / "simulated.json").read_text())
    assert 1200 == customer["customers"]
    ok(call("check", "--project", project))


def test_a_killed_run_leaves_the_lock_free(project):
    """Killed in the midst of training: the next run begins, and the ledger shows that the other never ended."""
    command = [sys.executable, "-m", "churnwatch", "train", "churn", "--project", str(project)]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as run:
        assert run.stderr.readline()
        run.kill()
    assert (
        "verified"
        == ok(call("daily", "--as-of", END, "--rerun", "verify", "--project", project, "--json")).json["status"]
    )


def test_a_refusal_in_a_process_of_its_own(project):
    """As a shell sees it: the code, the message alone on standard error, no traceback."""
    edit(project / "configs" / "demo" / "deployment.yaml", "zone: Asia/Jakarta", "zone: Asia/Djakarta")
    with untouched(project):
        said = spawn("check", "--project", project)
    assert (3, "") == (said.code, said.out)
    assert said.err.startswith("configs/demo/deployment.yaml:4: no such time zone: Asia/Djakarta")
    assert 1 == len(said.err.splitlines())


# Files of the wrong kind, cut off, or delivered twice: what `load` refuses is one message and code 4 here too.


def visits(project, name, content):
    """The visits come from a file of that name with that content."""
    (project / "data" / name).write_bytes(content)
    edit(project / "configs" / "demo" / "sources.yaml", "from: visits.csv", f"from: {name}")


def cut(content):
    return content[: len(content) // 2]


def workbook(rows):
    import io

    from openpyxl import Workbook

    book, file = Workbook(), io.BytesIO()
    for row in rows:
        book.active.append(row)
    book.save(file)
    return file.getvalue()


def appended(text):
    return text + text.split("\n", 1)[1]


DAMAGE = {
    # name of the file: what becomes of the text of visits.csv, and what is told
    "cut.csv.gz": (
        lambda text: cut(gzip.compress(text.encode())),
        ["the gzip file is cut off", "fetch or export it again"],
    ),
    "plain.csv.gz": (lambda text: text.encode(), ["the file is no gzip file"]),
    "cut.parquet": (lambda text: b"PAR1" + text.encode()[:100], ["cut.parquet: ", "a readable Parquet file"]),
    "cut.xlsx": (lambda text: cut(workbook([["visit_no"]])), ["the workbook is cut off or damaged"]),
    "merged.xlsx": (lambda text: workbook([["visit_no", None, "visited"]]), ["no name in column B"]),
    "array.jsonl": (lambda text: b'[{"visit_no": 1}]', ["no line holds an object", "jq -c .[]"]),
    "wide.csv": (lambda text: text.encode("utf-16"), ["the file is UTF-16 text", "add `encoding: utf-16`"]),
    "ragged.csv": (lambda text: re.sub(r"(?m)(?<=.)$", ",1", text).replace(",1", "", 1).encode(), ["too many columns"]),
    "quote.csv": (lambda text: text.encode() + b'V0,"open,\nV1,\nV2,\n', ["a quote opened here is not closed"]),
    "header.csv": (
        lambda text: text.replace("visited", "visit_no", 1).encode(),
        ["visit_no stands twice in the header"],
    ),
    "empty.csv": (lambda text: b"", ["the file is empty"]),
    "twice.csv": (lambda text: appended(text).encode(), ["exact duplicate", "take out what was delivered twice"]),
    "copy.csv": (None, ["again, byte for byte", "each delivery once"]),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_a_damaged_file_is_one_message(project, name):
    change, words = DAMAGE[name]
    source = "visits.csv" if change else "purchases.csv"
    text = (project / "data" / source).read_text()
    visits(project, name, change(text) if change else text.encode())
    with untouched(project):
        said = call("check", "--project", project)
    told(said, 4, name, *words)


def test_times_in_the_wrong_unit(project):
    path = project / "configs" / "demo" / "sources.yaml"
    edit(
        path,
        "at: visited\n        known_at: visited",
        "at: epoch_ms(epoch(visited)::BIGINT)\n        known_at: visited",
    )
    with untouched(project):
        said = call("check", "--project", project)
    refused(said, 4, "visits.csv", "interactions.at in January 1970", "`to_timestamp(column / 1000)` of milliseconds")


def test_what_a_check_doubts_is_told_and_refuses_nothing(project):
    """A kind misspelt, every score turned round, visits that are known some days later."""
    path = project / "configs" / "demo" / "sources.yaml"
    edit(path, "THEN 'complaint'", "THEN 'compliant'")
    edit(path, "higher_is_better: survey <> 'CES'", "higher_is_better: survey = 'CES'")
    edit(path, "known_at: visited", "known_at: visited + INTERVAL 2 DAY")
    found = ok(call("check", "--project", project, "--json")).json
    assert [] != [one for one in found["warnings"] if "kind compliant, which no signal" in one and "complaint?" in one]
    sources = {one["source"]: one for one in found["sources"]}
    late = sources["visits"]["lateness"]
    assert (1.0, 172_800.0, 172_800.0, 172_800.0) == tuple(
        late[key] for key in ("share", "median_seconds", "p95_seconds", "max_seconds")
    )
    assert 0 == sources["shop"]["lateness"]["late"]
    assert sources["surveys"]["lateness"] is sources["crm"]["lateness"] is None
    said = ok(call("check", "--project", project)).out
    assert re.search(r"visits +all +2\.0 d +2\.0 d +2\.0 d", said)
    assert "  · known when they happen: cancellations, payments, shop, tickets, usage\n" in said
