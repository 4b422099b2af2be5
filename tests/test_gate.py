"""The gate: who passes, who does not, and what it says."""

from __future__ import annotations

import numpy as np
import pytest

from churnwatch.errors import DataRefused
from churnwatch.evaluation.figures import auc
from churnwatch.evaluation.gate import Verdict, gate
from churnwatch.spec import Gates

N = 2_000
RNG = np.random.default_rng(21)
Y = (RNG.random(N) < 0.2).astype(int)
GOOD = Y * 1.5 + RNG.normal(size=N)
POOR = Y * 0.4 + RNG.normal(size=N)
NOISE = RNG.normal(size=N)
SCORES = np.where(RNG.random(N) < 0.5, POOR, 0.0)
WEAK = {"random": NOISE, "recency": POOR, "last_score": SCORES, "tenure": -POOR}


def judge(scores: np.ndarray, logistic: np.ndarray, champion: np.ndarray | None = None, **gates: float) -> Verdict:
    """The verdict with the weak baselines and a given logistic regression and champion."""
    baselines = {**WEAK, "logistic": logistic}
    return gate(Y, scores, baselines=baselines, gates=Gates(**gates), champion=champion, replicates=100)


def failed(verdict: Verdict) -> list[str]:
    """The names of the checks not passed."""
    return [check.name for check in verdict.checks if not check.passed]


def test_a_model_better_than_all_passes() -> None:
    """Far above the simple baselines and level with the logistic regression: five checks, all passed."""
    verdict = judge(GOOD, GOOD + 0.01 * NOISE)
    assert verdict.passed
    assert ["random", "recency", "last_score", "tenure", "logistic"] == [check.name for check in verdict.checks]
    recency = verdict.checks[1]
    assert auc(Y, GOOD) - auc(Y, POOR) == pytest.approx(recency.difference, abs=1e-12)
    assert 0 < recency.low < recency.difference < recency.high


def test_a_model_no_better_than_chance_fails_and_says_so() -> None:
    """A random score does not surely beat a random order."""
    verdict = judge(np.random.default_rng(5).normal(size=N), POOR)
    assert not verdict.passed
    assert "random" in failed(verdict)
    assert verdict.checks[0].sentence.startswith("The model does not rank surely better than a random order: AUC ")
    assert "95 % interval" in verdict.checks[0].sentence
    assert "picking customers at random" in verdict.plainly


def test_what_a_failed_gate_means_is_said_without_figures() -> None:
    """For whoever was to get the list: by the simplest rule that is as good."""
    assert "" == judge(GOOD, GOOD).plainly
    told = "On dates it had not seen it was"
    simple = {**WEAK, "recency": GOOD, "tenure": GOOD, "logistic": POOR}
    assert (
        f"{told} not surely better at finding the right customers than going by how long a customer has been silent "
        "or how long someone has been a customer: the simple rule is as good."
    ) == gate(Y, GOOD, baselines=simple, gates=Gates(), replicates=100).plainly
    assert (
        f"{told} worse at finding the right customers than a plain logistic regression and the model in use."
    ) == judge(GOOD, GOOD + Y, champion=GOOD + Y).plainly


def test_better_by_luck_is_not_surely_better() -> None:
    """A little above recency on 150 test rows, but the interval reaches below 0: not passed."""
    few = slice(0, 150)
    rng = np.random.default_rng(9)
    recency = (Y + rng.normal(size=N))[few]
    lucky = recency + 0.3 * rng.normal(size=150) + 0.1 * Y[few]
    baselines = {name: scores[few] for name, scores in {**WEAK, "logistic": POOR}.items()}
    verdict = gate(Y[few], lucky, baselines={**baselines, "recency": recency}, gates=Gates(), replicates=100)
    check = verdict.checks[1]
    assert check.low < 0 < check.difference
    assert "recency" in failed(verdict)
    assert not verdict.passed


