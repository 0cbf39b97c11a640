"""yousefzadeh Table I: accuracy and spikes of Algorithm 1 and of other methods."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from bioconv.codes import Code, FirstSpikeCode, RateCode
from bioconv.conversion import convert
from bioconv.paper_figures.frame import Claim, Context, Manifest, Result
from bioconv.paper_figures.sigma_delta import (
    CODE,
    PAPER,
    over_time,
    quantised_accuracy,
    unit,
    workload,
)
from bioconv.paper_figures.workloads import Workload
from bioconv.plots.style import BLUE, GRAY, ORANGE, finish, legend_above, panels
from bioconv.simulators import simulate

#: Two standard errors of 500 images of which 1 % are decided differently.
POINTS = 0.9
#: The paper's spikes are rounded to 0.01; a tenth is for weights of another training.
SHARE = 0.1

#: of Rueckauer et al. 2017, which the paper reproduces with their toolbox
RATE = RateCode(percentile=99.9, normalization="layer", initial="zero", clamp=0, input="regular")

ROWS = (
    "threshold 1",
    "threshold 2",
    "unit",
    "2 units",
    "default",
    "default, twice",
    "rate, 25 steps",
    "rate, 15 steps",
    "first spike",
)


def _claim(name: str, what: str, value: float, tolerance: float, source: str = "table") -> Claim:
    return Claim(name, what, value, tolerance=tolerance, source=source)


MANIFEST = Manifest(
    paper="yousefzadeh",
    number="Table I",
    title="Accuracy lost and spikes per neuron: Algorithm 1, the default code, rates, first spikes",
    claims=(
        _claim("loss_1", "threshold 1: points lost (99.21 - 99.19)", 0.02, POINTS),
        _claim("spikes_1", "threshold 1: spikes per neuron and frame", 0.25, 0.25 * SHARE),
        _claim("loss_2", "threshold 2: points lost (99.21 - 97.26)", 1.95, POINTS),
        _claim("spikes_2", "threshold 2: spikes per neuron and frame", 0.08, 0.08 * SHARE),
        _claim("loss_unit", "as many spikes as threshold 1: points lost", 0.02, POINTS),
        _claim("loss_2_units", "twice this threshold: points lost", 1.95, POINTS),
        _claim("spikes_2_units", "twice this threshold: spikes per neuron", 0.08, 0.08 * SHARE),
        _claim(
            "regained",
            "as many spikes: share of the quantised network's loss that is not lost (38 / 40)",
            0.95,
            0.2,
        ),
        _claim(
            "regained_2_units",
            "twice this threshold: the same (82 / 277)",
            0.296,
            0.2,
        ),
        _claim("loss_rate_25", "rate, 25 steps: points lost (99.21 - 99.18)", 0.03, POINTS),
        _claim("spikes_rate_25", "rate, 25 steps: spikes per neuron", 0.48, 0.48 * SHARE),
        _claim("loss_rate_15", "rate, 15 steps: points lost (99.21 - 98.80)", 0.41, POINTS),
        _claim("spikes_rate_15", "rate, 15 steps: spikes per neuron", 0.26, 0.26 * SHARE),
        _claim("loss_first", "first spike: points lost (98.96 - 98.57)", 0.39, POINTS),
        _claim("spikes_first", "first spike: spikes per neuron", 0.13, 0.13 * SHARE),
    ),
    data="MNIST, 16C5-MP2-8C5-MP2-256-10, 15k neurons; first spike: another network of 7.7k",
    substitute="a LeNet with max pooling of our own, whose second convolution is without padding "
    "(14.4k neurons), for all rows; a threshold has no meaning without the weights, so the unit "
    "is that with the paper's number of spikes; without data a digits network",
    minutes=15,
)


def compute(context: Context) -> dict[str, NDArray]:
    """Accuracy, spikes per neuron and accuracy of the quantised network of each row."""
    work = workload(context, 500)
    one = unit(work, context)
    codes = [replace(PAPER, threshold=threshold) for threshold in (1.0, 2.0, one, 2 * one)]
    codes += [CODE, replace(CODE, threshold=2 * CODE.threshold)]
    rows = []
    for code in codes:
        found = over_time(work, code, context)
        rows.append([found["accuracy"][-1], found["spikes"][-1], quantised_accuracy(work, code)])
    neurons = int(found["neurons"])
    rows += [_other(work, RATE, neurons, context, n_steps) for n_steps in (25, 15)]
    rows.append(_other(work, FirstSpikeCode(), neurons, context))
    return {
        "rows": np.array(rows, np.float64),
        "unit": np.array(one),
        "analog": np.array(work.analog_accuracy()),
        "used": np.array(work.used),
    }


def _other(
    work: Workload, code: Code, neurons: int, context: Context, n_steps: int | None = None
) -> list[float]:
    """Return the row of another code for the same network."""
    network = convert(
        work.graph, calibration=work.calibration, code=code, n_steps=n_steps, seed=context.seed
    )
    recording = simulate(network, work.x, progress=context.progress)
    spikes = sum(float(np.mean(counts)) for counts in recording.spikes_per_image.values())
    return [float(np.mean(recording.predictions() == work.y)), spikes / neurons, np.nan]


def measure(result: Result) -> dict[str, float]:
    """Return losses in points, spikes per neuron, and the share of the loss that is avoided."""
    accuracy, spikes, quantised = (
        dict(zip(ROWS, column, strict=True)) for column in result["rows"].T
    )
    names = {
        "1": "threshold 1",
        "2": "threshold 2",
        "unit": "unit",
        "2_units": "2 units",
        "rate_25": "rate, 25 steps",
        "rate_15": "rate, 15 steps",
        "first": "first spike",
    }
    analog = float(result["analog"])
    return {
        **{f"loss_{key}": 100 * (analog - accuracy[row]) for key, row in names.items()},
        **{f"spikes_{key}": float(spikes[row]) for key, row in names.items()},
        "regained": _regained(analog, quantised["unit"], accuracy["unit"]),
        "regained_2_units": _regained(analog, quantised["2 units"], accuracy["2 units"]),
    }


def _regained(analog: float, quantised: float, spiking: float) -> float:
    """Return the share of the quantisation loss that the spiking network avoids."""
    return (spiking - quantised) / max(analog - quantised, 1e-3)  # half an image of the 500


def plot(result: Result, context: Context) -> Figure:
    """Bars of accuracy and spikes of every row."""
    figure, axes = panels(2, columns=2, width=4.2, height=3.6)
    place = np.arange(len(ROWS))
    accuracy, spikes, quantised = result["rows"].T
    axes[0].barh(place - 0.2, 100 * accuracy, 0.4, label="spiking", color=BLUE)
    bars = axes[0].barh(place + 0.2, 100 * quantised, 0.4, label="quantised", color=GRAY)
    for row, value in zip(place, accuracy, strict=True):
        axes[0].text(2, row - 0.2, f"{100 * value:.1f}", va="center", color="white", fontsize=7)
    for bar, value in zip(bars, quantised, strict=True):
        if np.isfinite(value):
            text = f"{100 * value:.1f}"
            axes[0].text(2, bar.get_y() + 0.2, text, va="center", color="white", fontsize=7)
    axes[0].axvline(100 * float(result["analog"]), color=ORANGE, linestyle="--", linewidth=0.8)
    legend_above(figure, axes[0])
    axes[1].bar_label(axes[1].barh(place, spikes, color=BLUE), fmt="%.3f", fontsize=7)
    axes[1].set_xlim(0, 1.25 * float(spikes.max()))
    for panel in axes:
        panel.set_yticks(place, ROWS)
        panel.invert_yaxis()
    finish(axes[0], "", "accuracy (%)", "")
    finish(axes[1], "spikes", "spikes per neuron (1)", "")
    return figure
