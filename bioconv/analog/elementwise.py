"""Elementwise functions and softmax, with the formulas and defaults of Keras 3."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from math import inf
from typing import ClassVar

import jax
import jax.numpy as jnp
from numpy.typing import NDArray

from bioconv.analog import formulas
from bioconv.analog.base import Function
from bioconv.operators import LEAF, Array, register


class Elementwise(Function):
    """A function of one array, elementwise or along an axis, that preserves the shape.

    Attributes
    ----------
    pointwise : bool
        Whether every value depends only on the element at the same position.
    """

    pointwise: ClassVar[bool] = True

    @abstractmethod
    def value(self, x: Array) -> Array:
        """Apply the function to one array."""

    def apply(self, inputs: Sequence[Array]) -> Array:
        (x,) = inputs
        return self.value(x)


# one program each, also where outputs are decoded outside of a compiled function
_softmax = jax.jit(partial(formulas.softmax, jnp), static_argnames="axis")
_sigmoid = jax.jit(partial(formulas.sigmoid, jnp))


@register
@dataclass(frozen=True, eq=False)
class Linear(Elementwise):
    """x."""

    def value(self, x: Array) -> Array:
        return x


@register
@dataclass(frozen=True, eq=False)
class ReLU(Elementwise):
    """x above ``threshold``, ``negative_slope * (x - threshold)`` below, at most ``max_value``."""

    negative_slope: float = 0.0
    max_value: float = inf
    threshold: float = 0.0

    def value(self, x: Array) -> Array:
        below = self.negative_slope * (x - self.threshold) if self.negative_slope else 0.0
        return jnp.minimum(jnp.where(x > self.threshold, x, below), self.max_value)


@register
@dataclass(frozen=True, eq=False)
class PReLU(Elementwise):
    """x where positive, ``alpha * x`` where negative; alpha is broadcastable to one sample."""

    alpha: NDArray = field(metadata=LEAF)

    def value(self, x: Array) -> Array:
        return jnp.where(x > 0, x, self.alpha * x)


@register
@dataclass(frozen=True, eq=False)
class Softmax(Elementwise):
    """exp(x) divided by its sum along ``axis``, counted as in Keras (the batch is axis 0)."""

    axis: int | tuple[int, ...] = -1

    pointwise = False

    def value(self, x: Array) -> Array:
        return _softmax([x], axis=self.axis)


@register
@dataclass(frozen=True, eq=False)
class LogSoftmax(Elementwise):
    """Logarithm of `Softmax`."""

    axis: int = -1

    pointwise = False

    def value(self, x: Array) -> Array:
        return jax.nn.log_softmax(x, axis=self.axis)


@register
@dataclass(frozen=True, eq=False)
class Sigmoid(Elementwise):
    """1 / (1 + exp(-x))."""

    def value(self, x: Array) -> Array:
        return _sigmoid([x])


@register
@dataclass(frozen=True, eq=False)
class LogSigmoid(Elementwise):
    """Logarithm of `Sigmoid`."""

    def value(self, x: Array) -> Array:
        return jax.nn.log_sigmoid(x)


@register
@dataclass(frozen=True, eq=False)
class Tanh(Elementwise):
    """Hyperbolic tangent."""

    def value(self, x: Array) -> Array:
        return jnp.tanh(x)


@register
@dataclass(frozen=True, eq=False)
class CumulativeNormal(Elementwise):
    """Cumulative distribution function of a normal distribution (mueller Eq 5.1).

    Its standard deviation is ``sigma``.  Values lie between 0 and 1, or between -1 and 1 if
    ``symmetric``.  The function is closest to the sigmoid for a sigma of 1.70, and the symmetric
    one is closest to tanh for 0.85.
    """

    sigma: float = 1.0
    symmetric: bool = False

    def value(self, x: Array) -> Array:
        share = jax.scipy.stats.norm.cdf(x / self.sigma)
        return 2 * share - 1 if self.symmetric else share


@register
@dataclass(frozen=True, eq=False)
class HardSigmoid(Elementwise):
    """``slope * x + shift``, clipped to [0, 1].

    The slope is 1/6 in Keras 3; it was 0.2 in Keras 1 and 2.
    """

    slope: float = 1 / 6
    shift: float = 0.5

    def value(self, x: Array) -> Array:
        return jnp.clip(self.slope * x + self.shift, 0, 1)


@register
@dataclass(frozen=True, eq=False)
class HardTanh(Elementwise):
    """x, clipped to [-1, 1]."""

    def value(self, x: Array) -> Array:
        return jnp.clip(x, -1, 1)


@register
@dataclass(frozen=True, eq=False)
class Elu(Elementwise):
    """x where positive, ``alpha * (exp(x) - 1)`` where negative."""

    alpha: float = 1.0

    def value(self, x: Array) -> Array:
        return jax.nn.elu(x, self.alpha)


@register
@dataclass(frozen=True, eq=False)
class Celu(Elementwise):
    """x where positive, ``alpha * (exp(x / alpha) - 1)`` where negative."""

    alpha: float = 1.0

    def value(self, x: Array) -> Array:
        return jax.nn.celu(x, self.alpha)


@register
@dataclass(frozen=True, eq=False)
class Selu(Elementwise):
    """Scaled `Elu` (Klambauer et al. 2017)."""

    def value(self, x: Array) -> Array:
        return jax.nn.selu(x)


@register
@dataclass(frozen=True, eq=False)
class Softplus(Elementwise):
    """log(1 + exp(x))."""

    def value(self, x: Array) -> Array:
        return jax.nn.softplus(x)


@register
@dataclass(frozen=True, eq=False)
class Softsign(Elementwise):
    """x / (1 + |x|)."""

    def value(self, x: Array) -> Array:
        return jax.nn.soft_sign(x)


@register
@dataclass(frozen=True, eq=False)
class Silu(Elementwise):
    """x * sigmoid(x), also called swish."""

    def value(self, x: Array) -> Array:
        return jax.nn.silu(x)


@register
@dataclass(frozen=True, eq=False)
class HardSilu(Elementwise):
    """x * relu6(x + 3) / 6."""

    def value(self, x: Array) -> Array:
        return jax.nn.hard_silu(x)


@register
@dataclass(frozen=True, eq=False)
class Gelu(Elementwise):
    """x times the standard normal distribution function of x, or its tanh approximation."""

    approximate: bool = False

    def value(self, x: Array) -> Array:
        return jax.nn.gelu(x, self.approximate)


@register
@dataclass(frozen=True, eq=False)
class Exponential(Elementwise):
    """exp(x)."""

    def value(self, x: Array) -> Array:
        return jnp.exp(x)


@register
@dataclass(frozen=True, eq=False)
class RectifiedSquare(Elementwise):
    """x² where positive, else 0."""

    def value(self, x: Array) -> Array:
        return jnp.square(jnp.maximum(x, 0))


@register
@dataclass(frozen=True, eq=False)
class Logarithm(Elementwise):
    """Natural logarithm of x, which is at least ``least``."""

    least: float = 1e-30

    def value(self, x: Array) -> Array:
        return jnp.log(jnp.maximum(x, self.least))


@register
@dataclass(frozen=True, eq=False)
class InverseSquareRoot(Elementwise):
    """1 / sqrt(x + epsilon), where x is at least ``least``."""

    epsilon: float = 0.0
    least: float = 1e-30

    def value(self, x: Array) -> Array:
        return jax.lax.rsqrt(jnp.maximum(x, self.least) + self.epsilon)


@register
@dataclass(frozen=True, eq=False)
class Mish(Elementwise):
    """x * tanh(softplus(x))."""

    def value(self, x: Array) -> Array:
        return x * jnp.tanh(jax.nn.softplus(x))


@register
@dataclass(frozen=True, eq=False)
class Squareplus(Elementwise):
    """(x + sqrt(x² + b)) / 2."""

    b: float = 4.0

    def value(self, x: Array) -> Array:
        return jax.nn.squareplus(x, self.b)


@register
@dataclass(frozen=True, eq=False)
class NotEqual(Elementwise):
    """1 where x differs from ``number``, the mask that an embedding passes to recurrent layers."""

    number: float = 0.0

    def value(self, x: Array) -> Array:
        return jnp.asarray(x != self.number).astype(jnp.result_type(x, jnp.float32))


class Rounding(Elementwise):
    """Rounding of the inputs of a quantized layer, which conversion leaves out."""

    pointwise = False


@register
@dataclass(frozen=True, eq=False)
class IntegerRounding(Rounding):
    """Rounding to whole multiples of the largest absolute value along ``axis`` over ``largest``.

    The axis is counted as in Keras (the batch is axis 0).  Keras adds ``epsilon`` to the largest
    value.
    """

    axis: tuple[int, ...] = (-1,)
    largest: int = 127
    epsilon: float = 1e-7

    def value(self, x: Array) -> Array:
        highest = jnp.max(jnp.abs(x), axis=self.axis, keepdims=True)
        scale = self.largest / (highest + self.epsilon)
        return jnp.clip(jnp.round(x * scale), -self.largest, self.largest) / scale


@register
@dataclass(frozen=True, eq=False)
class Float8Rounding(Rounding):
    """Rounding to 8-bit floating-point numbers (e4m3fn) in units of ``scale``."""

    scale: float = 1.0

    def value(self, x: Array) -> Array:
        kind = jnp.float8_e4m3fn
        limit = float(jnp.finfo(kind).max)
        y = jnp.clip(x / self.scale, -limit, limit).astype(kind)
        return y.astype(jnp.result_type(x, jnp.float32)) * self.scale
