"""Exact solution of the neurons of `bioconv.codes.phase.neurons`.

Between two scheduled changes the constant currents of a population do not change.  In a stretch
without arriving spikes, potentials are straight lines and the times of threshold crossings are
quotients.  In a stretch with arriving spikes, the potential at its end is a linear map of their
times.  Earlier crossings are ruled out by a bound: no potential can rise above the value that the
positive contributions alone would give.  Neurons for which the bound does not rule them out are
solved spike by spike.

A threshold that changes in step s takes effect at the end of that step, because this is when the
grid first compares potentials with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from bioconv.codes.phase.neurons import Oscillation
from bioconv.codes.solving.crossings import crossing, first_crossing, spikes_by_neuron
from bioconv.codes.solving.exact import Exact, check_single_spike, check_uniform, only
from bioconv.codes.solving.linear import positive_bound, synaptic
from bioconv.codes.solving.piecewise import Synapses
from bioconv.codes.solving.stage import Solution, Solver, Stage, Times
from bioconv.neurons.language.model import NeuronModel

#: share of a step within which two differently computed times are considered equal
_SAME = 1e-9
#: tolerance for rounding of the bound, in thresholds; it is computed in single precision
_MARGIN = 1e-4
#: what may change within a run; the slope ``rise`` only affects how crossings are rounded to a grid
_CHANGES = ("v", "v_th", "i_osc", "rise", "charging", "i_offset")


@dataclass(frozen=True)
class Stretch:
    """Interval between two scheduled changes.

    Parameters
    ----------
    begin, end : float
        ms.
    sets : mapping of str to ndarray, shape (n_neurons,)
        State variables that are set at the beginning of the interval.
    values : mapping of str to ndarray, shape (n_neurons,)
        Parameters within the interval.
    """

    begin: float
    end: float
    sets: Mapping[str, Times]
    values: Mapping[str, Times]


@dataclass
class PulseState:
    """State of a batch, each (batch, n_neurons): potential, pulses and time of the spike."""

    v: Times
    pulses: Times
    spike: Times


@cache
def exact_solutions(_: NeuronModel) -> tuple[Exact, ...]:
    """Return the models of this code, all of which have exact solutions."""
    return (
        Exact(Oscillation("amplitude").model, _by_amplitude, only(*_CHANGES), ("q",), ("v",)),
        Exact(
            Oscillation("duration").model,
            _by_duration,
            only(*_CHANGES, "i_syn"),
            ("i_syn",),
            ("v",),
        ),
    )


def _by_amplitude(stage: Stage) -> Solver:
    check_single_spike(stage)
    check_uniform(stage, "t_listen", "window")
    return _Neurons(stage, lasting=False).solve


def _by_duration(stage: Stage) -> Solver:
    check_single_spike(stage)
    check_uniform(stage, "c_m")
    return _Neurons(stage, lasting=True).solve


class _Neurons:
    """Neurons of one population, with everything that does not depend on the batch.

    Parameters
    ----------
    stage : Stage
    lasting : bool
        Whether a spike switches on a lasting current; otherwise it delivers a charge at once.
    """

    def __init__(self, stage: Stage, lasting: bool):
        self.stage, self.lasting = stage, lasting
        self.stretches = _stretches(stage)
        self.operators = [entry.operator for entry in stage.incoming]
        self.positive = [positive_bound(operator) for operator in self.operators]
        self.synapses = Synapses(self.operators)
        self.c_m = stage.value("c_m")

    def solve(self, arrivals: Sequence[Times], current: Times) -> Solution:
        """Return the spikes and final potentials of a batch."""
        shape = (len(current), self.stage.population.n_neurons)
        state = PulseState(
            np.broadcast_to(self.stage.start("v"), shape).copy(),
            np.zeros(shape),
            np.full(shape, np.inf),
        )
        for stretch in self.stretches:
            if "v" in stretch.sets:
                state.v = np.broadcast_to(stretch.sets["v"], shape).copy()
            if "i_syn" in stretch.sets:
                state.pulses = np.broadcast_to(stretch.sets["i_syn"], shape).copy()
            self._advance(stretch, state, arrivals, current)
        return Solution(state.spike[:, :, None], {"v": state.v})

    def _advance(
        self, stretch: Stretch, state: PulseState, arrivals: Sequence[Times], current: Times
    ) -> None:
        p = stretch.values
        slope = (p["i_osc"] + p["charging"] * (p["i_offset"] + current) + state.pulses) / self.c_m
        given = [self._given(stretch, times) for times in arrivals]
        unfinished = ~np.isfinite(state.spike)
        rise = slope * (stretch.end - stretch.begin)
        if not any(leads.any() for leads, _ in given):
            found = _straight(stretch, state.v, slope)
        else:
            found = np.full(state.v.shape, np.inf)
            most = self._most([lead.astype(np.float32) for lead, _ in given])
            image, neuron = np.nonzero(unfinished & self._may_cross(stretch, state.v, rise, most))
            if len(image):
                start = (state.v[image, neuron], slope[image, neuron])
                found[image, neuron] = self._by_event(stretch, arrivals, start, image, neuron)
            rise = rise + np.asarray(synaptic(self.operators, [lead for lead, _ in given]))
            if self.lasting:
                counts = [number for _, number in given]
                state.pulses = state.pulses + np.asarray(synaptic(self.operators, counts))
        state.v = state.v + rise
        state.spike = np.where(unfinished, found, state.spike)

    def _most(self, leads: Sequence[Times]) -> Times:
        """Return a bound of the contribution of spikes; late spikes count as negative."""
        most = np.asarray(synaptic(self.positive, [np.maximum(x, 0.0) for x in leads]))
        behind = [np.maximum(-x, 0.0) for x in leads]
        if not any(x.any() for x in behind):
            return most
        magnitudes = [operator.map_weights(np.abs) for operator in self.operators]
        return most + np.asarray(synaptic(magnitudes, behind))

    def _may_cross(self, stretch: Stretch, v: Times, rise: Times, most: Times) -> NDArray[np.bool_]:
        """Whether potentials may reach the threshold according to the bound.

        Positive pulses only steepen a potential.  With these alone it is a convex function of
        time, so that its maximum is at one of the two ends.
        """
        v_th = stretch.values["v_th"]
        room = _MARGIN * (1.0 + np.abs(most))
        if self.lasting:
            return np.asarray((v >= v_th) | (v + rise + most + room >= v_th))
        return np.asarray(v + np.maximum(rise, 0.0) + most + room >= v_th)

    def _given(self, stretch: Stretch, times: Times) -> tuple[Times, Times]:
        """Return the final contribution of each source for unit weight, and its spikes."""
        here = self._within(stretch, times)
        worth = np.where(here, self._worth(stretch, times), 0.0)
        return worth.sum(axis=2), here.sum(axis=2).astype(np.float64)

    def _within(self, stretch: Stretch, times: Times) -> NDArray[np.bool_]:
        same = _SAME * self.stage.dt
        return (times >= stretch.begin - same) & (times < stretch.end - same)

    def _worth(self, stretch: Stretch, times: Times) -> Times:
        """Return the effect of a spike at a given time: its amplitude or pulse duration over c_m.

        The capacitance and the window are the same for all neurons of a population.
        """
        finite = np.where(np.isfinite(times), times, stretch.end)
        if self.lasting:
            return (stretch.end - np.maximum(finite, stretch.begin)) / self.c_m[0]
        p = stretch.values
        return 1.0 - (finite - p["t_listen"][0]) / p["window"][0]

    def _by_event(
        self,
        stretch: Stretch,
        arrivals: Sequence[Times],
        start: tuple[Times, Times],
        image: NDArray[np.int64],
        neuron: NDArray[np.int64],
    ) -> Times:
        """Return the first crossings of selected neurons in a stretch, solved spike by spike."""
        found = np.full(len(image), np.inf)
        spikes = spikes_by_neuron(self.synapses, arrivals, image, neuron)
        for part, times, weights, _ in spikes:
            here = self._within(stretch, times)
            weights = np.where(here, weights, 0.0)
            times = np.where(here, np.maximum(times, stretch.begin), stretch.end)
            nothing = np.zeros(times.shape)
            if self.lasting:
                events = (times, weights / self.c_m[neuron[part], None], nothing)
            else:
                events = (times, nothing, weights * self._worth(stretch, times))
            height = (start[0][part], start[1][part])
            v_th = stretch.values["v_th"][neuron[part]]
            found[part] = first_crossing(height, events, (stretch.begin, stretch.end), v_th)
        return found


def _straight(stretch: Stretch, v: Times, slope: Times) -> Times:
    """Return the times at which straight lines cross the threshold in a stretch, inf for none."""
    begin, end = np.full(v.shape, stretch.begin), np.full(v.shape, stretch.end)
    return crossing(begin, end, stretch.values["v_th"] - v, slope)


def _stretches(stage: Stage) -> list[Stretch]:
    """Divide the duration of a sample into stretches at the scheduled changes."""
    model = stage.population.model
    states = {state.name for state in model.states}
    shape = stage.population.shape

    def flat(value: object) -> Times:
        return np.broadcast_to(np.asarray(value, np.float64), shape).reshape(-1)

    # A changed threshold is first compared at the end of the step in which it changes.
    late = {"v_th": 1}
    table = [
        ((c.step + late.get(c.variable, 0)) * stage.dt, c.variable, flat(c.value))
        for c in stage.changes
    ]
    times = sorted({0.0, *(time for time, _, _ in table if time < stage.end)})
    values = {p.name: stage.value(p.name) for p in model.parameters}
    stretches = []
    for begin, end in zip(times, [*times[1:], stage.end], strict=True):
        now = {name: value for time, name, value in table if time == begin}
        values = values | {name: value for name, value in now.items() if name not in states}
        sets = {name: value for name, value in now.items() if name in states}
        stretches.append(Stretch(begin, end, sets, values))
    return stretches
