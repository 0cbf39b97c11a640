"""Kept results of full runs belong to the claims and the code of today."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from bioconv.paper_figures import frame, provenance
from bioconv.paper_figures.provenance import code_of

KEPT = Path(frame.__file__).parent / "kept"
RECORDS = sorted(KEPT.glob("*.json"))
AGAIN = "Run the figure in full and keep it: python -m paper_figures run NAME, then keep"
MODULE = '''
"""A figure."""
from bioconv.paper_figures.other import factor
STEPS = 3  # of the run
COLOR = "red"
def compute(context):
    """Compute."""
    return {"x": scaled(STEPS)}
def scaled(n):
    return n * factor()
def plot(result, context):
    return COLOR
'''
OTHER = "def factor():\n    return 2\ndef unused():\n    return 3\n"


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: path.stem)
def test_kept_results_are_those_of_the_figure(path: Path) -> None:
    record = json.loads(path.read_text(encoding="utf-8"))
    manifest = frame.figure(path.stem).MANIFEST
    claims = [{key: row[key] for key in asdict(manifest.claims[0])} for row in record["claims"]]
    assert claims == [asdict(claim) for claim in manifest.claims], AGAIN
    for row, claim in zip(record["claims"], manifest.claims, strict=True):
        assert row["holds"] == claim.holds(row["measured"])
    if "code" not in record:
        pytest.skip("kept before records said which code computed them, and changed since")
    assert record["code"] == code_of(path.stem), AGAIN


def test_results_are_kept() -> None:
    assert len(RECORDS) >= 35


def _code(folder: Path, monkeypatch: Any, *changes: tuple[str, str]) -> str:
    texts = {"figure": MODULE, "other": OTHER}
    for old, new in changes:
        assert any(old in text for text in texts.values())
        texts = {name: text.replace(old, new) for name, text in texts.items()}
    for name, text in texts.items():
        (folder / f"{name}.py").write_text(text, encoding="utf-8")
    monkeypatch.setattr(provenance, "_FOLDER", folder)
    provenance._module.cache_clear()
    try:
        return code_of("figure")
    finally:
        provenance._module.cache_clear()


@pytest.mark.parametrize(
    ("change", "same"),
    [
        (("# of the run", "# of a run"), True),
        (('"""Compute."""', '"""Compute the array."""'), True),
        (('"red"', '"blue"'), True),
        (("return COLOR", "return None"), True),
        (("return 3", "return 4"), True),
        (("STEPS = 3", "STEPS = 4"), False),
        (("n * factor()", "n + factor()"), False),
        (("return 2", "return 5"), False),
    ],
    ids=lambda value: value[1] if isinstance(value, tuple) else str(value),
)
def test_the_code_of_a_figure_is_what_computes_it(
    change: tuple[str, str], same: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = _code(tmp_path, monkeypatch)
    assert (_code(tmp_path, monkeypatch, change) == before) == same
