"""The array simulator, which runs batches of samples on arrays.

It has two engines, which compute the same network with the same timing:

- "dense" is compiled by XLA for any device of JAX, and applies the linear maps between populations
  to all neurons;
- "events" (`bioconv.simulators.array.events`) is compiled by Numba for the CPU, and adds the
  weights of the spikes that occur.

A network runs in chunks of steps, so that memory stays bounded for any number of samples and
steps.
"""

from __future__ import annotations

import time
from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray

from bioconv.ground.errors import ParameterError
from bioconv.network import SpikingNetwork
from bioconv.network.recording import Recording
from bioconv.simulators.array.arrays import Arrays
from bioconv.simulators.array.choice import chosen
from bioconv.simulators.array.collect import Collector
from bioconv.simulators.array.parts import Part
from bioconv.simulators.array.plan import make_plan
from bioconv.simulators.decoding import reads
from bioconv.simulators.settings import ENGINES, Data, Settings, simulating

__all__ = ["run", "samples_at_once"]

_CPU_CHUNK, _DEVICE_CHUNK = 1 << 24, 1 << 28


def run(
    network: SpikingNetwork,
    data: Data,
    settings: Settings,
    *,
    engine: str = "auto",
    chunk_bytes: int | None = None,
) -> Recording:
    """Simulate; see `bioconv.simulate`.

    Parameters
    ----------
    network : SpikingNetwork
        A network without loops.
    data : dict of str to ndarray
    settings : Settings
    engine : {"auto", "dense", "events"}
        "auto" takes "events" where it is faster: on the CPU, if Numba is installed
        (``pip install 'bioconv[events]'``), if it can run the network, and if that is not a very
        small one (`bioconv.simulators.array.choice`); else "dense".  `Recording.engine` says which
        one ran.
        Both give the same spikes and potentials wherever sums over synapses are exact, as they are
        in float64 for weights on a grid.
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
        If the network is recurrent, if the update is not defined for its parameters, or if the
        engine cannot run it.
    SimulatorMissingError
        If ``engine`` is "events" and Numba is not installed.
    """
    if engine not in ENGINES:
        raise ParameterError(f"engine must be one of {', '.join(ENGINES)}. Received: {engine!r}")
    with jax.enable_x64(settings.dtype == "float64"):
        return _Simulation(network, data, settings, engine, chunk_bytes).run()


def samples_at_once(network: SpikingNetwork, n_images: int, dtype: str = "float32") -> int:
    """Return how many of ``n_images`` samples `run` simulates together by default."""
    settings = Settings("array", network.n_steps, dtype=dtype)
    return make_plan(network, settings, n_images, _chunk_bytes()).batch


def _chunk_bytes() -> int:
    return _CPU_CHUNK if jax.default_backend() == "cpu" else _DEVICE_CHUNK


class _Simulation:
    def __init__(
        self,
        network: SpikingNetwork,
        data: Data,
        settings: Settings,
        engine: str,
        chunk_bytes: int | None,
    ):
        began = time.perf_counter()
        self.network, self.data, self.settings = network, data, settings
        self.n_images = len(next(iter(data.values())))
        self.plan = make_plan(network, settings, self.n_images, chunk_bytes or _chunk_bytes())
        arrays = Arrays(network, self.plan, settings.n_steps, settings.seed)
        self.engine = chosen(engine, network, self.plan, arrays, settings, chunk_bytes)
        self.collector = Collector(network, settings, self.n_images, self.plan.batch)
        self.build_seconds = time.perf_counter() - began

    def run(self) -> Recording:
        began = time.perf_counter()
        with simulating(self.network.name, self.n_images, self.settings) as bar:
            for first in range(0, self.n_images, self.plan.batch):
                images = np.arange(first, min(first + self.plan.batch, self.n_images))
                self._run_batch(images)
                bar.update(len(images))
        seconds = {"build": self.build_seconds, "run": time.perf_counter() - began}
        return self.collector.finish(seconds, self.engine.versions, self.engine.name)

    def _run_batch(self, images: NDArray[np.int64]) -> None:
        # The last batch is padded with its last sample, so that one compiled program serves all.
        filled = np.minimum(images[0] + np.arange(self.plan.batch), images[-1])
        data = {name: array[filled] for name, array in self.data.items()}
        records: dict[tuple[str, str], NDArray[Any]] = {}
        for part in self.engine.run(data, filled + self.settings.first, len(images)):
            self._keep_rasters(part, images)
            self._keep_traces(part, images)
            self._keep_records(part, len(images), records)
        for readout in self.network.readouts:
            record = records[readout.population, reads(self.network, readout)]
            self.collector.add_readout(readout, images, record)
        for name, (counts, late) in self.engine.counts().items():
            self.collector.add_counts(name, images, counts, late)

    def _keep_rasters(self, part: Part, images: NDArray[np.int64]) -> None:
        for name, fired in part.spikes.items():
            if self.settings.records(name, "spikes"):
                step, image, neuron = np.nonzero(fired)
                numbers = images[part.samples][image]
                self.collector.add_spikes(name, numbers, step + part.first, neuron)

    def _keep_traces(self, part: Part, images: NDArray[np.int64]) -> None:
        for name, traces in part.traces.items():
            for variable, values in traces.items():
                self.collector.add_trace(name, variable, images[part.samples], part.first, values)

    def _keep_records(
        self, part: Part, size: int, records: dict[tuple[str, str], NDArray[Any]]
    ) -> None:
        """Keep what readouts decode from, (n_steps, size, n)."""
        for readout in self.network.readouts:
            name, what = readout.population, reads(self.network, readout)
            values = part.spikes[name] if what == "spikes" else part.traces[name][what]
            shape = (self.settings.n_steps, size, values.shape[2])
            if (name, what) not in records:
                records[name, what] = np.zeros(shape, values.dtype)
            record = records[name, what]
            record[part.first : part.first + len(values), part.samples] = values
