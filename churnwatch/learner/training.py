"""Training: rounds and calibration from expanding-window out-of-time predictions, then one fit on everything."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from churnwatch.errors import CheckFailed, ProjectError, nearest
from churnwatch.learner.calibration import calibrate, calibrate_score
from churnwatch.learner.fitted import Calibration, Fitted, Horizon
from churnwatch.learner.horizons import fit_horizons
from churnwatch.spec import Duration, LearnerSettings

if TYPE_CHECKING:
    import lightgbm as lgb

Array = np.ndarray[Any, np.dtype[np.float64]]
Report = Callable[[str, int, int], None]

FIXED = {
    "objective": "binary",
    # Rounds are chosen by ranking: log loss would follow the season's base rate, which calibration and the
    # base-rate warning look after (online_retail moves between 0.42 and 0.62 from quarter to quarter).
    "metric": "auc",
    "verbosity": -1,
    # Same inputs, same model text, whatever the number of cores.
    "deterministic": True,
    "force_col_wise": True,
}
_MONOTONE = {"up": 1, "down": -1, "any": 0}


@dataclass(frozen=True)
class Chosen:
    """What was chosen inside training: ``rounds``, ``calibration``, on how many out-of-time ``folds``."""

    rounds: int
    calibration: Calibration
    folds: int
    note: str
    horizons: tuple[Horizon, ...] = ()
    score: Calibration | None = None


@dataclass(frozen=True)
class Leaving:
    """What further horizons are fitted on, beside the outcome within the model's ``own``: their ``lengths``, seconds
    from the opening of the label window until leaving (n_rows,), NaN for who did not, and seconds it was watched.
    """

    lengths: tuple[Duration, ...]
    own: Duration
    left_after: Array
    watched: Array


@dataclass(frozen=True)
class Rows:
    """What is learned from: ``X`` (n_rows, n_columns) float64, NaN missing; ``y`` (n_rows,) of 0 and 1; ``dates``
    (n_rows,) datetime64, by which rows are held out together; ``known_at`` (n_rows,) datetime64, the last instant a
    row's label had to know: a date may learn from it when that lies before the date. ``weight`` (n_rows,), above 0, of
    mean 1, how many rows each stands for, ``None`` all alike. ``score`` (n_rows,) 0 worst to 1 best, where a score is
    foretold beside the outcome.
    """

    X: Array
    y: Array
    dates: np.ndarray[Any, Any]
    known_at: np.ndarray[Any, Any]
    weight: Array | None = None
    score: Array | None = None

    @property
    def base_rate(self) -> float:
        """The share of bad outcomes, by weight."""
        return float(np.average(self.y, weights=self.weight))


def fit(
    rows: Rows,
    *,
    columns: Sequence[str],
    directions: Sequence[str],
    settings: LearnerSettings,
    leaving: Leaving | None = None,
    report: Report | None = None,
) -> tuple[Fitted, Chosen]:
    """Choose rounds and calibration out of time, then fit on all rows.

    ``directions`` up, down or any per column (a monotone constraint); ``leaving`` what further horizons are told by.
    Raises CheckFailed where either class has fewer than ``minimum_outcomes`` rows, ProjectError where LightGBM does not
    take a parameter.
    """
    check_enough(rows.y, settings)
    with _checked(settings):
        data = _dataset(rows, columns, settings)
        chosen = _choose(
            data,
            rows,
            directions=directions,
            settings=settings,
            leaving=leaving,
            report=report,
        )
        return _fit_all(data, rows, columns=columns, directions=directions, settings=settings, chosen=chosen), chosen


def refit(
    rows: Rows,
    *,
    columns: Sequence[str],
    directions: Sequence[str],
    settings: LearnerSettings,
    chosen: Chosen,
) -> Fitted:
    """Fit on all rows with rounds and calibration chosen before; arguments as in ``fit``."""
    check_enough(rows.y, settings)
    with _checked(settings):
        data = _dataset(rows, columns, settings)
        return _fit_all(data, rows, columns=columns, directions=directions, settings=settings, chosen=chosen)


def check_enough(y: Array, settings: LearnerSettings) -> None:
    """CheckFailed where there are too few bad or too few good outcomes to train on."""
    bad = int(y.sum())
    for name, count in (("bad", bad), ("good", len(y) - bad)):
        if count < settings.minimum_outcomes:
            raise CheckFailed(
                f"not enough data: {count} of {settings.minimum_outcomes} {name} outcomes in {len(y)} observations",
                allowed=f"at least {settings.minimum_outcomes} of each (learner.minimum_outcomes)",
                hint="wait for more history, widen the horizon, or list by a baseline: `daily --baseline recency`",
            )


def parameters(settings: LearnerSettings, directions: Sequence[str]) -> dict[str, Any]:
    """The LightGBM parameters of a fit: the model file's, ours, the seed and the monotone constraints."""
    return {
        **settings.parameters,
        **FIXED,
        "seed": settings.seed,
        "feature_pre_filter": False,
        "monotone_constraints": [_MONOTONE[direction] for direction in directions],
    }


