"""Treated: whose label tells of our contact as much as of the customer, and who stands for them."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from churnwatch.outcomes.answers import naive, register_observed
from churnwatch.sources import RECORDED, Tables
from churnwatch.spec import Model


def treated(
    tables: Tables, model: Model, observations: pd.DataFrame, *, known_before: datetime
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Whether we contacted each observed customer between as-of and the end of the label's time (n,), and how many
    customers each observation stands for (n,).

    A contact counts where the ledger recorded it (somebody was reached) and it was known before ``known_before``. Who
    would first have been listed in that time and was held out stands for as many as ``Tables.held_out`` says, everybody
    else for one; with ``treated: exclude`` all stand for one, with ``keep`` nobody is treated either. A ``given``
    outcome has no time for a contact to fall into.
    """
    n = len(observations)
    none, alike = np.zeros(n, dtype=np.bool_), np.ones(n)
    if model.treated == "keep" or model.outcome.given is not None:
        return none, alike
    length = model.reach - model.slice_length
    ours = _contacted(tables, observations, length=length, known_before=known_before)
    if model.treated == "exclude" or not tables.held_out:
        return ours, alike
    return ours, _stands_for(tables, observations, length=length, known_before=known_before)


def _contacted(tables: Tables, observations: pd.DataFrame, *, length: int, known_before: datetime) -> NDArray[np.bool_]:
    con = tables.con
    ours = np.zeros(len(observations), dtype=np.bool_)
    recorded = f"source = '{RECORDED}' and known_at < timestamp '{naive(known_before)}'"
    if not con.execute(f"select 1 from interactions where {recorded} limit 1").fetchall():
        return ours
    register_observed(tables, observations)
    found = con.sql(
        f"""select distinct observed.place from observed join interactions as e using (customer_id)
        where {recorded} and e."at" >= observed.as_of and e."at" < observed.as_of + interval {length} second"""
    ).fetchnumpy()["place"]
    con.unregister("observed")
    ours[np.asarray(found, dtype=np.int64)] = True
    return ours


def _stands_for(
    tables: Tables, observations: pd.DataFrame, *, length: int, known_before: datetime
) -> NDArray[np.float64]:
    """Of a customer held out in two epochs within the time the greater weight counts, not both."""
    alone = pd.DataFrame(
        {
            "customer_id": [one.customer_id for one in tables.held_out],
            "decided_at": [naive(one.decided_at) for one in tables.held_out],
            "stands_for": [one.stands_for for one in tables.held_out],
        }
    )
    alone = alone[alone["decided_at"] < naive(known_before)]
    joined = observations[["customer_id", "as_of"]].reset_index(drop=True).reset_index(names="place")
    joined = joined.merge(alone, on="customer_id")
    inside = (joined["decided_at"] >= joined["as_of"]) & (
        joined["decided_at"] < joined["as_of"] + timedelta(seconds=length)
    )
    greatest = joined[inside].groupby("place")["stands_for"].max()
    weight = np.ones(len(observations))
    weight[greatest.index.to_numpy()] = greatest.to_numpy()
    return weight
