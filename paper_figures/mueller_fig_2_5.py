"""mueller Fig 2.5: leaky and non-leaky neurons under two patterns of three input spikes."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from bioconv.neurons import IntegrateAndFire, LeakyIntegrateAndFire, Neuron
from bioconv.paper_figures.frame import Claim, Context, Manifest, Result
from bioconv.plots.style import BLUE, LABEL, ORANGE, RED, finish, legend_above, panels
from bioconv.simulators.stimulation import stimulate

#: pattern: times (ms) and weights (threshold units) of the input spikes
PATTERNS = {"1": ((2.0, 5.0, 8.0), (0.8, 0.5, 0.2)), "2": ((4.0, 5.0, 6.0), (0.6, 0.5, 0.4))}
#: above 0.8 + 0.5, as the third spike makes the neuron fire, and below 1.5
THRESHOLD = 1.4
TAU_M, DURATION, STEP = 20.0, 10.0, 0.1
PANELS = {"a": ("LIF", "1"), "b": ("LIF", "2"), "c": ("IF", "1"), "d": ("IF", "2")}

MANIFEST = Manifest(
    paper="mueller",
    number="Fig 2.5",
    title="Membrane potential of leaky (a, b) and non-leaky (c, d) neurons for two spike patterns",
    claims=(
        *(
            Claim(f"spikes_{panel}", f"output spikes in panel {panel}", count, source="text")
            for panel, count in (("a", 0), ("b", 1), ("c", 1), ("d", 1))
        ),
        Claim(
            "flat_c",
            "change of the potential between input spikes, without leak",
            0.0,
            tolerance=1e-9,
            source="text of 6.2: 'remains constant following every input spike'",
        ),
        Claim(
            "third_c",
            "output of panel c comes with the third input spike (ms)",
            8.0,
            tolerance=1e-6,
            source="text of 6.2",
        ),
    ),
    data="two neurons, two patterns of three spikes",
    substitute="our own threshold and time constant, which the thesis does not give",
    minutes=0.2,
)


def neurons() -> dict[str, Neuron]:
    """The two neurons, with a potential in units of an input of weight 1."""
    shared: dict[str, Any] = {"v_reset": 0.0, "v_th": THRESHOLD, "c_m": 1.0}
    return {
        "LIF": LeakyIntegrateAndFire(v_rest=0.0, tau_m=TAU_M, **shared),
        "IF": IntegrateAndFire("value", **shared),
    }


def compute(context: Context) -> dict[str, NDArray]:
    """Compute potentials and output spikes.

    An input spike is a pulse of one step with its weight as charge.
    """
    n_steps = round(DURATION / STEP)
    current = np.zeros((n_steps, len(PATTERNS)))
    for column, (times, weights) in enumerate(PATTERNS.values()):
        current[np.round(np.array(times) / STEP).astype(int) - 1, column] = np.array(weights) / STEP
    result = {"time": np.arange(1, n_steps + 1) * STEP, "used": np.array(MANIFEST.data)}
    for name, neuron in neurons().items():
        response = stimulate(neuron, current, duration=DURATION, dt=STEP)
        for column, pattern in enumerate(PATTERNS):
            result[f"{name} {pattern} v"] = response.traces["v"][:, column]
            result[f"{name} {pattern} spikes"] = response.spike_times[column]
    return result


def measure(result: Result) -> dict[str, float]:
    """Return spikes per panel, changes of the potential without leak, and the spike time in c."""
    v = result["IF 1 v"]
    rises = np.round(np.array(PATTERNS["1"][0]) / STEP).astype(int) - 1
    changes = np.abs(np.diff(v, prepend=0.0))
    changes[rises] = 0.0
    found = {
        f"spikes_{panel}": float(len(result[f"{name} {pattern} spikes"]))
        for panel, (name, pattern) in PANELS.items()
    }
    spikes = result["IF 1 spikes"]
    third = float(spikes[0]) if len(spikes) else float("inf")
    return {**found, "flat_c": float(changes.max()), "third_c": third}


def plot(result: Result, context: Context) -> Figure:
    """Plot one panel for each neuron and pattern."""
    figure, axes = panels(4, columns=2, width=3.4, height=2.2)
    for axis, (name, pattern) in zip(axes, PANELS.values(), strict=True):
        times, weights = PATTERNS[pattern]
        axis.plot(result["time"], result[f"{name} {pattern} v"], color=BLUE, label="potential")
        axis.axhline(THRESHOLD, color=RED, linestyle="--", linewidth=0.8, label="threshold")
        axis.vlines(times, 0, weights, color=ORANGE, linewidth=2, alpha=0.7, label="input weights")
        for at in result[f"{name} {pattern} spikes"]:
            axis.axvline(at, ymin=0.86, color="black", linewidth=1.2)
        axis.set_xlim(0, DURATION)
        axis.set_ylim(0, 1.75)
        finish(axis, "", "time (ms)", "potential (1)")
        axis.set_title(f"{name}, pattern {pattern}", fontsize=LABEL, loc="left")
    legend_above(figure, axes[0])
    return figure
