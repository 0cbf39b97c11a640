"""Records of runs: what is not exactly what was written is not used."""

from __future__ import annotations

import json
import shutil
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bioconv.ground.errors import DamagedRecordWarning
from bioconv.ground.options import Choice, Entries, Interval, Many, Rule, Text
from bioconv.studies.records import read_record, write_record
from bioconv.studies.runs import Job, run_all

SCHEMA: dict[str, Rule] = {
    "accuracy": Interval(0, 1),
    "name": Text(),
    "measure": Choice(("accuracy", "agreement")),
    "over_time": Many(Interval(0, 1)),
    "asked": Entries({"rate": Interval(0)}),
}
RECORD: dict[str, Any] = {
    "accuracy": 0.8125,
    "name": "lif",
    "measure": "accuracy",
    "over_time": [0.0, 0.5, 0.8125],
    "asked": {"rate": 100.0},
    "seconds": float("nan"),
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "0123abcd.json"
    write_record(path, RECORD)
    return path


def quietly(path: Path) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DamagedRecordWarning)
        return read_record(path, SCHEMA)


def test_what_is_written_is_what_is_read(path: Path) -> None:
    written = write_record(path, {**RECORD, "over_time": np.array([0.0, 0.5, 0.8125])})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = read_record(path, SCHEMA)
    assert json.dumps(found) == json.dumps(written) == json.dumps(RECORD)


def test_a_missing_record_is_no_reason_to_warn(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read_record(tmp_path / "missing.json", SCHEMA) is None


def test_any_wrong_bit_is_noticed_or_changes_nothing(path: Path) -> None:
    content = path.read_bytes()
    for place in range(len(content)):
        for bit in range(8):
            damaged = bytearray(content)
            damaged[place] ^= 1 << bit
            path.write_bytes(damaged)
            found = quietly(path)
            assert found is None or json.dumps(found) == json.dumps(RECORD), (place, bit)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("accuracy", "high"),
        ("accuracy", 7.5),
        ("accuracy", None),
        ("accuracy", True),
        ("accuracy", float("nan")),
        ("name", 3),
        ("measure", "precision"),
        ("over_time", [0.5, 1.5]),
        ("over_time", 0.5),
        ("asked", {"rate": -1.0}),
        ("asked", {}),
    ],
)
def test_values_that_make_no_sense_are_not_used(path: Path, name: str, value: Any) -> None:
    write_record(path, {**RECORD, name: value})
    with pytest.warns(DamagedRecordWarning, match=f"{name} must be .* Its run is repeated"):
        assert read_record(path, SCHEMA) is None


def test_missing_values_are_named(path: Path) -> None:
    write_record(path, {name: value for name, value in RECORD.items() if name != "name"})
    with pytest.warns(DamagedRecordWarning, match="name is missing"):
        assert read_record(path, SCHEMA) is None


@pytest.mark.parametrize("text", ["", "{", "[]", "3", '{"format": "other"}', "[" * 100_000, "\0"])
def test_other_files_are_not_used(path: Path, text: str) -> None:
    path.write_text(text)
    with pytest.warns(DamagedRecordWarning):
        assert read_record(path, SCHEMA) is None


def test_a_folder_in_the_place_of_a_record(tmp_path: Path) -> None:
    (tmp_path / "folder.json").mkdir()
    with pytest.warns(DamagedRecordWarning):
        assert read_record(tmp_path / "folder.json", SCHEMA) is None


def test_the_record_of_another_run_is_not_used(path: Path) -> None:
    other = path.with_name("4567cdef.json")
    shutil.copy(path, other)
    with pytest.warns(DamagedRecordWarning, match="the record of another run"):
        assert read_record(other, SCHEMA) is None


def test_records_of_another_version_are_not_used(path: Path) -> None:
    path.write_text(path.read_text().replace('"version": 1', '"version": 2'))
    with pytest.warns(DamagedRecordWarning, match="version 2, not 1"):
        assert read_record(path, SCHEMA) is None


def test_a_damaged_record_is_run_again(tmp_path: Path) -> None:
    schema = {"accuracy": Interval(0, 1)}
    jobs = {n: Job(tmp_path / f"run{n}.json", (n,)) for n in range(3)}
    done: list[int] = []

    def work(n: int) -> dict[str, Any]:
        done.append(n)
        return {"accuracy": n / 4}

    def run() -> dict[int, Any]:
        return dict(run_all(work, jobs, schema, verb="test", workers=1, progress=False))

    first = run()
    path = jobs[1].path
    path.write_text(path.read_text().replace("0.25", "0.75"))
    with pytest.warns(DamagedRecordWarning, match="checksum"):
        assert run() == first
    assert done == [0, 1, 2, 1]
    assert run() == first
    assert done == [0, 1, 2, 1]
