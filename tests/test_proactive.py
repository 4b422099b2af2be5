"""Proactive rows: the rules, whom they claim, and what they say."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from oracle import Event
from pydantic import ValidationError
from small_tables import spine_of, tables_of

from churnwatch.project import load_project
from churnwatch.runs.proactive import Rule, meets, reason_of, rules_of, with_proactive
from churnwatch.runs.workspace import Workspace
from churnwatch.signals import build
from churnwatch.spec import Proactive

AS_OF = datetime(2026, 6, 1)
TITLE = {"en": "A good moment", "id": "Saat yang tepat"}


def rule(**when: Any) -> Proactive:
    return Proactive.model_validate(
        {"title": TITLE, "when": {"column": "days_since_purchase", **when}, "action": "ask"}
    )


@pytest.fixture(scope="module")
def spec(request):
    return load_project(request.config.rootpath, "demo")


def workspace_of(spec: Any, tmp_path: Any, rules: dict[str, Proactive]) -> Workspace:
    outreach = spec.outreach.model_copy(update={"proactive": rules})
    changed = spec.model_copy(update={"outreach": outreach})
    return Workspace(tmp_path, tmp_path, changed, datetime(2026, 6, 1))


def bought(*days: float) -> Any:
    """Customers a, b, … whose last purchase was so many days ago."""
    at = [AS_OF - timedelta(days=day) for day in days]
    return tables_of([Event(f"e{i}", "abcdef"[i], t, t, {"kind": "purchase"}) for i, t in enumerate(at)])


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ({"from": 3, "below": 7}, [False, True, True, False, False]),
        ({"from": 3}, [False, True, True, True, False]),
        ({"below": 3, "missing": True}, [True, False, False, False, True]),
    ],
)
def test_a_number_meets_a_rule_from_its_first_to_below_its_last(when: dict[str, Any], expected: list[bool]) -> None:
    """2.99, 3, 6.99, 7 days, and no purchase at all."""
    assert expected == meets(rule(**when), np.array([2.99, 3.0, 6.99, 7.0, np.nan])).tolist()


@pytest.mark.parametrize("when", [{}, {"from": 7, "below": 3}, {"from": 3, "below": 3}])
def test_a_rule_that_nobody_or_everybody_meets_is_refused(when: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        rule(**when)


def test_a_column_of_the_ranking_is_not_computed_again_and_another_is(spec, tmp_path) -> None:
    """The same numbers by either way, in the order of the spine."""
    tables = bought(1, 4, 9)
    [column] = [one for one in spec.columns if one.name == "days_since_purchase"]
    spine = spine_of([(name, AS_OF) for name in "cabz"])
    matrix = build(tables, (column,), spine)
    workspace = workspace_of(spec, tmp_path, {"soon": rule(**{"from": 3})})
    [known], _ = rules_of(workspace, tables, spine, matrix)
    other = build(tables, tuple(one for one in spec.columns if one.name == "purchases_28d"), spine)
    [made], _ = rules_of(workspace, tables, spine, other)
    for found in (known, made):
        assert [9.0, 1.0, 4.0] == found.values[:3].tolist()
        assert np.isnan(found.values[3])


def test_a_rule_without_the_data_it_asks_for_is_left_out_and_said_so(spec, tmp_path) -> None:
    """Nobody here has bought, so nothing can be said of purchases."""
    tables = tables_of([Event("e", "a", AS_OF - timedelta(days=1), AS_OF - timedelta(days=1), {"kind": "contact"})])
    spine = spine_of([("a", AS_OF)])
    matrix = build(tables, (next(one for one in spec.columns if one.name == "contacts_28d"),), spine)
    found, [told] = rules_of(workspace_of(spec, tmp_path, {"soon": rule(**{"from": 3})}), tables, spine, matrix)
    assert [] == found
    assert told.startswith("outreach.yaml: proactive soon asks days_since_purchase, which cannot be computed here: ")


def test_the_first_rule_a_customer_meets_claims_them_and_value_orders_all(spec) -> None:
    [column] = [one for one in spec.columns if one.name == "days_since_purchase"]
    days = np.array([1.0, 5.0, 9.0, np.nan])
    rules = [Rule("a", rule(**{"from": 4, "below": 6}), column, days), Rule("b", rule(**{"from": 4}), column, days)]
    frame = with_proactive(pd.DataFrame({"score": [1.0, 2.0, 3.0, 4.0]}), rules, pd.Series([10.0, 20.0, 30.0, 40.0]))
    assert [-1, 0, 1, -1] == frame["proactive_rule"].tolist()
    assert [True, False, False, True] == frame["proactive_place"].isna().tolist()
    assert [10.0, 20.0, 30.0, 40.0] == frame["proactive_score"].tolist()
    assert [1.0, 2.0, 3.0, 4.0] == with_proactive(frame, rules, None)["proactive_score"].tolist()


def test_the_rules_number_is_its_reason_in_either_language(spec) -> None:
    [column] = [one for one in spec.columns if one.name == "days_since_purchase"]
    one = Rule("a", rule(**{"from": 4}), column, np.array([5.0, np.nan]))
    [said] = reason_of(one, 0, language="en", currency="IDR")
    assert ("ask", column.signal.says or column.signal.name) == (said.action, said.sign)
    assert "5 days" in said.sentence
    assert "5 hari" in reason_of(one, 0, language="id", currency="IDR")[0].sentence
    assert () == reason_of(one, 1, language="en", currency="IDR")
