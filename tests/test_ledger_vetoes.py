"""The ledger keeps who vetoed what, and the last word on a customer stands."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from ledger_facts import NOON

from churnwatch.ledger import record_veto, vetoed, vetoes


def veto(ledger: sa.Engine, customer: str, *, deployment: str = "demo", **more: Any) -> Any:
    said = {"reason": "key account", "by": "lead", "at": NOON}
    return record_veto(ledger, deployment=deployment, customer_id=customer, **{**said, **more})


def test_the_last_word_on_a_customer_stands(ledger: sa.Engine) -> None:
    first, second = veto(ledger, "a"), veto(ledger, "b", reason="lawsuit", by="boss")
    lifted = veto(ledger, "a", reason="no longer", lifted=True)
    veto(ledger, "c", deployment="other")
    assert ("b", "lawsuit", "boss", NOON, False) == (
        second.customer_id,
        second.reason,
        second.by,
        second.at,
        second.lifted,
    )
    assert {"b": second} == vetoed(ledger, deployment="demo")
    assert (first, second, lifted) == vetoes(ledger, deployment="demo")
    again = veto(ledger, "a")
    assert {"a": again, "b": second} == vetoed(ledger, deployment="demo")


def test_a_list_made_again_knows_the_vetoes_of_its_time(ledger: sa.Engine) -> None:
    first = veto(ledger, "a")
    veto(ledger, "a", lifted=True)
    assert {} == vetoed(ledger, deployment="demo")
    assert {"a": first} == vetoed(ledger, deployment="demo", up_to=first.veto_id)
    assert {} == vetoed(ledger, deployment="demo", up_to=0)
