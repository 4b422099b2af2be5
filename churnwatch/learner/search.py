"""The search for parameters: Optuna over time-ordered folds, one trial at a time, resumable after a kill.

What is found depends on the data, the settings and the number of trials alone: the sampler is seeded anew before each
trial, by its place, so that a search that was killed and goes on tries what one left alone would have tried.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from churnwatch.errors import CheckFailed, ProjectError, nearest
from churnwatch.learner.training import FIXED, Array, Rows, _checked, _dataset, _folds, check_enough, parameters
from churnwatch.spec import LearnerSettings, Searched

if TYPE_CHECKING:
    import lightgbm as lgb
    import optuna

Value = int | float | str | bool

SPACE: dict[str, Searched] = {
    "num_leaves": Searched(range=(4, 63), log=True),
    "learning_rate": Searched(range=(0.01, 0.2), log=True),
    "min_data_in_leaf": Searched(range=(20, 500), log=True),
    "feature_fraction": Searched(range=(0.1, 1.0)),
    "bagging_fraction": Searched(range=(0.5, 1.0)),
    "lambda_l1": Searched(range=(0.001, 10.0), log=True),
    "lambda_l2": Searched(range=(0.001, 100.0), log=True),
    "min_gain_to_split": Searched(range=(0.0, 5.0)),
    "path_smooth": Searched(range=(0.01, 100.0), log=True),
}
"""Where a model's file names no ranges (our choice: small trees, strong regularisation, as churn tables are noisy)."""
FOLDS = 6
"""Held-out dates, as far as there are so many and the file does not ask for more (our choice: twice training's
default, as parameters differ by little).
"""
UNDISTURBED = 5
"""Trials before any is stopped early."""
AT_LEAST = 2
"""Folds of a trial before it may be stopped."""
RANDOM_TRIALS = 10
"""Trials drawn at random before the sampler goes by what it has seen; Optuna's own number."""
_DIGITS = 4


@dataclass(frozen=True)
class Trial:
    """One set of parameters: AUC per fold at ``rounds``, chosen as training does; fewer folds where it was stopped.

    ``parameters`` are all that LightGBM is given beyond what the engine decides, not only the searched ones.
    """

    number: int
    parameters: Mapping[str, Value]
    aucs: tuple[float, ...]
    rounds: int
    stopped: bool

    @property
    def auc(self) -> float:
        """The mean over the folds that were reached."""
        return float(np.mean(self.aucs))


@dataclass(frozen=True)
class Search:
    """What a search found: all ``trials`` in order, the first being the file's; rows of ``held`` per fold."""

    trials: tuple[Trial, ...]
    held: tuple[int, ...]
    held_dates: tuple[str, ...]
    before: int
    """Trials that an earlier, interrupted search of the same had done."""

    @property
    def file(self) -> Trial:
        """The model file's own parameters."""
        return self.trials[0]

    @property
    def best(self) -> Trial:
        """The highest mean of those not stopped, the earlier of equals."""
        return max((one for one in self.trials if not one.stopped), key=lambda one: (one.auc, -one.number))

    @property
    def difference(self) -> float:
        """Mean AUC of the best minus the file's, on the same folds."""
        return self.best.auc - self.file.auc

    @property
    def error(self) -> float | None:
        """The standard error of that difference over the folds; None with a single fold."""
        pairs = np.array(self.best.aucs) - np.array(self.file.aucs)
        return float(pairs.std(ddof=1) / np.sqrt(len(pairs))) if len(pairs) > 1 else None

    @property
    def left_out(self) -> float | None:
        """What choosing gains on a date that had no say in it; None with a single fold.

        For each fold the best by the others is taken, and its AUC there minus the file's; the mean. ``difference`` is
        judged by what chose it, so it is never below 0; this can be (our choice, after Cawley & Talbot, 2010).
        """
        gains = self._gains()
        return float(gains.mean()) if len(gains) > 1 else None

    @property
    def left_out_error(self) -> float | None:
        """The standard error of ``left_out`` over the folds; None with a single fold."""
        gains = self._gains()
        return float(gains.std(ddof=1) / np.sqrt(len(gains))) if len(gains) > 1 else None

    @property
    def better(self) -> bool:
        """Whether the best lies above the file's by more than the standard error, and choosing surely gains on other
        dates: ``left_out`` above 0 by Student's test, one-sided, 5 %.

        Where all trials are worth the same, one of many nearly always lies above by more than the error, and every
        other time it gains on dates left out: of such searches, simulated with 40 trials and six folds, 0.55 found
        something better by those signs alone, and 0.13 by this test, which does not know that early stopping has seen
        all dates.
        """
        from scipy.stats import t

        if self.error is None or self.left_out is None or self.left_out_error is None:
            return False
        least = float(t.ppf(0.95, len(self.held) - 1)) * self.left_out_error
        return self.difference > self.error and self.left_out > max(least, 0.0)

    def _gains(self) -> Array:
        """What the best by the other folds gains over the file at each fold."""
        aucs = np.array([one.aucs for one in self.trials if not one.stopped])
        others = (aucs.sum(axis=1, keepdims=True) - aucs).argmax(axis=0)
        gains: Array = aucs[others, range(aucs.shape[1])] - np.array(self.file.aucs)
        return gains


