"""People: what a row says of a customer beside the risk, and who works whose rows today."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa

from churnwatch.runs.workspace import Workspace
from churnwatch.spec import Language

if TYPE_CHECKING:
    from churnwatch.sources import Tables

_COLUMNS = ("customer_id", "customer_name", "do_not_contact", "owner", "segment", "value", "language")
_LAST = ("customer_id", "last_contact", "instrument", "raw_score", "answered_at")


@dataclass(frozen=True)
class Team:
    """Who works today. ``names`` and ``languages`` are by owner; ``stands_in`` says of each who is away who works their
    rows (None: nobody), ``leads`` who gets what an owner has no place for.
    """

    names: Mapping[str, str]
    languages: Mapping[str, str | None]
    stands_in: Mapping[str, str | None]
    leads: Mapping[str, str]


def people_of(tables: Tables, as_of: datetime, *, consent: str) -> pd.DataFrame:
    """One row per customer, as known at as-of, ordered by id; ``do_not_contact`` is true of whoever may not be listed.

    That is who must not be contacted, whose relation has ended, who has refused consent, and where consent is
    ``required`` who has not given it. ``value`` is NaN where it is unknown.
    """
    cut = _cut(as_of)
    return _frame(
        tables.con.execute(
            f"""select customer_id, name, do_not_contact or coalesce(ended_at <= {cut}, false)
                       or not {agreed_sql(consent)},
                   owner, segment, value, language
            from customers order by customer_id"""
        ).to_arrow_table(),
        _COLUMNS,
    )


def last_of(tables: Tables, as_of: datetime, customers: Sequence[str]) -> pd.DataFrame:
    """When each of these customers (different ids) was last in touch and what they last answered, in their order.

    ``last_contact`` and ``answered_at`` are microseconds since 1970 in UTC; missing: never. Asked of the few that are
    listed: of everybody it would mean to group all their events.
    """
    cut = _cut(as_of)
    asked = pa.table({"customer_id": pa.array(customers, pa.string()), "place": range(len(customers))})
    tables.con.register("last_of", asked)
    try:
        found = tables.con.execute(
            f"""with contact as (
                -- What the customer did, not what we or a machine did.
                select customer_id, epoch_us(max("at")) as last_contact from interactions
                where customer_id in (select customer_id from last_of) and known_at < {cut} and "at" < {cut}
                  and coalesce(direction, 'in') = 'in' group by customer_id
            ), survey as (
                select customer_id, arg_max(instrument, answered_at) as instrument,
                       arg_max(raw_score, answered_at) as raw_score, epoch_us(max(answered_at)) as answered_at
                from (select * from surveys where answered_at < {cut} and customer_id in
                      (select customer_id from last_of) order by answered_at, survey_id)
                group by customer_id
            )
            select customer_id, last_contact, instrument, raw_score, answered_at
            from last_of left join contact using (customer_id) left join survey using (customer_id) order by place"""
        ).to_arrow_table()
    finally:
        tables.con.unregister("last_of")
    return _frame(found, _LAST)


def _frame(found: pa.Table, names: Sequence[str]) -> pd.DataFrame:
    texts = ("customer_id", "customer_name", "owner", "segment", "language", "instrument")
    return pd.DataFrame(
        {
            name: pd.Series(column.to_pylist(), dtype=object) if name in texts else column.to_numpy()
            for name, column in zip(names, found.columns, strict=True)
        }
    )


def agreed_sql(consent: str) -> str:
    """Whether a customer has agreed to be contacted, as SQL: ``required``, or merely not ``refused``."""
    return "coalesce(consent, false)" if consent == "required" else "coalesce(consent, true)"


def values_of(people: pd.DataFrame) -> pd.Series | None:
    """What each customer is worth in a month (n,), to order a list by; ``None`` where no value is known at all.

    An unknown value is the median of those known in the customer's segment, else of all in ``people``; one below 0
    counts 0. Our choice: an unknown value must neither hide a customer nor put them first.
    """
    value = people["value"].astype("float64")
    if not value.notna().any():
        return None
    middle = value.groupby(people["segment"].fillna("")).transform("median")
    filled: pd.Series = value.fillna(middle).fillna(value.median()).clip(lower=0)
    return filled


def team_of(tables: Tables, as_of: datetime) -> Team:
    """The agents as they are at as-of: away from ``away_from`` (missing: already) to before ``away_to`` (missing: until
    further notice); who has neither is there.
    """
    cut = _cut(as_of)
    agents: dict[str, dict[str, Any]] = {
        owner: {"name": name, "language": language, "lead": lead, "stand_in": stand_in, "away": away}
        for owner, name, language, lead, stand_in, away in tables.con.execute(
            f"""select owner, name, language, lead, stand_in,
                       coalesce(away_from, away_to) is not null
                       and coalesce(away_from <= {cut}, true) and coalesce({cut} < away_to, true)
            from agents where owner is not null order by owner"""
        ).fetchall()
    }
    return Team(
        names={owner: one["name"] or owner for owner, one in agents.items()},
        languages={owner: one["language"] for owner, one in agents.items()},
        stands_in={owner: _in_place_of(owner, agents) for owner, one in agents.items() if one["away"]},
        leads={owner: one["lead"] for owner, one in agents.items() if one["lead"] and one["lead"] != owner},
    )


def language_of(workspace: Workspace, team: Team, recipient: Any) -> Language:
    """The language of who works the row; where nobody is named, the deployment's first."""
    own = team.languages.get(recipient)
    first: Language = workspace.spec.deployment.languages[0]
    return "id" if own == "id" else "en" if own == "en" else first


def _in_place_of(owner: str, agents: Mapping[str, Mapping[str, Any]]) -> str | None:
    """The stand-in who is there, else the lead who is, else the lead's lead …"""
    asked = {owner}
    at: str | None = owner
    while at is not None:
        one = agents.get(at)
        if one is None:
            return None
        for who in (one["stand_in"], one["lead"]):
            if who is not None and who not in asked and who in agents and not agents[who]["away"]:
                return str(who)
        asked.add(at)
        at = one["lead"] if one["lead"] not in asked else None
    return None


def _cut(as_of: datetime) -> str:
    return f"timestamp '{as_of.astimezone(UTC).replace(tzinfo=None)}'"
