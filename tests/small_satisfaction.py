"""What ``churnwatch satisfaction --json`` tells, written by hand: an NPS, a CSAT, a CES."""

from __future__ import annotations

from typing import Any

MONTHS = (*(f"2025-{m:02}" for m in range(7, 13)), *(f"2026-{m:02}" for m in range(1, 7)))


def about(value: float, reach: float) -> dict[str, float]:
    """A number in the middle of its interval."""
    return {"value": value, "low": value - reach, "high": value + reach}


def group(level: str | None, *, answered: int, naive: Any, corrected: Any, note: str | None = None) -> dict[str, Any]:
    """A third of the asked answered."""
    rate = about(1 / 3, 0.03) if answered >= 30 else None
    counts = {"customers": 2 * answered, "asked": 3 * answered, "answered": answered, "answerers": answered - 1}
    return {"level": level, **counts, "response_rate": rate, "naive": naive, "corrected": corrected, "note": note}


def nps() -> dict[str, Any]:
    """The answers flatter by 6.4; fewer answer than before; in October nobody was asked."""
    months: list[dict[str, Any]] = [
        {
            "month": month,
            "asked": 560,
            "answered": 200,
            "answerers": 190,
            "response_rate": about(0.40 - 0.007 * i, 0.03),
            "naive": about(36.0 - i, 9.0),
            "corrected": about(31.0 - 1.2 * i, 11.0),
            "note": None,
        }
        for i, month in enumerate(MONTHS)
    ]
    nothing = {
        "asked": 0,
        "answered": 0,
        "answerers": 0,
        "response_rate": None,
        "naive": None,
        "corrected": None,
        "note": "nobody",
    }
    months[3].update(nothing)
    few = "not enough answers: 12 of 30"
    owners = [
        {**group("U1", answered=60, naive=about(30.0, 20.0), corrected=about(27.0, 23.0)), "name": "Dewi Anggraini"},
        {**group("U2", answered=58, naive=about(12.0, 20.0), corrected=about(-4.0, 24.0)), "name": "Budi Santoso"},
        {**group("U3", answered=12, naive=None, corrected=None, note=few), "name": "Sri Lestari"},
    ]
    segments = [
        group("starter", answered=610, naive=about(25.0, 5.0), corrected=about(15.0, 8.0)),
        group("growth", answered=420, naive=about(33.0, 6.0), corrected=about(29.0, 8.0)),
        group("enterprise", answered=168, naive=about(45.0, 9.0), corrected=about(44.0, 10.0)),
        group(None, answered=12, naive=None, corrected=None, note=few),
    ]
    return {
        "instrument": "nps",
        "figure": "nps",
        "scale": [0, 10],
        "higher_is_better": True,
        "about": "customer",
        "only_answers": False,
        "bad": {"at_most": 6},
        "asked": 3400,
        "answered": 1210,
        "answerers": 1100,
        "pending": 33,
        "left_out": 0,
        "in_data": 9000,
        "customers_asked": 3300,
        "asked_share": 0.93,
        "response_rate": about(0.356, 0.016),
        "response_before": about(0.401, 0.016),
        "response_drift": {**about(-0.045, 0.022), "moved": True},
        "naive": about(31.2, 3.0),
        "corrected": about(24.8, 4.1),
        "difference": about(-6.4, 3.2),
        "bad_naive": about(0.21, 0.02),
        "bad_corrected": about(0.26, 0.03),
        "effective": 640.2,
        "clipped": 0.021,
        "note": None,
        "groups": {"segment": segments, "owner": owners},
        "months": months,
    }


def csat() -> dict[str, Any]:
    """No sure difference; the answering has not moved; no weight was cut; nobody waits."""
    return {
        **nps(),
        "instrument": "csat",
        "figure": "mean",
        "scale": [1, 5],
        "about": "case",
        "bad": {"at_most": 2},
        "pending": 0,
        "naive": about(3.84, 0.05),
        "corrected": about(3.80, 0.07),
        "difference": about(-0.04, 0.06),
        "bad_naive": about(0.09, 0.01),
        "bad_corrected": about(0.1, 0.02),
        "response_drift": {**about(-0.01, 0.02), "moved": False},
        "response_before": about(0.366, 0.016),
        "clipped": 0.0,
        "groups": {
            "segment": [group("starter", answered=610, naive=about(3.7, 0.1), corrected=about(3.6, 0.1))],
            "owner": [],
        },
        "months": [
            {**month, "naive": about(3.8, 0.1), "corrected": about(3.7, 0.15)} if month["asked"] else month
            for month in nps()["months"]
        ],
    }


def ces() -> dict[str, Any]:
    """Lower is better; the source lists answers only."""
    nothing = {
        "only_answers": True,
        "asked": 700,
        "answered": 700,
        "asked_share": None,
        "response_rate": None,
        "response_before": None,
        "response_drift": None,
        "corrected": None,
        "difference": None,
        "bad_corrected": None,
        "effective": None,
        "clipped": None,
        "note": "only answers are listed",
    }
    return {
        **csat(),
        "instrument": "ces",
        "scale": [1, 7],
        "higher_is_better": False,
        "bad": {"at_least": 5},
        **nothing,
        "naive": about(3.31, 0.1),
        "bad_naive": about(0.16, 0.02),
        "groups": {
            "segment": [
                {**group("starter", answered=610, naive=about(3.2, 0.1), corrected=None), "response_rate": None}
            ],
            "owner": [],
        },
        "months": [
            {**month, "naive": month["naive"] and about(3.3, 0.2), "corrected": None, "response_rate": None}
            for month in csat()["months"]
        ],
    }


def told(*instruments: dict[str, Any], **changed: Any) -> dict[str, Any]:
    """The whole object."""
    return {
        "model": "satisfaction",
        "deployment": "demo",
        "as_of": "2026-06-24",
        "window_days": 182,
        "customers": 3560,
        "fewest": 30,
        "surveys_mapped": True,
        "counted_from": None,
        "instruments": list(instruments or (nps(), csat(), ces())),
        "assumptions": ["non-response is explained by what is observed"],
        "warnings": [],
        "files": {},
        **changed,
    }
