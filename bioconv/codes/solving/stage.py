"""What a solver gets, and what it gives back."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bioconv.network import Change, Population
from bioconv.operators import Operator

#: float64, in ms, of NumPy or of JAX
Times = Any
#: numbers in one array at most (2 MB) where spikes are sorted neuron by neuron; arrays of 32 MB
#: take twice as long, as their memory is handed back and asked for again
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
        ms; no spike arrives later, in any sample; inf if nobody knows.
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
        Of this population, in the order of their steps.
    dt : float
        ms; for the times of changes (``step * dt``), which lie on the grid.
    end : float
        ms; end of a sample.
    dtype : str
        Precision in which sums over synapses may be worked out: "float32" or "float64".
    seed : int
        Of random numbers; a population has streams of its own for each sample.
    """

    population: Population
    incoming: tuple[Incoming, ...]
    changes: tuple[Change, ...]
    dt: float
    end: float
    dtype: str = "float64"
    seed: int = 0

    def value(self, name: str) -> NDArray[np.float64]:
        """Values of a parameter, given or default, shape (n_neurons,)."""
        return self.population.values(name)

    def start(self, name: str) -> NDArray[np.float64]:
        """Start values of a state variable, shape (n_neurons,)."""
        return self.population.starts(name)


@dataclass(frozen=True)
class Solution:
    """What a population did with a batch of samples.

    Parameters
    ----------
    times : ndarray, shape (batch, n_neurons, k)
        Times of its spikes in ms, ascending; inf where there are no more.
    final : mapping of str to ndarray, shape (batch, n_neurons)
        State variables at the end; needed for those that readouts read.
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
    """A solver that can be compiled.

    Parameters
    ----------
    solver : Solver
        Right in every case.
    traced : function (static, constants, arrivals, current) -> (times, final, doubt)
        Made of JAX operations, of a module.  ``current`` is None where no input drives the
        population.  ``doubt`` is a truth value: if it holds for a batch, the batch is left to
        ``solver``.
    static : hashable
        Decisions that were made when the solver was prepared.
    constants : tree of arrays
    latest : float
        ms; no neuron fires later, in any sample.
    certain : bool
        Whether every neuron fires exactly once in every sample.
    phases : tuple of functions (constants, arrays) -> arrays
        What is done with the arrivals before ``traced`` gets them, each a program of its own: XLA
        would fuse a convolution with what comes before and after it, and work that out anew for
        each of its uses.
    draws : bool
        Whether it draws random numbers.  The solver's third argument, and ``images`` in constants,
        which must be a dictionary then, are the numbers of the samples.
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
        """What the population does with a batch."""
        return self.solver(arrivals, current, *images)
