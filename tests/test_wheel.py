"""The wheel stands on its own: built, installed elsewhere, it carries the reference project byte for byte.

The dependencies come from this environment by a .pth file, so nothing is downloaded; the churnwatch that
runs is the one of the wheel, which the first test makes sure of.
"""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("features", "models", "configs")


@dataclass(frozen=True)
class Installed:
    """A fresh environment with the wheel in it, in a directory that is no checkout."""

    home: Path
    wheel: Path

    def run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a program of the environment, away from the checkout and without its variables."""
        variables = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "VIRTUAL_ENV"))}
        command = [str(self.home / "venv" / "bin" / program), *arguments]
        return subprocess.run(command, cwd=self.home, env=variables, capture_output=True, text=True, check=False)


def succeed(*command: str, cwd: Path) -> None:
    """Run a command; where it fails, show what it said."""
    outcome = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert 0 == outcome.returncode, outcome.stdout + outcome.stderr


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    home = tmp_path_factory.mktemp("elsewhere")
    build = ("-m", "build", "--wheel", "--no-isolation", "--outdir", str(home), str(ROOT))
    succeed(sys.executable, *build, cwd=home)
    [wheel] = home.glob("*.whl")
    # This environment's pip does it: making another one takes longer than the rest.
    venv.create(home / "venv", with_pip=False)
    python = str(home / "venv" / "bin" / "python")
    pip = (sys.executable, "-m", "pip", "--python", python, "install")
    succeed(*pip, "-qq", "--no-deps", "--no-index", str(wheel), cwd=home)
    [site] = (home / "venv" / "lib").glob("python*/site-packages")
    # A path line only appends a directory: its own .pth files, so an editable churnwatch, are not read, and
    # a churnwatch installed there comes second to the wheel's.
    (site / "dependencies.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    return Installed(home, wheel)


def files(root: Path) -> dict[str, bytes]:
    """The three folders below ``root``, path to bytes, as git would take them."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for folder in FOLDERS
        for path in (root / folder).rglob("*")
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(root).parts)
    }


def test_the_churnwatch_that_runs_is_the_wheels(installed):
    outcome = installed.run("python", "-c", "import churnwatch; print(churnwatch.__file__)")
    assert outcome.stdout.startswith(str(installed.home / "venv")), outcome.stderr


def test_the_wheel_holds_one_package_and_everything_in_it(installed):
    names = zipfile.ZipFile(installed.wheel).namelist()
    assert ["churnwatch"] == sorted({name.split("/")[0] for name in names if ".dist-info" not in name})
    ours = {path.relative_to(ROOT).as_posix() for path in (ROOT / "churnwatch").rglob("*") if path.is_file()}
    assert set() == {name for name in ours if "__pycache__" not in name} - set(names)


def test_the_scaffold_is_the_root_byte_for_byte(installed):
    assert 0 == (outcome := installed.run("churnwatch", "init", "mine")).returncode, outcome.stderr
    mine = installed.home / "mine"
    assert files(ROOT) == files(mine)
    assert sorted(FOLDERS) == sorted(path.name for path in mine.iterdir())
    outcome = installed.run("churnwatch", "init", "--diff", "--project", "mine", "--json")
    assert 0 == outcome.returncode, outcome.stderr


def test_init_does_not_overwrite_what_is_there(installed):
    (installed.home / "busy" / "features").mkdir(parents=True)
    (installed.home / "busy" / "features" / "mine.yaml").touch()
    outcome = installed.run("churnwatch", "init", "busy")
    assert 2 == outcome.returncode
    assert "is there already, with mine.yaml" in outcome.stderr
    assert "Traceback" not in outcome.stderr


@pytest.mark.slow
def test_check_without_data_refuses_them_with_a_plain_message(installed):
    """Slow: what is compiled for the checkout is compiled anew for the wheel."""
    assert 0 == (outcome := installed.run("churnwatch", "init", "empty")).returncode, outcome.stderr
    outcome = installed.run("churnwatch", "check", "--project", "empty")
    assert 4 == outcome.returncode, outcome.stderr
    assert "try: " in outcome.stderr
    assert "Traceback" not in outcome.stderr


@pytest.mark.slow
def test_a_demo_from_the_wheel_makes_a_project_that_checks(installed):
    outcome = installed.run("churnwatch", "demo", "--customers", "300", "--dir", "demo")
    # So few customers may be too little to train on (5), which is an answer, not a failure of the wheel.
    assert outcome.returncode in {0, 5}, outcome.stderr
    outcome = installed.run("churnwatch", "check", "--project", "demo")
    assert 0 == outcome.returncode, outcome.stderr
