"""What the benchmark computes: one family of signals of every kind the grammar knows, as a project would write it."""

from __future__ import annotations

from datetime import date
from typing import Any

from churnwatch.spec import Column, Family

CONTACT = {"kind": ["contact", "complaint"]}
ALIVE = {"kind": ["contact", "complaint", "self_service", "visit", "purchase", "usage"]}
COMPLAINT, PURCHASE, USAGE, RESOLVED = ({"kind": kind} for kind in ("complaint", "purchase", "usage", "resolved"))
ALL = ("7d", "30d", "90d", "180d")

# (name, aggregate, what else the signal says, windows, whether it is compared with the window before)
SIGNALS: tuple[tuple[str, str, dict[str, Any], tuple[str, ...], bool], ...] = (
    ("events", "count", {}, ALL, True),
    ("contacts", "count", {"where": CONTACT}, ALL, True),
    ("complaints", "count", {"where": COMPLAINT}, ALL, True),
    ("purchases", "count", {"where": PURCHASE}, ALL, True),
    ("uses", "count", {"where": USAGE}, ALL, True),
    (
        "phone_contacts",
        "count",
        {"where": {"kind": ["contact", "complaint"], "channel": "phone"}},
        ("30d", "90d"),
        False,
    ),
    ("events_ever", "count", {}, (), False),
    ("purchases_ever", "count", {"where": PURCHASE}, (), False),
    ("spent", "sum", {"where": PURCHASE, "measure": "amount"}, ALL, True),
    ("spent_ever", "sum", {"where": PURCHASE, "measure": "amount"}, (), False),
    ("minutes", "sum", {"where": USAGE, "measure": "minutes"}, ALL, False),
    ("basket", "mean", {"where": PURCHASE, "measure": "amount"}, ("90d", "180d"), True),
    ("basket_ever", "mean", {"where": PURCHASE, "measure": "amount"}, (), False),
    ("resolution", "mean", {"where": RESOLVED, "measure": "resolution_hours"}, ("90d", "180d"), False),
    ("slowest", "max", {"where": RESOLVED, "measure": "resolution_hours"}, ("90d",), False),
    ("least_spent", "min", {"where": PURCHASE, "measure": "amount"}, ("180d",), False),
    ("most_spent", "max", {"where": PURCHASE, "measure": "amount"}, ("90d", "180d"), False),
    ("last_spent", "latest", {"where": PURCHASE, "measure": "amount"}, (), False),
    ("last_minutes", "latest", {"where": USAGE, "measure": "minutes"}, ("90d",), False),
    ("active_days", "distinct_days", {"where": ALIVE}, ("30d", "90d"), True),
    ("use_days", "distinct_days", {"where": USAGE}, ("30d", "90d", "180d"), False),
    ("topics", "distinct", {"where": CONTACT, "by": "topic"}, ("90d", "180d"), False),
    ("quiet", "days_since", {"where": ALIVE}, (), False),
    ("since_contact", "days_since", {"where": CONTACT}, (), False),
    ("since_complaint", "days_since", {"where": COMPLAINT}, (), False),
    ("since_purchase", "days_since", {"where": PURCHASE}, (), False),
    ("since_use", "days_since", {"where": USAGE}, (), False),
    ("complaint_share", "share", {"where": COMPLAINT, "of": CONTACT}, ("90d", "180d"), False),
    ("open_cases", "open", {"where": CONTACT, "of": RESOLVED}, (), False),
    ("open_lately", "open", {"where": CONTACT, "of": RESOLVED}, ("90d",), False),
    ("use_rate", "rate", {"where": USAGE}, ("180d",), False),
    ("purchase_rate", "rate", {"where": PURCHASE}, ("180d",), False),
    ("alive_gap", "gap", {"where": ALIVE}, ("180d",), False),
    ("purchase_gap", "gap", {"where": PURCHASE}, ("180d",), False),
    ("alive_gap_ratio", "gap_ratio", {"where": ALIVE}, ("180d",), False),
    ("purchase_gap_ratio", "gap_ratio", {"where": PURCHASE}, ("180d",), False),
    ("silence", "silence", {"where": ALIVE}, ("180d",), False),
    ("purchase_silence", "silence", {"where": PURCHASE}, ("180d",), False),
    ("minutes_trend", "trend", {"where": USAGE, "measure": "minutes"}, ("90d", "180d"), False),
    ("spent_trend", "trend", {"where": PURCHASE, "measure": "amount"}, ("180d",), False),
    ("use_trend", "count_trend", {"where": USAGE}, ("90d", "180d"), False),
    ("contact_trend", "count_trend", {"where": CONTACT}, ("180d",), False),
    ("purchase_trend", "count_trend", {"where": PURCHASE}, ("180d",), False),
)

WHOLE = ("count", "distinct", "distinct_days", "open")
"""Aggregates, and their changes, that are whole numbers: peers must agree to the last bit."""


def document() -> dict[str, Any]:
    """The family as a file of ``features/`` holds it."""
    words = {"en": "{value}", "id": "{value}"}
    changes = {"compare": "previous", "change_reason": {"en": "{previous}", "id": "{previous}"}}
    signals = [
        {"name": name, "description": name, "aggregate": aggregate, **more, "direction": "any", "reason": words}
        | ({"windows": list(windows)} if windows else {})
        | (changes if compare else {})
        for name, aggregate, more, windows, compare in SIGNALS
    ]
    return {
        "family": "bench",
        "description": "What the benchmark computes.",
        "table": "interactions",
        "signals": signals,
        "examples": [{"as_of": date(2026, 3, 1), "rows": [], "expect": {"events_7d": 0}}],
    }


def columns() -> tuple[Column, ...]:
    """The columns, in the order of the files that are written."""
    return Family.model_validate(document()).columns
