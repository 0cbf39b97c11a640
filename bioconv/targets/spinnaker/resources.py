"""Cores, chips and memory of SpiNNaker that a network needs."""

from __future__ import annotations

from math import ceil

from bioconv.network import SpikingNetwork
from bioconv.operators import n_synapses
from bioconv.targets.fit import Resource
from bioconv.targets.spinnaker.board import Board
from bioconv.targets.spinnaker.geometry import LIST_NEURONS, ConnectorLayout, neurons_a_core, tile

#: cores of a chip that run neurons: 18 minus the monitor, one spare, and the extra monitor
CORES_A_CHIP = 15
#: chips of a board of version 5
CHIPS_A_BOARD = 48
#: bytes of a synapse in a list, and additional bytes of a row of synapses
_SYNAPSE, _ROW = 4, 12


def resources(network: SpikingNetwork, board: Board) -> tuple[Resource, ...]:
    """Return resources estimated from sizes; the tool chain determines the actual ones."""
    plan = board.layout
    cores = sum(_cores(p.name, network, plan) for p in network.populations)
    cores += len(network.spiking_inputs)
    chips = ceil(cores / CORES_A_CHIP)
    megabytes = _memory(network, plan) / 2**20
    return (
        Resource("cores", cores, CORES_A_CHIP * CHIPS_A_BOARD),
        Resource("chips", chips, CHIPS_A_BOARD),
        Resource("synaptic memory", round(megabytes, 3), chips * 100.0, "MiB"),
    )


def _cores(name: str, network: SpikingNetwork, plan: ConnectorLayout) -> int:
    """Return the number of cores of a population.

    With steps below 1 ms, one or more additional cores process the synapses of neurons with lists.
    """
    lists = network.projections_to(name) and not plan.local(network, name)
    return _slices(name, network, plan) * (2 if lists and network.dt < 1.0 else 1)


def _slices(name: str, network: SpikingNetwork, plan: ConnectorLayout) -> int:
    """Return the number of parts into which a population or an input is cut."""
    if name in {entry.name for entry in network.inputs}:
        return 1  # sPyNNaker sets no limit on the sources of a core
    if name in plan.images:
        edge, channels = plan.images[name]
        return channels * (edge // tile(edge)) ** 2
    return ceil(network.population(name).n_neurons / _each(name, network, plan))


def _each(name: str, network: SpikingNetwork, plan: ConnectorLayout) -> int:
    """Return the number of neurons of a population on a core."""
    if name in plan.images:
        return tile(plan.images[name][0]) ** 2
    pairs = zip(network.projections, plan.connectors, strict=True)
    pooled = (neurons_a_core(c) for p, c in pairs if p.post == name and c.kind == "pool_dense")
    return min(pooled, default=LIST_NEURONS)


def _memory(network: SpikingNetwork, plan: ConnectorLayout) -> float:
    total = 0.0
    for projection, connector in zip(network.projections, plan.connectors, strict=True):
        if connector.kind == "list":
            posts = ceil(projection.operator.n_out / LIST_NEURONS)
            rows = projection.operator.n_in * posts
            total += _SYNAPSE * n_synapses(projection.operator) + _ROW * rows
        else:
            total += 2 * connector.weights.size
    return total
