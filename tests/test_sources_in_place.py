"""A large Parquet file is read in place: the same tables, account and messages as from a copy, and no other file."""

from __future__ import annotations

import copy
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from raw_files import CUSTOMERS, NOW, changed, loaded, project, quarantine

import churnwatch.sources.raw
import churnwatch.sources.repeats
from churnwatch.errors import DataRefused, ProjectError
from churnwatch.sources import Tables, load
from churnwatch.sources.rowwise import is_rowwise

COLUMNS = {"interaction_id": "id", "customer_id": "customer", "at": '"when"', "known_at": "entered", "kind": "what"}
ZONED = pa.timestamp("us", tz="UTC")
MORNING = datetime(2026, 2, 1, 10)


@pytest.fixture
def in_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(churnwatch.sources.raw, "LARGE", 0)


def written(path: Path, rows: list[dict[str, Any]], *, time: pa.DataType = ZONED, **options: Any) -> None:
    """Rows that say only what is unusual about them, as ``events.parquet``; entered when it happened."""
    full = []
    for number, row in enumerate(rows):
        usual = {"id": f"e{number}", "customer": "8", "when": MORNING, "what": "buy", "amount": 1.0, "score": "1"}
        full.append(usual | {"entered": row.get("when", MORNING)} | row)
    schema = pa.schema(
        [
            ("id", pa.string()),
            ("customer", pa.string()),
            ("when", time),
            ("entered", time),
            ("what", pa.string()),
            ("amount", pa.float64()),
            ("score", pa.string()),
        ]
    )
    columns = [pa.array([row[field.name] for row in full], field.type) for field in schema]
    pq.write_table(pa.table(columns, schema=schema), path / "events.parquet", **options)


def sources(*, columns: dict[str, str] | None = None, where: str | None = None, **source: Any) -> dict[str, Any]:
    """The events from ``events.parquet``, with an amount and a score."""
    mapping = {
        "source": "shop",
        "columns": COLUMNS | (columns or {}),
        "measures": {"amount": "amount", "score": "score"},
        **({} if where is None else {"where": where}),
    }
    return changed(shop={"from": "events.parquet", "types": {}, **source}, mapping=mapping)


def is_view(tables: Tables, table: str = "interactions") -> bool:
    query = "SELECT 1 FROM duckdb_views() WHERE schema_name = 'main' AND view_name = ?"
    return tables.con.execute(query, [table]).fetchall() == [(1,)]


def everything(tables: Tables) -> list[Any]:
    """All that a load says, the rows in one order."""
    return [
        tables.measures,
        tables.accounting,
        tables.quarantine.to_pylist(),
        tables.warnings,
        *(
            found
            for table in ("customers", "interactions", "surveys", "agents")
            for found in (
                tables.con.execute(f"DESCRIBE {table}").fetchall()[0][:2],
                tables.con.execute(f"FROM {table} ORDER BY ALL").fetchall(),
            )
        ),
    ]


FAULTS: list[tuple[dict[str, Any], str | None]] = [
    # what is unusual about a row, and the rule it breaks
    ({}, None),
    ({"customer": "007", "amount": float("nan"), "score": " 7 "}, None),
    ({"amount": None, "score": None}, None),
    ({"id": None}, "interactions.interaction_id is missing"),
    ({"id": " \u00a0\u3000"}, "interactions.interaction_id is missing"),
    ({"id": "\u00e9"}, None),
    ({"customer": ""}, "interactions.customer_id is missing"),
    ({"what": " "}, "interactions.kind is missing"),
    ({"when": None}, "interactions.at is missing"),
    ({"when": datetime(2026, 7, 1)}, "interactions.known_at in the future"),
    ({"entered": datetime(2026, 1, 1)}, "interactions.known_at before at"),
    ({"amount": float("inf")}, "interactions.amount is not a number"),
    ({"score": "1_000"}, "interactions.score is not a number"),
    ({"id": "e0"}, "exact duplicate"),
    ({"id": "e0", "amount": 2.0}, "interactions.interaction_id repeats"),
    ({"customer": "9"}, "interactions.customer_id is no customer"),
    ({"what": "test"}, "excluded"),
]


