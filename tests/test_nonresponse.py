"""Estimates under silence: by hand, against draws made row by row, and how often they hold the truth."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from churnwatch.evaluation import Asked, Everybody, estimates, nonresponse
from churnwatch.evaluation.bootstrap import draws
from churnwatch.evaluation.nonresponse import FEWEST, response_drift, response_rate


def asked(rows: list[tuple[int, float | None, float, float, float]]) -> Asked:
    """Rows of customer, figure of the answer (None: silent), expected figure, expected bad share, weight; below 5 is
    bad.
    """
    figure = np.array([np.nan if row[1] is None else row[1] for row in rows])
    there = ~np.isnan(figure)
    bad = np.where(there, (figure < 5).astype(float), np.nan)
    told, bad_told, weight = (np.array([row[i] for row in rows]) for i in (2, 3, 4))
    return Asked(np.array([row[0] for row in rows]), there, figure, bad, told, bad_told, weight)


def many(times: int = 10) -> Asked:
    """By hand, ``times`` over: one answers 8 where 7 was expected, weight 1; one 4 where 6 was, weight 3; two are
    silent, of whom 5 and 2 are expected.
    """
    four = [(8.0, 7.0, 0.0, 1.0), (4.0, 6.0, 0.5, 3.0), (None, 5.0, 0.5, 2.0), (None, 2.0, 1.0, 5.0)]
    return asked([(4 * k + i, *one) for k in range(times) for i, one in enumerate(four)])


def test_the_silent_count_by_what_is_expected_of_them_and_what_answers_say_beyond() -> None:
    """Answers: (8 + 4) / 2 = 6. Expected of all: (7 + 6 + 5 + 2) / 4 = 5; beyond: (1 * 1 + 3 * -2) / 4 = -1.25.

    Bad: 1 of 2; expected (0 + 0.5 + 0.5 + 1) / 4 = 0.5, beyond (1 * 0 + 3 * 0.5) / 4 = 0.375. Kish: 4^2 / (1 + 9).
    """
    found = estimates(many(20))
    assert found.naive is not None
    assert found.corrected is not None
    assert found.difference is not None
    assert 6.0 == pytest.approx(found.naive.value)
    assert 3.75 == pytest.approx(found.corrected.value)
    assert -2.25 == pytest.approx(found.difference.value)
    assert (0.5, 0.875) == pytest.approx((found.bad_naive.value, found.bad_corrected.value))  # type: ignore[union-attr]
    assert 0.5 == found.response_rate.value  # type: ignore[union-attr]
    assert 20 * 16 / 10 == pytest.approx(found.effective)
    for one in (found.naive, found.corrected, found.difference):
        assert one.low < one.value < one.high


def test_with_everybody_the_expectations_are_theirs() -> None:
    """Three customers of whom 1, 2 and 3 is expected, one of them never asked: 2, and the -1.25 of those asked."""
    base = Everybody(np.array([0, 1, 999]), np.array([1.0, 2.0, 3.0]), np.array([0.0, 0.3, 0.6]))
    found = estimates(many(20), base)
    assert found.corrected is not None
    assert 0.75 == pytest.approx(found.corrected.value)
    assert 0.3 + 0.375 == pytest.approx(found.bad_corrected.value)  # type: ignore[union-attr]
    assert 6.0 == pytest.approx(found.naive.value)  # type: ignore[union-attr]


def test_where_only_answers_are_listed_there_is_nothing_to_correct() -> None:
    """No chance of an answer is known, so no weight; the naive numbers and their intervals are the same."""
    listed = many(20).take(many(20).answered)
    blind = Asked(**{**vars(listed), "weight": np.full(40, np.nan), "figure_told": np.zeros(40)})
    found = estimates(blind, silent=False)
    assert (None, None, None, None, None) == (
        found.response_rate,
        found.corrected,
        found.difference,
        found.bad_corrected,
        found.effective,
    )
    assert found.naive == estimates(listed).naive
    assert 6.0 == found.naive.value  # type: ignore[union-attr]


@pytest.mark.parametrize("customers", [1, 15, 29, 30])
def test_too_few_answers_tell_nothing_but_who_answers(customers: int) -> None:
    """60 answers of that many customers: it is the customers that must be enough."""
    rows = [(i % customers, 6.0, 6.0, 0.5, 1.0) for i in range(60)]
    found = estimates(asked(rows))
    assert (customers >= FEWEST) == (found.naive is not None) == (found.corrected is not None)
    assert found.response_rate is not None
    assert None is estimates(asked(rows[:29])).response_rate


def test_intervals_equal_estimates_of_customers_drawn_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every replicate is the estimate of the drawn customers, each with all their surveys, as often as drawn."""
    rng = np.random.default_rng(1)
    n = 120
    figure = np.where(rng.random(n) < 0.6, rng.normal(6, 2, n), np.nan)
    rows = [
        (int(c), None if np.isnan(f) else float(f), float(m), 0.4, float(w))
        for c, f, m, w in zip(rng.integers(0, 70, n), figure, rng.normal(5, 1, n), rng.uniform(1, 4, n), strict=True)
    ]
    everything = asked(rows)
    base = Everybody(np.arange(0, 90), rng.normal(5, 1, 90), rng.random(90))
    customers = np.unique(np.concatenate([everything.customer, base.customer]))
    plain = []
    for weights in np.concatenate(list(draws(len(customers), replicates=80, seed=4))):
        drawn = np.repeat(customers, weights.astype(int))
        own = np.concatenate([np.flatnonzero(everything.customer == one) for one in drawn])
        there = np.concatenate([np.flatnonzero(base.customer == one) for one in drawn])
        picked = own[everything.answered[own]]
        w, left = everything.weight[picked], everything.figure[picked] - everything.figure_told[picked]
        naive = everything.figure[picked].mean()
        corrected = base.figure_told[there].mean() + (w * left).sum() / w.sum()
        plain.append((naive, corrected, corrected - naive))
    found = estimates(everything, base, seed=4, replicates=80)
    for name, values in zip(("naive", "corrected", "difference"), np.array(plain).T, strict=True):
        one = getattr(found, name)
        assert np.percentile(values, [2.5, 97.5]) == pytest.approx((one.low, one.high), abs=1e-9)
    monkeypatch.setattr("churnwatch.evaluation.bootstrap.AT_ONCE", 200)
    assert found == estimates(everything, base, seed=4, replicates=80), "in portions it is the same"


