"""Populations of an imported network that cannot fire, because of a wrong unit or step."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from bioconv.network import Population, SpikingNetwork
from bioconv.operators import Operator

Floats = NDArray[np.float64]


def silent(network: SpikingNetwork) -> Iterator[str]:
    """Yield a sentence for each population none of whose neurons can fire.

    The bound holds for inputs up to 1, or one spike a step of every neuron before them.

    Parameters
    ----------
    network : SpikingNetwork
        With neurons of `bioconv.targets.nir.cells` only.
    """
    for population in network.populations:
        if not population.model.threshold:
            continue
        distance = np.asarray(population.value("v_th")) - np.asarray(population.value("v_rest"))
        highest = _highest(network, population)
        if np.all(highest < distance):
            yield (
                f"{population.name} cannot fire: inputs up to 1 raise its potential by at most "
                f"{highest.max(initial=0.0):.3g} mV in {network.n_steps} steps of {network.dt:g} "
                f"ms, and its threshold is {np.min(distance):.3g} mV above rest. Check the unit "
                "and dt, or the scale of the inputs"
            )


def _highest(network: SpikingNetwork, population: Population) -> Floats:
    """Return a bound of the potentials above rest in mV, as if all weights were positive."""
    dt, parameters = network.dt, population.parameters
    name, shape = population.name, population.shape
    spikes = [p.operator for p in network.projections if p.post == name]
    currents = [d.operator for d in network.drives if d.post == name]
    constant = np.abs(np.asarray(parameters.get("i_offset", 0.0)))
    jump, current = _largest(spikes, shape), _largest(currents, shape) + constant
    if "tau_syn" in parameters:
        current = current + jump / -np.expm1(-dt / np.asarray(parameters["tau_syn"]))
        jump = np.zeros(shape)
    if "tau_m" not in parameters:
        return network.n_steps * (jump + current * dt)
    tau = np.asarray(parameters["tau_m"])
    return jump / -np.expm1(-dt / tau) + current * tau


def _largest(operators: list[Operator], shape: tuple[int, ...]) -> Floats:
    """Return the sum of absolute weights of each neuron."""
    total = np.zeros(shape)
    for operator in operators:
        ones = np.ones((1, *operator.in_shape), np.float32)
        positive = operator.map_weights(np.abs)
        total = total + np.asarray(positive.apply(ones), np.float64)[0]
    return total
