"""Choose the projections for which connectors with weights on the core can be used.

``ConvolutionConnector`` and ``PoolDenseConnector`` of sPyNNaker 7.4.1 compute the same as Keras if

- the binary exists (IF_curr_exp only: ``model_binaries/IF_curr_exp_conv.aplx`` and
  ``IF_curr_exp_pool_dense.aplx``), and all projections to the population are of one kind,
- both populations are square images with one channel each, which can be cut into equal squares,
- kernels are squares of odd size with stride 1 and the same padding on all sides: the board centers
  the flipped kernel on the sending neuron, ignoring strides, and reads beyond even kernels
  (``local_only_conv_impl.c``, ``do_convolution_operation``),
- pooling tiles its input: a neuron beyond the last window would be assigned to the next one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bioconv.network import Population, Projection, SpikingNetwork
from bioconv.operators import AveragePool, Chain, Conv, Dense, Operator, Reshape, ungrouped
from bioconv.targets.spinnaker.arithmetic import LOCAL_WEIGHT
from bioconv.targets.spinnaker.kinds import kind_of
from bioconv.targets.spinnaker.weights import tiled

#: bytes of fast memory that the weights of pooled dense layers may take of a core's 64 KiB
_FAST_MEMORY = 24 * 1024
#: largest number of neurons on a core whose synapses are lists: ``POP_TABLE_MAX_ROW_LENGTH``
LIST_NEURONS = 256
#: delays in steps of projections with weights on the core; 4, 8 and 32 are stored as 0 there
_LOCAL_DELAY = 1
#: largest and least edge of the square of neurons of an image on a core, if the image is larger
_TILES = (16, 4)


@dataclass(frozen=True, eq=False)
class Connector:
    """How one projection is implemented on the board.

    Parameters
    ----------
    kind : {"list", "convolution", "pool_dense"}
    pool : int
        Edge of the pooling windows before the weights; 1 for none.
    padding : int
        Zeros on each side of a convolution.
    weights : ndarray, optional
        Kernel (size, size, channels before, channels after) in the layout of Keras, with zeros for
        other groups; or matrix (rows, columns, channels, neurons).
    """

    kind: str
    pool: int = 1
    padding: int = 0
    weights: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))


_LIST = Connector("list")


@dataclass(frozen=True, eq=False)
class ConnectorLayout:
    """Connectors of all projections, and the populations that are split by channel into images.

    Parameters
    ----------
    connectors : tuple of Connector
        In the order of the network's projections.
    images : dict of str to (int, int)
        Population -> edge of the image, channels.
    """

    connectors: tuple[Connector, ...]
    images: dict[str, tuple[int, int]]

    def local(self, network: SpikingNetwork, name: str) -> bool:
        """Return whether the weights of the synapses to a population are on its core."""
        pairs = zip(network.projections, self.connectors, strict=True)
        return any(p.post == name and c.kind != "list" for p, c in pairs)


def layout(network: SpikingNetwork) -> ConnectorLayout:
    """Return the connectors of a network."""
    populations = {population.name: population for population in network.populations}
    convolutions = _whole(network, [_convolution(p, populations) for p in network.projections])
    images = _images(network, convolutions, populations)
    dense = _whole(network, [_pool_dense(p, populations, images) for p in network.projections])
    chosen = tuple(c or d or _LIST for c, d in zip(convolutions, dense, strict=True))
    return ConnectorLayout(chosen, images)


def refreshed(network: SpikingNetwork, plan: ConnectorLayout) -> ConnectorLayout:
    """Return the same layout with the current weights of the network's projections."""
    return ConnectorLayout(
        tuple(
            Connector(c.kind, c.pool, c.padding, _weights(p.operator)) if c is not _LIST else c
            for p, c in zip(network.projections, plan.connectors, strict=True)
        ),
        plan.images,
    )


def _whole(network: SpikingNetwork, found: list[Connector | None]) -> list[Connector | None]:
    """Keep the connectors of populations all of whose projections have one."""
    pairs = list(zip(network.projections, found, strict=True))
    mixed = {projection.post for projection, connector in pairs if connector is None}
    return [None if p.post in mixed else connector for p, connector in pairs]


