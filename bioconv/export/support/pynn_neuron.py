"""NEURON under PyNN: backward Euler, explicit thresholds, state variables set cell by cell."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterator, Mapping
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .pynn_base import Simulator, Values
from .pynn_parallel import import_once

#: PyNN's name of a state variable -> its location in NEURON: part of the cell, attribute
_PLACES = {
    "v": ("seg", "v"),
    "u": ("izh", "u"),
    "w": ("adexp", "w"),
    "m": ("seg.hh_traub", "m"),
    "h": ("seg.hh_traub", "h"),
    "n": ("seg.hh_traub", "n"),
    "gsyn_exc": ("esyn", "g"),
    "gsyn_inh": ("isyn", "g"),
}


#: number of spikes that an alpha synapse of PyNN can store, and for how many time constants
_QUEUE, _MEMORY = 999, 20

#: under MPI NEURON accepts only delays that exceed a step by 1e-10 ms (netpar.cpp)
_LONGER = 1e-8
#: NEURON's code for the maximum over all processes
_LARGEST = 2


class MechanismsError(RuntimeError):
    """PyNN's cells for NEURON could not be compiled."""


class LostSpikesError(RuntimeError):
    """More spikes overlapped than a synapse of PyNN can store; it silently drops the others."""


class Neuron(Simulator):
    """NEURON; its integration differs, so spikes may be some steps off those of others."""

    def __init__(self, dt: float, max_delay_steps: int, tables: Mapping[str, Any]):
        super().__init__(dt, max_delay_steps, tables)
        # PyNN compiles its cells for NEURON at the first import, with nrnivmodl from the PATH.
        programs = str(Path(sys.executable).parent)
        os.environ["PATH"] = os.pathsep.join([programs, os.environ.get("PATH", "")])
        try:
            import_once("pyNN.neuron")
            self.sim = importlib.import_module("pyNN.neuron")
        except (OSError, TypeError) as error:
            raise MechanismsError(
                f"PyNN could not compile its cells for NEURON: {error}. Install a compiler and "
                "make: apt install g++ make, or conda install -c conda-forge cxx-compiler make."
            ) from error
        if self.n_processes > 1:
            self.later = _LONGER
        self.sim.setup(timestep=dt, min_delay=dt, max_delay=max_delay_steps * dt + self.later)
        self.into_alpha: list[tuple[Values, str, NDArray, NDArray]] = []
        self.incoming: Mapping[str, tuple[NDArray, NDArray]] = {}
        # The Hodgkin-Huxley cell interpolates its rates in a table of 1 mV unless told not to.
        self.sim.h.usetable_hh_traub = 0

    def add_population(self, name: str, cell: str, traced: list[str]) -> None:
        """Add neurons with their parameters, start values and threshold."""
        super().add_population(name, cell, traced)
        crossing = self.standard(name)["crossing"]
        if crossing:  # PyNN has no name for it and uses 10 mV
            parameter, above = crossing
            level = self.tables["POPULATIONS"][name]["parameters"][parameter] + above
            for neuron, value in self._each(name, level):
                self.sim.simulator.state.parallel_context.threshold(int(neuron), value)
                neuron._cell.rec.threshold = value

    def start(
        self, spikes: Mapping[str, tuple[NDArray, NDArray]], values: Mapping[str, Values]
    ) -> None:
        """Reset everything to the start of an image."""
        super().start(spikes, values)
        self.incoming = spikes
        self.sim.run(0.0)  # now the mechanisms start, each with its own values
        for name in self.populations:
            for variable in self.standard(name)["states"]:
                value = self.tables["POPULATIONS"][name]["initial"][variable]
                self._set_state(name, variable, value)

    def connect(self, projection: Values, pre: NDArray, post: NDArray, weight: NDArray) -> None:
        """Add synapses; those onto alpha cells are kept to count the overlapping spikes."""
        super().connect(projection, pre, post, weight)
        if "_alpha" in self.cells[projection["post"]]:
            for receptor, chosen in self.receptors(projection, weight):
                self.into_alpha.append((projection, receptor, pre[chosen], post[chosen]))

    def finish(self, n_steps: int, traced: list[tuple[str, str]]) -> tuple[dict, dict]:
        """Return spikes and traces of the finished image.

        Raises
        ------
        LostSpikesError
        """
        spikes, traces = super().finish(n_steps, traced)
        lost = self._lost({**spikes, **self.incoming}, n_steps) if self.rank == 0 else ""
        # All processes end: the others would wait for the first one, the only one with the spikes.
        context = self.sim.simulator.state.parallel_context
        if context.allreduce(float(bool(lost)), _LARGEST):
            raise LostSpikesError(lost or "Spikes were lost; the first process reports where.")
        return spikes, traces

    def _lost(self, spikes: Mapping[str, tuple[NDArray, NDArray]], n_steps: int) -> str:
        """Return where more spikes overlapped than a synapse can store; empty if nowhere."""
        arrived: dict[tuple[str, str], NDArray] = {}
        for projection, receptor, pre, post in self.into_alpha:
            name, shape = projection["post"], (n_steps, self.populations[projection["post"]].size)
            steps, neurons = spikes[projection["pre"]]
            counts = arrivals(steps + projection["delay_steps"], neurons, pre, post, shape)
            arrived[name, receptor] = arrived.get((name, receptor), 0) + counts
        for (name, receptor), counts in arrived.items():
            tau = self.populations[name].get(f"tau_syn_{receptor[0].upper()}")
            n_remembered = int(np.ceil(_MEMORY * np.max(tau) / self.dt))
            total = np.cumsum(counts, axis=0)
            waiting = total - np.pad(total, ((n_remembered, 0), (0, 0)))[: len(total)]
            if waiting.max(initial=0) > _QUEUE:
                return (
                    f"A neuron of {name} received {waiting.max()} {receptor} spikes in "
                    f"{n_remembered} steps, but PyNN's alpha synapses on NEURON store at most "
                    f"{_QUEUE} and drop the others. Use the exponential synapse, a shorter "
                    "tau_syn, or another simulator."
                )
        return ""

    def _set_state(self, name: str, variable: str, value: Any) -> None:
        theirs, factor = self.standard(name)["states"][variable]
        place, attribute = _PLACES[theirs]
        for neuron, number in self._each(name, value * factor):
            setattr(reduce(getattr, place.split("."), neuron._cell), attribute, number)

    def _each(self, name: str, value: Any) -> Iterator[tuple[Any, float]]:
        """Yield neurons of this process with their values, as NEURON cannot set all at once."""
        population = self.populations[name]
        each = np.broadcast_to(value, population.size)
        return ((neuron, float(each[population.id_to_index(neuron)])) for neuron in population)


def arrivals(
    steps: NDArray, neurons: NDArray, pre: NDArray, post: NDArray, shape: tuple[int, int]
) -> NDArray[np.int64]:
    """Return the number of spikes that arrive per step and neuron, shape (n_steps, n_neurons).

    Parameters
    ----------
    steps, neurons : ndarray of int
        Spikes: step of arrival, index of the neuron that fired.
    pre, post : ndarray of int
        Synapses.
    shape : (int, int)
    """
    order = np.argsort(pre, kind="stable")
    fan_out = np.bincount(pre, minlength=int(neurons.max(initial=0)) + 1)
    first, copies = np.cumsum(fan_out) - fan_out, fan_out[neurons]
    within = np.arange(copies.sum()) - np.repeat(np.cumsum(copies) - copies, copies)
    targets = post[order][np.repeat(first[neurons], copies) + within]
    times = np.repeat(steps, copies)
    kept = times < shape[0]
    cells = times[kept] * shape[1] + targets[kept]
    return np.bincount(cells, minlength=shape[0] * shape[1]).reshape(shape)
