"""Counterfactual: one thing put right in all its numbers, scored again; never what nobody can act on."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pytest

from churnwatch.reasons import Counterfactual, counterfactual
from churnwatch.spec import Column, Family, Language

Array = np.ndarray[Any, np.dtype[np.float64]]


def signal(name: str, **given: Any) -> dict[str, Any]:
    words = {"en": "{value} of it", "id": "{value} buah"}
    made = {
        "name": name, "description": "A sign.", "aggregate": "count", "direction": "up", "reason": words, "windows": []
    }  # fmt: skip
    if given.get("compare"):
        made["change_reason"] = words
    return made | given


def actionable(name: str, **given: Any) -> dict[str, Any]:
    remedy = {"en": f"if {name} were mended", "id": f"jika {name} diperbaiki"}
    return signal(name, actionable=True, remedy=remedy, **given)


def columns_of(*signals: dict[str, Any]) -> tuple[Column, ...]:
    family = {
        "family": "contact",
        "description": "Signs.",
        "table": "interactions",
        "signals": list(signals),
        "examples": [{"as_of": date(2026, 3, 1), "rows": [], "expect": {signals[0]["name"] + "_28d" * bool(
            signals[0]["windows"]): 0}}],
    }  # fmt: skip
    return Family.model_validate(family).columns


class Model:
    """A risk that anybody can compute: the sum of weights times numbers, missing is 0; it keeps what it was asked."""

    def __init__(self, *weights: float) -> None:
        self.weights = np.array(weights)
        self.asked: Array = np.empty((0, len(weights)))

    def __call__(self, rows: Array) -> Array:
        self.asked = rows
        risks: Array = np.nan_to_num(rows) @ self.weights
        return risks


def found(
    columns: tuple[Column, ...],
    values: list[float],
    model: Model,
    *,
    usual: dict[str, float | None] | None = None,
    shares: list[float] | None = None,
    language: Language = "en",
) -> Counterfactual | None:
    """Usual is 0 of everything, and everything has the same share, unless said otherwise."""
    return counterfactual(
        columns,
        np.array(values),
        np.array(shares or [1.0] * len(values)),
        usual=dict.fromkeys((column.name for column in columns), 0.0) | (usual or {}),
        risk_of=model,
        language=language,
        currency="IDR",
    )


OPEN = actionable("open_cases", aggregate="open", of={"kind": "resolved"})
ASKED = actionable("asked")
QUIET = signal("quiet", aggregate="days_since", unit="days")


def test_the_thing_that_lowers_the_risk_most_is_told_with_both_risks() -> None:
    """Two open cases weigh 10.5 points each, one question 5: 62 % would be 41 %, or 57 %."""
    columns = columns_of(OPEN, ASKED, QUIET)
    model = Model(0.105, 0.05, 0.009)
    one = found(columns, [2.0, 1.0, 40.0], model)
    assert one is not None
    assert "If open_cases were mended: 62% → 41% (the model’s view, not a promise)" == one.sentence
    assert ("open_cases",) == one.names
    assert (pytest.approx(0.62), pytest.approx(0.41)) == (one.risk_before, one.risk_after)
    # Each thing was asked of the model alone, beside the customer as they are.
    assert [[2, 1, 40], [2, 0, 40], [0, 1, 40]] == model.asked.tolist()
    indonesian = found(columns, [2.0, 1.0, 40.0], model, language="id")
    assert indonesian is not None
    assert "Jika open_cases diperbaiki: 62% → 41% (menurut model, bukan janji)" == indonesian.sentence


def test_what_nobody_can_act_on_is_left_as_it_is() -> None:
    """Forty quiet days make the whole risk, and nobody can take them back: nothing is told."""
    model = Model(0.01, 0.0)
    assert found(columns_of(QUIET, OPEN), [40.0, 0.0], model) is None
    assert 0 == len(model.asked)


def test_less_than_three_points_are_none() -> None:
    """From 30 to 27.3 % nobody would move; from 30 to 27 % is told."""
    columns = columns_of(OPEN)
    assert found(columns, [30.0], Model(0.0009)) is None
    told = found(columns, [30.0], Model(0.03 / 30))
    assert told is not None


def test_a_remedy_that_would_raise_the_risk_is_none() -> None:
    """The model says whom to leave alone."""
    assert found(columns_of(OPEN), [2.0], Model(-0.1)) is None


def test_what_is_no_worse_than_usual_needs_no_remedy() -> None:
    """Three questions where four are usual; and nothing where the model knows no usual."""
    columns = columns_of(ASKED)
    assert found(columns, [3.0], Model(0.1), usual={"asked": 4.0}) is None
    assert found(columns, [3.0], Model(0.1), usual={"asked": None}) is None
    told = found(columns, [5.0], Model(0.1), usual={"asked": 4.0})
    assert told is not None
    assert (pytest.approx(0.5), pytest.approx(0.4)) == (told.risk_before, told.risk_after)


def test_what_is_open_is_solved_even_where_some_is_usual() -> None:
    """One open case is usual: solved is solved, not as usual."""
    model = Model(0.1)
    told = found(columns_of(OPEN), [3.0], model, usual={"open_cases": 1.0})
    assert told is not None
    assert [[3], [0]] == model.asked.tolist()


def test_windows_and_changes_of_a_signal_move_together() -> None:
    """5 in 28 days after 1 in those before, 8 in 84: at the usual 0 and 2 the change is 0 - 1; the past stays."""
    asked = actionable("asked", windows=["28d", "84d"], compare="previous")
    columns = columns_of(asked)
    assert ["asked_28d", "asked_28d_change", "asked_84d", "asked_84d_change"] == [one.name for one in columns]
    model = Model(0.02, 0.01, 0.02, 0.01)
    told = found(columns, [5.0, 4.0, 8.0, np.nan], model, usual={"asked_84d": 2.0})
    assert told is not None
    assert [0, -1, 2] == model.asked[1][:3].tolist()
    # What is missing stays missing.
    assert np.isnan(model.asked[1][3])
    assert ("asked_28d", "asked_28d_change", "asked_84d") == told.names


def test_signals_that_say_the_same_are_put_right_together() -> None:
    """Also one that nobody calls actionable: with no complaint in the window, the last was not two days ago."""
    complaints = actionable("complaints", windows=["28d"], says="complaints")
    since = signal("since", aggregate="days_since", unit="days", direction="down", says="complaints")
    share = actionable("share", unit="share", says="complaints")
    columns = columns_of(complaints, since, share)
    model = Model(0.1, -0.001, 0.3)
    told = found(columns, [3.0, 2.0, 0.5], model, usual={"since": 90.0}, shares=[0.1, 0.2, 0.3])
    assert told is not None
    assert [0, 90, 0] == model.asked[1].tolist()
    # The words are those of the stronger of the two that have a remedy.
    assert told.sentence.startswith("If share were mended")


def test_of_things_that_help_alike_the_first_by_name_is_told() -> None:
    """The same list on every run."""
    told = found(columns_of(ASKED, OPEN), [1.0, 1.0], Model(0.1, 0.1))
    assert told is not None
    assert ("asked",) == told.names


def test_the_model_itself_is_asked() -> None:
    """A threshold and an interaction: the cases count only of who also asked, whatever their share was."""
    columns = columns_of(OPEN, ASKED)

    def risk_of(rows: Array) -> Array:
        risks: Array = 0.1 + 0.5 * ((rows[:, 0] >= 2) & (rows[:, 1] >= 1)) + 0.1 * (rows[:, 1] >= 1)
        return risks

    told = counterfactual(
        columns, np.array([2.0, 1.0]), np.array([0.9, 0.1]), usual={"open_cases": 0.0, "asked": 0.0},
        risk_of=risk_of, language="en", currency="IDR",
    )  # fmt: skip
    assert told is not None
    assert ("asked",) == told.names
    assert (pytest.approx(0.7), pytest.approx(0.1)) == (told.risk_before, told.risk_after)


def test_time_can_be_won_and_not_given_back() -> None:
    """Ten days left of a contract become the usual 180; 300 stay. The days since go along, a count does not."""
    left = actionable("left", aggregate="days_until", measure="ends", direction="any", unit="days", says="renewal")
    since = signal("since", aggregate="days_since", unit="days", direction="any", says="renewal")
    signed = signal("signed", direction="any", says="renewal")
    columns = columns_of(left, since, signed)
    usual: dict[str, float | None] = {"left": 180.0, "since": 185.0, "signed": 1.0}
    model = Model(-0.001, 0.001, 0.01)
    told = found(columns, [10.0, 355.0, 3.0], model, usual=usual)
    assert told is not None
    assert [180, 185, 3] == model.asked[1].tolist()
    assert found(columns, [300.0, 65.0, 3.0], Model(0.001, 0.0, 0.0), usual=usual) is None


def test_nothing_actionable_is_missing_or_known_to_the_model() -> None:
    """No column at all, and one that is missing."""
    assert found(columns_of(OPEN), [np.nan], Model(0.1)) is None
    assert found(columns_of(QUIET), [4.0], Model(0.1)) is None


def test_a_model_that_knows_the_change_alone() -> None:
    """Without the number itself the change is put to what is usual."""
    columns = tuple(one for one in columns_of(actionable("asked", windows=["28d"], compare="previous")) if one.change)
    model = Model(0.1)
    told = found(columns, [3.0], model, usual={"asked_28d_change": 1.0})
    assert told is not None
    assert [[3], [1]] == model.asked.tolist()
