"""The search: the file's parameters first, the same trials again and after a kill, and nothing else remembered."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import lightgbm as lgb
import numpy as np
import pytest
from learned_rows import rows_of
from pydantic import ValidationError
from test_training import COLUMNS, DAY, SMALL, UP, sample

from churnwatch.errors import CheckFailed, ProjectError
from churnwatch.evaluation.figures import auc
from churnwatch.learner import SPACE, Search, Trial, fit, margins, merged, search
from churnwatch.learner.search import FOLDS, _hopeless, _within
from churnwatch.learner.training import _folds
from churnwatch.spec import LearnerSettings, Searched

REACH = 60 * DAY
X, Y, AS_OF = sample(900, 9, seed=3)
RANGES: dict[str, Any] = {
    "num_leaves": [2, 8],
    "learning_rate": {"range": [0.05, 0.5], "log": True},
    "min_data_in_leaf": [10, 60],
    "extra_trees": {"choices": [True, False]},
}


def own(**given: Any) -> LearnerSettings:
    chosen = {"parameters": SMALL, "rounds": 15, "folds": FOLDS, "minimum_outcomes": 20, "search": RANGES, **given}
    return LearnerSettings.model_validate(chosen)


def searched(file: Path, trials: int, *, y: Any = Y, settings: LearnerSettings | None = None, **given: Any) -> Search:
    return search(
        rows_of(X, y, AS_OF, reach=REACH),
        columns=COLUMNS,
        directions=UP,
        settings=settings or own(),
        trials=trials,
        file=file,
        name="probe",
        **given,
    )


@pytest.fixture(scope="module")
def twelve(tmp_path_factory: pytest.TempPathFactory) -> Search:
    """Twelve trials without interruption: ten of them drawn at random, the last ones by what was seen."""
    return searched(tmp_path_factory.mktemp("search") / "a.db", 12)


def test_the_first_trial_is_the_file_s_parameters_as_training_takes_them(twelve: Search) -> None:
    """The same rounds as `fit` chooses with as many folds, and on each fold the AUC of a booster fitted there."""
    _, chosen = fit(rows_of(X, Y, AS_OF, reach=REACH), columns=COLUMNS, directions=UP, settings=own())
    assert chosen.rounds == twelve.file.rounds
    assert SMALL == twelve.file.parameters
    folds = _folds(rows_of(X, Y, AS_OF, reach=REACH), most=FOLDS)
    assert [int(held.sum()) for _, held in folds] == list(twelve.held)
    for found, (train, held) in zip(twelve.file.aucs, folds, strict=True):
        alone = own(rounds=chosen.rounds, minimum_outcomes=1)
        fitted, _ = fit(rows_of(X[train], Y[train]), columns=COLUMNS, directions=UP, settings=alone)
        # A fold alone has bins of its own: near, not equal.
        assert pytest.approx(auc(Y[held], margins(fitted, X[held])), abs=0.03) == found


def test_every_trial_lies_in_its_ranges_and_keeps_the_rest_of_the_file(twelve: Search) -> None:
    for one in twelve.trials[1:]:
        assert set(RANGES) | set(SMALL) == set(one.parameters)
        assert one.parameters["num_leaves"] in range(2, 9)
        assert one.parameters["min_data_in_leaf"] in range(10, 61)
        assert 0.05 <= float(one.parameters["learning_rate"]) <= 0.5
        assert isinstance(one.parameters["extra_trees"], bool)
        assert 1 == one.parameters["num_threads"]
    assert 12 == len({str(one.parameters) for one in twelve.trials})
    assert list(range(12)) == [one.number for one in twelve.trials]


def test_same_inputs_same_trials(twelve: Search, tmp_path: Path) -> None:
    assert twelve == searched(tmp_path / "b.db", 12)


def test_a_search_goes_on_with_the_trials_it_would_have_made(twelve: Search, tmp_path: Path) -> None:
    """Five, then twelve: the same twelve as at once; and asked for five again, the first five of them."""
    told: list[int] = []
    assert 0 == searched(tmp_path / "c.db", 5).before
    found = searched(tmp_path / "c.db", 12, on_trial=lambda one, done: told.append(done))
    assert twelve.trials == found.trials
    assert 5 == found.before
    assert list(range(1, 13)) == told
    assert twelve.trials[:5] == searched(tmp_path / "c.db", 5).trials


@pytest.mark.parametrize("fits", [0, 3, FOLDS, 45])
def test_a_trial_that_was_cut_off_is_made_anew(
    twelve: Search, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fits: int
) -> None:
    """Cut off before the first fit, in the first trial, between two, and late: afterwards all is as if never."""
    real, count = lgb.train, 0

    def fails(*arguments: Any, **options: Any) -> Any:
        nonlocal count
        count += 1
        if count > fits:
            raise KeyboardInterrupt
        return real(*arguments, **options)

    with monkeypatch.context() as patched:
        patched.setattr(lgb, "train", fails)
        with pytest.raises(KeyboardInterrupt):
            searched(tmp_path / "d.db", 12)
    assert twelve.trials == searched(tmp_path / "d.db", 12).trials


def test_changed_inputs_begin_a_new_search(tmp_path: Path) -> None:
    """One outcome, one setting, one range: each is another search in the same file, and the first is still there."""
    file = tmp_path / "e.db"
    names: list[str] = []
    changed = Y.copy()
    changed[0] = 1 - changed[0]
    for given in (
        {},
        {"y": changed},
        {"settings": own(seed=2)},
        {"settings": own(rounds=14)},
        {"settings": own(search={"num_leaves": [2, 9]})},
    ):
        assert 0 == searched(file, 1, on_begin=names.append, **given).before
    assert 5 == len(set(names))
    assert 1 == searched(file, 1).before


def test_another_seed_tries_other_parameters(twelve: Search, tmp_path: Path) -> None:
    found = searched(tmp_path / "f.db", 3, settings=own(seed=2))
    assert twelve.trials[1].parameters != found.trials[1].parameters


def test_as_many_dates_are_compared_as_training_chooses_by_but_no_fewer_than_six(tmp_path: Path) -> None:
    """Nine as-ofs, two of them within the labels' time: seven can be held out. Six by default, seven when asked for."""
    assert 6 == len(searched(tmp_path / "l.db", 1, settings=own(folds=2)).held)
    found = searched(tmp_path / "l.db", 1, settings=own(folds=9))
    assert 7 == len(found.held)
    assert 0 == found.before


