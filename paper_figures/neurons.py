"""One layer of neurons without weights, for the figures that show a single neuron."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bioconv.analog import Affine, AnalogGraph, GraphInput, Layer, Term
from bioconv.analog.functions import Linear, ReLU
from bioconv.codes import RateCode
from bioconv.conversion import convert
from bioconv.operators import identity
from bioconv.simulators import simulate


def relu_rates(activation: NDArray, n_steps: int, code: RateCode) -> NDArray[np.float64]:
    """Return the spikes per step of neurons that represent given activations.

    Parameters
    ----------
    activation : ndarray, shape (n,)
        Between 0 and 1.
    n_steps : int
        Number of steps in which spikes are counted.
    code : RateCode

    Returns
    -------
    ndarray, shape (n,)
    """
    shape = (len(activation),)
    zero = np.zeros(1)
    relu = Layer("relu", ReLU(), (Affine((Term("x", identity(shape)),), zero, shape),), shape)
    output = Layer("y", Linear(), (Affine((Term("relu", identity(shape)),), zero, shape),), shape)
    graph = AnalogGraph("relu", (GraphInput("x", shape),), (relu, output), ("y",))
    x = np.asarray(activation, dtype=np.float64)[None]
    network = convert(graph, calibration=np.ones_like(x), code=code)
    population = network.populations[0]
    recording = simulate(
        network,
        x,
        steps=n_steps + population.start_step,
        record={population.name: ("counts",)},
        dtype="float64",
        progress=False,
    )
    return recording.counts[population.name][0] / n_steps
