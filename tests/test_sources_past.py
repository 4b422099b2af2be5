"""The tables as known earlier: what came later is not there, and what was there stays."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from oracle import Event
from small_tables import tables_of

from churnwatch.sources import as_known

BEGIN = datetime(2026, 1, 1)
NOON, EVENING = datetime(2026, 3, 1, 12), datetime(2026, 3, 1, 18)


@pytest.fixture
def whole():
    return tables_of(
        [
            Event("early", "a", BEGIN, BEGIN, {"kind": "contact"}),
            Event("told late", "a", BEGIN, NOON, {"kind": "contact"}),
            Event("just before", "b", BEGIN, datetime(2026, 3, 1, 11, 59, 59), {"kind": "contact"}),
            Event("later", "b", EVENING, EVENING, {"kind": "cancellation"}),
        ],
        customers=[
            {"customer_id": "a", "started_at": BEGIN, "ended_at": BEGIN},
            {"customer_id": "b", "started_at": BEGIN, "ended_at": EVENING},
            {"customer_id": "c", "started_at": NOON},
            {"customer_id": "d"},
        ],
        surveys=[
            {
                "survey_id": name,
                "customer_id": "a",
                "instrument": "nps",
                "sent_at": sent,
                "answered_at": answered,
                "raw_score": 3.0,
                "comment": "said so",
            }
            for name, sent, answered in (("1", BEGIN, BEGIN), ("2", BEGIN, NOON), ("3", NOON, NOON))
        ],
        data_end=datetime(2026, 4, 1, tzinfo=UTC),
    )


def rows(tables, sql):
    return tables.con.execute(sql).fetchall()


def test_what_was_known_by_the_instant_itself_is_not_there(whole):
    past = as_known(whole, NOON.replace(tzinfo=UTC))
    ids = rows(past, "select interaction_id from interactions order by 1")
    assert [("early",), ("just before",)] == ids
    assert [("a", BEGIN), ("b", None), ("d", None)] == rows(
        past, "select customer_id, ended_at from customers order by 1"
    )
    told = rows(past, "select survey_id, answered_at, raw_score, comment from surveys order by 1")
    assert [("1", BEGIN, 3.0, "said so"), ("2", None, None, None)] == told
    assert {datetime(2026, 3, 1, 12, tzinfo=UTC)} == {one.data_end for one in past.accounting}


def test_the_tables_it_was_made_of_stay_and_what_is_added_to_them_is_seen(whole):
    earlier = as_known(whole, NOON.replace(tzinfo=UTC))
    later = as_known(whole, datetime(2026, 5, 1, tzinfo=UTC))
    assert 4 == rows(whole, "select count(*) from interactions")[0][0]
    whole.con.execute("insert into customers (customer_id, do_not_contact, source) values ('e', false, 'x')")
    assert [(4,), (5,)] == [rows(one, "select count(*) from customers")[0] for one in (earlier, later)]
    # A declared end does not move on.
    assert {datetime(2026, 4, 1, tzinfo=UTC)} == {one.data_end for one in later.accounting}


def test_the_past_of_the_past_is_the_earlier_of_both(whole):
    noon = as_known(whole, NOON.replace(tzinfo=UTC))
    assert [(2,)] == rows(as_known(noon, datetime(2026, 5, 1, tzinfo=UTC)), "select count(*) from interactions")
    assert [(1,)] == rows(as_known(noon, datetime(2026, 1, 2, tzinfo=UTC)), "select count(*) from interactions")


def test_an_instant_without_a_zone_is_refused(whole):
    with pytest.raises(ValueError, match="no zone"):
        as_known(whole, NOON)
