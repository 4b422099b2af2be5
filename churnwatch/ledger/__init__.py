"""The ledger: the facts that cannot be rebuilt (DESIGN §9), in SQLite or PostgreSQL.

Runs, lists issued with their rows, and promotions. Lists, rows and promotions are append-only: triggers in
the database refuse to change or delete them. Times are parameters; nothing here reads a clock.
"""

from churnwatch.ledger.lists import IssuedList, latest_list, previous_risks, previously_by, record_list
from churnwatch.ledger.opening import open_ledger
from churnwatch.ledger.promotions import (
    ROLLED_BACK,
    Promotion,
    Term,
    before_champion,
    challenger,
    champion,
    left_by_rollback,
    promotions,
    record_promotion,
    terms,
)
from churnwatch.ledger.runs import Run, begin_run, finish_run, runs

__all__ = [
    "ROLLED_BACK",
    "IssuedList",
    "Promotion",
    "Run",
    "Term",
    "before_champion",
    "begin_run",
    "challenger",
    "champion",
    "finish_run",
    "latest_list",
    "left_by_rollback",
    "open_ledger",
    "previous_risks",
    "previously_by",
    "promotions",
    "record_list",
    "record_promotion",
    "runs",
    "terms",
]
