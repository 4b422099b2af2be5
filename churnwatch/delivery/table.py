"""The list as ``outreach.csv``, with two empty columns to hand back."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from churnwatch.delivery.text import cell
from churnwatch.outreach import Further, Leaver, ListRow

COLUMNS = (
    "rank",
    "customer",
    "customer_name",
    "owner",
    "owner_name",
    "risk",
    "band",
    "change",
    "rising_since",
    "value_at_risk",
    "reason_1",
    "reason_2",
    "reason_3",
    "last_contact",
    "last_survey",
    "action",
    "due",
    "model_version",
    "listed_by",
    "rule_score",
    "listed_for",
    "also_model",
    "also_risk",
    "also_band",
    "also_change",
    "expected_score",
    "expected_change",
    "proactive",
    "proactive_title",
    "account_owner",
    "account_owner_name",
    "handed",
    "listed_before",
    "back_early",
    "counterfactual",
    "action_name",
    "action_steps",
    "action_why",
    "action_tone",
    "action_channel",
    "action_minutes",
    "worth",
    "list",
    "outcome",
    "flag_wrong_reason",
)

LATER = COLUMNS[COLUMNS.index("rule_score") : COLUMNS.index("outcome")]
"""Columns that lists of earlier versions of the program lack."""


def list_name(deployment: str, day: date, revision: int) -> str:
    """``demo 2026-07-01 r1``: which list a row is of, so that a file copied anywhere can be handed back.

    The words around the day keep a spreadsheet from taking it for a date and writing it in another way.
    """
    return f"{deployment} {day} r{revision}"


def outreach_csv(rows: Sequence[ListRow], *, name: str = "") -> bytes:
    r"""The rows in their order as UTF-8 CSV, lines ending in ``\n``; equal rows give equal bytes.

    Risk and change have 4 decimals, money 2, days are ISO; empty means missing. ``listed_by`` is ``model`` or
    ``baseline:NAME``; ``rule_score`` is a whole number, 0 to 100; ``listed_for`` names the model that lists the
    row, ``also_model`` and the columns after it hold what a further model says of the customer, with 4 decimals;
    where the listing model foretells answers, ``expected_score`` is its own, and no ``expected_change`` is known;
    ``proactive`` names the rule that lists a customer who is not at risk, ``proactive_title`` is what people call it;
    ``handed`` is ``away`` or ``overflow`` where ``owner`` is not ``account_owner``; ``action_name`` is the playbook's
    key, the columns after it are in the owner's language, minutes whole; ``worth`` is what the list is ordered by, with
    4 decimals; ``list`` is ``name``, the list's ``list_name``;
    ``outcome`` and ``flag_wrong_reason`` are empty, to hand back. Text that a spreadsheet would take for a formula
    carries a leading apostrophe. Raises ``ValueError`` for a number that is not finite.
    """
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(_record(row, name) for row in rows)
    return out.getvalue().encode()


def _record(row: ListRow, name: str) -> tuple[str, ...]:
    reasons = [cell(reason) for reason in row.reasons]
    return (
        str(row.rank),
        cell(row.customer_id),
        cell(row.customer_name),
        cell(row.owner),
        cell(row.owner_name),
        _number(row.risk, decimals=4),
        row.band,
        _number(row.change, decimals=4),
        _day(row.rising_since),
        _number(row.value_at_risk, decimals=2),
        *(reasons + [""] * (3 - len(reasons))),
        _day(row.last_contact),
        cell(row.last_survey or ""),
        cell(row.action),
        _day(row.due),
        cell(row.model_version),
        cell(f"baseline:{row.baseline}") if row.baseline else "model",
        "" if row.rule_score is None else str(row.rule_score),
        cell(row.listed_for),
        *_beside(row.further),
        *_expected(row),
        cell(row.proactive),
        cell(row.proactive_title),
        cell(row.account_owner),
        cell(row.account_owner_name),
        row.handed,
        _day(row.listed_before),
        *(cell(text or "") for text in (row.back_early, row.counterfactual, row.action_name, row.action_steps)),
        *(cell(text or "") for text in (row.action_why, row.action_tone, row.action_channel)),
        "" if row.action_minutes is None else str(row.action_minutes),
        _number(row.worth, decimals=4),
        cell(name),
        "",
        "",
    )


def _beside(further: Further | None) -> tuple[str, ...]:
    if further is None:
        return ("",) * 4
    return (
        cell(further.model),
        _number(further.risk, decimals=4),
        further.band,
        _number(further.change, decimals=4),
    )


def _expected(row: ListRow) -> tuple[str, str]:
    score, change = row.expected
    return _number(score, decimals=4), _number(change, decimals=4)


def _number(value: float | None, *, decimals: int) -> str:
    if value is None:
        return ""
    if not math.isfinite(value):
        raise ValueError(f"{value} cannot stand in the list")
    return f"{value:z.{decimals}f}"


def _day(value: date | None) -> str:
    return "" if value is None else value.isoformat()


NUMBERS = (
    "risk",
    "change",
    "value_at_risk",
    "rule_score",
    "also_risk",
    "also_change",
    "expected_score",
    "expected_change",
    "worth",
)
WHOLE = ("rank", "action_minutes")


def json_row(row: Mapping[str, str]) -> dict[str, Any]:
    """A row of ``outreach.csv`` for a program: the columns under ``WHOLE`` whole numbers, those of ``NUMBERS`` numbers.

    ``None`` where such a cell is empty; every other column stays text. Raises ``ValueError`` where a cell of
    those holds no number.
    """
    whole = {name: int(row[name]) if row[name] else None for name in WHOLE}
    return {**row, **whole, **{name: float(row[name]) if row[name] else None for name in NUMBERS}}


LEAVER_COLUMNS = (
    "customer",
    "customer_name",
    "owner",
    "owner_name",
    "announced_on",
    "ends_on",
    "value",
    "said",
)


def leavers_csv(leavers: Sequence[Leaver]) -> bytes:
    """Who has announced that they leave, in the order given; days ISO, money 2 decimals, empty where unknown.

    Text is guarded as in the list; equal leavers give equal bytes.
    """
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(LEAVER_COLUMNS)
    for one in leavers:
        names = (one.customer_id, one.customer_name, one.owner, one.owner_name)
        days = (_day(one.announced_on), _day(one.ends_on))
        writer.writerow((*map(cell, names), *days, _number(one.value, decimals=2), cell(one.said or "")))
    return out.getvalue().encode()


def quarantine_csv(rows: Sequence[Mapping[str, object]]) -> bytes:
    """Quarantined raw rows to work through: source, file, line, rule, found; text guarded as in the list."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    names = ("source", "file", "line", "rule", "found")
    writer.writerow(names)
    for row in rows:
        values = (row[name] for name in names)
        writer.writerow(cell(value) if isinstance(value, str) else value for value in values)
    return out.getvalue().encode()


