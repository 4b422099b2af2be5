"""Treated: whose label tells of our contact as much as of the customer, and who stands for them."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from churnwatch.outcomes.answers import naive, register_observed
from churnwatch.sources import RECORDED, Tables
from churnwatch.spec import Model

MOST = 10.0
"""No held-out customer stands for more list-worthy ones than so many (DESIGN §7)."""


def treated(
    tables: Tables, model: Model, observations: pd.DataFrame, *, known_before: datetime
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Whether we contacted each observed customer between as-of and the end of the label's time (n,), and how many
    customers each observation stands for (n,).

    A contact counts where the ledger recorded it (somebody was reached) and it was known before ``known_before``. For
    those left out stand the held out of ``Tables.units`` (see ``_stands_for``), everybody else stands for one; with
    ``treated: exclude`` all stand for one, with ``keep`` nobody is treated either. A ``given`` outcome has no time for
    a contact to fall into.
    """
    n = len(observations)
    none, alike = np.zeros(n, dtype=np.bool_), np.ones(n)
    if model.treated == "keep" or model.outcome.given is not None:
        return none, alike
    length = model.reach - model.slice_length
    contacts = _contacts(tables, observations, length=length, known_before=known_before)
    ours = none.copy()
    ours[contacts["place"].to_numpy()] = True
    if model.treated == "exclude" or contacts.empty or not tables.units:
        return ours, alike
    units = _units(tables, observations, length=length, known_before=known_before)
    if model.at_events:
        # As-ofs at events are each customer's own: there is nobody beside them but in the epoch as a whole.
        units["as_of"] = pd.Timestamp(0)
    return ours, _stands_for(units, contacts, n)


def _contacts(tables: Tables, observations: pd.DataFrame, *, length: int, known_before: datetime) -> pd.DataFrame:
    """The contacts that fall into an observation's time: place (the observation's row), at (naive UTC)."""
    con = tables.con
    recorded = f"source = '{RECORDED}' and known_at < timestamp '{naive(known_before)}'"
    if not con.execute(f"select 1 from interactions where {recorded} limit 1").fetchall():
        return pd.DataFrame({"place": np.array([], dtype=np.int64), "at": np.array([], dtype="datetime64[us]")})
    register_observed(tables, observations)
    found = con.sql(
        f"""select observed.place, e."at" from observed join interactions as e using (customer_id)
        where {recorded} and e."at" >= observed.as_of and e."at" < observed.as_of + interval {length} second"""
    ).fetchnumpy()
    con.unregister("observed")
    return pd.DataFrame(
        {
            "place": np.asarray(found["place"], dtype=np.int64),
            "at": np.asarray(found["at"], dtype="datetime64[us]"),
        }
    )


def _units(tables: Tables, observations: pd.DataFrame, *, length: int, known_before: datetime) -> pd.DataFrame:
    """The units that fall into an observation's time: place, as_of, closes_at (the epoch), held_out, decided_at.

    Those are decided before it ends, of an epoch not over at as-of: a customer who has had a place before as-of may be
    listed again, and one held out then is still left alone.
    """
    drawn = pd.DataFrame(
        {
            "customer_id": [one.customer_id for one in tables.units],
            "held_out": np.array([one.held_out for one in tables.units], dtype=np.bool_),
            "decided_at": np.array([naive(one.decided_at) for one in tables.units], dtype="datetime64[us]"),
            "closes_at": np.array([naive(one.closes_at) for one in tables.units], dtype="datetime64[us]"),
        }
    )
    drawn = drawn[drawn["decided_at"] < naive(known_before)]
    joined = observations[["customer_id", "as_of"]].reset_index(drop=True).reset_index(names="place")
    joined = joined.merge(drawn, on="customer_id")
    closes = joined["as_of"] + pd.Timedelta(seconds=length)
    return joined[(joined["decided_at"] < closes) & (joined["closes_at"] > joined["as_of"])].copy()


def _stands_for(units: pd.DataFrame, contacts: pd.DataFrame, n: int) -> NDArray[np.float64]:
    """How many customers each of n observations stands for: per as-of and epoch a held-out one for itself and its share
    of the units left out there, at most ``MOST`` in all.

    A contact leaves a unit out of the epoch whose draw was the last before it, else of the first. Chance alone tells
    the arms apart, so those held out are like those treated, and whoever was not worked stands for nobody. One held
    out who was contacted all the same is left out as a treated one is. Of a customer held out in two epochs within the
    time the greater weight counts, not both.
    """
    units = units.sort_values(["place", "decided_at"], kind="stable").reset_index(drop=True)
    mine = units.groupby("place")["decided_at"]
    spans = units[["place", "decided_at"]].assign(unit=units.index, first=mine.cumcount() == 0, until=mine.shift(-1))
    hits = spans.merge(contacts, on="place")
    since = hits["first"] | (hits["at"] >= hits["decided_at"])
    hits = hits[since & (hits["until"].isna() | (hits["at"] < hits["until"]))]
    units["left_out"] = units.index.isin(hits["unit"])
    units["alone"] = units["held_out"] & ~units["left_out"]
    told = units.groupby(["as_of", "closes_at"])[["left_out", "alone"]].transform("sum")
    units["weight"] = np.minimum(1 + told["left_out"] / told["alone"].where(units["alone"]), MOST)
    greatest = units[units["alone"]].groupby("place")["weight"].max()
    weight = np.ones(n)
    weight[greatest.index.to_numpy()] = greatest.to_numpy()
    return weight