def test_when_it_is_enough_no_further_trial_begins(tmp_path: Path) -> None:
    """The file's own parameters are tried in any case: there is nothing to compare by without them."""
    assert 1 == len(searched(tmp_path / "g.db", 9, enough=lambda: True).trials)


def test_outcomes_and_rows_are_nowhere_in_the_file(twelve: Search, tmp_path: Path) -> None:
    """What is kept is parameters and AUC: no table of the file holds anything else of the data."""
    searched(tmp_path / "h.db", 2)
    con = sqlite3.connect(tmp_path / "h.db")
    attributes = con.execute("select key from trial_user_attributes").fetchall()
    assert {("trial",)} == set(attributes)
    assert [] == con.execute("select * from study_user_attributes").fetchall()
    con.close()


def trial(number: int, *aucs: float, stopped: bool = False) -> Trial:
    return Trial(number, {}, aucs, 10, stopped)


def test_difference_and_error_by_hand() -> None:
    """Differences 0.02, 0.00, 0.04: mean 0.02, standard deviation 0.02, error 0.02 / √3."""
    found = Search((trial(0, 0.70, 0.72, 0.74), trial(1, 0.72, 0.72, 0.78)), (9, 9, 9), ("", "", ""), 0)
    assert pytest.approx(0.02) == found.difference
    assert pytest.approx(0.02 / 3**0.5) == found.error
    # The one other trial is chosen by any two folds: the same gains, and 0.02 < 2.92 * 0.02 / √3.
    assert (pytest.approx(0.02), pytest.approx(0.02 / 3**0.5)) == (found.left_out, found.left_out_error)
    assert not found.better


