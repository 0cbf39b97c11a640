"""Small spiking networks of every kind, built by hand from operators.

Weights and currents are whole multiples of 1/64 (a mean of four weights: of 1/256), and potentials
start 1/1024 off, so that no potential ever meets a threshold: what simulators round differently
cannot change a spike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from bioconv.analog import AnalogGraph
from bioconv.analog.functions import Linear
from bioconv.analog.graph import Affine, GraphInput, Layer, Term
from bioconv.network import (
    Change,
    Drive,
    Input,
    Population,
    Projection,
    Readout,
    SpikingNetwork,
)
from bioconv.neurons import IntegrateAndFire, Integrator, LeakyIntegrateAndFire, MaxGate, Neuron
from bioconv.operators import (
    AveragePool,
    Conv,
    Dense,
    Operator,
    Polarity,
    Reshape,
    WindowCell,
    compose,
)

GRID, START = 1 / 64, 1 / 1024
STEPS = 60


def weights(shape: tuple[int, ...], spread: float, seed: int) -> NDArray[np.float64]:
    """Random weights on the grid, mostly positive."""
    random = np.random.default_rng(seed).normal(0.4 * spread, spread, shape)
    return np.round(random / GRID) * GRID


def samples(shape: tuple[int, ...], n: int = 2, seed: int = 0) -> NDArray[np.float64]:
    """Images in [0, 1] on the grid, the darkest and the brightest value among them."""
    x = np.round(np.random.default_rng(seed).random((n, *shape)) / GRID) * GRID
    x.reshape(n, -1)[:, :2] = 0.0, 1.0
    return x


def _population(name: str, shape: tuple[int, ...], neuron: Neuron) -> Population:
    start = {} if neuron.model.current == "" else {"v": float(neuron.value("v_rest")) + START}
    return Population(name, shape, neuron.model, dict(neuron.parameters), start)


def _network(
    name: str,
    inputs: Sequence[Input],
    populations: Sequence[Population],
    projections: Sequence[Projection],
    drives: Sequence[Drive] = (),
    changes: Sequence[Change] = (),
    kind: str = "count",
    dt: float = 1.0,
) -> SpikingNetwork:
    """A network read out from its last population; the analog network is a stand-in."""
    last = populations[-1]
    entry = inputs[0]
    flat = Reshape(entry.shape, (int(np.prod(entry.shape)),))
    matrix = np.zeros((flat.out_shape[0], last.shape[-1]))
    affine = Affine(
        (Term(entry.name, compose(flat, Dense(flat.out_shape, matrix))),),
        np.zeros(last.shape[-1:]),
        last.shape[-1:],
    )
    layer = Layer("out", Linear(), (affine,), last.shape[-1:])
    graph_inputs = tuple(GraphInput(i.name, i.shape) for i in inputs)
    return SpikingNetwork(
        name=name,
        dt=dt,
        n_steps=STEPS,
        inputs=tuple(inputs),
        populations=tuple(populations),
        projections=tuple(projections),
        drives=tuple(drives),
        changes=tuple(changes),
        readouts=(Readout("out", last.name, kind, Linear()),),
        analog=AnalogGraph(name, graph_inputs, (layer,), ("out",)),
    )


def dense() -> SpikingNetwork:
    """Current input, two layers, a readout that never spikes."""
    neuron = IntegrateAndFire()
    return _network(
        "dense",
        [Input("x", (6,))],
        [
            _population("hidden1", (12,), neuron),
            _population("hidden2", (10,), IntegrateAndFire(reset="value", v_reset=START)),
            _population("out", (4,), Integrator()),
        ],
        [
            Projection("hidden1", "hidden2", Dense((12,), weights((12, 10), 0.3, 1)), "syn"),
            Projection("hidden2", "out", Dense((10,), weights((10, 4), 0.5, 2)), "syn"),
        ],
        [Drive("x", "hidden1", Dense((6,), weights((6, 12), 0.3, 0)), grid=GRID)],
        kind="potential",
    )


def convolutional(encoder: str = "regular") -> SpikingNetwork:
    """Colour images as spikes; stride, padding, pooling; delays above one step; refractory."""
    shape = (7, 6, 3)
    first = Conv(shape, weights((3, 3, 3, 4), 0.4, 3), (2, 2), ((1, 1), (1, 0)))
    pool = AveragePool(first.out_shape, (2, 2), (2, 2))
    flat = Reshape(pool.out_shape, (int(np.prod(pool.out_shape)),))
    second = compose(pool, flat, Dense(flat.out_shape, weights((*flat.out_shape, 5), 0.6, 4)))
    refractory = IntegrateAndFire(t_ref=2.0)
    return _network(
        f"convolutional_{encoder}",
        [Input("image", shape, encoder, 0.6)],
        [
            _population("conv", first.out_shape, refractory),
            _population("out", (5,), IntegrateAndFire()),
        ],
        [
            Projection("image", "conv", first, "syn", delay_steps=3),
            Projection("conv", "out", second, "syn", delay_steps=5),
        ],
    )


def branches() -> SpikingNetwork:
    """Signed Poisson input, a shortcut with another delay, thresholds that change."""
    first, second = IntegrateAndFire(), IntegrateAndFire(t_ref=1.0)
    on_off = Polarity((2, 8))
    changes = [
        Change(0, "first", "v_th", 0.75),
        Change(20, "first", "v_th", np.linspace(0.5, 1.5, 9)),
        Change(20, "first", "i_offset", 0.125),
        Change(35, "last", "v", 0.25 + START),
    ]
    return _network(
        "branches",
        [Input("x", (8,), "poisson", 0.5, signed=True), Input("extra", (2,))],
        [
            _population("first", (9,), first),
            _population("middle", (9,), second),
            _population("last", (5,), first),
        ],
        [
            Projection(
                "x", "first", compose(on_off, Dense((8,), weights((8, 9), 0.4, 5))), "syn", 2
            ),
            Projection("first", "middle", Dense((9,), weights((9, 9), 0.4, 6)), "syn"),
            Projection("middle", "last", Dense((9,), weights((9, 5), 0.4, 8)), "syn"),
            Projection("first", "last", Dense((9,), weights((9, 5), 0.4, 9)), "syn", 3),
        ],
        [Drive("extra", "first", Dense((2,), weights((2, 9), 0.2, 10)), grid=GRID)],
        changes,
    )


def recurrent() -> SpikingNetwork:
    """A population that inhibits itself (the array simulator takes no circles)."""
    neuron = IntegrateAndFire(t_ref=1.0)
    return _network(
        "recurrent",
        [Input("x", (8,))],
        [_population("loop", (9,), neuron)],
        [Projection("loop", "loop", Dense((9,), -weights((9, 9), 0.3, 7)), "syn", 4)],
        [Drive("x", "loop", Dense((8,), np.abs(weights((8, 9), 0.3, 5))), grid=GRID)],
    )


def max_pooling(estimate: str = "count") -> SpikingNetwork:
    """Spiking max pooling: a gate with one receptor a source."""
    shape, size = (4, 4, 2), (2, 2)
    gate = MaxGate(4, estimate)
    pooled = (2, 2, 2)
    flat = Reshape(pooled, (8,))
    return _network(
        f"max_pooling_{estimate}",
        [Input("x", shape)],
        [
            _population("spiking", shape, IntegrateAndFire()),
            _population("pool", pooled, gate),
            _population("out", (3,), IntegrateAndFire()),
        ],
        [
            *(
                Projection(
                    "spiking", "pool", WindowCell(shape, size, size, ((0, 0), (0, 0)), p), f"p{p}"
                )
                for p in range(4)
            ),
            Projection("pool", "out", compose(flat, Dense((8,), weights((8, 3), 0.5, 11))), "syn"),
        ],
        [Drive("x", "spiking", Reshape(shape, shape))],
    )


def leaky(
    dt: float = 1.0, synapse: str = "exponential", reset: str = "value", delay: float = 2.0
) -> SpikingNetwork:
    """Leaky neurons with exponential synapses, delays and a refractory period."""
    neuron = LeakyIntegrateAndFire(reset=reset, synapse=synapse, t_ref=3.0, tau_m=20.0)
    scale = 600.0 if synapse == "exponential" else 4.0

    def kernel(shape: tuple[int, ...], seed: int) -> Operator:
        return Dense(shape[:1], weights(shape, 1.0, seed) * scale)

    network = _network(
        f"leaky_{synapse}_{reset}",
        [Input("x", (6,))],
        [_population("first", (10,), neuron), _population("middle", (8,), neuron)],
        [
            Projection("first", "middle", kernel((10, 8), 12), "syn", round(delay / dt)),
        ],
        [Drive("x", "first", Dense((6,), np.abs(weights((6, 10), 1.0, 14)) * 500.0))],
        dt=dt,
    )
    return replace(network, n_steps=round(100 / dt))
