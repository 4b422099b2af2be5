"""Proactive: who is not at risk and still worth a call today, by the rules of outreach.yaml."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from churnwatch.reasons import Reason, says, word
from churnwatch.runs.workspace import Workspace
from churnwatch.signals import Matrix, available, build
from churnwatch.spec import Column, Language, Proactive

if TYPE_CHECKING:
    from churnwatch.sources import Tables

Array = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class Rule:
    """One rule with the column it asks and the column's number of every observed customer (n,), NaN: missing."""

    name: str
    says: Proactive
    column: Column
    values: Array


def rules_of(
    workspace: Workspace, tables: Tables, spine: pd.DataFrame, matrix: Matrix
) -> tuple[list[Rule], tuple[str, ...]]:
    """The rules this deployment has the data for, and a sentence for each that it has not.

    ``spine`` has the observed customers (customer_id, as_of), in the order of ``matrix``, the signals that rank them:
    a column that is among them by the same definition is not computed again.
    """
    wanted = workspace.spec.outreach.proactive
    if not wanted:
        return [], ()
    catalogue = {column.name: column for column in workspace.spec.columns}
    known = {column.name: column for column in matrix.columns}
    columns = {rule.when.column: catalogue[rule.when.column] for rule in wanted.values()}
    values = {
        name: matrix.column(name) for name, column in columns.items() if name in known and _same(known[name], column)
    }
    other, skipped = available(tables, tuple(column for name, column in columns.items() if name not in values))
    if other:
        made = build(tables, other, spine[["customer_id", "as_of"]])
        values |= {column.name: made.column(column.name) for column in other}
    found = [
        Rule(name, rule, columns[rule.when.column], values[rule.when.column])
        for name, rule in wanted.items()
        if rule.when.column in values
    ]
    lacking = tuple(
        f"outreach.yaml: proactive {name} asks {rule.when.column}, which cannot be computed here: "
        f"{skipped.get(columns[rule.when.column].signal.name, 'its inputs are missing')}."
        for name, rule in wanted.items()
        if rule.when.column not in values
    )
    return found, lacking


def with_proactive(frame: pd.DataFrame, rules: Sequence[Rule], values: pd.Series | None) -> pd.DataFrame:
    """The ranking with ``proactive_place``, ``proactive_score`` (the customer's value) and ``proactive_rule``.

    The first rule a customer meets claims them; all rules share the places, so that the customers of greatest value
    among all of them are called; where no value is known, those of the highest score.
    """
    rule = np.full(len(frame), -1)
    for i, one in reversed(list(enumerate(rules))):
        rule[meets(one.says, one.values)] = i
    return frame.assign(
        proactive_place=np.where(rule >= 0, 0.0, np.nan),
        proactive_score=frame["score"] if values is None else values,
        proactive_rule=rule,
    )


def meets(rule: Proactive, values: Array) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Which numbers (n,) meet the rule: from ``from`` on, below ``below``, missing ones where it says so."""
    when = rule.when
    missing = np.isnan(values)
    low = -np.inf if when.from_ is None else when.from_
    high = np.inf if when.below is None else when.below
    with np.errstate(invalid="ignore"):
        within = (values >= low) & (values < high)
    found: np.ndarray[Any, np.dtype[np.bool_]] = np.where(missing, when.missing, within)
    return found


def reason_of(rule: Rule, position: int, *, language: Language, currency: str) -> tuple[Reason, ...]:
    """The rule's number in words, as the catalogue words it; none where the number is missing."""
    value = float(rule.values[position])
    if np.isnan(value):
        return ()
    known: Mapping[str, float] = {rule.column.name: value}
    sentence = word(rule.column, known, {rule.column.name: rule.column.signal}, language=language, currency=currency)
    sign = says(rule.column)
    return (Reason(sentence, rule.column.name, 0.0, rule.says.action, sign),) if sentence else ()


def _same(one: Column, other: Column) -> bool:
    """Whether two columns compute the same number; their words may differ."""
    worded = {"reason", "change_reason", "description", "remedy", "says", "action", "actionable", "direction"}
    return (one.table, one.window, one.change) == (other.table, other.window, other.change) and one.signal.model_dump(
        exclude=worded
    ) == other.signal.model_dump(exclude=worded)
