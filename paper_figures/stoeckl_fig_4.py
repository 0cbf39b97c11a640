"""stoeckl Fig 4: approximations of SiLU, sigmoid and ReLU by single neurons, and their tables."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from bioconv.analog.functions import ReLU, Sigmoid, Silu
from bioconv.codes import FewSpikesCode
from bioconv.codes.few_spikes.standard import region_of, standard_table
from bioconv.paper_figures.few_spikes import mean_squared_error, neuron_responses
from bioconv.paper_figures.frame import Claim, Context, Manifest, Result
from bioconv.plots.style import BLUE, GREEN, ORANGE, RED, finish, legend_above, panels

#: the caption has alpha = 25, as the ResNet50 of Table 1, the text 10; errors are in units of it
ALPHA, K_RELU = 25.0, 10
FUNCTIONS = {"SiLU": (Silu(), 16), "sigmoid": (Sigmoid(), 12)}

MANIFEST = Manifest(
    paper="stoeckl",
    number="Fig 4a-e",
    title="Functions (red), what spikes make of them (blue), and the optimised tables",
    claims=(
        Claim(
            "silu_inside",
            "SiLU, K = 16: mean squared error in [-2, 2]",
            0.0023,
            kind="at most",
            source="text, Methods",
        ),
        Claim(
            "silu_outside",
            "SiLU, K = 16: mean squared error in [-8, -2] and [2, 12]",
            0.0064,
            kind="at most",
            source="text, Methods",
        ),
        Claim(
            "relu_error",
            "ReLU, K = 10, alpha = 25: largest error below alpha, in alpha 2^-K",
            1.0,
            tolerance=1e-6,
            kind="at most",
            source="text",
        ),
    ),
    data="one neuron, a range of inputs",
    minutes=0.5,
)


def compute(context: Context) -> dict[str, NDArray]:
    """Inputs, exact values and simulated responses."""
    n = context.pick(2001, 401)
    result = {"used": np.array(MANIFEST.data)}
    for name, (function, k) in FUNCTIONS.items():
        region, table = region_of(function), standard_table(function, k)
        x = np.linspace(region.low, region.high, n)
        found = neuron_responses(function, FewSpikesCode(k=k, fit="standard"), x)
        result |= {
            f"{name}_x": x,
            f"{name}_exact": np.asarray(function.value(x), np.float64),
            f"{name}_output": found["output"],
            f"{name}_tables": np.stack([table.threshold, table.fall, table.worth]),
        }
    x = np.linspace(-5, ALPHA, n, endpoint=False)
    code = FewSpikesCode(k=K_RELU, alpha=ALPHA, initial="zero")
    found = neuron_responses(ReLU(), code, x)
    return result | {
        "ReLU_x": x,
        "ReLU_exact": np.maximum(x, 0.0),
        "ReLU_output": found["output"],
    }


def measure(result: Result) -> dict[str, float]:
    """Mean squared errors and the largest error of ReLU."""
    x, exact, output = (result[f"SiLU_{what}"] for what in ("x", "exact", "output"))
    inside = np.abs(x) <= 2
    relu = np.abs(result["ReLU_output"] - result["ReLU_exact"]).max()
    return {
        "silu_inside": mean_squared_error(output[inside], exact[inside]),
        "silu_outside": mean_squared_error(output[~inside], exact[~inside]),
        "relu_error": float(relu / (ALPHA * 2.0**-K_RELU)),
    }


def plot(result: Result, context: Context) -> Figure:
    """Functions in the first column, tables in the second."""
    figure, axes = panels(6, columns=2, width=3.4, height=2.3)
    for row, name in enumerate((*FUNCTIONS, "ReLU")):
        panel = axes[2 * row]
        panel.plot(result[f"{name}_x"], result[f"{name}_exact"], color=RED, label="function")
        panel.plot(
            result[f"{name}_x"], result[f"{name}_output"], color=BLUE, lw=0.9, label="spikes"
        )
        finish(panel, name, "x", "f(x)")
    for row, name in enumerate(FUNCTIONS):
        panel = axes[2 * row + 1]
        steps = np.arange(1, FUNCTIONS[name][1] + 1)
        colors = {"T(t)": BLUE, "h(t)": ORANGE, "d(t)": GREEN}
        for (label, color), values in zip(colors.items(), result[f"{name}_tables"], strict=True):
            panel.plot(steps, values, ".-", color=color, label=label)
        finish(panel, f"tables for {name}", "step t", "value")
    axes[5].set_visible(False)
    legend_above(figure, *axes)
    return figure
