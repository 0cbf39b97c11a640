"""A small network written by hand, with its recording, for the tests of several rooms."""

from __future__ import annotations

from typing import Any

import numpy as np

from bioconv.analog import AnalogGraph
from bioconv.analog.functions import Linear, ReLU
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
from bioconv.network.recording import Recording
from bioconv.network.recording_parts import Raster
from bioconv.neurons import IntegrateAndFire
from bioconv.operators import Chain, Conv, Dense, Polarity, Reshape

SHAPE = (6, 6, 1)


def analog_graph(seed: int = 0) -> AnalogGraph:
    """A convolution with ReLU and a dense layer: 6x6x1 -> 4x4x2 -> 3."""
    rng = np.random.default_rng(seed)
    conv = Conv(SHAPE, rng.normal(0, 0.5, (3, 3, 1, 2)))
    dense = Chain((Reshape((4, 4, 2), (32,)), Dense((32,), rng.normal(0, 0.4, (32, 3)))))
    hidden = Affine((Term("image", conv),), rng.normal(0, 0.1, (1, 1, 2)), (4, 4, 2))
    output = Affine((Term("conv2d/relu", dense),), rng.normal(0, 0.1, 3), (3,))
    return AnalogGraph(
        "sample",
        (GraphInput("image", SHAPE),),
        (
            Layer("conv2d/relu", ReLU(), (hidden,), (4, 4, 2), ("conv2d", "relu")),
            Layer("dense", Linear(), (output,), (3,)),
        ),
        ("dense",),
    )


def spiking_network(encoder: str = "current", **changes: Any) -> SpikingNetwork:
    """The spiking network of `analog_graph`, or a copy with some fields replaced."""
    graph = analog_graph()
    conv, dense = (layer.inputs[0].terms[0].operator for layer in graph.layers)
    neuron = IntegrateAndFire().model
    bias = np.asarray(graph.layers[0].inputs[0].bias)
    hidden = Population(
        "conv", (4, 4, 2), neuron, {"i_offset": bias}, {"v": 0.5}, "conv2d/relu", np.array(0.8)
    )
    output = Population(
        "out", (3,), neuron, layer="dense", scale=np.array(1.0), start_step=1, offset=np.zeros(3)
    )
    signed = Polarity((2, *SHAPE))
    drives: tuple[Drive, ...] = (Drive("image", "conv", conv, 2.0**-20),)
    projections: tuple[Projection, ...] = (Projection("conv", "out", dense, "syn", 2),)
    if encoder != "current":
        drives = ()
        projections = (Projection("image", "conv", Chain((signed, conv)), "syn"), *projections)
    fields: dict[str, Any] = {
        "name": "sample",
        "dt": 1.0,
        "n_steps": 40,
        "inputs": (Input("image", SHAPE, encoder, 0.5, signed=encoder != "current"),),
        "populations": (hidden, output),
        "projections": projections,
        "drives": drives,
        "changes": (Change(3, "out", "i_offset", np.array([0.1, 0.2, 0.3])),),
        "readouts": (Readout("dense", "out", "count", Linear()),),
        "analog": graph,
        "code": {"code": "rate", "percentile": 99.9, "clamp": 1, "balance_delays": True},
    }
    return SpikingNetwork(**{**fields, **changes})


def images(n: int = 12, seed: int = 1) -> np.ndarray:
    """Samples of the network, shape (n, 6, 6, 1)."""
    return np.random.default_rng(seed).uniform(0, 1, (n, *SHAPE))


def ideal_counts(network: SpikingNetwork, x: np.ndarray) -> dict[str, np.ndarray]:
    """Spike counts of a network that codes every activation as well as whole counts allow."""
    exact = network.analog.activations(x)
    counts = {}
    for population in network.populations:
        share = (np.asarray(exact[population.layer]) - population.offset) / population.scale
        steps = network.n_steps - population.start_step
        whole = np.clip(np.round(share * steps), 0, steps).astype(np.int64)
        counts[population.name] = whole.reshape(len(x), -1)
    return counts


def recording_of(network: SpikingNetwork, x: np.ndarray, **changes: Any) -> Recording:
    """A recording as an ideal rate code would give it, every count spread evenly over time."""
    counts = changes.get("counts") or ideal_counts(network, x)
    steps = np.arange(1, network.n_steps + 1)
    last = network.readouts[0]
    population = network.population(last.population)
    over_time = np.round(counts[population.name][..., None] * steps / network.n_steps)
    duration = network.n_steps - population.start_step
    decoded = population.scale * counts[population.name] / duration + population.offset
    fields: dict[str, Any] = {
        "network": network.name,
        "simulator": "array",
        "dt": network.dt,
        "n_steps": network.n_steps,
        "n_images": len(x),
        "outputs": {last.name: decoded},
        "checkpoints": steps,
        "classes": {last.name: over_time.argmax(axis=1)},
        "spikes_per_image": {name: c.sum(axis=1) for name, c in counts.items()},
        "spikes_per_neuron": {name: c.sum(axis=0) for name, c in counts.items()},
        "synaptic_operations": counts["conv"].sum(axis=1) * 3.0,
        "counts": counts,
        "rasters": {name: _raster(c, network.n_steps) for name, c in counts.items()},
        "traces": {("conv", "v"): _traces(counts["conv"], network.n_steps)},
        "seconds": {"build": 0.1, "run": 0.2},
        "versions": {"jax": "0"},
    }
    return Recording(**{**fields, **changes})


def _raster(counts: np.ndarray, n_steps: int) -> Raster:
    """Evenly spread spikes: a neuron fires in the steps in which its running count rises."""
    running = np.floor(counts[:, None, :] * np.arange(n_steps + 1)[:, None] / n_steps + 1e-9)
    image, step, neuron = np.nonzero(np.diff(running, axis=1))
    return Raster(image, step, neuron)


def _traces(counts: np.ndarray, n_steps: int) -> np.ndarray:
    return (counts[:, None, :] * np.arange(1, n_steps + 1)[:, None] / n_steps) % 1.0
