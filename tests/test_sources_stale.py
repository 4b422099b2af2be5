"""Sources that have fallen silent: at least 20 rows expected and none seen for more than three days."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from raw_files import SURVEY_HEADER, changed, loaded, with_surveys

from churnwatch.sources import Stale, Tables, new_tables

DAY = timedelta(days=1)
LAST = datetime(2026, 5, 1, tzinfo=UTC)


def fed(*moments: datetime, kinds: tuple[str, ...] = ("usage",), source: str = "app") -> Tables:
    """Tables with one interaction at and known at each of ``moments``, its kind taken in turn."""
    tables = Tables(new_tables(()), (), (), pa.table({}), (), "UTC")
    more(tables, *moments, kinds=kinds, source=source)
    return tables


def more(tables: Tables, *moments: datetime, kinds: tuple[str, ...] = ("usage",), source: str = "app") -> None:
    # all at once: row by row it is slow
    tables.con.execute(
        """INSERT INTO interactions (interaction_id, customer_id, "at", known_at, kind, source)
           SELECT $source || row, '8', moment, moment, $kinds[row % len($kinds) + 1], $source
           FROM (SELECT unnest($moments::TIMESTAMP[]) AS moment, generate_subscripts($moments, 1) AS row)""",
        {"source": source, "kinds": list(kinds), "moments": [moment.replace(tzinfo=None) for moment in moments]},
    )


def daily(rows: int, *, days: int = 90, last: datetime = LAST) -> list[datetime]:
    """``rows`` at the same moment of each of ``days`` days up to ``last``."""
    return [last - DAY * day for day in range(days) for _ in range(rows)]


def test_a_dense_feed_that_stops_is_stale_once_twenty_rows_are_missing() -> None:
    tables = fed(*daily(2), kinds=("usage", "visit"))
    # 180 rows in 90 days: 2 a day, so 20 rows are expected in 10 days
    assert () == tables.stale(LAST + 10 * DAY)
    [found] = tables.stale(LAST + 11 * DAY)
    assert Stale("app", LAST, 11.0, 2.0, (("interactions", "usage"), ("interactions", "visit"))) == found
    assert UTC == found.last.tzinfo


def test_however_dense_a_feed_three_days_may_be_silent() -> None:
    tables = fed(*daily(10))  # 30 rows are expected in 3 days
    assert () == tables.stale(LAST + 3 * DAY)
    [found] = tables.stale(LAST + 3 * DAY + timedelta(microseconds=1))
    assert 10.0 == found.usual


def test_a_sparse_feed_may_be_silent_for_long() -> None:
    # 9 rows in 90 days, one in ten days: 200 days of silence are needed for 20 rows
    tables = fed(*(LAST - 10 * DAY * step for step in range(9)))
    assert () == tables.stale(LAST + 200 * DAY)
    assert ["app"] == [one.source for one in tables.stale(LAST + 201 * DAY)]


def test_the_usual_rate_is_that_of_the_ninety_days_up_to_the_last_row() -> None:
    # Exactly 90 days before the last row is outside, a microsecond later inside: 90 of 91 rows count.
    edge = LAST - 90 * DAY
    inside = [LAST - DAY * day for day in range(89)] + [edge + timedelta(microseconds=1)]
    tables = fed(*inside, edge, *daily(50, last=edge - DAY, days=10))
    [found] = tables.stale(LAST + 21 * DAY)
    assert (1.0, 21.0) == (found.usual, found.days)


def test_only_rows_known_before_as_of_count() -> None:
    tables = fed(*daily(10))
    assert () == tables.stale(LAST - 30 * DAY)  # inside the data: the last known row lies a day before
    assert () == tables.stale(LAST - 400 * DAY)  # before the first row there is nothing to miss
    # the feed comes back ten days later; that very moment is not known yet at as-of
    back = LAST + 10 * DAY
    more(tables, back, kinds=("return",), source="app2")
    tables.con.execute("UPDATE interactions SET source = 'app'")
    [found] = tables.stale(back)
    assert (LAST, (("interactions", "usage"),)) == (found.last, found.feeds)
    assert () == tables.stale(back + timedelta(microseconds=1))


def test_a_row_counts_when_it_became_known_not_when_it_happened() -> None:
    tables = fed(*daily(10))
    tables.con.execute('UPDATE interactions SET "at" = "at" - INTERVAL 8 DAY')
    assert () == tables.stale(LAST + 3 * DAY)


def test_each_source_is_judged_alone_and_in_order() -> None:
    tables = fed(*daily(10), source="shop")
    more(tables, *daily(10, last=LAST + 20 * DAY), source="app")
    more(tables, *daily(10, last=LAST + DAY), source="desk")
    assert ["desk", "shop"] == [one.source for one in tables.stale(LAST + 20 * DAY)]


def test_of_surveys_an_answer_keeps_the_source_alive_and_the_kind_is_the_instrument() -> None:
    tables = fed()
    tables.con.execute(
        """INSERT INTO surveys (survey_id, customer_id, sent_at, answered_at, instrument, source)
           SELECT row, '8', sent, CASE WHEN row % 2 = 1 THEN sent + INTERVAL 2 DAY END,
                  CASE WHEN row % 2 = 1 THEN 'csat' ELSE 'nps' END, 'asked'
           FROM (SELECT unnest($1::TIMESTAMP[]) AS sent, generate_subscripts($1, 1) AS row)""",
        [[moment.replace(tzinfo=None) for moment in daily(10)]],
    )
    # the last was sent on LAST and answered two days later; each survey counts once: 10 a day
    assert () == tables.stale(LAST + 5 * DAY)
    [found] = tables.stale(LAST + 6 * DAY)
    assert (LAST + 2 * DAY, 4.0, (("surveys", "csat"), ("surveys", "nps"))) == (found.last, found.days, found.feeds)
    # (LAST - 88 days, LAST]: 88 days of 10 rows lie in the 90 days up to the last answer
    assert pytest.approx(880 / 90) == found.usual
    # an answer that comes later is not known yet: all answers moved on, the last thing known is LAST's sending
    tables.con.execute("UPDATE surveys SET answered_at = TIMESTAMP '2026-05-20' WHERE answered_at IS NOT NULL")
    assert LAST == tables.stale(LAST + 4 * DAY)[0].last


def test_a_declared_end_does_not_hide_that_a_source_is_silent(tmp_path: Path) -> None:
    events = "id,customer,when,amount\n" + "".join(
        f"e{number},8,2026-02-{number % 28 + 1:02},1\n" for number in range(280)
    )
    sources = changed(shop={"zone": "UTC", "data_end": date(2026, 5, 1)})
    surveys = SURVEY_HEADER + "s1,8,2026-02-05,,,,\n"
    sources["sources"]["asked"] = with_surveys()["sources"]["asked"]
    sources["tables"]["surveys"] = with_surveys()["tables"]["surveys"]
    tables = loaded(tmp_path, sources, events=events, surveys=surveys)
    assert datetime(2026, 5, 1, tzinfo=UTC) == tables.data_end("interactions")
    # 10 a day in February, 280 rows in 90 days, silent since the 28th; one survey alone is no feed to miss
    [found] = tables.stale(datetime(2026, 5, 1, tzinfo=UTC))
    assert ("shop", datetime(2026, 2, 28, tzinfo=UTC), 62.0) == (found.source, found.last, found.days)
    assert pytest.approx(280 / 90) == found.usual


def test_an_as_of_without_a_zone_is_a_mistake_of_the_program() -> None:
    with pytest.raises(ValueError, match="no zone"):
        fed().stale(datetime(2026, 5, 1))
