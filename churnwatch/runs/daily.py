"""Daily: score, explain whom the list can hold, list, and publish; safe to run again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from churnwatch.errors import CheckFailed, UsageError, nearest
from churnwatch.evaluation import BASELINES
from churnwatch.outreach import Counts, ListRow
from churnwatch.runs.cold_start import RULE
from churnwatch.runs.listing import Made, make_again, make_list
from churnwatch.runs.record import recorded
from churnwatch.runs.tracking import tracking_warnings
from churnwatch.runs.workspace import Report, Workspace, ledger, lock

if TYPE_CHECKING:
    import sqlalchemy as sa

    from churnwatch.ledger import Assigned, IssuedList

Status = Literal["issued", "skipped", "verified", "corrected"]
Rerun = Literal["skip", "verify", "correct"]


@dataclass(frozen=True)
class Daily:
    """One day's list: where it stands, its rows as ``outreach.csv`` has them, and how it came about."""

    directory: Path
    status: Status
    rows: Sequence[Mapping[str, str]]
    summary: Mapping[str, Any]

    def as_json(self) -> dict[str, Any]:
        """The machine-readable object of ``--json``."""
        from churnwatch.delivery import json_row

        return {
            "status": self.status,
            **self.summary,
            "files": {path.name: str(path) for path in sorted(self.directory.iterdir())},
            "rows": [json_row(row) for row in self.rows],
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

    Where that day's list was issued already: ``skip`` gives it back (and restores it where its directory is gone, or
    holds a list that a killed run published and the ledger does not know), ``verify`` makes it again by what it was
    issued by and raises CheckFailed where a byte differs, ``correct`` issues a new revision. Without a champion the
    rule score lists where there are too few outcomes to train one; else raises NoUsableModel, unless a ``baseline`` is
    named to list by.
    """
    if baseline is not None and baseline not in BASELINES:
        raise UsageError(
            f"there is no baseline {baseline}",
            allowed=", ".join(BASELINES),
            hint=nearest(baseline, BASELINES),
        )
    from churnwatch.delivery import is_another, recover
    from churnwatch.ledger import latest_list

    with lock(workspace), ledger(workspace) as engine:
        directory = workspace.out / str(day)
        recover(directory)
        issued = latest_list(engine, deployment=workspace.deployment, as_of=day)
        if issued is None and rerun == "verify":
            raise CheckFailed(f"no list of {day} was issued, so there is none to verify", hint="run without --rerun")
        if issued is not None and rerun == "skip":
            _refuse_another_ranking(issued, baseline)
            if directory.is_dir() and not is_another(directory, issued.files):
                # An agent may have filled in the two empty columns: that is no reason to hide the list.
                return _published(directory, "skipped")
        with recorded(workspace, engine, command="daily", as_of=day) as record:
            if issued is not None and rerun != "correct":
                made = make_again(workspace, engine, issued, report=report)
                _verify(directory, made, issued, restore=rerun == "skip")
                record.detail["verified"] = issued.list_id
            else:
                revision = issued.revision + 1 if issued else 1
                made = make_list(workspace, engine, day=day, baseline=baseline, revision=revision, report=report)
                made = _with_tracking(workspace, made)
                _issue(workspace, engine, made, directory=directory, day=day, run_id=record.run_id)
                record.detail["counts"] = made.manifest["counts"]
            record.model_version = made.version
        if issued is None or rerun == "correct":
            return _published(directory, "corrected" if issued else "issued")
        return _published(directory, "verified" if rerun == "verify" else "skipped")


def _with_tracking(workspace: Workspace, made: Made) -> Made:
    """The list with what the tracking server says against it: told in run.json, as agents can do nothing about it."""
    if made.baseline is not None:
        return made
    told = [*made.manifest["warnings"], *tracking_warnings(workspace, made.model, made.version)]
    return replace(made, manifest={**made.manifest, "warnings": told})


def _refuse_another_ranking(issued: IssuedList, baseline: str | None) -> None:
    # By the rule score also lists who names nothing and has no model yet.
    if issued.baseline != baseline and (issued.baseline, baseline) != (RULE, None):
        told = [f"baseline {name}" if name else "the model" for name in (issued.baseline, baseline)]
        raise CheckFailed(
            f"the list of {issued.as_of} was issued by {told[0]}, not by {told[1]}",
            hint="`--rerun correct` issues a new revision; without --baseline the model lists",
        )


def _verify(directory: Path, made: Made, issued: IssuedList, *, restore: bool) -> None:
    """CheckFailed where the list made again is not the one issued, or its files are not as published.

    What an agent wrote into the two columns to hand back is no difference. ``restore``: the directory is gone, or is
    another list's, and is published again.
    """
    from churnwatch.delivery import changed_files, file_facts, publish

    again = file_facts(made.files)
    moved = sorted(name for name, facts in again.items() if issued.files.get(name) != facts)
    if moved:
        raise CheckFailed(
            f"the list of {issued.as_of} made again differs: {', '.join(moved)}",
            where=str(directory),
            hint="the data, the project's files or the program have changed since it was issued; "
            "`--rerun correct` issues a new revision",
        )
    if restore:
        publish(directory, made.files, manifest=made.manifest, replace=True)
        return
    changed = changed_files(directory, made.files)
    if changed:
        raise CheckFailed(
            f"the list of {issued.as_of} is not as it was published: {', '.join(changed)}",
            where=str(directory),
            hint="move the directory away; the next run of that day restores it",
        )


def _issue(workspace: Workspace, engine: sa.Engine, made: Made, *, directory: Path, day: date, run_id: int) -> None:
    from churnwatch.delivery import file_facts, publish
    from churnwatch.ledger import record_list

    record_list(
        engine,
        run_id=run_id,
        deployment=workspace.deployment,
        as_of=day,
        model=made.model,
        model_version=made.version,
        baseline=made.baseline,
        files=file_facts(made.files),
        issued_at=workspace.now,
        rows=[_kept(row) for row in made.rows],
        also=made.also,
        assigned=_assigned(made, day),
        seen=made.seen,
        publish=partial(publish, directory, made.files, manifest=made.manifest, replace=True),
    )


def _assigned(made: Made, day: date) -> list[Assigned]:
    """Whom this list decided on, in the order in which it did."""
    from churnwatch.ledger import Assigned

    known = not made.baseline
    return [
        Assigned(
            epoch=made.epoch,
            customer_id=one["customer_id"],
            arm=one["arm"],
            owner=one["owner"],
            band=one["band"],
            risk=float(one["risk"]) if known else None,
            worth=float(one["score"]),
            decided_on=day,
        )
        for one in made.drawn.to_dict("records")
    ]


def _kept(row: ListRow) -> dict[str, Any]:
    """A row as the ledger keeps it: what a further model says stands beside the rest."""
    beside = asdict(row.further) if row.further else {}
    return {
        **vars(row),
        "reasons": list(row.reasons),
        **{f"also_{name}": beside.get(name) for name in ("model", "risk", "band", "change")},
        **dict(zip(("expected_score", "expected_change"), row.expected, strict=True)),
    }


def _published(directory: Path, status: Status) -> Daily:
    """The list as it stands in its directory; CheckFailed where somebody has made it unreadable."""
    from churnwatch.delivery import read_list

    manifest, rows = read_list(directory)
    return Daily(directory, status, rows, manifest)


_TOLD = {
    "observed": ("{n} observed", "{n} diamati"),
    "proactive": ("{n} for a good moment", "{n} karena saatnya tepat"),
    "below": ("{n} below the listing band", "{n} di bawah tingkat daftar"),
    "refused": ("{n} not to be contacted", "{n} tidak boleh dihubungi"),
    "announced": ("{n} who have said they leave", "{n} yang sudah menyatakan berhenti"),
    "not_today": (
        "{n} below the listing band or left in peace for now",
        "{n} di bawah tingkat daftar atau belum diganggu dulu",
    ),
    "waiting": ("{n} over capacity or left in peace for now", "{n} di luar kapasitas atau belum diganggu dulu"),
    "listed": ("{n} listed", "{n} di daftar"),
    "leaving": ("{n} leaving", "{n} akan berhenti"),
    "not_leaving": ("{n} not leaving yet, for {model}", "{n} belum akan berhenti, untuk {model}"),
    "unhappy": ("{n} unhappy", "{n} tidak puas"),
    "not_unhappy": ("{n} not unhappy yet, for {model}", "{n} belum tergolong tidak puas, untuk {model}"),
}


def counts_told(
    counts: Mapping[str, int],
    also: Sequence[Mapping[str, Any]] = (),
    *,
    proactive: Mapping[str, int] | None = None,
    answers: bool = False,
    language: str = "en",
) -> str:
    """The accounting of a list in one line; ``also`` and ``proactive`` as in the manifest: whom further models and the
    rules of outreach.yaml listed.

    ``answers``: the listing model foretells a bad answer to a survey, not leaving.
    """
    from churnwatch.delivery.words import say_of, whole

    def say(key: str, n: int, **more: str) -> str:
        return say_of(_TOLD, key, language=language, n=whole(n, language=language), **more)

    found = Counts(**counts)
    listed = say("listed", found.listed)
    asked = [one for one in also if one["model_version"]]
    by_rule = sum((proactive or {}).values())
    if found.listed and (asked or by_rule):
        way = "unhappy" if answers else "leaving"
        own = counts["listed"] - by_rule - sum(one["listed"] for one in asked)
        parts = [say(way, own), *(say(f"not_{way}", one["listed"], model=one["model"]) for one in asked)]
        parts += [say("proactive", by_rule)] if by_rule else []
        listed += f" ({', '.join(parts)})"
    # Who waits is one number, whatever for: on a first list those left in peace are just those held out. Where nobody
    # is over capacity they would be all of it, and no number may tell.
    waiting = found.waiting
    others = found.listed + found.refused + found.announced
    rest = say("not_today", found.observed - others) if waiting is None else say("below", found.below)
    told = [listed, rest, say("refused", found.refused)]
    told += [say("announced", found.announced)] if found.announced else []
    told += [] if waiting is None else [say("waiting", waiting)]
    return f"{say('observed', found.observed)} = {' + '.join(told)}"
