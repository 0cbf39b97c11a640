"""Exported programs refuse data that they cannot use with one line and the exit code 2."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bioconv.export.support import command_line

INPUTS = {"x": {"shape": (4,), "encoder": "current"}}
X = np.zeros((3, 4))
CASES: dict[str, tuple[dict[str, Any], str]] = {
    "no array": ({"images": X}, "has no array 'x'. It contains: images"),
    "shape": ({"x": X[:, :3]}, "x must have images of shape (4,). Received images of shape (3,)"),
    "text": ({"x": np.array(["a"])}, "x must be an array of numbers, one sample a row"),
    "number": ({"x": np.float64(1)}, "Received float64 of shape ()"),
    "complex": ({"x": X * 1j}, "Received complex128 of shape (3, 4)"),
    "NaN": ({"x": X * np.nan}, "x contains values that are NaN or infinite"),
    "labels": ({"x": X, "y": np.zeros(2)}, "y needs one label for each image"),
    "one label": ({"x": X, "y": np.float64(1)}, "y needs one label for each image"),
    "nothing": ({"x": X[:0]}, "at least 1. Received x: 0"),
    "objects": ({"x": np.array([{}])}, "contains Python objects, which are never loaded"),
}


def said(path: Path, capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as stopped:
        command_line.read_images(path, INPUTS, None)
    assert stopped.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    return line


@pytest.mark.parametrize("case", CASES)
def test_wrong_data_are_refused(
    case: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arrays, message = CASES[case]
    np.savez(tmp_path / "data.npz", **arrays)
    assert message in said(tmp_path / "data.npz", capsys)


def test_missing_and_damaged_files_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "data.npz"
    assert "there is no such file" in said(path, capsys)
    np.savez(path, x=X)
    path.write_bytes(path.read_bytes()[:150])
    assert "it is damaged, or not an .npz file" in said(path, capsys)
    assert "Save it again with numpy.savez" in said(path, capsys)


def test_right_data_are_read(tmp_path: Path) -> None:
    np.savez(tmp_path / "data.npz", x=np.arange(12, dtype=np.uint8).reshape(3, 4), y=[1, 0, 2])
    images, y = command_line.read_images(tmp_path / "data.npz", INPUTS, 2)
    assert images["x"].tolist() == [[0, 1, 2, 3], [4, 5, 6, 7]] and images["x"].dtype == float
    assert y is not None and y.tolist() == [1, 0]
