"""Counterfactual: what the model would say of the same customer without the one thing that can be acted on best."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from churnwatch.reasons.signs import Array, says, worse_than_usual
from churnwatch.reasons.words import quantity
from churnwatch.spec import Column, Language, Words

LEAST = 0.03
"""Three points: a risk lower by less is no reason to act on one thing rather than another; our choice."""
SOLVED = ("open", "streak", "waiting")
"""Aggregates of what is not closed yet: solved, they are 0, whatever is usual."""
SENTENCE = Words(
    en="{remedy}: {before} → {after} (the model’s view, not a promise)",
    id="{remedy}: {before} → {after} (menurut model, bukan janji)",
)


@dataclass(frozen=True)
class Counterfactual:
    """One thing put right: the finished sentence, the columns that were changed, and the risk before and after."""

    sentence: str
    names: tuple[str, ...]
    risk_before: float
    risk_after: float


def counterfactual(
    columns: Sequence[Column],
    values: Array,
    shares: Array,
    *,
    usual: Mapping[str, float | None],
    risk_of: Callable[[Array], Array],
    language: Language,
    currency: str,
) -> Counterfactual | None:
    """The one actionable thing whose remedy lowers the risk most, ``None`` where none lowers it by three points.

    ``values`` and ``shares`` (contributions to the margin) have shape (n_columns,), NaN is missing; ``usual`` holds the
    training median of each column; ``risk_of`` gives the calibrated risks (k,) of an array (k, n_columns).

    A thing is what one actionable signal tells of, with all signals that say the same. Each of their numbers that is
    worse than usual is put to what is usual, and what is open, unanswered or under way to 0; a change keeps the time
    before its window, which nobody can mend, and is that much smaller; a shorter window stays within a longer one, as
    the medians do. A missing number stays missing. Each thing alone is scored again by the model itself, so monotone
    constraints, thresholds and interactions are all in it; nothing is read off the contributions, which only choose
    the words where several signals say the same.

    What it is not: an effect. The model knows who had open cases and who left, not what solving one does; those with
    open cases differ in other ways too, and only the holdout can tell. What would change along with the thing stays as
    it is (a solved case is a contact more; who is answered may write less). And a count of what has happened cannot be
    undone: there it says how the model would see the same customer had it not happened.
    """
    known = {column.name: float(value) for column, value in zip(columns, values, strict=True)}
    things: dict[str, list[int]] = {}
    for i, column in enumerate(columns):
        things.setdefault(says(column), []).append(i)
    tried: list[tuple[str, Words, tuple[str, ...]]] = []
    rows = [values]
    for name, members in sorted(things.items()):
        mended = _mended([columns[i] for i in members], known, usual)
        # What to do is told by a sign that is there, the strongest of them.
        told = [i for i in members if columns[i].signal.remedy and columns[i].name in mended]
        if not told:
            continue
        remedy = columns[max(told, key=lambda i: (shares[i], -i))].signal.remedy
        assert remedy is not None
        tried.append((name, remedy, tuple(columns[i].name for i in members if columns[i].name in mended)))
        rows.append(np.array([mended.get(column.name, value) for column, value in zip(columns, values, strict=True)]))
    if not tried:
        return None
    before, *after = (float(one) for one in risk_of(np.stack(rows)))
    best = min(range(len(tried)), key=lambda i: (after[i], tried[i][0]))
    if before - after[best] < LEAST - 1e-12:
        return None
    said = tried[best][1].in_language(language)
    numbers = [quantity(one, "share", language=language, currency=currency) for one in (before, after[best])]
    sentence = SENTENCE.in_language(language)
    for place, text in (
        ("{remedy}", said[0].upper() + said[1:]),
        ("{before}", numbers[0]),
        ("{after}", numbers[1]),
    ):
        sentence = sentence.replace(place, text)
    return Counterfactual(sentence, tried[best][2], before, after[best])


def _mended(
    columns: Sequence[Column], known: Mapping[str, float], usual: Mapping[str, float | None]
) -> dict[str, float]:
    """The numbers of one thing that are other once it is mended, by column; empty where nothing is to be mended."""
    mended: dict[str, float] = {}
    for column in columns:
        value, middle = known[column.name], usual.get(column.name)
        if column.change or np.isnan(value):
            continue
        if column.direction == "any" and not column.signal.actionable and column.signal.unit != "days":
            # Beside what is mended a time passes as is usual, but nothing says which way a count would go.
            continue
        if column.signal.aggregate in SOLVED and column.direction == "up":
            middle = min(0.0, value)
        elif middle is None or not worse_than_usual(column, known, usual):
            continue
        elif column.signal.aggregate == "days_until" and value > middle:
            # Time can be won and not given back.
            continue
        if value != middle:
            mended[column.name] = middle
    for column in columns:
        value = known[column.name]
        if not column.change or np.isnan(value):
            continue
        own = column.name.removesuffix("_change")
        if own in mended:
            mended[column.name] = mended[own] - (known[own] - value)
        elif own not in known and worse_than_usual(column, known, usual) and usual.get(column.name) is not None:
            # The model knows the change alone.
            mended[column.name] = float(usual[column.name] or 0.0)
    return mended