def test_the_response_rate_and_its_drift_by_hand() -> None:
    """40 of 100 now, 60 of 100 before: 0.4 and -0.2, beyond chance; of 36 and 40 nobody could tell."""
    customers = np.arange(100)
    now, before = customers % 5 < 2, customers % 5 < 3
    rate = response_rate(customers, now)
    assert rate is not None
    assert 0.4 == pytest.approx(rate.value)
    # A standard error of sqrt(0.24 / 100) = 0.049.
    assert 0.4 - 2 * 0.049 == pytest.approx(rate.low, abs=0.015)
    assert 0.4 + 2 * 0.049 == pytest.approx(rate.high, abs=0.015)
    drift = response_drift((customers, now), (customers + 100, before))
    assert drift is not None
    assert -0.2 == pytest.approx(drift.change.value)
    assert drift.moved
    steady = response_drift((customers, now), (customers + 100, np.roll(now, 1) & (customers != 0)))
    assert steady is not None
    assert not steady.moved
    assert None is response_drift((customers[:29], now[:29]), (customers, before))


def test_habits_of_the_same_customers_are_no_drift() -> None:
    """Half always answer, half never: asked in both windows their rate cannot move, however few they are."""
    customers = np.arange(60)
    habit = customers % 2 == 0
    drift = response_drift((customers, habit), (customers, habit))
    assert drift is not None
    assert (0.0, 0.0, 0.0) == (drift.change.value, drift.change.low, drift.change.high)
    assert not drift.moved


