"""mueller Table 4.1: accuracy for several percentiles, spiking and with ReLU clipped at 1."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from bioconv.codes import RateCode
from bioconv.measures.estimation import estimate
from bioconv.paper_figures.frame import Claim, Context, Manifest, Result
from bioconv.paper_figures.latency import accuracy_over_time, settled
from bioconv.paper_figures.workloads import cifar10
from bioconv.plots.style import finish, panels

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
            "points lost at the 99th percentile (table: 1.54 to 2.6)",
            1.5,
            tolerance=1.5,
            kind="at least",
            source="table",
        ),
        Claim(
            "loss_9999",
            "points lost at the 99.99th percentile (table: at most 0.04)",
            0.04,
            tolerance=1.0,
            kind="at most",
            source="table",
        ),
    ),
    data="CIFAR-10, ResNet18 to ResNet101",
    substitute="a published ResNet-8 (CIFAR-10); without data a digits network",
    minutes=10,
)


def compute(context: Context) -> dict[str, NDArray]:
    """Settled accuracy and clipped accuracy for every percentile, channel-wise."""
    workload = cifar10(context, "resnet8", context.pick(200, 60))
    spiking = []
    for percentile in PERCENTILES:
        code = RateCode(
            percentile=percentile, normalization="channel", over="all", initial="half", clamp=1
        )
        _, accuracy = accuracy_over_time(workload, code, context.pick(400, 60), context)
        spiking.append(settled(accuracy))
    rows = estimate(
        workload.graph,
        workload.x,
        workload.y,
        calibration=workload.calibration,
        code=RateCode(normalization="channel", over="all"),
        percentiles=PERCENTILES,
    )
    return {
        "percentiles": np.array(PERCENTILES),
        "spiking": np.array(spiking),
        "relu1": np.array([row.accuracy for row in rows]),
        "analog": np.array(workload.analog_accuracy()),
        "used": np.array(workload.used),
    }


def measure(result: Result) -> dict[str, float]:
    """Differences in points."""
    loss = 100 * (float(result["analog"]) - result["spiking"])
    return {
        "largest_difference": float(100 * np.abs(result["spiking"] - result["relu1"]).max()),
        "loss_99": float(loss[0]),
        "loss_9999": float(loss[2]),
    }


def plot(result: Result, context: Context) -> Figure:
    """The table as a picture."""
    figure, (axes,) = panels(1, width=5.5, height=3.6)
    place = np.arange(len(PERCENTILES))
    axes.plot(place, 100 * result["spiking"], "o-", label="spiking network")
    axes.plot(place, 100 * result["relu1"], "s--", label="ReLU clipped at 1")
    axes.axhline(100 * float(result["analog"]), color="k", linestyle=":", label="analog network")
    axes.set_xticks(place, [f"{p:g}" for p in PERCENTILES])
    finish(axes, "", "percentile of the normalisation (%)", "accuracy (%)")
    axes.legend()
    return figure
