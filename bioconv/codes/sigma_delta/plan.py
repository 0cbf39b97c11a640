"""Shared state and helper functions of the populations of the sigma-delta code.

Potentials are in units of levels: 1 mV is the threshold of the layer.  A population has the shape
(2, *layer shape), with the ON cells first and then the OFF cells, which receive the same input.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bioconv.analog.graph import Affine, Layer, Term
from bioconv.codes.common.affine import same
from bioconv.codes.common.assembly import Parts
from bioconv.codes.common.rewritten import Carried
from bioconv.codes.sigma_delta.code import SigmaDeltaCode
from bioconv.codes.sigma_delta.levels import Levels
from bioconv.network import Shape, Value
from bioconv.operators import Operator, Polarity, compose, scaled

Floats = NDArray[np.float64]

#: potentials are integer multiples of 2^-34 mV: sums are exact in float64 in any order
GRID = 2.0**-34


@dataclass(frozen=True)
class PixelEncoder:
    """The pixels of an input: their largest magnitude, and whether some are negative."""

    largest: float
    signed: bool

    def shape(self, shape: Shape) -> Shape:
        """Name of the population of encoder neurons."""
        return (2, *shape) if self.signed else shape


@dataclass
class SigmaDeltaPlan(Parts):
    """State of the construction: decisions made beforehand, and the parts built so far.

    ``last`` is the number of steps of the ramp after the first one.
    """

    code: SigmaDeltaCode
    layers: Sequence[Layer]
    dt: float
    n_steps: int
    last: int
    names: Mapping[str, str]
    levels: Levels
    depths: Mapping[str, int]
    carried: Mapping[str, Carried]
    encoders: Mapping[str, PixelEncoder]

    @property
    def averages(self) -> dict[str, Affine]:
        """The average activation of each layer that its spikes do not represent, as a bias."""
        shapes = {layer.name: layer.shape for layer in self.layers}
        return {
            name: replace(same(name, shapes[name]), bias=full_rank(offset, shapes[name]))
            for name, offset in self.levels.offset.items()
            if np.any(offset)
        }

    def times(self, layer: Layer) -> dict[str, Value]:
        """Return the times at which timed spikes take effect: the middle of the step of arrival.

        The first spikes are emitted in the second step; paths to deeper layers are longer.
        """
        first = (1.5 + self.depths[layer.name]) * self.dt
        return {"t_ramp": self.code.input_steps * self.dt, "t_first": first}


def decoded(plan: SigmaDeltaPlan, layer: Layer) -> dict[str, Any]:
    """Return the values of the spikes of a layer: ON spikes count up, OFF spikes down."""
    carried = plan.carried.get(layer.name, Carried("", np.ones(()), np.zeros(())))
    on = np.array([1.0, 0.0]).reshape(2, *(1,) * len(layer.shape))
    share = min(plan.code.threshold, 1.0)  # approximately in units of the scale of the layer
    return {
        "layer": carried.layer,
        "scale": polarity(layer.shape) * plan.levels.worth[layer.name] * carried.factor / share,
        "offset": on * (carried.offset + plan.levels.offset[layer.name] * carried.factor),
        "spike_values": np.full(plan.n_steps, share),
    }


def synapses(plan: SigmaDeltaPlan, term: Term) -> tuple[str, Operator, str, float]:
    """Return sending population, operator in activation per spike, receptor and weight grid."""
    if term.source in plan.levels.of:
        sign = Polarity((2, *term.operator.in_shape))
        weighed = scaled(term.operator, pre=plan.levels.worth[term.source])
        return plan.names[term.source], compose(sign, weighed), "syn", GRID
    encoder = plan.encoders[term.source]
    operator = scaled(term.operator, pre=np.full((), encoder.largest))
    if encoder.signed:
        operator = compose(Polarity(encoder.shape(term.operator.in_shape)), operator)
    name = f"{plan.names[term.source]}_delay"
    if plan.code.input == "binary":
        return name, operator, "syn", GRID
    return name, operator, "timed", GRID * 2 * plan.code.input_steps


def polarity(shape: Shape) -> Floats:
    """Return 1 for the ON cells and -1 for the OFF cells."""
    return np.array([1.0, -1.0]).reshape(2, *(1,) * len(shape))


def full_rank(values: Floats, shape: Shape) -> Floats:
    """Return the array with as many axes as ``shape``."""
    return np.reshape(values, (1,) * (len(shape) - np.ndim(values)) + np.shape(values))


def one_value(values: Floats) -> Value:
    """Return a single number if the array has one element, otherwise the array."""
    return float(values.ravel()[0]) if values.size == 1 else values
