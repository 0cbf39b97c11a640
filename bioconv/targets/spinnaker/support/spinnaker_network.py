"""A network of PyNN populations for a SpiNNaker board, which also runs on NEST."""

from __future__ import annotations

import importlib
import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bioconv.export.support import images
from bioconv.targets.spinnaker.support import spinnaker_synapses
from bioconv.targets.spinnaker.support.spinnaker_synapses import Synapses

Values = Mapping[str, Any]


class Network:
    """Populations, spike sources and projections, created from the tables of the program.

    Parameters
    ----------
    dt : float
        ms.
    populations, inputs : mapping of str to mapping
    projections : sequence of mapping
    weights : mapping of str to ndarray
    """

    #: module of PyNN
    module = "pyNN.spiNNaker"
    #: time stamp, in steps, of a spike of step 0
    first = 0

    def __init__(self, dt: float, populations: Any, inputs: Any, projections: Any, weights: Any):
        self.sim = importlib.import_module(self.module)
        self.dt, self.tables, self.inputs = dt, populations, inputs
        self.projections, self.weights = projections, weights
        self.populations: dict[str, list[Any]] = {}
        #: name of the weights, channels before and behind, projection
        self.made: list[tuple[str, tuple[int, int], Any]] = []

    def build(self, observed: Values) -> None:
        """Create the network; ``observed`` is what to record: population -> "spikes", "v"."""
        longest = max([row["delay"] for row in self.projections], default=self.dt)
        self.setup(longest)
        for name, entry in self.tables.items():
            self.populations[name] = list(self._population(name, entry))
        for name in images.spiking(self.inputs):
            self.populations[name] = [self.source(name, images.n_neurons(self.inputs[name]))]
        for name, variables in observed.items():
            for population in self.populations[name]:
                self.record(population, variables)
        for row in self.projections:
            self.connect(row)

    def setup(self, longest: float) -> None:
        """Start the simulator."""
        self.sim.setup(timestep=self.dt, min_delay=self.dt, time_scale_factor=time_scale(self.dt))

    def _population(self, name: str, entry: Values) -> Iterator[Any]:
        """Create the population, or one per channel for images."""
        if entry["image"] is None:
            yield self.neurons(name, entry, images.n_neurons(entry), slice(None))
            return
        _, channels = entry["image"]
        for channel in range(channels):
            n_neurons = images.n_neurons(entry) // channels
            yield self.neurons(
                f"{name}_{channel}", entry, n_neurons, slice(channel, None, channels)
            )

    def neurons(self, label: str, entry: Values, n_neurons: int, part: slice) -> Any:
        """Create some neurons of a population of the network, with their start values."""
        cell = getattr(self.sim, entry["cell"])(**of_part(entry["parameters"], part))
        extra = {}
        if entry["image"] is not None:
            extra["structure"] = importlib.import_module("pyNN.space").Grid2D(aspect_ratio=1.0)
        population = self.sim.Population(
            n_neurons,
            cell,
            label=label,
            neurons_per_core=entry["neurons_per_core"],
            max_expected_summed_weight=list(entry["max_expected_summed_weight"]),
            **extra,
        )
        population.initialize(**of_part(entry["initial"], part))
        return population

    def source(self, name: str, n_neurons: int) -> Any:
        """Create spike sources, which fire at given times."""
        return self.sim.Population(n_neurons, self.sim.SpikeSourceArray(spike_times=[]), label=name)

    def record(self, population: Any, variables: Any) -> None:
        """Record "spikes" or "v"."""
        population.record([self.recorded_name(population, variable) for variable in variables])

    def connect(self, row: Values) -> None:
        """Connect one projection: as lists by sign, or with one connector per pair of channels."""
        if row["connector"] == "list":
            self.connect_list(row)
            return
        kernel = self.weights[row["weights"]]
        for before, pre in enumerate(self.populations[row["pre"]]):
            for behind, post in enumerate(self.populations[row["post"]]):
                if row["connector"] == "convolution":
                    how = self._convolution(row, kernel[:, :, before, behind])
                else:
                    how = self._pool_dense(row, kernel[:, :, before])
                projection = self.sim.Projection(pre, post, *how)
                self.made.append((row["weights"], (before, behind), projection))

    def _convolution(self, row: Values, kernel: NDArray) -> tuple[Any, Any]:
        """Return a convolution, with the kernel rotated by 180 degrees for the board."""
        pool = {"pool_shape": row["pool"], "pool_stride": row["pool"]} if row["pool"] > 1 else {}
        connector = self.sim.ConvolutionConnector(
            kernel[::-1, ::-1].copy(), padding=row["padding"], **pool
        )
        return connector, self.sim.Convolution(delay=row["delay"])

    def _pool_dense(self, row: Values, matrix: NDArray) -> tuple[Any, Any]:
        """Return a pooled dense connector; on the board columns come before rows."""
        pool = {"pool_shape": row["pool"], "pool_stride": row["pool"]} if row["pool"] > 1 else {}
        connector = self.sim.PoolDenseConnector(matrix.transpose(1, 0, 2).copy(), **pool)
        return connector, self.sim.PoolDense(delay=row["delay"])

    def connect_list(self, row: Values) -> None:
        """Connect by lists, with weights above 0 on one receptor and those below on the other."""
        synapses = spinnaker_synapses.of_projection(row, self.weights, self.tables)
        before, behind = (len(self.populations[row[end]]) for end in ("pre", "post"))
        for sign, receptor in zip((1, -1), row["receptors"], strict=True):
            chosen = spinnaker_synapses.of_sign(synapses, sign)
            for first, second, part in spinnaker_synapses.between_channels(chosen, before, behind):
                projection = self.add_list(row, receptor, first, second, part)
                self.made.append((row["weights"], (first, second), projection))

    def add_list(
        self, row: Values, receptor: str, before: int, behind: int, synapses: Synapses
    ) -> Any:
        """Add synapses of one sign between two channels."""
        pre, post, weight = synapses
        table = np.column_stack([pre, post, weight, np.full(len(pre), row["delay"])])
        return self.sim.Projection(
            self.populations[row["pre"]][before],
            self.populations[row["post"]][behind],
            self.sim.FromListConnector(table),
            self.sim.StaticSynapse(),
            receptor_type=receptor,
        )

    def start(self, currents: Values, spikes: Values, again: bool) -> None:
        """Reset the network and set an image's input: currents in nA and steps of input spikes."""
        if again:
            self.sim.reset()
        for name, current in currents.items():
            parts = self.populations[name]
            for number, population in enumerate(parts):
                population.set(i_offset=current[number :: len(parts)])
        for name, (steps, neurons) in spikes.items():
            (source,) = self.populations[name]
            order = np.argsort(neurons, kind="stable")
            ends = np.cumsum(np.bincount(neurons, minlength=source.size))[:-1]
            self.set_spikes(source, np.split(np.asarray(steps, np.int64)[order], ends))

    def set_spikes(self, source: Any, trains: list[NDArray[np.int64]]) -> None:
        """Set the steps in which each source fires.

        ``source.set(spike_times=...)`` of sPyNNaker 7.4.1 raises a TypeError if sources differ,
        because it indexes a list with an array.
        """
        source._vertex.send_buffer_times = np.array([*trains, None], dtype=object)[:-1]

    def run(self, n_steps: int) -> None:
        """Run one step more than is read, as the potential is recorded at the start of a step."""
        self.sim.run((n_steps + 1) * self.dt)

    def spikes(self, name: str, n_steps: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the steps and neurons of the spikes of the last image."""
        parts, steps, neurons = self.populations[name], [], []
        for number, population in enumerate(parts):
            trains = population.get_data("spikes").segments[-1].spiketrains
            for place, train in enumerate(trains):
                stamps = np.rint(np.asarray(train.rescale("ms")) / self.dt).astype(np.int64)
                steps.append(stamps - self.first)
                neurons.append(np.full(len(stamps), place * len(parts) + number, dtype=np.int64))
        step = np.concatenate([np.zeros(0, np.int64), *steps])
        neuron = np.concatenate([np.zeros(0, np.int64), *neurons])
        early = step < n_steps
        return step[early], neuron[early]

    def potential(self, name: str, n_steps: int) -> NDArray[np.float64]:
        """Return potentials in mV at the ends of steps of the last image, (steps, neurons)."""
        channels = [self._signal(population) for population in self.populations[name]]
        return np.stack(channels, axis=-1).reshape(len(channels[0]), -1)[1 : n_steps + 1]

    def _signal(self, population: Any) -> NDArray[np.float64]:
        """Return the potentials of the neurons of one board population in the last image."""
        data = population.get_data(self.recorded_name(population, "v"))
        (signal,) = data.segments[-1].analogsignals
        return np.asarray(signal, dtype=np.float64)

    def recorded_name(self, population: Any, variable: str) -> str:
        """Return the simulator's name of a variable."""
        return variable

    def end(self) -> None:
        """End the simulation."""
        self.sim.end()


def time_scale(dt: float) -> int:
    """Return the factor by which the board runs slower than real time, to have 1 ms for each step.

    sPyNNaker 7.4.1 itself slows down only from steps of 10 ms on (``spynnaker_data_writer.py``).
    """
    return max(1, math.ceil(round(1.0 / dt, 6)))


def of_part(values: Values, part: slice) -> dict[str, Any]:
    """Return the parameters of some neurons: numbers stay, arrays are sliced."""
    return {
        name: value[part] if isinstance(value, np.ndarray) else value
        for name, value in values.items()
    }
