"""Scores of another instrument, or the other way round: the alarm by distribution fires, and stays silent."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import duckdb
import numpy as np
import pandas as pd
import pytest

from churnwatch.sources import Mixup, mixed_up, new_tables

START = datetime(2025, 1, 1, tzinfo=UTC)
SCALES = {"nps": (0, 10, True), "csat": (1, 5, True), "ces": (1, 7, False)}
SHARES = {
    # what care teams see: many promoters, satisfied, easy; from the low end of the scale to the high one
    "nps": [0.02, 0.01, 0.01, 0.02, 0.03, 0.07, 0.08, 0.16, 0.22, 0.2, 0.18],
    "csat": [0.06, 0.09, 0.2, 0.35, 0.3],
    "ces": [0.2, 0.25, 0.2, 0.15, 0.1, 0.06, 0.04],
}


def answers(instrument: str, days: int = 360, *, a_day: int = 10, seed: int = 1, like: str = "") -> pd.DataFrame:
    """Answers of ``instrument``, each of its own customer; scores ``like`` those of another one."""
    rng, (low, high, better) = np.random.default_rng(seed), SCALES[instrument]
    shares = np.array(SHARES[like or instrument])
    first = SCALES[like or instrument][0]
    count = days * a_day
    return pd.DataFrame(
        {
            "survey_id": [f"{instrument}{seed}:{number}" for number in range(count)],
            "customer_id": [f"{instrument}{seed}:{number}" for number in range(count)],
            "answered_at": [START + timedelta(days=day) for day in range(days) for _ in range(a_day)],
            "instrument": instrument,
            "raw_score": first + rng.choice(len(shares), count, p=shares / shares.sum()).astype(float),
            "scale_min": float(low),
            "scale_max": float(high),
            "higher_is_better": better,
            "source": "asked",
        }
    )


def found(*frames: pd.DataFrame) -> list[Mixup]:
    con = surveys(*frames)
    return list(mixed_up(con))


def surveys(*frames: pd.DataFrame) -> duckdb.DuckDBPyConnection:
    con = new_tables(())
    every = pd.concat(frames)
    every["sent_at"] = every["answered_at"] = every["answered_at"].dt.tz_convert(None)
    con.register("every", every)
    con.execute("INSERT INTO surveys BY NAME SELECT * FROM every")
    return con


def after(frame: pd.DataFrame, day: int) -> pd.Series:
    return frame["answered_at"] >= START + timedelta(days=day)


def test_honest_answers_raise_no_alarm() -> None:
    for seed in range(20):
        assert [] == found(*(answers(instrument, seed=seed) for instrument in SCALES))


def test_no_answers_raise_none() -> None:
    assert () == mixed_up(new_tables(()))
    unanswered = answers("nps", 1)
    unanswered[["raw_score", "scale_min"]] = None
    unanswered["answered_at"] = pd.NaT
    unanswered["answered_at"] = pd.to_datetime(unanswered["answered_at"], utc=True)
    unanswered["sent_at"] = START.replace(tzinfo=None)
    con = new_tables(())
    con.register("every", unanswered)
    con.execute("INSERT INTO surveys BY NAME SELECT * FROM every")
    assert () == mixed_up(con)


def test_csat_delivered_as_nps_from_the_first_day_is_told_by_its_empty_upper_end() -> None:
    [alarm] = found(answers("nps", 40, like="csat"), answers("csat", 40))
    assert ("asked", "nps") == (alarm.source, alarm.instrument)
    assert (
        "none of 400 scores lies in the best quarter of the scale from 0 to 10; they lie from 1 to 5, as scores of "
        "csat would"
    ) == alarm.told
    # with fewer answers chance is no longer out of the question
    assert [] == found(answers("nps", 39, like="csat"), answers("csat", 40))


def test_of_a_scale_where_less_is_better_the_low_end_is_the_good_one() -> None:
    hard = answers("ces", 40)
    hard["raw_score"] = np.where(hard["raw_score"] < 3, 3.0, hard["raw_score"])
    assert [
        Mixup(
            "asked",
            "ces",
            "none of 400 scores lies in the best quarter of the scale from 1 to 7; they lie from 3 to 7",
        )
    ] == found(hard)
    easy = answers("ces", 40)
    easy["raw_score"] = np.where(easy["raw_score"] > 5, 5.0, easy["raw_score"])
    assert [] == found(easy)


def test_csat_delivered_as_nps_from_some_day_on_is_told_with_the_numbers() -> None:
    """2025-08-10, the 222nd day, begins a block: 20,310 days after 1970-01-01, a multiple of 30."""
    frame, other = answers("nps"), answers("nps", like="csat", seed=2)
    low = (frame.loc[~after(frame, 221) & after(frame, 41), "raw_score"] <= 5).sum()
    frame.loc[after(frame, 221), "raw_score"] = other.loc[after(other, 221), "raw_score"]
    [alarm] = found(frame)
    assert (
        "in the 30 days from 2025-08-10 100% of 300 answers scored 0.50 or less (0 worst, 1 best), in the half year "
        f"before {low / 1800:.0%} of 1,800"
    ) == alarm.told


def test_a_direction_that_turns_is_told_by_the_jump() -> None:
    frame = answers("ces", a_day=30)
    turned = after(frame, 200)
    frame.loc[turned, "raw_score"] = 8 - frame.loc[turned, "raw_score"]
    [alarm] = found(frame)
    assert "ces" == alarm.instrument
    assert "in the half year before" in alarm.told


@pytest.mark.parametrize("move", [0.1, 0.19])
def test_a_jump_by_less_than_a_fifth_of_the_answers_is_none(move: float) -> None:
    """However many answers there are: the bound is on the truth, not on the sample."""
    frame = answers("csat", a_day=200)
    rng = np.random.default_rng(3)
    worse = after(frame, 200) & (rng.random(len(frame)) < move)
    frame.loc[worse, "raw_score"] = 1.0
    assert [] == found(frame)
    worse = after(frame, 200) & (rng.random(len(frame)) < 0.6)
    frame.loc[worse, "raw_score"] = 1.0
    assert 1 == len(found(frame))


def test_a_slow_drift_is_no_jump() -> None:
    frame = answers("csat", 720, a_day=50)
    rng = np.random.default_rng(4)
    day = (frame["answered_at"] - START).dt.days
    frame.loc[rng.random(len(frame)) < day / 720 * 0.6, "raw_score"] = 1.0
    assert [] == found(frame)


def together(customers: int, *, seed: int = 1, instruments: tuple[str, ...] = ("nps", "csat", "ces")) -> pd.DataFrame:
    """Customers who answer each instrument once, by one mood of theirs and as much chance again."""
    rng = np.random.default_rng(seed)
    mood, frames = rng.normal(size=customers), []
    for instrument in instruments:
        low, high, better = SCALES[instrument]
        frame = answers(instrument, 1, a_day=customers)
        feeling = mood + rng.normal(size=customers)
        score = np.clip(np.round((low + high) / 2 + (1 if better else -1) * feeling * (high - low) / 6), low, high)
        frames.append(frame.assign(customer_id=[f"c{number}" for number in range(customers)], raw_score=score))
    return pd.concat(frames, ignore_index=True)


def test_the_direction_the_wrong_way_round_runs_against_the_others() -> None:
    frame = together(500)
    assert [] == found(frame)
    frame.loc[frame["instrument"] == "ces", "higher_is_better"] = True
    [alarm] = found(frame)
    assert "ces" == alarm.instrument
    assert alarm.told.startswith(
        "500 customers who answered other surveys too score it the other way round (correlation -0."
    )


def test_of_two_instruments_that_contradict_each_other_both_are_named() -> None:
    frame = together(500, instruments=("csat", "ces"))
    frame.loc[frame["instrument"] == "ces", "higher_is_better"] = True
    assert ["ces", "csat"] == [alarm.instrument for alarm in found(frame)]


def test_few_customers_and_instruments_that_have_nothing_to_do_with_each_other_raise_none() -> None:
    frame = together(99)
    frame.loc[frame["instrument"] == "ces", "higher_is_better"] = True
    assert [] == found(frame)
    for seed in range(20):
        rng = np.random.default_rng(seed)
        frame = together(500, seed=seed)
        frame["customer_id"] = rng.permutation(frame["customer_id"])
        assert [] == found(frame)


def test_sources_are_judged_apart() -> None:
    frames = answers("nps", 40, like="csat"), answers("nps", 40, seed=2).assign(source="phone")
    assert [("asked", "nps")] == [(alarm.source, alarm.instrument) for alarm in found(*frames)]


@pytest.mark.slow
def test_the_simulated_company_raises_none_and_its_mixups_do(tmp_path) -> None:
    """Twenty companies; then the surveys of one with CSAT as NPS, and with CES the wrong way round."""
    from churnwatch.synthetic import simulate

    def read(path, turn=""):
        con = new_tables(())
        con.execute(
            f"""INSERT INTO surveys BY NAME
                SELECT survey_no AS survey_id, customer_no AS customer_id, sent::TIMESTAMP AS sent_at,
                       answered::TIMESTAMP AS answered_at, lower(survey) AS instrument, score::DOUBLE AS raw_score,
                       CASE survey WHEN 'NPS' THEN 0 ELSE 1 END AS scale_min,
                       CASE survey WHEN 'NPS' THEN 10 WHEN 'CSAT' THEN 5 ELSE 7 END AS scale_max,
                       (survey <> 'CES') <> (survey = '{turn}') AS higher_is_better, 'surveys' AS source
                FROM read_csv('{path}/data/surveys.csv', all_varchar = true)
                WHERE score IS NULL OR score::DOUBLE <= CASE survey WHEN 'NPS' THEN 10 WHEN 'CSAT' THEN 5 ELSE 7 END"""
        )
        return con

    for seed in range(1, 21):
        path = tmp_path / str(seed)
        simulate(path, customers=5000, seed=seed)
        assert () == mixed_up(read(path)), seed
        assert "nps" in {alarm.instrument for alarm in mixed_up(read(path, turn="NPS"))}, seed
