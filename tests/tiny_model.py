"""A small real model for the tests of the registry: trained once per session by the learner itself."""

from __future__ import annotations

from datetime import UTC, date, datetime
from functools import cache
from typing import Any

import numpy as np
from learned_rows import rows_of

from churnwatch.learner import Leaving, fit
from churnwatch.registry import Bundle
from churnwatch.spec import Family, Model

WORDS = {"en": "{value} of them", "id": "{value} buah"}
CONTACT: dict[str, Any] = {
    "family": "contact",
    "description": "How often they call.",
    "table": "interactions",
    "signals": [
        {
            "name": "contacts",
            "description": "Contacts.",
            "where": {"kind": ["contact", "complaint"]},
            "aggregate": "count",
            "windows": ["28d"],
            "compare": "previous",
            "direction": "up",
            "reason": WORDS,
            "change_reason": WORDS,
        },
        {
            "name": "quiet",
            "description": "Days since.",
            "aggregate": "days_since",
            "direction": "any",
            "reason": WORDS,
        },
    ],
    "examples": [
        {
            "as_of": date(2026, 3, 1),
            "rows": [
                {"at": date(2026, 2, 20), "kind": "contact"},
                {"at": datetime(2026, 2, 21, 8, 30, tzinfo=UTC), "kind": "usage", "minutes": 2.5},
            ],
            "interactions": [{"at": date(2026, 2, 19), "kind": "complaint"}],
            "expect": {"contacts_28d": 1, "quiet": None},
        },
        {"as_of": datetime(2026, 3, 1, 12), "rows": [], "expect": {"contacts_28d": 0}},
    ],
}

CHURN = """{
  "model": "churn", "title": {"en": "Churn – soon", "id": "Berhenti"},
  "outcome": {"event": {"kind": "cancellation"}}, "grid": {"every": "30d"}, "horizon": "60d",
  "horizons": ["20d", "30d", "60d", "90d"],
  "families": ["contact", "surveys"],
  "learner": {"parameters": {"num_leaves": 5, "min_data_in_leaf": 10, "num_threads": 1}, "rounds": 12},
  "baselines": {"recency": "quiet", "last_score": null, "tenure": "quiet"}
}"""

DAY = 86_400
COLUMNS = ("contacts_28d", "contacts_28d_change", "quiet")


def matrix(n: int, seed: int) -> np.ndarray:
    """Signals of ``n`` observations, a fifth of the last column missing."""
    rng = np.random.default_rng(seed)
    X = np.column_stack([rng.poisson(2, n).astype(float), rng.normal(size=n), rng.exponential(20, n)])
    X[rng.random(n) < 0.2, 2] = np.nan
    return X


@cache
def tiny_bundle() -> Bundle:
    """A bundle trained on 1,500 rows at five dates."""
    X = matrix(1_500, 1)
    rng = np.random.default_rng(2)
    risk = 1 / (1 + np.exp(-(X[:, 0] - 3 + np.nan_to_num(X[:, 2]) / 40)))
    y = (rng.random(len(X)) < risk).astype(float)
    as_of = np.datetime64("2025-06-01") + np.repeat(np.arange(5) * 60, 300).astype("timedelta64[D]")
    # Leavers leave some time within the 60 days, a fifth of the others in the 60 after them.
    days = np.where(y == 1, rng.uniform(0, 60, len(X)), rng.uniform(60, 120, len(X)))
    days[(y == 0) & (rng.random(len(X)) > 0.2)] = np.nan
    model = Model.model_validate_json(CHURN)
    leaving = Leaving(model.horizons, model.label_length, days * DAY, np.full(len(X), 365.0 * DAY))
    family = Family.model_validate(CONTACT)
    fitted, chosen = fit(
        rows_of(X, y, as_of, reach=model.reach),
        columns=COLUMNS,
        directions=[column.direction for column in family.columns],
        settings=model.learner,
        leaving=leaving,
    )
    return Bundle(fitted, model, (family,), "demo", {"choice": chosen.note})
