"""Exact solution of the neurons of `bioconv.codes.first_spike.neurons`.

Every spike changes a slope or a threshold permanently, and there are no windows, so that the first
threshold crossing is searched for spike by spike.  Neurons that would not reach the threshold by
the end even with their positive contributions alone are skipped.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bioconv.codes.first_spike.neurons import FirstSpike
from bioconv.codes.solving.crossings import first_crossing, spikes_by_neuron
from bioconv.codes.solving.exact import Exact, at_most, changed, check_single_spike
from bioconv.codes.solving.linear import positive_bound, synaptic
from bioconv.codes.solving.piecewise import Synapses
from bioconv.codes.solving.stage import Solution, Solver, Stage, Times
from bioconv.network import Change, Population
from bioconv.neurons.language.model import NeuronModel
from bioconv.neurons.library.parts import OUT_OF_REACH

#: tolerance for rounding of the bound, which is computed in single precision
_MARGIN = 1e-4
_TWICE = at_most(v_th=2)
_FINAL = ("v",)


@cache
def exact_solutions(_: NeuronModel) -> tuple[Exact, ...]:
    """Return the models of this code, all of which have exact solutions."""
    return (
        Exact(FirstSpike("base").model, _neurons, _misses, ("i_syn",), _FINAL),
        Exact(FirstSpike("dynamic").model, _neurons, _misses, ("i_syn", "missing"), _FINAL),
    )


def _misses(population: Population, changes: Sequence[Change]) -> list[str]:
    """Report thresholds that move between different values that are within reach."""
    found = list(_TWICE(population, changes))
    values = [c.value for c in changes if c.variable == "v_th"]
    if values and not found and _moves_within_reach([population.value("v_th"), *values]):
        found.append(changed(population, "v_th"))
    return found


def _moves_within_reach(thresholds: Sequence[ArrayLike]) -> bool:
    """Whether some threshold takes two different values that a neuron can reach."""
    arrays = [np.asarray(value, np.float64) for value in thresholds]
    full = np.stack(np.broadcast_arrays(*arrays))
    low = np.where(full < OUT_OF_REACH, full, np.inf).min(axis=0)
    high = np.where(full < OUT_OF_REACH, full, -np.inf).max(axis=0)
    return bool(np.any(high > low))


def _neurons(stage: Stage) -> Solver:
    check_single_spike(stage)
    return _Neurons(stage).solve


class _Neurons:
    """Neurons of one population, with everything that does not depend on the batch."""

    def __init__(self, stage: Stage):
        self.stage = stage
        kinds = [entry.receptor for entry in stage.incoming]
        self.currents = [i for i, kind in enumerate(kinds) if kind == "syn"]
        self.missing = [i for i, kind in enumerate(kinds) if kind != "syn"]
        self.operators = [stage.incoming[i].operator for i in self.currents]
        self.positive = [positive_bound(operator) for operator in self.operators]
        raised = [stage.incoming[i].operator for i in self.missing]
        self.synapses = Synapses([*self.operators, *raised])
        self.n_currents = sum(operator.n_in for operator in self.operators)
        self.c_m, self.v_th, self.opens = stage.value("c_m"), stage.value("v_th"), 0.0
        ends = [stage.end]
        for change in (c for c in stage.changes if c.variable == "v_th"):
            if np.all(np.ravel(change.value) >= self.v_th):  # out of reach from this step on
                ends.append(change.step * stage.dt)
            else:  # within reach: neurons above it fire at the end of the step
                self.v_th = np.broadcast_to(np.ravel(change.value), self.v_th.shape)
                self.opens = (change.step + 1) * stage.dt
        self.last = min(ends)

    def solve(self, arrivals: Sequence[Times], current: Times) -> Solution:
        """Return the spikes and final potentials of a batch."""
        slope = (self.stage.value("i_offset") + current) / self.c_m
        start = np.broadcast_to(self.stage.start("v"), slope.shape)
        incoming = [arrivals[i] for i in self.currents]
        final = start + slope * self.stage.end + self._charge(incoming)
        image, neuron = np.nonzero(self._may_cross(start, slope, incoming))
        ordered = [*incoming, *(arrivals[i] for i in self.missing)]
        spikes = np.full(slope.shape, np.inf)
        spikes[image, neuron] = self._first(
            ordered, (start[image, neuron], slope[image, neuron]), image, neuron
        )
        return Solution(spikes[:, :, None], {"v": final})

    def _charge(self, incoming: Sequence[Times]) -> Times:
        """Return the change of the potential by the synaptic currents until the end."""
        end = self.stage.end
        lead = [np.where(t < end, end - t, 0.0).sum(axis=2) for t in incoming]
        return np.asarray(synaptic(self.operators, lead)) / self.c_m

    def _may_cross(
        self, start: Times, slope: Times, incoming: Sequence[Times]
    ) -> NDArray[np.bool_]:
        lead = [np.where(t < self.last, self.last - t, 0.0).sum(axis=2) for t in incoming]
        single = [values.astype(np.float32) for values in lead]
        most = np.asarray(synaptic(self.positive, single)) / self.c_m
        room = _MARGIN * (self.v_th + np.abs(most))
        highest = start + np.maximum(slope, 0.0) * self.last + most + room
        return np.asarray(highest >= self.v_th)

    def _first(
        self,
        arrivals: Sequence[Times],
        height: tuple[Times, Times],
        image: NDArray[np.int64],
        neuron: NDArray[np.int64],
    ) -> Times:
        """Return the first threshold crossings of selected neurons."""
        span = (0.0, self.last)
        if not arrivals:
            nothing = np.zeros((len(image), 0))
            events = (nothing, nothing, nothing)
            return first_crossing(height, events, span, self.v_th[neuron], self.opens)
        found = np.full(len(image), np.inf)
        spikes = spikes_by_neuron(self.synapses, arrivals, image, neuron)
        for part, times, weights, sources in spikes:
            here = times < self.last
            weights = np.where(here, weights, 0.0)
            steepens = sources < self.n_currents
            events = (
                np.where(here, times, self.last),
                np.where(steepens, weights, 0.0) / self.c_m[neuron[part], None],
                np.where(steepens, 0.0, -weights),  # a raised threshold acts as a lower potential
            )
            own = (height[0][part], height[1][part])
            found[part] = first_crossing(own, events, span, self.v_th[neuron[part]], self.opens)
        return found
