"""The ledger: the facts that cannot be rebuilt (DESIGN §9), in SQLite or PostgreSQL.

Runs, lists issued with their rows and the arms of the holdout they decided, outcomes handed back, vetoes, and
promotions. All are append-only, runs once they have ended: triggers in the database refuse to change or delete them,
and every fact is bound to those before it by the audit chain. Times are parameters; nothing here reads a clock.
"""

from churnwatch.ledger.audit import Break, Chain, chain_head, verify_chain
from churnwatch.ledger.backup import Restored, back_up, restore
from churnwatch.ledger.holdout import Assigned, assignments
from churnwatch.ledger.lists import (
    IssuedList,
    PastRow,
    Seen,
    latest_list,
    list_of,
    lists_so_far,
    past_rows,
    previous_risks,
    previously_by,
    record_list,
    rows_of_customer,
    seen_now,
)
from churnwatch.ledger.opening import is_ledger, open_ledger, served
from churnwatch.ledger.outcomes import Outcome, Recorded, outcomes, record_outcomes
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
from churnwatch.ledger.vetoes import Veto, record_veto, vetoed, vetoes

__all__ = [
    "ROLLED_BACK",
    "Assigned",
    "Break",
    "Chain",
    "IssuedList",
    "Outcome",
    "PastRow",
    "Promotion",
    "Recorded",
    "Restored",
    "Run",
    "Seen",
    "Term",
    "Veto",
    "assignments",
    "back_up",
    "before_champion",
    "begin_run",
    "chain_head",
    "challenger",
    "champion",
    "finish_run",
    "is_ledger",
    "latest_list",
    "left_by_rollback",
    "list_of",
    "lists_so_far",
    "open_ledger",
    "outcomes",
    "past_rows",
    "previous_risks",
    "previously_by",
    "promotions",
    "record_list",
    "record_outcomes",
    "record_promotion",
    "record_veto",
    "restore",
    "rows_of_customer",
    "runs",
    "seen_now",
    "served",
    "terms",
    "verify_chain",
    "vetoed",
    "vetoes",
]