def search(
    rows: Rows,
    *,
    columns: Sequence[str],
    directions: Sequence[str],
    settings: LearnerSettings,
    trials: int,
    file: Path,
    name: str,
    on_begin: Callable[[str], None] | None = None,
    on_trial: Callable[[Trial, int], None] | None = None,
    enough: Callable[[], bool] | None = None,
) -> Search:
    """Try ``trials`` sets of parameters, the settings' own first; all the other arguments as in ``fit``.

    The trials are kept in the SQLite ``file`` under ``name`` and a hash of everything they depend on: the same search
    goes on where it ended, another begins anew beside it. ``on_begin`` is told that name; each trial is told to
    ``on_trial`` (earlier ones too) with how many are done; ``enough`` is asked before each new one. A trial whose mean
    lies below the median of the others' means over the same folds is stopped (median rule: Golovin et al., 2017;
    Optuna's own goes by a trial's best mean so far, which here an easy first date would decide). Raises CheckFailed
    where there is too little to learn from or no fold, ProjectError for parameters LightGBM does not take and for a
    file that holds no search.
    """
    check_enough(rows.y, settings)
    space = dict(settings.search or SPACE)
    folds = _folds(rows, most=max(FOLDS, settings.folds))
    if not folds:
        raise CheckFailed(
            "no date before the first test date has complete labels of both kinds before it: nothing to compare by",
            hint="wait for more history, or shorten the horizon or grid.history",
        )
    _check_names(space)
    with _checked(settings):
        data = _dataset(rows, columns, settings)
        parts = [(_part(data, train), _part(data, valid)) for train, valid in folds]
        held = tuple(int(mask.sum()) for _, mask in folds)
        key = _key(rows, columns, directions, settings, space)
        study, done = _opened(file, f"{name}-{key[:12]}")
        if on_begin:
            on_begin(study.study_name)
        before = len(done)
        done = done[:trials]
        for one in done:
            if on_trial:
                on_trial(one, one.number + 1)
        while len(done) < trials and not (done and enough and enough()):
            one = _try(study, parts, held, done, space=space, settings=settings, directions=directions)
            done.append(one)
            if on_trial:
                on_trial(one, len(done))
    dates = tuple(str(rows.dates[mask][0].astype("datetime64[s]")) for _, mask in folds)
    return Search(tuple(done), held, dates, before=min(before, trials))


def _part(data: lgb.Dataset, rows: np.ndarray[Any, Any]) -> lgb.Dataset:
    return data.subset(np.flatnonzero(rows).tolist())


def merged(file: Mapping[str, Value], found: Mapping[str, Value]) -> dict[str, Value]:
    """The file's parameters with the found ones in their place, also where the file calls them by another name."""
    aliases = _aliases()
    mine = {alias for name in found for alias in aliases.get(name, {name})}
    kept = {name: value for name, value in file.items() if name not in mine or name in found}
    return {**kept, **found}


def _aliases() -> dict[str, set[str]]:
    from lightgbm.basic import _ConfigAliases

    groups = {name: {name, *given} for name, given in _ConfigAliases._get_all_param_aliases().items()}  # noqa: SLF001
    return {alias: group for group in groups.values() for alias in group}


