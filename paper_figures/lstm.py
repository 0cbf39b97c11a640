"""The LSTM of the population experiments of the thesis and its conversions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from bioconv import models
from bioconv.analog import AnalogGraph
from bioconv.analog.decisions import decision_of
from bioconv.analog.evaluate import evaluate
from bioconv.data.datasets import load, scaled
from bioconv.paper_figures.frame import Context
from bioconv.plots.style import BLUE, RED, finish
from bioconv.reading import read
from bioconv.recurrent import Placement, populate

#: part of the cell -> its name in mueller Table 5.1
PARTS: Mapping[str, str] = MappingProxyType(
    {
        "input": "input gate",
        "output": "output gate",
        "forget": "forget gate",
        "hidden": "hidden state",
        "carry": "carry state",
    }
)


def thesis(n: int) -> Placement:
    """Return the population of the thesis: random thresholds, sigma 1.75 (sigmoid), 0.88 (tanh)."""
    return Placement(n, curve="normal", placement="random", sigma="thesis")


@dataclass(frozen=True)
class Task:
    """A trained LSTM of 25 cells with test data.

    Parameters
    ----------
    graph : AnalogGraph
    x : ndarray, shape (n, ...)
    y : ndarray of int, shape (n,)
    used : str
        Description of network and data.
    """

    graph: AnalogGraph
    x: NDArray
    y: NDArray[np.int64]
    used: str

    def accuracy(self, graph: AnalogGraph | None = None) -> float:
        """Return the accuracy of a conversion or of the analog network."""
        (output,) = evaluate(graph or self.graph, self.x, batch_size=len(self.x)).values()
        return decision_of(self.graph).accuracy(output, self.y)

    def converted(self, placement: Placement | Mapping[str, Placement], seed: int) -> float:
        """Return the accuracy with populations."""
        return self.accuracy(populate(self.graph, placement, seed=seed))


def task(context: Context) -> Task:
    """Return movie reviews as in the thesis, or digits line by line without data or if quick."""
    if context.data is None or context.quick:
        graph = read(models.weights_path("digits_lstm"))
        _, (x, y) = scaled("digits")
        n = context.pick(len(x), 100)
        shaped = x[:n].reshape(n, *graph.inputs[0].shape)
        return Task(graph, shaped, y[:n].reshape(-1), f"digits line by line ({n}), LSTM(25)")
    graph = read(models.weights_path("imdb_lstm"))
    _, (x, y) = load("imdb_2500")
    return Task(graph, x[:1000], y[:1000].reshape(-1), "IMDb (first 1,000 test reviews), LSTM(25)")


def accuracies(
    given: Task,
    placements: Sequence[Placement | Mapping[str, Placement]],
    n_seeds: int,
) -> NDArray[np.float64]:
    """Return the accuracy of every conversion with every seed, shape (n_placements, n_seeds)."""
    return np.array([[given.converted(p, seed) for seed in range(n_seeds)] for p in placements])


def ranges(
    axes: Axes, sizes: Sequence[int], values: NDArray, analog: float, title: str, label: str
) -> None:
    """Plot the spread of the accuracies over the seeds, as in mueller Figs 5.5 and 5.6."""
    places = np.arange(len(sizes))
    axes.boxplot(
        list(100 * values),
        positions=places,
        widths=0.6,
        whis=(0, 100),
        medianprops={"color": RED},
        boxprops={"color": BLUE},
    )
    axes.axhline(100 * analog, color="k", linestyle=":", linewidth=0.9)
    axes.set_xticks(places, [f"{size:,}" for size in sizes])
    finish(axes, title, label, "accuracy (%)")
