"""Imperfections of synaptic weights: mismatch and quantization to a few bits."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bioconv.ground.errors import ConversionError, Problem
from bioconv.ground.options import check, choice, number, whole
from bioconv.network import Population, Projection, SpikingNetwork
from bioconv.noise.base import Imperfection, Streams
from bioconv.noise.edits import neurons_of_axons, paired
from bioconv.noise.places import Connection, Place, Places
from bioconv.operators import Edges, Operator, n_synapses, reweighted

Floats = NDArray[np.float64]

#: largest number of synapses with individual weights: 12 bytes each, in several copies
MOST_SYNAPSES = 100_000_000


def with_synapses(
    network: SpikingNetwork,
    chosen: Collection[Population],
    change: Callable[[Place, Connection, Edges], Floats],
    *,
    drives: bool = True,
) -> SpikingNetwork:
    """Return the network with an individual weight for each synapse of these populations.

    Parameters
    ----------
    network : SpikingNetwork
    chosen : collection of Population
    change : function
        Function from the place of a connection, the connection and its synapses to the new
        weights.
    drives : bool
        Whether the weights of analog inputs also count as synapses.

    Raises
    ------
    ConversionError
        There are too many synapses.
    """
    found = [
        (place, entry)
        for place, entry in Places(network).connections(chosen)
        if drives or isinstance(entry, Projection)
    ]
    problems = [
        Problem(_title(entry), type(entry.operator).__name__, f"it has {n:,} synapses.")
        for _, entry in found
        if (n := n_synapses(entry.operator)) > MOST_SYNAPSES
    ]
    if problems:
        raise ConversionError(
            f"At most {MOST_SYNAPSES:,} synapses can have individual weights:", problems
        )
    new: dict[int, Operator] = {
        id(entry): reweighted(entry.operator, partial(change, place, entry))
        for place, entry in found
    }
    return _with_operators(network, new)


def _title(entry: Connection) -> str:
    """Return the name of a connection for messages."""
    if isinstance(entry, Projection):
        return f"{entry.pre}->{entry.post}/{entry.receptor}"
    return f"{entry.input}->{entry.post}/drive"


def _with_operators(network: SpikingNetwork, new: dict[int, Operator]) -> SpikingNetwork:
    def changed(entry: Any) -> Any:
        return replace(entry, operator=new[id(entry)]) if id(entry) in new else entry

    return network.replace(
        projections=tuple(map(changed, network.projections)),
        drives=tuple(map(changed, network.drives)),
    )


def spread_weights(
    network: SpikingNetwork,
    chosen: Collection[Population],
    factors: Callable[[Place, int], Floats],
) -> SpikingNetwork:
    """Multiply every synapse of these populations by an individual factor.

    The synapses of an ON and an OFF neuron are one device.

    Parameters
    ----------
    network : SpikingNetwork
    chosen : collection of Population
    factors : function
        Function from the place of a connection and the number of devices to the factors.
    """

    def change(place: Place, entry: Connection, edges: Edges) -> Floats:
        device, n = devices(network, entry, edges)
        return edges.weight * factors(place, n)[device]

    return with_synapses(network, chosen, change)


def devices(
    network: SpikingNetwork, entry: Connection, edges: Edges
) -> tuple[NDArray[np.int64] | slice, int]:
    """Return the device of each synapse and the number of devices."""
    by_name = {population.name: population for population in network.populations}
    source = entry.pre if isinstance(entry, Projection) else ""
    ends = by_name.get(neurons_of_axons(network).get(source, source)), by_name[entry.post]
    if not any(end is not None and paired(end) for end in ends):
        return slice(None), len(edges)
    pre, post = (
        index % (end.n_neurons // 2) if end is not None and paired(end) else index
        for index, end in zip((edges.pre, edges.post), ends, strict=True)
    )
    keys = pre.astype(np.int64) * (int(post.max(initial=0)) + 1) + post
    unique, device = np.unique(keys, return_inverse=True)
    return device, len(unique)


@dataclass(frozen=True)
class WeightQuantization(Imperfection):
    """Weights of a few bits; shared kernels stay shared, and weights of inputs are rounded too.

    Parameters
    ----------
    bits : int
        Number of bits of a weight including its sign, from 2 to 32; 0 for no rounding.
    scheme : {"symmetric", "affine"}
        "symmetric": ``2**(bits - 1) - 1`` steps on either side of 0.  "affine":
        ``2**bits - 1`` steps from the lowest to the highest weight, with 0 on the grid.
    per : {"layer", "channel"}
        Whether an array of weights has one step, or one step for each output channel.
    percentile : float
        Percentile of the absolute weights beyond which weights are clipped; 100 for no clipping.
    rounding : {"nearest", "stochastic"}
        "stochastic" rounds up or down at random such that the mean is correct.

    Raises
    ------
    ParameterError
        Some options are invalid; the message lists all of them.

    Notes
    -----
    Normalization by channels can lead to a few weights that are far larger than all others; a
    common step then rounds the others to 0.  Choose ``per="channel"``, a percentile, or a code
    that normalizes by layers.
    """

    bits: int = whole(0, 2, 32, besides=(0,))
    scheme: str = choice("symmetric", ("symmetric", "affine"))
    per: str = choice("layer", ("layer", "channel"))
    percentile: float = number(100.0, 50.0, 100.0)
    rounding: str = choice("nearest", ("nearest", "stochastic"))

    site = "weights of synapses"
    unit = "bits; 0: not rounded"
    fewer_is_worse = True
    source = (
        "Jacob et al. 2018, CVPR, arXiv:1712.05877, Eq 1 (affine); Krishnamoorthi 2018, "
        "arXiv:1806.08342, sections 2.1, 2.2 (symmetric, per channel); Gupta et al. 2015, ICML, "
        "arXiv:1502.02551, section 3.1 (stochastic)"
    )

    def __post_init__(self) -> None:
        check(self)
        object.__setattr__(self, "bits", int(self.bits))

    @property
    def amplitude(self) -> float:
        """Number of bits."""
        return self.bits

    def rewrite(self, network: SpikingNetwork, streams: Streams) -> SpikingNetwork:
        """Return the network with rounded weights; see `Imperfection.rewrite`."""
        new: dict[int, Operator] = {}
        for place, entry in Places(network).connections(network.populations):
            generator = streams.of(place) if self.rounding == "stochastic" else None
            new[id(entry)] = entry.operator.map_weights(partial(self.rounded, generator=generator))
        return _with_operators(network, new)

    def rounded(
        self, weights: Any, generator: np.random.Generator | None = None, ops: Any = np
    ) -> Any:
        """Round weights to the grid that the options describe.

        Parameters
        ----------
        weights : array
            Weights, with the output channels on the last axis.
        generator : numpy Generator, optional
            Required for stochastic rounding.
        ops : module
            NumPy, or a module with the same functions for other arrays, such as ``keras.ops``.
        """
        if ops is np:
            weights = np.asarray(weights, np.float64)
        n_axes = len(weights.shape)
        axes = tuple(range(n_axes - (self.per == "channel" and n_axes > 0)))
        shared: dict[str, Any] = {"axis": axes, "keepdims": True}
        size = ops.abs(weights)
        largest = ops.max(size, initial=0.0, **shared)
        if self.percentile < 100.0:
            largest = ops.quantile(size, self.percentile / 100.0, **shared)
        if self.scheme == "symmetric":
            steps, lowest, highest = 2 ** (self.bits - 1) - 1, -largest, largest
            span = largest
        else:
            steps = 2**self.bits - 1
            lowest = ops.maximum(ops.min(weights, initial=0.0, **shared), -largest)
            highest = ops.minimum(ops.max(weights, initial=0.0, **shared), largest)
            span = highest - lowest
        safe = ops.where(span > 0, span, ops.ones_like(span))
        grid = ops.clip(weights, lowest, highest) * (steps / safe)
        grid = ops.round(grid) if generator is None else _by_chance(grid, generator)
        if self.scheme == "affine":
            # Half a step, as when weights are clipped symmetrically, is rounded down in any
            # precision.
            zero = ops.round(-lowest * (steps / safe) * (1.0 - 1e-5))
            grid = ops.clip(grid, -zero, steps - zero)
        return grid * (safe / steps)


def _by_chance(values: Floats, generator: np.random.Generator) -> Floats:
    return np.floor(values + generator.random(values.shape))