PAST_COLUMNS = ("as_of", "rank", "customer", "owner", "risk", "band", "outcome", "days_until_left")


def past_lists_csv(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """The rows of a backtest's lists with what became of them; risk has 4 decimals, days 1, empty where nobody left.

    Text is guarded as in the list; equal rows give equal bytes.
    """
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(PAST_COLUMNS)
    for row in rows:
        days = float(row["days_until_left"])
        writer.writerow(
            (
                row["as_of"],
                row["rank"],
                cell(row["customer_id"]),
                cell(row["owner"]),
                _number(float(row["risk"]), decimals=4),
                row["band"],
                row["outcome"],
                "" if math.isnan(days) else _number(days, decimals=1),
            )
        )
    return out.getvalue().encode()


PLAN_COLUMNS = (
    "rank",
    "customer",
    "customer_name",
    "owner",
    "owner_name",
    "instrument",
    "chosen_by",
    "answers",
    "risk",
    "bits",
    "last_asked",
    "last_answered",
    "model_version",
)


def survey_plan_csv(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Whom to ask next, in their order; ``answers`` (a probability, empty: unknown), risk and bits have 4 decimals.

    Days are ISO, empty where there was none. Text is guarded as in the list; equal rows give equal bytes.
    """
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(PLAN_COLUMNS)
    for row in rows:
        told: dict[str, Any] = {
            **{name: cell(value) if isinstance(value, str) else value for name, value in row.items()},
            **{name: _number(row[name], decimals=4) for name in ("answers", "risk", "bits")},
            **{name: _day(row[name]) for name in ("last_asked", "last_answered")},
        }
        writer.writerow(told[name] for name in PLAN_COLUMNS)
    return out.getvalue().encode()
