"""Plots of layers: rates, activations and operations."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from bioconv.measures import multiply_accumulates, synaptic_operations
from bioconv.measures.diagnosis import carried_layers, on_cells, signed_values
from bioconv.network import Population, SpikingNetwork
from bioconv.network.recording import Recording
from bioconv.plots.style import (
    BLUE,
    DENSITY,
    GREEN,
    LABEL,
    MAX_PANELS,
    RED,
    finish,
    head,
    legend_below,
    names_of,
    panels,
    require,
    thin,
)

#: recorded quantity -> field of the recording
_KEPT = {"counts": "counts", "spikes": "rasters"}


def rate_against_activation(
    network: SpikingNetwork, recording: Recording, activations: dict[str, NDArray]
) -> Figure:
    """Plot decoded activations against the analog activations, with one panel per population.

    The decoded activations are firing rates or, for codes in which spike times matter, the values
    that are decoded from the spikes.

    Parameters
    ----------
    network : SpikingNetwork
    recording : Recording
        A recording with the "counts", or the "spikes" if their times matter, of at least one
        population that represents a layer.
    activations : dict of str to ndarray, shape (n_images, *shape)
        Activations of the analog network by layer, see
        `bioconv.analog.AnalogGraph.activations`.

    Raises
    ------
    ParameterError
        If neither was recorded.
    """
    carried = carried_populations(network, recording, activations)
    require(carried, "counts")
    figure, rows = panels(len(carried))
    for axes, population in zip(rows, carried, strict=False):
        timed = population.decoded_from == "spikes"
        most, unit = (1.0, "decoded / scale") if timed else (population.max_rate, "rate (Hz)")
        analog = activations[population.layer]
        values = most * signed_values(recording, population, analog.shape[1:]).ravel()
        share = _as_share(on_cells(population, analog.shape[1:]), analog).ravel()
        keep = thin(np.arange(share.size))
        top = max(1.15, float(np.quantile(share, 0.9995)))
        box = (-0.05, top, -0.03 * most, 1.08 * most)
        axes.hexbin(
            share[keep],
            values[keep],
            gridsize=45,
            bins="log",
            extent=box,
            cmap=DENSITY,
            mincnt=1,
            linewidths=0.1,
        )
        line = np.array([0.0, 1.0, top]), most * np.array([0.0, 1.0, 1.0])
        axes.plot(*line, color=RED, linewidth=1, label="exact, up to saturation")
        axes.set(xlim=box[:2], ylim=box[2:])
        finish(axes, population.name, "activation / scale", unit)
    head(figure, network)
    legend_below(figure, rows[0])
    return figure


def activation_distributions(network: SpikingNetwork, activations: dict[str, NDArray]) -> Figure:
    """Plot the distribution of the analog activations, with the scale of their populations.

    Parameters
    ----------
    network : SpikingNetwork
    activations : dict of str to ndarray, shape (n_images, *shape)
        Activations of the analog network by layer.

    Raises
    ------
    ParameterError
        If no population represents one of the layers.
    """
    carried = [p for p in network.populations if p.layer in activations][:MAX_PANELS]
    require(carried, "the layer of any population")
    figure, rows = panels(len(carried))
    for axes, population in zip(rows, carried, strict=False):
        values = np.asarray(activations[population.layer], float)
        cells = on_cells(population, values.shape[1:])
        scale = np.broadcast_to(cells.scale, cells.shape)
        above = np.mean(_as_share(cells, values) > 1)
        axes.hist(values.ravel(), bins=60, color=BLUE, log=True)
        for end in sorted({float(scale.min()), float(scale.max())}):
            label = "scale (least and largest of the channels)"
            axes.axvline(end, color=RED, linewidth=1, linestyle="--", label=label)
        title = f"{population.name}: {100 * above:.2g} % above scale"
        finish(axes, title, "analog activation", "count")
        axes.title.set_fontsize(LABEL)
    head(figure, network)
    legend_below(figure, rows[0])
    return figure


def spikes_and_operations(network: SpikingNetwork, recording: Recording) -> Figure:
    """Plot spikes emitted and synaptic events received by each population per image.

    The multiply-accumulates of the same layer in the analog network are marked for comparison.

    Parameters
    ----------
    network : SpikingNetwork
    recording : Recording
    """
    names = names_of(network)
    spikes = [float(np.mean(recording.spikes_per_image[name])) for name in names]
    events = synaptic_operations(network, recording, by="post")
    analog = multiply_accumulates(network.analog)
    layers = carried_layers(network)
    figure, (left, right) = panels(2, width=3.6, height=0.9 + 0.27 * len(names))
    place = np.arange(len(names))
    left.barh(place, spikes, color=BLUE, height=0.65)
    right.barh(place, [events[name] for name in names], color=GREEN, height=0.65)
    marks = [(at, analog.get(layers.get(name, ""))) for at, name in enumerate(names)]
    known = [(at, value) for at, value in marks if value]
    if known:
        height, value = zip(*known, strict=True)
        right.plot(
            value,
            height,
            linestyle="",
            marker="|",
            markersize=14,
            markeredgewidth=2,
            color=RED,
            label="multiply-accumulates of the analog network",
        )
    for axes, title, unit in (
        (left, "sent", "spikes / image"),
        (right, "received", "synaptic operations / image"),
    ):
        finish(axes, title, unit, "")
        axes.set_yticks(place, names if axes is left else [""] * len(names))
        axes.set_ylim(len(names) - 0.4, -0.6)
        axes.set_xlim(left=0)
        axes.ticklabel_format(axis="x", style="sci", scilimits=(-3, 4), useMathText=True)
    head(figure, network)
    legend_below(figure, right)
    return figure


def carried_populations(
    network: SpikingNetwork, recording: Recording, activations: dict[str, NDArray]
) -> list[Population]:
    """Return the first few populations whose rates can be compared with activations."""
    return [
        population
        for population in network.firing
        if population.layer in activations
        and population.name in getattr(recording, _KEPT[population.decoded_from])
    ][:MAX_PANELS]


def _as_share(population: Population, activation: NDArray) -> NDArray[np.float64]:
    value = np.asarray(activation, float) - population.offset
    scale = np.broadcast_to(population.scale, value.shape)
    return np.divide(value, scale, out=np.zeros_like(value), where=scale != 0)
