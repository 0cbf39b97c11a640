"""Plots of accuracy: over time, layer by layer, and between classes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike, NDArray

from bioconv.ground.errors import ParameterError
from bioconv.measures.diagnosis import LayerDiagnosis
from bioconv.measures.shares import confusion, interval_of
from bioconv.network import SpikingNetwork
from bioconv.network.recording import Recording
from bioconv.plots.style import (
    BLUE,
    GRAY,
    LABEL,
    PALE,
    RED,
    SMALL,
    TITLE,
    finish,
    head,
    legend_below,
    panels,
)

#: checkpoints up to which each is marked, and steps up to which each has a tick
_MARKED, _TICKED = 30, 12
#: classes up to which the numbers of a confusion matrix are written
_WRITTEN = 20


def accuracy_over_time(
    recording: Recording,
    target: NDArray,
    *,
    analog_accuracy: float | None = None,
    label: str = "accuracy",
    network: SpikingNetwork | None = None,
) -> Figure:
    """Plot the fraction of right decisions over simulated time.

    There is no line as long as no sample has an output.  The time in which there can be none, or in
    which no checkpoint has one, is shaded.  The band is the interval of Wilson (95 %), if each
    sample has one decision.

    Parameters
    ----------
    recording : Recording
    target : ndarray, shape (n_images, ...)
        Labels or values, or what the analog network decides.
    analog_accuracy : float, optional
        Accuracy of the analog network, drawn as a line.
    label : str
        Name of the fraction: "accuracy", or "agreement" for the analog network's classes.
    network : SpikingNetwork, optional
        The network of the recording, for the title and for the step from which outputs are read.
    """
    figure, (axes,) = panels(1, width=4.6, height=3.6)
    found, answered = recording.accuracy_over_time(target), recording.answered()
    share = np.where(answered > 0, found, np.nan)
    time = recording.checkpoints * recording.dt
    marker = "o" if len(time) < _MARKED else ""
    name = f"spiking network: {100 * share[-1]:.2f} %"
    axes.plot(time, 100 * share, color=BLUE, marker=marker, markersize=3, label=name)
    interval = interval_of(recording, share)
    if interval is not None:
        low, high = (100 * end for end in interval)
        axes.fill_between(
            time, low, high, color=BLUE, alpha=0.18, linewidth=0, label="95 % interval"
        )
    if analog_accuracy is not None:
        name = f"analog network: {100 * analog_accuracy:.2f} %"
        axes.axhline(100 * analog_accuracy, color=RED, linestyle="--", label=name)
    start = 0.0 if network is None else _start(network)
    _mark_silence(axes, recording, start, answered)
    text = f"{recording.n_images:,} samples, simulator {recording.simulator}"
    if network is not None:
        head(figure, network)
    finish(axes, text, "time (ms)", f"{label} (%)")
    axes.set_ylim(0, 102)
    axes.set_xlim(0, recording.n_steps * recording.dt * 1.01)
    if recording.n_steps <= _TICKED:
        axes.set_xticks(np.arange(recording.n_steps + 1) * recording.dt)
    legend_below(figure, axes, columns=2)
    return figure


def _start(network: SpikingNetwork) -> float:
    """Return the time in ms from which the first output is read."""
    return network.population(network.readouts[0].population).start_step * network.dt


def _mark_silence(axes: Axes, recording: Recording, start: float, answered: NDArray) -> None:
    """Shade the time without an output, and draw how many samples have one after it.

    It ends with ``start`` (ms) or with the last checkpoint before the first output.
    """
    time, any_output = recording.checkpoints * recording.dt, answered > 0
    silent = time[: np.argmax(any_output)] if any_output.any() else time
    end = min(max((start, *silent)), recording.n_steps * recording.dt)
    if end > 0:
        axes.axvspan(0, end, color=PALE, linewidth=0, label=f"no output before {end:g} ms")
    if np.any(answered[any_output] < 1):
        axes.plot(time, 100 * answered, color=GRAY, linestyle=":", label="samples with an output")


def accuracy_by_layer(rows: Sequence[LayerDiagnosis], title: str = "") -> Figure:
    """Plot accuracy and agreement if only the layers up to each one spike.

    Parameters
    ----------
    rows : sequence of LayerDiagnosis
        See `bioconv.measures.diagnose`.
    title : str
    """
    figure, (axes,) = panels(1, width=5.6, height=1.3 + 0.3 * len(rows))
    place = np.arange(len(rows))
    axes.plot(
        [100 * row.agreement for row in rows],
        place,
        color=BLUE,
        marker="o",
        markersize=4,
        label="agreement with the analog network",
    )
    if all(row.accuracy is not None for row in rows):
        accuracy = [100 * float(row.accuracy or 0.0) for row in rows]
        axes.plot(accuracy, place, color=RED, marker="s", markersize=4, label="accuracy")
    axes.set_yticks(place, [row.layer for row in rows])
    axes.set_ylim(len(rows) - 0.5, -0.5)
    finish(axes, title, "layers up to this one spike, the others compute as in Keras (%)", "")
    shares = [share for row in rows for share in (row.agreement, row.accuracy) if share is not None]
    low = 100 * min(shares)
    margin = max(0.05 * (100 - low), 0.2)
    axes.set_xlim(low - margin, 100 + margin)
    axes.grid(axis="y", color=PALE)
    legend_below(figure, axes, columns=2)
    return figure


def confusion_matrix(
    network: SpikingNetwork,
    recording: Recording,
    y: ArrayLike,
    *,
    names: Sequence[str] = (),
) -> Figure:
    """Plot how often each class was taken for each other one.

    The color is the share of a row, the class of the label; the last column counts decisions
    without an output, if there are any.

    Parameters
    ----------
    network : SpikingNetwork
    recording : Recording
    y : array_like of int, shape (n_images, ...)
        Labels.
    names : sequence of str
        Names of the classes; by default their numbers.

    Raises
    ------
    ParameterError
        If the output stands for values, or if the number of names is wrong.
    """
    found = confusion(network, recording, y)
    if found is None:
        raise ParameterError("the output stands for values, of which there are no classes.")
    n = len(found)
    words = list(names) or [str(number) for number in range(n)]
    if len(words) != n:
        raise ParameterError(f"expected {n} names of classes. Received: {len(words)}.")
    columns = [*words, "none"] if found[:, -1].any() else words
    counts = found[:, : len(columns)]
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    size = float(np.clip(0.34 * n + 1.6, 3.2, 8.0))
    figure, (axes,) = panels(1, width=size + 0.6, height=size)
    image = axes.imshow(100 * share, cmap="Blues", vmin=0, vmax=100)
    if n <= _WRITTEN:
        for row, column in np.argwhere(counts > 0):
            color = "white" if share[row, column] > 0.5 else "black"
            axes.text(
                column,
                row,
                f"{counts[row, column]:,}",
                ha="center",
                va="center",
                fontsize=SMALL,
                color=color,
            )
        axes.set_xticks(range(len(columns)), columns)
        axes.set_yticks(range(n), words)
    else:
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_locator(MaxNLocator(8, integer=True))
    head(figure, network)
    finish(axes, "", "decision", "label")
    axes.spines[["top", "right"]].set_visible(True)
    bar = figure.colorbar(image, ax=axes, shrink=0.8)
    bar.set_label("share of the label (%)", fontsize=LABEL)
    bar.ax.tick_params(labelsize=SMALL)
    axes.title.set_fontsize(TITLE)
    return figure
