"""What a training leaves behind: the booster as text, the calibration, and what the columns usually hold."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Calibration:
    """From a raw margin (log-odds of the booster) to a risk, 0 to 1.

    ``isotonic``: knots ``x`` (margins, rising) and ``y`` (risks), linear between, flat outside. ``platt``:
    ``x = (a,)``, ``y = (b,)``, the risk is ``1 / (1 + exp(-(a * margin + b)))``. ``none``: the logistic of
    the margin, no knots.
    """

    method: str
    x: tuple[float, ...]
    y: tuple[float, ...]


@dataclass(frozen=True)
class Horizon:
    """Another length of the label window, tied to the model's own so that a longer one is never lower.

    With a ``length`` (such as ``30d``) below the own, ``step`` gives the share of the next longer one's leavers who
    leave by it; above the own, the chance that who stayed for the next shorter one leaves by it: discrete-time
    hazards, multiplied up (Singer & Willett, Applied Longitudinal Data Analysis, 2003, ch. 10).
    """

    length: str
    step: Calibration


@dataclass(frozen=True)
class Fitted:
    """A trained model without its surroundings.

    The matrix it was fitted on is float64 of shape (rows, columns); NaN means missing.
    """

    booster_text: str
    """LightGBM's text model."""
    columns: tuple[str, ...]
    """The matrix columns, in order."""
    calibration: Calibration
    rounds: int
    base_rate: float
    """Share of bad outcomes among the training observations."""
    usual: dict[str, float | None]
    """The training median of each column; ``None`` where every value was missing."""
    horizons: tuple[Horizon, ...] = ()
    """Those below the own horizon, the longest first, then those above it, the shortest first."""
    score: Calibration | None = None
    """From a margin to how bad the score is expected to be, 0 best to 1 worst: Platt's form, as scores lie between two
    ends; of an outcome ``answer`` only.
    """
