"""Daily: score, explain whom the list can hold, list, and publish; safe to run again."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

import churnwatch
from churnwatch.errors import CheckFailed, UsageError, nearest
from churnwatch.evaluation import BASELINES
from churnwatch.health import BANDS
from churnwatch.outreach import Counts, ListRow, choose, suggest
from churnwatch.reasons import Reason
from churnwatch.runs.observations import capacities
from churnwatch.runs.ranking import Ranking, rank_by_baseline, rank_by_model
from churnwatch.runs.record import recorded
from churnwatch.runs.workspace import Report, Workspace, ledger, load_tables, lock
from churnwatch.spec import Language, civil_day

if TYPE_CHECKING:
    import sqlalchemy as sa

    from churnwatch.sources import Tables

Rerun = Literal["skip", "verify", "correct"]


@dataclass(frozen=True)
class Daily:
    """One day's list: where it stands, its rows as ``outreach.csv`` has them, and how it came about."""

    directory: Path
    status: Literal["issued", "skipped", "verified", "corrected"]
    rows: Sequence[Mapping[str, str]]
    summary: Mapping[str, Any]

    def as_json(self) -> dict[str, Any]:
        """The machine-readable object of ``--json``."""
        return {
            "status": self.status,
            **self.summary,
            "files": {path.name: str(path) for path in sorted(self.directory.iterdir())},
            "rows": [dict(row) for row in self.rows],
        }


def daily(
    workspace: Workspace,
    *,
    day: date,
    baseline: str | None = None,
    rerun: Rerun = "skip",
    report: Report | None = None,
) -> Daily:
    """Make the list of ``day`` for the deployment's listing model, under the lock.

    Where that day's list was issued already: ``skip`` gives it back, ``verify`` makes it again and raises CheckFailed
    where a byte differs, ``correct`` issues a new revision. Raises NoUsableModel without a champion, unless a
    ``baseline`` is named to list by; ``verify`` makes the list by what it was issued by.
    """
    if baseline is not None and baseline not in BASELINES:
        raise UsageError(
            f"there is no baseline {baseline}",
            allowed=", ".join(BASELINES),
            hint=nearest(baseline, BASELINES),
        )
    from churnwatch.delivery import differences, recover
    from churnwatch.ledger import latest_list

    with lock(workspace), ledger(workspace) as engine:
        directory = workspace.out / str(day)
        recover(directory)
        issued = latest_list(engine, deployment=workspace.deployment, as_of=day)
        if issued is not None and rerun == "skip" and directory.is_dir():
            # An agent may have filled in the two empty columns: that is no reason to hide the list.
            return _published(directory, "skipped")
        if issued is not None and rerun == "verify":
            # Made again the same way: a list by a baseline is not compared with one by a model.
            baseline = issued.baseline
        made = _make(workspace, engine, day=day, baseline=baseline, report=report)
        if issued is not None and rerun == "verify":
            from churnwatch.delivery import file_facts

            again = file_facts(made.files)
            moved = sorted(name for name, facts in again.items() if issued.files.get(name) != facts)
            moved += list(differences(directory)) if directory.is_dir() else ["the directory is gone"]
            if moved:
                raise CheckFailed(
                    f"the list of {day} made again differs: {', '.join(moved)}",
                    where=str(directory),
                    hint="the data, the files of the project or the champion have changed since; "
                    "`--rerun correct` issues a new revision",
                )
            return _published(directory, "verified")
        return _issue(workspace, engine, made, directory=directory, day=day, again=issued is not None)


@dataclass(frozen=True)
class Made:
    """A list not yet published."""

    rows: Sequence[ListRow]
    files: Mapping[str, bytes]
    manifest: Mapping[str, Any]
    version: str
    baseline: str | None


def _issue(workspace: Workspace, engine: sa.Engine, made: Made, *, directory: Path, day: date, again: bool) -> Daily:
    from churnwatch.delivery import publish
    from churnwatch.ledger import record_list

    with recorded(workspace, engine, command="daily", as_of=day) as record:
        written = publish(directory, made.files, manifest=made.manifest, replace=True)
        record_list(
            engine,
            run_id=record.run_id,
            deployment=workspace.deployment,
            as_of=day,
            model=workspace.spec.deployment.listing_model,
            model_version=made.version,
            baseline=made.baseline,
            files=written["files"],
            issued_at=workspace.now,
            rows=[{**asdict(row), "reasons": list(row.reasons)} for row in made.rows],
        )
        record.model_version = made.version
        record.detail["counts"] = made.manifest["counts"]
    return _published(directory, "corrected" if again else "issued")


def _published(directory: Path, status: Literal["issued", "skipped", "verified", "corrected"]) -> Daily:
    import json

    for name in ("run.json", "outreach.csv"):
        if not (directory / name).is_file():
            raise CheckFailed(
                f"the list was issued, but its {name} is gone",
                where=str(directory),
                allowed="the directory as it was published, or none",
                hint="put the file back, or move the directory away and run again",
            )
    manifest = json.loads((directory / "run.json").read_text())
    manifest.pop("files", None)
    text = (directory / "outreach.csv").read_text(encoding="utf-8")
    return Daily(directory, status, list(csv.DictReader(io.StringIO(text))), manifest)


