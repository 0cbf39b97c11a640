"""Plots of encoders: signal, spikes and reconstruction, and the error by length."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike, NDArray

from bioconv.encoders import Encoder, SpikeRaster, rms_error
from bioconv.encoders.encoder import checked, flat
from bioconv.plots.style import BLUE, GRAY, ORANGE, SMALL, check_format, finish, panels, save, thin

#: largest number of channels that are drawn
_CHANNELS = 4


def plot_encoding(
    encoder: Encoder,
    signal: ArrayLike,
    raster: SpikeRaster,
    folder: str | Path,
    *,
    format: str = "png",
) -> list[Path]:
    """Plot a signal and its spikes, and the error by length; save both in a folder.

    Parameters
    ----------
    encoder : Encoder
        Fitted to the signal.
    signal : array, shape (n_samples, *shape)
    raster : SpikeRaster
        The spikes of the signal.
    folder : str or Path
        It is created if it does not exist.
    format : {"png", "pdf", "svg"}

    Returns
    -------
    list of Path

    Raises
    ------
    ParameterError
        If the format is none of these.
    """
    check_format(format)
    folder = Path(folder)
    folder.mkdir(exist_ok=True)
    return [
        save(encoding_figure(encoder, signal, raster), folder / f"encoding.{format}"),
        save(error_figure(encoder, signal, raster), folder / f"error_by_length.{format}"),
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


def error_figure(encoder: Encoder, signal: ArrayLike, raster: SpikeRaster) -> Figure:
    """Plot the root mean squared error of the first samples of a signal against their number.

    Parameters
    ----------
    encoder : Encoder
        Fitted to the signal.
    signal : array, shape (n_samples, *shape)
    raster : SpikeRaster
        The spikes of the signal.
    """
    lengths, errors = error_by_length(checked(signal), encoder.decode(raster))
    figure, (axes,) = panels(1, columns=1, width=4.6, height=3.0)
    axes.plot(lengths * encoder.interval, errors, marker="o", ms=3)
    axes.set_xscale("log")
    finish(axes, encoder.name, "length of the signal (ms)", "root mean squared error")
    return figure


def error_by_length(
    values: NDArray[np.float64], decoded: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return up to 12 numbers of samples and the error of the first so many ones."""
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
