"""What a candidate must show before it may rank customers (DESIGN §7)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from churnwatch.evaluation.interval import paired_interval
from churnwatch.spec.model import Gates

SURELY_BETTER_THAN = {
    "random": ("a random order", "urutan acak"),
    "recency": ("how long a customer has been silent, alone", "lamanya pelanggan diam saja"),
    "last_score": ("the last survey score alone", "nilai survei terakhir saja"),
    "tenure": ("how long someone has been a customer, alone", "lamanya menjadi pelanggan saja"),
}
"""The baselines the lower bound of the interval must be above, and each one in words, English and Indonesian."""
RIVALS = {
    "logistic": ("a plain logistic regression", "regresi logistik biasa"),
    "champion": ("the model in use", "model yang sedang dipakai"),
}
"""What the candidate may lie a margin below at most, in words."""
READ_FROM = {
    "recency": ("dates of last activity", "tanggal aktivitas terakhir"),
    "last_score": ("survey scores", "nilai survei"),
    "tenure": ("dates of becoming a customer", "tanggal menjadi pelanggan"),
}
"""What a baseline that is one column is made from; without any, it is the same number for everybody."""


@dataclass(frozen=True)
class Check:
    """One comparison: the candidate's AUC minus the other's, with its 95 % interval.

    For the simple baselines ``low`` must be above ``needed`` (0), but for one that is the same number for
    everybody: it ranks nobody, so the check is passed whatever the interval. For the logistic regression and the
    champion ``difference`` itself must not be below ``needed`` (minus the margin).
    """

    name: str
    difference: float
    low: float
    high: float
    needed: float
    passed: bool
    sentence: str
    sentence_id: str
    """The same in Indonesian."""


@dataclass(frozen=True)
class Verdict:
    """The gate's answer: passed when every check has."""

    passed: bool
    checks: tuple[Check, ...]

    @property
    def plainly(self) -> str:
        """What a failed gate means for whoever was to get the list, in a sentence; nothing where it is passed."""
        failed = [check.name for check in self.checks if not check.passed]
        if not failed:
            return ""
        told = "On dates it had not seen it was not surely better at finding the right customers than"
        if "random" in failed:
            return f"{told} picking customers at random: nobody should be contacted because of its risks."
        simple = [SURELY_BETTER_THAN[name][0] for name in failed if name in SURELY_BETTER_THAN]
        if simple:
            rules = " or ".join(words.removesuffix(" alone").removesuffix(",") for words in simple)
            return f"{told} going by {rules}: the simple rule is as good."
        rivals = " and ".join(RIVALS[name][0] for name in failed)
        return f"On dates it had not seen it was worse at finding the right customers than {rivals}."


def gate(
    y: ArrayLike,
    scores: ArrayLike,
    *,
    baselines: Mapping[str, ArrayLike],
    gates: Gates,
    champion: ArrayLike | None = None,
    clusters: Sequence[object] | NDArray[np.generic] | None = None,
    slices: Sequence[object] | NDArray[np.generic] | None = None,
    seed: int = 1,
    replicates: int | None = None,
) -> Verdict:
    """Compare the candidate's ``scores`` (n,) with each baseline's and with the champion's on the test rows.

    ``baselines`` holds the scores of random, recency, last_score, tenure and logistic; ``champion`` the
    present champion's on the same rows, None where there is none. ``clusters`` are the customers, ``slices``
    the as-ofs (see ``paired_interval``).

    Above the simple baselines the candidate must lie surely: lower end of the interval above 0; not above
    one that is the same number for everybody, because the deployment has nothing to make it from. Against
    logistic regression and champion its observed AUC may lie ``logistic_margin`` and ``champion_margin``
    lower, no more: a margin on the observed difference, because on few outcomes the lower end of an interval
    lies below any small margin even for two equally good models. Raises DataRefused on one-class labels.
    """
    checks = []
    for name, words in SURELY_BETTER_THAN.items():
        difference, low, high = paired_interval(
            y, scores, baselines[name], clusters=clusters, slices=slices, seed=seed, replicates=replicates
        )
        lacking = _lacking(name, np.asarray(baselines[name], dtype=np.float64), slices)
        passed = low > 0 or lacking is not None
        sentences = lacking or (
            f"The model {'ranks surely' if passed else 'does not rank surely'} better than {words[0]}: "
            f"{_told(difference, low, high)}; the lower end must be above 0.",
            f"Model {'mengurutkan dengan pasti' if passed else 'tidak terbukti mengurutkan'} lebih baik daripada "
            f"{words[1]}: "
            f"{_told(difference, low, high, language='id')}; batas bawahnya harus di atas 0.",
        )
        checks.append(Check(name, difference, low, high, 0.0, passed, *sentences))
    rivals = [("logistic", RIVALS["logistic"], baselines["logistic"], gates.logistic_margin)]
    if champion is not None:
        rivals.append(("champion", RIVALS["champion"], champion, gates.champion_margin))
    for name, words, rival, margin in rivals:
        difference, low, high = paired_interval(
            y, scores, rival, clusters=clusters, slices=slices, seed=seed, replicates=replicates
        )
        passed = difference >= -margin
        sentences = (
            f"The model ranks {'at least about as well as' if passed else 'worse than'} {words[0]}: "
            f"{_told(difference, low, high)}; it may lie {margin:g} below at most.",
            f"Model mengurutkan {'setidaknya kira-kira sebaik' if passed else 'lebih buruk daripada'} {words[1]}: "
            f"{_told(difference, low, high, language='id')}; paling banyak boleh {_comma(f'{margin:g}')} di bawahnya.",
        )
        checks.append(Check(name, difference, low, high, -margin, passed, *sentences))
    return Verdict(all(check.passed for check in checks), tuple(checks))


def _lacking(
    name: str, scores: NDArray[np.float64], slices: Sequence[object] | NDArray[np.generic] | None
) -> tuple[str, str] | None:
    """The sentences for a baseline that tells nobody apart at any as-of, ``None`` for one that ranks."""
    if name not in READ_FROM:
        return None
    at = np.zeros(len(scores)) if slices is None else np.asarray(slices)
    if any(np.ptp(scores[at == one]) > 0 for one in np.unique(at)):
        return None
    # All 0 is how the baseline of a column that is not there looks.
    differing = scores.any()
    en, id_ = READ_FROM[name]
    return (
        f"There are no {'differing ' if differing else ''}{en} here: nothing to compare with.",
        f"Di sini tidak ada {id_}{' yang berbeda-beda' if differing else ''}: tidak ada pembandingnya.",
    )


def _told(difference: float, low: float, high: float, *, language: str = "en") -> str:
    if language == "id":
        return _comma(f"AUC {difference:+.3f} (interval 95 % {low:+.3f} sampai {high:+.3f})")
    return f"AUC {difference:+.3f} (95 % interval {low:+.3f} to {high:+.3f})"


def _comma(told: str) -> str:
    return told.replace(".", ",")
