"""Runs of a study: what they warn of reaches the caller, wherever and whenever they ran."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest

from bioconv.ground.errors import BioconvWarning, DataError, DataWarning
from bioconv.studies.runs import Job, run_all


def warn(n: int) -> dict[str, Any]:
    """One warning is the same in all runs, one is not; the last run fails."""
    warnings.warn("The samples are dark.", DataWarning, stacklevel=2)
    warnings.warn(f"Run {n} is odd.", BioconvWarning, stacklevel=2)
    if n == 2:
        raise DataError("no samples")
    return {"n": n}


def said(folder: Path, workers: int) -> list[tuple[type, str]]:
    jobs = {n: Job(folder / f"{n}.json", (n,)) for n in range(3)}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = dict(run_all(warn, jobs, {}, verb="test", workers=workers, progress=False))
    assert [found[n]["n"] for n in (0, 1)] == [0, 1] and found[2] == "no samples"
    return sorted(((w.category, str(w.message)) for w in caught), key=str)


@pytest.mark.parametrize("workers", [1, 2])
def test_warnings_of_runs_are_given_once_also_from_records(workers: int, tmp_path: Path) -> None:
    wanted = {(DataWarning, "The samples are dark.")}
    wanted |= {(BioconvWarning, f"Run {n} is odd.") for n in range(3)}
    for _ in range(2):  # the second time, two of three runs are finished
        assert said(tmp_path, workers) == sorted(wanted, key=str)
