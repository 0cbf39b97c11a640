"""A neuron: a model with the values of its parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bioconv.errors import ParameterError
from bioconv.neurons.model import NeuronModel

Value = float | NDArray[np.float64]


@dataclass(frozen=True)
class Neuron:
    """A neuron model with the parameter values that differ from its defaults.

    Parameters
    ----------
    model : NeuronModel
    parameters : mapping of str to float or ndarray
        In the model's units.

    Raises
    ------
    ParameterError
        Unknown names and values out of bounds or not finite; all are listed.
    """

    model: NeuronModel
    parameters: Mapping[str, Value] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "parameters", check_parameters(self.model, self.parameters))

    def value(self, name: str) -> Value:
        """Value of a parameter, given or default."""
        default = self.model.parameter(name).default
        return self.parameters.get(name, default)


def check_parameters(model: NeuronModel, given: Mapping[str, ArrayLike]) -> dict[str, Value]:
    """The given values as floats or float64 arrays.

    Raises
    ------
    ParameterError
        Unknown names and values out of bounds or not finite; all are listed.
    """
    known = {parameter.name: parameter for parameter in model.parameters}
    values: dict[str, Value] = {}
    problems = []
    for name, raw in given.items():
        if name not in known:
            problems.append(f"there is no parameter {name!r}")
            continue
        low, high = known[name].bounds
        array = _numbers(raw)
        if array is None or not np.all(np.isfinite(array)):
            problems.append(f"{name} must be finite numbers, received {raw!r}")
        elif np.any(array < low) or np.any(array > high):
            problems.append(f"{name} must lie in [{low}, {high}] {known[name].unit}")
        else:
            values[name] = float(array) if array.ndim == 0 else array
    if problems:
        table = ", ".join(f"{p.name} ({p.unit})" for p in model.parameters)
        raise ParameterError(f"{model.name}: {'; '.join(problems)}. Valid parameters: {table}.")
    return values


def _numbers(raw: ArrayLike) -> NDArray[np.float64] | None:
    array = np.asarray(raw)
    return array.astype(np.float64) if array.dtype.kind in "iufb" else None
