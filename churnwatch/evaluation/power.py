"""How small an effect a holdout can show: the power of comparing two shares, with arms of unequal size."""

from __future__ import annotations

import math
from statistics import NormalDist

POWER = 0.8
ALPHA = 0.05

_NORMAL = NormalDist()
_FEW = 5
_EXACT = 1e-9


def power(first: float, second: float, *, n_first: float, n_second: float, alpha: float = ALPHA) -> float:
    """The chance that the two-sided test of two shares calls them different when they are ``first`` and ``second``.

    The test is the usual one with the shares pooled and no correction for continuity; the arms have ``n_first`` and
    ``n_second`` members, which may be expected numbers. Only the side of the true difference counts: that the test
    errs to the other side is left out. Equal shares have a power of ``alpha / 2``. 0 where an arm is empty, and where
    neither share leaves anything to chance they are told apart if they differ.

    Source: Fleiss, Statistical Methods for Rates and Proportions (2nd ed. 1981), section 3.4, with the standard errors
    that the null and the true shares give; unequal arms as in Fleiss, Tytun & Ury, Biometrics 36 (1980).
    """
    if n_first <= 0 or n_second <= 0:
        return 0.0
    pooled = (n_first * first + n_second * second) / (n_first + n_second)
    null = math.sqrt(max(pooled * (1 - pooled), 0.0) * (1 / n_first + 1 / n_second))
    true = math.sqrt(first * (1 - first) / n_first + second * (1 - second) / n_second)
    beyond = abs(first - second) - _NORMAL.inv_cdf(1 - alpha / 2) * null
    if true == 0:
        return 1.0 if beyond > 0 else 0.0
    return _NORMAL.cdf(beyond / true)


def smallest_effect(
    base: float, *, held_out: float, treated: float, chance: float = POWER, alpha: float = ALPHA
) -> float | None:
    """The least fall of the share ``base`` that is seen with probability ``chance``, as a share of the customers.

    ``base`` is the share of the bad outcome among those left alone; the contacted have ``base - effect``. ``None``
    where even a fall to nothing would not be seen. To within 1e-9.
    """
    if power(base, 0.0, n_first=held_out, n_second=treated, alpha=alpha) < chance:
        return None
    unseen, seen = 0.0, base
    while seen - unseen > _EXACT:
        middle = (unseen + seen) / 2
        if power(base, base - middle, n_first=held_out, n_second=treated, alpha=alpha) < chance:
            unseen = middle
        else:
            seen = middle
    return seen


def is_rough(share: float, n: float) -> bool:
    """Whether an arm of ``n`` expects fewer than five with or without the outcome, so that the formula is a rough one.

    The usual rule for the normal approximation; source: Fleiss (1981), section 2.1.
    """
    return n * min(share, 1 - share) < _FEW
