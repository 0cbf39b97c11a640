"""Run batches by events: some samples at a time pass through all populations, on every core."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from queue import Full, Queue

import numpy as np
from numpy.typing import NDArray

from bioconv.ground.processes import n_cores
from bioconv.ground.versions import version
from bioconv.network import SpikingNetwork
from bioconv.simulators.array.arrays import Arrays
from bioconv.simulators.array.encoding import encode
from bioconv.simulators.array.events.population import Population, Spikes, no_spikes
from bioconv.simulators.array.events.rows import rows_of
from bioconv.simulators.array.parts import Part
from bioconv.simulators.array.plan import Plan
from bioconv.simulators.settings import Data, Settings

#: approximate memory for the spikes of the samples that one core simulates together
_GROUP_BYTES = 1 << 22
_MOST_IN_A_GROUP = 16


class EventEngine:
    """An engine (`bioconv.simulators.array.parts.Engine`) compiled by Numba.

    Parameters
    ----------
    network : SpikingNetwork
    plan : Plan
    arrays : Arrays
    settings : Settings
    chunk_bytes : int, optional
        Approximate memory for the spikes of the samples that one core simulates together.
    """

    name = "events"

    def __init__(
        self,
        network: SpikingNetwork,
        plan: Plan,
        arrays: Arrays,
        settings: Settings,
        chunk_bytes: int | None = None,
    ):
        self.network, self.plan, self.arrays, self.settings = network, plan, arrays, settings
        self.versions = {"jax": version("jax"), "numba": version("numba")}
        self.sizes = dict(plan.inputs) | {stage.name: stage.n for stage in plan.stages}
        self.lags = dict.fromkeys(self.sizes, 0)
        for stage in plan.stages:
            for source in stage.sources:
                self.lags[source.pre] = max(self.lags[source.pre], source.delay)
        self.rows = {
            source.index: rows_of(network.projections[source.index].operator).cast(plan.dtype)
            for stage in plan.stages
            for source in stage.sources
        }
        memory, width = chunk_bytes or _GROUP_BYTES, sum(self.sizes.values())
        self.steps = min(settings.n_steps, max(1, memory // width))
        self.group = min(max(memory // (width * self.steps), 1), _MOST_IN_A_GROUP)
        self.populations: list[Population] = []
        self._batch: _Batch | None = None

    def run(self, data: Data, numbers: NDArray[np.int64], size: int) -> Iterator[Part]:
        """Run a batch; see `bioconv.simulators.array.parts.Engine`."""
        constants, drives = self.arrays.constants(data)
        plain = {name: _plain(values) for name, values in constants.items()}
        if not self.populations:
            self.populations = [
                Population(s, self.arrays, self.rows, plain[s.name], s.name in drives)
                for s in self.plan.stages
            ]
        data = {name: array[:size] for name, array in data.items()}
        self._batch = _Batch(self, data, numbers[:size], plain, _plain(drives))
        yield from self._batch.run()

    def counts(self) -> dict[str, tuple[NDArray, NDArray]]:
        """Return the counts of the last batch."""
        if self._batch is None:
            return {}
        late = self._batch.late
        return {name: (n, late.get(name, n)) for name, n in self._batch.counts.items()}


class _Batch:
    """A batch of samples; after `run`, ``counts`` and ``late`` are its results.

    They are arrays of int32 of shape (batch, n) by population.
    """

    def __init__(
        self,
        engine: EventEngine,
        data: Data,
        numbers: NDArray[np.int64],
        constants: Mapping[str, Mapping[str, NDArray]],
        drives: Mapping[str, NDArray],
    ):
        self.engine, self.data, self.numbers = engine, data, numbers
        self.constants, self.drives = constants, drives
        shapes = {name: (len(numbers), n) for name, n in engine.sizes.items()}
        self.counts = {name: np.zeros(shape, np.int32) for name, shape in shapes.items()}
        late = [stage for stage in engine.plan.stages if stage.late]
        self.late = {stage.name: np.zeros(shapes[stage.name], np.int32) for stage in late}
        self.scalars = {
            p.stage.name: p.scalars(constants[p.stage.name]) for p in engine.populations
        }

    def run(self) -> Iterator[Part]:
        """Run all samples, on all cores, and yield what they did in the order it is finished."""
        size, step = len(self.numbers), self.engine.group
        threads = min(n_cores(), size)
        step = min(step, -(-size // threads))
        groups = [slice(first, min(first + step, size)) for first in range(0, size, step)]
        if threads == 1:
            for group in groups:
                yield from self._run_group(group)
            return
        parts = _Parts(len(groups), 2 * threads)
        with ThreadPoolExecutor(threads) as pool:
            try:
                work = [pool.submit(parts.collect, self._run_group(group)) for group in groups]
                yield from parts
                for one in work:
                    one.result()
            finally:
                parts.stopped.set()

    def _run_group(self, samples: slice) -> Iterator[Part]:
        engine = self.engine
        size, n_steps = samples.stop - samples.start, engine.settings.n_steps
        states = {
            p.stage.name: p.begin(
                samples, self.constants[p.stage.name], self.drives.get(p.stage.name)
            )
            for p in engine.populations
        }
        spikes = {
            name: no_spikes(size, engine.steps, n, engine.lags[name])
            for name, n in engine.sizes.items()
        }
        for first in range(0, n_steps, engine.steps):
            yield self._run_chunk(
                samples, first, min(engine.steps, n_steps - first), states, spikes
            )
            for before in spikes.values():  # those that are still on their way
                if before.lag:
                    before.words[:, : before.lag] = before.words[:, -before.lag :].copy()

    def _run_chunk(
        self,
        samples: slice,
        first: int,
        steps: int,
        states: Mapping[str, NDArray],
        spikes: Mapping[str, Spikes],
    ) -> Part:
        engine = self.engine
        self._encode(samples, first, steps, spikes)
        traces = {}
        for population in engine.populations:
            name = population.stage.name
            counts = self.counts[name]
            traces[name] = population.run(
                first,
                steps,
                engine.plan.dt,
                states[name],
                self.scalars[name],
                spikes,
                counts[samples],
                self.late.get(name, counts)[samples],
            )
        wanted = {stage.name for stage in engine.plan.stages if stage.spikes}
        wanted |= {n for n, _ in engine.plan.inputs if engine.settings.records(n, "spikes")}
        kept = {
            name: spikes[name]
            .fired[:, spikes[name].lag :][:, :steps, : engine.sizes[name]]
            .swapaxes(0, 1)
            .copy()
            for name in wanted
        }
        return Part(samples, first, kept, traces)

    def _encode(self, samples: slice, first: int, steps: int, spikes: Mapping[str, Spikes]) -> None:
        """Write the spikes of the inputs."""
        engine = self.engine
        if not engine.plan.inputs:
            return
        data = {name: array[samples] for name, array in self.data.items()}
        numbers, seed = self.numbers[samples], engine.settings.seed
        encoded = encode(engine.network, data, numbers, first, steps, seed)
        for name, fired in encoded.items():
            own, n = spikes[name], engine.sizes[name]
            own.fired[:, own.lag : own.lag + steps, :n] = fired.swapaxes(0, 1)
            self.counts[name][samples] += fired.sum(axis=0, dtype=np.int32)


class _Parts:
    """Parts that threads produce, of which only a few wait to be taken, as memory is limited.

    Parameters
    ----------
    n_sources : int
        How often `collect` is called.
    most : int
        Number of parts that may wait.
    """

    def __init__(self, n_sources: int, most: int):
        self.stopped = threading.Event()
        self._n_sources = n_sources
        self._waiting: Queue[Part | None] = Queue(most)

    def collect(self, source: Iterator[Part]) -> None:
        """Take all parts of a source, or those until nobody wants more."""
        try:
            for part in source:
                if not self._put(part):
                    return
        finally:
            self._put(None)

    def __iter__(self) -> Iterator[Part]:
        running = self._n_sources
        while running:
            part = self._waiting.get()
            if part is None:
                running -= 1
            else:
                yield part

    def _put(self, part: Part | None) -> bool:
        while not self.stopped.is_set():
            try:
                self._waiting.put(part, timeout=0.1)
            except Full:
                continue
            return True
        return False


def _plain(values: Mapping[str, NDArray]) -> dict[str, NDArray]:
    return {name: np.asarray(value) for name, value in values.items()}
