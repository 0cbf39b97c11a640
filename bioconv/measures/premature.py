"""Premature spikes, which a neuron emits before all of its input has arrived.

>>> import numpy as np, bioconv as bc
>>> from bioconv.models import weights_path
>>> x = np.random.default_rng(0).random((4, 8, 8, 1))
>>> network = bc.convert(weights_path("digits_mlp"), calibration=x, code=bc.FirstSpikeCode())
>>> record = {population.name: ("spikes",) for population in network.populations}
>>> recording = bc.simulate(network, x, record=record, simulator="event", progress=False)
>>> [entry.spikes >= entry.premature for entry in premature_spikes(network, recording)]
[True, True, True]
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bioconv.ground.errors import ParameterError
from bioconv.network import Population, Projection, SpikingNetwork
from bioconv.network.recording import Recording
from bioconv.neurons.language import roles

#: largest number of elements in one array (32 MB)
_CHUNK = 4_000_000


@dataclass(frozen=True)
class Premature:
    """Premature spikes of one population over all samples.

    Parameters
    ----------
    population : str
    spikes : int
    premature : int
        Number of spikes that were emitted before the last input of their neuron arrived.
    """

    population: str
    spikes: int
    premature: int

    @property
    def share(self) -> float:
        """Share of premature spikes; 0 if there are no spikes."""
        return self.premature / self.spikes if self.spikes else 0.0


def premature_spikes(network: SpikingNetwork, recording: Recording) -> list[Premature]:
    """Count the spikes of each layer that were emitted before all input had arrived.

    Later input is not represented by the spike (mueller 6.1), so that its time may be wrong.

    Parameters
    ----------
    network : SpikingNetwork
        A network of a code that is based on spike times.
    recording : Recording
        A recording of the "spikes" of all populations.

    Returns
    -------
    list of Premature
        One entry for every population whose spikes represent values, in the order of the network.
        Populations without spike input have no premature spikes.  Gates of max pooling are
        excluded because they only wait for the first spike.

    Raises
    ------
    ParameterError
        The spikes of a population were not recorded.
    """
    wanted = [p for p in network.populations if len(p.spike_values) and not _picks(p)]
    needed = {p.name for p in wanted}
    needed |= {e.pre for p in wanted for e in network.projections_to(p.name)}
    missing = sorted(needed - set(recording.rasters))
    if missing:
        raise ParameterError(
            f"the spikes of {', '.join(missing)} were not recorded. Simulate with "
            'record={name: ("spikes",)} for each of them.'
        )
    return [_of_population(network, recording, population) for population in wanted]


def _picks(population: Population) -> bool:
    return population.model.kind == roles.MAX_GATE


def _of_population(
    network: SpikingNetwork, recording: Recording, population: Population
) -> Premature:
    raster = recording.rasters[population.name]
    n_spikes = len(raster.step)
    # Spikes that only raise a threshold are not input; they target another receptor.
    carrying = [
        entry
        for entry in network.projections_to(population.name)
        if entry.receptor == population.model.receptors[0].name
    ]
    if not carrying or not n_spikes:
        return Premature(population.name, n_spikes, 0)
    last = np.full((recording.n_images, population.n_neurons), -np.inf)
    for projection in carrying:
        np.maximum(last, _last_arrivals(network, recording, projection), out=last)
    late = last[raster.image, raster.neuron] - raster.moments(recording.dt)
    # On the grid, input that arrives in the step of the spike is in time.
    return Premature(population.name, n_spikes, int(np.count_nonzero(late > 1e-9 * recording.dt)))


def _last_arrivals(
    network: SpikingNetwork, recording: Recording, projection: Projection
) -> NDArray[np.float64]:
    """Return the arrival time in ms of the last spike at each neuron, -inf if there is none."""
    raster, operator = recording.rasters[projection.pre], projection.operator
    times = np.full((recording.n_images, operator.n_in), -np.inf)
    np.maximum.at(times, (raster.image, raster.neuron), raster.moments(recording.dt))
    edges = operator.edges()
    last = np.full((recording.n_images, operator.n_out), -np.inf)
    if not len(edges):
        return last
    order = np.argsort(edges.post, kind="stable")
    pre, (post, first) = edges.pre[order], np.unique(edges.post[order], return_index=True)
    size = max(_CHUNK // len(edges), 1)
    for begin in range(0, recording.n_images, size):
        part = slice(begin, begin + size)
        last[part, post] = np.maximum.reduceat(times[part][:, pre], first, axis=1)
    return last + projection.delay_steps * network.dt