def _images(
    network: SpikingNetwork,
    found: list[Connector | None],
    populations: dict[str, Population],
) -> dict[str, tuple[int, int]]:
    names = {
        name
        for projection, connector in zip(network.projections, found, strict=True)
        if connector is not None
        for name in (projection.pre, projection.post)
    }
    shapes = {name: populations[name].shape for name in sorted(names)}
    return {name: (shape[0], shape[2]) for name, shape in shapes.items()}


def _parts(operator: Operator) -> tuple[Operator, ...]:
    return operator.operators if isinstance(operator, Chain) else (operator,)


def _pool(parts: tuple[Operator, ...]) -> tuple[int, tuple[Operator, ...]] | None:
    """Return the edge of the initial pooling and the operators after it; None if unsupported."""
    first = parts[0]
    if not isinstance(first, AveragePool):
        return 1, parts
    if len(set(first.size)) != 1 or not tiled(first):
        return None
    return first.size[0], parts[1:]


def _convolution(projection: Projection, populations: dict[str, Population]) -> Connector | None:
    pre, post = populations.get(projection.pre), populations[projection.post]
    pooled = _pool(_parts(projection.operator))
    if pre is None or pooled is None or not (_is_image(pre) and _is_image(post)):
        return None
    if projection.delay_steps != _LOCAL_DELAY:
        return None
    pool, rest = pooled
    if len(rest) != 1 or not isinstance(rest[0], Conv) or not _takes_currents(post):
        return None
    conv = rest[0]
    settings = {*conv.strides, *conv.dilation, *conv.input_dilation}
    zeros = {zero for pair in conv.padding for zero in pair}
    square = len(set(conv.size)) == 1 and conv.size[0] % 2 == 1
    if settings != {1} or len(zeros) != 1 or not square:
        return None
    return Connector("convolution", pool, zeros.pop(), _weights(projection.operator))


def _pool_dense(
    projection: Projection,
    populations: dict[str, Population],
    images: dict[str, tuple[int, int]],
) -> Connector | None:
    post = populations[projection.post]
    pooled = _pool(_parts(projection.operator))
    if projection.pre not in images or pooled is None or not _takes_currents(post):
        return None
    if projection.delay_steps != _LOCAL_DELAY:
        return None
    pool, rest = pooled
    dense = [part for part in rest if isinstance(part, Dense) and len(part.in_shape) == 1]
    moves = [part for part in rest if isinstance(part, Reshape)]
    if len(dense) != 1 or len(moves) + 1 != len(rest):
        return None
    connector = Connector("pool_dense", pool, 0, _weights(projection.operator))
    return connector if neurons_a_core(connector) else None


def neurons_a_core(connector: Connector) -> int:
    """Return how many neurons of a pooled dense layer fit on a core; 0 if not even one does."""
    rows, columns, channels, neurons = connector.weights.shape
    one = rows * columns
    # A connector counts the weights of one channel with 16 bits.
    return min(_FAST_MEMORY // (2 * one * channels), LOCAL_WEIGHT // one, LIST_NEURONS, neurons)


def _is_image(population: Population) -> bool:
    shape = population.shape
    if len(shape) != 3 or shape[0] != shape[1]:
        return False
    return tile(shape[0]) >= min(shape[0], _TILES[1])


def tile(edge: int) -> int:
    """Return the edge of the squares, one per core, that an image is cut into without remainder."""
    return max(n for n in range(1, min(edge, _TILES[0]) + 1) if edge % n == 0)


def _takes_currents(population: Population) -> bool:
    return kind_of(population).takes_currents


def _weights(operator: Operator) -> Any:
    """Return the kernel or matrix of a chain by row, column, channel before, and target."""
    part = next(p for p in _parts(operator) if isinstance(p, Conv | Dense))
    if isinstance(part, Conv):
        return ungrouped(part)
    before = _parts(operator)[0]
    rows, columns, channels = (
        before.out_shape if isinstance(before, AveragePool) else operator.in_shape
    )
    return np.asarray(part.kernel, np.float64).reshape(rows, columns, channels, -1)
