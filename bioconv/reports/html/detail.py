"""The second, short simulation of a report, in which every spike is recorded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

from bioconv.encoders import SpikeRaster
from bioconv.network import SpikingNetwork
from bioconv.network.recording import Recording
from bioconv.simulators import SIMULATORS, simulate
from bioconv.simulators.settings import n_steps_of, records_states

#: samples of which every spike is recorded
_SAMPLES = 10
#: values up to which state variables are recorded, of all samples and steps together
_VALUES = 20_000_000
#: populations whose potentials are recorded
_TRACED = 2


def detail_of(
    network: SpikingNetwork,
    x: NDArray | Sequence[SpikeRaster],
    *,
    simulator: str = "array",
    steps: int | None = None,
    duration: float | None = None,
    **settings: Any,
) -> Recording:
    """Simulate the first ten samples once more, and record their spikes and some potentials.

    Random numbers are those of a simulation of all samples with the same settings.  So are the
    spikes if ``batch_size`` is given; otherwise, sums over synapses may be rounded differently.

    Parameters
    ----------
    network : SpikingNetwork
    x : ndarray, shape (n_images, *shape), or sequence of SpikeRaster
    simulator : str
    steps : int, optional
    duration : float, optional
        As in `bioconv.simulate`.
    **settings
        Further arguments of `bioconv.simulate`, except ``record``.

    Returns
    -------
    Recording
        "counts" and "spikes" of all populations, and, if the simulator records state variables,
        the potentials of the first two populations of which they are not too many.
    """
    samples = x[:_SAMPLES]
    record = {p.name: ["counts", "spikes"] for p in network.populations}
    n_values = len(samples) * n_steps_of(network, steps, duration)
    small = [p for p in network.populations if p.n_neurons * n_values <= _VALUES]
    traced = small[:_TRACED] if records_states(SIMULATORS[simulator]) else []
    for population in traced:
        if population.model.potential:
            record[population.name].append(population.model.potential)
    return simulate(
        network,
        samples,
        record=record,
        simulator=simulator,
        steps=steps,
        duration=duration,
        **settings,
    )