@contextmanager
def _checked(settings: LearnerSettings) -> Iterator[None]:
    """Parameters LightGBM does not know (it would train without them) or refuses, as the model file's mistake."""
    from lightgbm.basic import LightGBMError, _ConfigAliases

    where = "learner.parameters"
    # LightGBM's own list, {name: aliases}; it has no public door.
    known = {alias for names in _ConfigAliases._get_all_param_aliases().values() for alias in names}  # noqa: SLF001
    for name in settings.parameters:
        if name not in known:
            raise ProjectError(f"LightGBM has no parameter `{name}`", where=where, hint=nearest(name, known))
    try:
        yield
    except LightGBMError as error:
        said = re.sub(r" at \S+, line \d+ \.\s*$", "", str(error)).removeprefix("Check failed: ").strip()
        raise ProjectError(f"LightGBM refuses the parameters: {said}", where=where) from error


def _dataset(rows: Rows, columns: Sequence[str], settings: LearnerSettings) -> lgb.Dataset:
    """The binned data, made once and shared by all folds; binning must know the parameters that rule it."""
    import lightgbm as lgb

    # Pre-filtering would leave out columns by the whole data's counts, which a smaller fold may need otherwise.
    params = {**settings.parameters, **FIXED, "seed": settings.seed, "feature_pre_filter": False}
    data = lgb.Dataset(
        rows.X, rows.y, weight=rows.weight, feature_name=list(columns), free_raw_data=False, params=params
    )
    return data.construct()


def _choose(
    data: lgb.Dataset,
    rows: Rows,
    *,
    directions: Sequence[str],
    settings: LearnerSettings,
    leaving: Leaving | None,
    report: Report | None,
) -> Chosen:
    import lightgbm as lgb

    folds = _folds(rows, most=settings.folds)
    dates = len(np.unique(rows.dates))
    if dates < 3 or not folds:
        why = (
            f"{dates} complete as-ofs are too few to choose by"
            if dates < 3
            else f"none of {dates} as-ofs has complete labels of both kinds before it"
        )
        note = f"{why}: {settings.rounds} rounds as given, no calibration"
        return Chosen(settings.rounds, Calibration("none", (), ()), 0, note)
    ranking = np.zeros(settings.rounds)
    boosters = []
    for done, (train, held) in enumerate(folds):
        if report:
            report("choosing rounds", done, len(folds))
        history: dict[str, dict[str, list[float]]] = {}
        booster = lgb.train(
            parameters(settings, directions),
            data.subset(np.flatnonzero(train).tolist()),
            num_boost_round=settings.rounds,
            valid_sets=[data.subset(np.flatnonzero(held).tolist())],
            valid_names=["held"],
            callbacks=[lgb.record_evaluation(history)],
        )
        ranking += np.array(history["held"]["auc"]) * held.sum()
        boosters.append(booster)
    rounds = int(np.argmax(ranking)) + 1
    held_margins = [
        booster.predict(rows.X[held], raw_score=True, num_iteration=rounds)
        for booster, (_, held) in zip(boosters, folds, strict=True)
    ]
    told = np.concatenate(held_margins)
    at = np.concatenate([np.flatnonzero(held) for _, held in folds])
    weight = None if rows.weight is None else rows.weight[at]
    calibration = calibrate(told, rows.y[at], dates=rows.dates[at], weight=weight, method=settings.calibration)
    score = None
    if rows.score is not None:
        score = calibrate_score(told, rows.y[at], 1 - rows.score[at], dates=rows.dates[at], weight=weight)
    horizons: tuple[Horizon, ...] = ()
    lacking: tuple[str, ...] = ()
    if leaving is not None:
        horizons, lacking = fit_horizons(
            leaving.lengths,
            leaving.own,
            told,
            left_after=leaving.left_after[at],
            watched=leaving.watched[at],
            dates=rows.dates[at],
        )
    if report:
        report("choosing rounds", len(folds), len(folds))
    how = "no" if calibration.method == "none" else calibration.method
    dates_told = "1 out-of-time date" if len(folds) == 1 else f"{len(folds)} out-of-time dates"
    note = "; ".join((f"{rounds} rounds and {how} calibration by {dates_told}", *lacking))
    return Chosen(rounds, calibration, len(folds), note, horizons, score)


def _folds(rows: Rows, *, most: int) -> list[tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]]:
    """(train, held) masks: a held-out date with every row whose label was known before it; latest dates last."""
    folds = []
    for date in np.unique(rows.dates):
        train = rows.known_at < date
        if 0 < rows.y[train].sum() < train.sum():
            folds.append((train, rows.dates == date))
    return folds[-most:]


def _fit_all(
    data: lgb.Dataset,
    rows: Rows,
    *,
    columns: Sequence[str],
    directions: Sequence[str],
    settings: LearnerSettings,
    chosen: Chosen,
) -> Fitted:
    import lightgbm as lgb

    booster = lgb.train(parameters(settings, directions), data, num_boost_round=chosen.rounds)
    seen = np.asarray(~np.isnan(rows.X).all(axis=0))
    usual = {name: float(np.nanmedian(rows.X[:, i])) if seen[i] else None for i, name in enumerate(columns)}
    return Fitted(
        booster_text=booster.model_to_string(),
        columns=tuple(columns),
        calibration=chosen.calibration,
        rounds=chosen.rounds,
        base_rate=rows.base_rate,
        usual=usual,
        horizons=chosen.horizons,
        score=chosen.score,
    )
