"""An installation adds one name: the library, with the networks and the figures inside it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
#: prints the packages of an installation
PROGRAM = """
from setuptools._distutils.core import run_setup
print(*run_setup("setup.py", stop_after="init").packages)
"""


@pytest.fixture(scope="module")
def packages() -> set[str]:
    pytest.importorskip("setuptools")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, check=True, capture_output=True, text=True
    )
    return set(done.stdout.split("\n")[-2].split())


def test_one_top_level_package(packages: set[str]) -> None:
    assert {name.split(".")[0] for name in packages} == {"bioconv"}
    assert {"bioconv.models.awkward", "bioconv.paper_figures"} <= packages


def test_every_folder_with_modules_is_installed(packages: set[str]) -> None:
    inside = {
        ".".join(path.parent.relative_to(ROOT).parts) for path in (ROOT / "bioconv").rglob("*.py")
    }
    beside = {
        "bioconv." + ".".join(path.parent.relative_to(ROOT).parts)
        for top in ("models", "paper_figures")
        for path in (ROOT / top).rglob("*.py")
    }
    assert packages == inside | beside


def test_names_of_the_user_are_no_part_of_the_library(tmp_path: Path) -> None:
    """A module called ``models`` in the working folder is the user's own business."""
    (tmp_path / "models.py").write_text("raise ImportError('this is not the library')")
    program = "import bioconv as bc; bc.models.names(); bc.load_data('digits'); bc.keras.FICurve"
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True)
