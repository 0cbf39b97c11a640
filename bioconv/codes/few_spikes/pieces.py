"""Functions of one variable as sums of rectified lines, which few spikes represent accurately.

A neuron with a fitted table is a sum of K steps at places that depend on each other, which come
close to a square or an exponential only roughly.  The spikes of a ReLU, however, are binary digits.
So a function is computed by several neurons, as the sum of ReLUs with knots in its range:
a continuous line of straight pieces, whose error falls with the square of their number.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bioconv.analog import AnalogGraph
from bioconv.analog.functions import Elementwise, Linear, ReLU
from bioconv.analog.graph import Affine, Layer
from bioconv.codes.common.affine import same, scale_affine
from bioconv.codes.few_spikes.code import FewSpikesCode
from bioconv.codes.few_spikes.fitting import values_of
from bioconv.codes.few_spikes.layers import inputs_of, is_fitted, list_errors
from bioconv.codes.pointwise.builder import through
from bioconv.ground.naming import free_name
from bioconv.operators import Broadcast, Dense, Reshape

Floats = NDArray[np.float64]

#: places in the range of the inputs at which a function is evaluated
_PLACES = 4096
#: share of the weight that is spread over the range rather than over the inputs
_ANYWHERE = 0.05
#: smallest second difference of values, as a share of their range
_NO_CURVATURE = 1e-12
#: the range of the inputs is extended by this share
_MARGIN = 0.1


class Pieces(NamedTuple):
    """The function ``offset + sum(slopes * ReLU(x - knots))``.

    Parameters
    ----------
    knots, slopes : ndarray, shape (n,)
    offset : float
    """

    knots: Floats
    slopes: Floats
    offset: float

    def value(self, x: Floats) -> Floats:
        """Return the values at some places."""
        lines = np.maximum(np.asarray(x, np.float64)[..., None] - self.knots, 0.0)
        return np.asarray(self.offset + lines @ self.slopes, np.float64)


def fit_pieces(function: Elementwise, n: int, inputs: Floats) -> Pieces:
    """Return the sum of ReLUs that is closest to a function for the inputs of a layer.

    For the least squared error, the density of the knots of a line of straight pieces is
    proportional to ``(p f''²)^(1/5)``, where p is the density of the inputs.  The slopes are the
    solution of the linear least-squares problem.

    Parameters
    ----------
    function : Elementwise
    n : int
        Number of ReLUs.
    inputs : ndarray, shape (n_inputs,)

    Returns
    -------
    Pieces
        Constant below the smallest input.
    """
    low, high = float(inputs.min()), float(inputs.max())
    margin = _MARGIN * max(high - low, 1e-3)
    x = np.linspace(low - margin, high + margin, _PLACES)
    y = values_of(function.value, x)
    near = np.rint((inputs - x[0]) / (x[1] - x[0])).astype(np.int64)
    often = np.bincount(near, minlength=_PLACES) / len(inputs)
    weight = (1.0 - _ANYWHERE) * often + _ANYWHERE / _PLACES
    curvature = np.abs(np.diff(y, 2, prepend=y[:1], append=y[-1:]))
    curvature[[0, -1]] = 0.0
    curvature[curvature < _NO_CURVATURE * np.ptp(y)] = 0.0  # rounding errors
    # smoothed, as knots serve the inputs around them
    width = _PLACES // 64
    density = np.convolve(weight, np.ones(width) / width, mode="same")
    share = np.cumsum((density * np.square(curvature)) ** 0.2)
    if not share[-1] > 0:
        share = np.arange(1.0, _PLACES + 1)
    places = np.searchsorted(share, share[-1] * np.arange(n) / n, side="right")
    knots = x[np.maximum(places - 1, 0)]
    lines = np.maximum(x[:, None] - knots, 0.0)
    columns = np.concatenate([np.ones((_PLACES, 1)), lines], axis=1) * np.sqrt(weight)[:, None]
    found = np.linalg.lstsq(columns, y * np.sqrt(weight), rcond=1e-12)[0]
    return Pieces(knots, found[1:], float(found[0]))


@dataclass(frozen=True, eq=False)
class Pieced:
    """A network whose functions of one variable are sums of ReLUs.

    Parameters
    ----------
    graph : AnalogGraph
    lines : frozenset of str
        The layers with these ReLUs.
    errors : str
        Largest error of each function (`bioconv.codes.few_spikes.layers.list_errors`); empty if
        nothing was replaced.
    """

    graph: AnalogGraph
    lines: frozenset[str] = frozenset()
    errors: str = ""


def in_pieces(
    code: FewSpikesCode,
    graph: AnalogGraph,
    calibration: dict[str, NDArray],
    kept: Container[str],
) -> Pieced:
    """Return a network with functions of one variable as sums of ``code.pieces`` ReLUs.

    Parameters
    ----------
    code : FewSpikesCode
    graph : AnalogGraph
    calibration : dict of str to ndarray
        Samples for each input.
    kept : container of str
        Layers that stay as they are.

    Returns
    -------
    Pieced
        The replaced layers have become linear; a layer with the ReLUs precedes each.
    """
    replaced = [e for e in graph.layers if e.name not in kept and is_fitted(e.function)]
    if not (code.pieces and replaced):
        return Pieced(graph)
    inputs = inputs_of(graph, calibration)
    found = {
        e.name: fit_pieces(e.function, code.pieces, inputs[e.name])
        for e in replaced
        if isinstance(e.function, Elementwise)
    }
    taken = set(graph.shapes())
    layers: list[Layer] = []
    rectified = []
    for layer in graph.layers:
        if layer.name not in found:
            layers.append(layer)
            continue
        pieces, wide = found[layer.name], (*layer.shape, code.pieces)
        name = free_name(f"{layer.name}_pieces", taken)
        taken.add(name)
        lines = through(
            layer.inputs[0],
            Reshape(layer.shape, (*layer.shape, 1)),
            Broadcast((*layer.shape, 1), wide),
        )
        shifted = scale_affine(lines, 1.0, -pieces.knots)
        rectified.append(name)
        layers.append(Layer(name, ReLU(), (shifted,), wide, layer.members))
        layers.append(replace(layer, function=Linear(), inputs=(_sum(name, wide, pieces),)))
    errors = list_errors(replaced, found, inputs)
    return Pieced(replace(graph, layers=tuple(layers)), frozenset(rectified), errors)


def _sum(name: str, wide: tuple[int, ...], pieces: Pieces) -> Affine:
    """Return the sum of the ReLUs of a layer, which are its last axis."""
    shape = wide[:-1]
    total = through(
        same(name, wide), Dense(wide, pieces.slopes[:, None]), Reshape((*shape, 1), shape)
    )
    return scale_affine(total, 1.0, np.full((1,) * len(shape), pieces.offset))
