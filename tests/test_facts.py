"""Facts of customers: since when they are known, and what becomes of those of which nobody can say."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from raw_files import changed, loaded, quarantine
from small_tables import tables_of

from churnwatch.runs.facts import facts_of

HEADER = "id,since,known,plan,fee,contract\n"


def sources(**columns: str) -> dict[str, Any]:
    """A table of customers with facts and a map from a text to a number."""
    made = changed(crm={"allowance": 1.0, "types": {"fee": "number"}})
    [customers] = made["tables"]["customers"]
    customers["columns"] |= {"segment": "plan", "value": "fee", "known_at": "known", **columns}
    customers["measures"] = {"months": "CASE contract WHEN 'monthly' THEN 1 WHEN 'yearly' THEN 12 END"}
    return made


def test_a_fact_has_the_time_of_its_row_and_a_text_its_declared_number(tmp_path: Path) -> None:
    """Known before the start is fine; without a time, and with a text the map does not know, the rest stays."""
    customers = HEADER + "007,2026-01-02,2026-01-01,gold,9,yearly\n8,2026-01-02,,iron,5,weekly\n"
    tables = loaded(tmp_path, sources(), customers=customers)
    assert ("months",) == tables.customer_measures
    # midnight in Jakarta is 17:00 UTC of the day before
    assert [("007", datetime(2025, 12, 31, 17), "gold", 9.0, 12.0), ("8", None, "iron", 5.0, None)] == (
        tables.con.execute("SELECT customer_id, known_at, segment, value, months FROM customers ORDER BY 1").fetchall()
    )


def test_facts_known_in_the_future_are_quarantined(tmp_path: Path) -> None:
    """Known exactly now is accepted, a microsecond later is not."""
    customers = (
        "id,since,known,plan,fee,contract\n"
        "007,2026-01-01,2026-06-01T00:00:00Z,gold,9,yearly\n8,2026-01-01,2026-06-01T00:00:00.000001Z,iron,5,\n"
    )
    tables = loaded(tmp_path, sources(), customers=customers)
    told = "known_at 2026-06-01 00:00:00.000001"
    assert ("customers.csv", 3, "customers.known_at in the future", told) == quarantine(tables)[0]
    assert {"customers.known_at in the future": 1} == tables.accounting[0].quarantined


def test_a_measure_that_is_no_number_quarantines_its_row(tmp_path: Path) -> None:
    made = sources()
    made["tables"]["customers"][0]["measures"] = {"months": "contract"}
    tables = loaded(tmp_path, made, customers=HEADER + "007,2026-01-01,,,,12\n8,2026-01-01,,,,yearly\n")
    assert ("customers.csv", 3, "customers.months is not a number", "yearly") == quarantine(tables)[0]


SINCE = datetime(2026, 3, 1)


@pytest.mark.parametrize(
    ("rows", "facts", "barred"),
    [
        ([{"name": "Ani"}], {}, {}),
        ([{"owner": "rina", "known_at": SINCE}], {}, {"owner": "of today, used for today's list only"}),
        ([{"do_not_contact": True}, {}], {}, {"do_not_contact": "of today, used for today's list only"}),
        (
            [{"segment": "gold", "months": 1.0}, {"known_at": SINCE}],
            {},
            {
                "segment": "no history (no known_at), used for today's list only",
                "months": "no history (no known_at), read by no signal",
            },
        ),
        (
            [{"value": 1.0, "months": 1.0, "known_at": SINCE}, {"value": 1.0, "known_at": datetime(2026, 4, 1)}],
            {
                "value": "with a history from 2026-03-01 on",
                "months": "with a history from 2026-03-01 on",
            },
            {},
        ),
        (
            [{"language": "id", "known_at": SINCE}, {"language": "en"}],
            {"language": "with a history from 2026-03-01 on, for 1 of 2 customers"},
            {},
        ),
    ],
    ids=["none", "owner", "do not contact", "without known_at", "with known_at", "for some"],
)
def test_filled_facts_are_told_with_their_history_or_as_barred(
    rows: list[dict[str, Any]], facts: dict[str, str], barred: dict[str, str]
) -> None:
    customers = [{"customer_id": str(i), **row} for i, row in enumerate(rows)]
    assert (facts, barred) == facts_of(tables_of(customers=customers, customer_measures=("months",)))
