"""Inputs and outputs of an exact solver."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bioconv.network import Change, Population
from bioconv.operators import Operator

#: float64 array of NumPy or JAX, in ms
Times = Any
#: maximum size of an array (2 MB) when spikes are sorted neuron by neuron; arrays of 32 MB take
#: twice as long, because their memory is released and allocated again each time
CHUNK = 1 << 18


@dataclass(frozen=True)
class Incoming:
    """A projection that ends at a population.

    Parameters
    ----------
    operator : Operator
        With weights in the receptor's unit.
    receptor : str
    latest : float
        Time in ms after which no spike arrives in any sample; inf if it is not known.
    certain : bool
        Whether it is known that every sending neuron fires exactly once in every sample.
    """

    operator: Operator
    receptor: str
    latest: float = np.inf
    certain: bool = False


@dataclass(frozen=True)
class Stage:
    """A population with everything that stays the same from sample to sample.

    Parameters
    ----------
    population : Population
    incoming : tuple of Incoming
    changes : tuple of Change
        Changes of this population, ordered by step.
    dt : float
        Time step in ms, for the times of changes (``step * dt``), which lie on the grid.
    end : float
        End of a sample in ms.
    dtype : str
        Precision in which sums over synapses may be computed: "float32" or "float64".
    seed : int
        Seed of random numbers; a population has its own streams for each sample.
    position : int
        Index of the population in the network, which determines its random streams.
    """

    population: Population
    incoming: tuple[Incoming, ...]
    changes: tuple[Change, ...]
    dt: float
    end: float
    dtype: str = "float64"
    seed: int = 0
    position: int = 0

    def value(self, name: str) -> NDArray[np.float64]:
        """Return the values of a parameter, given or default, shape (n_neurons,)."""
        return self.population.values(name)

    def start(self, name: str) -> NDArray[np.float64]:
        """Return the start values of a state variable, shape (n_neurons,)."""
        return self.population.starts(name)


@dataclass(frozen=True)
class Solution:
    """Response of a population to a batch of samples.

    Parameters
    ----------
    times : ndarray, shape (batch, n_neurons, k)
        Spike times in ms, ascending and padded with inf.
    final : mapping of str to ndarray, shape (batch, n_neurons)
        State variables at the end; required for those that readouts use.
    """

    times: Times
    final: Mapping[str, Times] = field(default_factory=dict)


#: (arrivals, current); one whose attribute ``draws`` is true also gets the numbers of the samples
Solver = Callable[..., Solution]

#: (static, constants, arrivals, current or None) -> times, final, doubt
Traced = Callable[
    [Hashable, Any, Sequence[Times], Times | None], tuple[Times, Mapping[str, Times], Any]
]

#: (constants, arrays) -> arrays
Phase = Callable[[Any, Sequence[Times]], list[Times]]


@dataclass(frozen=True)
class Compiled:
    """Solver that can be compiled.

    Parameters
    ----------
    solver : Solver
        The reference solution, which is valid in every case.
    traced : function (static, constants, arrivals, current) -> (times, final, doubt)
        Function at module level that uses JAX operations only.  ``current`` is None if no input
        drives the population.  ``doubt`` is a boolean: if it is true for a batch, the batch is
        computed by ``solver`` instead.
    static : hashable
        Decisions made when the solver was prepared.
    constants : tree of arrays
    latest : float
        Time in ms after which no neuron fires in any sample.
    certain : bool
        Whether every neuron fires exactly once in every sample.
    phases : tuple of functions (constants, arrays) -> arrays
        Functions that are applied to the arrivals before ``traced``, each compiled as a separate
        program: XLA would fuse a convolution with the preceding and following operations, and
        recompute it for each use.
    draws : bool
        Whether it draws random numbers.  In this case the sample numbers are the third argument
        of the solver, and ``images`` in constants, which must be a dictionary.
    """

    solver: Solver
    traced: Traced
    static: Hashable
    constants: Any
    latest: float = np.inf
    certain: bool = False
    phases: tuple[Phase, ...] = ()
    draws: bool = False

    def __call__(self, arrivals: Sequence[Times], current: Times, *images: Times) -> Solution:
        """Return the response of the population to a batch."""
        return self.solver(arrivals, current, *images)
