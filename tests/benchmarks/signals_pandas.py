"""The peer in pandas: codes for texts, a group for each customer and age band, windows as slices of dense bands."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

DAY = 86_400_000_000
EDGES = np.array([7, 14, 30, 60, 90, 180, 360]) * DAY
"""The far ends of the disjoint age bands; what is older falls into one more, the eighth."""

SPANS = {"7": (0, 1), "30": (0, 3), "90": (0, 5), "180": (0, 6), "7b": (1, 2), "30b": (3, 4), "90b": (5, 6)}
SPANS |= {"180b": (6, 7), "ever": (0, 8)}
"""The bands of each window, and of the window before it, half-open."""

KINDS = ("usage", "purchase", "contact", "complaint", "resolved", "self_service", "visit")
WINDOWS = ("7", "30", "90", "180")
Array = np.ndarray


def build(data: Path, as_ofs: Sequence[datetime], out: Path) -> None:
    """Write the signals of each as-of (aware) into a Parquet file of its own under ``out``."""
    out.mkdir(parents=True, exist_ok=True)
    people = pq.read_table(data / "customers.parquet", columns=["customer_id", "started_at"]).to_pandas()
    rows = _rows(data / "interactions.parquet", people, max(as_ofs))
    started = people["started_at"].to_numpy("datetime64[us]").view(np.int64)
    for number, as_of in enumerate(as_ofs):
        us = int(as_of.timestamp()) * 1_000_000
        known = {name: part[(part["known"] < us) & (part["at"] < us)] for name, part in rows.items()}
        values = _signals(known, us, len(people))
        frame = pd.DataFrame({"customer_id": people["customer_id"], "as_of": pd.Timestamp(us, unit="us"), **values})
        frame[started < us].to_parquet(out / f"{number:03}.parquet", compression="zstd", index=False)


def _rows(path: Path, people: pd.DataFrame, last: datetime) -> dict[str, pd.DataFrame]:
    """The rows of each kind that is looked at, and of all."""
    texts = ["customer_id", "kind", "channel", "topic"]
    numbers = ["amount", "minutes", "resolution_hours"]
    wanted = [*texts, "at", "known_at", *numbers]
    naive = np.datetime64(last.replace(tzinfo=None))
    read = pq.read_table(path, columns=wanted, read_dictionary=texts, filters=[("at", "<", naive)]).to_pandas()
    places = pd.Index(people["customer_id"]).get_indexer(read["customer_id"].cat.categories)
    every = pd.DataFrame(
        {
            "person": places[read["customer_id"].cat.codes],
            "at": read["at"].to_numpy("datetime64[us]").view(np.int64),
            "known": read["known_at"].to_numpy("datetime64[us]").view(np.int64),
        }
    )
    kind = pd.Categorical(read["kind"]).codes.astype(np.int8)
    code = {name: np.int8(pd.Index(read["kind"].cat.categories).get_loc(name)) for name in KINDS}

    def of(names: Sequence[str], **more: pd.Series) -> pd.DataFrame:
        keep = np.isin(kind, [code[name] for name in names])
        return every[keep].assign(**{name: values[keep] for name, values in more.items()})

    complaint = pd.Series(kind == code["complaint"])
    return {
        "every": every,
        "u": of(["usage"], v=read["minutes"]),
        "p": of(["purchase"], v=read["amount"]),
        "c": of(
            ["contact", "complaint"],
            complaint=complaint,
            phone=read["channel"] == "phone",
            topic=read["topic"].cat.codes,
        ),
        "s": of(["resolved"], v=read["resolution_hours"]),
        "o": of(["self_service", "visit"]),
    }


class Bands:
    """One part of the rows at one as-of: tallies as dense arrays (customers, 8 bands)."""

    def __init__(self, rows: pd.DataFrame, us: int, people: int) -> None:
        self.rows, self.people = rows, people
        self.person = rows["person"].to_numpy()
        self.age = us - rows["at"].to_numpy()
        self.key = self.person * 8 + np.searchsorted(EDGES, self.age)
        self.groups = pd.DataFrame({"age": self.age}).groupby(self.key, sort=False)["age"]

    def total(self, weights: Array | None = None) -> Array:
        """The rows, or the weights, added up."""
        return np.bincount(self.key, weights, self.people * 8).reshape(-1, 8)

    def dense(self, grouped: pd.Series) -> Array:
        """A result per group as an array, missing where there is none."""
        made = np.full(self.people * 8, np.nan)
        made[grouped.index.to_numpy()] = grouped.to_numpy()
        return made.reshape(-1, 8)

    def days(self) -> Array:
        """Pairs of a customer and a day before as-of (below 180), each once."""
        near = self.age <= 180 * DAY
        return pd.unique(self.person[near] * 180 + (self.age[near] - 1) // DAY)


def over(bands: Array, span: str) -> Array:
    """A window's sum."""
    low, high = SPANS[span]
    return bands[:, low:high].sum(axis=1)