@pytest.mark.parametrize("time", [ZONED, pa.timestamp("us"), pa.timestamp("ns")])
@pytest.mark.parametrize("zone", ["UTC", "Asia/Jakarta", "Europe/London"])
def test_in_place_and_copied_say_the_same_of_every_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, zone: str, time: pa.DataType
) -> None:
    written(tmp_path, [row for row, _ in FAULTS], time=time, row_group_size=3)
    said = sources(zone=zone, exclude=[{"rule": "a test", "when": "what = 'test'"}, {"rule": "none", "when": "false"}])
    copied = loaded(tmp_path, said)
    assert not is_view(copied)
    monkeypatch.setattr(churnwatch.sources.raw, "LARGE", len(FAULTS))
    read = loaded(tmp_path, said)
    assert is_view(read)
    expected = [(line, rule) for line, (_, rule) in enumerate(FAULTS, start=1) if rule and rule != "excluded"]
    assert expected == [row[1:3] for row in quarantine(read)]
    assert {"a test": 1, "none": 0} == read.accounting[1].excluded
    assert (17, 4, 4) == (
        read.accounting[1].read,
        read.accounting[1].accepted,
        read.accounting[1].events["interactions"],
    )
    assert everything(copied) == everything(read)
    monkeypatch.setattr(churnwatch.sources.raw, "LARGE", len(FAULTS) + 1)
    assert not is_view(loaded(tmp_path, said))


def test_a_view_beside_copied_rows_is_one_table(tmp_path: Path, in_place: None) -> None:
    written(tmp_path, [{}, {"id": "c1"}])
    said = sources()
    said["sources"]["desk"] = {"from": "calls.csv", "allowance": 1.0}
    desk = {"interaction_id": "id", "customer_id": "customer", "at": '"when"', "known_at": '"when"', "kind": "'call'"}
    said["tables"]["interactions"].append({"source": "desk", "columns": desk})
    tables = loaded(tmp_path, said, calls="id,customer,when\nc1,8,2026-02-03\nc2,007,2026-02-03\n")
    assert is_view(tables)
    # an id that stands in both is kept where it stands first
    assert [("calls.csv", 2, "interactions.interaction_id repeats one of shop", "c1")] == quarantine(tables)
    assert [("c1", "shop"), ("c2", "desk"), ("e0", "shop")] == tables.con.execute(
        "SELECT interaction_id, source FROM interactions ORDER BY 1"
    ).fetchall()
    assert datetime(2026, 2, 1, 10, tzinfo=UTC) == tables.data_end("interactions", {"kind": "buy"})


def test_facts_are_copied_and_surveys_stay_in_their_file(tmp_path: Path, in_place: None) -> None:
    written(tmp_path, [{}, {"score": None, "entered": None}])
    pq.write_table(pa.table({"id": ["8"], "since": ["2026-01-01"]}), tmp_path / "customers.parquet")
    said = changed(crm={"from": "customers.parquet", "zone": "UTC"})
    said["sources"]["asked"] = {"from": "events.parquet"}
    columns = {
        "survey_id": "id",
        "customer_id": "customer",
        "sent_at": '"when"',
        "answered_at": "entered",
        "instrument": "'nps'",
        "raw_score": "score",
        "scale_min": "0",
        "scale_max": "10",
        "higher_is_better": "true",
    }
    said["tables"]["surveys"] = [{"source": "asked", "columns": columns}]
    tables = loaded(tmp_path, said, events="id,customer,when,amount\ne1,8,2026-02-01,5\n")
    assert (False, True) == (is_view(tables, "customers"), is_view(tables, "surveys"))
    assert [("e0", MORNING, 1.0), ("e1", None, None)] == tables.con.execute(
        "SELECT survey_id, answered_at, raw_score FROM surveys ORDER BY 1"
    ).fetchall()


