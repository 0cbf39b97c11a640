"""Plots of layers: accuracy over time, rates, activations and operations."""

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
    SMALL,
    finish,
    names_of,
    panels,
    require,
    thin,
)

#: recorded quantity -> field of the recording
_KEPT = {"counts": "counts", "spikes": "rasters"}


def accuracy_over_time(
    recording: Recording,
    target: NDArray,
    *,
    analog_accuracy: float | None = None,
    label: str = "accuracy",
) -> Figure:
    """Plot the fraction of right decisions over simulated time.

    There is no line as long as no sample has an output.

    Parameters
    ----------
    recording : Recording
    target : ndarray, shape (n_images, ...)
        Labels or values, or what the analog network decides.
    analog_accuracy : float, optional
        Accuracy of the analog network, drawn as a line.
    label : str
        Name of the fraction: "accuracy", or "agreement" for the analog network's classes.
    """
    figure, (axes,) = panels(1, width=4.2, height=2.9)
    found = recording.accuracy_over_time(target)
    share = 100 * np.where(recording.answered() > 0, found, np.nan)
    time = recording.checkpoints * recording.dt
    marker = "o" if len(time) < 30 else ""
    axes.plot(
        time,
        share,
        color=BLUE,
        marker=marker,
        markersize=3,
        label=f"spiking network: {share[-1]:.2f} %",
    )
    if analog_accuracy is not None:
        name = f"analog network: {100 * analog_accuracy:.2f} %"
        axes.axhline(100 * analog_accuracy, color=RED, linestyle="--", label=name)
    finish(
        axes,
        f"{recording.n_images:,} images, simulator {recording.simulator}",
        "time (ms)",
        f"{label} (%)",
    )
    axes.set_ylim(0, 102)
    axes.set_xlim(0, recording.n_steps * recording.dt * 1.01)
    axes.legend(loc="lower right", fontsize=SMALL, frameon=False, bbox_to_anchor=(1.0, 0.08))
    return figure


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
        axes.plot(*line, color=RED, linewidth=1, label="exact, up to\nsaturation")
        axes.set(xlim=box[:2], ylim=box[2:])
        finish(axes, population.name, "activation / scale", unit)
    rows[0].legend(loc="upper left", fontsize=SMALL, frameon=False, borderaxespad=0)
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
            axes.axvline(end, color=RED, linewidth=1, linestyle="--")
        title = f"{population.name}: {100 * above:.2g} % above scale"
        finish(axes, title, "analog activation (scale dashed)", "count")
        axes.title.set_fontsize(LABEL)
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
            label="multiply-accumulates of\nthe analog network",
        )
        right.legend(fontsize=SMALL, frameon=False)
    for axes, title, unit in (
        (left, "sent", "spikes / image"),
        (right, "received", "synaptic operations / image"),
    ):
        finish(axes, title, unit, "")
        axes.set_yticks(place, names if axes is left else [""] * len(names))
        axes.set_ylim(len(names) - 0.4, -0.6)
        axes.set_xlim(left=0)
        axes.ticklabel_format(axis="x", style="sci", scilimits=(-3, 4), useMathText=True)
    return figure


def carried_populations(
    network: SpikingNetwork, recording: Recording, activations: dict[str, NDArray]
) -> list[Population]:
    """Return the first few populations whose rates can be compared with activations."""
    silent = {readout.population for readout in network.readouts if not readout.reads_spikes}
    return [
        population
        for population in network.populations
        if population.layer in activations
        and population.name in getattr(recording, _KEPT[population.decoded_from])
        and population.name not in silent
    ][:MAX_PANELS]


def _as_share(population: Population, activation: NDArray) -> NDArray[np.float64]:
    value = np.asarray(activation, float) - population.offset
    scale = np.broadcast_to(population.scale, value.shape)
    return np.divide(value, scale, out=np.zeros_like(value), where=scale != 0)
