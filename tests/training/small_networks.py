"""Small networks for the tests of training through spikes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from bioconv.analog import AnalogGraph
from bioconv.analog.functions import Linear
from bioconv.analog.graph import Affine, GraphInput, Layer
from bioconv.network import Drive, Input, Population, Projection, Readout, SpikingNetwork
from bioconv.neurons import IntegrateAndFire, Neuron
from bioconv.operators import Dense, identity
from bioconv.training import Surrogate, Training
from bioconv.training.through_spikes import Run

#: current at which each neuron fires within some ms; in pA, or without unit
CURRENTS = {
    "integrate_and_fire": 0.3,
    "leaky_integrate_and_fire": 3000.0,
    "quadratic_integrate_and_fire": 1000.0,
    "exponential_integrate_and_fire": 1500.0,
    "adaptive_exponential": 3000.0,
    "izhikevich": 60.0,
    "quartic": 20.0,
    "mihalas_niebur": 1500.0,
    "resonate_and_fire": 40.0,
    "hodgkin_huxley": 3000.0,
    "traub_miles": 1500.0,
    "morris_lecar": 3000.0,
    "fitzhugh_nagumo": 0.8,
    "hindmarsh_rose": 8.0,
}


def network(
    populations: Sequence[Population],
    projections: Sequence[Projection],
    drives: Sequence[Drive],
    *,
    n_inputs: int,
    readout: str = "count",
    **fields: Any,
) -> SpikingNetwork:
    """A network with one input ``x``, read out from its last population."""
    last = populations[-1]
    output = Affine((), np.zeros(last.shape), last.shape)
    settings: dict[str, Any] = {
        "name": "small",
        "dt": 0.1,
        "n_steps": 100,
        "inputs": (Input("x", (n_inputs,)),),
        "changes": (),
        "readouts": (Readout("y", last.name, readout, Linear()),),
        "analog": AnalogGraph(
            "graph",
            (GraphInput("x", (n_inputs,)),),
            (Layer("y", Linear(), (output,), last.shape),),
            ("y",),
        ),
    }
    return SpikingNetwork(
        populations=tuple(populations),
        projections=tuple(projections),
        drives=tuple(drives),
        **{**settings, **fields},
    )


def pair(neuron: Neuron, weight: float, bias: float, **fields: Any) -> SpikingNetwork:
    """Three perfect integrators, driven by the samples, that excite two neurons."""
    source = IntegrateAndFire()
    rng = np.random.default_rng(0)
    before = Population("a", (3,), source.model, source.parameters)
    after = Population(
        "b", (2,), neuron.model, {**neuron.parameters, neuron.model.current: np.full(2, bias)}
    )
    kernel = weight * rng.uniform(0.5, 1.5, (3, 2))
    receptor = max(neuron.model.receptors, key=lambda r: r.sign).name
    return network(
        (before, after),
        (Projection("a", "b", Dense((3,), kernel), receptor, 2),),
        (Drive("x", "a", identity((3,))),),
        n_inputs=3,
        **fields,
    )


def run_of(net: SpikingNetwork, batch: int, **changes: Any) -> Run:
    """A prepared run on batches of this size."""
    settings: dict[str, Any] = {
        "options": Training(batch_size=batch),
        "surrogate": Surrogate(),
        "trainable": ("weights", "bias"),
        "loss": "mean_squared_error",
        "distillation": 0.0,
        "n_steps": None,
        "dtype": "float64",
        "chunk_bytes": 1 << 24,
    }
    return Run.of(net, **{**settings, **changes})


def starts(run: Run) -> list[jax.Array]:
    """The trained variables at the start."""
    return [jnp.asarray(values) for values in run.trainable.start()]
