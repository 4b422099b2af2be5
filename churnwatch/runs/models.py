"""Models: which versions there are, which is in use and was, and moving from one to another by a person's decision."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from churnwatch.errors import CheckFailed, NoUsableModel, ProjectError, UsageError, nearest
from churnwatch.runs.candidate import TRAINED_UNTIL
from churnwatch.runs.record import recorded
from churnwatch.runs.tracking import tracking_uri
from churnwatch.runs.workspace import Workspace, has_ledger, ledger, lock
from churnwatch.spec import civil_day, midnight

if TYPE_CHECKING:
    import sqlalchemy as sa

    from churnwatch.ledger import Run, Term

FEWEST_DIGITS = 4
"""Of a version that is named by its first digits; our choice: two of a hundred versions share them once in 13 times."""


@dataclass(frozen=True)
class Version:
    """A version of a model, as the ledger and its kept copy know it.

    ``auc`` (the mean over the test dates) and ``gate`` are those of its last training. ``live`` are its times in use,
    oldest first, each with its end (``None``: still). What an earlier program did not write down is ``None``.
    """

    model: str
    version: str
    trained_at: datetime | None
    trained_until: datetime | None
    auc: float | None
    gate: bool | None
    role: str | None
    live: tuple[tuple[datetime, datetime | None], ...]
    kept: bool

    def as_json(self) -> dict[str, Any]:
        """The machine-readable object."""
        return {
            "model": self.model,
            "version": self.version,
            "trained_at": _iso(self.trained_at),
            "trained_until": _iso(self.trained_until),
            "auc": self.auc,
            "gate_passed": self.gate,
            "role": self.role,
            "live": [{"from": _iso(since), "to": _iso(until)} for since, until in self.live],
            "kept": self.kept,
        }


@dataclass(frozen=True)
class Live:
    """Which version was in use on a civil day: one for each time of it, in order; none before a model's first."""

    model: str
    day: date
    terms: tuple[Term, ...]
    first: date | None
    """The day of the model's first promotion."""

    def as_json(self) -> dict[str, Any]:
        """The machine-readable object."""
        return {
            "model": self.model,
            "on": str(self.day),
            "live": [
                {
                    "version": one.model_version,
                    "from": _iso(one.since),
                    "to": _iso(one.until),
                    "by": one.move.moved_by,
                    "why": one.move.reason,
                }
                for one in self.terms
            ],
        }


@dataclass(frozen=True)
class Moved:
    """A promotion or a rollback: from which version to which; ``moved`` is false where it was in use already."""

    model: str
    version: str
    previous: str | None
    moved: bool
    fetched: bool
    """Whether its copy had to be fetched from MLflow."""
    warnings: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The machine-readable object."""
        return {
            "model": self.model,
            "version": self.version,
            "previous": self.previous,
            "moved": self.moved,
            "fetched": self.fetched,
            "warnings": list(self.warnings),
        }


def versions(workspace: Workspace, name: str | None = None) -> list[Version]:
    """The versions of one model, or of every model of the project, in the order in which they first came about."""
    names = [workspace.model(name).model] if name is not None else sorted(workspace.spec.models)
    if not has_ledger(workspace):
        return []
    with ledger(workspace) as engine:
        return [one for model in names for one in _versions(workspace, engine, model)]


def live_on(workspace: Workspace, name: str | None, day: date) -> list[Live]:
    """Which version of one model, or of every model, was in use on a civil day of the deployment's zone, by the log."""
    from churnwatch.ledger import promotions, terms

    zone = workspace.spec.deployment.zone
    if day > civil_day(workspace.now, zone):
        raise UsageError(f"{day} is yet to come", where="--on", allowed=f"days up to {civil_day(workspace.now, zone)}")
    names = [workspace.model(name).model] if name is not None else sorted(workspace.spec.models)
    if not has_ledger(workspace):
        return [Live(model, day, (), None) for model in names]
    opens, closes = midnight(day, zone), midnight(day + timedelta(days=1), zone)
    found = []
    with ledger(workspace) as engine:
        for model in names:
            held = terms(promotions(engine, deployment=workspace.deployment, model=model))
            within = tuple(one for one in held if one.since < closes and (one.until is None or one.until > opens))
            found.append(Live(model, day, within, civil_day(held[0].since, zone) if held else None))
    return found


