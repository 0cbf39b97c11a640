"""Cores, chips and memory that a network takes of SpiNNaker."""

from __future__ import annotations

from math import ceil

from bioconv.network import SpikingNetwork
from bioconv.operators import n_synapses
from bioconv.targets.fit import Resource
from bioconv.targets.spinnaker.geometry import LIST_NEURONS, Layout, neurons_a_core, tile

#: cores of a chip that run neurons: 18, less the monitor, one spare, and the extra monitor
CORES_A_CHIP = 15
#: chips of a board of version 5
CHIPS_A_BOARD = 48
#: bytes of a synapse in a list, and of a row of synapses beside them
_SYNAPSE, _ROW = 4, 12


def resources(network: SpikingNetwork, plan: Layout) -> tuple[Resource, ...]:
    """What the network takes, estimated from sizes; the tool chain has the last word."""
    cores = sum(_cores(p.name, p.n_neurons, network, plan) for p in network.populations)
    cores += sum(ceil(entry.n_neurons / LIST_NEURONS) for entry in network.spiking_inputs)
    chips = ceil(cores / CORES_A_CHIP)
    megabytes = _memory(network, plan) / 2**20
    return (
        Resource("cores", cores, CORES_A_CHIP * CHIPS_A_BOARD, "of a board with 48 chips"),
        Resource("chips", chips, CHIPS_A_BOARD),
        Resource("synaptic memory", round(megabytes, 3), chips * 100.0, "MiB"),
    )


def _cores(name: str, n_neurons: int, network: SpikingNetwork, plan: Layout) -> int:
    if name in plan.images:
        edge, channels = plan.images[name]
        return channels * (edge // tile(edge)) ** 2
    each = LIST_NEURONS
    for projection, connector in zip(network.projections, plan.connectors, strict=True):
        if projection.post == name and connector.kind == "pool_dense":
            each = min(each, neurons_a_core(connector))
    return ceil(n_neurons / each)


def _memory(network: SpikingNetwork, plan: Layout) -> float:
    total = 0.0
    for projection, connector in zip(network.projections, plan.connectors, strict=True):
        if connector.kind == "list":
            posts = ceil(projection.operator.n_out / LIST_NEURONS)
            rows = projection.operator.n_in * posts
            total += _SYNAPSE * n_synapses(projection.operator) + _ROW * rows
        else:
            total += 2 * connector.weights.size
    return total
