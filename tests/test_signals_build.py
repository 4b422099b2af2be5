"""`signals build`, as a user runs it: the numbers the models read, for any customers and moments."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from command_line import END, call, ok, refused, untouched


def build(project, *options, out="signals.parquet"):
    return call("signals", "build", "--project", project, "--out", project / out, *options)


def test_the_file_holds_what_the_model_read(project):
    """At the day of the list: for those who were scored, the very numbers that were scored."""
    said = ok(build(project, "--as-of", END, "--json")).json
    scored = ok(call("score", "--project", project, "--as-of", END, "--json")).json["files"]["signals.parquet"]
    made, read = pq.read_table(said["file"]), pq.read_table(scored)
    assert said["rows"] == made.num_rows > read.num_rows
    assert {"customer_id", "as_of", *said["columns"]} == set(made.column_names)
    place = {customer: i for i, customer in enumerate(made["customer_id"].to_pylist())}
    rows = [place[customer] for customer in read["customer_id"].to_pylist()]
    for name in read.column_names[2:]:
        assert read[name].to_numpy().tobytes() == made[name].to_numpy()[rows].tobytes()


def test_many_days_are_as_good_as_each_alone(project):
    """Days in any order, one of them twice; each row is that of the day alone. Nothing else is touched."""
    with untouched(project):
        said = ok(build(project, "--as-of", "2026-06-01,2026-03-01, 2026-06-01")).out
    together = pq.read_table(project / "signals.parquet")
    assert f"{together.num_rows:,} rows" in said
    for day in ("2026-03-01", "2026-06-01"):
        ok(build(project, "--as-of", day, out="alone.parquet"))
        alone = pq.read_table(project / "alone.parquet")
        mask = pc.equal(together["as_of"], alone["as_of"][0])
        assert _same(alone, together.filter(mask))


def _same(one, other):
    """Equal to the bit; a missing number is the same as a missing number."""
    return all(
        one[name].to_numpy(zero_copy_only=False).tobytes() == other[name].to_numpy(zero_copy_only=False).tobytes()
        if pa.types.is_floating(one.schema.field(name).type)
        else one[name].to_pylist() == other[name].to_pylist()
        for name in one.column_names
    )


@pytest.fixture
def spine(project):
    """Two customers at three moments, one of them no midnight, as text and as Parquet."""
    scores = next((project / "out" / "demo").glob("*/scores.parquet"))
    ids = pq.read_table(scores)["customer_id"].to_pylist()[:2]
    text = "as_of,customer_id\n" + f"2026-06-01,{ids[1]}\n2026-05-07 15:30:00,{ids[0]}\n2026-06-01T00:00:00Z,{ids[0]}\n"
    (project / "spine.csv").write_text(text)
    moments = [datetime(2026, 5, 31, 17), datetime(2026, 5, 7, 8, 30), datetime(2026, 6, 1)]
    rows = pa.table({"customer_id": [ids[1], ids[0], ids[0]], "as_of": pa.array(moments, pa.timestamp("us"))})
    pq.write_table(rows, project / "spine.parquet")
    return ids


def test_a_spine_names_customers_and_moments(project, spine):
    """Civil time of the deployment's zone (Jakarta, 7 h ahead) where text has no offset; UTC in Parquet."""
    ok(build(project, "--spine", project / "spine.csv"))
    text = pq.read_table(project / "signals.parquet")
    assert sorted([(spine[1], "2026-05-31 17:00"), (spine[0], "2026-05-07 08:30"), (spine[0], "2026-06-01 00:00")]) == [
        (customer, f"{as_of:%Y-%m-%d %H:%M}")
        for customer, as_of in zip(text["customer_id"].to_pylist(), text["as_of"].to_pylist(), strict=True)
    ]
    ok(build(project, "--spine", project / "spine.parquet", out="again.parquet"))
    assert (project / "signals.parquet").read_bytes() == (project / "again.parquet").read_bytes()
    ok(build(project, "--spine", project / "signals.parquet", out="third.parquet"))
    assert (project / "signals.parquet").read_bytes() == (project / "third.parquet").read_bytes()
    assert not np.isnan(text["quiet_days"].to_numpy()).all()


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ("nobody,2026-06-01\n", "customer_id is no customer in 1 rows, such as line 2"),
        ("{id},2026-06-01\n{id},soon\n{id},\n", "as_of is no moment in 2 rows, such as line 3, 4"),
        ("{id},2027-06-01\n", "as_of lies outside the data in 1 rows, such as line 2"),
        ("{id},2020-06-01\n", "as_of lies outside the data in 1 rows, such as line 2"),
        ("", "the file has no rows"),
    ],
)
def test_a_spine_of_wrong_rows_is_refused(project, spine, rows, words):
    """By line and rule; a customer's id is never shown."""
    (project / "wrong.csv").write_text("customer_id,as_of\n" + rows.format(id=spine[0]))
    said = build(project, "--spine", project / "wrong.csv")
    assert 4 == said.code
    assert words in said.err
    assert "nobody" not in said.err
    assert not (project / "signals.parquet").exists()


def test_wrong_questions_are_refused(project):
    """One message each, with what is allowed."""
    refused(build(project), 2, "--as-of, --spine", "when are the signals wanted?")
    refused(build(project, "--as-of", END, "--spine", "x.csv"), 2, "there are two answers")
    refused(build(project, "--as-of", END, "--master", "local[2]"), 2, "add --engine spark")
    refused(build(project, "--as-of", "2027-01-01"), 4, "lies outside the data")
    assert "there is no file" in build(project, "--spine", project / "none.csv").err
    (project / "columns.csv").write_text("customer,as_of\nx,2026-06-01\n")
    assert "has no column customer_id" in build(project, "--spine", project / "columns.csv").err
    assert "cannot be written" in build(project, "--as-of", END, out="no/such/place.parquet").err