def promote(workspace: Workspace, name: str, version: str, *, why: str, by: str, despite_gate: bool = False) -> Moved:
    """Make a version champion because somebody says so, and write down who and why.

    Raises NoUsableModel for an unknown version and where its bundle is neither kept nor to be fetched, CheckFailed
    where its gate was not passed (unless ``despite_gate``). The champion promoted again is no move.
    """
    from churnwatch.ledger import champion, record_promotion
    from churnwatch.registry import drop_alias, set_alias

    model, why = workspace.model(name).model, _reason(why)
    with lock(workspace), ledger(workspace) as engine, recorded(workspace, engine, command="promote") as record:
        record.detail["model"] = model
        one = _named(_versions(workspace, engine, model), version, model)
        if not one.gate and not despite_gate:
            raise CheckFailed(
                f"version {one.version} of {model} has not passed its gate",
                allowed="versions whose gate was passed: `churnwatch models` shows them",
                hint="train again, or promote it with --despite-gate, and say in --why what makes up for it",
            )
        record.model_version = one.version
        previous = champion(engine, deployment=workspace.deployment, model=model)
        fetched = keep_version(workspace, model, one.version)
        uri, full = tracking_uri(workspace), f"{workspace.deployment}.{model}"
        # Also where it is champion already: its alias may have been moved by hand, or not followed a rollback.
        set_alias(uri, full, "champion", one.version)
        if previous == one.version:
            return Moved(model, one.version, previous, moved=False, fetched=fetched)
        # A promotion decides among the candidates: after it none waits.
        drop_alias(uri, full, "challenger")
        record_promotion(
            engine,
            deployment=workspace.deployment,
            model=model,
            model_version=one.version,
            moved_at=workspace.now,
            by=by,
            reason=why,
            gate={"passed": bool(one.gate)},
        )
        return Moved(model, one.version, previous, moved=True, fetched=fetched)


def rollback(workspace: Workspace, name: str, *, why: str | None, by: str) -> Moved:
    """Go back to the version that was in use before the champion, and write down who and why.

    A second rollback goes one further back. It works without the tracking server where the copy is kept: the list of
    tomorrow must not wait for a server. Then the alias in MLflow stays behind, and ``warnings`` says so. Raises
    NoUsableModel where there is nothing to go back to or its bundle is neither kept nor to be fetched.
    """
    from churnwatch.ledger import ROLLED_BACK, before_champion, champion, promotions, record_promotion
    from churnwatch.registry import set_alias

    model = workspace.model(name).model
    reason = _reason(why) if why is not None else "rolled back"
    with lock(workspace), ledger(workspace) as engine, recorded(workspace, engine, command="rollback") as record:
        record.detail["model"] = model
        moves = promotions(engine, deployment=workspace.deployment, model=model)
        left = champion(engine, deployment=workspace.deployment, model=model)
        back = before_champion(moves)
        if left is None or back is None:
            raise NoUsableModel(
                f"the model {model} has no version to go back to: "
                + (f"{left} is the first that was in use" if left else "none was in use yet"),
                hint="`churnwatch models` shows the versions there are; `daily --baseline recency` lists without one",
            )
        fetched = keep_version(workspace, model, back)
        warnings: tuple[str, ...] = ()
        try:
            set_alias(tracking_uri(workspace), f"{workspace.deployment}.{model}", "champion", back)
        except (ProjectError, NoUsableModel) as error:
            warnings = (
                f"The alias champion in MLflow could not be moved ({error.found}); lists go by version {back} all the "
                f"same. `churnwatch promote {model} {back} --why …` moves the alias later.",
            )
        record_promotion(
            engine,
            deployment=workspace.deployment,
            model=model,
            model_version=back,
            moved_at=workspace.now,
            by=by,
            reason=reason,
            gate={ROLLED_BACK: left},
        )
        record.model_version = back
        return Moved(model, back, left, moved=True, fetched=fetched, warnings=warnings)


