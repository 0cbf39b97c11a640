"""Any metric of outputs and labels: a function, a metric of Keras, or its name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bioconv.ground.errors import ParameterError
from bioconv.ground.keras_engine import import_keras

#: outputs of a network: one array, or arrays by name of several outputs
Outputs = NDArray | Mapping[str, NDArray]
#: of labels and outputs, in this order as in Keras and scikit-learn; or a name in `keras.metrics`
Metric: TypeAlias = "Callable[[Any, Any], Any] | str"


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
    found: Any = _named(metric) if isinstance(metric, str) else metric
    if not callable(found):
        raise ParameterError(
            "metric must be a function of labels and outputs, a metric of Keras, or its name. "
            f"Received: {metric!r}."
        )

    def measured(y: ArrayLike, outputs: Outputs) -> float:
        if hasattr(found, "reset_state"):  # a metric of Keras adds up what it is given
            found.reset_state()
        return _number(found(y, outputs), found)

    return measured


def _named(name: str) -> Any:
    try:
        return import_keras().metrics.get(name)
    except ValueError:
        raise ParameterError(
            f"metric: Keras has no metric {name!r}. Use a name in keras.metrics such as "
            "'mean_absolute_error', or a function of labels and outputs."
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
