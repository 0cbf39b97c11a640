"""One few-spikes neuron, simulated: what several figures of Stoeckl and Maass show."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bioconv.analog import Affine, AnalogGraph, GraphInput, Layer, Term
from bioconv.analog.functions import Function, Linear
from bioconv.codes import FewSpikesCode
from bioconv.conversion import convert
from bioconv.operators import identity
from bioconv.simulators import simulate

Floats = NDArray[np.float64]


def neuron_responses(function: Function, code: FewSpikesCode, x: Floats) -> dict[str, Floats]:
    """Answers of a network of one neuron to inputs.

    Parameters
    ----------
    function : Function
    code : FewSpikesCode
    x : ndarray, shape (n,)

    Returns
    -------
    dict of str to ndarray
        ``output`` (n,), what the spikes say; ``spikes`` (n, K); ``v`` (n, K), the potential at the
        end of each step in units of the input (of alpha for a ReLU).
    """
    one = (1,)
    layers = (_layer("neuron", function, "x"), _layer("out", Linear(), "neuron"))
    graph = AnalogGraph("one", (GraphInput("x", one),), layers, ("out",))
    network = convert(graph, calibration=x[:, None], code=code)
    k = int(network.code["k"])
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


def _layer(name: str, function: Function, source: str) -> Layer:
    affine = Affine((Term(source, identity((1,))),), np.zeros(1), (1,))
    return Layer(name, function, (affine,), (1,), (name,))


def mean_squared_error(found: Floats, exact: Floats) -> float:
    """Of an approximation."""
    return float(np.mean((found - exact) ** 2))
