"""Plots of neurons: spike rasters and traces of state variables."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from bioconv.ground.errors import ParameterError
from bioconv.network import Population, SpikingNetwork
from bioconv.network.recording import Recording
from bioconv.neurons.language import roles
from bioconv.plots.style import (
    BLUE,
    COLORS,
    LABEL,
    MAX_PANELS,
    RED,
    check_image,
    finish,
    head,
    legend_below,
    mark_spikes,
    names_of,
    panels,
    require,
    thin,
)

#: share of a trace's range from which a change in one step counts as a jump, and jumps drawn
_JUMP, _MOST_JUMPS = 0.02, 150
#: times the range of a panel from which a threshold is not drawn
_AWAY = 100


def raster(network: SpikingNetwork, recording: Recording, image: int = 0) -> Figure:
    """Plot the spikes of one sample, with one panel per population.

    Parameters
    ----------
    network : SpikingNetwork
    recording : Recording
        A recording with "spikes" of at least one population.
    image : int

    Raises
    ------
    ParameterError
        If no spikes were recorded, or if there is no such sample.
    """
    image = check_image(recording, image)
    # A population that never spikes (one that is read out by potential) gets no panel.
    names = [
        name
        for name in names_of(network)
        if name in recording.rasters and recording.spikes_per_neuron[name].any()
    ][:MAX_PANELS]
    require(names, "spikes")
    figure, rows = panels(1, rows=len(names), width=6.0, height=0.5 + 5.0 / (len(names) + 2))
    for axes, name, color in zip(rows, names, _cycle(names), strict=True):
        spikes = recording.rasters[name]
        chosen = thin(np.flatnonzero(spikes.image == image))
        time = spikes.moments(recording.dt)[chosen]
        n_neurons = len(recording.spikes_per_neuron[name])
        size = float(np.clip(300 / n_neurons, 0.4, 4))
        axes.scatter(time, spikes.neuron[chosen], s=size, color=color, marker="o", linewidths=0)
        finish(axes, "", "", "neuron")
        axes.set_title(f"{name}: {len(chosen):,} spikes", fontsize=LABEL, loc="left")
        axes.set_xlim(0, recording.n_steps * recording.dt)
        axes.set_ylim(-0.5, n_neurons - 0.5)
        axes.tick_params(labelbottom=axes is rows[-1])
    rows[-1].set_xlabel("time (ms)", fontsize=LABEL)
    head(figure, network, f"sample {image}")
    return figure


def membrane_traces(
    network: SpikingNetwork,
    recording: Recording,
    population: str,
    *,
    variable: str = "",
    image: int = 0,
    neurons: Sequence[int] | None = None,
) -> Figure:
    """Plot a state variable of some neurons over time, with threshold and spikes.

    Parameters
    ----------
    network : SpikingNetwork
    recording : Recording
        With ``variable`` of the population; spikes are marked if they were recorded too.
    population : str
    variable : str
        By default the membrane potential.
    image : int
    neurons : sequence of int, optional
        Indices of the neurons.  By default up to four, from the most to the least active of those
        that spike.

    Raises
    ------
    ParameterError
        If the variable was not recorded, or if there is no such population or sample.
    """
    image = check_image(recording, image)
    item = network.population(population)
    variable = variable or item.model.potential
    if (population, variable) not in recording.traces:
        raise ParameterError(
            f"{variable} of {population!r} was not recorded. "
            f'Simulate with record={{"{population}": ("{variable}",)}}.'
        )
    trace = recording.traces[population, variable][image]
    chosen = _typical(recording, population, image) if neurons is None else list(neurons)
    n_shown = _steps_to_show(trace[:, chosen])
    unit = item.model.state(variable).unit
    figure, rows = panels(1, rows=len(chosen), width=6.0, height=1.3)
    time = np.arange(1, n_shown + 1) * recording.dt
    threshold = None
    if variable == item.model.potential:
        threshold = _thresholds(network, item, n_shown, chosen)
    for index, (axes, neuron) in enumerate(zip(rows, chosen, strict=True)):
        # The state is known at the end of each step.
        line = "steps-pre" if n_shown < recording.n_steps else "default"
        axes.plot(time, trace[:n_shown, neuron], color=BLUE, linewidth=0.9, drawstyle=line)
        low, high = axes.get_ylim()
        if threshold is not None:
            # A layer that is held back has a threshold far away.
            mine = threshold[:, index]
            mine = np.where(np.abs(mine) < _AWAY * (abs(low) + abs(high)), mine, np.nan)
            axes.plot(time, mine, color=RED, linewidth=0.8, linestyle="--", label="threshold")
            low, high = axes.get_ylim()
        axes.set_ylim(low, high + 0.2 * (high - low))  # room for the spikes above the trace
        spikes = _spike_times(recording, population, image, neuron)
        mark_spikes(axes, spikes[spikes <= time[-1]], 0.88)
        finish(axes, "", "", f"{variable} ({unit})" if unit != "1" else variable)
        axes.set_title(f"{population}, neuron {neuron}", fontsize=LABEL, loc="left")
        axes.set_xlim(0, time[-1])
        axes.tick_params(labelbottom=axes is rows[-1])
    rows[-1].set_xlabel("time (ms)", fontsize=LABEL)
    shown = f", first {n_shown} steps" if n_shown < recording.n_steps else ""
    head(figure, network, f"sample {image}{shown}")
    legend_below(figure, *rows)
    return figure


def _steps_to_show(trace: NDArray) -> int:
    """Return how many steps to draw, so that potentials that jump in every step do not alias."""
    jumps = np.abs(np.diff(trace, axis=0))
    jumps = jumps[jumps > 0]
    jumping = jumps.size > 0 and np.median(jumps) > _JUMP * np.ptp(trace)
    return min(len(trace), _MOST_JUMPS) if jumping else len(trace)


def _cycle(names: Sequence[str]) -> list[str]:
    return [COLORS[index % len(COLORS)] for index in range(len(names))]


def _typical(recording: Recording, population: str, image: int) -> list[int]:
    """Return up to four neurons, from the most to the least active of those that spike."""
    spikes = recording.spikes_per_neuron[population]
    if population in recording.rasters:
        raster = recording.rasters[population]
        spikes = np.bincount(raster.neuron[raster.image == image], minlength=len(spikes))
    elif population in recording.counts:
        spikes = recording.counts[population][image]
    order = np.argsort(-spikes, kind="stable")
    active = max(int(np.count_nonzero(spikes)), 1)
    places = np.linspace(0, active - 1, min(4, active)).astype(int)
    return [int(neuron) for neuron in order[places]]


def _thresholds(
    network: SpikingNetwork, population: Population, n_steps: int, neurons: Sequence[int]
) -> NDArray[np.float64] | None:
    """Return thresholds at the end of each step, (n_steps, n_neurons); None if there are none."""
    name = population.model.role(roles.THRESHOLD)
    if not name:
        return None
    changes = sorted(
        (c for c in network.changes if (c.population, c.variable) == (population.name, name)),
        key=lambda change: change.step,
    )
    values = [population.values(name)]
    values += [np.broadcast_to(c.value, population.shape).ravel() for c in changes]
    last = np.searchsorted([c.step for c in changes], np.arange(n_steps), side="right")
    return np.stack([value[list(neurons)] for value in values])[last]


def _spike_times(
    recording: Recording, population: str, image: int, neuron: int
) -> NDArray[np.float64]:
    if population not in recording.rasters:
        return np.zeros(0)
    spikes = recording.rasters[population]
    chosen = (spikes.image == image) & (spikes.neuron == neuron)
    return spikes.moments(recording.dt)[chosen]
