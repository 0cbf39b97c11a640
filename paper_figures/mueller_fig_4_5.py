"""mueller Fig 4.5: basic against extended conversion, accuracy over time."""

from __future__ import annotations

from matplotlib.figure import Figure
from numpy.typing import NDArray

from bioconv.paper_figures.frame import Claim, Context, Manifest, Result
from bioconv.paper_figures.latency import (
    curves_of_networks,
    network_of,
    plot_networks,
    settled,
    speedup,
)
from bioconv.paper_figures.residual import (
    BASIC,
    DEEPEST,
    N_STEPS,
    SHALLOWEST,
    extended,
)

CODES = {"basic": BASIC, "extended": extended()}
LABELS = {
    "basic": "basic conversion",
    "extended": "extended: channel-wise, unbiased, clamp d = 1",
}
ENDS = (SHALLOWEST, DEEPEST)

MANIFEST = Manifest(
    paper="mueller",
    number="Fig 4.5",
    title="Accuracy over time of the basic and the extended conversion of residual networks",
    claims=(
        Claim(
            "speedup",
            "steps to 99 % of the analog accuracy, basic over extended, shallow network "
            "(ResNet18: 600 / 56)",
            10.7,
            tolerance=0.9,
            kind="at least",
            source="text: 'approximately 600', so 550 to 650",
        ),
        Claim(
            "speedup_deep",
            "the same, deep network (ResNet101: more than 1,000 / less than 150)",
            6.67,
            tolerance=1.67,
            kind="at least",
            source="text; tolerance: fivefold is the bar of the project, for another network",
        ),
        Claim(
            "extended_loss",
            "loss of the extended conversion at the end, in points, the larger one of both "
            "networks (Table 4.2: -0.03 of ResNet18 and ResNet101)",
            0.0,
            tolerance=0.3,
            kind="at most",
            source="table; tolerance: the bar of the project",
        ),
    ),
    data="CIFAR-10, ResNet18 (ResNet101 in the text)",
    substitute="published ResNet-20 and ResNet-56 (CIFAR-10); without data a digits network",
    minutes=20,
)


def compute(context: Context) -> dict[str, NDArray]:
    """Accuracy over 1,000 steps for both conversions of both networks."""
    n_images, n_steps = context.pick_images(100, 60), context.pick(*N_STEPS)
    return curves_of_networks(ENDS, CODES, n_images, n_steps, context)


def measure(result: Result) -> dict[str, float]:
    """Ratio of latencies, loss at the end."""
    shallow, deep = (network_of(result, name) for name in ENDS)
    return {
        "speedup": speedup(shallow, "basic", "extended"),
        "speedup_deep": speedup(deep, "basic", "extended"),
        "extended_loss": max(
            100 * (float(r["analog"]) - settled(r["extended"])) for r in (shallow, deep)
        ),
    }


def plot(result: Result, context: Context) -> Figure:
    """One panel a network."""
    return plot_networks(result, ENDS, LABELS)
