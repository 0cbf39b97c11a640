"""What every code is: it turns an analog graph into a spiking network."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import NDArray

from bioconv.analog import AnalogGraph
from bioconv.network import SpikingNetwork
from bioconv.neurons import Neuron
from bioconv.references import citation


class Code(ABC):
    """How an activation becomes spikes.  Concrete codes are frozen dataclasses of options.

    Each has a ``name``, and ``references``, the keys of `bioconv.references.PUBLICATIONS`.
    """

    name: str
    references: tuple[str, ...]

    def citation(self) -> str:
        """The publications that the code is taken from, in BibTeX."""
        return citation(*self.references)

    @abstractmethod
    def convert(
        self,
        graph: AnalogGraph,
        calibration: dict[str, NDArray],
        neuron: Neuron,
        *,
        dt: float | None,
        n_steps: int | None,
        duration: float | None = None,
        seed: int,
    ) -> SpikingNetwork:
        """Build the network; raises `ConversionError` with every layer that cannot spike.

        ``dt`` (ms), ``n_steps`` or ``duration`` (ms) of a sample: None for what suits the neuron.
        """

    @abstractmethod
    def encode(self, activation: NDArray[np.float64], n_steps: int) -> NDArray[np.float64]:
        """The value in [0, 1] that the code can represent at best (the oracle of its tests)."""
