"""stoeckl Fig 3: potential and threshold of SiLU and sigmoid neurons for two inputs."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from bioconv.analog.functions import Sigmoid, Silu
from bioconv.codes import FewSpikesCode
from bioconv.codes.few_spikes.standard import standard_table
from bioconv.paper_figures.few_spikes import neuron_responses
from bioconv.paper_figures.frame import Claim, Context, Manifest, Result
from bioconv.plots.style import BLUE, GRAY, RED, finish, panels

FUNCTIONS = {"SiLU": Silu(), "sigmoid": Sigmoid()}
#: the paper's numbers of steps
STEPS = {"SiLU": 16, "sigmoid": 12}
INPUTS = np.array([-0.5, 0.5])

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
            "silu_error",
            "largest error of the four responses (root of 0.0023, the mean squared error)",
            0.048,
            kind="at most",
            source="text",
        ),
    ),
    data="one neuron, x = -0.5 and x = 0.5",
    minutes=0.5,
)


def compute(context: Context) -> dict[str, NDArray]:
    """Potentials, thresholds and spikes in each step."""
    result = {"used": np.array(MANIFEST.data)}
    for name, function in FUNCTIONS.items():
        k = STEPS[name]
        table = standard_table(function, k)
        found = neuron_responses(function, FewSpikesCode(k=k), INPUTS)
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
    return result


def measure(result: Result) -> dict[str, float]:
    """Spikes that contradict the equations, and the largest error."""
    wrong, errors = 0, []
    for name in FUNCTIONS:
        expected = result[f"{name}_v"] >= result[f"{name}_threshold"]
        wrong += int(np.sum(expected != result[f"{name}_spikes"]))
        wrong += int(np.sum(np.abs(result[f"{name}_simulated"] - result[f"{name}_left"]) > 1e-6))
        errors.append(np.abs(result[f"{name}_output"] - result[f"{name}_exact"]).max())
    return {"wrong_spikes": float(wrong), "silu_error": float(max(errors))}


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
    axes[0].legend(fontsize=8)
    return figure