def test_a_gain_surely_above_chance_is_better() -> None:
    """Gains of 0.02, 0.02 and 0.03: mean 0.0233, error 0.0033; Student's 2.92 errors (two degrees) are 0.0097."""
    found = Search((trial(0, 0.70, 0.72, 0.74), trial(1, 0.72, 0.74, 0.77)), (9, 9, 9), ("", "", ""), 0)
    assert found.better


def test_where_no_parameters_are_worth_more_little_is_called_better() -> None:
    """Forty trials whose AUCs are noise: the best is always above, the rule seldom says so."""
    rng = np.random.default_rng(2)
    said = []
    for _ in range(200):
        trials = tuple(trial(k, *rng.normal(0.75, 0.004, 6)) for k in range(40))
        found = Search(trials, (9,) * 6, ("",) * 6, 0)
        assert found.difference >= 0
        said.append(found.better)
    # 22 here: the gains of the dates go together, so a little above 5 of 100; by the signs alone it is about 90.
    assert sum(said) <= 30


def test_what_choosing_gains_on_a_date_that_had_no_say_by_hand() -> None:
    """By the last two folds trial 1 is best (sums 1.44, 1.60, 1.44): on the first it loses 0.05. By the first and third
    trial 2 (1.44, 1.45, 1.52): on the second it gains 0.01. By the first two trial 2 (1.40, 1.45, 1.50): on the third
    it loses 0.01.
    """
    trials = (trial(0, 0.70, 0.70, 0.74), trial(1, 0.65, 0.80, 0.80), trial(2, 0.79, 0.71, 0.73))
    found = Search((*trials, trial(3, 0.9, 0.9, stopped=True)), (9, 9, 9), ("", "", ""), 0)
    assert pytest.approx((-0.05 + 0.01 - 0.01) / 3) == found.left_out
    assert 1 == found.best.number
    assert pytest.approx(0.11 / 3) == found.difference


def test_what_gains_nothing_on_dates_left_out_is_not_better() -> None:
    """The last trial is best by 0.03 at every date, without an error; but by any two dates another one would have been
    chosen, which loses 0.02 at the third.
    """
    lucky = (trial(1, 0.55, 0.55, 0.48), trial(2, 0.48, 0.55, 0.55), trial(3, 0.55, 0.48, 0.55))
    found = Search((trial(0, 0.5, 0.5, 0.5), *lucky, trial(4, 0.53, 0.53, 0.53)), (9, 9, 9), ("", "", ""), 0)
    assert 4 == found.best.number
    assert pytest.approx(0.03) == found.difference
    assert pytest.approx(0, abs=1e-9) == found.error
    assert pytest.approx(-0.02) == found.left_out
    assert not found.better


def test_no_more_than_the_error_is_not_better() -> None:
    found = Search((trial(0, 0.70, 0.70), trial(1, 0.80, 0.66)), (9, 9), ("", ""), 0)
    assert pytest.approx(0.03) == found.difference
    assert pytest.approx(0.07) == found.error
    assert not found.better


def test_with_one_fold_there_is_no_telling() -> None:
    found = Search((trial(0, 0.70), trial(1, 0.90)), (9,), ("",), 0)
    assert (None, None, None) == (found.error, found.left_out, found.left_out_error)
    assert not found.better


def test_a_stopped_trial_is_never_the_best_and_of_equals_the_first_is() -> None:
    trials = (trial(0, 0.7, 0.7), trial(1, 0.9, stopped=True), trial(2, 0.8, 0.8), trial(3, 0.8, 0.8))
    assert 2 == Search(trials, (9, 9), ("", ""), 0).best.number


def test_the_median_of_the_same_folds_decides_what_is_stopped() -> None:
    """Means over two folds: 0.70, 0.71, 0.72, 0.73, 0.74, the median 0.72. Not before five trials, not on one fold."""
    done = [trial(k, 0.70 + k / 100, 0.70 + k / 100, 0.9) for k in range(5)]
    assert _hopeless([0.72, 0.7199], done)
    assert not _hopeless([0.72, 0.72], done)
    assert not _hopeless([0.1], done)
    assert not _hopeless([0.1, 0.1], done[:4])


