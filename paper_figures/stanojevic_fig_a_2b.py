"""stanojevic Fig A.2b: when neurons of each layer fire, and how many do before the decision."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

import bioconv as bc
from bioconv.paper_figures.frame import Claim, Context, Manifest, Result
from bioconv.paper_figures.single_spikes import CODE, single_spike, split
from bioconv.plots.style import BLUE, finish, panels

EPOCHS = 5
N_HIDDEN, N_BINS = 800, 40

MANIFEST = Manifest(
    paper="stanojevic",
    number="Fig A.2b",
    title="Distributions of spike times in the input, hidden and output layer",
    claims=(
        Claim(
            "spikes",
            "hidden spikes before the decision, per cent of the hidden neurons (233 of 800)",
            29.1,
            tolerance=5.0,
            source="text; tolerance: 40 of 800 neurons, for other training",
        ),
        Claim(
            "firing",
            "hidden neurons that fire at all, per cent ('in about 50% of the cases')",
            50.0,
            tolerance=5.0,
            source="text; tolerance: our reading of 'about'",
        ),
        Claim(
            "black",
            "time of the largest bar of the input, in units of T: black pixels",
            1.0,
            tolerance=1.0 / N_BINS,
            source="caption; tolerance: one bar",
        ),
    ),
    data="MNIST, 800 hidden neurons",
    substitute="without data digits, 200 hidden neurons",
    partly=f"the thesis does not state the number of epochs, kappa, lambda and the dropout rate; "
    f"here {EPOCHS} epochs at larger learning rates, without dropout, for two cores",
    minutes=8,
)


def compute(context: Context) -> dict[str, NDArray]:
    """Spike times of all layers, in units of T, on test images."""
    data = split(context, "mnist")
    real = data.used != "digits"
    found = single_spike(context, data, N_HIDDEN if real else context.pick(200, 40), EPOCHS)
    x = data.x_test[: context.pick(1000, 100)]
    network = bc.convert(found.graph, calibration=data.x[:100], code=CODE)
    names = [layer.name for layer in found.graph.layers]
    recording = bc.simulate(
        network,
        x,
        simulator="event",
        record={name: ("spikes",) for name in names},
        dtype="float64",
        progress=False,
    )
    result: dict[str, NDArray] = {"used": np.array(data.used)}
    decided = np.full(len(x), np.inf)
    for delay, name in enumerate(names):
        raster = recording.rasters[name]
        assert raster.time is not None
        # An input fires one step late, and two steps lie between layers.
        times = (raster.time - (2 * delay + 1) * network.dt) / CODE.time_unit
        edges = np.linspace(0.0, max(1.0, float(times.max())), N_BINS + 1)
        result[name], result[f"{name} edges"] = np.histogram(times, edges)[0], edges
        if name == names[-1]:
            np.minimum.at(decided, raster.image, times)
    hidden = recording.rasters["hidden_1"]
    assert hidden.time is not None
    times = (hidden.time - 3 * network.dt) / CODE.time_unit
    before = np.bincount(hidden.image[times < decided[hidden.image]], minlength=len(x))
    n_hidden = network.population("hidden_1").n_neurons
    result["before"] = 100 * before / n_hidden
    result["fired"] = 100 * np.bincount(hidden.image, minlength=len(x)) / n_hidden
    result["correct"] = 100 * (recording.predictions() == data.y_test[: len(x)])
    return result


def measure(result: Result) -> dict[str, float]:
    """Means over images, and the place of the largest bar."""
    edges = result["encoder edges"]
    return {
        "spikes": float(result["before"].mean()),
        "firing": float(result["fired"].mean()),
        "black": float(edges[1 + int(result["encoder"].argmax())]),
    }


def plot(result: Result, context: Context) -> Figure:
    """One histogram a layer."""
    figure, axes = panels(3, width=3.6, height=3.0)
    titles = {"encoder": "input", "hidden_1": "hidden", "out": "output"}
    for ax, (name, title) in zip(axes, titles.items(), strict=True):
        edges = result[f"{name} edges"]
        share = result[name] / max(result[name].sum(), 1)
        ax.bar(edges[:-1], share, np.diff(edges), align="edge", color=BLUE)
        finish(ax, title, "spike time (T)", "share of spikes")
    return figure
