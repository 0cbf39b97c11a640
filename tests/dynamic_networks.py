"""Small networks whose spikes on their way, potentials and synapses are looked at in numbers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bioconv.analog import AnalogGraph
from bioconv.analog.functions import Linear
from bioconv.analog.graph import Affine, GraphInput, Layer, Term
from bioconv.network import (
    Drive,
    Input,
    Population,
    Projection,
    Readout,
    SpikingNetwork,
)
from bioconv.network.recording import Recording
from bioconv.neurons import IntegrateAndFire, Integrator, Neuron
from bioconv.operators import Dense, Operator, identity

#: one sample: a drive of 1
ONE = np.ones((1, 1))


def chain(
    n: int,
    neuron: Neuron | None = None,
    *,
    period: float = 10.0,
    synapses: Operator | None = None,
    steps: int = 205,
    dt: float = 1.0,
) -> SpikingNetwork:
    """Cells that fire regularly, each onto a neuron of its own that adds up.

    Parameters
    ----------
    n : int
    neuron : Neuron, optional
        Default: perfect integrators.
    period : float
        ms from spike to spike of perfect integrators.
    synapses : Operator, optional
        Default: one to one, of weight 1.
    steps : int
    dt : float
    """
    neuron = neuron or IntegrateAndFire()
    synapses = synapses or identity((n,))
    out = synapses.out_shape
    drive = Dense((1,), np.full((1, n), 1.0 / period))
    matrix = Affine((Term("x", Dense((1,), np.ones((1, *out)))),), np.zeros(out), out)
    return SpikingNetwork(
        name="chain",
        dt=dt,
        n_steps=steps,
        inputs=(Input("x", (1,)),),
        populations=(
            # half a step's charge off, so that no potential meets the threshold
            Population("cells", (n,), neuron.model, dict(neuron.parameters), {"v": 0.03125}),
            Population("out", out, Integrator().model),
        ),
        projections=(Projection("cells", "out", synapses, "syn"),),
        drives=(Drive("x", "cells", drive),),
        changes=(),
        readouts=(Readout("out", "out", "potential", Linear()),),
        analog=AnalogGraph(
            "chain", (GraphInput("x", (1,)),), (Layer("out", Linear(), (matrix,), out),), ("out",)
        ),
    )


def steps_of(recording: Recording, name: str, n: int) -> list[NDArray[np.int64]]:
    """Steps of the spikes of each neuron of a population, for the first sample."""
    raster = recording.rasters[name]
    of_first = raster.image == 0
    order = np.lexsort((raster.step[of_first], raster.neuron[of_first]))
    neuron, step = raster.neuron[of_first][order], raster.step[of_first][order]
    return np.split(step, np.searchsorted(neuron, np.arange(1, n)))