def world(seed: int, n: int = 3_000) -> tuple[Asked, float]:
    """Surveys whose answers hang on x as the scores do, a model of them that is off by a third, and the truth."""
    rng = np.random.default_rng(seed)
    customer = rng.integers(0, n // 2, n)
    own = rng.normal(0, 0.5, n // 2)
    x = rng.normal(size=n)
    chance = 1 / (1 + np.exp(0.8 - 0.9 * x))
    score = 6 + 1.5 * x + own[customer] + rng.normal(0, 1.5, n)
    answered = rng.random(n) < chance
    figure = np.where(answered, score, np.nan)
    bad = np.where(answered, (score < 5).astype(float), np.nan)
    told = Asked(customer, answered, figure, bad, 6 + 1.0 * x, np.full(n, 0.3), 1 / chance)
    return told, float(score.mean())


def test_the_corrected_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    """100 worlds whose scores grow with the chance of an answer: the answers are 0.8 too high, as good as always."""
    missed: dict[str, int] = {"naive": 0, "corrected": 0}
    bias: dict[str, list[float]] = {"naive": [], "corrected": []}
    for seed in range(100):
        told, truth = world(seed)
        found = estimates(told, seed=seed, replicates=200)
        for name in missed:
            one = getattr(found, name)
            missed[name] += not one.low <= truth <= one.high
            bias[name].append(one.value - truth)
    assert missed["corrected"] <= 11, missed
    assert 100 == missed["naive"]
    assert 0.6 < np.mean(bias["naive"]) < 1.0
    assert 0.03 > abs(np.mean(bias["corrected"]))


@settings(max_examples=100, deadline=None)
@given(
    rows=st.lists(
        st.tuples(st.integers(0, 80), st.none() | st.integers(0, 10), st.integers(0, 10), st.integers(1, 9)),
        min_size=1,
        max_size=120,
    )
)
def test_the_sums_are_those_of_the_formula(rows: list[tuple[int, Any, int, int]]) -> None:
    """Against the formula written out row by row."""
    everything = asked([(c, f, m, 0.5, w) for c, f, m, w in rows])
    found = estimates(everything, replicates=10)
    answers = [row for row in rows if row[1] is not None]
    if len({row[0] for row in answers}) < FEWEST:
        assert None is found.naive
        return
    assert found.naive is not None
    assert found.corrected is not None
    assert sum(f for _, f, _, _ in answers) / len(answers) == pytest.approx(found.naive.value)
    beyond = sum(w * (f - m) for _, f, m, w in answers) / sum(w for *_, w in answers)
    assert sum(row[2] for row in rows) / len(rows) + beyond == pytest.approx(found.corrected.value)


def test_many_customers_are_drawn_less_often() -> None:
    assert [600, 500, 100] == [
        len(np.concatenate(list(nonresponse._drawn(np.ones((n, 1)), replicates=None, seed=1))))
        for n in (50, 20_000, 200_000)
    ]


@pytest.mark.parametrize(("answered", "ends"), [(True, (0.8843, 1.0)), (False, (0.0, 0.1157))])
def test_where_all_or_none_answer_the_interval_is_the_exact_one_of_the_customers(
    answered: bool, ends: tuple[float, float]
) -> None:
    """30 of 30, and 0 of 30, as tables of Clopper and Pearson have them; a second survey of a customer adds nothing."""
    customer = np.repeat(np.arange(30), 2)
    rate = response_rate(customer, np.full(60, answered))
    assert rate is not None
    assert (float(answered), *ends) == pytest.approx((rate.value, rate.low, rate.high), abs=1e-4)
    same = (customer, np.full(60, answered))
    assert None is response_drift(same, same)
    moved = response_drift(same, (customer, np.full(60, not answered)))
    assert moved is not None
    assert moved.moved
    assert (1.0 if answered else -1.0) == moved.change.value
