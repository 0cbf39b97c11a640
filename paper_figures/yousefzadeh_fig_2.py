"""yousefzadeh Fig 2: outputs over time and spikes of the pixels for the first test image."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from bioconv.conversion import convert
from bioconv.ground.decisions import LARGEST
from bioconv.paper_figures.frame import Claim, Context, Manifest, Result
from bioconv.paper_figures.sigma_delta import CODE, workload
from bioconv.plots.style import BLUE, GRAY, RED, finish, panels
from bioconv.simulators import simulate

MANIFEST = Manifest(
    paper="yousefzadeh",
    number="Fig 2",
    title="Membrane potential of the outputs (a) and spikes of the pixels (b) over time, image (c)",
    claims=(
        Claim(
            "right_before_the_end",
            "time of the last wrong class, as a share of the presentation (much before its end)",
            0.75,
            kind="at most",
            source="text: much before the presentation of all input, read as a quarter of it",
        ),
        Claim("spikes_a_pixel", "most spikes of a pixel", 1.0, source="text"),
    ),
    data="MNIST, the first test image, 16C5-MP2-8C5-MP2-256-10",
    substitute="a LeNet with max pooling of our own; without data a digits network",
    minutes=0.5,
)


def compute(context: Context) -> dict[str, NDArray]:
    """Potentials and pixel spikes for one image."""
    work = workload(context, 1, quick=1)
    network = convert(work.graph, calibration=work.calibration, code=CODE)
    pixels = next(p.name for p in network.populations if p.model.name == "intensity_to_delay")
    output = network.readouts[0].population
    recording = simulate(
        network,
        work.x[:1],
        record={pixels: ("spikes",), output: ("v",)},
        dtype="float64",
        progress=False,
    )
    raster = recording.rasters[pixels]
    potential = recording.traces[output, "v"][0] * network.population(output).scale
    return {
        "potential": np.asarray(potential, np.float64),
        "step": raster.step,
        "pixel": raster.neuron,
        "image": np.asarray(work.x[0], np.float64).squeeze(),
        "label": np.asarray(work.y[0]),
        "ramp": np.array(float(CODE.input_steps)),
        "used": np.array(work.used),
    }


def measure(result: Result) -> dict[str, float]:
    """Return the time after which the class remains correct."""
    wrong = np.flatnonzero(LARGEST.of(result["potential"]) != int(result["label"]))
    last = wrong[-1] + 1 if wrong.size else 0
    counts = np.bincount(result["pixel"], minlength=1)
    return {
        "right_before_the_end": float(last / (result["step"].max() + 1)),
        "spikes_a_pixel": float(counts.max()),
    }


def plot(result: Result, context: Context) -> Figure:
    """Potentials, raster and image."""
    figure, axes = panels(3, columns=3, width=3.2, height=2.8)
    time = np.arange(1, len(result["potential"]) + 1) / float(result["ramp"])
    for number, trace in enumerate(result["potential"].T):
        right = number == int(result["label"])
        axes[0].plot(time, trace, color=RED if right else GRAY, lw=1.6 if right else 0.8)
    axes[1].plot(result["step"] / float(result["ramp"]), result["pixel"], ".", ms=2, color=BLUE)
    axes[2].imshow(result["image"], cmap="gray_r")
    axes[2].set_axis_off()
    finish(axes[0], f"outputs, {int(result['label'])} in red", "time (units)", "potential (1)")
    finish(axes[1], "pixels", "time (units)", "pixel")
    return figure
