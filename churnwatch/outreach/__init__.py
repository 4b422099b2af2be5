"""The list: which customers an owner contacts today, why, and what to do."""

from churnwatch.outreach.actions import Suggestion, suggest
from churnwatch.outreach.choice import LEFT_ALONE, Choice, Counts, choose, kept_places
from churnwatch.outreach.holdout import Arm, Draw, epoch_of
from churnwatch.outreach.rows import Further, Leaver, ListRow

__all__ = [
    "LEFT_ALONE",
    "Arm",
    "Choice",
    "Counts",
    "Draw",
    "Further",
    "Leaver",
    "ListRow",
    "Suggestion",
    "choose",
    "epoch_of",
    "kept_places",
    "suggest",
]
