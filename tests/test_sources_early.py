"""Events from before their customer began: warned of where they are more than one in a hundred."""

from __future__ import annotations

import csv
from pathlib import Path

from command_line import call, ok
from raw_files import SURVEY_HEADER, changed, loaded, with_surveys

from churnwatch.sources import Early, early_sources

CUSTOMERS = "id,since\n007,2026-01-01\n8,2026-02-01\n"


def events(*moments: str, customer: str = "8") -> str:
    rows = [f"e{index},{customer},{moment},1\n" for index, moment in enumerate(moments)]
    return "id,customer,when,amount\n" + "".join(rows)


def test_an_event_before_the_customers_first_moment_is_early(tmp_path: Path) -> None:
    text = events("2026-01-31 23:59:59.999999", "2026-02-01", "2026-02-02")
    tables = loaded(tmp_path, customers=CUSTOMERS, events=text)
    assert (Early("shop", 1, 3),) == early_sources(tables.con)


def test_one_in_a_hundred_may_be_early_and_no_more(tmp_path: Path) -> None:
    late = ["2026-02-02"] * 99
    tables = loaded(tmp_path, customers=CUSTOMERS, events=events("2026-01-01", *late))
    assert () == early_sources(tables.con)
    tables = loaded(tmp_path, customers=CUSTOMERS, events=events("2026-01-01", *late[1:]))
    assert (Early("shop", 1, 99),) == early_sources(tables.con)


def test_what_happened_early_and_was_known_later_is_not_early(tmp_path: Path) -> None:
    columns = {"interaction_id": "id", "customer_id": "customer", "at": '"when"', "kind": "'purchase'"}
    mapping = {"source": "shop", "columns": {**columns, "known_at": "\"when\" || ' 12:00'"}}
    tables = loaded(
        tmp_path, changed(mapping=mapping), customers="id,since\n8,2026-02-01 12:00\n", events=events("2026-02-01")
    )
    assert () == early_sources(tables.con)


def test_surveys_count_when_they_were_sent_and_each_source_by_itself(tmp_path: Path) -> None:
    surveys = SURVEY_HEADER + "s1,8,2026-01-31,2026-02-03,9,0,10\ns2,007,2026-01-31,,,,\n"
    tables = loaded(tmp_path, with_surveys(), customers=CUSTOMERS, events=events("2026-02-01"), surveys=surveys)
    assert (Early("asked", 1, 2),) == early_sources(tables.con)


def test_check_warns_with_file_counts_and_share(project: Path) -> None:
    assert not [
        one for one in ok(call("check", "--project", project, "--json")).json["warnings"] if "started_at" in one
    ]
    path = project / "data" / "customers.csv"
    with path.open(newline="", encoding="utf-8") as file:
        rows = [{**row, "signed_up": "2026-06-30", "contract_end": ""} for row in csv.DictReader(file)]
    with path.open("w", newline="", encoding="utf-8") as file:
        out = csv.DictWriter(file, list(rows[0]))
        out.writeheader()
        out.writerows(rows)
    said = ok(call("check", "--project", project, "--json")).json
    [warned] = [one for one in said["warnings"] if one.startswith("tickets.csv") and "started_at" in one]
    assert "events (" in warned
