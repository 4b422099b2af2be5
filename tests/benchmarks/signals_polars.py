"""The peer in Polars: the same age bands as in DuckDB, lazy expressions on the streaming engine.

The rows are parted by kind once; what is asked of all kinds is added up from the bands of each.
Tried and slower: the in-memory engine (twice the CPU), distinct days by ``n_unique``.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

# Read when Polars is imported: one thread takes less CPU than two, and CPU is what is compared.
os.environ.setdefault("POLARS_MAX_THREADS", "1")

import polars as pl

DAY = 86_400_000_000
BANDS = (7, 14, 30, 60, 90, 180, 360)
"""The far ends, in days, of the disjoint bands; what is older falls into one more, 7."""

SPANS = {
    "7": (0, 0),
    "30": (0, 2),
    "90": (0, 4),
    "180": (0, 5),
    "7b": (1, 1),
    "30b": (3, 3),
    "90b": (5, 5),
    "180b": (6, 6),
    "ever": (0, 7),
}
"""The first and the last band of each window, and of the window before it."""

KINDS = {"usage": 1, "purchase": 2, "contact": 3, "complaint": 4, "resolved": 5, "self_service": 6, "visit": 6}
TOPICS = {"billing": 1, "delivery": 2, "technical": 4, "account": 8, "product": 16, "other": 32}

c = pl.col
V, X, K, AGE = c("v"), c("x"), c("k"), c("age")
# Bands are at most 90 days long where days are counted, so the days of a band are bits of one number.
DAYS = pl.when(c("day") < 180).then(pl.lit(2, pl.Int128).pow(c("day") % 90)).otherwise(pl.lit(0, pl.Int128))
COMMON = {"n": pl.len(), "young": AGE.min(), "old": AGE.max(), "days": DAYS.bitwise_or()}
SLOPE = {
    "m": V.count(),
    "y": V.sum(),
    "x": X.sum(),
    "xx": (X * X).sum(),
    "xy": (X * V).sum(),
    "latest": V.min_by(pl.when(V.is_not_null()).then(AGE)),
}
TALLIES: dict[str, tuple[pl.Expr, dict[str, pl.Expr]]] = {
    "uses": (K == 1, COMMON | SLOPE),
    "purchases": (K == 2, COMMON | SLOPE | {"low": V.min(), "high": V.max()}),
    "contacts": (
        K.is_in([3, 4]),
        COMMON
        | {
            "x": X.sum(),
            "n4": (K == 4).sum(),
            "young4": pl.when(K == 4).then(AGE).min(),
            "phone": c("by_phone").sum(),
            "topics": c("topic").bitwise_or(),
        },
    ),
    "rest": (K == 7, {"n": pl.len(), "old": AGE.max()}),
    "solved": (K == 5, {"n": pl.len(), "old": AGE.max(), "m": V.count(), "y": V.sum(), "high": V.max()}),
    "others": (K == 6, COMMON),
}

ALL = "7 30 90 180 7b 30b 90b 180b"
PIVOTS = {
    "every": {"n": f"{ALL} ever", "old": "ever"},
    "uses": {
        "n": f"{ALL} ever",
        "y": "7 30 90 180",
        "days": "30 90 90b",
        "young": "ever 90 180",
        "old": "90 180",
        **dict.fromkeys(("m", "x", "xx", "xy"), "90 180"),
        "latest": "90",
    },
    "purchases": {
        "n": f"{ALL} ever",
        "y": f"{ALL} ever",
        "m": "90 180 90b 180b ever",
        "young": "ever 180",
        "old": "180",
        **dict.fromkeys(("x", "xx", "xy"), "180"),
        "low": "180",
        "high": "90 180",
        "latest": "ever",
    },
    "contacts": {
        "n": f"{ALL} ever",
        "n4": ALL,
        "phone": "30 90",
        "topics": "90 180",
        "young": "ever",
        "young4": "ever",
        "x": "180",
    },
    "solved": {"n": "90 ever", "m": "90 180", "y": "90 180", "high": "90"},
    "alive": {"n": "180", "days": "30 30b 90 90b", "young": "ever 180", "old": "180"},
}


def build(data: Path, as_ofs: Sequence[datetime], out: Path) -> None:
    """Write the signals of each as-of (aware) into a Parquet file of its own under ``out``."""
    out.mkdir(parents=True, exist_ok=True)
    people = pl.read_parquet(data / "customers.parquet", columns=["customer_id", "started_at"]).with_row_index("person")
    rows = (
        pl.scan_parquet(data / "interactions.parquet")
        .filter(c("at") < max(as_ofs).replace(tzinfo=None))
        .join(people.lazy().select("customer_id", "person"), on="customer_id")
        .select(
            "person",
            at=c("at").cast(pl.Int64),
            known=c("known_at").cast(pl.Int64),
            by_phone=c("channel") == "phone",
            k=c("kind").replace_strict(KINDS, default=7, return_dtype=pl.Int8),
            v=pl.coalesce("amount", "minutes", "resolution_hours"),
            topic=c("topic").replace_strict(TOPICS, default=None, return_dtype=pl.Int8),
        )
        .collect(engine="streaming")
    )
    kinds = {name: rows.filter(condition) for name, (condition, _) in TALLIES.items()}
    for number, as_of in enumerate(as_ofs):
        us = int(as_of.timestamp()) * 1_000_000
        tables = {name: _bands(kinds[name], tallies, us) for name, (_, tallies) in TALLIES.items()}
        shared = ("person", "band", "n", "young", "old", "days")
        tables["alive"] = pl.concat([tables[t].select(shared) for t in ("uses", "purchases", "contacts", "others")])
        tables["every"] = pl.concat([tables[name].select("person", "band", "n", "old") for name in TALLIES])
        joined = people.lazy().filter(c("started_at").cast(pl.Int64) < us)
        for name, tallies in PIVOTS.items():
            joined = joined.join(_pivot(tables[name], tallies, name[0]), on="person", how="left")
        values = {name: value.cast(pl.Float64) for name, value in _values().items()}
        instant = pl.lit(us).cast(pl.Datetime("us")).alias("as_of")
        joined.select("customer_id", instant, **values).sink_parquet(
            out / f"{number:03}.parquet", compression="zstd", engine="streaming"
        )


def _bands(rows: pl.DataFrame, tallies: dict[str, pl.Expr], us: int) -> pl.DataFrame:
    band = pl.sum_horizontal((AGE > days * DAY).cast(pl.Int8) for days in BANDS)
    return (
        rows.lazy()
        .filter((c("at") < us) & (c("known") < us))
        .with_columns(age=us - c("at"))
        .with_columns(band=band, x=AGE / (30 * DAY), day=(AGE - 1) // DAY)
        .group_by("person", "band")
        .agg(**tallies)
        .collect(engine="streaming")
    )


def _pivot(table: pl.DataFrame, tallies: dict[str, str], prefix: str) -> pl.LazyFrame:
    """One row per person: each tally of each span it is wanted for, ``u_n_30b`` and the like."""
    made = {}
    for tally, spans in tallies.items():
        for span in spans.split():
            inside = pl.when(c("band").is_between(*SPANS[span]))
            kept = inside.then(c(tally))
            if tally == "latest":
                value = kept.min_by(
                    pl.when(c("latest").is_not_null() & c("band").is_between(*SPANS[span])).then("young")
                )
            elif tally in ("days", "topics"):
                value = kept.otherwise(pl.lit(0)).bitwise_or()
            elif tally in ("young", "young4", "low"):
                value = kept.min()
            elif tally in ("old", "high"):
                value = kept.max()
            elif tally in ("n", "n4", "phone", "m"):
                # Counts are unsigned, and a change may be negative.
                value = kept.sum().cast(pl.Int64)
            else:
                value = kept.sum()
            made[f"{prefix}_{tally}_{span}"] = value
    return table.lazy().group_by("person").agg(**made)


def _values() -> dict[str, pl.Expr]:
    """The expression of every signal, by name, in the catalogue's order."""
    made: dict[str, pl.Expr] = {}

    def total(name: str) -> pl.Expr:
        return c(name).fill_null(0)

    def counted(name: str, tally: str, windows: str = "7 30 90 180", *, change: bool = True) -> None:
        for w in windows.split():
            made[f"{name}_{w}d"] = total(f"{tally}_{w}")
            if change:
                made[f"{name}_{w}d_change"] = total(f"{tally}_{w}") - total(f"{tally}_{w}b")

    def mean(prefix: str, span: str) -> pl.Expr:
        return pl.when(c(f"{prefix}_m_{span}") > 0).then(c(f"{prefix}_y_{span}") / c(f"{prefix}_m_{span}"))

    def bits(name: str) -> pl.Expr:
        return c(name).bitwise_count_ones().cast(pl.Int64).fill_null(0)

    counted("events", "e_n")
    counted("contacts", "c_n")
    counted("complaints", "c_n4")
    counted("purchases", "p_n")
    counted("uses", "u_n")
    counted("phone_contacts", "c_phone", "30 90", change=False)
    made |= {"events_ever": total("e_n_ever"), "purchases_ever": total("p_n_ever")}
    counted("spent", "p_y")
    made["spent_ever"] = total("p_y_ever")
    counted("minutes", "u_y", change=False)
    for w in ("90", "180"):
        made[f"basket_{w}d"] = mean("p", w)
        made[f"basket_{w}d_change"] = mean("p", w) - mean("p", f"{w}b")
    made["basket_ever"] = mean("p", "ever")
    made |= {f"resolution_{w}d": mean("s", w) for w in ("90", "180")}
    made |= {"slowest_90d": c("s_high_90"), "least_spent_180d": c("p_low_180")}
    made |= {"most_spent_90d": c("p_high_90"), "most_spent_180d": c("p_high_180")}
    made |= {"last_spent": c("p_latest_ever"), "last_minutes_90d": c("u_latest_90")}
    for w in ("30", "90"):
        made[f"active_days_{w}d"] = bits(f"a_days_{w}")
        made[f"active_days_{w}d_change"] = bits(f"a_days_{w}") - bits(f"a_days_{w}b")
    made |= {f"use_days_{w}d": bits(f"u_days_{w}") for w in ("30", "90")}
    made["use_days_180d"] = bits("u_days_90") + bits("u_days_90b")
    made |= {f"topics_{w}d": bits(f"c_topics_{w}") for w in ("90", "180")}
    since = {"quiet": "a_young", "since_contact": "c_young", "since_complaint": "c_young4"}
    since |= {"since_purchase": "p_young", "since_use": "u_young"}
    made |= {name: c(f"{tally}_ever") / DAY for name, tally in since.items()}
    for w in ("90", "180"):
        made[f"complaint_share_{w}d"] = pl.when(c(f"c_n_{w}") > 0).then(c(f"c_n4_{w}") / c(f"c_n_{w}"))
    for name, span in (("open_cases", "ever"), ("open_lately_90d", "90")):
        opened, closed = total(f"c_n_{span}"), total(f"s_n_{span}")
        made[name] = (opened - closed).clip(lower_bound=0)
    seen = (c("e_old_ever").clip(upper_bound=180 * DAY) / DAY).clip(lower_bound=1.0)
    made |= {
        f"{n}_rate_180d": (c(f"{p}_n_180") * 30.0 / seen).fill_null(0) for n, p in (("use", "u"), ("purchase", "p"))
    }

    def span(p: str) -> pl.Expr:
        return c(f"{p}_old_180") - c(f"{p}_young_180")

    gaps = {p: pl.when(c(f"{p}_n_180") > 1).then(span(p) / DAY / (c(f"{p}_n_180") - 1)) for p in "ap"}
    made |= {"alive_gap_180d": gaps["a"], "purchase_gap_180d": gaps["p"]}
    for name, p in (("alive_gap_ratio_180d", "a"), ("purchase_gap_ratio_180d", "p")):
        made[name] = pl.when(gaps[p] > 0).then(c(f"{p}_young_180") / DAY / gaps[p])
    for name, p in (("silence_180d", "a"), ("purchase_silence_180d", "p")):
        # Over everybody who has rows; who has rows had begun, so is among those who are written.
        n, young = c(f"{p}_n_180"), c(f"{p}_young_180")
        usual = span(p).sum() / pl.when(n > 0).then(n - 1).sum()
        quiet = young / (usual + span(p) + young)
        made[name] = pl.when(n > 0).then(1.0 - (1.0 - quiet).pow(n))
    for name, p, w in (("minutes", "u", "90"), ("minutes", "u", "180"), ("spent", "p", "180")):
        m, x, y, xx, xy = (c(f"{p}_{tally}_{w}") for tally in ("m", "x", "y", "xx", "xy"))
        wide = c(f"{p}_old_{w}") - c(f"{p}_young_{w}") >= DAY
        # x is the age, so the slope turns round.
        made[f"{name}_trend_{w}d"] = pl.when(wide).then(-(m * xy - x * y) / (m * xx - x * x))
    for name, p, w in (("use", "u", 90), ("use", "u", 180), ("contact", "c", 180), ("purchase", "p", 180)):
        moment = c(f"{p}_n_{w}") - 60 / w * c(f"{p}_x_{w}")
        made[f"{name}_trend_{w}d"] = (moment * (5400 / w**2)).fill_null(0)
    return {name: value.alias(name) for name, value in made.items()}
