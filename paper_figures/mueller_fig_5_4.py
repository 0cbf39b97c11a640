"""mueller Fig 5.4: tanh as a population of neurons whose thresholds differ."""

from __future__ import annotations

from matplotlib.figure import Figure
from numpy.typing import NDArray

from bioconv.analog.functions import Tanh
from bioconv.paper_figures.frame import Context, Result
from bioconv.paper_figures.threshold_curves import curves, errors, figure_of, manifest

#: inputs from minus to plus this
REACH = 4.0
NEURONS = "25 neurons per sign"

MANIFEST = manifest("Fig 5.4", "tanh", 0.88, NEURONS)


def compute(context: Context) -> dict[str, NDArray]:
    """The function and its populations."""
    return curves(Tanh(), -REACH, REACH, context)


def measure(result: Result) -> dict[str, float]:
    """Sigma and errors."""
    return errors(result)


def plot(result: Result, context: Context) -> Figure:
    """The curves of the thesis, and quantile thresholds."""
    return figure_of(result, "tanh", NEURONS)
