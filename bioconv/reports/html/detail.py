"""The second, short simulation of a report, in which every spike is recorded."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from bioconv.network import SpikingNetwork
from bioconv.network.recording import Recording
from bioconv.simulators import simulate

#: samples of which every spike is recorded
_SAMPLES = 10
#: values up to which state variables are recorded, of all samples and steps together
_VALUES = 20_000_000
#: populations whose potentials are recorded
_TRACED = 2


def detail_of(network: SpikingNetwork, x: NDArray, **settings: Any) -> Recording:
    """Simulate the first ten samples once more, and record their spikes and some potentials.

    The same settings give the same spikes as in a simulation of all samples.

    Parameters
    ----------
    network : SpikingNetwork
    x : ndarray, shape (n_images, *shape)
    **settings
        Arguments of `bioconv.simulate`, except ``record``.

    Returns
    -------
    Recording
        "counts" and "spikes" of all populations, and the potentials of the first two populations
        of which they are not too many.
    """
    samples = x[:_SAMPLES]
    record = {p.name: ["counts", "spikes"] for p in network.populations}
    n_values = len(samples) * int(settings.get("steps") or network.n_steps)
    small = [p for p in network.populations if p.n_neurons * n_values <= _VALUES]
    for population in small[:_TRACED]:
        if population.model.potential:
            record[population.name].append(population.model.potential)
    return simulate(network, samples, record=record, **settings)
