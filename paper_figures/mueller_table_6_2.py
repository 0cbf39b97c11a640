"""mueller Table 6.2: spikes of the oscillation code and of a rate code on spoken words."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

import bioconv as bc
from bioconv.codes import Code
from bioconv.paper_figures.frame import Claim, Context, Manifest, Result
from bioconv.paper_figures.workloads import Workload, digits
from bioconv.plots.style import BLUE, finish, panels
from bioconv.reading import read

CODES: dict[str, Code] = {"rate": bc.RateCode(), "oscillation": bc.OscillationCode()}

MANIFEST = Manifest(
    paper="mueller",
    number="Table 6.2",
    title="Oscillation code compared with a rate code on spoken words",
    claims=(
        Claim("loss", "points lost by the oscillation code", 0.0, source="table"),
        Claim(
            "fewer",
            "times fewer spikes than the rate code (table: 61,362 and 4,081)",
            15.0,
            kind="at least",
            source="text: approximately 15",
        ),
    ),
    data="speech commands, 3920 inputs and two hidden layers of 256",
    substitute="a published depthwise separable network on 1,000 speech commands (MFCC); without "
    "data a network on digits",
    minutes=4,
)


def compute(context: Context) -> dict[str, NDArray]:
    """Accuracy, spikes and synaptic operations of both codes on the same samples."""
    workload = _words(context)
    accuracy, spikes, operations = [workload.analog_accuracy()], [], []
    for name, code in CODES.items():
        network = bc.convert(workload.graph, calibration=workload.calibration, code=code)
        exact = name == "oscillation"
        recording = bc.simulate(
            network,
            workload.x,
            simulator="event" if exact else "array",
            batch_size=10,
            progress=False,
        )
        accuracy.append(recording.accuracy(workload.y))
        spikes.append(sum(float(n.mean()) for n in recording.spikes_per_image.values()))
        operations.append(float(recording.synaptic_operations.mean()))
    return {
        "accuracy": np.array(accuracy),
        "spikes": np.array(spikes),
        "operations": np.array(operations),
        "used": np.array(workload.used),
    }


def _words(context: Context) -> Workload:
    path = context.model_file("mlperf_kws_dscnn", "kws_ref_model_rebuilt.keras")
    if context.quick or path is None or context.data is None:
        return digits("digits_mlp", 40)
    with np.load(context.data / "speech" / "kws_mfcc.npz", allow_pickle=False) as file:
        x, y = file["x"], file["y"].astype(np.int64).reshape(-1)
    return Workload(
        label="DS-CNN",
        graph=read(path),
        calibration=x[500:],
        x=x[:40],
        y=y[:40],
        used="speech commands (40 clips), DS-CNN of mlperf_kws_dscnn",
    )


def measure(result: Result) -> dict[str, float]:
    """Loss in points, and the ratio of the spikes."""
    analog, _, oscillation = result["accuracy"]
    return {
        "loss": float(100 * (analog - oscillation)),
        "fewer": float(result["spikes"][0] / result["spikes"][1]),
    }


def plot(result: Result, context: Context) -> Figure:
    """Accuracy, spikes and synaptic operations as bars."""
    figure, axes = panels(3, columns=3, width=2.8, height=2.4)
    names = list(CODES)
    drawn = [
        axes[0].bar(["analog", *names], 100 * result["accuracy"], color=BLUE),
        axes[1].bar(names, result["spikes"], color=BLUE),
        axes[2].bar(names, result["operations"], color=BLUE),
    ]
    labels = ("accuracy (%)", "spikes per sample", "synaptic operations")
    formats = ("%.1f", "{:,.0f}", "{:,.0f}")
    for panel, bars, label, form in zip(axes, drawn, labels, formats, strict=True):
        panel.bar_label(bars, fmt=form, fontsize=8)
        panel.margins(y=0.12)
        finish(panel, "", "", label)
    return figure
