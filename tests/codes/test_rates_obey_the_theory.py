"""Simulated rates are those of rueckauer Eqs 6-8: the analog ones less errors that are carried on.

With reset by subtraction a neuron's rate is its mean input less what its potential still holds,
``delta_V = (V(T) - V(0)) / (threshold T)``; the errors of a layer reach the next one through its
weights.  A spike needs one step to the next layer, so what a neuron has received until step T are
the spikes of T - 1 steps.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray
from small_graphs import affine, graph, layer

import bioconv as bc
from bioconv.analog import AnalogGraph, evaluate
from bioconv.analog.functions import Linear, ReLU
from bioconv.neurons import IntegrateAndFire
from bioconv.operators import Dense

RNG = np.random.default_rng(3)
X = RNG.random((20, 5))
STEPS = (20, 75, 200)
HIDDEN = ("dense_1", "dense_2", "dense_3")
Floats = NDArray[np.float64]


def deep(*, all_active: bool) -> AnalogGraph:
    """Three hidden layers, whose biases may be such that no neuron is silent."""
    layers, source, values = [], "x", X
    for name in HIDDEN:
        n = values.shape[1]
        weights, bias = RNG.normal(0, 1 / np.sqrt(n), (n, 8)), RNG.normal(0, 0.1, 8)
        if all_active:
            bias = 0.2 - (values @ weights).min(axis=0)
        layers.append(layer(name, ReLU(), affine((source, Dense((n,), weights)), bias=bias)))
        source, values = name, np.maximum(values @ weights + bias, 0)
    last = layer("out", Linear(), affine((source, Dense((8,), RNG.normal(size=(8, 3))))))
    return graph(*layers, last, shape=(5,))


@dataclass(frozen=True)
class Found:
    """Of each hidden layer, by step: spikes so far, and what the potential holds, in thresholds.

    Parameters
    ----------
    n : dict of str to ndarray, shape (samples, steps + 1, neurons)
    held : dict of str to ndarray, the same shape
    mean : dict of str to ndarray
        Constant input of each neuron in a step.
    weights : dict of str to ndarray, shape (sources, neurons)
    """

    n: dict[str, Floats]
    held: dict[str, Floats]
    mean: dict[str, Floats]
    weights: dict[str, Floats]


def simulated(model: AnalogGraph, initial: str, reset: str = "subtraction") -> Found:
    code = bc.RateCode(percentile=100, normalization="layer", initial=initial, clamp=0)
    network = bc.convert(model, calibration=X, code=code, neuron=IntegrateAndFire(reset=reset))
    record = {name: ("v", "spikes") for name in HIDDEN}
    recording = bc.simulate(
        network, X, steps=max(STEPS), record=record, dtype="float64", progress=False
    )
    found = Found({}, {}, {}, {})
    for name in HIDDEN:
        population = network.population(name)
        raster = recording.rasters[name]
        spikes = np.zeros((len(X), max(STEPS), 8))
        spikes[raster.image, raster.step, raster.neuron] = 1
        found.n[name] = np.pad(spikes.cumsum(axis=1), ((0, 0), (1, 0), (0, 0)))
        start = np.broadcast_to(population.start("v"), (8,))
        v = recording.traces[name, "v"] - start
        found.held[name] = np.pad(v, ((0, 0), (1, 0), (0, 0))) / float(population.value("v_th"))
        bias = np.broadcast_to(population.value("i_offset"), (8,))
        found.mean[name] = bias + sum(
            (np.asarray(d.operator.apply(X)) for d in network.drives if d.post == name),
            np.zeros((len(X), 8)),
        )
        for entry in network.projections:
            if entry.post == name:
                found.weights[name] = np.asarray(entry.operator.apply(np.eye(8)))
                assert entry.delay_steps == 1
    return found


def received(found: Found, name: str, before: str | None, steps: int) -> Floats:
    """Mean input of a neuron in thresholds a step: Eq 7 without its last term."""
    if before is None:
        return found.mean[name]
    spikes = found.n[before][:, steps - 1] / steps
    return found.mean[name] + spikes @ found.weights[name]


@pytest.mark.parametrize("initial", ["zero", "half"])
def test_rates_of_every_layer_are_the_mean_input_less_what_the_potential_holds(
    initial: str,
) -> None:
    """Eqs 6 and 7, for silent neurons as well."""
    found = simulated(deep(all_active=False), initial)
    assert any((found.n[name][:, -1] == 0).any() for name in HIDDEN)
    for name, before in zip(HIDDEN, (None, *HIDDEN), strict=False):
        for steps in STEPS:
            rate = found.n[name][:, steps] / steps
            error = found.held[name][:, steps] / steps
            expected = received(found, name, before, steps) - error
            np.testing.assert_allclose(rate, expected, atol=1e-5)


def test_errors_are_carried_from_layer_to_layer() -> None:
    """Eq 8, where no neuron is silent or saturated: the analog activation less all errors."""
    model = deep(all_active=True)
    found = simulated(model, "zero")
    values = evaluate(model, X, names=list(HIDDEN), dtype="float64")
    for steps in STEPS:
        carried = np.zeros((len(X), 8))
        for name, before in zip(HIDDEN, (None, *HIDDEN), strict=False):
            activation = values[name] / values[name].max()
            assert activation.min() > 0
            if before is not None:
                late = found.n[before][:, steps] - found.n[before][:, steps - 1]
                carried = (carried + late / steps) @ found.weights[name]
            carried = carried + found.held[name][:, steps] / steps
            rate = found.n[name][:, steps] / steps
            np.testing.assert_allclose(rate, activation - carried, atol=1e-5)
        assert np.abs(carried).max() > 1 / steps  # more than one layer alone can have


def test_a_reset_to_zero_loses_more_than_the_potential_holds() -> None:
    """Eq 5: why the equations above are those of reset by subtraction."""
    found = simulated(deep(all_active=True), "zero", reset="value")
    rate = found.n["dense_1"][:, -1] / max(STEPS)
    lost = received(found, "dense_1", None, max(STEPS)) - rate
    assert (lost - found.held["dense_1"][:, -1] / max(STEPS)).max() > 0.05
