"""How late each source's events become known: share, median, 95 %, most."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

import churnwatch.sources.lateness
from churnwatch.sources import Lateness, Tables, new_tables

DAY = 86_400.0
MORNING = datetime(2026, 3, 1, 8, tzinfo=UTC)


def delayed(**delays: list[float]) -> Tables:
    """Tables whose interactions became known so many seconds after they happened, by source."""
    tables = Tables(new_tables(()), (), (), pa.table({}), (), "UTC")
    rows = [(source, delay) for source, some in delays.items() for delay in some]
    moment = MORNING.replace(tzinfo=None)
    tables.con.execute(
        """INSERT INTO interactions (interaction_id, customer_id, "at", known_at, kind, source)
           SELECT row, '8', $at::TIMESTAMP, known, 'usage', source
           FROM (SELECT unnest($known::TIMESTAMP[]) AS known, unnest($sources::VARCHAR[]) AS source,
                        generate_subscripts($known, 1) AS row)""",
        {
            "at": moment,
            "known": [moment + timedelta(seconds=delay) for _, delay in rows],
            "sources": [source for source, _ in rows],
        },
    )
    return tables


def test_no_rows_have_no_lateness() -> None:
    assert () == delayed().lateness()


def test_a_source_that_is_known_at_once_has_none() -> None:
    assert (Lateness("app", 3, 0, 0.0, 0.0, 0.0),) == delayed(app=[0, 0, 0]).lateness()


def test_the_delays_of_all_rows_count_by_nearest_rank() -> None:
    """Of 20 rows the median is the 10th, 95 % the 19th; 12 are known at once."""
    delays = [0.0] * 12 + [60, 120, 180, 240, 300, 360, DAY, 7 * DAY]
    assert (Lateness("app", 20, 8, 0.0, DAY, 7 * DAY),) == delayed(app=delays).lateness()
    assert 0.4 == delayed(app=delays).lateness()[0].share


def test_each_source_is_judged_alone_and_by_name() -> None:
    tables = delayed(web=[0, 10, 30], app=[1.5], desk=[DAY] * 3)
    assert (
        Lateness("app", 1, 1, 1.5, 1.5, 1.5),
        Lateness("desk", 3, 3, DAY, DAY, DAY),
        Lateness("web", 3, 2, 10.0, 30.0, 30.0),
    ) == tables.lateness()


@settings(max_examples=50, deadline=None)
@given(st.lists(st.sampled_from([0.0, 0.000001, 1.0, 5.0, 3600.0]), min_size=1, max_size=60))
def test_any_delays_give_what_sorting_them_gives(delays: list[float]) -> None:
    ordered = sorted(delays)
    median, p95 = (ordered[math.ceil(share * len(delays)) - 1] for share in (0.5, churnwatch.sources.lateness.P95))
    late = sum(delay > 0 for delay in delays)
    assert (Lateness("app", len(delays), late, median, p95, ordered[-1]),) == delayed(app=delays).lateness()
