"""mueller Table 4.1: accuracy for several percentiles, spiking and with ReLU clipped at 1."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from bioconv.measures.estimation import PERCENTILES, estimate
from bioconv.paper_figures.frame import Claim, Context, Manifest, Result
from bioconv.paper_figures.latency import curves, network_of, settled, speedup
from bioconv.paper_figures.residual import N_STEPS, NETWORKS, extended
from bioconv.paper_figures.workloads import Workload, cifar10
from bioconv.plots.style import finish, legend_above, panels

CODES = {f"p{percentile:g}": extended(percentile) for percentile in PERCENTILES}
#: per cent of ResNet18, 34, 50 and 101, by percentile
THESIS_SPIKING = (
    (92.24, 92.42, 92.84, 92.66),
    (93.71, 94.26, 94.71, 95.01),
    (93.85, 94.40, 94.78, 95.27),
    (93.80, 94.40, 94.74, 95.28),
    (93.87, 94.35, 94.78, 95.25),
)
THESIS_RELU1 = (
    (92.24, 92.42, 92.86, 92.66),
    (93.70, 94.24, 94.70, 95.04),
    (93.82, 94.38, 94.80, 95.24),
    (93.76, 94.44, 94.80, 95.24),
    (93.78, 94.44, 94.82, 95.26),
)
THESIS_NETWORKS = ("ResNet18", "ResNet34", "ResNet50", "ResNet101")

MANIFEST = Manifest(
    paper="mueller",
    number="Table 4.1",
    title="Accuracy of spiking networks and of ReLU clipped at 1, by percentile",
    claims=(
        Claim(
            "largest_difference",
            "largest difference of spiking network and ReLU1 over percentiles and networks, points",
            0.09,
            tolerance=0.21,
            kind="at most",
            source="table; tolerance: the bar of the project, 0.3 points",
        ),
        Claim(
            "loss_99",
            "points lost at the 99th percentile, ReLU1, mean of the networks (1.54 to 2.60)",
            2.07,
            tolerance=1.0,
            source="table; tolerance: its range, and the standard error of 2 % of 1,000 images",
        ),
        Claim(
            "loss_9999",
            "points lost at the 99.99th percentile, ReLU1, mean of the networks (-0.04 to 0.02)",
            0.02,
            tolerance=0.2,
            kind="at most",
            source="table; tolerance: two of 1,000 images",
        ),
        Claim(
            "maximum_time",
            "steps to 99 % of the analog accuracy, p = 100 over p = 99.99, mean of the networks "
            "('roughly double')",
            2.0,
            tolerance=0.5,
            source="text; tolerance: what rounds to double",
        ),
    ),
    data="CIFAR-10, ResNet18 to ResNet101",
    substitute="published ResNet-20, -32, -44 and -56 (CIFAR-10), test images instead of the "
    "validation set; without data a digits network",
    minutes=60,
)


def compute(context: Context) -> dict[str, NDArray]:
    """Accuracy over 1,000 steps and clipped accuracy for every percentile and network.

    The clipped network is evaluated on 1,000 images, the spiking network simulated on some.
    """
    result: dict[str, NDArray] = {}
    n_simulated = context.pick_images(50, 60)
    for name in NETWORKS:
        whole = cifar10(context, name, context.pick(1000, 60))
        few = replace(whole, x=whole.x[:n_simulated], y=whole.y[:n_simulated])
        found = curves(few, CODES, context.pick(*N_STEPS), context)
        result["steps"] = found.pop("steps")
        result |= {f"{name}_{key}": value for key, value in found.items() if key != "used"}
        result |= {
            f"{name}_relu1": _clipped(few),
            f"{name}_relu1_all": _clipped(whole),
            f"{name}_analog_all": np.array(whole.analog_accuracy()),
        }
    kin = ", ".join(dict.fromkeys(str(result[f"{name}_label"]) for name in NETWORKS))
    used = f"{whole.used}, and its kin {kin}; spiking: the first"
    return {
        "percentiles": np.array(PERCENTILES),
        **result,
        "used": np.array(f"{used} {len(few.x)}"),
    }


def _clipped(workload: Workload) -> NDArray[np.float64]:
    """Accuracy with ReLU clipped at 1, for every percentile."""
    rows = estimate(
        workload.graph,
        workload.x,
        workload.y,
        calibration=workload.calibration,
        code=extended(),
        percentiles=PERCENTILES,
    )
    return np.array([row.accuracy for row in rows])


def measure(result: Result) -> dict[str, float]:
    """Return the differences in points, and the ratio of latencies."""
    found = [network_of(result, name) for name in NETWORKS]
    difference = [np.abs(_spiking(r) - r["relu1"]).max() for r in found]
    loss = np.mean([float(r["analog_all"]) - r["relu1_all"] for r in found], axis=0)
    return {
        "largest_difference": 100 * float(np.max(difference)),
        "loss_99": 100 * float(loss[PERCENTILES.index(99.0)]),
        "loss_9999": 100 * float(loss[PERCENTILES.index(99.99)]),
        "maximum_time": float(np.mean([speedup(r, "p100", "p99.99") for r in found])),
    }


def _spiking(result: Result) -> NDArray[np.float64]:
    """Settled accuracy of one network for every percentile."""
    return np.array([settled(result[key]) for key in CODES])


def plot(result: Result, context: Context) -> Figure:
    """Plot the values of the table, ours above those of the thesis."""
    figure, axes = panels(2 * len(NETWORKS), columns=len(NETWORKS), width=2.4, height=2.5)
    place = np.arange(len(PERCENTILES))
    here = [network_of(result, name) for name in NETWORKS]
    rows = [(str(r["label"]), _spiking(r), r["relu1"]) for r in here]
    columns = (np.transpose(THESIS_SPIKING) / 100, np.transpose(THESIS_RELU1) / 100)
    rows += [
        (f"{title} (thesis)", spiking, relu1)
        for title, spiking, relu1 in zip(THESIS_NETWORKS, *columns, strict=True)
    ]
    for panel, (title, spiking, relu1) in zip(axes, rows, strict=True):
        panel.plot(place, 100 * spiking, "o-", label="spiking network")
        panel.plot(place, 100 * relu1, "s--", label="ReLU clipped at 1")
        panel.set_xticks(place, [f"{p:g}" for p in PERCENTILES], fontsize=6, rotation=45)
        finish(panel, title, "percentile (%)", "accuracy (%)")
    legend_above(figure, axes[0])
    return figure
