"""Fixed delays that differ from neuron to neuron."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil

import numpy as np
from numpy.typing import NDArray

from bioconv.ground.options import check, number
from bioconv.network import Projection, SpikingNetwork
from bioconv.noise.base import Imperfection, Streams
from bioconv.noise.mismatch import chosen_populations, device_shape
from bioconv.noise.places import Places
from bioconv.noise.retiming import retimed
from bioconv.operators import scaled


@dataclass(frozen=True)
class DelayMismatch(Imperfection):
    """Delays that differ between neurons; all spikes of one neuron have the same delay.

    The mean is compensated for: everything downstream is delayed by the largest deviation, so that
    codes based on spike times stay unbiased.  Delays are whole steps, so that a spread far below
    ``dt`` has no effect.  A projection is split into one for each delay that occurs.  `disturb`
    applies this imperfection after all others, so that it does not change what they draw; only a
    `TimeQuantization` that is given after it follows.

    Parameters
    ----------
    sigma : float
        Standard deviation of the normally distributed deviations, in ms.
    limit : float
        Largest deviation in standard deviations; larger ones are clipped.
    populations : tuple of str
        Names of the populations whose spikes are delayed; empty for all.

    Raises
    ------
    ParameterError
        Some options are invalid; the message lists all of them.
    """

    sigma: float = number(0.0, 0.0)
    limit: float = number(3.0, 0.0, above=True)
    populations: tuple[str, ...] = ()

    site = "delays"
    unit = "ms"
    splits = True
    source = (
        "Sheik, Chicca and Indiveri 2012, IJCNN, Exploiting device mismatch in neuromorphic VLSI "
        "systems to implement axonal delays"
    )

    def __post_init__(self) -> None:
        check(self)
        object.__setattr__(self, "populations", tuple(self.populations))

    @property
    def amplitude(self) -> float:
        """Standard deviation in ms."""
        return self.sigma

    def rewrite(self, network: SpikingNetwork, streams: Streams) -> SpikingNetwork:
        """Return the network with mismatched delays; see `Imperfection.rewrite`."""
        most = ceil(self.limit * self.sigma / network.dt)
        chosen = chosen_populations(network, self.populations)
        places, extra = Places(network), {}
        for population in chosen:
            normal = streams.of(places.of(population)).standard_normal(device_shape(population))
            steps = np.round(normal * self.sigma / network.dt).astype(np.int64)
            extra[population.name] = most + np.clip(steps, -most, most)
        later = retimed(network, dict.fromkeys(extra, most))
        split = [
            part
            for projection in later.projections
            for part in _split(projection, extra.get(projection.pre))
        ]
        return later.replace(projections=tuple(split))


def _split(projection: Projection, extra: NDArray[np.int64] | None) -> list[Projection]:
    """Split a projection into one for each delay that its sources have."""
    if extra is None:
        return [projection]
    return [
        replace(
            projection,
            operator=scaled(projection.operator, pre=np.where(extra == steps, 1.0, 0.0)),
            delay_steps=projection.delay_steps + int(steps),
        )
        for steps in np.unique(extra)
    ]
