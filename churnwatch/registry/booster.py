"""Whether a LightGBM text model is whole, read as text: a damaged one aborts the process that loads it."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from churnwatch.errors import NoUsableModel

FILE = "booster.txt"

HEAD = (
    "version",
    "num_class",
    "num_tree_per_iteration",
    "label_index",
    "max_feature_idx",
    "objective",
    "feature_names",
    "monotone_constraints",
    "feature_infos",
    "tree_sizes",
)
"""The fields before the trees, in LightGBM's order; ``monotone_constraints`` only where there are any."""

SPLITS = ("split_gain", "threshold", "internal_value", "internal_weight", "internal_count")
LEAVES = ("leaf_value", "leaf_weight", "leaf_count")
TREE = (
    "num_leaves",
    "num_cat",
    "split_feature",
    "split_gain",
    "threshold",
    "decision_type",
    "left_child",
    "right_child",
    "leaf_value",
    "leaf_weight",
    "leaf_count",
    "internal_value",
    "internal_weight",
    "internal_count",
    "is_linear",
    "shrinkage",
)
"""The fields of a tree, in LightGBM's order (format v4)."""

TAIL = re.compile(
    r"end of trees\n\nfeature_importances:\n([^\n=]+=\d+\n)*"
    r"\nparameters:\n(\[\w+: [^\n]*\]\n)+\nend of parameters\n(\npandas_categorical:null\n)?"
)


def check_booster(text: str, *, columns: Sequence[str], rounds: int) -> None:
    """Refuse a text model that LightGBM could not load, or that is not a model of these columns.

    Checked: the fields LightGBM 4 writes and no others; a binary objective with one output; the columns by
    name and order; and every tree: as many numbers as its leaves ask for, all finite, splits on columns that
    exist, children that exist and come after their parent (so no walk runs in circles), every node and leaf
    hung once. ``rounds`` is the most trees it may have; LightGBM stops earlier where nothing is left to
    split. Raises NoUsableModel, naming what is wrong.
    """
    if not text.startswith("tree\nversion=v4\n"):
        raise _damaged("it does not begin like a LightGBM text model of format v4")
    head, _, _ = text.partition("\n\nTree=0\n")
    fields = _fields(head.splitlines()[1:])
    wanted = [name for name in HEAD if name != "monotone_constraints" or name in fields]
    if list(fields) != wanted:
        raise _damaged("its first lines are not those LightGBM writes")
    if not re.fullmatch(r"binary sigmoid:[0-9.]+", fields["objective"]) or fields["num_class"] != "1":
        raise _damaged("it is no model of one yes-or-no outcome")
    if (fields["num_tree_per_iteration"], fields["label_index"]) != ("1", "0"):
        raise _damaged("it is no model of one yes-or-no outcome")
    if fields["feature_names"].split(" ") != list(columns):
        raise _damaged("its feature_names are not the columns of schema.json in their order")
    if fields["max_feature_idx"] != str(len(columns) - 1):
        raise _damaged("max_feature_idx is not the number of its columns less one")
    for name in ("feature_infos", "monotone_constraints"):
        if name in fields and len(fields[name].split(" ")) != len(columns):
            raise _damaged(f"{name} does not hold one entry for each column")
    trees = _trees(text, len(head) + 2, fields["tree_sizes"])
    if len(trees) > rounds:
        raise _damaged(f"it has {len(trees)} trees, more than the {rounds} rounds of model.json")
    for number, tree in enumerate(trees):
        _check_tree(number, tree, len(columns))


def _trees(text: str, start: int, declared: str) -> list[str]:
    """The trees, cut by their declared sizes as LightGBM does: a wrong size sends it outside its memory."""
    if not text.isascii():
        raise _damaged("it holds characters LightGBM does not write")
    if not all(size.isdecimal() for size in declared.split(" ")):
        raise _damaged("tree_sizes is unreadable")
    trees, at = [], start
    for number, size in enumerate(map(int, declared.split(" "))):
        tree = text[at : at + size]
        if not (tree.startswith(f"Tree={number}\n") and tree.endswith("\n\n\n") and tree.count("Tree=") == 1):
            raise _damaged(f"tree {number} does not begin and end where tree_sizes says")
        trees.append(tree)
        at += size
    if not TAIL.fullmatch(text, at):
        raise _damaged("what follows its trees is not what LightGBM writes there")
    return trees


def _check_tree(number: int, tree: str, columns: int) -> None:
    lines = tree.removesuffix("\n\n\n").splitlines()[1:]
    fields = _fields(lines)
    if tuple(fields) != TREE or len(lines) != len(TREE):
        raise _damaged(f"the lines of tree {number} are not those LightGBM writes")
    try:
        leaves = int(fields["num_leaves"])
        if leaves < 1 or fields["num_cat"] != "0" or fields["is_linear"] != "0":
            raise _damaged(f"tree {number} is not of plain splits on numbers")
        inner = leaves - 1
        values = [float(fields["shrinkage"])]
        for name in SPLITS:
            numbers = _numbers(fields[name], inner)
            # A split of missing from everything else has the threshold inf: LightGBM's own way to write it.
            values += [number for number in numbers if name != "threshold" or number != math.inf]
        # A tree of one leaf has no weight: nothing was split.
        for name in LEAVES:
            values += _numbers(fields[name], leaves if inner or name != "leaf_weight" else 0)
        features = _whole(fields["split_feature"], inner)
        kinds = _whole(fields["decision_type"], inner)
        left, right = (_whole(fields[side], inner) for side in ("left_child", "right_child"))
    except ValueError:
        raise _damaged(f"tree {number} has missing or unreadable numbers") from None
    if not all(map(math.isfinite, values)):
        raise _damaged(f"tree {number} holds a number that is not finite")
    if not all(0 <= feature < columns for feature in features):
        raise _damaged(f"tree {number} splits on a column that does not exist")
    # Bit 0 would be a split on categories; bits 1 to 3 say where missing values go.
    if not all(kind in range(0, 16, 2) for kind in kinds):
        raise _damaged(f"tree {number} is not of plain splits on numbers")
    # A child below zero is leaf -child - 1.
    forward = all(child < 0 or child > parent for side in (left, right) for parent, child in enumerate(side))
    everyone = [*range(-leaves, 0), *range(1, inner)] if inner else []
    if sorted([*left, *right]) != everyone or not forward:
        raise _damaged(f"tree {number} does not hang together")


def _fields(lines: Sequence[str]) -> dict[str, str]:
    return {name: value for name, _, value in (line.partition("=") for line in lines)}


def _numbers(text: str, count: int) -> list[float]:
    numbers = [float(part) for part in text.split(" ")] if text else []
    if len(numbers) != count:
        raise ValueError(text)
    return numbers


def _whole(text: str, count: int) -> list[int]:
    numbers = [int(part) for part in text.split(" ")] if text else []
    if len(numbers) != count:
        raise ValueError(text)
    return numbers


def _damaged(what: str) -> NoUsableModel:
    return NoUsableModel(
        f"the text model cannot be used: {what}",
        where=FILE,
        hint="train again, or roll back to an earlier version",
    )
