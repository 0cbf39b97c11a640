"""Every block of Python and shell code of the README and the documentation runs as written.

The blocks of a page run in their order, in one process and in a fresh folder that has the networks
and figures of a clone.  What needs an extra names its module (```` ```sh needs=nest ````).
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FENCE = re.compile(r"^```(python|sh)\b([^\n]*)\n(.*?)^```$", re.M | re.S)
#: pages that take some seconds only; the others train, simulate and compare
QUICK = {"index.md"}
#: blocks of the README that install: run by .ci/run, in environments of their own
INSTALLING = "pip install"
#: runs what is on the page, as far as the blocks can be run here
DRIVER = """
import json, subprocess, sys
names = {"__name__": "__main__"}
for language, code, where in json.loads(sys.stdin.read()):
    print("==", where, flush=True)
    if language == "sh":
        subprocess.run(["bash", "-euo", "pipefail", "-c", code], check=True)
    else:
        exec(compile(code, where, "exec"), names)
"""


@dataclass(frozen=True)
class Block:
    language: str
    needs: tuple[str, ...]
    code: str
    where: str


def blocks(page: Path) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    return [
        Block(
            found[1],
            tuple(re.findall(r"needs=(\w+)", found[2])),
            found[3],
            f"{page.name}:{text[: found.start()].count(chr(10)) + 2}",
        )
        for found in FENCE.finditer(text)
        if INSTALLING not in found[3] or found[1] == "python"
    ]


PAGES = {
    page.name: page
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    if blocks(page)
}


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A fresh folder with the networks and figures of a clone."""
    for name in ("models", "paper_figures"):
        (tmp_path / name).symlink_to(ROOT / name)
    return tmp_path


@pytest.mark.parametrize("name", PAGES)
def test_page_runs_as_written(name: str, clone: Path, slow: Callable[[], None]) -> None:
    if name not in QUICK:
        slow()
    found = blocks(PAGES[name])
    missing = {block.where: [m for m in block.needs if not find_spec(m)] for block in found}
    runs = [(b.language, b.code, b.where) for b in found if not missing[b.where]]
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {
        **os.environ,
        "PATH": path,
        "PYTHONPATH": str(ROOT),
        "MPLBACKEND": "agg",
        "BIOCONV_CACHE": os.environ.get("BIOCONV_CACHE", str(clone / "cache")),
    }
    done = subprocess.run(
        [sys.executable, "-c", DRIVER],
        input=json.dumps(runs),
        cwd=clone,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, f"{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
    left = sorted({module for modules in missing.values() for module in modules})
    if left:
        pytest.skip(f"all but the blocks that need {', '.join(left)}, which is not installed")


def test_no_block_is_overlooked() -> None:
    """Other fences are text, output or directives of Sphinx."""
    known = {"python", "sh", "text", "bibtex", ""}
    for page in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
        fences = re.findall(r"^(?:`{3,}|~{3,})([^\s{]*)[^\n]*$", page.read_text(), re.M)
        assert set(fences) <= known, page.name


def test_every_page_is_in_the_contents() -> None:
    contents = (ROOT / "docs" / "index.md").read_text(encoding="utf-8").split()
    pages = {page.stem for page in (ROOT / "docs").glob("*.md")} - {"index"}
    assert pages <= set(contents)


def test_links_of_the_readme_lead_somewhere() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!http)([^)#]+)", text):
        assert (ROOT / target).exists(), target
