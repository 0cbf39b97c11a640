"""Operations of a layer: additions of spiking units, multiplications of others (stanojevic A.2.4).

Only the sums of weights and the decays of potentials are counted, as in the thesis; thresholds and
activation functions are a small fraction of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bioconv.analog import AnalogGraph
from bioconv.analog.functions import SpikingUnits
from bioconv.codes.correlative.shifts import UNIT_TERMS, unit_shifts


@dataclass(frozen=True)
class Operations:
    """Numbers of operations for one sample.

    Parameters
    ----------
    additions : float
    multiplications : float
    """

    additions: float
    multiplications: float = 0.0

    def __add__(self, other: Operations) -> Operations:
        return Operations(
            self.additions + other.additions, self.multiplications + other.multiplications
        )


def spiking_operations(
    n_pre: int,
    n: int,
    n_steps: int,
    *,
    spikes: float,
    active: float = 1.0,
    n_terms: int = UNIT_TERMS,
) -> Operations:
    """Return the operations of a dense layer of spiking units.

    Parameters
    ----------
    n_pre, n : int
        Sources and units.
    n_steps : int
    spikes : float
        Spikes of an active source.
    active : float
        Share of the sources that are active.
    n_terms : int
        Additions that take the place of the multiplication of a decay; 0 if it is a multiplication.

    Returns
    -------
    Operations
        ``spikes active n_pre n`` additions for weights (Eq A.16) and one decay for every unit and
        step (Eq A.17).

    Examples
    --------
    >>> spiking_operations(785, 800, 100, spikes=5, active=0.2).additions  # stanojevic A.2.4
    868000.0
    """
    decays = float(n * n_steps)
    return Operations(
        float(spikes * active * n_pre * n) + n_terms * decays, 0.0 if n_terms else decays
    )


def analog_operations(n_pre: int, n: int, *, active: float = 1.0) -> Operations:
    """Return the operations of a dense layer of an analog network or support vector machine.

    Parameters
    ----------
    n_pre, n : int
        Inputs and outputs.
    active : float
        Share of the inputs that are not zero.

    Returns
    -------
    Operations
        As many additions as multiplications.
    """
    each = float(active * n_pre * n)
    return Operations(each, each)


def counted_operations(
    graph: AnalogGraph, x: ArrayLike, *, shifts: bool = True
) -> dict[str, NDArray[np.float64]]:
    """Return the additions that each layer of a trained network needs for some samples.

    Parameters
    ----------
    graph : AnalogGraph
        Of `bioconv.training.train_correlative`.
    x : array, shape (n_samples, *shape)
    shifts : bool
        Whether decays are sums of shifts, and count.

    Returns
    -------
    dict of str to ndarray, shape (n_samples,)
        By name of the layer: weights of the spikes that arrive, and decays.
    """
    samples = np.asarray(x)
    units = {x: x.function for x in graph.layers if isinstance(x.function, SpikingUnits)}
    spikes = graph.activations(samples, [source for layer in units for source in layer.sources])
    found = {}
    for layer, function in units.items():
        (source,) = layer.sources
        arriving = spikes[source].sum(axis=(1, 2), dtype=np.float64)
        n_steps, n = layer.shape
        decays = bool(shifts and function.decay)
        terms = unit_shifts(function.decay).n_additions if decays else 0
        found[layer.name] = arriving * n + terms * n * n_steps
    return found
