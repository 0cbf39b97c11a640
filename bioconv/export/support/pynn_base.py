"""Base class of all simulators under PyNN.

The program creates one of them to build populations and connections and to run them.  All have the
same timing: in every step the neurons integrate, receive the spikes that arrive, fire and are
reset; a spike of step t arrives in step t + delay_steps.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import images

Values = Mapping[str, Any]
GENERATED = "generated"


class Simulator(ABC):
    """The common part: standard cells, recording, and a restart by PyNN's own reset."""

    #: a spike of step t has the time (t + stamp) dt
    stamp = 1
    #: ms that are added to every delay, too short to change a step
    later = 0.0

    def __init__(self, dt: float, max_delay_steps: int, tables: Mapping[str, Any]):
        self.dt, self.max_delay_steps, self.tables = dt, max_delay_steps, tables
        self.populations: dict[str, Any] = {}
        self.sources: dict[str, Any] = {}
        self.cells: dict[str, str] = {}
        self.first_step = 0

    @property
    def rank(self) -> int:
        """Number of this process under MPI."""
        return int(self.sim.rank())

    @property
    def n_processes(self) -> int:
        """Number of processes under MPI."""
        return int(self.sim.num_processes())

    sim: Any

    def add_population(self, name: str, cell: str, traced: list[str]) -> None:
        """Add neurons with their parameters and start values."""
        entry = self.tables["POPULATIONS"][name]
        self.cells[name] = cell
        standard = getattr(self.sim, cell)(**self.translate(name, entry["parameters"]))
        size = images.n_neurons(entry)
        population = self.sim.Population(size, standard, label=name)
        shown = self.standard(name)["states"]
        start = {theirs: entry["initial"][v] * factor for v, (theirs, factor) in shown.items()}
        population.initialize(**start)
        population.record(["spikes", *(shown[variable][0] for variable in traced)])
        self.populations[name] = population

    def add_source(self, name: str) -> None:
        """Add the spike sources of an input."""
        size = images.n_neurons(self.tables["INPUTS"][name])
        self.sources[name] = self.sim.Population(size, self.sim.SpikeSourceArray(), label=name)

    def translate(self, name: str, values: Values) -> dict[str, Any]:
        """Return the parameters of a population with PyNN's names and units."""
        return {
            theirs: np.multiply(values[parameter], factor)
            for parameter, (names, factor) in self.standard(name)["parameters"].items()
            if parameter in values
            for theirs in names
        }

    def standard(self, name: str) -> Values:
        """Return the entry of a population's model in the table of standard cells."""
        return self.tables["STANDARD_CELLS"][self.tables["POPULATIONS"][name]["model"]]

    def model(self, name: str) -> Values:
        """Return the entry of a population's neuron model in the tables."""
        return self.tables["MODELS"][self.tables["POPULATIONS"][name]["model"]]

    def receptors(self, projection: Values, weight: NDArray) -> list[tuple[str, NDArray]]:
        """Return PyNN's receptors for weights above and below 0, and which weights these are."""
        above, below = self.standard(projection["post"])["receptors"][projection["receptor"]]
        both = [(above, weight > 0), (below, weight < 0)]
        return [(receptor, chosen) for receptor, chosen in both if chosen.any()]

    def connect(self, projection: Values, pre: NDArray, post: NDArray, weight: NDArray) -> None:
        """Add synapses given as arrays of indices and weights (in the receptor's unit)."""
        delay = np.full(len(pre), projection["delay_steps"] * self.dt + self.later)
        rows = np.stack([pre, post, weight * self.standard(projection["post"])["weight"], delay], 1)
        for receptor, chosen in self.receptors(projection, weight):
            connector = self.sim.FromListConnector(rows[chosen], column_names=["weight", "delay"])
            self.sim.Projection(
                self.neurons(projection["pre"]),
                self.neurons(projection["post"]),
                connector,
                receptor_type=receptor,
            )

    def neurons(self, name: str) -> Any:
        """Return a population, or the spike sources of an input."""
        return self.populations[name] if name in self.populations else self.sources[name]

    def seed(self, number: int) -> None:
        """Seed the random numbers in equations."""
        return  # standard cells draw none

    def start(
        self, spikes: Mapping[str, tuple[NDArray, NDArray]], values: Mapping[str, Values]
    ) -> None:
        """Reset everything to the start of an image.

        Parameters
        ----------
        spikes : mapping of str to (steps, sources)
            Spikes of each spiking input.
        values : mapping of str to mapping
            Population -> parameters that are set by the image.
        """
        self.sim.reset()
        for name in self.populations:
            self.set_values(name, {**self._touched(name), **values.get(name, {})})
        for name, (steps, sources) in spikes.items():
            self._set_sources(name, steps, sources)

    def _touched(self, name: str) -> dict[str, Any]:
        """Return the start values of a population's parameters that scheduled changes set."""
        touched = {c["variable"] for c in self.tables["CHANGES"] if c["population"] == name}
        parameters = self.tables["POPULATIONS"][name]["parameters"]
        return {parameter: value for parameter, value in parameters.items() if parameter in touched}

    def set_values(self, name: str, values: Values) -> None:
        """Set parameters and state variables of a population immediately."""
        states = self.standard(name)["states"].keys() & values.keys()
        parameters = {n: value for n, value in values.items() if n not in states}
        if parameters:
            self.populations[name].set(**self.translate(name, parameters))
        for variable in sorted(states):
            self._set_state(name, variable, values[variable])

    @abstractmethod
    def _set_state(self, name: str, variable: str, value: Any) -> None:
        """Set a state variable that the table of standard cells names, in the model's unit."""

    def run(self, n_steps: int) -> None:
        """Continue for some steps."""
        self.sim.run(n_steps * self.dt)

    def fired(self, names: Sequence[str]) -> dict[str, NDArray[np.int64]]:
        """Return the neurons of populations that have fired since the last call in this image.

        Only simulators that can tell between two steps run networks with analog stages.
        """
        if names:
            raise NotImplementedError(f"{type(self).__name__} reports spikes at the end only.")
        return {}

    def finish(self, n_steps: int, traced: list[tuple[str, str]]) -> tuple[dict, dict]:
        """Return spikes (steps, neurons) and traces of the finished image, in the first process."""
        spikes, traces = {}, {}
        for name, population in self.populations.items():
            segment = population.get_data(clear=True).segments[-1]
            if self.rank:  # the first process has the data of all processes
                continue
            spikes[name] = self._spikes(population, segment, n_steps)
            for variable in (v for n, v in traced if n == name):
                theirs, factor = self.standard(name)["states"][variable]
                traces[name, variable] = self._trace(segment, theirs, n_steps) / factor
        return spikes, traces

    def _set_sources(self, name: str, steps: NDArray, sources: NDArray) -> None:
        from pyNN.parameters import Sequence

        times = (steps + self.stamp + self.first_step) * self.dt
        order = np.argsort(sources, kind="stable")
        population = self.sources[name]
        ends = np.searchsorted(sources[order], np.arange(1, population.size))
        trains = np.split(times[order], ends)
        population.set(spike_times=[Sequence(train) for train in trains])

    def _spikes(self, population: Any, segment: Any, n_steps: int) -> tuple[NDArray, NDArray]:
        ids, times = segment.spiketrains.multiplexed
        steps = self._steps(np.asarray(times, float), self.stamp)
        kept = (steps >= 0) & (steps < n_steps)
        neurons = np.asarray(ids, dtype=np.int64)[kept] - int(population.first_id)
        return steps[kept], neurons

    def _trace(self, segment: Any, variable: str, n_steps: int) -> NDArray:
        (signal,) = segment.filter(name=variable)
        steps = self._steps(np.asarray(signal.times.rescale("ms"), float), 1)
        # Under MPI the neurons are ordered by process.
        order = np.argsort(signal.array_annotations["channel_index"])
        return np.asarray(signal, float)[(steps >= 0) & (steps < n_steps)][:, order]

    def _steps(self, times: NDArray, stamp: int) -> NDArray:
        return np.rint(times / self.dt).astype(np.int64) - stamp - self.first_step
