"""A neuron: a model with the values of its parameters."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from html import escape
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bioconv.ground.errors import ParameterError
from bioconv.ground.suggestions import did_you_mean
from bioconv.ground.tables import html_table
from bioconv.neurons.language.model import NeuronModel

Value = float | NDArray[np.float64]

_UNIT_COLUMN = re.compile(r" && \\text\{\((?:unit of [^\n]*)?\)\}(?=\\\\|\\end)")


@runtime_checkable
class Distribution(Protocol):
    """Frozen distribution of ``scipy.stats``, for values that differ from neuron to neuron."""

    def rvs(self, size: Any = None, random_state: Any = None) -> Any:
        """Draw values of shape ``size`` with the NumPy generator ``random_state``."""

    def mean(self) -> Any:
        """Return the mean."""


@dataclass(frozen=True)
class Neuron:
    """A neuron model with parameter values that differ from its defaults.

    Parameters
    ----------
    model : NeuronModel
    parameters : mapping of str to float or ndarray
        Values in the units of the model.  If a frozen distribution of ``scipy.stats`` is given
        in place of a number, it is moved to ``distributions`` and replaced by its mean here.
    distributions : mapping of str to Distribution
        Parameters that differ from neuron to neuron; drawn for each population of a network.

    Raises
    ------
    ParameterError
        If names are unknown, or values out of bounds or not finite; the message lists all.

    Examples
    --------
    >>> from scipy.stats import norm
    >>> from bioconv.neurons import LeakyIntegrateAndFire
    >>> neuron = LeakyIntegrateAndFire(v_th=norm(-50.0, 0.5))
    >>> neuron.value("v_th"), neuron.drawn((2, 3), np.random.default_rng(0))["v_th"].shape
    (-50.0, (2, 3))
    """

    model: NeuronModel
    parameters: Mapping[str, Value] = field(default_factory=dict)
    distributions: Mapping[str, Distribution] = field(default_factory=dict)

    def __post_init__(self) -> None:
        spread: dict[str, Distribution] = dict(self.distributions)
        for name, value in self.parameters.items():
            if isinstance(value, Distribution):
                spread[name] = value
        means = {name: float(entry.mean()) for name, entry in spread.items()}
        given = check_parameters(self.model, {**self.parameters, **means})
        object.__setattr__(self, "parameters", given)
        object.__setattr__(self, "distributions", spread)

    def __repr__(self) -> str:
        given = {**self.parameters, **{name: "distributed" for name in self.distributions}}
        values = [f"{name}={_shown(value)}" for name, value in given.items()]
        return f"<Neuron {', '.join([self.model.name, *values])}>"

    def _repr_html_(self) -> str:
        rows = [
            {
                "parameter": p.name,
                "value": _shown(self.value(p.name)),
                "unit": p.unit,
                "meaning": p.meaning,
            }
            for p in self.model.parameters
        ]
        return f"{html_table(repr(self), rows)}<div class='math'>{escape(self.latex())}</div>"

    def latex(self) -> str:
        """Return the equations as LaTeX, an environment ``align*``, as Brian2 writes them.

        The column of units is left out: Brian2 writes base units, and rad where there is no unit.
        """
        from bioconv.neurons.language.discrete import import_brian2

        import_brian2()
        from brian2 import Equations

        return _UNIT_COLUMN.sub("", Equations(self.model.equations)._repr_latex_())

    def citation(self) -> str:
        """Return the publications of the model in BibTeX."""
        return self.model.citation()

    def value(self, name: str) -> Value:
        """Return the value of a parameter, given or default."""
        default = self.model.parameter(name).default
        return self.parameters.get(name, default)

    def with_values(self, **values: Value) -> Neuron:
        """Return the neuron with other values of some parameters, which also replace distributions.

        Raises
        ------
        ParameterError
            If names are unknown, or values out of bounds or not finite; the message lists all.
        """
        # Otherwise the mean of the remaining distribution would replace the value.
        spread = {name: d for name, d in self.distributions.items() if name not in values}
        return replace(self, parameters={**self.parameters, **values}, distributions=spread)

    def drawn(
        self, shape: tuple[int, ...], generator: np.random.Generator
    ) -> dict[str, NDArray[np.float64]]:
        """Draw the values of distributed parameters for each neuron, clipped to their bounds.

        Parameters
        ----------
        shape : tuple of int
            Shape of the population.
        generator : numpy Generator
        """
        values = {}
        for name, entry in self.distributions.items():
            low, high = self.model.parameter(name).bounds
            raw = np.asarray(entry.rvs(size=shape, random_state=generator), np.float64)
            values[name] = np.clip(raw, low, high)
        return values


def _shown(value: Any) -> str:
    """Return a value for people: the shape of an array instead of its numbers."""
    if isinstance(value, str):
        return value
    array = np.asarray(value)
    return f"array of shape {array.shape}" if array.ndim else f"{float(array):g}"


def check_parameters(model: NeuronModel, given: Mapping[str, ArrayLike]) -> dict[str, Value]:
    """Return the given values as floats or float64 arrays.

    Raises
    ------
    ParameterError
        If names are unknown, or values out of bounds or not finite; the message lists all.
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
            problems.append(f"{name} must be finite and numeric, received {raw!r}")
        elif np.any(array < low) or np.any(array > high):
            problems.append(f"{name} must lie in [{low}, {high}] {known[name].unit}")
        else:
            values[name] = float(array) if array.ndim == 0 else array
    if problems:
        table = ", ".join(f"{p.name} ({p.unit})" for p in model.parameters)
        unknown = [name for name in given if name not in known]
        raise ParameterError(
            f"{model.name}: {'; '.join(problems)}. Valid parameters: {table}."
            + "".join(did_you_mean(name, known) for name in unknown[:1])
        )
    return values


def _numbers(raw: ArrayLike) -> NDArray[np.float64] | None:
    array = np.asarray(raw)
    return array.astype(np.float64) if array.dtype.kind in "iufb" else None
