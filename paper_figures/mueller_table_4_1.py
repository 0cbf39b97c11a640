"""mueller Table 4.1: accuracy for several percentiles, spiking and with ReLU clipped at 1."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from bioconv.codes import RateCode
from bioconv.measures.estimation import estimate
from bioconv.paper_figures.frame import Claim, Context, Manifest, Result
from bioconv.paper_figures.latency import accuracy_over_time, settled
from bioconv.paper_figures.workloads import Workload, cifar10
from bioconv.plots.style import finish, legend_above, panels

PERCENTILES = (99.0, 99.9, 99.99, 99.999, 100.0)

MANIFEST = Manifest(
    paper="mueller",
    number="Table 4.1",
    title="Accuracy of spiking networks and of ReLU clipped at 1, by percentile",
    claims=(
        Claim(
            "largest_difference",
            "largest difference between spiking network and ReLU1 over percentiles, points",
            0.09,
            tolerance=1.0,
            kind="at most",
            source="table; tolerance: one point is two of 200 images",
        ),
        Claim(
            "loss_99",
            "points lost at the 99th percentile, ReLU1 (table: 1.54 to 2.60)",
            2.07,
            tolerance=1.0,
            source="table; tolerance: its range, and the standard error of 2 % of 1,000 images",
        ),
        Claim(
            "loss_9999",
            "points lost at the 99.99th percentile, ReLU1 (table: -0.04 to 0.02)",
            0.02,
            tolerance=0.2,
            kind="at most",
            source="table; tolerance: two of 1,000 images",
        ),
    ),
    data="CIFAR-10, ResNet18 to ResNet101",
    substitute="a published ResNet-8 (CIFAR-10); without data a digits network",
    minutes=14,
)


def compute(context: Context) -> dict[str, NDArray]:
    """Settled accuracy and clipped accuracy for every percentile, channel-wise.

    The clipped network is evaluated on 1,000 images, the spiking network simulated on some.
    """
    workload = cifar10(context, "resnet8", context.pick(1000, 60))
    n_simulated = context.pick(200, 60)
    few = replace(workload, x=workload.x[:n_simulated], y=workload.y[:n_simulated])
    spiking = []
    for percentile in PERCENTILES:
        code = RateCode(
            percentile=percentile, normalization="channel", over="all", initial="half", clamp=1
        )
        _, accuracy = accuracy_over_time(few, code, context.pick(1000, 60), context)
        spiking.append(settled(accuracy))
    return {
        "percentiles": np.array(PERCENTILES),
        "spiking": np.array(spiking),
        "relu1": _clipped(few),
        "relu1_all": _clipped(workload),
        "analog": np.array(few.analog_accuracy()),
        "analog_all": np.array(workload.analog_accuracy()),
        "used": np.array(f"{workload.used}; spiking: the first {len(few.x)}"),
    }


def _clipped(workload: Workload) -> NDArray[np.float64]:
    """Accuracy with ReLU clipped at 1, for every percentile."""
    rows = estimate(
        workload.graph,
        workload.x,
        workload.y,
        calibration=workload.calibration,
        code=RateCode(normalization="channel", over="all"),
        percentiles=PERCENTILES,
    )
    return np.array([row.accuracy for row in rows])


def measure(result: Result) -> dict[str, float]:
    """Return the differences in points."""
    loss = 100 * (float(result["analog_all"]) - result["relu1_all"])
    return {
        "largest_difference": float(100 * np.abs(result["spiking"] - result["relu1"]).max()),
        "loss_99": float(loss[0]),
        "loss_9999": float(loss[2]),
    }


def plot(result: Result, context: Context) -> Figure:
    """Plot the values of the table."""
    figure, (axes,) = panels(1, width=5.5, height=3.6)
    place = np.arange(len(PERCENTILES))
    axes.plot(place, 100 * result["spiking"], "o-", label="spiking network")
    axes.plot(place, 100 * result["relu1"], "s--", label="ReLU clipped at 1")
    axes.axhline(100 * float(result["analog"]), color="k", linestyle=":", label="analog network")
    axes.set_xticks(place, [f"{p:g}" for p in PERCENTILES])
    finish(axes, "", "percentile of the normalisation (%)", "accuracy (%)")
    legend_above(figure, axes)
    return figure