def test_an_event_that_takes_its_customer_along_is_looked_for_again(tmp_path: Path, in_place: None) -> None:
    # e1 is of nobody, and what it says of the customer 8 goes with it: then e0 is of nobody too.
    written(tmp_path, [{"customer": "8", "what": "7"}, {"customer": "9", "what": "8"}, {"customer": "7", "what": "7"}])
    said = sources(allowance=1.0)
    said["tables"]["customers"] = [{"source": "shop", "columns": {"customer_id": "what", "started_at": '"when"'}}]
    said["tables"]["customers"][0]["where"] = "id <> 'e0'"
    tables = loaded(tmp_path, said)
    assert [
        ("events.parquet", 1, "interactions.customer_id is no customer", "8"),
        ("events.parquet", 2, "interactions.customer_id is no customer", "9"),
    ] == quarantine(tables)


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        ("UTC", MORNING),
        ("Asia/Jakarta", datetime(2026, 2, 1, 3)),
        # the hour that occurs twice means the second (01:30 GMT), the one that is skipped an hour later
        ("Europe/London", datetime(2026, 2, 1, 10)),
    ],
)
def test_times_without_a_zone_are_civil_times_of_the_source_whatever_the_session(
    tmp_path: Path, in_place: None, zone: str, expected: datetime
) -> None:
    written(tmp_path, [{}, {"when": datetime(2025, 10, 26, 1, 30)}], time=pa.timestamp("us"))
    tables = loaded(tmp_path, sources(zone=zone))
    found = 'SELECT "at" FROM interactions ORDER BY interaction_id'
    first, second = tables.con.execute(found).fetchall()
    assert (expected,) == first
    offset = {"UTC": 0, "Asia/Jakarta": 7, "Europe/London": 0}[zone]
    assert (datetime(2025, 10, 26, 1, 30) - timedelta(hours=offset),) == second
    assert [("UTC",)] == tables.con.execute("SELECT current_setting('TimeZone')").fetchall()
    tables.con.execute("SET TimeZone = 'America/New_York'")
    assert [first, second] == tables.con.execute(found).fetchall()


@pytest.mark.parametrize(
    ("sql", "zone", "expected"),
    [
        ("upper(what)", "Asia/Jakarta", True),
        ("CASE WHEN amount > 3 THEN 'big' END", "Asia/Jakarta", True),
        ("opened IS NOT NULL AND what = 'x'", "Asia/Jakarta", True),
        ("strftime(local, '%H')", "Asia/Jakarta", True),
        ("strftime(opened, '%H')", "UTC", True),
        # an instant written out, cut to the day or made here depends on the session's zone
        ("strftime(opened, '%H')", "Asia/Jakarta", False),
        ("Opened::DATE", "Asia/Jakarta", False),
        ("local::TIMESTAMPTZ", "Asia/Jakarta", False),
        ("to_timestamp(amount)", "Asia/Jakarta", False),
        ("strptime(what, '%Y %z')", "Asia/Jakarta", False),
        ("local AT TIME ZONE 'UTC'", "Asia/Jakarta", False),
        # more than the row, a clock, chance
        ("row_number() OVER ()", "UTC", False),
        ("(SELECT max(what) FROM shop)", "UTC", False),
        ("(FROM shop)", "UTC", False),
        ("random()", "UTC", False),
        ("CURRENT_TIMESTAMP", "UTC", False),
        ("ago(INTERVAL 1 DAY)", "UTC", False),
        ("uuid()", "UTC", False),
    ],
)
def test_only_sql_that_looks_at_its_row_alone_is_asked_again(sql: str, zone: str, expected: bool) -> None:
    columns = {"opened": "TIMESTAMP WITH TIME ZONE", "local": "TIMESTAMP", "what": "VARCHAR", "amount": "DOUBLE"}
    assert expected is is_rowwise(["what", sql], columns=columns, zone=zone)


