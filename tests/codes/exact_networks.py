"""How the tests of the exact first-spike code convert, simulate and count."""

from __future__ import annotations

from typing import Any

import numpy as np

import bioconv as bc
from bioconv.codes import FirstSpikeExactCode
from bioconv.network import SpikingNetwork
from bioconv.network.recording import Recording


def convert(model: Any, x: np.ndarray, **options: Any) -> SpikingNetwork:
    return bc.convert(model, calibration=x, code=FirstSpikeExactCode(**options))


def run(network: SpikingNetwork, x: np.ndarray, simulator: str = "event", **more: Any) -> Recording:
    record = {entry.name: ("counts", "spikes") for entry in network.populations}
    given = {"dtype": "float64", "record": record, "progress": False, **more}
    return bc.simulate(network, x, simulator=simulator, **given)


def most_spikes(recording: Recording) -> int:
    """The largest number of spikes of a neuron in one sample, early ones included."""
    found = [0]
    for name, raster in recording.rasters.items():
        n = len(recording.spikes_per_neuron[name])
        found.append(int(np.bincount(raster.image * n + raster.neuron, minlength=1).max()))
    return max(found)