def least(bands: Array, span: str) -> Array:
    """A window's least value; missing where it has none."""
    low, high = SPANS[span]
    return np.fmin.reduce(bands[:, low:high], axis=1)


def most(bands: Array, span: str) -> Array:
    """A window's greatest value; missing where it has none."""
    return -least(-bands, span)


def _signals(parts: dict[str, pd.DataFrame], us: int, people: int) -> dict[str, Array]:
    made: dict[str, Array] = {}
    b = {name: Bands(part, us, people) for name, part in parts.items()}
    n = {name: bands.total() for name, bands in b.items()}
    complaints = b["c"].total(parts["c"]["complaint"].to_numpy(np.float64))
    phone = b["c"].total(parts["c"]["phone"].to_numpy(np.float64))

    def counted(name: str, bands: Array, windows: Sequence[str] = WINDOWS, *, change: bool = True) -> None:
        for w in windows:
            made[f"{name}_{w}d"] = over(bands, w).astype(np.float64)
            if change:
                made[f"{name}_{w}d_change"] = over(bands, w) - over(bands, f"{w}b").astype(np.float64)

    for name, bands in (("events", n["every"]), ("contacts", n["c"]), ("complaints", complaints)):
        counted(name, bands)
    counted("purchases", n["p"])
    counted("uses", n["u"])
    counted("phone_contacts", phone, ("30", "90"), change=False)
    made |= {
        f"{name}_ever": over(n[p], "ever").astype(np.float64) for name, p in (("events", "every"), ("purchases", "p"))
    }
    v = {name: parts[name]["v"].to_numpy() for name in "ups"}
    given = {name: ~np.isnan(v[name]) for name in v}
    y = {name: b[name].total(np.where(given[name], v[name], 0.0)) for name in v}
    m = {name: b[name].total(given[name].astype(np.float64)) for name in v}
    counted("spent", y["p"])
    made["spent_ever"] = over(y["p"], "ever")
    counted("minutes", y["u"], change=False)
    with np.errstate(divide="ignore", invalid="ignore"):
        for w in ("90", "180"):
            made[f"basket_{w}d"] = over(y["p"], w) / over(m["p"], w)
            made[f"basket_{w}d_change"] = made[f"basket_{w}d"] - over(y["p"], f"{w}b") / over(m["p"], f"{w}b")
            made[f"resolution_{w}d"] = over(y["s"], w) / over(m["s"], w)
            made[f"complaint_share_{w}d"] = over(complaints, w) / over(n["c"], w)
        made["basket_ever"] = over(y["p"], "ever") / over(m["p"], "ever")
        _extremes(made, b, v)
        _days_and_topics(made, b, parts["c"], us)
        _rhythm(made, b, n)
        _trends(made, b, n, v, given, m, y)
    for name, span in (("open_cases", "ever"), ("open_lately_90d", "90")):
        made[name] = np.maximum(over(n["c"], span) - over(n["s"], span), 0).astype(np.float64)
    return made


def _extremes(made: dict[str, Array], b: dict[str, Bands], v: dict[str, Array]) -> None:
    values = {name: pd.Series(v[name]).groupby(b[name].key, sort=False) for name in v}
    low, high = (b["p"].dense(getattr(values["p"], which)()) for which in ("min", "max"))
    made["slowest_90d"] = most(b["s"].dense(values["s"].max()), "90")
    made |= {
        "least_spent_180d": least(low, "180"),
        "most_spent_90d": most(high, "90"),
        "most_spent_180d": most(high, "180"),
    }
    for name, part, span in (("last_spent", "p", "ever"), ("last_minutes_90d", "u", "90")):
        # The file is in the order of time, so the last row of a band is the latest.
        latest = b[part].dense(values[part].last())[:, : SPANS[span][1]]
        first = np.argmax(~np.isnan(latest), axis=1)
        made[name] = latest[np.arange(len(latest)), first]


