"""One YAML 1.2 file read strictly, and pydantic's complaints told with the line they are about.

No duplicate keys, no tags, no merge keys, no second document: what stands in the file is what is meant.
"""

from __future__ import annotations

import math
import re
import types
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, SequenceNode

from churnwatch.errors import ProjectError, nearest

Path_ = tuple[str | int, ...]
"""Where a value stands inside a document: keys and positions from the top."""

_Model = TypeVar("_Model", bound=BaseModel)

_SCALARS = {f"tag:yaml.org,2002:{name}" for name in ("null", "bool", "int", "float", "str", "timestamp")}
_NAME_PATTERN = "^[a-z][a-z0-9_]*$"


@dataclass(frozen=True)
class Document:
    """One file: its name relative to the project, its value in plain Python, and the line of every part.

    Times and dates are ``datetime`` and ``date``; a file with nothing but comments is an empty mapping.
    """

    file: str
    value: Any
    lines: dict[Path_, int]

    def where(self, path: Path_ = ()) -> str:
        """``file:line`` of the part at ``path``, or of the nearest part around it."""
        while path not in self.lines and path:
            path = path[:-1]
        return f"{self.file}:{self.lines.get(path, 1)}"

    def parse(self, model: type[_Model]) -> _Model:
        """The document as ``model``; raises ``ProjectError`` that lists every mistake with its line."""
        try:
            return model.model_validate(self.value)
        except ValidationError as error:
            raise together(self._mistakes(model, error)) from None

    def at(self, path: Path_) -> Any:
        """The value at ``path``; ``None`` where there is none."""
        value = self.value
        for step in path:
            try:
                value = value[step]
            except (KeyError, IndexError, TypeError):
                return None
        return value

    def _mistakes(self, model: type[BaseModel], error: ValidationError) -> list[ProjectError]:
        grouped: dict[Path_, list[ErrorDetails]] = {}
        for detail in error.errors(include_url=False):
            if detail["type"] == "too_short" and self.at(self._path(detail)):
                continue  # pydantic counts the items that are right; those that are not are told themselves
            grouped.setdefault(self._path(detail), []).append(detail)
        return [self._mistake(model, path, details) for path, details in sorted_by_line(self, grouped)]

    def _path(self, detail: ErrorDetails) -> Path_:
        """Pydantic's location without the names of union members, which are no part of the file."""
        path: Path_ = ()
        for step in detail["loc"]:
            if (*path, step) in self.lines:
                path = (*path, step)
        if detail["type"] == "missing":
            path = (*path, detail["loc"][-1])
        return path

    def _mistake(self, model: type[BaseModel], path: Path_, details: list[ErrorDetails]) -> ProjectError:
        first = details[0]
        kind = first["type"]
        key = str(path[-1]) if path else ""
        if kind == "extra_forbidden":
            known = _keys(_model_at(model, path[:-1]))
            allowed, hint = ", ".join(known), nearest(key, known)
            return ProjectError(f"unknown key `{key}`", where=self.where(path), allowed=allowed, hint=hint)
        if kind == "missing":
            place = self.where(path[:-1])
            return ProjectError(f"the key `{key}` is missing", where=place, hint=f"add `{key}:`")
        if kind == "value_error":
            message = first["msg"].removeprefix("Value error, ")
            return ProjectError(message, where=self.where(self._mentioned(path, message)))
        is_key = "[key]" in first["loc"]
        value = key if is_key else self.at(path)
        found = f"unknown key `{key}`" if is_key else f"`{key}` is {_told(value)}"
        if kind == "literal_error":
            choices = re.findall(r"'([^']*)'", first["ctx"]["expected"])
            return ProjectError(
                found, where=self.where(path), allowed=", ".join(choices), hint=nearest(str(value), choices)
            )
        allowed = " or ".join(dict.fromkeys(_allowed(detail) for detail in details))
        return ProjectError(found, where=self.where(path), allowed=allowed)

    def _mentioned(self, path: Path_, message: str) -> Path_:
        """The part below ``path`` whose value, else key, the message names, later words first."""
        words = re.findall(r"[A-Za-z0-9_]+", message)[::-1]
        inside = [part for part in self.lines if part[: len(path)] == path and len(part) > len(path)]
        by_value = (part for word in words for part in inside if self.at(part) == word)
        by_key = (part for word in words for part in inside if part == (*path, word))
        return next(chain(by_value, by_key), path)


def together(mistakes: list[ProjectError]) -> ProjectError:
    """Several mistakes as one error that lists them all; a single one as it is."""
    if len(mistakes) == 1:
        return mistakes[0]
    return ProjectError(f"{len(mistakes)} mistakes\n" + "\n".join(mistake.message for mistake in mistakes))


def sorted_by_line(
    document: Document, grouped: dict[Path_, list[ErrorDetails]]
) -> list[tuple[Path_, list[ErrorDetails]]]:
    """The mistakes in the order of the file."""

    def line(item: tuple[Path_, list[ErrorDetails]]) -> int:
        return int(document.where(item[0]).rsplit(":", 1)[1])

    return sorted(grouped.items(), key=line)


