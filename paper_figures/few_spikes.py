"""Simulations of few-spikes neurons and streams, for several figures of Stoeckl and Maass."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from bioconv.analog import Affine, AnalogGraph, GraphInput, Layer, Term
from bioconv.analog.functions import Function, Linear
from bioconv.codes import FewSpikesCode
from bioconv.codes.few_spikes.pipeline import simulate_stream, stream
from bioconv.conversion import convert
from bioconv.network import SpikingNetwork
from bioconv.operators import Dense, identity
from bioconv.simulators import simulate

Floats = NDArray[np.float64]


def neuron_responses(function: Function, code: FewSpikesCode, x: Floats) -> dict[str, Floats]:
    """Return the responses of a network of one neuron to inputs.

    Parameters
    ----------
    function : Function
    code : FewSpikesCode
    x : ndarray, shape (n,)

    Returns
    -------
    dict of str to ndarray
        ``output`` (n,), the value that the spikes represent; ``spikes`` (n, K); ``v`` (n, K), the
        potential at the end of each step in units of the input (of alpha for a ReLU).
    """
    network = convert(chain({"neuron": function}), calibration=x[:, None], code=code)
    k = len(network.population("neuron").spike_values)
    recording = simulate(
        network,
        x[:, None],
        record={"neuron": ("spikes", "v")},
        dtype="float64",
        batch_size=max(len(x), 1),
        progress=False,
    )
    raster = recording.rasters["neuron"]
    spikes = np.zeros((len(x), network.n_steps))
    spikes[raster.image, raster.step] = 1.0
    return {
        "output": recording.outputs["out"][:, 0],
        "spikes": spikes[:, :k],
        "v": recording.traces["neuron", "v"][:, :k, 0],
    }


def chain(functions: Mapping[str, Function]) -> AnalogGraph:
    """Return a chain of neurons and an output, with their names and functions."""
    sources = ["x", *functions]
    layers = [
        _layer(name, function, source)
        for (name, function), source in zip(functions.items(), sources, strict=False)
    ]
    # A matrix is used, as functions that are only moved to the output would be computed there.
    weights = Affine((Term(sources[-1], Dense((1,), np.ones((1, 1)))),), np.zeros(1), (1,))
    last = Layer("out", Linear(), (weights,), (1,), ("out",))
    return AnalogGraph("chain", (GraphInput("x", (1,)),), (*layers, last), ("out",))


def found_in_stream(network: SpikingNetwork, x: Floats) -> dict[str, Floats]:
    """Check whether samples in a stream have the same outputs as when they are presented alone.

    Parameters
    ----------
    network : SpikingNetwork
        With one output.
    x : ndarray, shape (n, *input shape)
        Different samples.

    Returns
    -------
    dict of str to ndarray
        ``interval``, steps from one sample to the next; ``own``, the share of samples whose output
        in the stream equals that of the same sample presented alone, and of no other sample.
    """
    alone = simulate(network, x, dtype="float64", progress=False)
    together = simulate_stream(network, x, progress=False)
    one, other = (
        np.reshape(recording.outputs[recording.readout], (len(x), -1))
        for recording in (alone, together)
    )
    equal = (one[:, None] == other[None]).all(axis=-1)
    return {
        "interval": np.array(float(stream(network, x).interval)),
        "own": np.array(np.mean(np.diag(equal) & (equal.sum(axis=0) == 1))),
    }


def _layer(name: str, function: Function, source: str) -> Layer:
    affine = Affine((Term(source, identity((1,))),), np.zeros(1), (1,))
    return Layer(name, function, (affine,), (1,), (name,))


def mean_squared_error(found: Floats, exact: Floats) -> float:
    """Return the mean squared error of an approximation."""
    return float(np.mean((found - exact) ** 2))
