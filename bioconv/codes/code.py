"""What every code is: it turns an analog graph into a spiking network."""

from __future__ import annotations

import importlib
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from bioconv.ground.decisions import Decision
from bioconv.ground.references import citation
from bioconv.ground.tables import html_table

if TYPE_CHECKING:
    from bioconv.analog import AnalogGraph
    from bioconv.network import SpikingNetwork
    from bioconv.neurons import Neuron


@dataclass(frozen=True, kw_only=True, eq=False)
class Request:
    """What is to be converted, and what was asked of it; see `bioconv.convert`.

    Parameters
    ----------
    graph : AnalogGraph
    calibration : mapping of str to ndarray
        Samples for each input.
    neuron : Neuron
    dt : float, optional
        ms; None: what suits the neuron.
    n_steps : int, optional
        Of a sample; None: what suits the code and the neuron.
    duration : float, optional
        The same in ms.
    seed : int
        Of what is drawn while converting.
    decisions : mapping of str to Decision
        What each output stands for; what its function suggests if there is no entry.
    """

    graph: AnalogGraph
    calibration: dict[str, NDArray]
    neuron: Neuron
    dt: float | None = None
    n_steps: int | None = None
    duration: float | None = None
    seed: int = 0
    decisions: Mapping[str, Decision] = field(default_factory=dict)

    def decided(self) -> tuple[Decision, ...]:
        """Return what each output stands for."""
        from bioconv.analog.decisions import decisions_of

        return tuple(decisions_of(self.graph, self.decisions).values())

    @property
    def n_samples(self) -> int:
        """Number of calibration samples."""
        return len(next(iter(self.calibration.values())))


class Code(ABC):
    """How an activation becomes spikes.  Concrete codes are frozen dataclasses of options.

    Class attributes: ``name``; ``builder``, the module with the function
    ``build(code, request) -> SpikingNetwork``, which is imported when it is needed;
    ``references``, the keys of `bioconv.ground.references.PUBLICATIONS` to cite; ``trained``,
    whether its networks are trained in spikes, so that it does not convert Keras networks;
    ``remedy``, what helps if a network is expected to lose accuracy, as a sentence.
    """

    name: ClassVar[str]
    builder: ClassVar[str]
    references: ClassVar[tuple[str, ...]]
    trained: ClassVar[bool] = False
    remedy: ClassVar[str] = ""

    def __repr__(self) -> str:
        """Return the code with those options that differ from their defaults."""
        given = [(f.name, getattr(self, f.name)) for f in self._options() if not self._usual(f)]
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in given)})"

    def _repr_html_(self) -> str:
        rows = [
            {"option": f.name, "value": str(getattr(self, f.name)), "default": str(f.default)}
            for f in self._options()
        ]
        return html_table(repr(self), rows)

    def _options(self) -> tuple[Field[Any], ...]:
        return fields(self)  # type: ignore[arg-type]

    def _usual(self, option: Field[Any]) -> bool:
        """Whether an option has its default value."""
        value = getattr(self, option.name)
        return type(value) is type(option.default) and value == option.default

    def convert(self, request: Request) -> SpikingNetwork:
        """Build the network; raises `ConversionError` with every layer that cannot spike."""
        network: SpikingNetwork = importlib.import_module(self.builder).build(self, request)
        return network

    def citation(self) -> str:
        """The publications that the code is taken from, in BibTeX."""
        return citation(*self.references)

    @abstractmethod
    def encode(self, activation: NDArray[np.float64], n_steps: int) -> NDArray[np.float64]:
        """The value in [0, 1] that the code can represent at best (the oracle of its tests)."""
