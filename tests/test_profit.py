"""Expected maximum profit: against integration by brute force, and worked out by hand where it can be."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from churnwatch.errors import DataRefused
from churnwatch.evaluation.profit import expected_maximum_profit

GAMMAS = (np.arange(40_000) + 0.5) / 40_000


def oracle(
    y: list[int], s: list[float], *, alpha: float, beta: float, value: float, offer: float, contact: float
) -> tuple[float, float]:
    """Every list that the scores allow at each of 40,000 gammas: the best one's profit and length, averaged.

    Of lists that earn the same the shortest counts.
    """
    from scipy.stats import beta as distribution

    lists = [[]] + [
        [out for out, score in zip(y, s, strict=True) if score >= cut] for cut in sorted(set(s), reverse=True)
    ]
    profits = []
    for listed in lists:
        gone, stayed = sum(listed), len(listed) - sum(listed)
        profits.append(gone * (GAMMAS * (value - offer) - contact) - stayed * (offer + contact))
    best = np.argmax(profits, axis=0)
    density = distribution.pdf(GAMMAS, alpha, beta) / len(GAMMAS)
    lengths = np.array([len(listed) for listed in lists])
    return float(np.max(profits, axis=0) @ density) / len(y), float(lengths[best] @ density) / len(y)


@st.composite
def rankings(draw: st.DrawFn) -> tuple[list[int], list[float]]:
    rest = draw(st.lists(st.sampled_from([0, 0, 1]), max_size=14))
    y = draw(st.permutations([0, 1, *rest]))
    s = draw(st.lists(st.sampled_from([-1.0, 0.0, 0.1, 0.5, 2.0, 3.0]), min_size=len(y), max_size=len(y)))
    return y, s


@given(
    rankings(),
    st.sampled_from([(6.0, 14.0), (1.0, 1.0), (2.0, 5.0), (3.0, 1.5)]),
    st.sampled_from([(200.0, 10.0, 1.0), (200.0, 10.0, 0.0), (50.0, 20.0, 5.0), (1000.0, 0.0, 3.0), (9.0, 0.0, 0.0)]),
)
@settings(deadline=None, max_examples=60)
def test_it_is_what_brute_force_integration_gives(
    case: tuple[list[int], list[float]], shape: tuple[float, float], money: tuple[float, float, float]
) -> None:
    y, s = case
    terms = {"alpha": shape[0], "beta": shape[1], "value": money[0], "offer": money[1], "contact": money[2]}
    profit, share = oracle(y, s, **terms)
    found = expected_maximum_profit(y, s, **terms)
    assert profit == pytest.approx(found.per_customer, abs=money[0] * 1e-6)
    assert share == pytest.approx(found.share, abs=2e-3)


def test_five_thousand_customers_by_brute_force() -> None:
    """A ranking as long as a real one, few leavers, the defaults of the paper."""
    rng = np.random.default_rng(4)
    y = (rng.random(5_000) < 0.05).astype(int)
    s = (1.5 * y + rng.normal(size=5_000)).round(2)
    terms = {"alpha": 6.0, "beta": 14.0, "value": 200.0, "offer": 10.0, "contact": 1.0}
    profit, share = oracle(y.tolist(), s.tolist(), **terms)
    found = expected_maximum_profit(y, s)
    assert profit == pytest.approx(found.per_customer, abs=1e-6)
    assert share == pytest.approx(found.share, abs=1e-3)
    assert 0.3 < found.per_customer < 0.05 * 56
    assert 0.005 < found.share < 0.3


def test_a_perfect_ranking_contacts_exactly_the_leavers() -> None:
    """Half leave. A contacted leaver brings 0.3 x 190 - 1 = 56 on average; gamma hardly ever is below 1 / 190."""
    found = expected_maximum_profit([1, 1, 0, 0], [4.0, 3.0, 2.0, 1.0])
    assert 28.0 == pytest.approx(found.per_customer, abs=1e-6)
    assert 0.5 == pytest.approx(found.share, abs=1e-6)


def test_a_ranking_of_nobody_contacts_all_or_nobody() -> None:
    """Gamma even between 0 and 1, half leave, nobody told apart: all are contacted from gamma 12 / 190 on."""
    found = expected_maximum_profit([1, 0], [7.0, 7.0], alpha=1.0, beta=1.0)
    least = 12 / 190
    # The integral of (190 gamma - 12) / 2 from there to 1.
    assert (95 * (1 - least**2) - 12 * (1 - least)) / 2 == pytest.approx(found.per_customer)
    assert 1 - least == pytest.approx(found.share)


def test_where_leavers_are_too_rare_nobody_is_contacted() -> None:
    """One of forty: 39 offers of 10 and 40 contacts cost more than the 190 that one leaver brings at best."""
    found = expected_maximum_profit([1, *[0] * 39], [0.0] * 40)
    assert (0.0, 0.0) == (found.per_customer, found.share)


def test_the_wrong_way_round_is_no_better_than_nothing_known() -> None:
    """The hull of a ranking upside down is the diagonal: one may contact all, or nobody."""
    y = [1, 0, 0]
    tied = expected_maximum_profit(y, [0.0] * 3)
    assert tied == expected_maximum_profit(y, [0.0, 1.0, 2.0])


def test_it_depends_on_the_order_of_scores_alone() -> None:
    """No scale, no row order: a monotone change of the scores and a shuffle change nothing."""
    rng = np.random.default_rng(5)
    y, s = (rng.random(300) < 0.2).astype(int), rng.normal(size=300).round(1)
    shuffle = rng.permutation(300)
    assert expected_maximum_profit(y, s) == expected_maximum_profit(y[shuffle], np.exp(s[shuffle]))


@pytest.mark.parametrize(
    "wrong", [{"alpha": 0.0}, {"beta": -1.0}, {"offer": 200.0}, {"offer": -1.0}, {"contact": -1.0}, {"value": 0.0}]
)
def test_parameters_without_a_meaning_are_a_bug(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="alpha and beta"):
        expected_maximum_profit([1, 0], [1.0, 0.0], **wrong)


def test_one_class_earns_no_figure() -> None:
    with pytest.raises(DataRefused):
        expected_maximum_profit([0, 0], [1.0, 0.0])
