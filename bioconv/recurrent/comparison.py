"""Compare networks with populations to analog networks over random draws of thresholds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bioconv.analog import AnalogGraph
from bioconv.analog.decisions import Choice, decisions_of
from bioconv.analog.samples import Data
from bioconv.codes.population import Placement
from bioconv.conversion import as_graph
from bioconv.ground.errors import ParameterError
from bioconv.recurrent.places import n_neurons, populate


@dataclass(frozen=True)
class Comparison:
    """Comparison of a network with populations to the analog one over draws of thresholds.

    Parameters
    ----------
    neurons : dict of str to int
        Number of neurons by place; see `bioconv.recurrent.n_neurons`.
    agreement : ndarray, shape (runs,)
        Fraction of decisions (classes, labels or values) that are the same for both networks.
    accuracy : ndarray, shape (runs,)
        Fraction of decisions that are right; empty without labels.
    analog_accuracy : float or None
        The same for the analog network; None without labels.
    """

    neurons: dict[str, int]
    agreement: NDArray[np.float64]
    accuracy: NDArray[np.float64]
    analog_accuracy: float | None

    def rows(self) -> list[dict[str, Any]]:
        """Return mean, deviation, lowest and highest value in per cent (mueller Table 5.2)."""
        found = {"agreement": self.agreement, "accuracy": self.accuracy}
        if self.analog_accuracy is not None:
            found["analog accuracy"] = np.array([self.analog_accuracy])
        return [
            {
                "measure": name,
                "mean (%)": 100 * float(values.mean()),
                "deviation": 100 * float(values.std()),
                "lowest (%)": 100 * float(values.min()),
                "highest (%)": 100 * float(values.max()),
            }
            for name, values in found.items()
            if len(values)
        ]

    def table(self) -> list[dict[str, Any]]:
        """Return the number of neurons of each place."""
        return [{"place": place, "neurons": n} for place, n in self.neurons.items()]

    def record(self) -> dict[str, Any]:
        """Return all results as plain Python values."""
        return {
            "neurons": self.neurons,
            "agreement": self.agreement.tolist(),
            "accuracy": self.accuracy.tolist(),
            "analog_accuracy": self.analog_accuracy,
        }


def compare(
    model: Any | str | Path | AnalogGraph,
    x: Data,
    y: ArrayLike | None = None,
    *,
    placement: Placement | Mapping[str, Placement],
    runs: int = 1,
    seed: int = 0,
    batch_size: int = 256,
    decision: Choice = None,
) -> Comparison:
    """Compare the decisions of a network with populations to those of the analog network.

    Parameters
    ----------
    model : keras.Model, str, Path or AnalogGraph
        A network with one output.
    x : array, or a sequence or mapping of arrays
    y : array of int, shape (n_samples, ...), optional
        Labels, or values.
    placement : Placement or mapping of str to Placement
        See `populate`.
    runs : int
        Number of draws of thresholds, with the seeds ``seed``, ``seed + 1``, ...
    seed : int
    batch_size : int
    decision : Decision or str, optional
        What the output stands for; see `bioconv.convert`.

    Returns
    -------
    Comparison

    Raises
    ------
    ConversionError, ParameterError
        As for `populate`, or if ``runs`` is below 1 or the network has several outputs.
    DataError
        If ``x`` or ``y`` does not fit.
    """
    graph = as_graph(model)
    if not isinstance(runs, int | np.integer) or runs < 1:
        raise ParameterError(f"runs must be an integer of at least 1. Received: {runs!r}.")
    if len(graph.outputs) != 1:
        raise ParameterError(f"{graph.name} has {len(graph.outputs)} outputs. Reduce it to one.")
    (decided,) = decisions_of(graph, decision).values()
    outputs = _outputs(graph, x, batch_size)
    analog = decided.of(outputs)
    labels = None if y is None else decided.labels(y, outputs.shape[1:], len(outputs))
    agreement, accuracy, neurons = [], [], dict[str, int]()
    for number in range(runs):
        populated = populate(graph, placement, seed=seed + number)
        neurons, found = n_neurons(populated), decided.of(_outputs(populated, x, batch_size))
        agreement.append(decided.share(found, analog))
        if labels is not None:
            accuracy.append(decided.share(found, labels))
    right = None if labels is None else decided.share(analog, labels)
    return Comparison(neurons, np.array(agreement), np.array(accuracy), right)


def placement_of(
    options: Mapping[str, Any], names: Sequence[str] = ()
) -> Placement | dict[str, Placement]:
    """Make a placement from its options, as they come from the command line.

    Parameters
    ----------
    options : mapping of str to object
        Arguments of `Placement`.
    names : sequence of str
        Names of the places to convert; all hidden ones by default.

    Raises
    ------
    ParameterError
        If an option does not exist, or if its value is invalid.
    """
    valid = [entry.name for entry in fields(Placement)]
    unknown = [name for name in options if name not in valid]
    if unknown:
        raise ParameterError(
            f"a population has no option {', '.join(map(repr, unknown))}. "
            f"Valid: {', '.join(valid)}."
        )
    placement = Placement(**options)
    return dict.fromkeys(names, placement) if names else placement


def _outputs(graph: AnalogGraph, x: Data, batch_size: int) -> NDArray:
    return np.asarray(graph.predict(x, batch_size=batch_size))
