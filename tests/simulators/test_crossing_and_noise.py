"""Crossing neurons fire the same spikes everywhere; noise has the same distribution everywhere."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import random_networks as networks
from numpy.testing import assert_allclose, assert_array_equal

import bioconv as bc
from bioconv.network.recording import Recording

DRIVES = np.array([[0.0, 0.2, 0.4, 0.6, 1.0, 1.4], [1.5, 0.5, 0.3, 0.7, 0.0, 0.9]])
TRACED = {"waves": ("spikes", "v"), "more": ("spikes", "w"), "cells": ("spikes", "v")}
NOISY = {"process": ("spikes", "v"), "cells": ("v",)}
SIMULATORS = ("array", "brian2", "nest")


@cache
def deterministic(simulator: str) -> Recording:
    return bc.simulate(
        networks.deterministic(), DRIVES, simulator=simulator, record=TRACED, dtype="float64"
    )


@cache
def random(simulator: str, images: int = 2, seed: int = 4, **options: str) -> Recording:
    x = np.zeros((images, 1))
    return bc.simulate(
        networks.random(),
        x,
        simulator=simulator,
        record=NOISY,
        seed=seed,
        dtype="float64",
        **options,
    )


def rows(recording: Recording, name: str) -> np.ndarray:
    raster = recording.rasters[name]
    return np.stack([raster.image, raster.step, raster.neuron], axis=1)


@pytest.mark.parametrize("simulator", ["brian2", pytest.param("nest", marks=pytest.mark.slow)])
def test_crossings_and_resets_are_identical(simulator: str) -> None:
    found, expected = deterministic(simulator), deterministic("array")
    for name in TRACED:
        assert len(rows(expected, name)) > 20, "a comparison of silent populations says nothing"
        assert_array_equal(rows(found, name), rows(expected, name), err_msg=name)
    for key, trace in expected.traces.items():
        assert_allclose(found.traces[key], trace, atol=1e-9)


def test_one_spike_for_each_crossing() -> None:
    """The spikes of the first population, from its potential at the ends of the steps."""
    recording = deterministic("array")
    v = recording.traces["waves", "v"]
    level = np.ones(networks.STEPS)
    level[60] = -5.0
    above = v > level[:, None]
    # A neuron is released if it lies below the level of the step, at the end of the last one.
    before = np.concatenate([np.full_like(v[:, :1], -1.2), v[:, :-1]], axis=1)
    before[:, 75] = 2.0
    blocked = np.zeros_like(above[:, 0])
    for step in range(networks.STEPS):
        blocked &= before[:, step] > level[step]
        fires = above[:, step] & ~blocked
        raster = rows(recording, "waves")
        expected = np.zeros_like(fires)
        expected[tuple(raster[raster[:, 1] == step][:, [0, 2]].T)] = True
        assert_array_equal(fires, expected, err_msg=f"step {step}")
        blocked |= fires
    at_change = rows(recording, "waves")[:, 1] == 60
    assert at_change.sum() >= 10, "the scheduled fall of the level is a crossing"


@pytest.mark.parametrize(
    "simulator",
    [s if s == "array" else pytest.param(s, marks=pytest.mark.slow) for s in SIMULATORS],
)
def test_noise_has_the_moments_of_the_closed_form(simulator: str) -> None:
    recording = random(simulator)
    n, dt, tau = networks.N_NOISY, networks.DT, networks.TAU
    euler, exact = 1 - dt / tau, np.exp(-dt / tau)
    jump = networks.NOISE / np.sqrt(dt) * tau / networks.C_M * (1 - exact)
    cases = {
        "process": (euler, networks.SIGMA * np.sqrt(2 * dt / tau)),
        "cells": (exact, jump),
    }
    for name, (decay, step) in cases.items():
        v = recording.traces[name, "v"]
        expected = step**2 * (1 - decay ** (2 * networks.STEPS)) / (1 - decay**2)
        for last in v[:, -1]:
            assert abs(last.mean() + 65) < 5 * np.sqrt(expected / n)
            assert abs(last.var(ddof=1) / expected - 1) < 5 * np.sqrt(2 / (n - 1))
            assert abs(np.corrcoef(last[1:], last[:-1])[0, 1]) < 5 / np.sqrt(n)
        lag = np.corrcoef(v[0, -1], v[0, -21])[0, 1]
        assert abs(lag - decay**20) < 5 * (1 - decay**40) / np.sqrt(n)
        images = np.corrcoef(v[0, -1], v[1, -1])[0, 1]
        assert abs(images) < 5 / np.sqrt(n), "each image has its own noise"
    close = networks.SIGMA**2 * (1 - np.exp(-2 * networks.STEPS * dt / tau))
    assert abs(recording.traces["process", "v"][:, -1].var() / close - 1) < 0.15


@pytest.mark.parametrize(
    "simulator",
    [s if s == "array" else pytest.param(s, marks=pytest.mark.slow) for s in SIMULATORS],
)
def test_the_same_seed_gives_the_same_spikes(simulator: str) -> None:
    both, alone, other = random(simulator), random(simulator, 1), random(simulator, 1, seed=5)
    first = rows(both, "process")[rows(both, "process")[:, 0] == 0]
    assert len(first) > 1000
    assert_array_equal(rows(alone, "process"), first)
    assert_array_equal(alone.traces["cells", "v"][0], both.traces["cells", "v"][0])
    assert len(rows(other, "process")) != len(first)


def test_populations_have_their_own_noise() -> None:
    traces = random("array").traces
    a, b = (np.diff(traces[name, "v"][0, -2:], axis=0)[0] for name in ("process", "cells"))
    assert abs(np.corrcoef(a, b)[0, 1]) < 5 / np.sqrt(len(a))


@pytest.mark.slow
def test_noise_does_not_depend_on_batch_and_chunk() -> None:
    from bioconv.simulators import array
    from bioconv.simulators.settings import Settings

    network, x = networks.random(), np.zeros((3, 1))
    found = []
    for batch, chunk_bytes in ((1, 1 << 24), (2, 1 << 18), (3, 1 << 28)):
        settings = Settings(
            simulator="array", n_steps=50, batch_size=batch, seed=7, record=NOISY, dtype="float32"
        )
        found.append(array.run(network, {"x": x}, settings, chunk_bytes=chunk_bytes))
    for other in found[1:]:
        assert_array_equal(rows(other, "process"), rows(found[0], "process"))
        assert_array_equal(other.traces["cells", "v"], found[0].traces["cells", "v"])


@pytest.mark.slow
@pytest.mark.parametrize("codegen", ["cython", "cpp_standalone"])
def test_compiled_brian2_has_the_same_moments(codegen: str) -> None:
    recording = random("brian2", codegen=codegen)
    expected = networks.SIGMA**2 * (1 - np.exp(-2 * networks.STEPS * networks.DT / networks.TAU))
    last = recording.traces["process", "v"][:, -1]
    assert np.all(np.abs(last.var(axis=1) / expected - 1) < 0.2)
    assert abs(np.corrcoef(last)[0, 1]) < 5 / np.sqrt(networks.N_NOISY)
    again = random("brian2", 1, codegen=codegen)
    assert_array_equal(again.traces["process", "v"][0], recording.traces["process", "v"][0])
