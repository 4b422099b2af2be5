"""Raw tables to checked canonical tables: what was read is accepted, excluded by a rule, or quarantined."""

from churnwatch.sources.canonical import load
from churnwatch.sources.early import Early, early_sources
from churnwatch.sources.mapping import one_thread
from churnwatch.sources.stale import Stale
from churnwatch.sources.tables import MEASURED, SHAPES, Accounting, Tables, new_tables

__all__ = [
    "MEASURED",
    "SHAPES",
    "Accounting",
    "Early",
    "Stale",
    "Tables",
    "early_sources",
    "load",
    "new_tables",
    "one_thread",
]
