"""Small raw files and the deployment that maps them, for the tests of sources."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from churnwatch.sources import Tables, load
from churnwatch.spec import Deployment, Family, ProjectSpec, Sources

NOW = datetime(2026, 6, 1, tzinfo=UTC)

CUSTOMERS = "id,since\n007,2026-01-01\n8,2026-01-02\n"
EVENTS = "id,customer,when,amount\ne1,007,2026-02-01 10:00,5\ne2,8,2026-02-02 10:00,7.5\n"

SOURCES: dict[str, Any] = {
    "sources": {
        "crm": {"from": "customers.csv"},
        "shop": {"from": "events.csv", "types": {"amount": "number"}, "allowance": 1.0},
    },
    "tables": {
        "customers": [{"source": "crm", "columns": {"customer_id": "id", "started_at": "since"}}],
        "interactions": [
            {
                "source": "shop",
                "columns": {
                    "interaction_id": "id",
                    "customer_id": "customer",
                    "at": '"when"',
                    "known_at": '"when"',
                    "kind": "'purchase'",
                },
                "measures": {"amount": "amount"},
            }
        ],
    },
}

SURVEYS: dict[str, Any] = {
    "source": "asked",
    "columns": {
        "survey_id": "id",
        "customer_id": "customer",
        "sent_at": "sent",
        "answered_at": "answered",
        "instrument": "'nps'",
        "raw_score": "score",
        "scale_min": "low",
        "scale_max": "high",
        "higher_is_better": "true",
    },
}
SURVEY_HEADER = "id,customer,sent,answered,score,low,high\n"


def project(sources: dict[str, Any], *, zone: str = "Asia/Jakarta", families: tuple[Family, ...] = ()) -> ProjectSpec:
    """A project that says only what the sources room reads: its deployment, its sources, the words of its families."""
    deployment = Deployment(deployment="here", title="Here", zone=zone, currency="IDR", listing_model="churn")
    checked = Sources.model_validate(sources)
    return ProjectSpec.model_construct(deployment=deployment, sources=checked, families=families)


def changed(**parts: Any) -> dict[str, Any]:
    """SOURCES with the keys of one source (``crm``, ``shop``) or of the interactions (``mapping``) replaced."""
    sources = copy.deepcopy(SOURCES)
    for name, value in parts.items():
        if name == "mapping":
            sources["tables"]["interactions"][0] = value
        elif name in sources["sources"]:
            sources["sources"][name].update(value)
        else:
            sources["sources"][name] = value
    return sources


def with_surveys(**source: Any) -> dict[str, Any]:
    """SOURCES and a source ``asked`` that feeds surveys."""
    sources = changed(asked={"from": "surveys.csv", "allowance": 1.0, **source})
    sources["tables"]["surveys"] = [copy.deepcopy(SURVEYS)]
    return sources


def loaded(
    data: Path,
    sources: dict[str, Any] | None = None,
    *,
    zone: str = "Asia/Jakarta",
    families: tuple[Family, ...] = (),
    **files: str | bytes,
) -> Tables:
    """Write ``customers.csv``, ``events.csv`` and ``files`` (by stem, or by name with __ for the dot) and load."""
    for name, text in {"customers": CUSTOMERS, "events": EVENTS, **files}.items():
        path = data / (name.replace("__", ".") if "__" in name else f"{name}.csv")
        path.write_bytes(text.encode() if isinstance(text, str) else text)
    return load(project(sources or SOURCES, zone=zone, families=families), data=data, now=NOW)


def quarantine(tables: Tables) -> list[tuple[str, int, str, str]]:
    """The quarantined rows as (file, line, rule, found)."""
    return [(row["file"], row["line"], row["rule"], row["found"]) for row in tables.quarantine.to_pylist()]
