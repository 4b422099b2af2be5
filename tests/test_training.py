"""Training: what is chosen is chosen out of time, and the same inputs give the same model."""

from __future__ import annotations

import re
from typing import Any

import lightgbm as lgb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from learned_rows import rows_of

from churnwatch.errors import CheckFailed, ProjectError
from churnwatch.evaluation.figures import auc
from churnwatch.learner import Calibration, Chosen, calibrate, expected_scores, fit, margins, parameters, refit
from churnwatch.learner.training import _folds
from churnwatch.spec import LearnerSettings

DAY = 86_400
FIRST = np.datetime64("2025-01-01T17:00", "us")
COLUMNS = ("late", "calls", "noise")
UP = ("up", "up", "any")
SMALL: dict[str, Any] = {"num_leaves": 4, "min_data_in_leaf": 20, "learning_rate": 0.2, "num_threads": 1}


def dates(months: list[int] | np.ndarray) -> np.ndarray:
    """As-ofs 30 days apart."""
    return FIRST + np.asarray(months) * np.timedelta64(30 * DAY, "s")


def sample(n: int, months: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """X (n, 3), y that rises with the first two columns, as_of of ``months`` dates; the rows are shuffled."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 3))
    y = (rng.random(n) < 1 / (1 + np.exp(1.5 - X[:, 0] - 0.7 * X[:, 1]))).astype(float)
    X[rng.random(X.shape) < 0.1] = np.nan
    return X, y, dates(rng.permutation(np.arange(n) % months))


def fitted(X: np.ndarray, y: np.ndarray, as_of: np.ndarray, *, reach: int = 60 * DAY, **given: Any) -> Any:
    """``fit`` with small settings, which ``given`` overrides."""
    own = LearnerSettings(**({"parameters": SMALL, "rounds": 30, "minimum_outcomes": 20} | given))
    return fit(rows_of(X, y, as_of, reach=reach), columns=COLUMNS, directions=UP, settings=own)


def trees(text: str) -> str:
    """The model text without the number of threads, which LightGBM writes down with the parameters."""
    return re.sub(r"\[num_threads: \d+\]\n", "", text)


@settings(max_examples=150, deadline=None)
@given(
    rows=st.lists(st.tuples(st.integers(0, 9), st.booleans()), min_size=1, max_size=60),
    reach=st.integers(1, 150 * DAY),
    most=st.integers(1, 5),
)
def test_no_fold_trains_on_a_label_that_was_not_complete_at_the_held_out_date(
    rows: list[tuple[int, bool]], reach: int, most: int
) -> None:
    """Each fold holds out one whole date and trains on exactly the rows whose outcome window had closed by then."""
    months = [month for month, _ in rows]
    y = np.array([float(bad) for _, bad in rows])
    expected = []
    for held in sorted(set(months)):
        known = [i for i, month in enumerate(months) if month * 30 * DAY + reach <= held * 30 * DAY]
        if len({y[i] for i in known}) == 2:
            expected.append((known, [i for i, month in enumerate(months) if month == held]))
    found = _folds(rows_of(np.zeros((len(y), 1)), y, dates(months), reach=reach), most=most)
    assert expected[-most:] == [(np.flatnonzero(a).tolist(), np.flatnonzero(b).tolist()) for a, b in found]


def test_a_label_that_closes_at_the_held_out_instant_is_known_and_a_second_later_is_not() -> None:
    """Windows are half-open: [as_of + gap, as_of + gap + horizon) is over at its end."""
    as_of, y = dates([0, 0, 2]), np.array([0.0, 1.0, 1.0])
    just, late = (rows_of(np.zeros((3, 1)), y, as_of, reach=reach) for reach in (60 * DAY, 60 * DAY + 1))
    assert [[0, 1]] == [np.flatnonzero(train).tolist() for train, _ in _folds(just, most=3)]
    assert [] == _folds(late, most=3)


def test_rounds_and_calibration_are_those_of_out_of_time_predictions() -> None:
    """Spelt out with bare LightGBM: the mean AUC over held-out rows chooses, their margins calibrate."""
    X, y, as_of = sample(1_500, 6, 1)
    # The last date is a fifth of the one before, and counts for as much less.
    kept = (as_of != dates([5])[0]) | (np.arange(1_500) % 5 == 0)
    X, y, as_of = X[kept], y[kept], as_of[kept]
    model, chosen = fitted(X, y, as_of, folds=2)
    own = LearnerSettings(parameters=SMALL)
    total, unweighted = np.zeros(30), np.zeros(30)
    held_out = []
    for month in (4, 5):
        train, held = as_of <= dates([month - 2])[0], as_of == dates([month])[0]
        # Binned as ours: edges from all rows, so that only the labels of later rows are out of reach.
        data = lgb.Dataset(X, y, params=parameters(own, UP), free_raw_data=False).construct()
        booster = lgb.train(parameters(own, UP), data.subset(np.flatnonzero(train).tolist()), 30)
        curve = [auc(y[held], booster.predict(X[held], raw_score=True, num_iteration=i)) for i in range(1, 31)]
        total += np.array(curve) * held.sum()
        unweighted += curve
        held_out.append((booster, held))
    rounds = int(np.argmax(total)) + 1
    told = np.concatenate([b.predict(X[held], raw_score=True, num_iteration=rounds) for b, held in held_out])
    outcomes = np.concatenate([y[held] for _, held in held_out])
    assert (rounds, 2) == (chosen.rounds, chosen.folds)
    held_dates = np.concatenate([as_of[held] for _, held in held_out])
    assert calibrate(told, outcomes, dates=held_dates, method="platt") == chosen.calibration
    assert 1 < rounds < 30, "a choice at the edge would show nothing"
    assert np.argmax(unweighted) != np.argmax(total), "nor would dates that agree"
    assert f"{rounds} rounds and platt calibration by 2 out-of-time dates" == chosen.note
    assert (chosen.rounds, chosen.calibration) == (model.rounds, model.calibration)


def test_outcomes_of_the_latest_dates_choose_nothing_before_they_are_known() -> None:
    """Other labels on rows no fold may train on or hold out leave rounds and calibration as they were."""
    X, y, as_of = sample(1_500, 6, 2)
    # One fold: it holds out the last date and trains on those up to two dates before; the date between is in neither.
    between = as_of == dates([4])[0]
    _, before = fitted(X, y, as_of, folds=1)
    _, after = fitted(X, np.where(between, 1 - y, y), as_of, folds=1)
    assert before == after
    assert "by 1 out-of-time date" in before.note


def test_the_final_model_is_fitted_on_all_rows_with_the_chosen_rounds() -> None:
    """The text is that of bare LightGBM on every row, not of a fold."""
    X, y, as_of = sample(1_200, 5, 3)
    model, chosen = fitted(X, y, as_of)
    own = LearnerSettings(parameters=SMALL)
    data = lgb.Dataset(X, y, feature_name=list(COLUMNS), params=parameters(own, UP))
    assert lgb.train(parameters(own, UP), data, chosen.rounds).model_to_string() == model.booster_text
    assert y.mean() == model.base_rate
    assert COLUMNS == model.columns


def test_a_row_that_weighs_two_is_learned_from_as_two_rows() -> None:
    """Rounds, trees, base rate, calibration: weights are those of every step. Without them it comes out otherwise."""
    X, y, as_of = sample(900, 5, 20)
    X = X.round(0)
    weight = np.where(np.nan_to_num(X[:, 2]) > 0, 2.0, 1.0)
    again = np.repeat(np.arange(900), weight.astype(int))
    # Rows in a leaf or a bin are counted, not weighed: here neither limits anything.
    free = {"min_data_in_leaf": 1, "min_data_in_bin": 1, "min_sum_hessian_in_leaf": 20}
    own = LearnerSettings(parameters=SMALL | free, rounds=20)
    options: dict[str, Any] = {"columns": COLUMNS, "directions": UP, "settings": own}
    weighed, chosen = fit(rows_of(X, y, as_of, reach=60 * DAY, weight=weight), **options)
    twice, also = fit(rows_of(X[again], y[again], as_of[again], reach=60 * DAY), **options)
    alike, plain = fit(rows_of(X, y, as_of, reach=60 * DAY), **options)
    assert also.rounds == chosen.rounds
    assert twice.base_rate == pytest.approx(weighed.base_rate)
    assert margins(twice, X) == pytest.approx(margins(weighed, X), abs=0.05)
    assert np.abs(margins(alike, X) - margins(weighed, X)).max() > 0.05
    told = [(*one.calibration.x, *one.calibration.y) for one in (also, chosen, plain)]
    assert told[0] == pytest.approx(told[1], abs=0.05)
    assert told[2] != pytest.approx(told[1], abs=0.05)


def test_the_expected_score_falls_as_the_margin_rises() -> None:
    """It is fitted on the same out-of-time margins as the risk, and told only where scores are."""
    X, y, as_of = sample(900, 5, 21)
    own = LearnerSettings(parameters=SMALL, rounds=10, minimum_outcomes=20)
    rows = rows_of(X, y, as_of, reach=60 * DAY, score=np.where(y == 1, 0.2, 0.8))
    model, chosen = fit(rows, columns=COLUMNS, directions=UP, settings=own)
    assert model.score == chosen.score
    told = expected_scores(model, np.array([-2.0, 0.0, 2.0]))
    assert told is not None
    assert 0.8 >= told[0] > told[1] > told[2] >= 0.2
    other, _ = fit(rows_of(X, y, as_of, reach=60 * DAY), columns=COLUMNS, directions=UP, settings=own)
    assert expected_scores(other, np.zeros(1)) is None


def test_refit_is_the_last_step_of_fit() -> None:
    """The same rows with the same choice give the same model."""
    X, y, as_of = sample(900, 5, 4)
    model, chosen = fitted(X, y, as_of)
    own = LearnerSettings(parameters=SMALL, rounds=30, minimum_outcomes=20)
    assert model == refit(rows_of(X, y), columns=COLUMNS, directions=UP, settings=own, chosen=chosen)


@pytest.mark.parametrize(
    ("months", "reach", "why"),
    [
        (1, 60, "1 complete as-ofs are too few to choose by"),
        (2, 10, "2 complete as-ofs are too few to choose by"),
        (4, 120, "none of 4 as-ofs has complete labels of both kinds before it"),
    ],
)
def test_too_few_dates_mean_rounds_as_given_no_calibration_and_a_word_about_it(
    months: int, reach: int, why: str
) -> None:
    """Fewer than three complete as-ofs, or none whose label another date could know: nothing is chosen."""
    X, y, as_of = sample(600, months, 5)
    model, chosen = fitted(X, y, as_of, reach=reach * DAY, rounds=7)
    note = f"{why}: 7 rounds as given, no calibration"
    assert Chosen(7, Calibration("none", (), ()), 0, note) == chosen
    assert 7 == lgb.Booster(model_str=model.booster_text).num_trees()


def test_three_dates_are_enough_to_choose_by() -> None:
    """The third date is the one fold."""
    assert 1 == fitted(*sample(900, 3, 6))[1].folds


def test_no_calibration_is_called_so() -> None:
    """The note of a model whose file wants none reads like a sentence."""
    _, chosen = fitted(*sample(900, 5, 7), calibration="none")
    assert f"{chosen.rounds} rounds and no calibration by 3 out-of-time dates" == chosen.note


@pytest.mark.parametrize(("bad", "good", "told"), [(412, 2_000, "412 of 982 bad"), (2_000, 981, "981 of 982 good")])
def test_too_few_outcomes_are_too_little_to_train_on(bad: int, good: int, told: str) -> None:
    """Exit code 5, with how many there are of how many."""
    y = np.repeat([1.0, 0.0], [bad, good])
    X, as_of = np.zeros((len(y), 3)), np.full(len(y), FIRST)
    with pytest.raises(CheckFailed) as refused:
        fitted(X, y, as_of, minimum_outcomes=982)
    assert 5 == refused.value.exit_code
    assert f"not enough data: {told} outcomes in {bad + good} observations" == refused.value.found
    assert "at least 982 of each (learner.minimum_outcomes)" == refused.value.allowed
    assert "daily --baseline recency" in refused.value.hint
    chosen = Chosen(3, Calibration("none", (), ()), 0, "")
    with pytest.raises(CheckFailed, match=told):
        refit(
            rows_of(X, y), columns=COLUMNS, directions=UP, settings=LearnerSettings(minimum_outcomes=982), chosen=chosen
        )


def test_as_many_outcomes_as_asked_for_are_enough() -> None:
    """The least number is included."""
    X, y, as_of = sample(400, 2, 8)
    fitted(X, y, as_of, minimum_outcomes=int(min(y.sum(), len(y) - y.sum())))


@pytest.mark.parametrize("directions", [("up", "down", "any"), ("down", "up", "any")])
def test_the_margin_never_moves_against_a_direction(directions: tuple[str, ...]) -> None:
    """A scan over each column from many rows; without constraints this data breaks both, and `any` moves freely."""
    rng = np.random.default_rng(9)
    X = rng.normal(size=(1_500, 3))
    bent = 1.5 * np.cos(2 * X[:, 0]) + 1.5 * np.sin(2 * X[:, 1]) + 1.5 * np.cos(2 * X[:, 2])
    y = (rng.random(len(X)) < 1 / (1 + np.exp(-bent))).astype(float)
    own = LearnerSettings(parameters=SMALL | {"num_leaves": 15, "min_data_in_leaf": 5})
    chosen = Chosen(60, Calibration("none", (), ()), 0, "")

    def steps(column: int, constraints: tuple[str, ...]) -> np.ndarray:
        model = refit(rows_of(X, y), columns=COLUMNS, directions=constraints, settings=own, chosen=chosen)
        scan = np.repeat(X[:40], 60, axis=0)
        scan[:, column] = np.tile(np.linspace(-3, 3, 60), 40)
        return np.diff(margins(model, scan).reshape(40, 60), axis=1)

    for column, direction in enumerate(directions):
        moved, free = steps(column, directions), steps(column, ("any", "any", "any"))
        assert free.min() < -0.1 < 0.1 < free.max()
        if direction == "up":
            assert 0 <= moved.min()
        elif direction == "down":
            assert moved.max() <= 0
        else:
            assert moved.min() < -0.1 < 0.1 < moved.max()


def test_same_inputs_same_model_text_on_one_thread_and_on_two() -> None:
    """Also with sampled rows and columns; another seed gives another model."""
    X, y, as_of = sample(3_000, 5, 10)
    drawn = SMALL | {"feature_fraction": 0.7, "bagging_fraction": 0.7, "bagging_freq": 1}
    once, first = fitted(X, y, as_of, parameters=drawn)
    again, second = fitted(X.copy(), y.copy(), as_of.copy(), parameters=drawn)
    assert (once, first) == (again, second)
    two, third = fitted(X, y, as_of, parameters=drawn | {"num_threads": 2})
    assert "[num_threads: 2]" in two.booster_text
    assert trees(once.booster_text) == trees(two.booster_text)
    assert first == third
    assert trees(once.booster_text) != trees(fitted(X, y, as_of, parameters=drawn, seed=2)[0].booster_text)


@pytest.mark.parametrize("seed", [11, 12, 13])
def test_permuted_outcomes_are_worth_nothing_out_of_time(seed: int) -> None:
    """AUC 0.5 within three standard errors (Hanley & McNeil 1982, of a useless score); the true ones are worth more."""
    X, y, as_of = sample(4_000, 6, seed)
    past, later = as_of <= dates([3])[0], as_of > dates([3])[0]
    shuffled = np.random.default_rng(seed).permutation(y)
    bad = shuffled[later].sum()
    good = later.sum() - bad
    error = np.sqrt((bad + good + 1) / (12 * bad * good))
    useless = auc(shuffled[later], margins(fitted(X[past], shuffled[past], as_of[past])[0], X[later]))
    assert abs(useless - 0.5) < 3 * error
    assert auc(y[later], margins(fitted(X[past], y[past], as_of[past])[0], X[later])) > 0.5 + 6 * error


def test_usual_is_the_median_of_what_is_known() -> None:
    """Of 1, 3, 8 it is 3, of 1, 3 it is 2; a column without any number has none."""
    X = np.tile([[1.0, 1.0, np.nan], [3.0, np.nan, np.nan], [8.0, 3.0, np.nan]], (100, 1))
    y = np.arange(300) % 2.0
    model, _ = fitted(X, y, np.full(300, FIRST))
    assert {"late": 3.0, "calls": 2.0, "noise": None} == model.usual


@pytest.mark.parametrize(
    ("wrong", "told", "hint"),
    [
        ({"learning_rat": 0.1}, "LightGBM has no parameter `learning_rat`", "did you mean learning_rate?"),
        ({"num_leaves": 1}, "LightGBM refuses the parameters: (num_leaves) > (1)", ""),
        ({"boosting": "nope"}, "LightGBM refuses the parameters: Unknown boosting type nope", ""),
        (
            {"num_leaves": "many"},
            'LightGBM refuses the parameters: Parameter num_leaves should be of type int, got "many"',
            "",
        ),
    ],
)
def test_a_wrong_parameter_is_the_model_files_mistake(wrong: dict[str, Any], told: str, hint: str) -> None:
    """Exit code 3; LightGBM itself trains on without a parameter it does not know."""
    X, y, as_of = sample(300, 2, 16)
    own = LearnerSettings(parameters=SMALL | wrong, minimum_outcomes=20)
    chosen = Chosen(3, Calibration("none", (), ()), 0, "")
    for train in (
        lambda: fitted(X, y, as_of, parameters=SMALL | wrong),
        lambda: refit(rows_of(X, y), columns=COLUMNS, directions=UP, settings=own, chosen=chosen),
    ):
        with pytest.raises(ProjectError) as refused:
            train()
        assert (3, "learner.parameters") == (refused.value.exit_code, refused.value.where)
        assert (told, hint) == (refused.value.found, refused.value.hint)


def test_progress_is_told_from_the_first_fold_to_the_last() -> None:
    """As many steps as folds, and an end."""
    X, y, as_of = sample(900, 5, 14)
    own = LearnerSettings(parameters=SMALL, rounds=5, minimum_outcomes=20)
    heard: list[tuple[str, int, int]] = []
    rows = rows_of(X, y, as_of, reach=DAY)
    fit(rows, columns=COLUMNS, directions=UP, settings=own, report=lambda *told: heard.append(told))
    assert [("choosing rounds", i, 3) for i in range(4)] == heard


def test_a_column_that_separates_nothing_leaves_a_model_of_the_base_rate() -> None:
    """Constant columns: LightGBM finds no split on any date, and the margin is one number."""
    _, y, as_of = sample(600, 5, 15)
    model, chosen = fitted(np.ones((600, 3)), y, as_of)
    assert 1 == len(set(margins(model, np.ones((5, 3)))))
    assert 1 == chosen.rounds
