"""Plots of an isolated neuron: potentials under constant currents, and the f-I curve."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from bioconv.neurons import Neuron
from bioconv.neurons.response.transfer import Curve, rising_branch
from bioconv.plots.style import (
    BLUE,
    GRAY,
    LABEL,
    ORANGE,
    check_format,
    finish,
    legend_below,
    mark_spikes,
    panels,
    save,
)
from bioconv.simulators.stimulation import default_step, stimulate
from bioconv.timing import whole_steps

#: largest rate in Hz of a curve that is drawn
_TOP_RATE = 150.0
#: time in ms before the onset of the current
_QUIET = 20.0


def plot_neuron(
    neuron: Neuron, folder: str | Path, *, seed: int = 0, format: str = "png"
) -> list[Path]:
    """Plot the potential under a few currents, and the f-I curve.

    Parameters
    ----------
    neuron : Neuron
    folder : str or Path
        Created if it does not exist.
    seed : int
        Seed of noise in the equations.
    format : {"png", "pdf", "svg"}

    Returns
    -------
    list of Path
        ``traces`` and ``fi_curve``.

    Raises
    ------
    ParameterError
        If the model has no parameter for a constant current, if no current makes it fire, or if
        the format is unknown.
    """
    check_format(format)
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    curve = working_range(neuron)
    share = np.maximum.accumulate(curve.rates) / curve.rates.max()
    wanted = curve.currents[np.unique(np.searchsorted(share, [1e-9, 0.1, 0.4, 1.0]))]
    below = curve.currents[max(int(np.argmax(curve.rates > 0)) - 1, 0)]
    figures = {
        "traces": voltage_traces(neuron, [below, *wanted[-3:]], seed=seed),
        "fi_curve": frequency_current(neuron, curve),
    }
    return [save(figure, folder / f"{name}.{format}") for name, figure in figures.items()]


def voltage_traces(
    neuron: Neuron, currents: ArrayLike, *, duration: float = 250.0, seed: int = 0
) -> Figure:
    """Plot the first state variable over time, with one panel for each current.

    The current is switched on after 20 ms.

    Parameters
    ----------
    neuron : Neuron
    currents : array of float, shape (n,)
        Currents in the unit of the model's current parameter.
    duration : float
        Simulated time in ms.
    seed : int
        Seed of noise in the equations.
    """
    model, levels = neuron.model, np.atleast_1d(np.asarray(currents, np.float64))
    dt = default_step(neuron)
    n_steps = whole_steps(duration, dt)
    injected = np.zeros((n_steps, len(levels)))
    injected[whole_steps(_QUIET, dt) :] = levels
    state = model.states[0]
    response = stimulate(
        neuron, injected, duration=duration, dt=dt, record=(state.name,), seed=seed
    )
    unit, label = _unit(model.parameter(model.current).unit), _label(state.name, state.unit)
    figure, rows = panels(1, rows=len(levels), width=6.4, height=1.25)
    trace = response.traces[state.name]
    low, high = _extent(trace)
    for index, axes in enumerate(rows):
        axes.plot(response.time, trace[:, index], color=BLUE, linewidth=0.8)
        axes.set_ylim(low, high + 0.22 * (high - low))  # room for the marks of the spikes
        mark_spikes(axes, response.spike_times[index], 0.9)
        axes.axvline(_QUIET, color=GRAY, linewidth=0.7, linestyle=":")
        finish(axes, "", "", label)
        count = len(response.spike_times[index])
        title = f"{levels[index]:.4g}{unit}: {count} spike{'' if count == 1 else 's'}"
        axes.set_title(title, fontsize=LABEL, loc="left")
        axes.set_xlim(0, duration)
        axes.tick_params(labelbottom=axes is rows[-1])
    rows[-1].set_xlabel("time (ms)", fontsize=LABEL)
    figure.suptitle(f"{model.name}, step {dt:g} ms", fontsize=LABEL)
    return figure


def frequency_current(neuron: Neuron, curve: Curve | None = None) -> Figure:
    """Plot the f-I curve: the steady rate, and that of the first interval where it differs.

    Parameters
    ----------
    neuron : Neuron
    curve : Curve, optional
        Default: measured from silence up to 150 Hz (`working_range`).

    Raises
    ------
    ParameterError
        If no curve is given and no current makes the neuron fire.
    """
    curve = working_range(neuron) if curve is None else curve
    model, rates = neuron.model, curve.rates
    figure, (axes,) = panels(1, width=4.8, height=3.5)
    first = int(np.argmax(rates > 0))
    early = np.where(curve.onset > 0, curve.onset, np.nan)[first:]
    if np.nanmax(np.abs(early - rates[first:])) > 0.05 * rates.max():
        axes.plot(curve.currents[first:], early, color=ORANGE, linewidth=1, label="first interval")
    axes.plot(curve.currents, rates, color=BLUE, linewidth=1.2, label="steady")
    legend_below(figure, axes)
    label = _label(model.current, model.parameter(model.current).unit)
    finish(axes, model.name, label, "firing rate (Hz)")
    axes.set_ylim(bottom=-0.02 * rates.max())
    return figure


def working_range(neuron: Neuron) -> Curve:
    """Return the f-I curve from silence up to 150 Hz, or to the largest rate of the neuron.

    Raises
    ------
    ParameterError
        If no current makes the neuron fire.
    """
    dt = default_step(neuron)
    whole = rising_branch(neuron, dt)
    return rising_branch(neuron, dt, _TOP_RATE) if whole.rates.max() > _TOP_RATE else whole


def _extent(trace: NDArray) -> tuple[float, float]:
    low, high = float(np.nanmin(trace)), float(np.nanmax(trace))
    margin = 0.05 * (high - low) or 1.0
    return low - margin, high + margin


def _unit(unit: str) -> str:
    return "" if unit == "1" else f" {unit}"


def _label(name: str, unit: str) -> str:
    return f"{name} (1)" if unit == "1" else f"{name} ({unit})"
