"""The holdout: blocks, epochs, and who is decided on when a list is chosen."""

from __future__ import annotations

from collections import Counter
from contextlib import nullcontext
from datetime import date
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from churnwatch.outreach import Draw, choose, epoch_of
from churnwatch.spec import Holdout

EPOCH = date(2026, 1, 1)


def scored(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Customers as the choice wants them; by default worthy, of Rina, at risk."""
    usual = {"score": 0.5, "worthy": True, "do_not_contact": False, "owner": "rina", "band": "at_risk", "standing": ""}
    return pd.DataFrame([{**usual, **row} for row in rows]).astype({"customer_id": object, "owner": object})


@pytest.mark.parametrize(
    ("share", "of", "held"), [(0.1, 10, 1), (0.25, 4, 1), (0.15, 20, 3), (0.5, 2, 1), (0.3, 10, 3)]
)
def test_every_block_of_a_stratum_holds_out_its_share(share: float, of: int, held: int) -> None:
    """Twelve blocks of each of two strata, their units coming in turns: each block has exactly its number."""
    draw = Draw(share, epoch=EPOCH, key="k")
    arms: dict[str, list[str]] = {"rina": [], "budi": []}
    for _ in range(12 * of):
        for owner, drawn in arms.items():
            drawn.append(draw.arm((owner, "at_risk")))
    for drawn in arms.values():
        assert [held] * 12 == [drawn[i : i + of].count("held_out") for i in range(0, 12 * of, of)]
    assert arms["rina"] != arms["budi"]


def test_a_draw_goes_on_where_the_ledger_says_it_stopped() -> None:
    """Day by day or all at once: the same arms; another key, epoch or stratum has others."""
    whole = Draw(0.1, epoch=EPOCH, key="k")
    arms = [whole.arm(("rina", "watch")) for _ in range(60)]
    again = [
        Draw(0.1, epoch=EPOCH, key="k", decided={("rina", "watch"): n, ("budi", "watch"): 3}).arm(("rina", "watch"))
        for n in range(60)
    ]
    assert arms == again
    other = (
        Draw(0.1, epoch=EPOCH, key="l"), Draw(0.1, epoch=date(2026, 4, 1), key="k"),
        Draw(0.1, epoch=EPOCH, key="k" * 99)
    )  # fmt: skip
    for draw in other:
        assert arms != [draw.arm(("rina", "watch")) for _ in range(60)]


def test_every_place_of_a_block_is_as_likely() -> None:
    """Over 2,000 blocks of ten each place is held out about 200 times (standard deviation 13.4)."""
    draw = Draw(0.1, epoch=EPOCH, key="places")
    found = Counter(i % 10 for i in range(20_000) if draw.arm(("", "watch")) == "held_out")
    assert 2000 == sum(found.values())
    assert all(abs(n - 200) < 60 for n in found.values())


def test_epochs_are_counted_from_the_first_of_january_2020() -> None:
    assert date(2020, 1, 1) == epoch_of(date(2020, 1, 1), length=90)
    assert date(2020, 1, 1) == epoch_of(date(2020, 3, 30), length=90)
    assert date(2020, 3, 31) == epoch_of(date(2020, 3, 31), length=90)
    assert date(2019, 10, 3) == epoch_of(date(2019, 12, 31), length=90)


def test_a_place_of_whom_is_held_out_goes_to_the_next() -> None:
    """Half are held out: of six, in their order, as many are decided on as it takes to fill three places."""
    draw, check = (Draw(0.5, epoch=EPOCH, key="k") for _ in range(2))
    arms = [check.arm(("rina", "at_risk")) for _ in range(8)]
    needed = next(n for n in range(9) if arms[:n].count("treated") == 3)
    made = choose(
        scored([{"customer_id": f"c{i}", "score": 1 - i / 10} for i in range(8)]),
        capacity={"rina": 3},
        total=1,
        draw=draw,
    )
    assert [f"c{i}" for i in range(needed) if arms[i] == "treated"] == list(made.listed["customer_id"])
    assert [(f"c{i}", arms[i]) for i in range(needed)] == list(
        made.drawn[["customer_id", "arm"]].itertuples(index=False, name=None)
    )
    assert (3, needed - 3, 8 - needed) == (made.counts.listed, made.counts.held_out, made.counts.spilled)


def test_who_was_decided_on_before_or_is_vetoed_is_not_drawn() -> None:
    """Everybody would be held out: who is in the treated arm already and the vetoed account have their places."""

    class Everybody(Draw):
        def arm(self, stratum: tuple[str, str]) -> Any:
            return "held_out"

    rows = [
        {"customer_id": "before", "arm": "treated", "vetoed": False},
        {"customer_id": "vetoed", "arm": "", "vetoed": True},
        {"customer_id": "drawn", "arm": "", "vetoed": False},
        {"customer_id": "held", "arm": "held_out", "vetoed": False, "standing": "held_out"},
    ]
    made = choose(scored(rows), capacity={"rina": 9}, total=1, draw=Everybody(0.1, epoch=EPOCH, key="k"))
    assert ["before", "vetoed"] == list(made.listed["customer_id"])
    assert ["drawn"] == list(made.drawn["customer_id"])
    assert (2, 2, 0) == (made.counts.listed, made.counts.held_out, made.counts.spilled)


def test_whose_row_does_not_fit_into_the_minutes_is_not_decided_on() -> None:
    """Ninety minutes, rows of 40, 60, 40 and 10: the second does not fit, the third and fourth do; half are held out.

    Who is held out takes no time, so the arms do not depend on how long rows take.
    """
    rows = [{"customer_id": f"c{i}", "score": 1 - i / 10} for i in range(8)]
    takes = [40, 60, 40, 10, 40, 40, 10, 10]
    draw, check = (Draw(0.5, epoch=EPOCH, key="k") for _ in range(2))
    made = choose(scored(rows), capacity={"rina": 9}, total=1, draw=draw, minutes=takes.__getitem__, budget=90)
    spent, listed, drawn = 0, [], []
    for i, minutes in enumerate(takes):
        if spent + minutes > 90:
            continue
        arm = check.arm(("rina", "at_risk"))
        drawn.append((f"c{i}", arm))
        if arm == "treated":
            listed.append(f"c{i}")
            spent += minutes
    assert listed == list(made.listed["customer_id"])
    assert drawn == list(made.drawn[["customer_id", "arm"]].itertuples(index=False, name=None))
    assert 0 < made.counts.spilled == 8 - len(drawn)
    alone = choose(scored(rows), capacity={"rina": 9}, total=1, minutes=takes.__getitem__, budget=90)
    assert ["c0", "c2", "c3"] == list(alone.listed["customer_id"])


@pytest.mark.parametrize(("share", "refused"), [(0, False), (0.005, True), (0.01, False), (0.02, False), (0.6, True)])
def test_a_share_is_none_or_one_that_is_drawn(share: float, refused: bool) -> None:
    """And what is drawn is what was asked for: 2 of 100 are 2 of 100."""
    with pytest.raises(ValidationError) if refused else nullcontext():
        Holdout(share=share)
    if share and not refused:
        draw = Draw(share, epoch=EPOCH, key="k")
        assert round(100 * share) == [draw.arm(("", "watch")) for _ in range(100)].count("held_out")


CUSTOMERS = st.lists(
    st.fixed_dictionaries(
        {
            "score": st.integers(0, 4).map(float),
            "worthy": st.booleans(),
            "do_not_contact": st.sampled_from([False, False, True]),
            "owner": st.sampled_from(["rina", "budi", "lead", "nobody's", None]),
            "band": st.sampled_from(["watch", "critical"]),
            "standing": st.sampled_from(["", "", "", "announced", "snoozed", "held_out", "cooling"]),
            "arm": st.sampled_from(["", "", "treated"]),
            "vetoed": st.sampled_from([False, False, True]),
            "further_place": st.sampled_from([None, None, 0, 1]),
            "further_score": st.integers(0, 3).map(float),
            "proactive_place": st.sampled_from([None, 0]),
            "proactive_score": st.integers(0, 3).map(float),
        }
    ),
    max_size=25,
)


@settings(max_examples=250, deadline=None)
@given(
    rows=CUSTOMERS,
    capacity=st.none() | st.fixed_dictionaries({name: st.integers(0, 4) for name in ("rina", "budi", "lead")}),
    away=st.sampled_from([{}, {"budi": "rina"}, {"budi": "lead"}, {"budi": None}]),
    leads=st.sampled_from([{}, {"rina": "lead", "budi": "lead"}]),
    share=st.sampled_from([0, 0.1, 0.5]),
)
def test_whatever_comes_everybody_is_counted_once_and_nobody_has_too_many(
    rows: list[dict[str, Any]],
    capacity: dict[str, int] | None,
    away: dict[str, str | None],
    leads: dict[str, str],
    share: float,
) -> None:
    """Sums, capacities, who may stand on a list, and on whose."""
    frame = scored([{"customer_id": f"c{i:02}", **row} for i, row in enumerate(rows)] or [{"customer_id": "c"}])
    for name in ("further_place", "proactive_place"):
        if name in frame:
            frame[name] = frame[name].astype("float64")
    draw = Draw(share, epoch=EPOCH, key="k") if share else None
    made = choose(
        frame,
        capacity=capacity,
        total=0.3,
        also_share=0.25,
        proactive_share=0.25,
        stands_in=away,
        leads=leads,
        draw=draw,
    )
    counts = made.counts
    assert counts.observed == len(frame) == (
        counts.listed + counts.below + counts.refused + counts.spilled + counts.announced
        + counts.snoozed + counts.held_out + counts.cooling
    )  # fmt: skip
    assert min(vars(counts).values()) >= 0
    waiting = counts.spilled + counts.snoozed + counts.held_out + counts.cooling
    assert counts.waiting == (waiting if counts.spilled else None)
    on = made.listed
    assert len(set(on["customer_id"])) == len(on) == counts.listed
    assert not on["do_not_contact"].any()
    assert set(on["standing"]) <= {""}
    held = set(made.drawn.loc[made.drawn["arm"] == "held_out", "customer_id"])
    assert not held & set(on["customer_id"])
    if draw is None:
        assert made.drawn.empty
    elif "vetoed" in frame:
        newly = set(on.loc[~on["vetoed"] & (on["arm"] != "treated"), "customer_id"])
        assert newly == set(made.drawn.loc[made.drawn["arm"] == "treated", "customer_id"])
    if capacity is None:
        assert len(on) <= max(1, int(0.3 * len(frame) + 0.5))
        assert on["recipient"].isna().all()
        return
    assert all(n <= capacity[who] for who, n in on["recipient"].value_counts().items())
    for row in on.to_dict("records"):
        works = away.get(row["owner"], row["owner"])
        if row["recipient"] == works:
            assert ("" if works == row["owner"] else "away") == row["handed"]
        else:
            theirs = [leads[one] for one in (row["owner"], works) if one in leads]
            assert row["recipient"] in [away.get(lead, lead) for lead in theirs]
            assert ("overflow" if works == row["owner"] else "away") == row["handed"]
            assert not row["for_proactive"]
