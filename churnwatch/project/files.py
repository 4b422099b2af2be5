"""A deployment's files as one checked ``ProjectSpec``, every fault with the file and line that holds it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from churnwatch.errors import ProjectError, nearest
from churnwatch.project.document import Document, Path_, read_document, together
from churnwatch.spec import Deployment, Family, Model, Outreach, Playbook, ProjectSpec, Sources, Tracking


def find_deployments(root: Path) -> list[str]:
    """The deployments of the project in ``root``: the folders of ``configs/`` that hold a deployment.yaml."""
    return sorted(file.parent.name for file in (root / "configs").glob("*/deployment.yaml"))


def load_project(root: Path, deployment: str) -> ProjectSpec:
    """Read and check everything the files of ``root`` say for ``deployment``.

    All of ``features/`` and ``models/`` is read, whether the deployment uses it or not; a file of
    ``configs/<deployment>/models/`` replaces the model of that name whole; ``tracking.yaml`` may be left out.
    Raises ``ProjectError`` with ``file:line`` relative to ``root``, what was found, what is allowed; mistakes
    of one file, and disagreements between files, are listed together.
    """
    _refuse_missing(root, deployment)
    folder = f"configs/{deployment}"
    described = read_document(root, f"{folder}/deployment.yaml")
    outreach = read_document(root, f"{folder}/outreach.yaml")
    playbook = read_document(root, "configs/playbook.yaml")
    families = [(document, document.parse(Family)) for document in _folder(root, "features")]
    models: dict[str, tuple[Document, Model]] = {}
    replaced: list[Model] = []
    for document in (*_folder(root, "models"), *_folder(root, f"{folder}/models")):
        # By file name, so that a deployment's own file replaces the shared one whatever stands in it.
        name = Path(document.file).stem
        if name in models:
            replaced.append(models[name][1])
        models[name] = (document, document.parse(Model).of_file(document.file))
    parsed = described.parse(Deployment)
    faults = [
        *_misnamed(described, "deployment", deployment),
        *(fault for name, (document, _) in models.items() for fault in _misnamed(document, "model", name)),
        *_repeated_columns(families),
        *_repeated_words(families),
        *_unknown_families(families, models),
        *_unknown_columns(families, models),
        *_unknown_models(described, parsed, models),
        *_unknown_actions(families, outreach, playbook.parse(Playbook)),
        *_unknown_reasons(families, outreach),
    ]
    if faults:
        raise together(faults)
    mapped = read_document(root, f"{folder}/sources.yaml")
    sources = mapped.parse(Sources)
    in_use = [models[name][1] for name in (parsed.listing_model, *parsed.also)]
    if "interactions" not in sources.tables and any(model.outcome.given is None for model in in_use):
        raise ProjectError(
            "no mapping makes the table interactions",
            where=mapped.where(("tables",)),
            hint="only a model whose outcome is `given` does without",
        )
    tracking = f"{folder}/tracking.yaml"
    return ProjectSpec(
        deployment=parsed,
        sources=sources,
        outreach=outreach.parse(Outreach),
        tracking=read_document(root, tracking).parse(Tracking) if (root / tracking).exists() else Tracking(),
        playbook=playbook.parse(Playbook),
        families=tuple(family for _, family in families),
        models={name: model for name, (_, model) in models.items()},
        replaced=tuple(replaced),
    )


def _refuse_missing(root: Path, deployment: str) -> None:
    for folder in ("features", "models", "configs"):
        if not (root / folder).is_dir():
            raise ProjectError(
                f"there is no {folder}/ in {root}",
                allowed="a project: a directory with features/, models/ and configs/",
                hint="name the project with --project, or make one: churnwatch init DIR",
            )
    deployments = find_deployments(root)
    if deployment not in deployments:
        raise ProjectError(
            f"there is no deployment {deployment}",
            where="configs/",
            allowed=", ".join(deployments) or "none yet: a deployment is a folder with a deployment.yaml",
            hint=nearest(deployment, deployments) or "name one with --deployment",
        )


def _folder(root: Path, folder: str) -> Iterator[Document]:
    for path in sorted((root / folder).glob("*.y*ml")):
        if path.suffix != ".yaml":
            raise ProjectError("a file that would be passed over", where=f"{folder}/{path.name}", hint="name it .yaml")
        yield read_document(root, f"{folder}/{path.name}")


def _misnamed(document: Document, key: str, name: str) -> Iterator[ProjectError]:
    found = document.at((key,))
    if found != name:
        allowed = f"{name}, as the path says"
        yield ProjectError(f"`{key}` is {found}", where=document.where((key,)), allowed=allowed)


def _repeated_columns(families: list[tuple[Document, Family]]) -> Iterator[ProjectError]:
    seen: dict[str, str] = {}
    names: dict[str, str] = {}
    for document, family in families:
        if family.family in names:
            found = f"the family {family.family} stands in {names[family.family]} too"
            yield ProjectError(found, where=document.where(("family",)), hint="give one another name")
        names[family.family] = document.file
        for column in family.columns:
            if column.name in seen and seen[column.name] != document.file:
                index = family.signals.index(column.signal)
                yield ProjectError(
                    f"the column {column.name} stands in {seen[column.name]} too",
                    where=document.where(("signals", index, "name")),
                    hint="give the signal another name",
                )
            seen[column.name] = document.file


def _repeated_words(families: list[tuple[Document, Family]]) -> Iterator[ProjectError]:
    """Interactions has one column per list of words, whichever family asks."""
    seen: dict[str, str] = {}
    for document, family in families:
        for name in family.words:
            if name in seen:
                found = f"the words {name} stand in {seen[name]} too"
                yield ProjectError(found, where=document.where(("words", name)), hint="give one list another name")
            seen.setdefault(name, document.file)


def _unknown(
    document: Document, path: Path_, name: str, known: set[str], kind: str, place: str
) -> Iterator[ProjectError]:
    if name not in known:
        yield ProjectError(
            f"there is no {kind} {name} in {place}",
            where=document.where(path),
            allowed=", ".join(sorted(known)) if len(known) <= 30 else "",
            hint=nearest(name, known),
        )


def _unknown_families(
    families: list[tuple[Document, Family]], models: dict[str, tuple[Document, Model]]
) -> Iterator[ProjectError]:
    known = {family.family for _, family in families}
    for document, model in models.values():
        for index, name in enumerate(model.families):
            yield from _unknown(document, ("families", index), name, known, "family", "features/")


def _unknown_columns(
    families: list[tuple[Document, Family]], models: dict[str, tuple[Document, Model]]
) -> Iterator[ProjectError]:
    names = {family.family for _, family in families}
    for document, model in models.values():
        # Among the model's own families: a baseline that is not computed would be beaten by anything. Where one of
        # those is itself misspelt, that is the mistake to tell.
        own = set(model.families) if set(model.families) <= names else names
        known = {column.name for _, family in families if family.family in own for column in family.columns}
        baselines = model.baselines
        for key, name in baselines.model_dump().items():
            if name is not None:
                yield from _unknown(document, ("baselines", key), name, known, "column", "the model's families")
        for index, name in enumerate(model.acknowledge):
            yield from _unknown(document, ("acknowledge", index), name, known, "column", "the model's families")


def _unknown_models(
    document: Document, deployment: Deployment, models: dict[str, tuple[Document, Model]]
) -> Iterator[ProjectError]:
    place = "models/"
    yield from _unknown(document, ("listing_model",), deployment.listing_model, set(models), "model", place)
    for index, name in enumerate(deployment.also):
        yield from _unknown(document, ("also", index), name, set(models), "model", place)


def _unknown_reasons(families: list[tuple[Document, Family]], outreach: Document) -> Iterator[ProjectError]:
    told = outreach.parse(Outreach)
    if "also_reasons" in told.model_fields_set:  # the families of the default need not be there
        known = {family.family for _, family in families}
        for index, name in enumerate(told.also_reasons):
            yield from _unknown(outreach, ("also_reasons", index), name, known, "family", "features/")


def _unknown_actions(
    families: list[tuple[Document, Family]], outreach: Document, playbook: Playbook
) -> Iterator[ProjectError]:
    known = set(playbook.actions)
    place = "configs/playbook.yaml"
    for document, family in families:
        for index, signal in enumerate(family.signals):
            if signal.action is not None:
                path = ("signals", index, "action")
                yield from _unknown(document, path, signal.action, known, "action", place)
    default = outreach.parse(Outreach).default_action
    yield from _unknown(outreach, ("default_action",), default, known, "action", place)
