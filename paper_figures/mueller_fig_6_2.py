"""mueller Fig 6.2: the spike time of a neuron whose inputs stay (Eqs 6.1, 6.2)."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

import bioconv as bc
from bioconv.analog import Affine, AnalogGraph, GraphInput, Layer, Term
from bioconv.analog.functions import Linear, ReLU
from bioconv.operators import Dense, identity
from bioconv.paper_figures.frame import Claim, Context, Manifest, Result
from bioconv.plots.style import BLUE, GRAY, ORANGE, RED, finish, legend_above, panels

#: two inputs, and one that comes too late: without it the neuron would be silent
SAMPLE = np.array([[1.0, 0.6, 0.28]])
WEIGHTS = np.array([[0.4], [0.6], [-2.5]])
UNIT = 40

MANIFEST = Manifest(
    paper="mueller",
    number="Fig 6.2",
    title="Spike generation with time-to-first-spike coding: two inputs, and one that is too late",
    claims=(
        Claim(
            "time_error",
            "spike time less Eq 6.2, in units of the time of a full activation",
            0.0,
            tolerance=1e-6,
            source="equation",
        ),
        Claim(
            "grid_lag",
            "steps by which the spike on the grid lags behind the exact one (below one)",
            1.0,
            kind="at most",
            source="equation",
        ),
        Claim(
            "premature",
            "spikes before the balancing input, for an activation that is not positive",
            1.0,
            source="text: a positive input elevates the potential before the negative one",
        ),
    ),
    data="one neuron with three inputs",
    minutes=0.1,
)


def compute(context: Context) -> dict[str, NDArray]:
    """Potential on the grid, and exact spike times."""
    network = bc.convert(
        _graph(), calibration=np.ones((1, 3)), code=bc.FirstSpikeCode(unit_steps=UNIT), n_steps=200
    )
    record = {"neuron": ("spikes",), "x_on": ("spikes",)}
    exact = bc.simulate(network, SAMPLE, simulator="event", record=record, progress=False)
    grid = bc.simulate(
        network,
        SAMPLE,
        record={"neuron": ("spikes", "v")},
        dtype="float64",
        progress=False,
    )
    spike, inputs = (exact.rasters[name].moments(exact.dt) for name in ("neuron", "x_on"))
    return {
        "v": grid.traces["neuron", "v"][0, :, 0],
        "inputs": np.sort(inputs),
        "spike": spike,
        "grid_spike": (grid.rasters["neuron"].step + 1.0) * grid.dt,
        "used": np.array(MANIFEST.data),
    }


def _graph() -> AnalogGraph:
    dense = Affine((Term("x", Dense((3,), WEIGHTS)),), np.zeros(1), (1,))
    layers = (
        Layer("neuron", ReLU(max_value=1.0), (dense,), (1,)),
        Layer(
            "out", Linear(), (Affine((Term("neuron", identity((1,))),), np.zeros(1), (1,)),), (1,)
        ),
    )
    return AnalogGraph("neuron", (GraphInput("x", (3,)),), layers, ("out",))


def measure(result: Result) -> dict[str, float]:
    """Eq 6.2 with the two inputs of the causal set, which arrive one step after their spikes."""
    early = result["inputs"][:2] + 1.0
    weights = WEIGHTS[:2, 0]
    expected = (UNIT + (weights * early).sum()) / weights.sum()
    spike = float(result["spike"][0])
    return {
        "time_error": (spike - float(expected)) / UNIT,
        "grid_lag": float(result["grid_spike"][0]) - spike,
        "premature": float(np.count_nonzero(result["spike"] < result["inputs"][2])),
    }


def plot(result: Result, context: Context) -> Figure:
    """Potential over time, with the times of the inputs and of the spike."""
    figure, (axes,) = panels(1, width=5.5, height=3.2)
    axes.plot(np.arange(1, len(result["v"]) + 1), result["v"], color=BLUE, label="potential")
    axes.axhline(1.0, color=GRAY, linestyle="--", label="threshold")
    names = (f"$t_{i + 1}$, weight {w:g}" for i, w in enumerate(WEIGHTS[:, 0]))
    for time, name, color in zip(result["inputs"], names, (ORANGE, ORANGE, RED), strict=True):
        axes.axvline(time, color=color, linewidth=0.8)
        axes.text(time - 6, 0.6, name, fontsize=7, rotation=90, va="center")
    axes.axvline(result["spike"][0], color="k", linewidth=0.8)
    axes.text(result["spike"][0] + 1, 1.05, "spike: rate 1/t", fontsize=8)
    legend_above(figure, axes)
    axes.set_ylim(-0.1, 1.3)
    finish(axes, "", "time (ms)", "membrane potential (mV)")
    return figure
