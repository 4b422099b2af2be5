"""Score: the calibrated risk of every observed customer at an as-of, by the champion."""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from churnwatch.errors import DataRefused, NoUsableModel
from churnwatch.evaluation import moved_words
from churnwatch.health import bands
from churnwatch.learner import effective_size, expected_scores, horizon_risks, margins, risk
from churnwatch.outcomes import any_unanswered, check_as_of, grid, label, observe, span
from churnwatch.runs.tracking import tracking_warnings
from churnwatch.runs.workspace import Report, Workspace, has_ledger, ledger, load_tables, lock
from churnwatch.signals import Held, Limits, Matrix, build, event_columns, hold, reads_text
from churnwatch.sources import RECORDED
from churnwatch.spec import Column, Model, civil_day, midnight

if TYPE_CHECKING:
    from churnwatch.registry import Bundle
    from churnwatch.sources import Tables


BLOCK_CUSTOMERS = 512
"""Customers of a block of events that are held: 90 days of all of them, of 150 columns, are 55 MB."""

SILENT_TOO_LONG = 14
"""Days; our choice: longer than holidays, shorter than what would have made a wrong list."""

LEARNED = (
    "The model learned from one snapshot, and from these customers themselves if they are in it: take the order of the "
    "list, not its risks, and train again on the next snapshot."
)

ANSWERS_ONLY = (
    "The source of surveys lists answers only: of a past day those are observed who answered later, of today nobody. "
    "Load it with the surveys that are sent and not answered yet."
)


@dataclass(frozen=True)
class Scored:
    """``frame``: customer_id, as_of, margin, risk, band, model_version, risk_30d … where the model tells further
    horizons, expected_score (0 worst to 1 best) where it tells one, ordered by customer; and where it came from.
    """

    frame: pd.DataFrame
    matrix: Matrix
    bundle: Bundle
    version: str
    as_of: datetime
    warnings: tuple[str, ...]
    events: Held | None = None
    """The event rows it was computed from, where days before were to be asked about too (``scores(back=…)``)."""


def champion_of(workspace: Workspace, name: str, *, version: str | None = None) -> tuple[str, Bundle]:
    """The version in use, or the one asked for, and its verified bundle.

    Raises NoUsableModel where there is none or it is damaged.
    """
    from churnwatch.ledger import champion
    from churnwatch.registry import champion_bundle

    model = workspace.model(name)
    if version is None and has_ledger(workspace):
        with ledger(workspace) as engine:
            version = champion(engine, deployment=workspace.deployment, model=name)
    if version is None:
        raise NoUsableModel(
            f"the model {name} of the deployment {workspace.deployment} has no champion yet",
            hint=f"train it: `churnwatch train {name}`"
            # A list of answers by a baseline is none of whom to ask.
            + (", or list by a baseline: `daily --baseline recency`" if model.outcome.answer is None else ""),
        )
    return version, champion_bundle(workspace.state, f"{workspace.deployment}.{name}", version)


def extent(tables: Tables) -> tuple[datetime, datetime]:
    """From the first event to the greatest data end of any source that feeds events (aware UTC).

    Without interactions, from the first to just after the last time a fact of customers became known.
    """
    [(first_at, first_known, last_known)] = tables.con.execute(
        f"""select (select epoch_us(min("at")) from interactions where source <> '{RECORDED}'),
                   epoch_us(min(known_at)), epoch_us(max(known_at)) + 1
        from customers"""
    ).fetchall()
    if first_at is None:
        if first_known is None:
            raise DataRefused("there are neither interactions nor a known_at of customers: no day to look at")
        return datetime.fromtimestamp(first_known / 1e6, UTC), datetime.fromtimestamp(last_known / 1e6, UTC)
    first = datetime.fromtimestamp(first_at / 1e6, UTC)
    ends = [
        one.data_end
        for one in tables.accounting
        if one.data_end is not None and (one.events.get("interactions") or one.events.get("surveys"))
    ]
    return first, max(ends)


def observed(workspace: Workspace, tables: Tables, model: Model, day: date) -> tuple[datetime, pd.DataFrame]:
    """The instant of an as-of and who is observed at it; DataRefused outside the data or where nobody is."""
    first, end = extent(tables)
    as_of = check_as_of(day, zone=workspace.spec.deployment.zone, first=first, end=end)
    spine = observe(tables, model, [as_of], to_score=True)
    if spine.empty:
        raise DataRefused(
            f"nobody is observed by the model {model.model} on {day}",
            where=f"{model.file}: population",
            hint="choose another as-of, or look at the model's population",
        )
    return as_of, spine


