"""Facts for the tests of the ledger, each as a run would write it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from churnwatch.ledger import (
    Assigned,
    Outcome,
    Seen,
    begin_run,
    finish_run,
    record_list,
    record_outcomes,
    record_promotion,
    record_veto,
)
from churnwatch.ledger.schema import metadata

NOON = datetime(2026, 5, 1, 12, 0, 0, 250, tzinfo=UTC)
MAY_1, MAY_2 = date(2026, 5, 1), date(2026, 5, 2)


def row(customer: str, *, rank: int = 1, risk: float | None = 0.5, **more: Any) -> dict[str, Any]:
    return {
        "customer_id": customer,
        "rank": rank,
        "owner": "a1",
        "risk": risk,
        "band": "at_risk",
        "change": None,
        "rising_since": date(2026, 4, 20),
        "value_at_risk": 1_250_000.0,
        "reasons": ("3 complaints in the last 28 days",),
        "last_contact": None,
        "last_survey": "NPS 3 (2026-04-02)",
        "action": "Call back",
        "due": MAY_2,
        "listed_for": "churn",
        "also_model": None,
        "also_risk": None,
        "also_band": None,
        "also_change": None,
        "expected_score": None,
        "expected_change": None,
        "proactive": "",
        "account_owner": "a1",
        "handed": "",
        "back_early": None,
        "action_name": "call_back",
        "action_minutes": 15,
        "signs": ("complaints",),
        "worth": 625_000.0,
        "counterfactual": None,
        **more,
    }


def issue(
    ledger: sa.Engine,
    *,
    as_of: date = MAY_1,
    rows: Any = (),
    deployment: str = "demo",
    also: Any = (),
    assigned: Any = (),
    seen: Seen | None = None,
    publish: Callable[[], object] | None = None,
) -> int:
    run = begin_run(
        ledger, deployment=deployment, command="daily", as_of=as_of, started_at=NOON, program_version="0.1.0"
    )
    return record_list(
        ledger,
        run_id=run,
        deployment=deployment,
        as_of=as_of,
        model="churn",
        model_version="0123456789ab",
        baseline=None,
        files={"outreach.csv": {"sha256": "00", "bytes": 3}},
        issued_at=NOON,
        rows=rows,
        also=also,
        assigned=assigned,
        seen=seen,
        publish=publish,
    )


def promote(ledger: sa.Engine, version: str, *, model: str = "churn") -> Any:
    return record_promotion(
        ledger,
        deployment="demo",
        model=model,
        model_version=version,
        moved_at=NOON,
        by="cron",
        reason="gate passed",
        gate={"auc": 0.81},
    )


def count(ledger: sa.Engine, table: str) -> int:
    with ledger.connect() as connection:
        return connection.execute(sa.text(f"SELECT count(*) FROM {table}")).scalar_one()


def outcome(customer: str = "a", *words: str, **more: Any) -> Outcome:
    """A word on a row of the first list; without words: reached."""
    said = {
        "deployment": "demo",
        "customer_id": customer,
        "list_id": 1,
        "list_day": MAY_1,
        "day": MAY_2,
        "at": NOON,
        "known_at": NOON,
        "words": words or ("reached",),
        "by": "lead",
        "source": "f1",
        "line": 2,
    }
    return Outcome(**{**said, **more})


def assigned(customer: str, arm: str = "treated", **more: Any) -> Assigned:
    said = {
        "epoch": date(2026, 4, 30),
        "customer_id": customer,
        "arm": arm,
        "owner": "a1",
        "band": "at_risk",
        "risk": 0.5,
        "worth": 625_000.0,
        "decided_on": MAY_1,
    }
    return Assigned(**{**said, **more})


def fill(ledger: sa.Engine) -> None:
    """Entries 1 list, 2 list, 3 and 4 outcomes, 5 veto, 6 promotion, 7 the end of the first run; the second is on."""
    issue(ledger, rows=[row("a"), row("b", rank=2)], assigned=[assigned("a"), assigned("c", "held_out")])
    issue(ledger, as_of=MAY_2)
    said = [outcome("a"), outcome("b", "wrong_flag", why="moved")]
    record_outcomes(ledger, deployment="demo", outcomes=said)
    record_veto(ledger, deployment="demo", customer_id="d", reason="key account", by="lead", at=NOON)
    promote(ledger, "aaa")
    finish_run(ledger, run_id=1, finished_at=NOON + timedelta(seconds=1), status="done")


@contextmanager
def past_the_program(ledger: sa.Engine) -> Iterator[sa.Connection]:
    """As somebody with every right to the database: without its triggers, put back after, and foreign keys."""
    with ledger.connect() as connection:
        if ledger.dialect.name == "sqlite":
            connection.exec_driver_sql("COMMIT")
            connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
            connection.exec_driver_sql("BEGIN")
            triggers = connection.exec_driver_sql(
                "SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'trigger'"
            )
            kept = triggers.all()
            for name, _, _ in kept:
                connection.exec_driver_sql(f"DROP TRIGGER {name}")
            yield connection
            there = set(sa.inspect(connection).get_table_names())
            for _, table, sql in kept:
                if table in there:
                    connection.exec_driver_sql(sql)
        else:
            connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
            yield connection
        connection.commit()


def held(ledger: sa.Engine) -> dict[str, list[Any]]:
    """Everything a ledger holds, by table."""
    with ledger.connect() as connection:
        return {
            name: [tuple(one) for one in connection.execute(sa.select(table).order_by(*table.primary_key))]
            for name, table in metadata.tables.items()
        }


@contextmanager
def at_schema(place: str, revision: str) -> Iterator[sa.Connection]:
    """A new ledger as an earlier program made it, and a connection to write its facts by."""
    from alembic import command
    from alembic.config import Config

    url = sa.make_url(place if "://" in place else f"sqlite:///{place}")
    if url.get_backend_name() == "sqlite":
        Path(str(url.database)).parent.mkdir(exist_ok=True)
    else:
        url = url.set(drivername="postgresql+psycopg")
    config = Config()
    config.set_main_option("script_location", "churnwatch.ledger:migrations")
    config.set_main_option("path_separator", "os")
    with sa.create_engine(url, poolclass=sa.NullPool).begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        yield connection
        if url.get_backend_name() == "postgresql":
            # Rows written with their numbers take none from the sequences.
            for table, number in (("runs", "run_id"), ("lists", "list_id"), ("promotions", "promotion_id")):
                last = f"SELECT setval('{table}_{number}_seq', max({number})) FROM {table}"
                connection.exec_driver_sql(last)
