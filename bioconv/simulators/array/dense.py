"""The dense engine: whole batches on any device of JAX, with linear algebra on all spikes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bioconv.ground.versions import version
from bioconv.network import SpikingNetwork
from bioconv.simulators.array.arrays import Arrays
from bioconv.simulators.array.devices import Devices
from bioconv.simulators.array.encoding import encode
from bioconv.simulators.array.engine import Carry, Records, run_chunk, start
from bioconv.simulators.array.parts import Part
from bioconv.simulators.array.plan import Plan
from bioconv.simulators.settings import Data, Settings


class DenseEngine:
    """An engine (`bioconv.simulators.array.parts.Engine`) compiled by XLA.

    Parameters
    ----------
    network : SpikingNetwork
    plan : Plan
    arrays : Arrays
    settings : Settings
    """

    name = "dense"

    def __init__(self, network: SpikingNetwork, plan: Plan, arrays: Arrays, settings: Settings):
        self.network, self.plan, self.arrays, self.settings = network, plan, arrays, settings
        self.versions = {"jax": version("jax")}
        self.devices = Devices(plan.batch)
        self._size = 0
        self._carry: Carry | None = None

    def run(self, data: Data, numbers: NDArray[np.int64], size: int) -> Iterator[Part]:
        """Run a batch; see `bioconv.simulators.array.parts.Engine`."""
        fixed = self.arrays.fixed(data, numbers)
        carry = self.devices.carry(start(self.plan, self.arrays.states()))
        last: Part | None = None
        for first in range(0, self.settings.n_steps, self.plan.steps):
            seed = self.settings.seed
            incoming = encode(self.network, data, numbers, first, self.plan.steps, seed)
            carry, records = run_chunk(self.plan, fixed, carry, self.devices.spikes(incoming))
            if last is not None:  # copy the previous chunk while the device computes this one
                yield self._copied(last, size)
            last = Part(slice(0, size), first, *self._wanted(incoming, records))
        if last is not None:
            yield self._copied(last, size)
        self._carry, self._size = carry, size

    def counts(self) -> dict[str, tuple[NDArray, NDArray]]:
        """Return the counts of the last batch."""
        if self._carry is None:
            return {}
        carry, size = self._carry, self._size
        return {
            name: (np.asarray(counts)[:size], np.asarray(carry.late.get(name, counts))[:size])
            for name, counts in carry.counts.items()
        }

    def _wanted(self, incoming: Mapping[str, Any], records: Records) -> tuple[Any, Any]:
        wanted = {n: s for n, s in incoming.items() if self.settings.records(n, "spikes")}
        return {**wanted, **records.spikes}, records.traces

    def _copied(self, part: Part, size: int) -> Part:
        """Copy the records of one chunk from the device."""
        steps = min(self.plan.steps, self.settings.n_steps - part.first)

        def copy(values: Mapping[str, Any]) -> dict[str, NDArray]:
            return {name: np.asarray(value)[:steps, :size] for name, value in values.items()}

        traces = {name: copy(states) for name, states in part.traces.items()}
        return part._replace(spikes=copy(part.spikes), traces=traces)
