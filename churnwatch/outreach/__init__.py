"""The list: which customers an owner contacts today, why, and what to do."""

from churnwatch.outreach.actions import suggest
from churnwatch.outreach.choice import Counts, choose, further_places
from churnwatch.outreach.rows import Further, Leaver, ListRow

__all__ = ["Counts", "Further", "Leaver", "ListRow", "choose", "further_places", "suggest"]