def the_version(workspace: Workspace, engine: sa.Engine, name: str, version: str | None) -> str:
    """The version asked for, by all or the first of its digits, or the champion; NoUsableModel where there is none."""
    from churnwatch.ledger import champion

    if version is not None:
        return _named(_versions(workspace, engine, name), version, name).version
    found = champion(engine, deployment=workspace.deployment, model=name)
    if found is None:
        raise NoUsableModel(f"the model {name} has no champion yet", hint="train it, or name a version")
    return found


def keep_version(workspace: Workspace, model: str, version: str) -> bool:
    """See to a verified copy of the version; whether it had to be fetched from MLflow."""
    from churnwatch.registry import champion_bundle, fetch_copy

    name = f"{workspace.deployment}.{model}"
    try:
        champion_bundle(workspace.state, name, version)
    except NoUsableModel:
        fetch_copy(tracking_uri(workspace), name, version, state=workspace.state)
        return True
    return False


def _versions(workspace: Workspace, engine: sa.Engine, model: str) -> list[Version]:
    from churnwatch.ledger import challenger, promotions, runs, terms

    moves = promotions(engine, deployment=workspace.deployment, model=model)
    held = terms(moves)
    champion, waiting = held[-1].model_version if held else None, challenger(moves)
    trained: dict[str, Run] = {}
    for run in runs(engine, deployment=workspace.deployment):
        if run.command == "train" and run.status == "done" and run.detail.get("model") == model and run.model_version:
            trained[run.model_version] = run
    found = []
    for version in dict.fromkeys([*trained, *(move.model_version for move in moves)]):
        last = trained.get(version)
        detail = last.detail if last else {}
        until = detail.get(TRAINED_UNTIL) or _noted(workspace, model, version)
        found.append(
            Version(
                model=model,
                version=version,
                trained_at=last.started_at if last else None,
                trained_until=datetime.fromisoformat(until) if until else None,
                auc=detail.get("auc"),
                gate=detail.get("gate"),
                role="champion" if version == champion else "challenger" if version == waiting else None,
                live=tuple((one.since, one.until) for one in held if one.model_version == version),
                kept=_place(workspace, model, version).is_dir(),
            )
        )
    return found


def _noted(workspace: Workspace, model: str, version: str) -> str | None:
    """What the kept copy's notes say of the end of training: an earlier program did not write it into the ledger."""
    path = _place(workspace, model, version) / "model.json"
    try:
        until = json.loads(path.read_bytes())["notes"].get(TRAINED_UNTIL)
    except (OSError, ValueError, RecursionError, KeyError, TypeError, AttributeError):
        return None
    return until if isinstance(until, str) else None


def _named(known: Sequence[Version], version: str, model: str) -> Version:
    """The version asked for, by all or enough of its first digits."""
    if len(version) >= FEWEST_DIGITS:
        found = [
            one for one in known if one.version == version or (len(version) >= 4 and one.version.startswith(version))
        ]
        if len(found) == 1:
            return found[0]
        if found:
            told = ", ".join(one.version for one in found)
            raise UsageError(f"{len(found)} versions of {model} begin with {version}", allowed=told)
    names = [one.version for one in known]
    raise NoUsableModel(
        f"there is no version {version} of {model}",
        allowed=", ".join(names[-10:]) or "none is trained yet",
        hint=nearest(version, names) or "`churnwatch models` shows the versions there are",
    )


def _place(workspace: Workspace, model: str, version: str) -> Path:
    return workspace.state / "models" / f"{workspace.deployment}.{model}" / version


def _reason(why: str) -> str:
    reason = " ".join(why.split())
    if not reason:
        raise UsageError("the reason is empty", where="--why", allowed="what the next reader of the log should know")
    return reason


def _iso(instant: datetime | None) -> str | None:
    return None if instant is None else instant.isoformat()
