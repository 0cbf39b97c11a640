"""16-bit weights: the largest input of a neuron in a step, and the quantization of weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from math import prod

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from bioconv.network import Population, Projection, SpikingNetwork
from bioconv.network.recording_parts import Raster
from bioconv.operators import (
    AveragePool,
    Chain,
    Crop,
    Operator,
    Pad,
    Permute,
    Reshape,
    reweighted,
)
from bioconv.simulators import simulate
from bioconv.targets.fit import Samples
from bioconv.targets.spinnaker.arithmetic import (
    LIST_WEIGHT,
    LOCAL_WEIGHT,
    WeightScale,
    stored,
    weight_scale,
)
from bioconv.targets.spinnaker.cells import BoardCell

Floats = NDArray[np.float64]
#: a projection with the matrices (pre, post) of its excitatory and of its inhibitory weights
Signed = tuple[Projection, tuple[sp.csr_array, sp.csr_array]]

#: samples on which the sums are measured
_N_SAMPLES = 16
#: factor by which sums may be larger on other samples, in addition to the board's own margin
_MARGIN = 1.25
#: operators that move values without summing them
_MOVES = (Reshape, Permute, Pad, Crop)


@dataclass(frozen=True)
class Sums:
    """Largest sums of weights that arrive at a neuron of a population in one step.

    Parameters
    ----------
    excitatory, inhibitory : float
        Absolute values, in the network's unit.  Weights below 0 are inhibitory, as are those of an
        inhibitory receptor.
    """

    excitatory: float
    inhibitory: float


def largest_sums(network: SpikingNetwork, samples: Samples | None) -> dict[str, Sums]:
    """Return the largest sums, measured on samples or for all neurons firing at once.

    Parameters
    ----------
    network : SpikingNetwork
        As the board sees it.
    samples : mapping of str to ndarray, or None
    """
    if samples is None:
        return {p.name: _worst_case(_signed(network, p)) for p in network.populations}
    first = {name: values[:_N_SAMPLES] for name, values in samples.items()}
    names = {projection.pre for projection in network.projections}
    record = dict.fromkeys(sorted(names), ("spikes",))
    rasters = simulate(network, first, record=record, progress=False).rasters
    return {
        p.name: _measured(_signed(network, p), rasters, network.n_steps)
        for p in network.populations
    }


def _signed(network: SpikingNetwork, population: Population) -> list[Signed]:
    """Return the projections to a population, each with its weights by sign."""
    return [(p, _signs(p, population)) for p in network.projections_to(population.name)]


def _worst_case(incoming: list[Signed]) -> Sums:
    sums = [0.0, 0.0]
    for _, parts in incoming:
        for number, part in enumerate(parts):
            sums[number] += float(part.sum(axis=0).max(initial=0.0))
    return Sums(*sums)


def _signs(projection: Projection, population: Population) -> tuple[sp.csr_array, sp.csr_array]:
    """Return the non-negative matrices (pre, post) of excitatory and of inhibitory weights."""
    matrix = sp.csr_array(projection.operator.matrix())
    below = matrix.copy()
    matrix.data = np.maximum(matrix.data, 0.0)
    below.data = np.maximum(-below.data, 0.0)
    matrix.eliminate_zeros()
    below.eliminate_zeros()
    inhibitory = population.model.receptor(projection.receptor).sign < 0
    return (below, matrix) if inhibitory else (matrix, below)


def _measured(incoming: list[Signed], rasters: Mapping[str, Raster], n_steps: int) -> Sums:
    most = np.zeros(2)
    n_images = 1 + max((int(r.image.max(initial=-1)) for r in rasters.values()), default=0)
    longest = max((p.delay_steps for p, _ in incoming), default=0)
    for image in range(n_images):
        for sign in range(2):
            total: Floats = np.zeros(())
            for projection, parts in incoming:
                shape = (n_steps + longest, projection.operator.n_in)
                spikes = _spikes(rasters[projection.pre], image, projection.delay_steps, shape)
                total = total + (spikes @ parts[sign]).toarray()
            most[sign] = max(most[sign], total.max(initial=0.0))
    return Sums(*(float(value) for value in most * _MARGIN))


def _spikes(raster: Raster, image: int, delay: int, shape: tuple[int, int]) -> sp.csr_array:
    chosen = raster.image == image
    rows, columns = raster.step[chosen] + delay, raster.neuron[chosen]
    return sp.csr_array((np.ones(len(rows)), (rows, columns)), shape)


def scales_for(
    network: SpikingNetwork,
    cells: Mapping[str, BoardCell],
    sums: Mapping[str, Sums],
    local: Mapping[str, bool],
) -> dict[str, tuple[WeightScale, WeightScale]]:
    """Return the scales of excitatory and of inhibitory weights of each population.

    Parameters
    ----------
    network : SpikingNetwork
    cells : mapping of str to BoardCell
    sums : mapping of str to Sums
    local : mapping of str to bool
        Whether the population receives convolutions or pooled dense layers.
    """
    found = {}
    for population in network.populations:
        cell, arriving = cells[population.name], sums[population.name]
        above, below = _largest_weights(_signed(network, population))
        # Weights that were not used by the samples have to fit into 16 bits as well.
        word = LOCAL_WEIGHT if local[population.name] else LIST_WEIGHT
        most = (
            max(arriving.excitatory, above * 2**15 / word),
            max(arriving.inhibitory, below * 2**15 / word),
        )
        first, second = (
            weight_scale(each * total, cell.scale)
            for each, total in zip(cell.by_sign, most, strict=True)
        )
        found[population.name] = first, second
    return found


def _largest_weights(incoming: list[Signed]) -> tuple[float, float]:
    pairs = [parts for _, parts in incoming]
    excitatory = max((float(pair[0].data.max(initial=0.0)) for pair in pairs), default=0.0)
    inhibitory = max((float(pair[1].data.max(initial=0.0)) for pair in pairs), default=0.0)
    return excitatory, inhibitory


def quantized(
    projection: Projection, cell: BoardCell, scales: tuple[WeightScale, WeightScale]
) -> Projection:
    """Return the projection with its weights as they are stored."""
    receptor, _ = cell.receptors[projection.receptor]
    excitatory, inhibitory = scales
    above = excitatory if receptor == "excitatory" else inhibitory
    factor = cell.weights[projection.receptor]

    def grid(weight: Floats) -> Floats:
        told = np.asarray(weight, np.float64) * factor
        return np.where(told > 0, stored(told, above), stored(told, inhibitory)) / factor

    return replace(projection, operator=_on_grid(projection.operator, grid))


def _on_grid(operator: Operator, grid: Callable[[Floats], Floats]) -> Operator:
    """Round shared weights, or all synapses if these combine several weights."""
    parts = operator.operators if isinstance(operator, Chain) else (operator,)
    pools = [part for part in parts if isinstance(part, AveragePool)]
    moves = [part for part in parts if isinstance(part, _MOVES)]
    in_front = not pools or (len(pools) == 1 and parts[0] is pools[0] and tiled(pools[0]))
    if len(parts) - len(moves) - len(pools) != 1 or not in_front:
        return reweighted(operator, lambda edges: grid(edges.weight))
    share = 1.0 / prod(pools[0].size) if pools else 1.0
    return operator.map_weights(lambda weight: grid(weight * share) / share)


def tiled(pool: AveragePool) -> bool:
    """Return whether every element of the input is in exactly one window, and no window is cut."""
    spatial = pool.in_shape[:-1]
    whole = all(n % size == 0 for n, size in zip(spatial, pool.size, strict=True))
    return pool.strides == pool.size and not np.any(pool.padding) and whole


def drawn_towards(
    population: Population, network: SpikingNetwork, sums: Sums, cell: BoardCell
) -> float:
    """Return the largest potential in mV towards which a membrane is driven on the board."""
    if not cell.kind.takes_currents:
        return 0.0
    tau, c_m = (float(np.max(population.value(name))) for name in ("tau_m", "c_m"))
    receptor = population.model.receptors[0]
    arriving = max(sums.excitatory, sums.inhibitory)
    if receptor.tau:
        steps = float(np.max(population.value(receptor.tau))) / network.dt  # that it lasts
        drawn = arriving * steps * tau / c_m
    else:
        drawn = arriving * tau / network.dt  # a step covers the fraction dt / tau of the distance
    current = float(np.max(np.abs(population.value("i_offset"))))
    for drive in network.drives:
        if drive.post == population.name:
            edges = drive.operator.edges()
            current += float(np.bincount(edges.post, np.abs(edges.weight)).max(initial=0.0))
    return (drawn + current * tau / c_m) * cell.gain
