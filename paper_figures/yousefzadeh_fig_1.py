"""yousefzadeh Fig 1: the rectified value with hysteresis, simulated."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from bioconv.analog import Affine, AnalogGraph, GraphInput, Layer, Term
from bioconv.analog.functions import Linear, ReLU
from bioconv.codes import SigmaDeltaCode
from bioconv.conversion import convert
from bioconv.network import Change
from bioconv.operators import identity
from bioconv.paper_figures.frame import Claim, Context, Manifest, Result
from bioconv.plots.style import BLUE, GRAY, ORANGE, finish, legend_above, panels
from bioconv.simulators import simulate

TOP = 4.0

MANIFEST = Manifest(
    paper="yousefzadeh",
    number="Fig 1",
    title="Quantised value of a neuron while its potential rises and falls again",
    claims=(
        Claim(
            "largest_error",
            "largest distance from ReLU, in levels (at most one)",
            1.0,
            tolerance=1e-6,
            kind="at most",
            source="text",
        ),
        Claim("up_at", "value at 1.1 on the way up", 1.0, source="text (the branches of Fig 1)"),
        Claim(
            "down_at", "value at 1.1 on the way down", 2.0, source="text (the branches of Fig 1)"
        ),
    ),
    data="one neuron, threshold 1",
    minutes=0.1,
)


def compute(context: Context) -> dict[str, NDArray]:
    """The potential of one neuron is moved step by step from -1 up to 4 and back."""
    n = context.pick(500, 100)
    up = np.linspace(-1.0, TOP, n)
    path = np.concatenate([up, up[::-1]])
    one = Affine((Term("x", identity((1,))),), np.zeros(1), (1,))
    out = Affine((Term("a", identity((1,))),), np.zeros(1), (1,))
    layers = (
        Layer("a", ReLU(), (one,), (1,), ("a",)),
        Layer("out", Linear(), (out,), (1,), ("out",)),
    )
    graph = AnalogGraph("one", (GraphInput("x", (1,)),), layers, ("out",))
    code = SigmaDeltaCode(1.0, "none", input="current", balance=False, correction=False)
    network = convert(graph, calibration=np.ones((1, 1)), code=code, n_steps=len(path))
    # The current moves the potential by the difference, on top of the sample itself.
    moves = [
        Change(step, "a", "i_offset", float(move - path[0]))
        for step, move in enumerate(np.diff(path), start=1)
    ]
    kept = [c for c in network.changes if (c.population, c.variable) != ("a", "gate")]
    network = network.replace(changes=(*kept, *moves))
    recording = simulate(
        network,
        np.full((1, 1), path[0]),
        record={"a": ("spikes",)},
        dtype="float64",
        progress=False,
    )
    raster = recording.rasters["a"]
    signed = np.where(raster.neuron == 0, 1.0, -1.0)
    value = np.cumsum(np.bincount(raster.step, weights=signed, minlength=len(path)))
    return {"path": path, "value": value, "used": np.array(MANIFEST.data)}


def measure(result: Result) -> dict[str, float]:
    """Errors and the two branches."""
    path, value = result["path"], result["value"]
    n = len(path) // 2
    return {
        "largest_error": float(np.abs(value - np.maximum(path, 0)).max()),
        "up_at": float(value[:n][np.argmin(np.abs(path[:n] - 1.1))]),
        "down_at": float(value[n:][np.argmin(np.abs(path[n:] - 1.1))]),
    }


def plot(result: Result, context: Context) -> Figure:
    """Value over potential, both ways."""
    figure, (axes,) = panels(1, width=4.5, height=3.2)
    path, value = result["path"], result["value"]
    n = len(path) // 2
    axes.plot(path[:n], np.maximum(path[:n], 0), "--", color=GRAY, label="ReLU")
    axes.step(path[:n], value[:n], where="post", color=BLUE, label="on the way up")
    axes.step(path[n:], value[n:], where="post", color=ORANGE, label="on the way down")
    legend_above(figure, axes)
    finish(axes, "", "potential (levels)", "ON minus OFF spikes (1)")
    return figure