def test_some_trial_was_stopped(twelve: Search) -> None:
    stopped = [one for one in twelve.trials if one.stopped]
    assert stopped
    assert all(2 <= len(one.aucs) < len(twelve.held) for one in stopped)
    assert all(len(one.aucs) == len(twelve.held) for one in twelve.trials if not one.stopped)


def test_found_parameters_take_the_place_of_their_aliases() -> None:
    file = {"eta": 0.1, "num_leaves": 7, "bagging_freq": 1, "reg_lambda": 3.0}
    expected = {"num_leaves": 7, "bagging_freq": 1, "learning_rate": 0.2, "lambda_l2": 1.0}
    assert expected == merged(file, {"learning_rate": 0.2, "lambda_l2": 1.0})


def test_the_sampler_is_told_where_the_file_stands() -> None:
    """Its own value, under any name; LightGBM's where it names none; the nearest end where it lies outside."""
    space = {
        "learning_rate": Searched(range=(0.01, 0.2)),
        "num_leaves": Searched(range=(4, 63)),
        "lambda_l1": Searched(range=(0.001, 10.0), log=True),
        "boosting": Searched(choices=("dart", "gbdt")),
    }
    expected = {"learning_rate": 0.05, "num_leaves": 63, "lambda_l1": 0.001, "boosting": 1}
    assert expected == _within({"eta": 0.05, "num_leaves": 90}, space)
    assert 31 == _within({}, space)["num_leaves"]


def test_a_share_of_rows_is_drawn_in_every_round(tmp_path: Path) -> None:
    """LightGBM passes over bagging_fraction without a frequency: the search would tune nothing."""
    found = searched(tmp_path / "i.db", 2, settings=own(search={"bagging_fraction": [0.5, 0.9]}))
    assert 1 == found.trials[1].parameters["bagging_freq"]
    assert "bagging_freq" not in found.file.parameters


def test_the_default_ranges_are_lightgbm_s_names_and_need_no_new_bins() -> None:
    assert SPACE == LearnerSettings(search=SPACE).search


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"max_bin": [15, 255]}, "`max_bin` is no parameter to search: it is decided by the binning"),
        ({"num_iterations": [10, 20]}, "decided by learner.rounds"),
        ({"num_leaves": [9, 9]}, "a range rises"),
        ({"lambda_l1": {"range": [0.0, 1.0], "log": True}}, "begins above 0"),
        ({"lambda_l1": {"range": [0.0, 1.0], "choices": [1]}}, "a parameter is"),
        ({"boosting": {"choices": ["gbdt"], "log": True}}, "`log` goes with `range`"),
        ({"boosting": {}}, "a parameter is"),
    ],
)
def test_a_range_that_means_nothing_is_refused(wrong: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError) as raised:
        LearnerSettings(search=wrong)
    assert told in str(raised.value)


def test_a_parameter_lightgbm_does_not_know_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match="no parameter `num_leafs`") as raised:
        searched(tmp_path / "j.db", 1, settings=own(search={"num_leafs": [2, 9]}))
    assert "learner.search" == raised.value.where
    assert "did you mean num_leaf" in raised.value.hint


def test_without_a_fold_there_is_nothing_to_compare_by(tmp_path: Path) -> None:
    with pytest.raises(CheckFailed, match="nothing to compare by"):
        search(
            rows_of(X, Y), columns=COLUMNS, directions=UP, settings=own(), trials=1,
            file=tmp_path / "k.db", name="probe",
        )  # fmt: skip


@pytest.mark.parametrize("content", [b"no database", b"SQLite format 3\x00 but damaged", b"SQLite format 3\x00" * 400])
def test_a_file_that_holds_no_search_is_the_user_s_to_delete(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "tune-probe.db"
    file.write_bytes(content)
    with pytest.raises(ProjectError, match=r"tune-probe\.db") as raised:
        searched(file, 1)
    assert "delete the file" in raised.value.hint
