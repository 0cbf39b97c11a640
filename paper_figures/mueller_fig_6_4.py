"""mueller Figs 6.4 and 6.5: listening and transmitting windows, amplitude and duration adapted."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

import bioconv as bc
from bioconv.analog import Affine, AnalogGraph, GraphInput, Layer, Term
from bioconv.analog.functions import Linear, ReLU
from bioconv.operators import Dense, identity
from bioconv.paper_figures.frame import Claim, Context, Manifest, Result
from bioconv.plots.style import BLUE, GRAY, GREEN, ORANGE, RED, finish, legend_above, panels

SAMPLE = np.array([[0.95, 0.7, 0.5, 0.2]])
#: of a neuron with a positive activation, and of one with a negative activation
WEIGHTS = np.array([[0.5, 0.3], [-0.55, -1.0], [0.7, 0.2], [0.4, 0.1]])
BIAS = np.array([0.08, 0.05])
STEPS = 100
VARIANTS = ("amplitude", "duration")

MANIFEST = Manifest(
    paper="mueller",
    number="Figs 6.4, 6.5",
    title="Oscillation with spike-amplitude (left) and pulse-duration adaptation (right)",
    claims=(
        Claim(
            "phase_error",
            "phase of the spike less Eq 6.5, larger of both variants, in windows",
            0.0,
            tolerance=1e-6,
            source="equation",
        ),
        Claim(
            "same_step",
            "difference of the two variants' spikes on the grid, in steps",
            0.0,
            source="caption: both methods generate the action potential",
        ),
        Claim(
            "highest",
            "highest potential while listening, in thresholds",
            1.0,
            kind="at most",
            source="text: at or below the spike threshold",
        ),
        Claim("silent", "spikes of the neuron with a negative activation", 0.0),
    ),
    data="two neurons with four inputs and a bias neuron",
    minutes=0.1,
)


def compute(context: Context) -> dict[str, NDArray]:
    """Potential, pulses and spikes of both variants."""
    result: dict[str, NDArray] = {"used": np.array(MANIFEST.data)}
    for variant in VARIANTS:
        code = bc.OscillationCode(STEPS, adaptation=variant, normalization="bound")
        network = bc.convert(_graph(), calibration=np.ones((1, 4)), code=code)
        pulse = "q" if variant == "amplitude" else "i_syn"
        spikes = {name: ("spikes",) for name in ("x_on", "bias_1")}
        grid = bc.simulate(
            network,
            SAMPLE,
            record={"neuron": ("spikes", "v", pulse), **spikes},
            dtype="float64",
            progress=False,
        )
        exact = bc.simulate(
            network, SAMPLE, simulator="event", record={"neuron": ("spikes",)}, progress=False
        )
        time = exact.rasters["neuron"].time
        assert time is not None
        population = network.population("neuron")
        arriving = [grid.rasters[name].step + 2.0 for name in spikes]
        result |= {
            f"v_{variant}": grid.traces["neuron", "v"][0],
            f"pulse_{variant}": grid.traces["neuron", pulse][0],
            f"spike_{variant}": np.stack([grid.rasters["neuron"].neuron, time]),
            f"step_{variant}": grid.rasters["neuron"].step,
            "inputs": np.sort(np.concatenate(arriving)),
            "transmits": np.array(population.start_step + 1),
            "scale": np.ravel(population.scale),
        }
    return result


def _graph() -> AnalogGraph:
    dense = Affine((Term("x", Dense((4,), WEIGHTS)),), BIAS, (2,))
    same = Affine((Term("neuron", identity((2,))),), np.zeros(1), (2,))
    layers = (Layer("neuron", ReLU(), (dense,), (2,)), Layer("out", Linear(), (same,), (2,)))
    return AnalogGraph("neurons", (GraphInput("x", (4,)),), layers, ("out",))


def measure(result: Result) -> dict[str, float]:
    """Phases against Eq 6.5, t = (1 - u) T, and how high potentials came before."""
    potential = (SAMPLE[0] @ WEIGHTS[:, 0] + BIAS[0]) / result["scale"][0]
    transmits = int(result["transmits"])
    spikes = [result[f"spike_{variant}"] for variant in VARIANTS]
    phases = [float(spike[1][spike[0] == 0][0] - transmits) / STEPS for spike in spikes]
    steps = [int(result[f"step_{variant}"][0]) for variant in VARIANTS]
    listening = [result[f"v_{variant}"][: transmits - 1] for variant in VARIANTS]
    return {
        "phase_error": float(max(abs(phase - (1 - potential)) for phase in phases)),
        "same_step": float(steps[0] - steps[1]),
        "highest": float(max(v.max() for v in listening)),
        "silent": float(sum(np.count_nonzero(spike[0] == 1) for spike in spikes)),
    }


def plot(result: Result, context: Context) -> Figure:
    """Input spikes, what they give, and the potential, in both windows."""
    figure, axes = panels(6, columns=2, width=3.6, height=2.1)
    transmits = int(result["transmits"])
    begin, end = transmits - STEPS, transmits + STEPS
    for column, variant in enumerate(VARIANTS):
        top, middle, bottom = axes[column], axes[2 + column], axes[4 + column]
        time = np.arange(1, len(result[f"v_{variant}"]) + 1)
        spike = result[f"spike_{variant}"][1]
        top.vlines(result["inputs"], 0, 1, color=ORANGE, label="input spikes and bias")
        top.vlines(spike, 0, 1, color=RED, label="spike of the neuron")
        top.set_yticks([])
        top.set_ylim(0, 1.2)
        gain = np.clip(1 - (time - begin) / STEPS, 0, 1) if variant == "amplitude" else 1.0
        pulses = result[f"pulse_{variant}"]
        for neuron, color in enumerate((BLUE, GREEN)):
            middle.plot(time, pulses[:, neuron] * gain, color=color)
            v = result[f"v_{variant}"][:, neuron]
            bottom.plot(
                time, v, color=color, label=("positive", "negative")[neuron] + " activation"
            )
        bottom.axhline(1.0, color=GRAY, linestyle="--", linewidth=0.8)
        for panel in (top, middle, bottom):
            panel.axvspan(begin, transmits, color=GRAY, alpha=0.12)
            panel.set_xlim(begin - 5, end + 5)
        unit = "charge (mV)" if variant == "amplitude" else "current (pA)"
        finish(top, f"{variant} adaptation", "", "")
        finish(middle, "", "", f"input {unit}")
        finish(bottom, "", "time (ms); gray: listening", "potential (mV)")
    legend_above(figure, *axes)
    return figure
