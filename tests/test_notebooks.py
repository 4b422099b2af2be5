"""Notebooks: each runs from top to bottom, draws what it promises, and is committed as prose and calls alone."""

from __future__ import annotations

import ast
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
PICTURES = {"explore_signals": 4, "first_look": 3, "read_a_backtest": 4, "retrain_and_compare": 2, "satisfaction": 5}
LONGEST_FUNCTION = 10
"""Lines; whatever needs more is logic, and belongs in the engine."""

each = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


class _ThisPython(AsyncKernelManager):
    """The running interpreter as the kernel, whatever kernels the machine has installed."""

    @property
    def kernel_spec(self) -> KernelSpec:
        command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        return KernelSpec(argv=command, display_name="this Python", language="python")


def code(path: Path) -> list[Any]:
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]


def test_there_is_a_notebook_for_each_count_of_pictures() -> None:
    assert sorted(PICTURES) == [path.stem for path in NOTEBOOKS]


@pytest.mark.slow
@each
def test_a_notebook_runs_from_top_to_bottom_and_draws(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = tmp_path / "notebooks"
    shutil.copytree(path.parent, work)
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    notebook = nbformat.read(work / path.name, as_version=4)
    client = NotebookClient(
        notebook,
        kernel_manager_class=_ThisPython,
        timeout=300,
        resources={"metadata": {"path": str(work)}},
    )
    client.execute(env={**os.environ, "PYTHONPATH": str(ROOT)})
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    assert PICTURES[path.stem] == sum("image/png" in output.get("data", {}) for output in outputs)


@each
def test_a_notebook_is_committed_without_outputs(path: Path) -> None:
    assert [] == [cell.id for cell in code(path) if cell.outputs or cell.execution_count is not None]


@each
def test_a_notebook_holds_no_logic_of_its_own(path: Path) -> None:
    found = [node for cell in code(path) for node in ast.walk(ast.parse(cell.source))]
    assert [] == [node.name for node in found if isinstance(node, ast.ClassDef)]
    lengths = {
        node.name: node.end_lineno - node.lineno + 1
        for node in found
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno
    }
    assert {} == {name: lines for name, lines in lengths.items() if lines > LONGEST_FUNCTION}


@each
def test_a_notebook_names_no_place_of_one_machine(path: Path) -> None:
    texts = [
        node.value
        for cell in code(path)
        for node in ast.walk(ast.parse(cell.source))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    assert [] == [text for text in texts if text.startswith(("/", "~", "\\")) or ":\\" in text]
