"""Any metric of outputs and labels: a function, a metric of Keras, or its name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bioconv.analog import evaluate
from bioconv.analog.samples import Data
from bioconv.detection import MeanAveragePrecision
from bioconv.ground.errors import DataError, ParameterError
from bioconv.ground.keras_engine import import_keras
from bioconv.ground.tables import words
from bioconv.network import SpikingNetwork
from bioconv.network.recording import Recording

#: outputs of a network: one array, or arrays by name of several outputs
Outputs = NDArray | Mapping[str, NDArray]
#: of labels and outputs, in this order as in Keras and scikit-learn; or a name in `keras.metrics`
Metric: TypeAlias = "Callable[[Any, Any], Any] | str"

#: name of mean average precision, which Keras does not have
MEAN_AVERAGE_PRECISION = "map"


def metric_of(metric: Metric) -> Callable[[Any, Outputs], float]:
    """Return a function of labels and outputs that returns one number.

    Parameters
    ----------
    metric : function, `keras.metrics.Metric` or str
        See `bioconv.estimate`.

    Raises
    ------
    ParameterError
        If it cannot be called, or if Keras has no metric of that name.
    """
    found = resolved(metric)

    def measured(y: ArrayLike, outputs: Outputs) -> float:
        if hasattr(found, "reset_state"):  # a metric of Keras adds up what it is given
            found.reset_state()
        return _number(found(y, outputs), found)

    return measured


def resolved(metric: Metric) -> Any:
    """Return what a name stands for, or the metric itself, after validation as in `metric_of`."""
    found: Any = _named(metric) if isinstance(metric, str) else metric
    if not callable(found):
        raise ParameterError(
            "metric must be a function of labels and outputs, a metric of Keras, or its name. "
            f"Received: {metric!r}."
        )
    return found


def name_of(metric: Metric) -> str:
    """Return the name of a metric in words."""
    found = resolved(metric)
    name = getattr(found, "name", None) or getattr(found, "__name__", type(found).__name__)
    return words(str(name))


def named_outputs(outputs: Mapping[str, NDArray], names: Sequence[str]) -> Outputs:
    """Return a single output as an array, and several by their names in the model."""
    values = list(outputs.values())
    return values[0] if len(names) == 1 else dict(zip(names, values, strict=True))


def analog_metric(network: SpikingNetwork, x: Data, y: Any, metric: Metric) -> float:
    """Return a metric of the outputs of the analog network for samples."""
    found = evaluate(network.analog, x, names=network.analog.outputs)
    return metric_of(metric)(y, named_outputs(found, network.analog.outputs))


def metric_over_time(
    network: SpikingNetwork, recording: Recording, y: Any, metric: Metric
) -> NDArray[np.float64]:
    """Return a metric of the outputs of a spiking network at each of its checkpoints.

    Parameters
    ----------
    network : SpikingNetwork
    recording : Recording
        A recording of this network, whose outputs count as values: ``with_decision("value")``.  Its
        number of checkpoints is set by ``bioconv.simulate(..., checkpoints=...)``.
    y : array_like
        What the metric compares with.
    metric : function, `keras.metrics.Metric` or str
        See `bioconv.estimate`.

    Returns
    -------
    ndarray, shape (n_checkpoints,)
        NaN as long as no sample has an output.

    Raises
    ------
    ParameterError
        If the metric cannot be computed, or if the outputs over time were not kept.
    DataError
        If there is not one entry of ``y`` for each sample.
    """
    measured = metric_of(metric)
    values = outputs_over_time(recording)
    if np.shape(y)[:1] != (recording.n_images,):
        raise DataError(
            f"expected {recording.n_images} entries of y, one for each sample. Received: an array "
            f"of shape {np.shape(y)}."
        )
    names = network.analog.outputs
    some = np.any([recording.answered(name) > 0 for name in values], axis=0)
    return np.array(
        [
            measured(y, named_outputs({n: v[:, k] for n, v in values.items()}, names))
            if some[k]
            else np.nan
            for k in range(len(recording.checkpoints))
        ]
    )


def outputs_over_time(recording: Recording) -> dict[str, NDArray[np.float64]]:
    """Return the outputs at all checkpoints by readout, shape (n_images, n_checkpoints, *shape).

    Raises
    ------
    ParameterError
        If an output does not stand for values, which alone are kept.
    """
    missing = [name for name in recording.classes if name not in recording.values]
    if missing:
        raise ParameterError(
            f"a metric over time requires the values of all outputs, but {', '.join(missing)} "
            'stands for classes. Simulate network.with_decision("value").'
        )
    # values have no axes of length 1
    return {
        name: kept.reshape(*kept.shape[:2], *recording.outputs[name].shape[1:])
        for name, kept in recording.values.items()
    }


def _named(name: str) -> Any:
    if name == MEAN_AVERAGE_PRECISION:
        return MeanAveragePrecision()
    try:
        return import_keras().metrics.get(name)
    except ValueError:
        raise ParameterError(
            f"metric: Keras has no metric {name!r}. Use a name in keras.metrics such as "
            f"'mean_absolute_error', {MEAN_AVERAGE_PRECISION!r} for the mean average precision of "
            "a detector, or a function of labels and outputs."
        ) from None


def _number(value: Any, metric: Any) -> float:
    """Return the mean of the values of a metric, as some return one for each sample."""
    try:
        values = np.asarray(value, np.float64)
    except (TypeError, ValueError):
        values = np.zeros(0)
    if not values.size:
        raise ParameterError(
            f"metric: {getattr(metric, '__name__', metric)!r} must return a number, or one for "
            f"each sample. Received: {value!r}."
        )
    return float(values.mean())
