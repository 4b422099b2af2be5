"""Raw tables to checked canonical tables: what was read is accepted, excluded by a rule, or quarantined."""

from churnwatch.sources.canonical import load
from churnwatch.sources.early import Early, early_sources
from churnwatch.sources.instruments import Mixup, mixed_up
from churnwatch.sources.lateness import Lateness
from churnwatch.sources.mapping import one_thread
from churnwatch.sources.past import as_known
from churnwatch.sources.plain import has_mark
from churnwatch.sources.recorded import RECORDED, Contact, Unit, record_contacts, recorded_state
from churnwatch.sources.stale import Stale
from churnwatch.sources.tables import MEASURED, SHAPES, Accounting, Tables, new_tables
from churnwatch.sources.wording import mentions_of

__all__ = [
    "MEASURED",
    "RECORDED",
    "SHAPES",
    "Accounting",
    "Contact",
    "Early",
    "Lateness",
    "Mixup",
    "Stale",
    "Tables",
    "Unit",
    "as_known",
    "early_sources",
    "has_mark",
    "load",
    "mentions_of",
    "mixed_up",
    "new_tables",
    "one_thread",
    "record_contacts",
    "recorded_state",
]
