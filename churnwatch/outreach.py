"""The list: which customers an owner contacts today, why, and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class ListRow:
    """One listed customer, finished: every text is in the owner's language.

    ``risk`` is a calibrated probability 0-1; ``change`` is risk minus that of the previous list, ``None``
    where the customer was not on it; ``rising_since`` ``None`` where no onset is known; ``value_at_risk`` is
    money per month in the deployment's currency, ``None`` where the value is unknown; ``reasons`` holds none
    to three sentences; ``baseline`` names the ranking that listed the row where no model had passed, ``None``
    where the model did.
    """

    rank: int
    customer_id: str
    customer_name: str
    owner: str
    owner_name: str
    language: str
    risk: float
    band: str
    change: float | None
    rising_since: date | None
    value_at_risk: float | None
    reasons: tuple[str, ...]
    last_contact: date | None
    last_survey: str | None
    action: str
    action_steps: str
    due: date
    model_version: str
    baseline: str | None
