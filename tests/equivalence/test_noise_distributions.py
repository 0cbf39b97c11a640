"""Noise that is drawn while a network runs: the same distributions in every simulator.

Random numbers differ between simulators, so their statistics are compared: each with its standard
error.  A difference of five standard errors fails; it happens by chance once in 1.7 million, and
seeds are fixed.  Where n values are compared, a mean that is off by 7 / sqrt(n) of their deviation
is found with a probability of 98 %, for n of some thousands a few percent.  What draws nothing has
to be equal, spike by spike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pytest
from dynamic_networks import ONE, chain, steps_of

import bioconv as bc
from bioconv import noise
from bioconv.network import SpikingNetwork
from bioconv.network.recording import Recording
from bioconv.operators import Dense

SIGMAS = 5.0
N = 400

Maker = Callable[[], SpikingNetwork]

#: what draws nothing
FIXED: dict[str, Maker] = {
    "registers": lambda: noise.disturb(
        chain(N), noise.StateSaturation(-0.5, 1.02), noise.FixedPointState(2.0**-6)
    ),
    "drift": lambda: noise.disturb(chain(N), noise.Drift("threshold", 0.5)),
    "relay": lambda: noise.axon.with_axons(chain(N)),
}
#: what draws
RANDOM: dict[str, Maker] = {
    "axons": lambda: noise.disturb(
        chain(N), noise.SpikeJitter(1.0), noise.SpikeLoss(0.2), noise.SpuriousSpikes(20.0)
    ),
    "failure": lambda: noise.disturb(chain(N, synapses=_mixed()), noise.SynapticFailure(0.3)),
    "thermal": lambda: noise.disturb(
        chain(N, period=100.0), noise.ThermalNoise(300.0, capacitance=0.001, tau=10.0)
    ),
    "shot": lambda: noise.disturb(
        chain(N, period=100.0), noise.ShotNoise(1.0, capacitance=0.01, swing=0.3)
    ),
    "flicker": lambda: noise.disturb(chain(N), noise.FlickerNoise(0.1, tau_max=100.0)),
}


def _mixed() -> Dense:
    return Dense((N,), np.random.default_rng(0).normal(0.1, 1.0, (N, 200)))


def run(make: Maker, simulator: str, seed: int = 1) -> Recording:
    network = make()
    record = {p.name: ("spikes",) for p in network.populations if p.model.threshold}
    last = network.populations[0].model.states[0].name
    record = {**record, "cells": ("spikes", last), "out": ("v",)}
    return bc.simulate(
        network,
        ONE,
        simulator=simulator,
        dtype="float64",
        record=record,
        seed=seed,
        progress=False,
    )


def statistics(name: str, recording: Recording) -> dict[str, np.ndarray]:
    """Samples, independent of each other, whose mean and deviation are compared."""
    found = {"out": recording.traces["out", "v"][0][-1]}
    if name in ("thermal", "shot", "flicker"):
        intervals = [steps[:1] for steps in steps_of(recording, "cells", N)]
        found = {"first": np.concatenate(intervals).astype(float)}
    if name in ("thermal", "shot"):
        found["v"] = recording.traces["cells", "v"][0][60]
    if name == "axons":
        before, after = (steps_of(recording, part, N) for part in ("cells", "cells_axon"))
        found["spikes"] = np.array([len(steps) for steps in after], float)
        delays = [
            np.min(b[b > a[0] + 1], initial=a[0] + 50) - a[0]
            for a, b in zip(before, after, strict=True)
        ]
        found["delay"] = np.array(delays, float)
    return found


def assert_alike(name: str, a: Recording, b: Recording) -> None:
    ours, theirs = statistics(name, a), statistics(name, b)
    for key, x in ours.items():
        y = theirs[key]
        assert x.std() > 0, f"{key}: nothing was drawn"
        error = np.hypot(x.std() / np.sqrt(len(x)), y.std() / np.sqrt(len(y)))
        assert abs(x.mean() - y.mean()) < SIGMAS * error, f"{name}: means of {key}"
        # of a deviation, from the fourth moments: no distribution is assumed
        spread = np.hypot(*(_error_of_variance(z) for z in (x, y)))
        assert abs(x.var() - y.var()) < SIGMAS * spread, f"{name}: variances of {key}"


def _error_of_variance(x: np.ndarray) -> float:
    return float(np.std((x - x.mean()) ** 2) / np.sqrt(len(x)))


def assert_same(a: Recording, b: Recording) -> None:
    for name, raster in a.rasters.items():
        assert len(raster.step)
        for column in ("step", "neuron"):
            np.testing.assert_array_equal(getattr(raster, column), getattr(b.rasters[name], column))


def _marked(names: Iterable[str], slow: set[str]) -> list[Any]:
    return [pytest.param(n, marks=pytest.mark.slow) if n in slow else n for n in names]


@pytest.mark.parametrize("name", _marked(FIXED, {"drift", "relay"}))
def test_what_draws_nothing_is_equal_in_brian2(name: str) -> None:
    assert_same(run(FIXED[name], "array"), run(FIXED[name], "brian2"))


@pytest.mark.parametrize("name", _marked(RANDOM, {"flicker", "failure", "shot", "axons"}))
def test_distributions_in_brian2(name: str) -> None:
    assert_alike(name, run(RANDOM[name], "array"), run(RANDOM[name], "brian2"))


@pytest.mark.slow
@pytest.mark.parametrize("name", FIXED)
def test_what_draws_nothing_is_equal_in_nest(name: str) -> None:
    pytest.importorskip("nest")
    assert_same(run(FIXED[name], "array"), run(FIXED[name], "nest"))


@pytest.mark.slow
@pytest.mark.parametrize("name", RANDOM)
def test_distributions_in_nest(name: str) -> None:
    pytest.importorskip("nest")
    assert_alike(name, run(RANDOM[name], "array"), run(RANDOM[name], "nest"))


@pytest.mark.slow
@pytest.mark.parametrize("name", RANDOM)
def test_seeds_of_one_simulator_spread_as_much(name: str) -> None:
    """The same bounds hold between two seeds of the array simulator, and their spikes differ."""
    a, b = (run(RANDOM[name], "array", seed) for seed in (1, 2))
    assert_alike(name, a, b)
    assert any(
        not np.array_equal(x, statistics(name, b)[key]) for key, x in statistics(name, a).items()
    )
