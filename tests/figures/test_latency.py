"""Accuracy over time in parts, of which an interrupted run keeps those that are finished."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from later import later

from bioconv.codes import RateCode
from bioconv.paper_figures.frame import Context

latency = later("bioconv.paper_figures.latency")
workloads = later("bioconv.paper_figures.workloads")
N_STEPS = 20


def test_parts_are_the_whole_and_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BIOCONV_CACHE", str(tmp_path))
    workload, code = workloads.digits("digits_mlp", 30), RateCode(clamp=1)
    quick, full = Context(quick=True, progress=False), Context(progress=False)
    steps, whole = latency.accuracy_over_time(workload, code, N_STEPS, quick)
    assert not (tmp_path / "figures").exists()
    monkeypatch.setattr(
        "bioconv.paper_figures.latency._PART", 600 * N_STEPS
    )  # five images of a network of 106
    again, parts = latency.accuracy_over_time(workload, code, N_STEPS, full)
    np.testing.assert_array_equal(again, steps)
    np.testing.assert_allclose(parts, whole)
    assert len(list((tmp_path / "figures").glob("*.npz"))) == 6

    def unneeded(*_: object, **__: object) -> None:
        raise AssertionError("simulated again")

    monkeypatch.setattr("bioconv.paper_figures.latency.simulate", unneeded)
    np.testing.assert_array_equal(
        latency.accuracy_over_time(workload, code, N_STEPS, full)[1], parts
    )
    with pytest.raises(AssertionError, match="simulated again"):
        latency.accuracy_over_time(workload, replace(code, percentile=90.0), N_STEPS, full)


def test_speedup_counts_the_end_where_an_accuracy_is_not_reached() -> None:
    result = {
        "analog": np.array(0.9),
        "steps": np.array([1, 2, 3, 4]),
        "slow": np.array([np.nan, 0.1, 0.5, 0.6]),
        "fast": np.array([np.nan, 0.9, 0.9, 0.9]),
    }
    assert latency.speedup(result, "slow", "fast") == 2.0
    assert latency.steps_to(result, "slow", 0.99) == np.inf