def read_document(root: Path, file: str) -> Document:
    """Read ``root / file``.

    Raises ``ProjectError`` with ``file:line`` where the file is missing, is no UTF-8, no YAML, repeats a key,
    or holds something else than a mapping.
    """
    path = root / file
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        there = sorted(item.name for item in path.parent.glob("*") if item.is_file())
        raise ProjectError(
            "no such file",
            where=file,
            hint=f"in {Path(file).parent.as_posix()} there are: {', '.join(there) or 'no files'}",
        ) from None
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        where = f"{file}:{line}"
        raise ProjectError("the file is not UTF-8 text", where=where, hint="save it as UTF-8") from None
    try:
        node = _composed(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise ProjectError(
            f"no valid YAML: {error.problem or error.context}",
            where=f"{file}:{mark.line + 1 if mark else 1}",
            hint="mind the indentation, and quote texts that hold `: ` or ` #`",
        ) from None
    except YAMLError as error:
        raise ProjectError(f"no valid YAML: {str(error).splitlines()[0]}", where=file) from None
    reader = _Reader(file, YAML(typ="safe", pure=True))
    value = {} if node is None else reader.value(node, ())
    if not isinstance(value, dict):
        raise ProjectError(f"the file holds {_told(value)}", where=f"{file}:1", allowed="a mapping of keys")
    return Document(file, value, reader.lines)


@lru_cache(maxsize=256)
def _composed(text: str) -> Node | None:
    """The nodes of a YAML text, which nobody changes: whoever opens a project again reads its files, but parses only
    those that have changed.
    """
    node: Node | None = YAML(typ="safe", pure=True).compose(text)
    return node


class _Reader:
    """Turns YAML nodes into plain Python and remembers their lines."""

    def __init__(self, file: str, yaml: YAML) -> None:
        self.file = file
        self.yaml = yaml
        self.lines: dict[Path_, int] = {(): 1}

    def value(self, node: Node, path: Path_) -> Any:
        line = node.start_mark.line + 1
        self.lines.setdefault(path, line)
        if isinstance(node, MappingNode):
            return dict(self._items(node, path))
        if isinstance(node, SequenceNode):
            return [self.value(item, (*path, index)) for index, item in enumerate(node.value)]
        tag = str(node.tag)
        if tag not in _SCALARS:
            where = f"{self.file}:{line}"
            raise ProjectError(f"the tag {tag}", where=where, allowed="plain values without tags")
        try:
            value = self.yaml.constructor.construct_object(node)
        except (YAMLError, ValueError) as error:
            problem = str(error).splitlines()[0]
            raise ProjectError(f"{node.value}: {problem}", where=f"{self.file}:{line}") from None
        if isinstance(value, float) and not math.isfinite(value):
            raise ProjectError(node.value, where=f"{self.file}:{line}", allowed="a finite number")
        return value

    def _items(self, node: MappingNode, path: Path_) -> Iterator[tuple[str, Any]]:
        seen: dict[str, int] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            key = key_node.value
            if str(key_node.tag) != "tag:yaml.org,2002:str":
                told = key if isinstance(key, str) else "something that is no text"
                raise ProjectError(
                    f"the key {told}", where=f"{self.file}:{line}", allowed="a text", hint="put it in quotes"
                )
            if key in seen:
                raise ProjectError(
                    f"the key `{key}` stands twice, first in line {seen[key]}",
                    where=f"{self.file}:{line}",
                    allowed="each key once",
                )
            seen[key] = line
            self.lines[(*path, key)] = line
            yield key, self.value(value_node, (*path, key))


def _model_at(annotation: Any, path: Path_) -> type[BaseModel] | None:
    """The model that describes the mapping at ``path`` below ``annotation``."""
    origin = get_origin(annotation)
    if origin in (Union, types.UnionType):
        found = (_model_at(member, path) for member in get_args(annotation))
        return next((model for model in found if model is not None), None)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        if not path:
            return annotation
        for name, field in annotation.model_fields.items():
            if path[0] == (field.alias or name):
                return _model_at(field.annotation, path[1:])
        return None
    if path and origin is dict:
        return _model_at(get_args(annotation)[1], path[1:])
    if path and origin in (tuple, list):
        return _model_at(get_args(annotation)[0], path[1:])
    return None


def _keys(model: type[BaseModel] | None) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()] if model else []


def _told(value: Any) -> str:
    """A value of the file as a person would name it."""
    if value is None:
        return "empty"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"the text '{value}'" if isinstance(value, str) else str(value)


def _allowed(detail: ErrorDetails) -> str:
    if detail["type"] == "too_short":
        return f"at least {detail['ctx']['min_length']} of them"
    if detail["type"] == "string_pattern_mismatch" and detail["ctx"]["pattern"] == _NAME_PATTERN:
        return "a name of small letters, digits and _, beginning with a letter"
    message = detail["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    return (
        message.replace("a valid dictionary", "a mapping")
        .replace("a valid tuple", "a list")
        .replace("a valid string", "a text")
    )
