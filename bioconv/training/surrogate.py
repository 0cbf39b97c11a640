"""Surrogate derivatives of the threshold of a neuron."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any

import jax
import jax.numpy as jnp

from bioconv.ground.options import check, choice, number
from bioconv.neurons.language.evaluation import Array, Comparison

#: name -> derivative as a function of the distance from the threshold in units of the width; each
#: is 1 at the threshold
SHAPES: MappingProxyType[str, Callable[[Array], Array]] = MappingProxyType(
    {
        "fast_sigmoid": lambda x: 1 / (1 + jnp.abs(x)) ** 2,
        "triangle": lambda x: jnp.maximum(1 - jnp.abs(x), 0),
        "arctan": lambda x: 1 / (1 + x**2),
        "gaussian": lambda x: jnp.exp(-(x**2) / 2),
    }
)
_HOLDS: MappingProxyType[str, Callable[[Array, Array], Array]] = MappingProxyType(
    {
        ">": lambda a, b: a > b,
        ">=": lambda a, b: a >= b,
        "<": lambda a, b: a < b,
        "<=": lambda a, b: a <= b,
        "==": lambda a, b: a == b,
        "!=": lambda a, b: a != b,
    }
)
#: direction in which a comparison changes when its left side rises
_SIGNS = MappingProxyType({">": 1.0, ">=": 1.0, "<": -1.0, "<=": -1.0, "==": 0.0, "!=": 0.0})


@dataclass(frozen=True)
class Surrogate:
    """Derivative of a spike with respect to the distance of a neuron from its threshold.

    A spike is a step function, whose derivative is zero or infinite.  For gradient descent it is
    replaced by that of a smooth function, while the spikes themselves remain exact (Neftci, Mostafa
    and Zenke 2019).  With the distance d from the threshold, the derivative is
    ``height * shape(d / w) / w``, where the width w is ``width`` times the distance from the start
    value to the threshold.

    Parameters
    ----------
    shape : {"fast_sigmoid", "triangle", "arctan", "gaussian"}
        ``1 / (1 + |x|)**2`` (Zenke and Ganguli 2018), ``max(1 - |x|, 0)``, ``1 / (1 + x**2)``, or
        ``exp(-x**2 / 2)``.
    width : float
    height : float
        With 0, it is chosen such that the derivative of a spike count has about the size of the
        slope of the f-I curve, however many steps there are between two spikes: the spikes per step
        at the rate that represents the scale of a layer.  For a neuron whose state passes through
        its spikes, every input advances all later spikes of a sample, and the height is divided by
        half their number.

    Raises
    ------
    ParameterError
        If options are invalid; the message lists all of them.
    """

    shape: str = choice("fast_sigmoid", tuple(SHAPES))
    width: float = number(1.0, 0.0, above=True)
    height: float = number(0.0, 0.0)

    references = ("neftci2019", "zenke2018")

    def __post_init__(self) -> None:
        check(self)

    def at(self, distance: float, height: float = 1.0) -> Comparison:
        """Return comparisons with this derivative.

        Parameters
        ----------
        distance : float
            Distance from the start value to the threshold, in the unit of the threshold condition.
        height : float
            The height, unless the option sets it.
        """
        return SurrogateComparison(self.shape, self.width * distance, self.height or height)


@dataclass(frozen=True)
class SurrogateComparison:
    """A comparison whose result is a number, 1 or 0, with a surrogate derivative.

    Parameters
    ----------
    shape : str
        A key of `SHAPES`.
    width, height : float
        In the unit of the compared quantities, and a number.
    """

    shape: str
    width: float
    height: float

    def __call__(self, sign: str, left: Array, right: Array) -> Array:
        """Return whether ``left sign right`` holds."""
        dtype = jnp.result_type(left, right, jnp.float32)
        return _compare(jnp.asarray(left, dtype), jnp.asarray(right, dtype), sign, self)

    def derivative(self, distance: Array) -> Array:
        """Return the derivative of ``left > right`` with respect to ``left - right``."""
        return self.height / self.width * SHAPES[self.shape](distance / self.width)


@partial(jax.custom_jvp, nondiff_argnums=(2, 3))
def _compare(left: Array, right: Array, sign: str, surrogate: SurrogateComparison) -> Array:
    return _HOLDS[sign](left, right).astype(left.dtype)


@_compare.defjvp
def _derivative(
    sign: str, surrogate: SurrogateComparison, primals: tuple[Any, Any], tangents: tuple[Any, Any]
) -> tuple[Array, Array]:
    (left, right), (d_left, d_right) = primals, tangents
    slope = _SIGNS[sign] * surrogate.derivative(left - right)
    return _compare(left, right, sign, surrogate), slope * (d_left - d_right)
