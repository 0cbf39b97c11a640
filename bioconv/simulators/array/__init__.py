"""The array simulator, which runs batches of samples compiled by XLA on any device of JAX.

A network runs in chunks of steps, so that memory stays bounded for any number of samples and
steps.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray

from bioconv.network import SpikingNetwork
from bioconv.network.recording import Recording
from bioconv.simulators.array.arrays import Arrays
from bioconv.simulators.array.collect import Collector
from bioconv.simulators.array.encoding import encode
from bioconv.simulators.array.engine import Records, run_chunk, start
from bioconv.simulators.array.plan import Plan, make_plan
from bioconv.simulators.decoding import reads
from bioconv.simulators.settings import Data, Settings, simulating

__all__ = ["run", "samples_at_once"]

_CPU_CHUNK, _DEVICE_CHUNK = 1 << 24, 1 << 28

#: (population, what) -> arrays of the chunks, (steps, batch, n)
Pieces = dict[tuple[str, str], list[NDArray]]


def run(
    network: SpikingNetwork, data: Data, settings: Settings, *, chunk_bytes: int | None = None
) -> Recording:
    """Simulate; see `bioconv.simulate`.

    Parameters
    ----------
    network : SpikingNetwork
        A network without loops.
    data : dict of str to ndarray
    settings : Settings
    chunk_bytes : int, optional
        Approximate memory for the spikes and inputs of one chunk of steps.  By default a size
        that fits the caches of a CPU (a chunk four times as large is half as fast), and a larger
        one on accelerators.

    Returns
    -------
    Recording

    Raises
    ------
    ParameterError
        If the network is recurrent, or if the update is not defined for its parameters.
    """
    with jax.enable_x64(settings.dtype == "float64"):
        return _Simulation(network, data, settings, chunk_bytes or _chunk_bytes()).run()


def samples_at_once(network: SpikingNetwork, n_images: int, dtype: str = "float32") -> int:
    """Return how many of ``n_images`` samples `run` simulates together by default."""
    settings = Settings("array", network.n_steps, dtype=dtype)
    return make_plan(network, settings, n_images, _chunk_bytes()).batch


def _chunk_bytes() -> int:
    return _CPU_CHUNK if jax.default_backend() == "cpu" else _DEVICE_CHUNK


class _Simulation:
    def __init__(self, network: SpikingNetwork, data: Data, settings: Settings, chunk_bytes: int):
        began = time.perf_counter()
        self.network, self.data, self.settings = network, data, settings
        self.n_images = len(next(iter(data.values())))
        self.plan: Plan = make_plan(network, settings, self.n_images, chunk_bytes)
        self.arrays = Arrays(network, self.plan, settings.n_steps, settings.seed)
        self.collector = Collector(network, settings, self.n_images)
        self.build_seconds = time.perf_counter() - began

    def run(self) -> Recording:
        began = time.perf_counter()
        with simulating(self.network.name, self.n_images, self.settings) as bar:
            for first in range(0, self.n_images, self.plan.batch):
                images = np.arange(first, min(first + self.plan.batch, self.n_images))
                self._run_batch(images)
                bar.update(len(images))
        seconds = {"build": self.build_seconds, "run": time.perf_counter() - began}
        return self.collector.finish(seconds, {"jax": version("jax")})

    def _run_batch(self, images: NDArray[np.int64]) -> None:
        # The last batch is padded with its last sample, so that one compiled program serves all.
        filled = np.minimum(images[0] + np.arange(self.plan.batch), images[-1])
        data = {name: array[filled] for name, array in self.data.items()}
        numbers = filled + self.settings.first
        fixed = self.arrays.fixed(data, numbers)
        carry = start(self.plan, self.arrays.states())
        pieces: Pieces = {
            (readout.population, reads(self.network, readout)): []
            for readout in self.network.readouts
        }
        chunks: list[tuple[Records, int]] = []
        for first in range(0, self.settings.n_steps, self.plan.steps):
            incoming = encode(
                self.network, data, numbers, first, self.plan.steps, self.settings.seed
            )
            carry, records = run_chunk(self.plan, fixed, carry, incoming)
            self._keep_rasters(incoming, first, images)
            chunks.append((records, first))
            if len(chunks) > 1:  # store the previous chunk while the device computes this one
                self._keep(*chunks.pop(0), images, pieces)
        self._keep(*chunks.pop(), images, pieces)
        for readout in self.network.readouts:
            record = np.concatenate(pieces[readout.population, reads(self.network, readout)])
            self.collector.add_readout(readout, images, record)
        for name, counts in carry.counts.items():
            late = carry.late.get(name, counts)
            self.collector.add_counts(
                name, images, np.asarray(counts)[: len(images)], np.asarray(late)[: len(images)]
            )

    def _keep(
        self, records: Records, first: int, images: NDArray[np.int64], pieces: Pieces
    ) -> None:
        """Copy the records of one chunk from the device."""
        steps, batch = min(self.plan.steps, self.settings.n_steps - first), len(images)
        self._keep_rasters(records.spikes, first, images)
        for name, fired in records.spikes.items():
            if (name, "spikes") in pieces:
                pieces[name, "spikes"].append(np.asarray(fired)[:steps, :batch])
        for name, traces in records.traces.items():
            for variable, trace in traces.items():
                values = np.asarray(trace)[:steps, :batch]
                if (name, variable) in pieces:
                    pieces[name, variable].append(values)
                self.collector.add_trace(name, variable, images, first, values)

    def _keep_rasters(
        self, spikes: Mapping[str, Any], first: int, images: NDArray[np.int64]
    ) -> None:
        """Store the spikes of one chunk, each (steps, batch, n), that are to be recorded."""
        steps, batch = min(self.plan.steps, self.settings.n_steps - first), len(images)
        for name, fired in spikes.items():
            if self.settings.records(name, "spikes"):
                step, image, neuron = np.nonzero(np.asarray(fired)[:steps, :batch])
                self.collector.add_spikes(name, images[image], step + first, neuron)
