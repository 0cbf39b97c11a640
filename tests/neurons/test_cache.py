"""Arrays on disk by content: computed once, never out of date, damage does no harm."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bioconv.ground.cache import remembered


class Counter:
    """A computation that counts how often it is asked for."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self) -> dict[str, np.ndarray]:
        self.calls += 1
        return {"a": np.arange(3.0), "b": np.array([np.inf, np.nan])}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BIOCONV_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def ask(compute: Counter, **key: Any) -> dict[str, np.ndarray]:
    return remembered("kind", {"x": 1, "y": np.arange(4.0), **key}, ("a", "b"), compute)


def test_computed_once(folder: Path) -> None:
    compute = Counter()
    first, second = ask(compute), ask(compute)
    assert compute.calls == 1
    for name in ("a", "b"):
        np.testing.assert_array_equal(first[name], second[name])
    assert len(list((folder / "kind").iterdir())) == 1


@pytest.mark.parametrize("key", [{"x": 2}, {"y": np.arange(4.0) + 1e-12}, {"z": "new"}], ids=str)
def test_another_content_is_another_entry(folder: Path, key: dict[str, Any]) -> None:
    compute = Counter()
    ask(compute)
    ask(compute, **key)
    assert compute.calls == 2


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "text", "other names", "array"])
def test_damaged_entries_are_computed_anew(folder: Path, damage: str) -> None:
    compute = Counter()
    ask(compute)
    (file,) = (folder / "kind").iterdir()
    content = bytearray(file.read_bytes())
    if damage == "cut":
        file.write_bytes(content[: len(content) // 2])
    elif damage == "flipped":
        content[content.index(np.float64(2.0).tobytes()) + 6] ^= 0xFF
        file.write_bytes(content)
    elif damage == "other names":
        np.savez(file, c=np.zeros(3))
    elif damage == "array":
        with file.open("wb") as handle:
            np.save(handle, np.zeros(3))
    else:
        file.write_bytes(b"" if damage == "empty" else b"no archive")
    np.testing.assert_array_equal(ask(compute)["a"], np.arange(3.0))
    assert compute.calls == 2
    ask(compute)
    assert compute.calls == 2


def test_any_wrong_byte_does_no_harm(folder: Path) -> None:
    compute = Counter()
    ask(compute)
    (file,) = (folder / "kind").iterdir()
    content = file.read_bytes()
    directory = content.index(b"PK\x01\x02")
    for place in range(directory, len(content)):
        for mask in (0x01, 0xFF):
            damaged = bytearray(content)
            damaged[place] ^= mask
            file.write_bytes(damaged)
            np.testing.assert_array_equal(ask(compute)["a"], np.arange(3.0))


def test_a_folder_that_cannot_be_written_does_no_harm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("BIOCONV_CACHE", str(tmp_path / "file"))
    compute = Counter()
    assert set(ask(compute)) == {"a", "b"}
    ask(compute)
    assert compute.calls == 2
