"""Whether a LightGBM text model is whole, read as text: a damaged one aborts the process that loads it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from churnwatch.errors import NoUsableModel

FILE = "booster.txt"
TREES_END = b"end of trees\n"
END = b"\nend of parameters\n"


def check_booster(text: str, *, columns: Sequence[str], rounds: int) -> None:
    """Refuse a text model that LightGBM could not load, or that is not a model of these columns.

    Checked: a binary objective with one output; the columns by name and order; and every tree: as many
    numbers as its leaves ask for, all finite, splits on columns that exist, children that exist and come
    after their parent (so no walk runs in circles), every node and leaf hung once. ``rounds`` is the most
    trees it may have; LightGBM stops earlier where nothing is left to split. Raises NoUsableModel, naming
    what is wrong.
    """
    fields = _fields(text.partition("\n\n")[0].splitlines()[1:])
    if not text.startswith("tree\n"):
        raise _damaged("it does not begin like a LightGBM text model")
    if fields.get("objective", "").split(" ")[0] != "binary" or fields.get("num_class") != "1":
        raise _damaged("it is no model of one yes-or-no outcome")
    if fields.get("feature_names", "").split(" ") != list(columns):
        raise _damaged("its feature_names are not the columns of schema.json in their order")
    if fields.get("max_feature_idx") != str(len(columns) - 1):
        raise _damaged("max_feature_idx is not the number of its columns less one")
    trees = _trees(text, fields.get("tree_sizes", ""))
    if len(trees) > rounds:
        raise _damaged(f"it has {len(trees)} trees, more than the {rounds} rounds of model.json")
    for number, tree in enumerate(trees):
        _check_tree(number, _fields(tree.splitlines()[1:]), len(columns))


def _trees(text: str, declared: str) -> list[str]:
    """The trees, cut by their declared sizes as LightGBM does: a wrong size sends it outside its memory."""
    data = text.encode()
    if not all(size.isdecimal() for size in declared.split(" ")):
        raise _damaged("tree_sizes is missing or unreadable")
    at = data.find(b"\nTree=0\n") + 1
    trees = []
    for number, size in enumerate(map(int, declared.split(" "))):
        tree = data[at : at + size].decode(errors="replace")
        if not tree.startswith(f"Tree={number}\n") or tree.count("Tree=") != 1:
            raise _damaged(f"tree {number} does not begin and end where tree_sizes says")
        trees.append(tree)
        at += size
    if not data[at:].startswith(TREES_END) or END not in data[at:]:
        raise _damaged("it goes on or stops where its trees should end")
    return trees


def _check_tree(number: int, fields: dict[str, str], columns: int) -> None:
    try:
        leaves = int(fields["num_leaves"])
        if leaves < 1 or fields["num_cat"] != "0" or fields["is_linear"] != "0":
            raise _damaged(f"tree {number} is not of plain splits on numbers")
        values = _numbers(fields, "leaf_value", leaves)
        if leaves == 1:
            return
        inner = leaves - 1
        features = _whole(fields, "split_feature", inner)
        _whole(fields, "decision_type", inner)
        values += _numbers(fields, "threshold", inner)
        values += [n for name in ("leaf_count", "leaf_weight") for n in _numbers(fields, name, leaves)]
        values += [n for name in ("internal_count", "internal_value") for n in _numbers(fields, name, inner)]
        children = [_whole(fields, side, inner) for side in ("left_child", "right_child")]
    except (KeyError, ValueError):
        raise _damaged(f"tree {number} has missing or unreadable numbers") from None
    if not all(map(math.isfinite, values)):
        raise _damaged(f"tree {number} holds a number that is not finite")
    if not all(0 <= feature < columns for feature in features):
        raise _damaged(f"tree {number} splits on a column that does not exist")
    # A child below zero is leaf -child - 1.
    reached = sorted(child for side in children for child in side)
    forward = all(child < 0 or child > parent for side in children for parent, child in enumerate(side))
    if reached != [*range(-leaves, 0), *range(1, inner)] or not forward:
        raise _damaged(f"tree {number} does not hang together")


def _fields(lines: Sequence[str]) -> dict[str, str]:
    return dict(_pairs(lines))


def _pairs(lines: Sequence[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        name, equals, value = line.partition("=")
        if equals:
            yield name, value


def _numbers(fields: dict[str, str], name: str, count: int) -> list[float]:
    numbers = [float(part) for part in fields[name].split(" ")]
    if len(numbers) != count:
        raise ValueError(name)
    return numbers


def _whole(fields: dict[str, str], name: str, count: int) -> list[int]:
    numbers = [int(part) for part in fields[name].split(" ")]
    if len(numbers) != count:
        raise ValueError(name)
    return numbers


def _damaged(what: str) -> NoUsableModel:
    return NoUsableModel(
        f"the text model cannot be used: {what}",
        where=FILE,
        hint="train again, or roll back to an earlier version",
    )