def scores(
    workspace: Workspace,
    tables: Tables,
    name: str,
    *,
    day: date,
    version: str | None = None,
    back: int = 0,
    report: Report | None = None,
) -> Scored:
    """Score everybody observed on ``day`` by ``version`` (the champion) of ``name``, signals from its own catalogue.

    Where risks of the days up to ``back`` before are asked for next, the events are kept for it (``Scored.events``),
    unless the model cannot look at any day.
    """
    version, bundle = champion_of(workspace, name, version=version)
    model = bundle.model
    as_of, spine = observed(workspace, tables, model, day)
    warnings = score_warnings(workspace, tables, bundle, as_of)
    events = None
    if back and looks_at_any_day(model):
        first = midnight(day - timedelta(days=back), workspace.spec.deployment.zone)
        events = bundle_events(tables, bundle, first, as_of, report=report)
        matrix = events.build(spine, report=report)
    else:
        matrix = bundle_matrix(tables, bundle, spine, report=report)
    frame = score_frame(bundle, matrix, version=version)
    return Scored(frame, matrix, bundle, version, as_of, warnings, events)


def looks_at_any_day(model: Model) -> bool:
    """Whether a model can tell a risk of any day: not of one snapshot, and not at events."""
    return model.outcome.given is None and not model.at_events


def score_warnings(workspace: Workspace, tables: Tables, bundle: Bundle, as_of: datetime) -> tuple[str, ...]:
    """What whoever reads a bundle's risks of a day should know; raises as ``stale_warnings``."""
    warnings = stale_warnings(tables, bundle.model, as_of)
    if bundle.model.outcome.given is not None:
        return (*warnings, LEARNED)
    if bundle.model.at_events and not any_unanswered(tables, bundle.model):
        warnings += (ANSWERS_ONLY,)
    return (*warnings, *base_rate_warnings(workspace, tables, bundle, as_of))


def score_frame(bundle: Bundle, matrix: Matrix, *, version: str) -> pd.DataFrame:
    """What a bundle says of each row of its matrix, in its order: the frame of ``Scored``."""
    margin = margins(bundle.fitted, matrix.values)
    risks = risk(bundle.fitted.calibration, margin)
    score = expected_scores(bundle.fitted, margin)
    return pd.DataFrame(
        {
            "customer_id": matrix.observations["customer_id"],
            "as_of": matrix.observations["as_of"],
            "margin": margin,
            "risk": risks,
            "band": bands(risks, base_rate=bundle.fitted.base_rate, edges=bundle.model.bands),
            "model_version": version,
            **{
                f"risk_{length}": within
                for length, within in horizon_risks(bundle.fitted, margin, bundle.model.label_length).items()
            },
            **({} if score is None else {"expected_score": score}),
        }
    )


def stale_warnings(tables: Tables, model: Model, as_of: datetime) -> tuple[str, ...]:
    """A sentence for each source that has fallen silent before as-of.

    Raises DataRefused where that source feeds the events by which the model knows who is still there, and has been
    silent for more than two weeks: then everybody would look gone. A shop closed over the holidays is only told.
    """
    told = []
    for one in tables.stale(as_of):
        sentence = (
            f"{one.source} has brought nothing for {one.days:.0f} days before as-of (last {one.last:%Y-%m-%d}, "
            f"usually {one.usual:.0f} rows a day)"
        )
        for where in (model.outcome.inactive, model.population.active):
            wanted = where.get("kind") if where else None
            kinds = wanted if isinstance(wanted, list) else [wanted]
            feeds = any(table == "interactions" and kind in kinds for table, kind in one.feeds)
            if feeds and one.days > SILENT_TOO_LONG:
                raise DataRefused(
                    f"{sentence}: by these events the model {model.model} knows who is still there",
                    allowed=f"an as-of within {SILENT_TOO_LONG} days of {one.last:%Y-%m-%d}",
                    hint="load that source up to as-of, then run again",
                )
        told.append(f"{sentence}: customers may look quieter than they are.")
    return tuple(told)


def base_rate_warnings(workspace: Workspace, tables: Tables, bundle: Bundle, as_of: datetime) -> tuple[str, ...]:
    """A sentence where the last date whose outcomes are complete at as-of has another base rate than training had."""
    model, zone = bundle.model, workspace.spec.deployment.zone
    within = span(tables, model)
    dates = grid(model, zone=zone, span=within, complete_by=min(as_of, within.end))
    if not dates:
        return ()
    labels = label(tables, model, observe(tables, model, dates[-1:]), known_before=as_of)
    in_time = labels.loc[labels["told"], ["outcome", "stands_for"]]
    if in_time.empty:
        return ()
    # Whom we contacted is not among them; where they are the riskiest, the rate would seem to have fallen without this.
    weights = in_time["stands_for"].to_numpy()
    rate = float(np.average(in_time["outcome"], weights=weights))
    # Of answers the base rate stands for everybody, and later ones come from those who answer.
    trained = bundle.notes["weighing"]["bad_rate"] if "weighing" in bundle.notes else bundle.fitted.base_rate
    said = moved_words(rate, effective_size(weights), day=str(civil_day(dates[-1], zone)), trained=trained)
    return (said,) if said else ()


