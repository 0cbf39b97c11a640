"""Rewrite networks for a reset to a value: more steps with less input each, and no held layers.

A reset to a value discards the excess over the threshold, which is smaller the less input arrives
in a step.  With a k-th of the current and k times as many steps, the number of spikes stays the
same and they are k times as far apart.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bioconv.network import Population, Readout, SpikingNetwork
from bioconv.operators import scaled
from bioconv.targets.releasing import after_changes

#: kinds of readouts whose offset is one for each step
_PER_STEP = ("potential", "accumulated_softmax", "softmax")


def released(network: SpikingNetwork) -> SpikingNetwork | None:
    """Return the network with layers that are active from the start instead of being held.

    Returns
    -------
    SpikingNetwork or None
        None if parameters change for another reason, that is, if populations change twice or
        later than they start.
    """
    populations = []
    for population in network.populations:
        changes = [c for c in network.changes if c.population == population.name]
        if any(change.step != population.start_step for change in changes):
            return None
        if changes:
            population = replace(after_changes(population, changes), start_step=0)
        populations.append(population)
    return network.replace(populations=tuple(populations), changes=())


def slowed(network: SpikingNetwork, factor: int) -> SpikingNetwork:
    """Return the network with a ``factor``-th of the current in ``factor`` times the steps.

    The number of spikes stays the same, but they are further apart.

    Parameters
    ----------
    network : SpikingNetwork
        Without changes; all its neurons are perfect integrators without a refractory period.
    factor : int
    """
    if factor == 1:
        return network
    per_step = {r.population for r in network.readouts if r.kind in _PER_STEP}
    return network.replace(
        n_steps=network.n_steps * factor,
        inputs=tuple(
            replace(entry, scale=entry.scale / factor) if entry.spikes else entry
            for entry in network.inputs
        ),
        populations=tuple(_slow(p, factor, p.name in per_step) for p in network.populations),
        drives=tuple(
            replace(d, operator=scaled(d.operator, post=1.0 / factor)) for d in network.drives
        ),
        readouts=tuple(_slow_readout(r, factor) for r in network.readouts),
    )


def _slow(population: Population, factor: int, per_step: bool) -> Population:
    model = population.model
    current = population.parameters.get(model.current)
    parameters = dict(population.parameters)
    if current is not None:
        parameters[model.current] = np.asarray(current, np.float64) / factor
    return replace(
        population,
        parameters=parameters,
        max_rate=population.max_rate / factor,
        scale=population.scale * factor if per_step else population.scale,
        start_step=population.start_step * factor,
    )


def _slow_readout(readout: Readout, factor: int) -> Readout:
    return replace(readout, rate=readout.rate / factor)