@pytest.mark.parametrize(
    ("part", "view"),
    [
        ({"columns": {"topic": "what || '!'"}}, True),
        ({"columns": {"topic": '"when"'}}, False),
        ({"columns": {"topic": "CAST(row_number() OVER (ORDER BY id) AS VARCHAR)"}}, False),
        ({"columns": {"at": "score", "known_at": "score"}, "where": "false"}, False),
        ({"where": "random() < 2"}, False),
        ({"exclude": [{"rule": "chance", "when": "random() > 2"}]}, False),
        ({"types": {"score": "number"}}, False),
    ],
)
def test_rows_whose_sql_might_say_something_else_are_copied(
    tmp_path: Path, in_place: None, part: dict[str, Any], view: bool
) -> None:
    written(tmp_path, [{}, {}])
    said = sources(**part)
    if part.get("where") == "false":
        # only so that the table is not empty
        said["tables"]["interactions"].append({"source": "shop", "columns": COLUMNS | {"topic": "random()::VARCHAR"}})
    assert view is is_view(loaded(tmp_path, said))


def test_a_comparison_with_nan_is_that_of_a_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # NaN is greater than any number; the file's own statistics (greatest: 2) do not know of it.
    written(tmp_path, [{"amount": 1.0}, {"amount": 2.0}, {"amount": float("nan")}])
    for large in (10, 0):
        monkeypatch.setattr(churnwatch.sources.raw, "LARGE", large)
        tables = loaded(tmp_path, sources(where="amount > 3"))
        assert [("e2", None)] == tables.con.execute("SELECT interaction_id, amount FROM interactions").fetchall()


def test_ids_that_only_share_a_hash_are_no_repeats(
    tmp_path: Path, in_place: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path, [{}, {}, {"id": "e0"}])
    true = churnwatch.sources.repeats.repeated_hashes

    def suspicious(con: duckdb.DuckDBPyConnection, relations: list[str], key: str) -> pa.Table:
        found = true(con, relations, key)
        assert (key == "interaction_id") == found.num_rows
        every = " UNION ALL ".join(f"SELECT hash({key}) AS hash FROM {one}" for one in relations)
        return con.sql(f"SELECT DISTINCT hash FROM ({every})").to_arrow_table() if relations else found

    monkeypatch.setattr(churnwatch.sources.repeats, "repeated_hashes", suspicious)
    tables = loaded(tmp_path, sources())
    assert [("events.parquet", 3, "exact duplicate", "e0")] == quarantine(tables)


@pytest.mark.parametrize(
    "sql",
    [
        "(SELECT min(content) FROM read_text('secret.txt'))",
        "(SELECT count(*) FROM read_csv('{path}/customers.csv'))",
        "(SELECT count(*) FROM read_parquet('{path}/other.parquet'))",
        "(SELECT count(*) FROM '{path}/other.parquet')",
        "(SELECT count(*) FROM glob('{path}/*'))",
    ],
)
def test_the_projects_sql_reads_no_other_file_beside_one_read_in_place(
    tmp_path: Path, in_place: None, sql: str
) -> None:
    written(tmp_path, [{}])
    pq.write_table(pa.table({"secret": [1]}), tmp_path / "other.parquet")
    with pytest.raises(ProjectError, match="allowed: SQL over the declared sources, no other file") as caught:
        loaded(tmp_path, sources(columns={"topic": sql.format(path=tmp_path)}))
    assert "configs/here/sources.yaml: interactions[0] from shop.topic: Permission Error" in caught.value.message


@pytest.mark.parametrize(
    "sql",
    [
        "FROM read_csv('{path}/customers.csv')",
        "FROM read_parquet('{path}/other.parquet')",
        "ATTACH '{path}/new.db' AS new",
        "COPY (SELECT 1) TO '{path}/out.parquet'",
        "COPY (SELECT 1) TO '{path}/events.parquet'",
        "SET enable_external_access = true",
        "SET allowed_paths = ['{path}/other.parquet']",
    ],
)
def test_the_tables_connection_reads_and_writes_no_other_file(tmp_path: Path, in_place: None, sql: str) -> None:
    written(tmp_path, [{}])
    pq.write_table(pa.table({"secret": [1]}), tmp_path / "other.parquet")
    tables = loaded(tmp_path, sources())
    before = (tmp_path / "events.parquet").read_bytes()
    with pytest.raises((duckdb.PermissionException, duckdb.InvalidInputException)):
        tables.con.execute(sql.format(path=tmp_path))
    assert before == (tmp_path / "events.parquet").read_bytes()
    assert {"customers.csv", "events.csv", "events.parquet", "other.parquet"} == {p.name for p in tmp_path.iterdir()}


