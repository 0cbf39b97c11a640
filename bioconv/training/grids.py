"""Grids on which the weights and currents of a network lie, so that trained ones lie on them too.

The weights of perfect integrators with delta synapses are whole multiples of ``gap / 2**30``, where
the gap is that between reset and threshold (`bioconv.codes.common.membrane`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bioconv.codes.common.membrane import STEPS_OF_GRID, rounded
from bioconv.network import Population, SpikingNetwork
from bioconv.neurons.language import roles
from bioconv.neurons.response.integrators import integrating

#: decimals in mV of the gap, whose reset potential is shifted by half a step of the grid
_DECIMALS = 6


@dataclass(frozen=True)
class Grids:
    """The possible grids of a network."""

    network: SpikingNetwork

    def of_weights(self, weights: NDArray[np.float64]) -> float:
        """Return the step in mV of which all weights are whole multiples; 0 if there is none."""
        return next((step for step in self._steps() if _lies_on(weights, step)), 0.0)

    def of_currents(self, currents: NDArray[np.float64], population: Population) -> float:
        """Return the step in pA of which the currents are whole multiples; 0 if there is none."""
        capacitance = population.model.role(roles.CAPACITANCE)
        if not capacitance or np.ndim(population.value(capacitance)):
            return 0.0
        factor = float(np.asarray(population.value(capacitance))) / self.network.dt
        steps = (step * factor for step in self._steps())
        return next((step for step in steps if _lies_on(currents, step)), 0.0)

    def _steps(self) -> tuple[float, ...]:
        found: dict[float, None] = {}
        for population in self.network.populations:
            known = integrating(population.model)
            if known is None or not known.perfect or population.model.receptors[0].tau:
                continue
            for threshold in self._values(population, known.threshold):
                gap = threshold - float(np.min(population.value(known.reset)))
                found[round(gap, _DECIMALS) / STEPS_OF_GRID] = None
        return tuple(sorted(step for step in found if step > 0))

    def _values(self, population: Population, name: str) -> list[float]:
        values = [population.value(name)]
        values += [
            change.value
            for change in self.network.changes
            if change.population == population.name and change.variable == name
        ]
        return [float(np.min(value)) for value in values]


def _lies_on(values: NDArray[np.float64], step: float) -> bool:
    return bool(np.array_equal(rounded(values, step), values))
