"""Raw tables to checked canonical tables: what was read is accepted, excluded by a rule, or quarantined."""

from churnwatch.sources.canonical import load
from churnwatch.sources.tables import Accounting, Tables

__all__ = ["Accounting", "Tables", "load"]
