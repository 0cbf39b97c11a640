"""stanojevic Fig 2.3: how arriving spikes make a neuron fire at the correct time."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

import bioconv as bc
from bioconv.paper_figures.exact_spikes import closing, converted, hidden, simulated
from bioconv.paper_figures.frame import Claim, Context, Manifest, Result
from bioconv.paper_figures.workloads import digits
from bioconv.plots.style import BLUE, GRAY, GREEN, PURPLE, RED, finish, legend_above, panels

MANIFEST = Manifest(
    paper="stanojevic",
    number="Fig 2.3",
    title="Spikes change slopes; the time of the threshold crossing is the activation",
    claims=(
        Claim(
            "time_error",
            "largest distance between (t_max - t) and the scaled activation, in units of the "
            "largest activation",
            0.0,
            tolerance=1e-6,
            kind="at most",
            source="caption, Eq 2.31",
        ),
        Claim(
            "lowest_slope",
            "lowest slope at threshold, in units of alpha (1 / (1 + B_low) with B_low = 10)",
            1 / 11,
            tolerance=1e-9,
            kind="at least",
            source="section 2.4.5",
        ),
        Claim(
            "spikes_before_opening",
            "spikes before t_min",
            0.0,
            kind="at most",
            source="caption",
        ),
    ),
    data="a drawing",
    substitute="the second hidden layer of a digits perceptron, one image",
)


def compute(context: Context) -> dict[str, NDArray]:
    """Potentials on the grid, exact spikes, and activations of one layer."""
    given = digits("digits_mlp", context.pick(200, 20))
    network = converted(given)
    before, layer = hidden(network)[:2]
    recording = simulated(network, given.x, before.name, layer.name, dtype="float64")
    grid = bc.simulate(
        network,
        given.x[:1],
        record={layer.name: ("v",)},
        dtype="float64",
        progress=False,
    )
    raster = recording.rasters[layer.name]
    assert raster.time is not None
    times = np.zeros((len(given.x), layer.n_neurons))
    times[raster.image, raster.neuron] = raster.time
    exact = given.graph.activations(given.x, [layer.layer], dtype="float64")[layer.layer]
    first = recording.rasters[before.name]
    assert first.time is not None
    parameters = {
        name: np.broadcast_to(np.asarray(layer.parameters[name], float), (layer.n_neurons,))
        for name in ("v_th", "slope", "t_open", "t_close")
    }
    return {
        "potential": grid.traces[layer.name, "v"][0],
        "arrivals": np.sort(first.time[first.image == 0]) + network.dt,
        "times": times,
        "value": np.maximum(exact, 0) / np.broadcast_to(layer.scale, exact.shape[1:]),
        "dt": np.array(network.dt),
        "unit": np.array(network.code["time_unit"]),
        "close_before": np.array(closing(before)),
        **parameters,
        "used": np.array(given.used),
    }


def measure(result: Result) -> dict[str, float]:
    """Return the error of spike times, the lowest slope, and the number of premature spikes."""
    decoded = (result["t_close"] - result["times"]) / result["unit"]
    error = np.abs(decoded - result["value"]).max() / result["value"].max()
    return {
        "time_error": float(error),
        "lowest_slope": float(result["slope"].min()),
        "spikes_before_opening": float(np.sum(result["times"] < result["t_open"])),
    }


def plot(result: Result, context: Context) -> Figure:
    """Potentials of three neurons that fire early, late, and at the end of the window."""
    figure, (axes,) = panels(1, width=7.5, height=3.8)
    times, close = result["times"][0], float(result["t_close"][0])
    order = np.argsort(times)
    silent = order[times[order] >= close - 1e-9]
    chosen = [order[0], order[len(order) // 4], *silent[:1]]
    steps = (np.arange(len(result["potential"])) + 1) * float(result["dt"])
    for neuron, color in zip(chosen, (RED, BLUE, PURPLE), strict=False):
        shown = steps <= times[neuron] + float(result["dt"]) / 2
        # In units of its own threshold, so that three neurons share the axis.
        v = result["potential"][:, neuron] / np.abs(result["v_th"][neuron])
        value = result["value"][0, neuron]
        axes.plot(steps[shown], v[shown], color=color, label=f"x = {value:.2f}")
        axes.plot(times[neuron], v[shown][-1], "o", color=color)
    low = axes.get_ylim()[0]
    axes.plot(result["arrivals"], np.full(len(result["arrivals"]), low), "|", color=GREEN, ms=10)
    opened = float(result["t_open"][0])
    axes.plot([opened, close], [1, 1], color="k", label="threshold")
    axes.set_ylim(low - 0.02, 1.2)
    for time, name in ((opened, "t_min = t_max of the layer before "), (close, "t_max ")):
        axes.axvline(time, color=GRAY, linestyle=":")
        axes.text(time, 1.2, name, fontsize=8, va="top", ha="right")
    axes.plot([], [], "|", color=GREEN, label="spikes that arrive")
    finish(axes, "", "time (ms)", "potential / threshold")
    legend_above(figure, axes)
    return figure
