"""The samples of a batch on all devices that JAX finds."""

from __future__ import annotations

from typing import Any

import jax
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from bioconv.simulators.array.engine import Carry, Values

_AXIS = "samples"


class Devices:
    """Devices that share the samples of each batch; everything else is copied to all of them.

    Only the placement of the state and of the incoming spikes is given: XLA computes the samples
    where they are.

    Parameters
    ----------
    batch : int
        Samples in a batch.  As many devices take part as divide it evenly.
    """

    def __init__(self, batch: int) -> None:
        found = jax.devices()
        self.used = found[: max(n for n in range(1, len(found) + 1) if batch % n == 0)]
        self._mesh = Mesh(self.used, (_AXIS,))

    def carry(self, carry: Carry) -> Carry:
        """Return the state of a simulation with the samples on their devices."""
        if len(self.used) == 1:
            return carry
        return Carry(
            step=self._placed(carry.step),
            state=self._placed(carry.state, _AXIS),
            wait=self._placed(carry.wait, _AXIS),
            pending=self._placed(carry.pending, None, _AXIS),
            counts=self._placed(carry.counts, _AXIS),
            late=self._placed(carry.late, _AXIS),
            drawn=self._placed(carry.drawn, _AXIS),
        )

    def spikes(self, incoming: Values) -> Values:
        """Return incoming spikes, shape (steps, batch, n), with the samples on their devices."""
        if len(self.used) == 1:
            return incoming
        placed: Values = self._placed(incoming, None, _AXIS)
        return placed

    def _placed(self, tree: Any, *axes: str | None) -> Any:
        return jax.device_put(tree, NamedSharding(self._mesh, PartitionSpec(*axes)))
