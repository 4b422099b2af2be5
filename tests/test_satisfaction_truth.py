"""`satisfaction` beside what the simulation knows of the silent; all twenty seeds: `make bench-satisfaction`."""

from __future__ import annotations

import pytest

from tests.benchmarks.satisfaction_truth import beside_truths

pytestmark = pytest.mark.slow
SEEDS = range(1, 6)


@pytest.fixture(scope="module")
def observed():
    """Five companies of 5,000 whose silence is explained by what can be seen."""
    return {one.instrument: one for one in beside_truths(SEEDS, nonresponse="observed", customers=5_000)}


def test_answers_alone_are_too_rosy_and_half_of_that_or_more_is_corrected(observed):
    for one in observed.values():
        rosy = -one.naive_bias if one.instrument == "ces" else one.naive_bias
        assert rosy > 0
        assert abs(one.corrected_bias) <= 0.5 * abs(one.naive_bias), one


def test_the_corrected_intervals_hold_the_truth_but_for_chance(observed):
    """Of fifteen 95 % intervals one or two may miss."""
    assert 13 <= sum(one.corrected_held for one in observed.values()), observed


def test_what_nothing_shows_cannot_be_corrected_away():
    """Latent silence: the correction helps where feelings leave traces, and its intervals promise too much."""
    [nps, *_] = beside_truths(range(1, 4), nonresponse="latent", customers=5_000)
    assert 5 < nps.naive_bias
    assert 2 < nps.corrected_bias <= nps.naive_bias + 1
