"""Networks for the tests of SpiNNaker: converted from the small models of the repository."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import bioconv as bc
from bioconv import models
from bioconv.network import Projection, SpikingNetwork
from bioconv.neurons import Integrator, Izhikevich, LeakyIntegrateAndFire, Neuron

MODELS = Path(models.__file__).parent / "weights"


def digits(model: str, n_steps: int = 100, **options: object) -> SpikingNetwork:
    """A digits network ("digits_mlp", "digits_cnn")."""
    x, _ = bc.load_data("digits", split="train")
    return bc.convert(MODELS / f"{model}.keras", calibration=x[:300], n_steps=n_steps, **options)


def lenet() -> SpikingNetwork:
    """The MNIST LeNet; random images are enough to place it on a board."""
    x = np.random.default_rng(0).random((20, 28, 28, 1))
    return bc.convert(MODELS / "lenet5.keras", calibration=x, n_steps=30)


def images(network: SpikingNetwork, n: int) -> NDArray[np.float64]:
    """Random images for a network with one input."""
    return np.random.default_rng(1).random((n, *network.inputs[0].shape))


def izhikevich() -> SpikingNetwork:
    """The digits network with Izhikevich neurons, in steps of 1 ms."""
    network = digits("digits_mlp", code=bc.RateCode(clamp=0))
    return _with_neurons(network, Izhikevich(), lambda p: [_changed(p, "syn", lambda w: 10 * w)])


def conductances() -> SpikingNetwork:
    """The digits network with conductances, signs split between their receptors."""
    network = digits("digits_mlp", code=bc.RateCode(clamp=0))

    def split(projection: Projection) -> list[Projection]:
        return [
            _changed(projection, "exc", lambda w: np.maximum(w, 0.0)),
            _changed(projection, "inh", lambda w: np.maximum(-w, 0.0)),
        ]

    return _with_neurons(network, LeakyIntegrateAndFire(synapse="conductance"), split)


def _changed(
    projection: Projection, receptor: str, change: Callable[[NDArray], NDArray]
) -> Projection:
    operator = projection.operator.map_weights(change)
    return replace(projection, operator=operator, receptor=receptor)


def _with_neurons(
    network: SpikingNetwork, neuron: Neuron, change: Callable[[Projection], list[Projection]]
) -> SpikingNetwork:
    """The network with other hidden neurons, and an output that adds up synaptic currents."""
    *hidden, output = network.populations
    *inner, last = network.projections
    return network.replace(
        populations=(
            *(
                replace(p, model=neuron.model, parameters={"i_offset": 2.0}, initial={})
                for p in hidden
            ),
            replace(output, model=Integrator("exponential").model, parameters={}, initial={}),
        ),
        projections=(*(part for p in inner for part in change(p)), last),
        changes=(),
    )
