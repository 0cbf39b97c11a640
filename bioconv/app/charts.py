"""Interactive charts, in which one can zoom and read values."""

from __future__ import annotations

from typing import Any

import numpy as np
from bokeh.models import ColumnDataSource, HoverTool, Range1d
from bokeh.models.annotations import Span
from bokeh.plotting import figure
from numpy.typing import NDArray

from bioconv.network import SpikingNetwork
from bioconv.network.recording import Recording
from bioconv.plots.style import COLORS

#: most spikes of a population, and most neurons with a trace, that a browser draws smoothly
_SPIKES, _TRACES = 20_000, 5
_SIZE: dict[str, Any] = {"height": 300, "sizing_mode": "stretch_width", "output_backend": "webgl"}


class AccuracyChart:
    """Accuracy over time, drawn anew after each batch; several experiments in one chart."""

    def __init__(self) -> None:
        self.view = figure(
            title="Accuracy over time",
            x_axis_label="time (ms)",
            y_axis_label="accuracy (%)",
            y_range=Range1d(start=0, end=102),
            **_SIZE,
        )
        self.view.add_tools(HoverTool(tooltips=[("time", "@time ms"), ("accuracy", "@share %")]))
        self._sources: dict[int, ColumnDataSource] = {}

    def show(self, number: int, title: str, time: NDArray, accuracy: NDArray) -> None:
        """Draw an experiment, or replace what was drawn of it."""
        data = {"time": time, "share": 100 * accuracy}
        if number in self._sources:
            self._sources[number].data = data
            return
        self._sources[number] = ColumnDataSource(data)
        color, first = COLORS[number % len(COLORS)], len(self._sources) == 1
        source = self._sources[number]
        self.view.line(
            "time", "share", source=source, color=color, line_width=2, legend_label=title
        )
        if first:
            self.view.add_layout(self.view.legend[0], "below")
            self.view.legend.click_policy = "hide"

    def mark(self, number: int, share: float) -> None:
        """Draw the accuracy of the analog network as a dashed line."""
        color = COLORS[number % len(COLORS)]
        self.view.add_layout(
            Span(location=100 * share, line_color=color, line_dash="dashed", line_width=1)
        )


def raster_chart(network: SpikingNetwork, recording: Recording, sample: int) -> Any:
    """Return the spikes of one sample, the populations above each other."""
    ticks: dict[Any, Any] = {}
    chart = figure(title="Spikes", x_axis_label="time (ms)", y_axis_label="population", **_SIZE)
    for index, population in enumerate(network.populations):
        raster = recording.rasters.get(population.name)
        if raster is None or not len(raster.step):
            continue
        here = np.flatnonzero(raster.image == sample)
        here = here[:: max(1, len(here) // _SPIKES)]
        height = raster.neuron[here] / population.n_neurons  # each population has the same space
        chart.scatter(
            raster.moments(recording.dt)[here],
            0.9 * height + len(ticks),
            size=2,
            color=COLORS[index % len(COLORS)],
        )
        ticks[len(ticks) + 0.45] = population.name
    chart.yaxis.ticker = list(ticks)
    chart.yaxis.major_label_overrides = ticks
    return chart


def trace_chart(recording: Recording, name: tuple[str, str], sample: int, unit: str) -> Any:
    """Return a state variable of the most active neurons of a population."""
    population, variable = name
    trace = recording.traces[name][sample]
    busiest = np.argsort(-recording.counts[population][sample], kind="stable")[:_TRACES]
    time = (np.arange(len(trace)) + 1) * recording.dt
    chart = figure(
        title=f"Potentials in {population}",
        x_axis_label="time (ms)",
        y_axis_label=f"{variable} ({unit})",
        **_SIZE,
    )
    for index, neuron in enumerate(busiest):
        chart.line(
            time, trace[:, neuron], color=COLORS[index % len(COLORS)], legend_label=f"{neuron}"
        )
    chart.legend.title = "neuron"
    chart.add_layout(chart.legend[0], "right")
    return chart


def curve_chart(title: str, currents: NDArray, rates: NDArray, unit: str) -> Any:
    """Return an f-I curve."""
    chart = figure(
        title=title,
        x_axis_label=f"current ({unit})",
        y_axis_label="firing rate (Hz)",
        **_SIZE,
    )
    chart.line(currents, rates, color=COLORS[0], line_width=2)
    return chart
