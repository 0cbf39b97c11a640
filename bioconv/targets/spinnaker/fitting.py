"""Fit a network to SpiNNaker, so that it is simulated as the board will see it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from bioconv.network import Population, SpikingNetwork
from bioconv.simulators import simulate
from bioconv.targets.fit import Fit, Samples
from bioconv.targets.spinnaker.arithmetic import MOST, STEP
from bioconv.targets.spinnaker.board import Board
from bioconv.targets.spinnaker.cells import (
    BoardCell,
    never_forgets,
    on_board,
)
from bioconv.targets.spinnaker.effects import KEPT, effects, obstacles
from bioconv.targets.spinnaker.geometry import layout, refreshed
from bioconv.targets.spinnaker.kinds import kind_of
from bioconv.targets.spinnaker.resources import resources
from bioconv.targets.spinnaker.slowing import released, slowed
from bioconv.targets.spinnaker.thresholds import matched, spike_counts
from bioconv.targets.spinnaker.weights import (
    Sums,
    drawn_towards,
    largest_sums,
    quantized,
    scales_for,
)

#: factors by which a network is slowed down, tried in this order, ...
_SLOWER = (1, 2, 4, 8)
#: ... and the one that is used without samples
_UNTRIED = 4
#: number of samples on which thresholds are matched
_N_SAMPLES = 128


def fit(network: SpikingNetwork, samples: Samples | None) -> Fit:
    """Return the network with SpiNNaker's cells, weights, state, reset and step.

    Parameters
    ----------
    network : SpikingNetwork
    samples : mapping of str to ndarray, or None
        Samples that determine how large the weighted sums of spikes become, and which thresholds
        compensate for the reset to a value.  Without them every neuron is assumed to fire in every
        step.

    Returns
    -------
    Fit
        ``details["board"]`` is a `Board`.
    """
    source = released(network)
    problems = obstacles(network, source)
    if source is None or problems:
        return Fit(network, problems)
    few = None if samples is None else {n: values[:_N_SAMPLES] for n, values in samples.items()}
    found, board = _best(source, few)
    return Fit(
        found,
        effects(network, source, found, board),
        resources(found, board),
        {"board": board},
    )


def _best(source: SpikingNetwork, samples: Samples | None) -> tuple[SpikingNetwork, Board]:
    """Return the fit with the least slowing that keeps the classes, or the one that keeps most."""
    if not may_be_slowed(source):
        return _on_board(source, source, samples, 1)
    if samples is None:
        return _on_board(source, slowed(source, _UNTRIED), samples, _UNTRIED)
    classes = simulate(source, samples, progress=False).predictions()
    tried = []
    for factor in _SLOWER:
        found, board = _on_board(source, slowed(source, factor), samples, factor)
        kept = simulate(found, samples, progress=False).agreement(classes)
        tried.append((found, replace(board, kept=kept)))
        if kept >= KEPT:
            break
    return max(tried, key=lambda entry: entry[1].kept)


def may_be_slowed(network: SpikingNetwork) -> bool:
    """Return whether all neurons are perfect integrators and some reset by subtraction.

    The times of given spikes cannot be slowed.
    """
    if any(entry.encoder == "raster" for entry in network.inputs):
        return False
    still = all(
        not kind_of(p).leaks
        and not (p.model.refractory and np.any(p.value(p.model.refractory)))
        and not len(p.spike_values)
        for p in network.populations
    )
    return still and any(kind_of(p).subtracts for p in network.populations)


def _on_board(
    source: SpikingNetwork, network: SpikingNetwork, samples: Samples | None, slower: int
) -> tuple[SpikingNetwork, Board]:
    plan = layout(network)
    local = {p.name: plan.local(network, p.name) for p in network.populations}
    found, cells = _with_cells(network, local, {})
    losing = [p.name for p in network.populations if kind_of(p).subtracts]
    if samples is not None and losing:
        wanted = spike_counts(source, samples)
        found = matched(found, {name: wanted[name] for name in losing}, samples)
        network = _with_thresholds(network, found, losing)
    sums = largest_sums(found, samples)
    gains = {
        p.name: _gain(found.population(p.name), found, sums[p.name], cells[p.name])
        for p in network.populations
        if not kind_of(p).leaks
    }
    found, cells = _with_cells(network, local, gains)
    scales = scales_for(found, cells, sums, local)
    found = found.replace(
        projections=tuple(quantized(p, cells[p.post], scales[p.post]) for p in found.projections)
    )
    plan = refreshed(found, plan)
    return found, Board(cells, scales, sums, plan, slower, samples is not None)


def _with_cells(
    network: SpikingNetwork, local: Mapping[str, bool], gains: Mapping[str, float]
) -> tuple[SpikingNetwork, dict[str, BoardCell]]:
    """Return the network with the board's neurons, and their descriptions for sPyNNaker."""
    pairs = [
        on_board(
            p, network.dt, local[p.name] and kind_of(p).synapse == "delta", gains.get(p.name, 1.0)
        )
        for p in network.populations
    ]
    cells = {p.name: cell for p, cell in pairs}
    found = network.replace(
        populations=tuple(_remembered(network, p) for p, _ in pairs),
        drives=tuple(replace(d, grid=STEP / cells[d.post].current) for d in network.drives),
    )
    return found, cells


def _with_thresholds(
    network: SpikingNetwork, found: SpikingNetwork, names: list[str]
) -> SpikingNetwork:
    """Return the network with the thresholds that were found for these populations."""
    return network.replace(
        populations=tuple(
            replace(p, parameters={**p.parameters, "v_th": found.population(p.name).value("v_th")})
            if p.name in names
            else p
            for p in network.populations
        )
    )


def _gain(population: Population, network: SpikingNetwork, sums: Sums, cell: BoardCell) -> float:
    """Return the factor that keeps potentials of perfect integrators within s16.15."""
    drawn = drawn_towards(population, network, sums, cell)
    if drawn <= MOST / 2:
        return 1.0
    return float(2.0 ** -np.ceil(np.log2(drawn / (MOST / 2))))


def _remembered(network: SpikingNetwork, population: Population) -> Population:
    """Scale up the readout of a potential that decays, to compensate for the decay by the end."""
    kinds = {r.kind for r in network.readouts if r.population == population.name}
    before = network.population(population.name)
    if not kinds & {"potential", "softmax"} or not never_forgets(before, network.dt):
        return population
    steps = network.n_steps - population.start_step
    keep = 1.0 - network.dt / float(np.max(population.value("tau_m")))
    return replace(population, scale=population.scale * steps * (1 - keep) / (1 - keep**steps))
