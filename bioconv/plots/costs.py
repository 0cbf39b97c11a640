"""Plots of what a network costs: energy on named hardware; and of how biological its spikes are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter
from numpy.typing import NDArray

from bioconv.measures.energy import Energy
from bioconv.measures.physiology import RATES, VARIATION, variations
from bioconv.network import SpikingNetwork
from bioconv.network.recording import Recording
from bioconv.plots.style import (
    BLUE,
    GRAY,
    PALE,
    finish,
    head,
    legend_below,
    names_of,
    panels,
    require,
)

#: quantiles that a bar spans
_SPAN = (0.05, 0.95)


def energy_per_sample(network: SpikingNetwork, found: Sequence[Energy]) -> Figure:
    """Plot the energy of one sample on each hardware, of the spiking and the analog network.

    Parameters
    ----------
    network : SpikingNetwork
    found : sequence of Energy
        See `bioconv.measures.energy_of`.
    """
    known = [entry for entry in found if entry.spiking is not None or entry.analog is not None]
    require(known, "energy")
    figure, (axes,) = panels(1, width=6.4, height=1.3 + 0.3 * len(known))
    series = (
        ("spiking network", BLUE, [entry.spiking for entry in known]),
        ("analog network", GRAY, [entry.analog for entry in known]),
    )
    place = np.arange(len(known))
    for number, (label, color, values) in enumerate(series):
        width = [np.nan if value is None else value for value in values]
        axes.barh(place + (number - 0.5) * 0.38, width, height=0.36, color=color, label=label)
    axes.set_yticks(place, [entry.profile.title for entry in known])
    axes.set_ylim(len(known) - 0.4, -0.6)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(EngFormatter("J"))
    head(figure, network)
    finish(axes, "", "estimated energy of one sample", "")
    legend_below(figure, axes)
    return figure


def rates_and_intervals(network: SpikingNetwork, recording: Recording) -> Figure:
    """Plot the firing rates of each population, and how irregular its spikes are.

    A bar spans 90 % of the neurons (rates, averaged over samples) or of the spike trains
    (coefficient of variation of the intervals), and a point is the median.  What is observed of
    cortical neurons is shaded; see `bioconv.measures.physiology`.

    Parameters
    ----------
    network : SpikingNetwork
    recording : Recording
        Coefficients of variation require the "spikes" of populations.
    """
    names = [name for name in names_of(network) if recording.spikes_per_neuron[name].any()]
    require(names, "spikes")
    duration = recording.n_steps * recording.dt * 1e-3 * recording.n_images
    rates = [recording.spikes_per_neuron[name] / duration for name in names]
    varied = [_variations(recording, name) for name in names]
    figure, (left, right) = panels(2, width=3.6, height=1.2 + 0.3 * len(names))
    for axes, values, known, label in (
        (left, rates, RATES, "firing rate (Hz)"),
        (right, varied, VARIATION, "coefficient of variation"),
    ):
        axes.axvspan(known.low, known.high, color=PALE, linewidth=0, label="in cortex")
        for place, each in enumerate(values):
            if each.size:
                low, middle, high = np.quantile(each, (_SPAN[0], 0.5, _SPAN[1]))
                axes.plot([low, high], [place, place], color=BLUE, linewidth=2.5, label="90 %")
                axes.plot(middle, place, "o", color=BLUE, markersize=5, label="median")
        axes.set_yticks(np.arange(len(names)), names if axes is left else [""] * len(names))
        axes.set_ylim(len(names) - 0.5, -0.5)
        axes.set_xlim(left=0)
        finish(axes, "", label, "")
    right.set_xlim(right=max(1.05, right.get_xlim()[1]))
    head(figure, network)
    legend_below(figure, left)
    return figure


def _variations(recording: Recording, name: str) -> NDArray[np.float64]:
    if name not in recording.rasters:
        return np.zeros(0)
    size = len(recording.spikes_per_neuron[name])
    return variations(recording.rasters[name], size, recording.dt)[1]
