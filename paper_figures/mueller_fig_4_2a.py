"""mueller Fig 4.2a: a regression network after 25 steps, with and without centred error."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from bioconv import models
from bioconv.codes import RateCode
from bioconv.conversion import convert
from bioconv.data import datasets
from bioconv.paper_figures.frame import Claim, Context, Manifest, Result
from bioconv.plots.style import GRAY, finish, legend_above, panels
from bioconv.reading import read
from bioconv.simulators import simulate

N_STEPS = 25

MANIFEST = Manifest(
    paper="mueller",
    number="Fig 4.2a",
    title="Inference of a regression task after 25 steps: unbiased quantisation against baseline",
    claims=(
        Claim(
            "error_ratio",
            "root-mean-square error, initial potential half over zero: centring is better",
            1.0,
            kind="at most",
            source="figure and caption: 'matches the ground truth closely'",
        ),
        Claim(
            "centred_error",
            "root-mean-square error of the centred network, share of the output's range",
            0.05,
            kind="at most",
            source="our reading of 'closely': 5 % of the range",
        ),
    ),
    data="an unnamed regression task",
    substitute="the regression network of models/ (the thesis names neither task nor network)",
    minutes=0.3,
)


def compute(context: Context) -> dict[str, NDArray]:
    """Outputs of the analog network and of both spiking networks after 25 steps."""
    graph = read(models.weights_path("regression_mlp"))
    (calibration, _), (x, target) = datasets.scaled("sine")
    order = np.argsort(x[:, 0])[:: context.pick(1, 4)]
    x, target = x[order], target[order]
    result = {
        "x": x[:, 0],
        "target": target.reshape(len(x)),
        "analog": np.asarray(graph.predict(x)).reshape(len(x)),
        "used": np.array("regression_mlp of models/"),
    }
    for initial in ("zero", "half"):
        network = convert(graph, calibration=calibration, code=RateCode(initial=initial, clamp=1))
        recording = simulate(network, x, steps=N_STEPS, progress=False)
        result[initial] = np.asarray(recording.outputs[network.readouts[0].name]).reshape(len(x))
    return result


def measure(result: Result) -> dict[str, float]:
    """Root-mean-square errors against the analog network."""
    error = {
        key: np.sqrt(np.mean((result[key] - result["analog"]) ** 2)) for key in ("zero", "half")
    }
    return {
        "error_ratio": float(error["half"] / error["zero"]),
        "centred_error": float(error["half"] / np.ptp(result["analog"])),
    }


def plot(result: Result, context: Context) -> Figure:
    """Outputs over the input."""
    figure, (axes,) = panels(1, width=6.0, height=3.6)
    axes.plot(result["x"], result["target"], color=GRAY, linewidth=3, label="ground truth")
    axes.plot(result["x"], result["analog"], "k--", label="analog network")
    axes.plot(result["x"], result["zero"], label="baseline, initial potential 0")
    axes.plot(result["x"], result["half"], label="centred, initial potential 1/2 threshold")
    finish(axes, f"after {N_STEPS} steps", "input (1)", "output (1)")
    legend_above(figure, axes)
    return figure
