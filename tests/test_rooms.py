"""The house holds: rooms import only downwards, modules stay small, data folders hold only data."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
MODULES = sorted((ROOT / "churnwatch").rglob("*.py"))
DATA_FOLDERS = ("features", "models", "configs")
HEAVY = (
    "alembic",
    "duckdb",
    "fastapi",
    "jinja2",
    "lightgbm",
    "matplotlib",
    "mlflow",
    "numba",
    "numpy",
    "optuna",
    "pandas",
    "pyarrow",
    "ruamel",
    "shap",
    "sklearn",
    "sqlalchemy",
)


def lint_imports(directory: Path) -> subprocess.CompletedProcess[str]:
    """import-linter over the package in ``directory``, as `make lint` runs it but without its cache."""
    run_it = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"
    return subprocess.run([sys.executable, "-c", run_it], cwd=directory, capture_output=True, text=True, check=False)


def test_the_import_contracts_are_kept():
    outcome = lint_imports(ROOT)
    assert 0 == outcome.returncode, outcome.stdout + outcome.stderr


def test_the_import_contracts_notice_who_breaks_them(tmp_path):
    """One house built wrongly in every way: upwards, sideways, an unknown room, a heavy library abroad."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for module, line in {
        "__init__": "",
        "errors": "import churnwatch.spec",
        "spec": "import lightgbm",
        "learner": "import lightgbm",
        "outreach": "import shap\nimport optuna",
        "delivery": "import churnwatch.registry\nimport mlflow.pyfunc",
        "registry": "import mlflow",
        "signals": "from sqlalchemy import orm",
        "sources": "import sqlalchemy",
        "runs": "def page():\n    from ruamel.yaml import YAML\n    import fastapi",
        "kitchen": "",
    }.items():
        (tmp_path / "churnwatch").mkdir(exist_ok=True)
        (tmp_path / "churnwatch" / f"{module}.py").write_text(line)
    outcome = lint_imports(tmp_path)
    assert 1 == outcome.returncode
    said = " ".join(outcome.stdout.split())
    for contract in (
        "Rooms import only downwards; rooms on a line are independent",
        "MLflow only in registry",
        "LightGBM only in learner",
        "Optuna only in learner",
        "SHAP only in evaluation",
        "FastAPI only in inbox",
        "YAML only in project",
        "SQLAlchemy only in ledger and sources",
    ):
        assert f"{contract} BROKEN" in said
    for broken in (
        "churnwatch.errors -> churnwatch.spec",
        "churnwatch.delivery -> churnwatch.registry",
        "churnwatch.kitchen",
        "churnwatch.delivery -> mlflow",
        "churnwatch.spec -> lightgbm",
        "churnwatch.outreach -> shap",
        "churnwatch.outreach -> optuna",
        "churnwatch.runs -> fastapi",
        "churnwatch.runs -> ruamel",
        "churnwatch.signals -> sqlalchemy",
    ):
        assert broken in said
    for allowed in (
        "churnwatch.registry -> mlflow",
        "churnwatch.learner -> lightgbm",
        "churnwatch.sources ->",
    ):
        assert allowed not in said


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_is_short_enough_to_read(module):
    assert 450 >= len(module.read_text().splitlines())


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_is_left_to_be_done_later(module):
    text = module.read_text()
    assert [] == [word for word in ("TODO", "FIXME", "XXX", "NotImplementedError") if word in text]


def test_data_folders_hold_only_yaml_and_markdown():
    files = [path for folder in DATA_FOLDERS for path in (ROOT / folder).rglob("*") if path.is_file()]
    assert [] == [str(path) for path in files if path.suffix not in {".yaml", ".md"}]
    for path in files:
        text = path.read_bytes().decode("utf-8")
        assert "\0" not in text
        assert [] == [word for word in ("TODO", "FIXME") if word in text]


@pytest.mark.skipif(not (ROOT / "churnwatch" / "cli").exists(), reason="there is no command line yet")
def test_help_loads_no_heavy_library():
    ask = (
        "import contextlib, io, sys\n"
        "from churnwatch.cli import main\n"
        "sys.argv = ['churnwatch', '--help']\n"
        "with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):\n"
        "    main()\n"
        f"print(*sorted(set(sys.modules) & set({HEAVY!r})))\n"
    )
    outcome = subprocess.run([sys.executable, "-c", ask], cwd=ROOT, capture_output=True, text=True, check=False)
    assert 0 == outcome.returncode, outcome.stderr
    assert "" == outcome.stdout.strip()
