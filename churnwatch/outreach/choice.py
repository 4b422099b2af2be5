"""The choice: who of everybody observed stands on today's list, and where everybody else went."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd


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
