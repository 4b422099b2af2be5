"""Groups of customers: their figures by hand, what is too little, and which fact of which day is read."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from small_tables import spine_of, tables_of

from churnwatch.evaluation.groups import MOST, Grouping, group_figures
from churnwatch.runs.groups import groupings_of


def figures(labels, y, *, risks=None, listed=None, today=False):
    n = len(y)
    scores = np.arange(n, dtype=float)
    return group_figures(
        y,
        scores,
        np.full(n, 0.2) if risks is None else risks,
        np.zeros(n) if listed is None else listed,
        Grouping("segment", labels, today=today),
    )


def test_two_groups_by_hand():
    """60 of plan a, 12 gone, foretold 0.3; 50 of plan b, 10 gone, foretold 0.2."""
    labels = ["a"] * 60 + ["b"] * 50
    y = np.array([0] * 48 + [1] * 12 + [1] * 10 + [0] * 40)
    risks = np.array([0.3] * 60 + [0.2] * 50)
    listed = np.zeros(110)
    listed[54:66] = 1  # six leavers of each
    a, b = figures(labels, y, risks=risks, listed=listed)
    assert ("segment", "a", False, 60, 12, None) == tuple(
        a[k] for k in ("by", "group", "today", "n", "outcomes", "note")
    )
    assert (0.2, 0.3, 0.1, 0.1) == pytest.approx(
        tuple(a[k] for k in ("base_rate", "mean_risk", "flag_rate", "calibration_gap"))
    )
    # Wilson of 12 of 60 is 0.1183 to 0.3178.
    assert (0.3 - 0.3178, 0.3 - 0.1183) == pytest.approx((a["gap_low"], a["gap_high"]), abs=1e-4)
    assert (0.5, 1.0) == (a["recall"], a["auc"])
    assert (0.6, 0.0) == (b["recall"], b["auc"])
    assert b["gap_low"] < 0 < b["gap_high"]


def test_too_little_says_how_much_there_was():
    """49 customers are no group; 60 customers with four leavers have rates but no ranking."""
    y = np.array([1, *[0] * 48, *[1] * 4, *[0] * 56])
    rare, small = figures(["small"] * 49 + ["rare"] * 60, y)
    assert ("rare", "not enough data: 4 of 10 with the outcome") == (rare["group"], rare["note"])
    assert (None, None) == (rare["recall"], rare["auc"])
    assert 4 / 60 == rare["base_rate"]
    assert "not enough data: 49 of 50" == small["note"]
    assert {None} == {small[k] for k in ("base_rate", "mean_risk", "flag_rate", "calibration_gap", "recall", "auc")}
    assert (49, 1) == (small["n"], small["outcomes"])


def test_who_stays_may_be_too_few_as_well():
    (one,) = figures(["a"] * 60, np.array([0, *[1] * 59]))
    assert "not enough data: 1 of 10 without the outcome" == one["note"]


def test_unknown_groups_stand_last_and_the_smallest_together():
    labels = [None] * 30 + [f"g{i:02}" for i in range(MOST + 3) for _ in range(50 - i)]
    found = figures(labels, np.array([1, *[0] * (len(labels) - 1)]))
    assert MOST + 2 == len(found)
    assert ["g00", "g01"] == [one["group"] for one in found[:2]]
    assert ["3 smaller groups", None] == [one["group"] for one in found[-2:]]
    assert len(labels) == sum(one["n"] for one in found)


def test_labels_of_another_length_are_a_bug():
    with pytest.raises(ValueError, match="2 labels for 3 rows"):
        figures(["a", "b"], np.array([0, 1, 0]))


AS_OF = datetime(2026, 3, 1, tzinfo=UTC)
THEN, LATER = datetime(2026, 2, 28, 23, 59), datetime(2026, 3, 1)


def customer(name, **facts):
    return {"customer_id": name, "started_at": datetime(2025, 1, 1), **facts}


def spine(*customers):
    """Each of them once at as-of."""
    return spine_of((customer, AS_OF.replace(tzinfo=None)) for customer in customers)


def test_a_fact_counts_at_each_row_from_when_it_was_known():
    """Two surveys of one customer: at the later one the segment was known."""
    tables = tables_of(
        customers=[customer("ani", segment="big", known_at=THEN), customer("budi", segment="small", known_at=THEN)]
    )
    rows = spine_of([("ani", THEN), ("ani", AS_OF.replace(tzinfo=None)), ("budi", AS_OF.replace(tzinfo=None))])
    (segment,) = groupings_of(tables, rows)
    assert [None, "big", "small"] == segment.labels


def test_a_fact_counts_from_when_it_was_known():
    """Known a minute before as-of it is read, at as-of itself it is not; who has no time of it is in no known group."""
    tables = tables_of(
        customers=[
            customer("ani", segment="big", known_at=THEN),
            customer("budi", segment="big", known_at=LATER),
            customer("citra", segment="small"),
            customer("dewi", known_at=THEN),
        ]
    )
    (segment,) = groupings_of(tables, spine("dewi", "citra", "budi", "ani"))
    assert ("segment", [None, None, None, "big"], False) == (segment.name, segment.labels, segment.today)


def test_a_fact_without_a_history_is_todays_and_says_so():
    tables = tables_of(
        customers=[customer("ani", segment="big", language="id"), customer("budi", segment="small", language="en")]
    )
    segment, language = groupings_of(tables, spine("ani", "budi"))
    assert (["big", "small"], True) == (segment.labels, segment.today)
    assert ("language", ["id", "en"], True) == (language.name, language.labels, language.today)


def test_a_fact_that_tells_nobody_apart_is_no_grouping():
    """All in one language, and no segments at all."""
    tables = tables_of(customers=[customer("ani", language="id"), customer("budi", language="id")])
    assert [] == groupings_of(tables, spine("ani", "budi"))
