"""A network with crossing neurons, neurons with a reset, and neurons with noise."""

from __future__ import annotations

import numpy as np
from array_networks import network

from bioconv import neurons
from bioconv.network import Change, Drive, Population, Projection, SpikingNetwork
from bioconv.neurons import Neuron, NeuronModel, Parameter, Receptor, State
from bioconv.operators import Dense, identity

N_NOISY, STEPS, DT = 2000, 160, 0.5
TAU, SIGMA, NOISE, C_M = 20.0, 2.0, 30.0, 250.0

#: FitzHugh and Nagumo's equations with time in ms, and a threshold with a sub-expression
CROSSING = NeuronModel(
    name="small_crossing",
    equations="""height = v - level : 1
        dv/dt = (v - v**3 / 3 - w + i_offset) / tau : 1
        dw/dt = 0.08 * (v + 0.7 - 0.8 * w) / tau : 1""",
    threshold="height > 0",
    reset="",
    method="rk4",
    parameters=(
        Parameter("level", 1.0, "1", "Threshold"),
        Parameter("tau", 1.0, "ms", "Time"),
        Parameter("i_offset", 0.0, "1", "Current"),
    ),
    states=(
        State("v", -1.2, "1", "Potential"),
        State("w", -0.6, "1", "Recovery"),
    ),
    receptors=(Receptor("syn", "v", "1"),),
    crossing=True,
)

#: the Ornstein-Uhlenbeck process
PROCESS = NeuronModel(
    name="small_process",
    equations="dv/dt = (v_rest - v) / tau_m + sigma * (2 / tau_m)**0.5 * xi : volt",
    threshold="v > v_th",
    reset="",
    method="euler",
    parameters=(
        Parameter("v_rest", -65.0, "mV", "Mean"),
        Parameter("tau_m", TAU, "ms", "Time constant"),
        Parameter("sigma", SIGMA, "mV", "Standard deviation"),
        Parameter("v_th", -63.0, "mV", "Threshold"),
    ),
    states=(State("v", "v_rest", "mV", "Potential"),),
    current="",
)


def noisy_cell() -> Neuron:
    """A leaky neuron with noise that never fires."""
    cell = neurons.LeakyIntegrateAndFire("value", "delta", c_m=C_M, tau_m=TAU, v_th=1e3)
    return neurons.with_noise(cell, NOISE)


def deterministic() -> SpikingNetwork:
    """Crossing neurons, driven by the samples, excite neurons with a reset, and each other's."""
    cell = neurons.LeakyIntegrateAndFire("value", "delta", t_ref=2.0, tau_m=10.0)
    rng = np.random.default_rng(3)
    weights = np.round(rng.uniform(0.5, 5.0, (6, 5)) * 64) / 64
    return network(
        (
            Population("waves", (6,), CROSSING),
            Population("more", (6,), CROSSING, {"i_offset": 0.2}),
            Population("cells", (5,), cell.model, {**cell.parameters, "i_offset": 1000.0}),
        ),
        (
            Projection("waves", "more", identity((6,)), "syn", 3),
            Projection("more", "cells", Dense((6,), weights), "syn", 2),
        ),
        (Drive("x", "waves", identity((6,))),),
        shape=(6,),
        changes=(
            # The level falls below the potential, and rises above it: fires, and is released.
            Change(60, "waves", "level", -5.0),
            Change(61, "waves", "level", 1.0),
            Change(75, "waves", "v", 2.0),
        ),
        dt=DT,
        n_steps=STEPS,
    )


def random() -> SpikingNetwork:
    """Noise of both kinds."""
    cell = noisy_cell()
    return network(
        (
            Population("process", (N_NOISY,), PROCESS),
            Population("cells", (N_NOISY,), cell.model, cell.parameters),
        ),
        drives=(Drive("x", "cells", Dense((1,), np.zeros((1, N_NOISY)))),),
        shape=(1,),
        dt=DT,
        n_steps=STEPS,
    )
