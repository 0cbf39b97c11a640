"""Synapses that do not transmit every spike."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from bioconv.ground.options import check, number
from bioconv.network import SpikingNetwork
from bioconv.neurons.library.axon import is_axon
from bioconv.noise.base import Imperfection, Streams


@dataclass(frozen=True)
class SynapticFailure(Imperfection):
    """Failure of synaptic release: every synapse drops each spike with the same probability.

    Brian2 and NEST draw for each synapse.  The array simulator draws the total input of each
    neuron (see `bioconv.network.Projection`).  NEURON and the event simulator do not support it.
    The mean input decreases by the same share.

    Parameters
    ----------
    probability : float
        At least 0 and below 1.  It is combined with any failure that the network already has.

    Raises
    ------
    ParameterError
    """

    probability: float = number(low=0.0, high=1.0, below=True)
    site: ClassVar[str] = "synapses"
    unit: ClassVar[str] = "probability"
    source: ClassVar[str] = (
        "Allen and Stevens 1994, PNAS 91(22), doi:10.1073/pnas.91.22.10380 (release probability of "
        "single synapses); NEST, bernoulli_synapse"
    )

    def __post_init__(self) -> None:
        check(self)

    @property
    def amplitude(self) -> float:
        """The probability."""
        return self.probability

    def rewrite(self, network: SpikingNetwork, streams: Streams) -> SpikingNetwork:
        """Return the disturbed network; see `Imperfection.rewrite`."""
        axons = {p.name for p in network.populations if is_axon(p.model)}
        kept = 1.0 - self.probability
        return network.replace(
            projections=tuple(
                p if p.post in axons else replace(p, release=p.release * kept)
                for p in network.projections
            )
        )
