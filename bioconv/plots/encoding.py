"""Plots of encoders: signal, spikes and reconstruction, and the error by length."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike, NDArray

from bioconv.encoders import Encoder, SpikeRaster, rms_error
from bioconv.encoders.encoder import checked, flat
from bioconv.ground.errors import ParameterError
from bioconv.plots.style import BLUE, GRAY, ORANGE, SMALL, finish, panels, save, thin

#: largest numbers of channels that are drawn, and of samples that an error is measured on
_CHANNELS, _SAMPLES = 4, 10**5


def plot_encoding(
    encoder: Encoder, signal: ArrayLike, folder: str | Path, *, seed: int = 0
) -> list[Path]:
    """Plot a signal and its spikes, and the error by length; save both in a folder.

    Parameters
    ----------
    encoder : Encoder
    signal : array, shape (n_samples, *shape)
    folder : str or Path
        It is created if it does not exist.
    seed : int

    Returns
    -------
    list of Path
    """
    folder = Path(folder)
    folder.mkdir(exist_ok=True)
    fitted = encoder.fitted(signal)
    raster = fitted.encode(signal, seed)
    return [
        save(encoding_figure(fitted, signal, raster), folder / "encoding.png"),
        save(error_figure([fitted], signal, seed=seed), folder / "error_by_length.png"),
    ]


def encoding_figure(encoder: Encoder, signal: ArrayLike, raster: SpikeRaster) -> Figure:
    """Plot a signal, its spikes and what is decoded from them over time.

    Parameters
    ----------
    encoder : Encoder
        Fitted to the signal.
    signal : array, shape (n_samples, *shape)
        The first four channels are drawn.
    raster : SpikeRaster
    """
    rows = flat(checked(signal))
    decoded = flat(encoder.decode(raster))
    time = np.arange(len(rows)) * encoder.interval
    figure, (top, middle, bottom) = panels(1, rows=3, width=6.4, height=1.7)
    shown = range(min(rows.shape[1], _CHANNELS))
    for channel in shown:
        names = ("signal", "decoded") if channel == 0 else (None, None)
        top.step(time, rows[:, channel], where="post", color=GRAY, label=names[0])
        top.step(time, decoded[:, channel], where="post", color=BLUE, lw=1, label=names[1])
        left = decoded[:, channel] - rows[:, channel]
        bottom.step(time, left, where="post", color=BLUE, lw=1)
    draw_spikes(middle, encoder, raster)
    _legend(top)
    finish(top, encoder.name, "", "signal")
    finish(middle, "", "", "unit")
    finish(bottom, "", "time (ms)", "error")
    for axes in (top, middle, bottom):
        axes.set_xlim(0.0, raster.duration)
    return figure


def draw_spikes(axes: Axes, encoder: Encoder, raster: SpikeRaster, *, legend: bool = True) -> None:
    """Draw spikes as points; ON and OFF units of a code with polarities in two colors."""
    index = thin(np.arange(raster.n_spikes))
    signed = encoder.axes[:1] == ("polarities",)
    off = signed & (raster.unit >= raster.n_units // 2)
    unit = raster.unit % (raster.n_units // 2) if signed else raster.unit
    n_rows = int(unit.max(initial=0)) + 1
    size = float(np.clip(_height(axes) / n_rows, 1.0, _height(axes) / 2))
    for color, mine in ((BLUE, ~off[index]), (ORANGE, off[index])):
        kept = index[mine]
        axes.plot(raster.time[kept], unit[kept], "|", color=color, markersize=size, mew=0.7)
    axes.set_ylim(-0.7, n_rows - 0.3)
    axes.yaxis.set_major_locator(MaxNLocator(4, integer=True, min_n_ticks=1))
    if signed and legend:
        axes.plot([], [], "|", color=BLUE, label="ON")
        axes.plot([], [], "|", color=ORANGE, label="OFF")
        _legend(axes)


def error_figure(encoders: Sequence[Encoder], signal: ArrayLike, *, seed: int = 0) -> Figure:
    """Plot the root mean squared error of the first samples of a signal against their number.

    Parameters
    ----------
    encoders : sequence of Encoder
        Fitted to the signal.
    signal : array, shape (n_samples, *shape)
    seed : int
    """
    values = checked(signal)[:_SAMPLES]
    if not encoders:
        raise ParameterError("there is no encoder to draw.")
    figure, (axes,) = panels(1, columns=1, width=4.6, height=3.0)
    for encoder in encoders:
        lengths, errors = error_by_length(encoder, values, seed=seed)
        axes.plot(lengths * encoder.interval, errors, marker="o", ms=3, label=encoder.name)
    axes.set_xscale("log")
    axes.legend(fontsize=SMALL, frameon=False)
    finish(axes, "", "length of the signal (ms)", "root mean squared error")
    return figure


def error_by_length(
    encoder: Encoder, values: NDArray[np.float64], *, seed: int = 0
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return up to 12 numbers of samples and the error of the first so many ones."""
    decoded = encoder.decode(encoder.encode(values, seed))
    lengths = np.unique(np.geomspace(1, len(values), 12).round().astype(np.int64))
    errors = [rms_error(values[:n], decoded[:n]) for n in lengths]
    return lengths, np.array(errors)


def _height(axes: Axes) -> float:
    """Return about the height of a panel without its labels, in points."""
    spec, figure = axes.get_subplotspec(), axes.get_figure(root=True)
    rows = spec.get_gridspec().nrows if spec is not None else 1
    inches = figure.get_figheight() / rows if figure is not None else 1.0
    return 72.0 * inches * 0.5


def _legend(axes: Axes) -> None:
    """Put the legend above a panel, at the right, where it hides nothing."""
    axes.legend(
        fontsize=SMALL, frameon=False, ncols=2, loc="lower right", bbox_to_anchor=(1.0, 0.95)
    )