def _check_names(space: Mapping[str, Searched]) -> None:
    known = _aliases()
    for name in space:
        if name not in known:
            raise ProjectError(f"LightGBM has no parameter `{name}`", where="learner.search", hint=nearest(name, known))


def _try(
    study: optuna.Study,
    parts: Sequence[tuple[lgb.Dataset, lgb.Dataset]],
    held: Sequence[int],
    done: Sequence[Trial],
    *,
    space: Mapping[str, Searched],
    settings: LearnerSettings,
    directions: Sequence[str],
) -> Trial:
    """The next trial; its place among those done decides all that chance decides."""
    import lightgbm as lgb
    from optuna.samplers import TPESampler
    from optuna.trial import TrialState

    place = len(done)
    study.sampler = TPESampler(seed=_seed(settings.seed, place), n_startup_trials=RANDOM_TRIALS)
    if place == 0 and not study.get_trials(deepcopy=False, states=(TrialState.WAITING,)):
        study.enqueue_trial(_within(settings.parameters, space))
    asked = study.ask()
    drawn = {name: _drawn(asked, name, one) for name, one in space.items()}
    # Where the file's value lies outside the ranges, the sampler is told the nearest inside; tried is the file's own.
    tried = dict(settings.parameters) if place == 0 else _sampled(settings.parameters, drawn)
    given = parameters(settings.model_copy(update={"parameters": tried}), directions)
    curves: list[Array] = []
    best: tuple[int, list[float]] = (1, [])
    stopped = False
    for step, (train, valid) in enumerate(parts):
        history: dict[str, dict[str, list[float]]] = {}
        lgb.train(
            given,
            train,
            num_boost_round=settings.rounds,
            valid_sets=[valid],
            valid_names=["held"],
            callbacks=[lgb.record_evaluation(history)],
        )
        curves.append(np.array(history["held"]["auc"]))
        ranking = np.sum([curve * rows for curve, rows in zip(curves, held, strict=False)], axis=0)
        rounds = int(np.argmax(ranking)) + 1
        best = (rounds, [float(curve[rounds - 1]) for curve in curves])
        asked.report(float(np.mean(best[1])), step)
        if step + 1 < len(parts) and _hopeless(best[1], done):
            stopped = True
            break
    one = Trial(place, tried, tuple(best[1]), best[0], stopped)
    asked.set_user_attr("trial", json.dumps({"parameters": tried, "aucs": one.aucs, "rounds": one.rounds}))
    if stopped:
        study.tell(asked, state=TrialState.PRUNED)
    else:
        study.tell(asked, one.auc)
    return one


def _hopeless(aucs: Sequence[float], done: Sequence[Trial]) -> bool:
    """Whether the mean over these folds lies below the median of the others' means over the same ones."""
    reached = len(aucs)
    if len(done) < UNDISTURBED or reached < AT_LEAST:
        return False
    others = [float(np.mean(one.aucs[:reached])) for one in done if len(one.aucs) >= reached]
    return bool(others) and float(np.mean(aucs)) < float(np.median(others))


def _sampled(file: Mapping[str, Value], drawn: Mapping[str, Value]) -> dict[str, Value]:
    tried = merged(file, drawn)
    # A share of the rows is drawn only where it is said how often.
    if {"bagging_fraction", "subsample", "sub_row", "bagging"} & set(drawn) and not _frequency(tried):
        tried["bagging_freq"] = 1
    return tried


def _frequency(given: Mapping[str, Value]) -> bool:
    return bool({"bagging_freq", "subsample_freq"} & set(given))


def _drawn(asked: optuna.Trial, name: str, one: Searched) -> Value:
    if one.choices is not None:
        return one.choices[asked.suggest_categorical(name, range(len(one.choices)))]
    assert one.range is not None
    low, high = one.range
    if one.whole:
        return asked.suggest_int(name, int(low), int(high), log=one.log)
    # What stands in a file later is what was tried: few digits.
    return float(f"{asked.suggest_float(name, low, high, log=one.log):.{_DIGITS}g}")


