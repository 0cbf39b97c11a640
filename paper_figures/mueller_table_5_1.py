"""mueller Table 5.1 and Figs 5.5, 5.6: one gate or state of an LSTM as populations of some size."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from bioconv.paper_figures.frame import Claim, Context, Manifest, Result
from bioconv.paper_figures.lstm import PARTS, accuracies, ranges, task, thesis
from bioconv.plots.style import panels
from bioconv.recurrent import Placement

SIZES = (1, 10, 100, 1000, 10_000)
#: size of the quantile populations that are run for comparison
QUANTILES = 1000

#: relative standard error of a ratio of sums of five standard deviations, 50 seeds each
_RATIO_ERROR = (2 / (2 * 49 * 5)) ** 0.5
#: sums of the table's standard deviations with 10 and with 10,000 neurons
_SPREADS = (39.4, 2.7)

MANIFEST = Manifest(
    paper="mueller",
    number="Table 5.1, Figs 5.5, 5.6",
    title="Accuracy after converting one gate or state to populations, by their size",
    claims=(
        Claim(
            "gates_10000",
            "points lost with 10,000 neurons, the worse of input and output gate",
            0.1,
            tolerance=0.6,
            source="table; tolerance: two standard deviations of its seeds (0.3)",
        ),
        Claim(
            "forget_10000",
            "points lost with 10,000 neurons at the forget gate",
            4.0,
            tolerance=1.0,
            source="table: 89.8 to 85.8 %; tolerance: two standard deviations of its seeds (0.5)",
        ),
        Claim(
            "states_10000",
            "points lost with 2 x 10,000 neurons, the worse of hidden and carry state",
            6.6,
            tolerance=2.0,
            source="table: 89.8 to 83.2 %; tolerance: two standard deviations of its seeds (1.0)",
        ),
        Claim(
            "gates_before_states",
            "points by which the states lose more than the gates at 100 neurons, on average",
            16.1,
            tolerance=3.2,
            source="table; tolerance: two standard errors, of the paper's 50 seeds and of ours",
        ),
        Claim(
            "spread_falls",
            "standard deviation with 10,000 neurons over that with 10, sums of the five",
            _SPREADS[1] / _SPREADS[0],
            tolerance=2 * 2**0.5 * _RATIO_ERROR * _SPREADS[1] / _SPREADS[0],
            source="table; tolerance: two standard errors, of the paper's 50 seeds and of ours",
        ),
    ),
    data="IMDb (1,000 reviews of 500 words out of 2,500), LSTM of 25 cells, 50 seeds",
    substitute="without data digits line by line, LSTM of 25 cells",
    minutes=30,
)


def compute(context: Context) -> dict[str, NDArray]:
    """Accuracy for every part, size and seed; and with quantile thresholds of the exact curve."""
    given, n = task(context), context.pick(50, 2)
    sizes = SIZES[: context.pick(len(SIZES), 3)]
    result: dict[str, NDArray] = {"analog": np.array(given.accuracy())}
    for part in PARTS:
        wanted = [{f"*/{part}": thesis(size)} for size in sizes]
        result[part] = accuracies(given, wanted, n)
        exact = accuracies(given, [{f"*/{part}": Placement(QUANTILES)}], 1)
        result[f"{part}_quantiles"] = exact[0]
    result["used"] = np.array(f"{given.used}, {n} seeds")
    return result


def measure(result: Result) -> dict[str, float]:
    """Points lost at the largest size, order of the parts, and how the spread falls."""
    analog = float(result["analog"])
    loss = {part: 100 * (analog - result[part].mean(axis=1)) for part in PARTS}
    gates, states = ("input", "output", "forget"), ("hidden", "carry")
    few, many = (sum(float(result[p][size].std()) for p in PARTS) for size in (1, -1))
    return {
        "gates_10000": float(max(loss["input"][-1], loss["output"][-1])),
        "forget_10000": float(loss["forget"][-1]),
        "states_10000": float(max(loss[p][-1] for p in states)),
        "gates_before_states": float(
            np.mean([loss[p][2] for p in states]) - np.mean([loss[p][2] for p in gates])
        ),
        "spread_falls": many / few if few else 1.0,
    }


def plot(result: Result, context: Context) -> Figure:
    """A panel for each part: spread over the seeds by population size."""
    figure, axes = panels(6, columns=3, width=3.0, height=2.5)
    analog = float(result["analog"])
    lowest = 100 * min(float(result[part].min()) for part in PARTS)
    for panel, (part, title) in zip(axes, PARTS.items(), strict=False):
        values = result[part]
        both = "neurons of each sign" if part in ("hidden", "carry") else "neurons"
        ranges(panel, SIZES[: len(values)], values, analog, title, both)
        panel.plot(
            [min(SIZES.index(QUANTILES), len(values) - 1)],
            100 * result[f"{part}_quantiles"],
            marker="*",
            color="k",
            markersize=8,
            linestyle="",
        )
        panel.set_ylim(lowest - 3, 100)
    axes[5].set_axis_off()
    axes[5].text(
        0.0,
        0.5,
        "boxes: quartiles, median, extremes\nover the random thresholds\n"
        "dotted: analog network\nstar: quantile thresholds of the\nfunction's own curve",
        fontsize=8,
        va="center",
    )
    return figure
