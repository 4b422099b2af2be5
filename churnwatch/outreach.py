"""The list: which customers an owner contacts today, why, and what to do."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from churnwatch.spec import Action, Language


@dataclass(frozen=True)
class Further:
    """What a further model (``also`` in deployment.yaml) says of a listed customer, beside the listing model.

    ``risk`` is its calibrated probability 0-1 and ``change`` that minus the one of 28 days before, by the same model,
    ``None`` where the customer was not observed then. ``expected_score`` is 0 (worst) to 1 (best), ``None`` where the
    model expects none, ``expected_change`` as ``change``. ``title`` is the model's, in the owner's language;
    ``answers`` says that it foretells a bad answer to a survey, so that whom it lists is growing unhappy.
    """

    model: str
    title: str
    answers: bool
    risk: float
    band: str
    change: float | None
    expected_score: float | None
    expected_change: float | None


@dataclass(frozen=True)
class ListRow:
    """One listed customer, finished: every text is in the owner's language.

    ``risk`` is a calibrated probability 0-1, ``None`` where a baseline ranks, which knows none; ``change`` is
    risk minus that of the previous list, ``None`` where the customer was not on it; ``rising_since`` ``None``
    where no onset is known; ``value_at_risk`` is money per month in the deployment's currency, ``None`` where
    the value is unknown; ``reasons`` holds none to three sentences; ``baseline`` names the ranking that
    listed the row where no model had passed, ``None`` where the model did; ``rule_score`` is 0-100, higher is worse,
    ``None`` but where it ranks or stands beside a young model's risk. ``further`` is what a further model says,
    ``None`` where none is in use or it does not observe the customer. ``listed_for`` names the model that listed the
    row; reasons, action and ``model_version`` are of that one; risk, band, change and value at risk are the listing
    model's in every row. ``answers`` says that the risk is that of a bad answer to a survey, not of leaving;
    ``expected_score`` is then that answer's as the listing model expects it, as in ``Further``.
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
    listed_for: str = ""
    further: Further | None = None
    answers: bool = False
    expected_score: float | None = None

    @property
    def by_further(self) -> bool:
        """Whether a further model listed the row, and not the listing model (or a baseline in its place)."""
        return self.further is not None and self.further.model == self.listed_for

    @property
    def expected(self) -> tuple[float | None, float | None]:
        """The expected score and its change: the listing model's where it foretells answers, else the further one's."""
        if self.answers or self.further is None:
            return self.expected_score, None
        return self.further.expected_score, self.further.expected_change


@dataclass(frozen=True)
class Counts:
    """What became of everybody observed: ``listed + below + refused + spilled == observed``."""

    observed: int
    listed: int
    below: int
    """Below the band from which customers are listed, by every model that lists."""
    refused: int
    """Who may not be contacted (do_not_contact), or whose contract has ended."""
    spilled: int
    """List-worthy, but their owner's day was full, or nobody owns them."""


def choose(
    scored: pd.DataFrame, *, capacity: Mapping[str, int] | None, total: float, also_share: float = 0.0
) -> tuple[pd.DataFrame, Counts]:
    """The customers on today's list, best first, with their ``rank``; and where everybody else went.

    ``scored`` has one row per observed customer: customer_id, score (higher is worse), worthy (bool: the band is
    high enough), do_not_contact (bool), owner (text or missing). Each owner gets at most ``capacity`` rows, the highest
    scores; without owners (``capacity`` None) the top ``total`` share of the observed is listed. Ties go to
    the smaller customer_id, so the list is the same on every run. ``scored`` keeps its other columns.

    Where further models list too, ``scored`` has ``further_place`` (which of them would list the customer, 0 the first;
    missing: none) and ``further_score`` (higher is worse). Of an owner's places ``further_places`` are theirs; what
    they do not use goes back, and what the listing model leaves is open to them. Their rows follow the listing
    model's, by place and score; ``for_further`` (bool) marks them.
    """
    scored = scored.reset_index(drop=True)
    refused = scored["do_not_contact"].to_numpy(dtype=bool)
    worthy = scored["worthy"].to_numpy(dtype=bool) & ~refused
    wanted = np.zeros(len(scored), dtype=bool)
    if "further_place" in scored:
        wanted = scored["further_place"].notna().to_numpy() & ~refused
    if capacity is None:
        owner = pd.Series(0, index=scored.index)
        rooms: dict[Any, int] = {0: max(1, math.floor(total * len(scored) + 0.5)) if len(scored) else 0}
    else:
        owner, rooms = scored["owner"], {**capacity}
    room = owner.map(rooms).astype("float64").fillna(0)
    kept = room.map(lambda places: further_places(int(places), also_share)).astype("float64")

    by_score = scored.sort_values(["score", "customer_id"], ascending=[False, True], kind="stable").index
    by_further = by_score[:0]
    if wanted.any():
        order = ["further_place", "further_score", "customer_id"]
        by_further = scored[wanted].sort_values(order, ascending=[True, False, True], kind="stable").index

    def first(open_to: pd.Index, places: pd.Series) -> pd.Index:
        """Of these in their order, those for whom their owner has a place."""
        owners = owner[open_to]
        return open_to[((owners.groupby(owners).cumcount() < places[open_to]) & owners.notna()).to_numpy()]

    def left(places: pd.Series, taken: pd.Index) -> pd.Series:
        return places - owner.map(owner[taken].value_counts()).fillna(0)

    claimed = first(by_further, kept)
    room = left(room, claimed)
    leaving = first(by_score[worthy[by_score] & ~by_score.isin(claimed)], room)
    room = left(room, leaving)
    more = first(by_further[~by_further.isin(claimed) & ~by_further.isin(leaving)], room)
    further = by_further[by_further.isin(claimed) | by_further.isin(more)]

    chosen = scored.loc[[*leaving, *further]].reset_index(drop=True)
    chosen.insert(0, "rank", range(1, len(chosen) + 1))
    chosen["for_further"] = np.arange(len(chosen)) >= len(leaving)
    below = ~worthy & ~wanted & ~refused
    counts = Counts(
        observed=len(scored),
        listed=len(chosen),
        below=int(below.sum()),
        refused=int(refused.sum()),
        spilled=int((worthy | wanted).sum()) - len(chosen),
    )
    return chosen, counts


def further_places(places: int, share: float) -> int:
    """How many of an owner's places are kept for the rows of further models: the share, to the nearest whole place.

    Half a place stays with those who are leaving, so that of two places a quarter takes none.
    """
    return max(0, math.ceil(places * share - 0.5 - 1e-9))


def suggest(
    wanted: Sequence[str | None], *, default: str, actions: Mapping[str, Action], language: Language
) -> tuple[str, str]:
    """(title, steps) of the action the strongest reason that has one suggests, else of the default.

    A model in use may suggest what the playbook has no longer: that is passed over.
    """
    name = next((action for action in wanted if action is not None and action in actions), default)
    action = actions[name]
    return action.title.in_language(language), action.steps.in_language(language)