def test_sql_that_stops_at_a_value_is_told_at_loading_as_from_a_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path, [{}, {"score": "x"}])
    told = []
    for large in (10, 0):
        monkeypatch.setattr(churnwatch.sources.raw, "LARGE", large)
        with pytest.raises(ProjectError) as caught:
            loaded(tmp_path, sources(columns={"topic": "CAST(score AS INTEGER)"}))
        told.append(caught.value.message)
    assert "interactions[0] from shop.topic: Conversion Error: Could not convert string '…' to INT32" in told[0]
    assert told[0] == told[1]


@pytest.mark.parametrize("column", ["id", "customer", "when", "what", "amount", "score"])
def test_a_damaged_page_is_refused_at_loading(tmp_path: Path, in_place: None, column: str) -> None:
    numbers = np.random.default_rng(3).permutation(5_000)
    rows = [
        {
            "id": f"e{n}",
            "customer": "8",
            "what": f"w{n}",
            "amount": float(n),
            "when": MORNING + timedelta(seconds=int(n)),
        }
        for n in numbers
    ]
    written(tmp_path, [row | {"score": str(n)} for row, n in zip(rows, numbers, strict=True)], compression="zstd")
    group = pq.ParquetFile(tmp_path / "events.parquet").metadata.row_group(0)
    chunk = next(group.column(i) for i in range(group.num_columns) if group.column(i).path_in_schema == column)
    data = bytearray((tmp_path / "events.parquet").read_bytes())
    start = chunk.data_page_offset if column != "customer" else chunk.dictionary_page_offset
    for byte in range(start, start + min(400, chunk.total_compressed_size // 2)):
        data[byte] ^= 0xFF
    (tmp_path / "events.parquet").write_bytes(data)
    with pytest.raises(DataRefused, match="allowed: a readable Parquet file") as caught:
        loaded(tmp_path, sources())
    assert caught.value.message.startswith("events.parquet: ")


def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path: Path, in_place: None) -> None:
    written(tmp_path, [{}, {}])
    (tmp_path / "customers.csv").write_text(CUSTOMERS)

    def replaced(words: str, *_: int) -> None:
        if words == "ordering the tables":
            written(tmp_path, [{}])

    with pytest.raises(DataRefused, match=r"events\.parquet: the file changed while it was read"):
        load(project(sources()), data=tmp_path, now=NOW, report=replaced)


def test_the_order_of_the_files_rows_makes_no_difference(tmp_path: Path, in_place: None) -> None:
    rows = [{"id": f"e{n}", "customer": "8" if n % 3 else "007", "amount": n / 7} for n in range(50)]
    found = []
    for order in (rows, rows[::-1], rows[1::2] + rows[::2]):
        written(tmp_path, copy.deepcopy(order), row_group_size=7)
        found.append(everything(loaded(tmp_path, sources())))
    assert [found[0]] * 2 == found[1:]


SPILLS = """
import sys, tempfile, pathlib
sys.path.insert(0, {tests!r})
tempfile.tempdir = {spill!r}
from raw_files import loaded
tables = loaded(pathlib.Path({data!r}))
tables.con.execute("SET memory_limit = '60MB'")
tables.con.execute("CREATE TABLE big AS SELECT range AS n, md5(range::VARCHAR) AS text FROM range(3000000)")
print([path.name[:11] for path in pathlib.Path({spill!r}).iterdir()])
if {fails}:
    raise SystemExit("failed")
"""


@pytest.mark.parametrize("fails", [False, True])
def test_what_does_not_fit_into_memory_is_gone_from_the_disk_when_the_process_ends(tmp_path: Path, fails: bool) -> None:
    data, spill = tmp_path / "data", tmp_path / "spill"
    data.mkdir()
    spill.mkdir()
    code = SPILLS.format(tests=str(Path(__file__).parent), spill=str(spill), data=str(data), fails=fails)
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ("['churnwatch-']", int(fails)) == (ran.stdout.splitlines()[-1], ran.returncode), ran.stderr
    assert [] == list(spill.iterdir())