def bundle_matrix(tables: Tables, bundle: Bundle, spine: pd.DataFrame, *, report: Report | None = None) -> Matrix:
    """The bundle's columns of ``spine``, from the bundle's own catalogue; raises as ``bundle_columns``."""
    return build(tables.reworded(bundle.families), bundle_columns(tables, bundle), spine, report=report)


def bundle_events(
    tables: Tables, bundle: Bundle, first: datetime, last: datetime, *, report: Report | None = None
) -> Held:
    """The events by which a bundle scores any day from ``first`` to ``last``; raises as ``bundle_columns``.

    In blocks of so few customers that many days of each of them fit into memory.
    """
    [(people, rows)] = tables.con.execute(
        "select (select count(*) from customers), greatest((select count(*) from interactions), "
        "(select 2 * count(*) from surveys), (select 2 * count(*) from customers))"
    ).fetchall()
    few = Limits(block_rows=min(Limits().block_rows, max(rows * BLOCK_CUSTOMERS // max(people, 1), 1)))
    as_ofs = round(first.timestamp() * 1e6), round(last.timestamp() * 1e6)
    columns = bundle_columns(tables, bundle)
    return hold(tables.reworded(bundle.families), columns, as_ofs, report=report, limits=few)


def bundle_columns(tables: Tables, bundle: Bundle) -> list[Column]:
    """The columns a bundle wants, of its own catalogue; NoUsableModel where the data lack a measure it wants."""
    known = {column.name: column for family in bundle.families for column in family.columns}
    columns = [known[name] for name in bundle.fitted.columns]
    for column in columns:
        measure = column.signal.measure
        measures = event_columns(column.table, tables.measures_of(column.table))[1]
        if measure and measure not in measures:
            raise NoUsableModel(
                f"the model wants {column.name}, which reads the measure {measure} of {column.table}",
                where="sources.yaml",
                allowed=f"measures that this deployment declares: {', '.join(measures) or 'none'}",
                hint="declare the measure again, or train on what there is",
            )
        if reads_text(column.signal) and not tables.has_text:
            raise NoUsableModel(
                f"the model wants {column.name}, which reads the text of interactions",
                where="sources.yaml",
                allowed="interactions with a text",
                hint="map the text again, or train on what there is",
            )
    return columns


def score(workspace: Workspace, name: str, *, day: date, report: Report | None = None) -> tuple[Scored, Path]:
    """Score and publish scores.parquet and signals.parquet in ``out/<deployment>/<as-of>-score-<model>/``."""
    from churnwatch.delivery import publish, scores_parquet

    with lock(workspace):
        tables = load_tables(workspace, report=report)
        scored = scores(workspace, tables, name, day=day, report=report)
        scored = replace(scored, warnings=scored.warnings + tracking_warnings(workspace, name, scored.version))
        directory = workspace.out / f"{day}-score-{name}"
        files = {
            "scores.parquet": scores_parquet(scored.frame),
            "signals.parquet": signals_parquet(scored.matrix),
        }
        publish(
            directory,
            files,
            manifest={
                "deployment": workspace.deployment,
                "as_of": str(day),
                "model": name,
                "model_version": scored.version,
                "observed": len(scored.frame),
                "made_at": workspace.now.isoformat(),
            },
            replace=True,
        )
    return scored, directory


def signals_parquet(matrix: Matrix) -> bytes:
    """The matrix as Parquet: customer_id, as_of, then every column as float64 (NaN missing)."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table(
        {
            "customer_id": pa.array(matrix.observations["customer_id"].to_list(), pa.string()),
            "as_of": pa.array(matrix.observations["as_of"].to_numpy(), pa.timestamp("us")),
            **{name: np.ascontiguousarray(matrix.values[:, i]) for i, name in enumerate(matrix.names)},
        }
    )
    out = io.BytesIO()
    pq.write_table(table, out, compression="zstd", compression_level=3, write_page_checksum=True)
    return out.getvalue()


def score_json(scored: Scored, directory: Path) -> dict[str, Any]:
    """The machine-readable object of ``score --json``."""
    counts = scored.frame["band"].value_counts()
    return {
        "model": scored.bundle.model.model,
        "model_version": scored.version,
        "as_of": str(directory.name[:10]),
        "observed": len(scored.frame),
        "bands": {band: int(counts.get(band, 0)) for band in ("healthy", "watch", "at_risk", "critical")},
        "mean_risk": float(scored.frame["risk"].mean()),
        "warnings": list(scored.warnings),
        "files": {name: str(directory / name) for name in ("scores.parquet", "signals.parquet", "run.json")},
    }
