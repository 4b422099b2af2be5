"""Change a project file in place: what is not meant to change stays, comments and all."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.util import load_yaml_guess_indent

from churnwatch.errors import ProjectError
from churnwatch.project.document import read_document
from churnwatch.spec import Model

Value = int | float | str | bool


def set_parameters(root: Path, file: str, parameters: Mapping[str, Value]) -> None:
    """Make ``learner.parameters`` of the model in ``root / file`` just these; comments and all else stay.

    The new text is read and checked before it takes the old one's place, whole or not at all. Raises ProjectError where
    the file cannot be read, or would not say the same but for the parameters; then it stays as it is.
    """
    before = read_document(root, file).parse(Model)
    path = root / file
    text = path.read_text(encoding="utf-8-sig")
    ends = "\r\n" if b"\r\n" in path.read_bytes() else "\n"
    yaml, value = _round_trip(text)
    learner = value.setdefault("learner", CommentedMap())
    block = learner.get("parameters")
    if not isinstance(block, CommentedMap):
        block = CommentedMap()
        learner["parameters"] = block
    for name in [name for name in block if name not in parameters]:
        del block[name]
    for name, given in parameters.items():
        block[name] = given
    written = io.StringIO()
    yaml.dump(value, written)
    new = path.with_name(f".{path.name}.new")
    try:
        with new.open("w", encoding="utf-8", newline=ends) as out:
            out.write(written.getvalue())
            out.flush()
            os.fsync(out.fileno())
        expected = before.model_copy(
            update={"learner": before.learner.model_copy(update={"parameters": dict(parameters)})}
        )
        if read_document(root, f"{Path(file).parent.as_posix()}/{new.name}").parse(Model) != expected:
            raise ProjectError("the file cannot be changed without changing what else it says", where=file)
        new.replace(path)
    except OSError as error:
        raise ProjectError(f"cannot be written: {error.strerror}", where=file) from None
    finally:
        new.unlink(missing_ok=True)


def parameters_yaml(parameters: Mapping[str, Value]) -> str:
    """The parameters as they stand in a model's file, to be pasted there."""
    yaml = YAML()
    written = io.StringIO()
    yaml.dump({"learner": {"parameters": dict(parameters)}}, written)
    return written.getvalue()


def _round_trip(text: str) -> tuple[YAML, Any]:
    """A reader and writer that keeps comments, quotes and the indentation it finds."""
    _, indent, offset = load_yaml_guess_indent(text)
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 4096
    if indent is not None:
        yaml.indent(mapping=2, sequence=indent, offset=offset or 0)
    return yaml, yaml.load(text)
