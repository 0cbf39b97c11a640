"""Pictures with the boxes that a detector reports, and its mean average precision over time."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike, NDArray

from bioconv.analog import evaluate
from bioconv.detection import Boxes, MeanAveragePrecision
from bioconv.measures.metrics import named_outputs
from bioconv.network import SpikingNetwork
from bioconv.network.recording import Recording
from bioconv.plots.samples import draw_sample
from bioconv.plots.style import (
    BLUE,
    GREEN,
    LABEL,
    RED,
    SMALL,
    check_image,
    finish,
    head,
    legend_below,
    panels,
)


def metric_over_time(
    recording: Recording,
    values: NDArray,
    *,
    analog: float | None = None,
    label: str = "metric",
    network: SpikingNetwork | None = None,
) -> Figure:
    """Plot a metric of the outputs over simulated time.

    Parameters
    ----------
    recording : Recording
    values : ndarray, shape (n_checkpoints,)
        From `bioconv.measures.metric_over_time`.
    analog : float, optional
        The metric of the analog network, drawn as a line.
    label : str
        Name of the metric.
    network : SpikingNetwork, optional
        The network of the recording, for the title.
    """
    figure, (axes,) = panels(1, width=4.6, height=3.6)
    name = f"spiking network: {values[-1]:.4g}"
    axes.plot(
        recording.checkpoints * recording.dt,
        values,
        color=BLUE,
        marker="o",
        markersize=3,
        label=name,
    )
    if analog is not None:
        axes.axhline(analog, color=RED, linestyle="--", label=f"analog network: {analog:.4g}")
    if network is not None:
        head(figure, network)
    text = f"{recording.n_images:,} samples, simulator {recording.simulator}"
    finish(axes, text, "time (ms)", label)
    axes.set_xlim(0, recording.n_steps * recording.dt * 1.01)
    legend_below(figure, axes, columns=2)
    return figure


def detections(
    network: SpikingNetwork,
    recording: Recording,
    x: ArrayLike,
    *,
    y: ArrayLike | None = None,
    images: tuple[int, ...] = (0, 1, 2),
    metric: MeanAveragePrecision | None = None,
    least_score: float = 0.3,
) -> Figure:
    """Draw the boxes that the analog and the spiking network report, side by side.

    Parameters
    ----------
    network : SpikingNetwork
    recording : Recording
    x : array_like, shape (n_images, *shape)
        The pictures that were simulated.
    y : array_like, shape (n_images, n_objects, 5), optional
        True objects, drawn as dotted boxes.
    images : tuple of int
        Numbers of the pictures; numbers of pictures that there are not are left out.
    metric : MeanAveragePrecision, optional
        What the outputs mean, and which boxes are reported.
    least_score : float
        Score from which on a box is drawn.

    Raises
    ------
    ParameterError
        If there is no such picture at all.
    DataError
        If the network is no detector.
    """
    shown = [i for i in images if 0 <= i < recording.n_images] or [
        check_image(recording, images[0])
    ]
    pictures, meaning = np.asarray(x)[shown], metric or MeanAveragePrecision()
    names = network.analog.outputs
    analog = evaluate(network.analog, pictures, names=names)
    spiking = {name: np.asarray(values)[shown] for name, values in recording.outputs.items()}
    found = [meaning.find(named_outputs(outputs, names)) for outputs in (analog, spiking)]
    figure, axes = panels(2 * len(shown), columns=len(shown), width=3.2, height=2.9)
    titles = ("analog network", "spiking network")
    for row, (boxes, title) in enumerate(zip(found, titles, strict=True)):
        for place, image in enumerate(shown):
            panel = axes[row * len(shown) + place]
            draw_sample(panel, pictures[place])
            if y is not None:
                _draw_objects(panel, np.asarray(y, float)[image])
            _draw_boxes(panel, boxes, place, least_score)
            panel.set_title(f"{title}, picture {image}", fontsize=LABEL)
    head(figure, network)
    return figure


def _draw_objects(axes: Axes, rows: NDArray) -> None:
    for row in rows[rows[:, 0] >= 0]:
        _draw(axes, row[1:], GREEN, ":")


def _draw_boxes(axes: Axes, found: Boxes, place: int, least: float) -> None:
    for box, score, label in zip(
        found.boxes[place], found.scores[place], found.classes[place], strict=True
    ):
        if label >= 0 and score >= least:
            _draw(axes, box, RED, "-")
            axes.text(
                box[0] - 0.5,
                box[1] - 0.5,
                f"{label}: {score:.2f}",
                fontsize=SMALL,
                color="white",
                verticalalignment="top",
                bbox={"facecolor": RED, "edgecolor": "none", "pad": 0.6, "alpha": 0.8},
            )


def _draw(axes: Axes, box: NDArray, color: str, style: str) -> None:
    """Draw a box; the center of the first pixel is at 0, its corner at -0.5."""
    left, top, right, bottom = box - 0.5
    axes.add_patch(
        Rectangle((left, top), right - left, bottom - top, fill=False, color=color, linestyle=style)
    )
