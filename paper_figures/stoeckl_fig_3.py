"""stoeckl Fig 3: potential and threshold of SiLU and sigmoid neurons for two inputs."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from bioconv.analog.functions import Sigmoid, Silu
from bioconv.codes import FewSpikesCode
from bioconv.codes.few_spikes.standard import standard_table
from bioconv.conversion import convert
from bioconv.paper_figures.few_spikes import chain, found_in_stream, neuron_responses
from bioconv.paper_figures.frame import Claim, Context, Manifest, Result
from bioconv.plots.style import BLUE, GRAY, RED, finish, legend_above, panels

FUNCTIONS = {"SiLU": Silu(), "sigmoid": Sigmoid()}
#: the paper's numbers of steps
STEPS = {"SiLU": 16, "sigmoid": 12}
INPUTS = np.array([-0.5, 0.5])
#: samples of the stream
N_STREAMED = 5

MANIFEST = Manifest(
    paper="stoeckl",
    number="Fig 3",
    title="Internal dynamics of few-spikes neurons for a low and a high input",
    claims=(
        Claim(
            "wrong_spikes",
            "spikes that do not follow v(t) >= T(t) with v(t+1) = v(t) - h(t) z(t) (Eqs 1, 2)",
            0.0,
            kind="at most",
            source="equation",
        ),
        Claim(
            "error",
            "mean squared error of the four responses (that of SiLU in [-2, 2])",
            0.0023,
            kind="at most",
            source="text, Methods",
        ),
        Claim(
            "interval",
            "steps from one sample to the next in one network with both functions (2K = 32)",
            32.0,
            source="text",
        ),
        Claim(
            "own",
            "share of samples of such a stream that say what they say alone, and no other does",
            1.0,
            source="text: computations are pipelined",
        ),
    ),
    data="one neuron, x = -0.5 and x = 0.5; one network of both functions for the stream",
    minutes=0.5,
)


def compute(context: Context) -> dict[str, NDArray]:
    """Potentials, thresholds and spikes in each step."""
    result = {"used": np.array(MANIFEST.data)}
    for name, function in FUNCTIONS.items():
        k = STEPS[name]
        table = standard_table(function, k)
        found = neuron_responses(function, FewSpikesCode(k=k, fit="standard"), INPUTS)
        fallen = np.cumsum(found["spikes"] * table.fall, axis=1)
        before = INPUTS[:, None] - np.concatenate([np.zeros((2, 1)), fallen[:, :-1]], axis=1)
        result |= {
            f"{name}_threshold": table.threshold,
            f"{name}_v": before,
            f"{name}_simulated": found["v"],
            f"{name}_left": INPUTS[:, None] - fallen,
            f"{name}_spikes": found["spikes"],
            f"{name}_output": found["output"],
            f"{name}_exact": np.asarray(function.value(INPUTS), np.float64),
        }
    steps = {type(FUNCTIONS[name]).__name__: k for name, k in STEPS.items()}
    code = FewSpikesCode(k_of=steps, fit="standard")
    x = np.linspace(-1.0, 3.0, N_STREAMED)[:, None]
    return result | found_in_stream(convert(chain(FUNCTIONS), calibration=x, code=code), x)


def measure(result: Result) -> dict[str, float]:
    """Spikes that contradict the equations, the error, and the stream."""
    wrong, errors = 0, []
    for name in FUNCTIONS:
        expected = result[f"{name}_v"] >= result[f"{name}_threshold"]
        wrong += int(np.sum(expected != result[f"{name}_spikes"]))
        wrong += int(np.sum(np.abs(result[f"{name}_simulated"] - result[f"{name}_left"]) > 1e-6))
        errors.append(result[f"{name}_output"] - result[f"{name}_exact"])
    return {
        "wrong_spikes": float(wrong),
        "error": float(np.mean(np.square(errors))),
        "interval": float(result["interval"]),
        "own": float(result["own"]),
    }


def plot(result: Result, context: Context) -> Figure:
    """Rows: inputs; columns: functions."""
    figure, axes = panels(4, columns=2, width=3.4, height=2.3)
    for row, x in enumerate(INPUTS):
        for column, name in enumerate(FUNCTIONS):
            panel = axes[2 * row + column]
            steps = np.arange(1, STEPS[name] + 1)
            panel.step(steps, result[f"{name}_threshold"], where="mid", color=GRAY, label="T(t)")
            panel.step(steps, result[f"{name}_v"][row], where="mid", color=BLUE, label="v(t)")
            fired = result[f"{name}_spikes"][row] > 0
            panel.plot(steps[fired], result[f"{name}_v"][row][fired], "|", ms=12, color=RED)
            said = result[f"{name}_output"][row]
            finish(panel, f"{name}({x:g}): spikes say {said:.3f}", "step t", "potential")
    legend_above(figure, axes[0])
    return figure
