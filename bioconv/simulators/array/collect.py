"""Assemble a `Recording` from the results of the compiled part."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bioconv.network import Readout, SpikingNetwork
from bioconv.network.recording import Recording
from bioconv.network.recording_parts import Raster
from bioconv.operators import fan_out
from bioconv.simulators.decoding import Decisions, checkpoints, decode
from bioconv.simulators.settings import Settings

Counts = NDArray[np.int64]


class Collector:
    """Collects results batch by batch and chunk by chunk.

    Parameters
    ----------
    network : SpikingNetwork
    settings : Settings
    n_images, batch : int
        Number of all samples, and of those that are added at once.
    """

    def __init__(self, network: SpikingNetwork, settings: Settings, n_images: int, batch: int):
        self.network, self.settings, self.n_images = network, settings, n_images
        self.batch = batch
        self.sizes = {entry.name: entry.n_neurons for entry in network.spiking_inputs}
        self.sizes |= {p.name: p.n_neurons for p in network.populations}
        self.starts = {p.name: p.start_step for p in network.populations if p.start_step}
        self._per_image = {name: np.zeros(n_images, np.int64) for name in self.sizes}
        self._per_neuron = {name: np.zeros(n, np.int64) for name, n in self.sizes.items()}
        self._operations = np.zeros(n_images)
        self._fan_out = self._fan_outs()
        record = settings.record.items()
        self._counts = {
            name: np.zeros((n_images, self.sizes[name]), np.int64)
            for name, what in record
            if "counts" in what
        }
        self._events: dict[str, list[tuple[Counts, Counts, Counts]]] = {
            name: [] for name, what in record if "spikes" in what
        }
        self._traces = {
            (name, variable): np.zeros(
                (n_images, settings.n_steps, self.sizes[name]), settings.dtype
            )
            for name, what in record
            for variable in what
            if variable not in ("counts", "spikes")
        }
        self._points = checkpoints(network, settings)
        self._decided = Decisions(network, n_images, len(self._points), batch)
        self._outputs = {
            r.name: np.zeros((n_images, *r.shape(network.population(r.population))))
            for r in network.readouts
        }

    def add_counts(self, name: str, images: Counts, counts: NDArray, late: NDArray) -> None:
        """Add the spike counts from step 0 and from the population's first step.

        Parameters
        ----------
        name : str
            Population or spiking input.
        images : ndarray of int, shape (batch,)
        counts, late : ndarray of int, shape (batch, n_neurons)
        """
        self._per_image[name][images] += counts.sum(axis=1)
        self._per_neuron[name] += counts.sum(axis=0)
        self._operations[images] += counts @ self._fan_out[name]
        if name in self._counts:
            self._counts[name][images] = late

    def add_spikes(self, name: str, image: NDArray, step: NDArray, neuron: NDArray) -> None:
        """Add spikes, in any order, to the raster of a population."""
        if name in self._events:
            self._events[name].append(
                (image.astype(np.int64), step.astype(np.int64), neuron.astype(np.int64))
            )

    def add_trace(
        self, name: str, variable: str, images: Counts, first_step: int, values: NDArray
    ) -> None:
        """Add values of a state variable, of shape (steps, batch, n_neurons)."""
        if (name, variable) in self._traces:
            steps = slice(first_step, first_step + len(values))
            self._traces[name, variable][images, steps] = values.swapaxes(0, 1)

    def add_readout(self, readout: Readout, images: Counts, record: NDArray) -> None:
        """Add the complete record (n_steps, batch, n_neurons) from which a readout decodes."""
        seed = self.settings.seed
        numbers = images + self.settings.first
        points = self._points
        output, analog = decode(self.network, readout, record, numbers, points, seed, self.batch)
        self._outputs[readout.name][images] = output
        self._decided.add(readout, images, analog)

    def finish(
        self, seconds: Mapping[str, float], versions: Mapping[str, str], engine: str
    ) -> Recording:
        """The recording."""
        settings = self.settings
        return Recording(
            network=self.network.name,
            simulator=settings.simulator,
            dt=self.network.dt,
            n_steps=settings.n_steps,
            n_images=self.n_images,
            outputs=self._outputs,
            checkpoints=self._points,
            classes=self._decided.classes,
            values=self._decided.values,
            decisions=self._decided.decisions,
            spikes_per_image=self._per_image,
            spikes_per_neuron=self._per_neuron,
            synaptic_operations=self._operations,
            counts=self._counts,
            rasters={name: _raster(events) for name, events in self._events.items()},
            traces=self._traces,
            seconds=dict(seconds),
            versions=dict(versions),
            start_steps=self.starts,
            engine=engine,
        )

    def _fan_outs(self) -> dict[str, NDArray[np.float64]]:
        """Return the number of synapses that a spike of each neuron reaches."""
        total = {name: np.zeros(n) for name, n in self.sizes.items()}
        for projection in self.network.projections:
            total[projection.pre] += fan_out(projection.operator)
        return total


def _raster(events: list[tuple[Any, Any, Any]]) -> Raster:
    if not events:
        none = np.zeros(0, np.int64)
        return Raster(none, none, none)
    image, step, neuron = (np.concatenate(parts) for parts in zip(*events, strict=True))
    order = np.lexsort((neuron, step, image))
    return Raster(image[order], step[order], neuron[order])
