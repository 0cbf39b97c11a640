"""Plots of single samples: the picture, the feature maps of a layer, and an animation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.animation import FuncAnimation, PillowWriter
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from numpy.typing import ArrayLike, NDArray

from bioconv.ground.errors import ParameterError
from bioconv.ground.files import new_file
from bioconv.ground.options import is_number
from bioconv.measures.diagnosis import unit_values
from bioconv.network import Population, SpikingNetwork
from bioconv.network.recording import Recording
from bioconv.plots.style import BLUE, LABEL, check_image, finish, head, panels, require

#: channels of a layer that are drawn
_MAPS = 16
#: pictures of an animation
_FRAMES = 60


def draw_sample(axes: Axes, sample: ArrayLike) -> None:
    """Draw one sample: pictures as pictures, everything else as a curve of its values.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
    sample : array_like, shape (height, width), (height, width, channels) or any other
        With 3 channels, values between 0 and 1 are red, green and blue.
    """
    values = np.asarray(sample, np.float64)
    if values.ndim == 3 and values.shape[-1] == 3 and values.min() >= 0 and values.max() <= 1:
        axes.imshow(values)
        axes.set_axis_off()
    elif values.ndim == 2 or (values.ndim == 3 and values.shape[-1] == 1):
        axes.imshow(values.reshape(values.shape[:2]), cmap="gray")
        axes.set_axis_off()
    else:
        axes.plot(values.ravel(), color=BLUE, linewidth=0.8)
        finish(axes, "", "value of the sample", "")


def sample_figure(sample: ArrayLike, title: str = "") -> Figure:
    """Plot one sample; see `draw_sample`."""
    figure, (axes,) = panels(1, width=2.2, height=2.3)
    draw_sample(axes, sample)
    axes.set_title(title, fontsize=LABEL)
    return figure


def feature_maps(
    network: SpikingNetwork, recording: Recording, population: str, image: int = 0
) -> Figure:
    """Plot what the spikes of the first 16 channels of a population represent.

    Parameters
    ----------
    network : SpikingNetwork
    recording : Recording
        With the "counts" of the population, or its "spikes" if their times matter.
    population : str
        One with channels: of the shape (height, width, channels).
    image : int

    Raises
    ------
    ParameterError
        If the population has another shape or was not recorded, or if there is no such sample.
    """
    item = network.population(population)
    image = check_image(recording, image)
    maps = _maps(item, unit_values(recording, item, item.shape)[image])
    n = min(maps.shape[-1], _MAPS)
    figure, rows = panels(n, columns=8, width=1.0, height=1.15, letters=False)
    for axes, channel in zip(rows, range(n), strict=False):
        drawn = axes.imshow(maps[..., channel], cmap="viridis", vmin=0, vmax=1)
        axes.set_axis_off()
        axes.set_title(f"{channel}", fontsize=LABEL)
    bar = figure.colorbar(drawn, ax=rows, shrink=0.8)
    bar.set_label("activation / scale", fontsize=LABEL)
    head(figure, network, channels_text(item))
    return figure


def channels_text(population: Population) -> str:
    """Say which channels of a population `feature_maps` draws."""
    n = population.shape[-1]
    shown = "channels" if n <= _MAPS else f"the first {_MAPS} of {n} channels"
    return f"{shown} of {population.name}"


def _maps(population: Population, values: NDArray) -> NDArray[np.float64]:
    if len(population.shape) != 3:
        raise ParameterError(
            f"{population.name} has no channels: its shape is {population.shape}, expected "
            "(height, width, channels)."
        )
    return np.asarray(values, np.float64).reshape(population.shape)


def animate(
    network: SpikingNetwork,
    recording: Recording,
    path: str | Path,
    *,
    x: NDArray,
    image: int = 0,
    seconds: float = 6.0,
) -> Path:
    """Write a GIF of one sample: its picture, and the spikes of each population as they come.

    Parameters
    ----------
    network : SpikingNetwork
    recording : Recording
        With the "spikes" of at least one population.
    path : str or Path
        Ends in .gif.
    x : ndarray, shape (n_images, *shape)
        The samples that were simulated.
    image : int
        Number of the sample.
    seconds : float
        Duration of the animation.

    Returns
    -------
    Path

    Raises
    ------
    ParameterError
        If no spikes were recorded, if there is no such sample, if the duration is not positive, or
        if the file does not end in .gif or cannot be written.
    """
    path = Path(path)
    if path.suffix.lower() != ".gif":
        raise ParameterError(f"an animation is a .gif file. Received: {path.name!r}.")
    image = check_image(recording, image)
    if not is_number(seconds) or seconds <= 0:
        raise ParameterError(
            f"seconds, the duration of an animation, must be above 0. Received: {seconds!r}."
        )
    spikes = recording.spikes_per_neuron
    names = [
        p.name for p in network.populations if p.name in recording.rasters and spikes[p.name].any()
    ]
    require(names, "spikes")
    ends = np.unique(np.linspace(0, recording.n_steps, _FRAMES + 1).round().astype(int))[1:]
    totals = [_cumulated(network.population(n), recording, n, image, ends) for n in names]
    figure, axes = panels(1 + len(names), columns=4, width=1.9, height=2.1)
    draw_sample(axes[0], x[image])
    axes[0].set_title(f"sample {image}", fontsize=LABEL)
    drawn = []
    for panel, name, total in zip(axes[1:], names, totals, strict=False):
        drawn.append(panel.imshow(total[-1], cmap="viridis", vmin=0, vmax=max(total.max(), 1)))
        panel.set_axis_off()
        panel.set_title(name, fontsize=LABEL)
    title = figure.suptitle("spikes so far", fontsize=LABEL)
    figure.draw_without_rendering()
    figure.set_layout_engine("none")  # all pictures have the same layout

    def show(frame: int) -> list[AxesImage]:
        title.set_text(f"spikes so far, {ends[frame] * recording.dt:g} ms")
        for picture, total in zip(drawn, totals, strict=True):
            picture.set_data(total[frame])
        return drawn

    moving = FuncAnimation(figure, show, frames=len(ends))
    with new_file(path, ParameterError) as part:
        # Pillow chooses the format by the ending, which a temporary file does not have.
        scratch = part.with_suffix(".gif")
        try:
            moving.save(
                scratch, writer=PillowWriter(fps=max(round(len(ends) / seconds), 1)), dpi=90
            )
            scratch.replace(part)
        finally:
            scratch.unlink(missing_ok=True)
    return path


def _cumulated(
    population: Population, recording: Recording, name: str, image: int, ends: NDArray
) -> NDArray[np.int64]:
    """Return spikes of each neuron before some steps, as pictures (n_ends, rows, columns)."""
    raster = recording.rasters[name]
    mine = raster.image == image
    frame = np.searchsorted(ends, raster.step[mine], side="right")
    counts = np.zeros((len(ends), population.n_neurons), np.int64)
    kept = frame < len(ends)
    np.add.at(counts, (frame[kept], raster.neuron[mine][kept]), 1)
    return _as_picture(population.shape, counts.cumsum(axis=0))


def _as_picture(shape: tuple[int, ...], values: NDArray) -> NDArray:
    """Arrange neurons in a picture: channels beside one another, vectors in lines."""
    n = len(values)
    if len(shape) == 3:
        height, width, channels = shape
        columns = int(np.ceil(np.sqrt(channels)))
        rows = -(-channels // columns)
        full = np.zeros((n, height, width, rows * columns), values.dtype)
        full[..., :channels] = values.reshape(n, *shape)
        tiles = full.reshape(n, height, width, rows, columns).transpose(0, 3, 1, 4, 2)
        return tiles.reshape(n, rows * height, columns * width)
    flat = values.reshape(n, -1)
    columns = int(np.ceil(np.sqrt(flat.shape[1])))
    rows = -(-flat.shape[1] // columns)
    full = np.zeros((n, rows * columns), values.dtype)
    full[:, : flat.shape[1]] = flat
    return full.reshape(n, rows, columns)
