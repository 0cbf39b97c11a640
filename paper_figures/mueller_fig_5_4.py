"""mueller Fig 5.4: tanh as a population of neurons whose thresholds differ."""

from __future__ import annotations

from matplotlib.figure import Figure
from numpy.typing import NDArray

from bioconv.analog.functions import Tanh
from paper_figures.frame import Claim, Context, Manifest, Result
from paper_figures.threshold_curves import MISSES, N, curves, errors, figure_of

#: inputs from minus to plus this
REACH = 4.0

MANIFEST = Manifest(
    paper="mueller",
    number="Fig 5.4",
    title="tanh as a population of 25 neurons a sign with normally distributed thresholds",
    claims=(
        Claim(
            "sigma",
            "standard deviation of the thresholds with the least squared error",
            0.88,
            tolerance=0.06,
            source="text",
        ),
        Claim(
            "within_bound",
            "share of seeds with a largest error of at most 0.01 + 1.36 / sqrt(25) of the range",
            0.95,
            kind="at least",
            source="Kolmogorov's bound; the thesis says 'reasonable approximation'",
        ),
        Claim(
            "quantile_error",
            "largest error with thresholds at quantiles of the normal curve, share of the range",
            MISSES + 1 / N,
            kind="at most",
            source="a step of 1 / 25, and what the normal curve misses",
        ),
    ),
    data="one population",
    minutes=0.2,
)


def compute(context: Context) -> dict[str, NDArray]:
    """The function and its populations."""
    return curves(Tanh(), -REACH, REACH, context)


def measure(result: Result) -> dict[str, float]:
    """Sigma and errors."""
    return errors(result)


def plot(result: Result, context: Context) -> Figure:
    """The curves of the thesis, and quantile thresholds."""
    return figure_of(result, "tanh")
