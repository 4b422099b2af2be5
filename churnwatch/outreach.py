"""The list: which customers an owner contacts today, why, and what to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import pandas as pd

from churnwatch.spec import Action, Language


@dataclass(frozen=True)
class ListRow:
    """One listed customer, finished: every text is in the owner's language.

    ``risk`` is a calibrated probability 0-1, ``None`` where a baseline ranks, which knows none; ``change`` is
    risk minus that of the previous list, ``None`` where the customer was not on it; ``rising_since`` ``None``
    where no onset is known; ``value_at_risk`` is money per month in the deployment's currency, ``None`` where
    the value is unknown; ``reasons`` holds none to three sentences; ``baseline`` names the ranking that
    listed the row where no model had passed, ``None`` where the model did; ``rule_score`` is 0-100, higher is worse,
    ``None`` but where it ranks or stands beside a young model's risk.
    """

    rank: int
    customer_id: str
    customer_name: str
    owner: str
    owner_name: str
    language: Language
    risk: float | None
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
    rule_score: int | None = None


@dataclass(frozen=True)
class Counts:
    """What became of everybody observed: ``listed + below + refused + spilled == observed``."""

    observed: int
    listed: int
    below: int
    """Below the band from which customers are listed."""
    refused: int
    """Who may not be contacted (do_not_contact), or whose contract has ended."""
    spilled: int
    """List-worthy, but their owner's day was full, or nobody owns them."""


def choose(scored: pd.DataFrame, *, capacity: Mapping[str, int] | None, total: float) -> tuple[pd.DataFrame, Counts]:
    """The customers on today's list, best first, with their ``rank``; and where everybody else went.

    ``scored`` has one row per observed customer: customer_id, score (higher is worse), worthy (bool: the band is
    high enough), do_not_contact (bool), owner (text or missing). Each owner gets at most ``capacity`` rows, the highest
    scores; without owners (``capacity`` None) the top ``total`` share of the observed is listed. Ties go to
    the smaller customer_id, so the list is the same on every run. ``scored`` keeps its other columns.
    """
    refused = scored["do_not_contact"].to_numpy(dtype=bool)
    below = ~scored["worthy"].to_numpy(dtype=bool) & ~refused
    open_to = scored[~refused & ~below].sort_values(["score", "customer_id"], ascending=[False, True], kind="stable")
    if capacity is None:
        chosen = open_to.head(max(1, int(total * len(scored) + 0.5)) if len(scored) else 0)
    else:
        place = open_to.groupby("owner", dropna=True).cumcount()
        room = open_to["owner"].map(dict(capacity)).astype("float64").fillna(0)
        chosen = open_to[(place < room) & open_to["owner"].notna()]
    chosen = chosen.reset_index(drop=True)
    chosen.insert(0, "rank", range(1, len(chosen) + 1))
    counts = Counts(
        observed=len(scored),
        listed=len(chosen),
        below=int(below.sum()),
        refused=int(refused.sum()),
        spilled=len(open_to) - len(chosen),
    )
    return chosen, counts


def suggest(
    wanted: Sequence[str | None], *, default: str, actions: Mapping[str, Action], language: Language
) -> tuple[str, str]:
    """(title, steps) of the action the strongest reason that has one suggests, else of the default.

    A model in use may suggest what the playbook has no longer: that is passed over.
    """
    name = next((action for action in wanted if action is not None and action in actions), default)
    action = actions[name]
    return action.title.in_language(language), action.steps.in_language(language)