def test_the_logistic_regression_may_be_better_by_the_margin_and_no_more() -> None:
    """The same two rankings pass or fail as the margin is above or below their difference."""
    short = auc(Y, GOOD + 0.3 * Y) - auc(Y, GOOD)
    assert short > 0.01
    assert ["logistic"] == failed(judge(GOOD, GOOD + 0.3 * Y))
    assert [] == failed(judge(GOOD, GOOD + 0.3 * Y, logistic_margin=short + 1e-9))
    assert ["logistic"] == failed(judge(GOOD, GOOD + 0.3 * Y, logistic_margin=short - 1e-9))


def test_the_model_in_use_is_compared_when_there_is_one() -> None:
    """A much better champion stays; an equal one gives way."""
    assert ["champion"] == failed(judge(GOOD, POOR, champion=GOOD + Y))
    verdict = judge(GOOD, POOR, champion=GOOD)
    assert verdict.passed
    assert ("champion", 0.0, -0.01) == (
        verdict.checks[-1].name,
        verdict.checks[-1].difference,
        verdict.checks[-1].needed,
    )
    assert "the model in use" in verdict.checks[-1].sentence


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("last_score", "There are no survey scores here: nothing to compare with."),
        ("recency", "There are no dates of last activity here: nothing to compare with."),
        ("tenure", "There are no dates of becoming a customer here: nothing to compare with."),
    ],
)
def test_a_baseline_that_ranks_nobody_is_nothing_to_compare_with(name: str, sentence: str) -> None:
    """Even a model that is no better than chance is not told to be better or worse than nothing."""
    chance = np.random.default_rng(5).normal(size=N)
    for scores, low_above in ((GOOD, True), (chance, False)):
        baselines = {**WEAK, name: np.zeros(N), "logistic": POOR}
        verdict = gate(Y, scores, baselines=baselines, gates=Gates(), replicates=100)
        [check] = [check for check in verdict.checks if check.name == name]
        assert check.passed
        assert sentence == check.sentence
        assert low_above == (check.low > 0)
        assert auc(Y, scores) - 0.5 == pytest.approx(check.difference, abs=1e-12)


def test_the_same_score_for_everybody_is_not_called_none() -> None:
    """All gave a 5: there are survey scores, but none that differ."""
    baselines = {**WEAK, "last_score": np.full(N, 5.0), "logistic": POOR}
    check = gate(Y, GOOD, baselines=baselines, gates=Gates(), replicates=100).checks[2]
    assert "There are no differing survey scores here: nothing to compare with." == check.sentence


def test_a_baseline_that_ranks_at_one_date_is_compared() -> None:
    """A number per date ranks nobody within a date; two numbers at one of the dates do."""
    dates = np.repeat(["2026-01-01", "2026-02-01"], N // 2)
    flat = np.repeat([1.0, 2.0], N // 2)
    told = {}
    for name, scores in {"flat": flat, "ranks": np.where(np.arange(N) < 10, 0.5, flat)}.items():
        baselines = {**WEAK, "last_score": scores, "logistic": POOR}
        verdict = gate(Y, GOOD, baselines=baselines, gates=Gates(), slices=dates, replicates=100)
        told[name] = verdict.checks[2].sentence
    assert "There are no differing survey scores here: nothing to compare with." == told["flat"]
    assert told["ranks"].startswith("The model ranks surely better than the last survey score alone: AUC ")


def test_a_random_order_is_always_compared() -> None:
    """Even one that is the same for everybody by accident: chance is the least a model has to beat."""
    check = gate(
        Y, NOISE, baselines={**WEAK, "random": np.zeros(N), "logistic": POOR}, gates=Gates(), replicates=100
    ).checks[0]
    assert not check.passed
    assert "random order" in check.sentence


def test_one_class_is_refused() -> None:
    """Without outcomes there is no verdict, not a failed one."""
    with pytest.raises(DataRefused, match="0 of 2000"):
        gate(np.zeros(N), GOOD, baselines={**WEAK, "logistic": POOR}, gates=Gates())
