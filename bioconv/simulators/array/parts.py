"""What an engine of the array simulator gives: parts of the results of a batch of samples."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from bioconv.simulators.settings import Data


class Part(NamedTuple):
    """What some samples did in a chunk of steps.

    Parameters
    ----------
    samples : slice
        Their places in the batch.
    first : int
        First step of the chunk.
    spikes : dict of str to ndarray of bool, shape (steps, samples, n)
        Of the populations and inputs whose spikes are needed.
    traces : dict of str to dict of str to ndarray, shape (steps, samples, n)
        State variables by population.
    """

    samples: slice
    first: int
    spikes: dict[str, NDArray[np.bool_]]
    traces: dict[str, dict[str, NDArray]]


class Engine(Protocol):
    """Runs batches of samples.

    Attributes
    ----------
    name : str
    versions : dict of str to str
        Versions of the packages that compute.
    """

    name: str
    versions: dict[str, str]

    def run(self, data: Data, numbers: NDArray[np.int64], size: int) -> Iterator[Part]:
        """Run a batch, and yield its results part by part.

        Parameters
        ----------
        data : dict of str to ndarray, shape (batch, *input shape)
        numbers : ndarray of int, shape (batch,)
            Numbers of the samples, which seed random numbers.
        size : int
            Number of samples that count; those after them only fill the batch.
        """
        ...

    def counts(self) -> dict[str, tuple[NDArray, NDArray]]:
        """Return the spike counts of the last batch, each (size, n), by population and input.

        They are counted from step 0, and from the first step of the population.
        """
        ...
