"""stanojevic Fig 2.5a: accuracy for windows that are longer or shorter by zeta."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from bioconv.paper_figures.exact_spikes import converted, simulated, workload
from bioconv.paper_figures.frame import Claim, Context, Manifest, Result
from bioconv.plots.style import GRAY, finish, legend_above, panels

ZETAS = (-0.9, -0.8, -0.7, -0.6, -0.5, -0.4, -0.3, -0.2, -0.1, 0.0, 0.25, 0.5, 0.75, 1.0)

MANIFEST = Manifest(
    paper="stanojevic",
    number="Fig 2.5a",
    title="Accuracy and latency as functions of zeta",
    claims=(
        Claim(
            "loss_from_zero",
            "points lost for zeta from 0 on",
            0.0,
            tolerance=0.1,
            kind="at most",
            source="theorem",
        ),
        Claim(
            "loss_at_half",
            "points lost at zeta = -0.5 ('without a dramatic loss')",
            5.0,
            kind="at most",
            source="text; our reading of the number",
        ),
        Claim(
            "loss_beyond",
            "points lost at zeta = -0.9, below -0.5 ('breaks down')",
            10.0,
            kind="at least",
            source="text; our reading of the number",
        ),
        Claim(
            "speed_up",
            "latency at zeta = 0.5 over that at zeta = -0.5",
            3.0,
            tolerance=0.6,
            source="text; the input's window does not depend on zeta",
        ),
    ),
    data="CIFAR-10, VGG16",
    substitute="a published CIFAR-10 network; without data a digits network",
    minutes=5,
)


def compute(context: Context) -> dict[str, NDArray]:
    """Accuracy and latency for every zeta, thresholds held or constant."""
    given = workload(context, "cnn", context.pick(200, 40))
    some = context.pick(40, 20)
    rows = []
    for zeta in ZETAS:
        options = {"zeta": zeta, "normalization": "none"}
        held = converted(given, **options)
        constant = converted(given, **options, threshold="constant")
        rows.append(
            (
                simulated(held, given.x).accuracy(given.y),
                simulated(constant, given.x[:some]).accuracy(given.y[:some]),
                float(held.code["latency_units"]),
            )
        )
    outputs = given.outputs()
    analog = [given.decision.accuracy(outputs[:n], given.y[:n]) for n in (len(outputs), some)]
    return {
        "rows": np.array(rows),
        "analog": np.array(analog),
        "used": np.array(given.used),
    }


def measure(result: Result) -> dict[str, float]:
    """Points lost with held thresholds, and the ratio of latencies."""
    loss = dict(zip(ZETAS, 100 * (result["analog"][0] - result["rows"][:, 0]), strict=True))
    latency = dict(zip(ZETAS, result["rows"][:, 2], strict=True))
    return {
        "loss_from_zero": float(max(value for zeta, value in loss.items() if zeta >= 0)),
        "loss_at_half": float(loss[-0.5]),
        "loss_beyond": float(loss[-0.9]),
        "speed_up": float(latency[0.5] / latency[-0.5]),
    }


def plot(result: Result, context: Context) -> Figure:
    """Accuracy, and latency, against zeta."""
    figure, (left, right) = panels(2, width=4.2, height=3.2)
    held, constant, latency = result["rows"].T
    left.plot(ZETAS, 100 * held, "o-", label="threshold held until the window opens")
    left.plot(ZETAS, 100 * constant, "s--", label="constant threshold (fewer images)")
    left.axhline(100 * float(result["analog"][0]), color="k", linestyle=":", label="ReLU network")
    left.axhline(100 * float(result["analog"][1]), color=GRAY, linestyle=":")
    right.plot(ZETAS, latency, "o-")
    right.set_ylim(0)
    finish(left, "", "zeta", "accuracy (%)")
    finish(right, "", "zeta", "latency (time units)")
    legend_above(figure, left)
    return figure
