"""mueller Table 4.2: accuracy of the analog network and of both conversions, by depth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from bioconv.paper_figures.frame import Claim, Context, Manifest, Result
from bioconv.paper_figures.latency import curves_of_networks, network_of, settled
from bioconv.paper_figures.residual import BASIC, N_STEPS, NETWORKS, extended
from bioconv.plots.style import finish, legend_above, panels

CODES = {"basic": BASIC, "extended": extended()}
#: per cent, ResNet18, 34, 50, 101
THESIS = {
    "analog": (94.19, 94.67, 95.11, 94.92),
    "basic": (94.13, 94.41, 94.59, 93.45),
    "extended": (94.22, 94.61, 95.12, 94.95),
}
LABELS = {"analog": "analog", "basic": "basic", "extended": "extended"}

MANIFEST = Manifest(
    paper="mueller",
    number="Table 4.2",
    title="Accuracy of residual networks, analog and after 1,000 steps of both conversions",
    claims=(
        Claim(
            "extended_loss",
            "points lost by the extended conversion, largest of the networks (-0.03 to 0.06)",
            0.06,
            tolerance=0.24,
            kind="at most",
            source="table; tolerance: the bar of the project, 0.3 points",
        ),
        Claim(
            "basic_deepest",
            "points lost by the basic conversion of the deepest network (ResNet101: 1.47)",
            1.47,
            tolerance=1.0,
            source="table; tolerance: one image of 100",
        ),
        Claim(
            "basic_grows",
            "points lost by the basic conversion, deepest more than shallowest (1.47 - 0.06)",
            1.41,
            tolerance=1.0,
            source="table; tolerance: one image of 100",
        ),
    ),
    data="CIFAR-10, ResNet18 to ResNet101",
    substitute="published ResNet-20, -32, -44 and -56 (CIFAR-10); without data a digits network",
    minutes=30,
)


def compute(context: Context) -> dict[str, NDArray]:
    """Accuracy over 1,000 steps for both conversions of four networks."""
    n_images, n_steps = context.pick_images(100, 60), context.pick(*N_STEPS)
    return curves_of_networks(NETWORKS, CODES, n_images, n_steps, context)


def measure(result: Result) -> dict[str, float]:
    """Return the losses in points."""
    found = [network_of(result, name) for name in NETWORKS]
    loss = {key: [100 * (float(r["analog"]) - settled(r[key])) for r in found] for key in CODES}
    return {
        "extended_loss": max(loss["extended"]),
        "basic_deepest": loss["basic"][-1],
        "basic_grows": loss["basic"][-1] - loss["basic"][0],
    }


def plot(result: Result, context: Context) -> Figure:
    """Plot the accuracies, ours beside those of the thesis."""
    figure, (ours, thesis) = panels(2, columns=2, width=3.6, height=3.4)
    found = [network_of(result, name) for name in NETWORKS]
    values = {
        "analog": [100 * float(r["analog"]) for r in found],
        **{key: [100 * settled(r[key]) for r in found] for key in CODES},
    }
    _bars(ours, values, [str(r["label"]) for r in found], "here")
    _bars(thesis, THESIS, ["ResNet18", "ResNet34", "ResNet50", "ResNet101"], "thesis")
    legend_above(figure, ours)
    return figure


def _bars(
    axes: Axes, values: Mapping[str, Sequence[float]], names: Sequence[str], title: str
) -> None:
    """Draw the rows of one table as bars."""
    place, width = np.arange(len(names)), 0.25
    for number, (key, label) in enumerate(LABELS.items()):
        axes.bar(place + (number - 1) * width, values[key], width, label=label)
    axes.set_xticks(place, names, fontsize=7)
    lowest, highest = (end(end(row) for row in values.values()) for end in (min, max))
    axes.set_ylim(np.floor(lowest) - 1, min(np.ceil(highest) + 1, 100))
    finish(axes, title, "", "accuracy (%)")