def _within(file: Mapping[str, Value], space: Mapping[str, Searched]) -> dict[str, Value]:
    """The file's parameters as the sampler takes them: LightGBM's own value where it names none, inside the range."""
    aliases = _aliases()
    told: dict[str, Value] = {}
    for name, one in space.items():
        group = aliases[name]
        known = {**{alias: _DEFAULTS[alias] for alias in group & set(_DEFAULTS)}, **file}
        # The file's comes last, and so goes before LightGBM's own.
        value = next((known[alias] for alias in reversed(known) if alias in group), None)
        if one.choices is not None:
            told[name] = one.choices.index(value) if value is not None and value in one.choices else 0
        else:
            assert one.range is not None
            low, high = one.range
            number = float(value) if isinstance(value, int | float) else float(low)
            inside = min(max(number, low), high)
            told[name] = round(inside) if one.whole else float(inside)
    return told


_DEFAULTS: dict[str, Value] = {
    "num_leaves": 31,
    "learning_rate": 0.1,
    "min_data_in_leaf": 20,
    "min_sum_hessian_in_leaf": 0.001,
    "feature_fraction": 1.0,
    "feature_fraction_bynode": 1.0,
    "bagging_fraction": 1.0,
    "bagging_freq": 0,
    "lambda_l1": 0.0,
    "lambda_l2": 0.0,
    "min_gain_to_split": 0.0,
    "path_smooth": 0.0,
    "max_depth": -1,
    "monotone_penalty": 0.0,
    "boosting": "gbdt",
    "extra_trees": False,
}
"""LightGBM 4's, for the sampler to know where the file stands."""


def _seed(seed: int, place: int) -> int:
    """A seed of the sampler for one trial."""
    return int.from_bytes(hashlib.sha256(f"{seed} {place}".encode()).digest()[:4], "big")


def _key(
    rows: Rows,
    columns: Sequence[str],
    directions: Sequence[str],
    settings: LearnerSettings,
    space: Mapping[str, Searched],
) -> str:
    """A hash of everything a trial depends on: the observations, the settings and the ranges, the library."""
    from importlib.metadata import version

    described = {
        "columns": list(columns),
        "directions": list(directions),
        "settings": settings.model_dump(mode="json", exclude={"search", "calibration", "folds"}),
        "space": {name: one.model_dump(mode="json") for name, one in space.items()},
        "folds": [max(FOLDS, settings.folds), UNDISTURBED, AT_LEAST, RANDOM_TRIALS],
        "fixed": FIXED,
        "libraries": [version("lightgbm"), version("optuna")],
    }
    digest = hashlib.sha256(json.dumps(described, sort_keys=True).encode())
    instants = (one.astype("datetime64[us]").astype(np.int64) for one in (rows.dates, rows.known_at))
    for values in (rows.X, rows.y, *instants, *([] if rows.weight is None else [rows.weight])):
        digest.update(np.ascontiguousarray(values).tobytes())
    return digest.hexdigest()


def _opened(file: Path, name: str) -> tuple[optuna.Study, list[Trial]]:
    """The study and its finished trials; what a killed search left unfinished counts as failed, and is tried anew."""
    import optuna
    from optuna.trial import TrialState

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    file.parent.mkdir(parents=True, exist_ok=True)
    _check_whole(file)
    try:
        study = optuna.create_study(
            storage=f"sqlite:///{file}", study_name=name, direction="maximize", load_if_exists=True,
            pruner=optuna.pruners.NopPruner(),
        )  # fmt: skip
        for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            # The sampler passes over the failed ones, so nothing that follows depends on them.
            study.tell(trial.number, state=TrialState.FAIL)
        finished = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED))
    except (optuna.exceptions.OptunaError, RuntimeError) as error:
        raise _unusable(file) from error
    done = []
    for place, trial in enumerate(finished):
        told = json.loads(trial.user_attrs["trial"])
        stopped = trial.state == TrialState.PRUNED
        done.append(Trial(place, told["parameters"], tuple(told["aucs"]), told["rounds"], stopped))
    return study, done


def _check_whole(file: Path) -> None:
    """Refuse what is no whole SQLite database: the library would end in a traceback."""
    try:
        with closing(sqlite3.connect(file)) as connection:
            whole = connection.execute("pragma quick_check").fetchall() == [("ok",)]
    except sqlite3.DatabaseError:
        whole = False
    if not whole:
        raise _unusable(file)


def _unusable(file: Path) -> ProjectError:
    return ProjectError(
        "holds no search that this program can read", where=file.name, hint="delete the file: the search begins anew"
    )