def _days_and_topics(made: dict[str, Array], b: dict[str, Bands], contacts: pd.DataFrame, us: int) -> None:
    bands = np.searchsorted(EDGES // DAY, np.arange(180) + 1)
    for name, pairs in (
        ("use_days", b["u"].days()),
        ("active_days", pd.unique(np.concatenate([b[part].days() for part in "upco"]))),
    ):
        per_band = np.bincount(pairs // 180 * 8 + bands[pairs % 180], minlength=b["u"].people * 8).reshape(-1, 8)
        for w in ("30", "90"):
            made[f"{name}_{w}d"] = over(per_band, w).astype(np.float64)
            if name == "active_days":
                made[f"{name}_{w}d_change"] = made[f"{name}_{w}d"] - over(per_band, f"{w}b")
        if name == "use_days":
            made[f"{name}_180d"] = over(per_band, "180").astype(np.float64)
    topic = contacts["topic"].to_numpy().astype(np.int64)
    for days in (90, 180):
        near = (b["c"].age <= days * DAY) & (topic >= 0)
        pairs = pd.unique(b["c"].person[near] * 8 + topic[near])
        made[f"topics_{days}d"] = np.bincount(pairs // 8, minlength=b["c"].people).astype(np.float64)


def _rhythm(made: dict[str, Array], b: dict[str, Bands], n: dict[str, Array]) -> None:
    young = {part: b[part].dense(b[part].groups.min()) for part in "upco"}
    old = {part: b[part].dense(b[part].groups.max()) for part in "upco"}
    alive_young = np.fmin.reduce([young[part] for part in "upco"])
    alive_old = np.fmax.reduce([old[part] for part in "upco"])
    complaint = b["c"].rows["complaint"].to_numpy()
    last_complaint = pd.Series(b["c"].age[complaint]).groupby(b["c"].key[complaint], sort=False).min()
    made["quiet"] = least(alive_young, "ever") / DAY
    made |= {
        f"since_{name}": least(young[p], "ever") / DAY
        for name, p in (("contact", "c"), ("purchase", "p"), ("use", "u"))
    }
    made["since_complaint"] = least(b["c"].dense(last_complaint), "ever") / DAY
    eldest = pd.Series(b["every"].age).groupby(b["every"].person, sort=False).max()
    first = pd.Series(np.nan, np.arange(b["every"].people))
    first[eldest.index] = eldest.to_numpy()
    seen = np.maximum(np.minimum(first.to_numpy(), 180 * DAY) / DAY, 1.0)
    for name, p in (("use", "u"), ("purchase", "p")):
        made[f"{name}_rate_180d"] = np.nan_to_num(over(n[p], "180") * 30.0 / seen)
    for name, count, youngs, olds in (
        ("alive", sum(n[part] for part in "upco"), alive_young, alive_old),
        ("purchase", n["p"], young["p"], old["p"]),
    ):
        rows, quiet = over(count, "180").astype(np.float64), least(youngs, "180")
        span = most(olds, "180") - quiet
        gap = np.where(rows > 1, span / DAY / (rows - 1), np.nan)
        made[f"{name}_gap_180d"] = gap
        made[f"{name}_gap_ratio_180d"] = np.where(gap > 0, quiet / DAY / gap, np.nan)
        some = rows > 0
        usual = span[some].sum() / (rows[some] - 1).sum()
        silent = 1.0 - (1.0 - quiet / (usual + span + quiet)) ** rows
        made["silence_180d" if name == "alive" else "purchase_silence_180d"] = np.where(some, silent, np.nan)


def _trends(
    made: dict[str, Array],
    b: dict[str, Bands],
    n: dict[str, Array],
    v: dict[str, Array],
    given: dict[str, Array],
    m: dict[str, Array],
    y: dict[str, Array],
) -> None:
    x = {part: b[part].age / (30 * DAY) for part in "upc"}
    for name, part, windows in (("minutes", "u", ("90", "180")), ("spent", "p", ("180",))):
        known = given[part]
        X, V = np.where(known, x[part], 0.0), np.where(known, v[part], 0.0)
        sums = {"x": X, "xx": X * X, "xy": X * V}
        total = {tally: b[part].total(weights) for tally, weights in sums.items()} | {"m": m[part], "y": y[part]}
        ages = pd.Series(b[part].age[known]).groupby(b[part].key[known], sort=False)
        young, old = b[part].dense(ages.min()), b[part].dense(ages.max())
        for w in windows:
            s = {tally: over(bands, w) for tally, bands in total.items()}
            # x is the age, so the slope turns round.
            slope = -(s["m"] * s["xy"] - s["x"] * s["y"]) / (s["m"] * s["xx"] - s["x"] ** 2)
            wide = most(old, w) - least(young, w) >= DAY
            made[f"{name}_trend_{w}d"] = np.where(wide, slope, np.nan)
    for name, part, w in (("use", "u", 90), ("use", "u", 180), ("contact", "c", 180), ("purchase", "p", 180)):
        moment = over(n[part], str(w)) - 60 / w * over(b[part].total(x[part]), str(w))
        made[f"{name}_trend_{w}d"] = moment * (5400 / w**2)
