"""What populations in place of functions cost: agreement and accuracy over drawn thresholds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bioconv.analog import AnalogGraph
from bioconv.analog.samples import Data
from bioconv.codes.population import Placement
from bioconv.conversion import as_graph
from bioconv.ground.errors import DataError, ParameterError
from bioconv.recurrent.places import n_neurons, populate


@dataclass(frozen=True)
class Comparison:
    """A network with populations beside the analog one, over draws of thresholds.

    Parameters
    ----------
    neurons : dict of str to int
        By place; see `bioconv.recurrent.n_neurons`.
    agreement : ndarray, shape (runs,)
        Share of samples with the class of the analog network.
    accuracy : ndarray, shape (runs,)
        Share of samples whose class is the label; empty without labels.
    analog_accuracy : float or None
    """

    neurons: dict[str, int]
    agreement: NDArray[np.float64]
    accuracy: NDArray[np.float64]
    analog_accuracy: float | None

    def rows(self) -> list[dict[str, Any]]:
        """Mean, deviation, lowest and highest in per cent, as Table 5.2 of the thesis has them."""
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
        """Places and their numbers of neurons."""
        return [{"place": place, "neurons": n} for place, n in self.neurons.items()]

    def record(self) -> dict[str, Any]:
        """Everything as plain values."""
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
) -> Comparison:
    """Classes of a network with populations, for several draws of thresholds.

    Parameters
    ----------
    model : keras.Model, str, Path or AnalogGraph
        One output; a single number counts as class 1 above one half.
    x : array, or a sequence or mapping of arrays
    y : array of int, shape (n_samples,), optional
        Labels.
    placement : Placement or mapping of str to Placement
        See `populate`.
    runs : int
        Draws of thresholds, with the seeds ``seed``, ``seed + 1``, ...
    seed : int
    batch_size : int

    Returns
    -------
    Comparison

    Raises
    ------
    ConversionError, ParameterError
        As `populate`; ``runs`` is below 1, or the network has several outputs.
    DataError
        If ``x`` or ``y`` does not fit.
    """
    graph = as_graph(model)
    if not isinstance(runs, int | np.integer) or runs < 1:
        raise ParameterError(f"runs must be a whole number from 1. Received: {runs!r}.")
    if len(graph.outputs) != 1:
        raise ParameterError(f"{graph.name} has {len(graph.outputs)} outputs. Cut it to one.")
    analog = _classes(graph, x, batch_size)
    labels = None if y is None else np.asarray(y).reshape(-1)
    if labels is not None and len(labels) != len(analog):
        raise DataError(f"{len(analog)} samples need as many labels, not {len(labels)}.")
    agreement, accuracy, neurons = [], [], dict[str, int]()
    for number in range(runs):
        populated = populate(graph, placement, seed=seed + number)
        neurons, found = n_neurons(populated), _classes(populated, x, batch_size)
        agreement.append(np.mean(found == analog))
        if labels is not None:
            accuracy.append(np.mean(found == labels))
    right = None if labels is None else float(np.mean(analog == labels))
    return Comparison(neurons, np.array(agreement), np.array(accuracy), right)


def placement_of(
    options: Mapping[str, Any], names: Sequence[str] = ()
) -> Placement | dict[str, Placement]:
    """A placement by its options, as the command line gives them.

    Parameters
    ----------
    options : mapping of str to object
        Arguments of `Placement`.
    names : sequence of str
        Places that it is for; none for all hidden ones.

    Raises
    ------
    ParameterError
        There is no such option, or its value is wrong.
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


def _classes(graph: AnalogGraph, x: Data, batch_size: int) -> NDArray[np.int64]:
    output = np.asarray(graph.predict(x, batch_size=batch_size))
    flat = output.reshape(len(output), -1)
    return flat.argmax(axis=1) if flat.shape[1] > 1 else (flat[:, 0] > 0.5).astype(np.int64)
