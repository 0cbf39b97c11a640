"""mueller Table 5.2: all gates and states of an LSTM as populations."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from bioconv.paper_figures.frame import Claim, Context, Manifest, Result
from bioconv.paper_figures.lstm import accuracies, task, thesis
from bioconv.plots.style import GRAY, finish, panels
from bioconv.recurrent import Placement

#: neurons of each population, one for each sign of a state (5.3.4)
SIZES = {"input": 200, "output": 200, "forget": 1000, "hidden": 2000, "carry": 10_000}
SCALES = {"complete": 1.0, "halved": 0.5, "doubled": 2.0}

#: relative standard error of a ratio of standard deviations, 50 seeds each: 1 / sqrt(2 (n - 1))
#: of either
_RATIO_ERROR = 1 / 49**0.5
#: mean and standard deviation of the accuracy in the table, %
_COMPLETE, _ANALOG = (78.0, 1.35), 89.8

MANIFEST = Manifest(
    paper="mueller",
    number="Table 5.2",
    title="Accuracy of the whole LSTM converted to populations, at half and double size",
    claims=(
        Claim(
            "relative_loss",
            "% of the analog accuracy lost by the complete conversion",
            13.2,
            tolerance=200 * _COMPLETE[1] / _ANALOG,
            source="text; tolerance: two standard deviations of the table's 50 seeds",
        ),
        Claim(
            "doubled_spread",
            "standard deviation with doubled over that with the complete populations",
            0.73 / 1.35,
            tolerance=2 * 2**0.5 * _RATIO_ERROR * 0.73 / 1.35,
            source="table; tolerance: two standard errors, of the paper's 50 seeds and of ours",
        ),
        Claim(
            "quartered_spread",
            "standard deviation with doubled over that with halved populations",
            0.73 / 2.99,
            tolerance=2 * 2**0.5 * _RATIO_ERROR * 0.73 / 2.99,
            source="table; tolerance: two standard errors, of the paper's 50 seeds and of ours",
        ),
        Claim(
            "quantile_loss",
            "points lost with quantile thresholds of the function's own curve",
            0.0,
            tolerance=1.0,
            source="our promise; not in the thesis",
        ),
    ),
    data="IMDb (1,000 reviews of 500 words out of 2,500), LSTM of 25 cells, 50 seeds",
    substitute="without data digits line by line, LSTM of 25 cells",
    minutes=12,
)


def compute(context: Context) -> dict[str, NDArray]:
    """Accuracy for each scale of the sizes and seed, random and with the curve or place mended."""
    given, n = task(context), context.pick(50, 2)
    variants = {
        "random, normal curve": dict(curve="normal", placement="random", sigma="thesis"),
        "random, own curve": {"placement": "random"},
        "quantiles, normal curve": dict(curve="normal", sigma="thesis"),
        "quantiles, own curve": {},
    }
    result: dict[str, NDArray] = {"analog": np.array(given.accuracy())}
    for scale, factor in SCALES.items():
        sizes = {f"*/{part}": int(size * factor) for part, size in SIZES.items()}
        wanted = {place: thesis(size) for place, size in sizes.items()}
        result[scale] = accuracies(given, [wanted], n)[0]
    for index, options in enumerate(variants.values()):
        wanted = {f"*/{part}": Placement(size, **options) for part, size in SIZES.items()}
        few = context.pick(10, 2) if "placement" in options else 1
        result[f"variant_{index}"] = accuracies(given, [wanted], few)[0]
    result["variants"] = np.array(list(variants))
    result["used"] = np.array(f"{given.used}, {n} seeds")
    return result


def measure(result: Result) -> dict[str, float]:
    """Relative loss, spread, and what quantile thresholds of the own curve lose."""
    analog = float(result["analog"])
    exact = result[f"variant_{len(result['variants']) - 1}"]
    return {
        "relative_loss": float(100 * (1 - result["complete"].mean() / analog)),
        "doubled_spread": _ratio(result, "doubled", "complete"),
        "quartered_spread": _ratio(result, "doubled", "halved"),
        "quantile_loss": float(100 * (analog - exact.mean())),
    }


def _ratio(result: Result, of: str, to: str) -> float:
    """Standard deviation at one size over that at another; 1 where the seeds make no difference."""
    upper, lower = float(result[of].std()), float(result[to].std())
    return upper / lower if lower else 1.0


def plot(result: Result, context: Context) -> Figure:
    """Accuracy by size, and by how thresholds are placed."""
    figure, (left, right) = panels(2, width=4.0, height=3.2)
    names = [str(name).replace(", ", ",\n") for name in result["variants"]]
    found = [result[f"variant_{index}"] for index in range(len(names))]
    sizes = [result[scale] for scale in SCALES]
    for axes, labels, values, title in (
        (left, list(SCALES), sizes, "size of the populations"),
        (right, names, found, "thresholds"),
    ):
        means = [100 * v.mean() for v in values]
        axes.bar(np.arange(len(values)), means, width=0.6, color=GRAY, alpha=0.5)
        for place, v in enumerate(values):
            axes.plot(np.full(len(v), place), 100 * v, "k_", markersize=8)
            axes.text(place, 3, f"{100 * v.mean():.1f}\n± {100 * v.std():.1f}", ha="center")
        axes.axhline(100 * float(result["analog"]), color="k", linestyle=":")
        axes.set_xticks(np.arange(len(values)), labels, fontsize=7)
        axes.set_ylim(0, 100)
        finish(axes, "", title, "accuracy (%)")
        axes.tick_params(axis="x", labelsize=7)
    return figure