def _make(workspace: Workspace, engine: sa.Engine, *, day: date, baseline: str | None, report: Report | None) -> Made:
    from churnwatch.delivery import outreach_csv, outreach_html, scores_parquet
    from churnwatch.ledger import previous_risks

    spec = workspace.spec
    tables = load_tables(workspace, report=report)
    if baseline is None:
        ranking = rank_by_model(workspace, tables, day=day, report=report)
    else:
        ranking = rank_by_baseline(workspace, tables, baseline, day=day, report=report)
    people = _people(tables, ranking.as_of)
    joined = ranking.frame.merge(people, on="customer_id", how="left", validate="one_to_one")
    joined["position"] = np.arange(len(joined))
    has_owners = joined["owner"].notna().any()
    capacity = capacities(tables, default=spec.outreach.capacity) if has_owners else None
    chosen, counts = choose(joined, capacity=capacity, total=spec.outreach.capacity_total)
    languages = [_language(workspace, row) for row in chosen.to_dict("records")]
    if report:
        report("explaining", 0, len(chosen))
    told = ranking.reasons(chosen["position"].to_numpy(), languages)
    if report:
        report("explaining", len(chosen), len(chosen))
    before = previous_risks(engine, deployment=workspace.deployment, before=day)
    rows = [
        _row(workspace, record, language, why, day=day, ranking=ranking, before=before)
        for record, language, why in zip(chosen.to_dict("records"), languages, told, strict=True)
    ]
    files = {
        "outreach.csv": outreach_csv(rows),
        "outreach.html": outreach_html(
            rows,
            title=spec.deployment.title,
            as_of=day,
            deployment=workspace.deployment,
            currency=spec.deployment.currency,
            language=spec.deployment.languages[0],
            summary={"observed": counts.observed},
        ),
        "scores.parquet": scores_parquet(ranking.frame.drop(columns=["score", "worthy"])),
    }
    manifest = {
        "deployment": workspace.deployment,
        "as_of": str(day),
        "model": spec.deployment.listing_model,
        "model_version": ranking.version,
        "baseline": ranking.baseline,
        "counts": asdict(counts),
        "bands": {band: int((ranking.frame["band"] == band).sum()) for band in BANDS},
        "explained": len(rows),
        "program": churnwatch.__version__,
        "made_at": workspace.now.isoformat(),
    }
    return Made(rows, files, manifest, ranking.version, baseline)


def _people(tables: Tables, as_of: datetime) -> pd.DataFrame:
    """What a row says of the customer beside the risk, as known at as-of."""
    cut = f"timestamp '{as_of.astimezone(UTC).replace(tzinfo=None)}'"
    found = tables.con.execute(
        f"""with contact as (
            select customer_id, epoch_us(max("at")) as last_contact from interactions
            where known_at < {cut} and "at" < {cut} and kind <> 'usage' group by customer_id
        ), survey as (
            select customer_id, arg_max(instrument, answered_at) as instrument,
                   arg_max(raw_score, answered_at) as raw_score, epoch_us(max(answered_at)) as answered_at
            from (select * from surveys where answered_at < {cut} order by answered_at, survey_id)
            group by customer_id
        )
        select customer_id, customers.name, do_not_contact, owner, value, customers.language,
               agents.name as owner_name, agents.language as owner_language,
               last_contact, instrument, raw_score, answered_at
        from customers left join agents using (owner) left join contact using (customer_id)
        left join survey using (customer_id) order by customer_id"""
    ).fetchall()
    names = (
        "customer_id", "customer_name", "do_not_contact", "owner", "value", "language",
        "owner_name", "owner_language", "last_contact", "instrument", "raw_score", "answered_at",
    )  # fmt: skip
    return pd.DataFrame({name: pd.Series([row[i] for row in found], dtype=object) for i, name in enumerate(names)})


def _language(workspace: Workspace, record: Mapping[str, Any]) -> Language:
    """The owner's language; without an owner's, the deployment's first."""
    own = record["owner_language"]
    first: Language = workspace.spec.deployment.languages[0]
    return own if own in ("en", "id") else first


def _row(
    workspace: Workspace,
    record: Mapping[str, Any],
    language: Language,
    why: Sequence[Reason],
    *,
    day: date,
    ranking: Ranking,
    before: Mapping[str, float],
) -> ListRow:
    spec = workspace.spec
    zone = spec.deployment.zone
    title, steps = suggest(
        [reason.action for reason in why],
        default=spec.outreach.default_action,
        actions=spec.playbook.actions,
        language=language,
    )
    risk = None if ranking.baseline else float(record["risk"])
    earlier = before.get(record["customer_id"])
    value = None if pd.isna(record["value"]) else float(record["value"])
    return ListRow(
        rank=int(record["rank"]),
        customer_id=record["customer_id"],
        customer_name=_text(record["customer_name"]),
        owner=_text(record["owner"]),
        owner_name=_text(record["owner_name"]) or _text(record["owner"]),
        language=language,
        risk=risk,
        band=record["band"],
        change=None if risk is None or earlier is None else risk - earlier,
        rising_since=None,
        value_at_risk=None if value is None or risk is None else value * risk,
        reasons=tuple(reason.sentence for reason in why),
        last_contact=_day(record["last_contact"], zone),
        last_survey=_survey(record, zone),
        action=title,
        action_steps=steps,
        due=day + timedelta(days=spec.outreach.due_days),
        model_version=ranking.version,
        baseline=ranking.baseline,
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _day(microseconds: Any, zone: str) -> date | None:
    if pd.isna(microseconds):
        return None
    return civil_day(datetime.fromtimestamp(0, UTC) + timedelta(microseconds=int(microseconds)), zone)


def _survey(record: Mapping[str, Any], zone: str) -> str | None:
    when = _day(record["answered_at"], zone)
    if when is None:
        return None
    return f"{str(record['instrument']).upper()} {record['raw_score']:g} ({when})"


def counts_told(counts: Mapping[str, int]) -> str:
    """The accounting of a list in one line."""
    told = Counts(**counts)
    return (
        f"{told.observed} observed = {told.listed} listed + {told.below} below the listing band + "
        f"{told.refused} not to be contacted + {told.spilled} over capacity"
    )
