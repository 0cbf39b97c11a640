"""The neurons and synapses of one layer, from its weights, slopes, biases and window.

Conversion and training build layers with the functions of this module, so that a trained network
consists of the same parts as a converted one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from math import inf, lcm

import numpy as np
from numpy.typing import NDArray

from bioconv.codes.common.affine import apply64
from bioconv.codes.common.membrane import denominator, off_grid, on_grid, rounded
from bioconv.codes.first_spike_exact.code import FirstSpikeExactCode
from bioconv.codes.first_spike_exact.decaying import (
    Decay,
    DecayingIntegrator,
    FirstSpikeDecaying,
)
from bioconv.codes.first_spike_exact.neurons import FirstSpikeExact, FirstSpikeIntegrator
from bioconv.codes.first_spike_exact.schedule import Schedule, Window
from bioconv.network import Projection, Value
from bioconv.neurons import Neuron
from bioconv.operators import Operator, Shape, compact

Floats = NDArray[np.float64]

#: weights are integer multiples of this share of a population's largest slope: fine enough for
#: float32, coarse enough for sums in any order and any unit to stay on the same side of a threshold
GRID = 2.0**-34


@dataclass(frozen=True, eq=False)
class SlopeSource:
    """Input of a layer from one population.

    Parameters
    ----------
    population : str
    operator : Operator
        Change of the slope that a spike causes, in pA.
    delay : int
        Steps.
    """

    population: str
    operator: Operator
    delay: int


def connect(
    name: str, shape: Shape, sources: Sequence[SlopeSource]
) -> tuple[float, tuple[Projection, ...]]:
    """Return the grid of the weights of a population in pA, and the synapses with rounded weights.

    Parameters
    ----------
    name : str
        The population.
    shape : tuple of int
    sources : sequence of SlopeSource
    """
    size = np.ones(shape)
    for source in sources:
        absolute = source.operator.map_weights(np.abs)
        size += apply64(absolute, np.ones((1, *absolute.in_shape)))
    grid = GRID * 2.0 ** np.ceil(np.log2(size.max()))
    projections = tuple(
        Projection(s.population, name, on_grid(s.operator, grid), "syn", s.delay) for s in sources
    )
    return grid, projections


def rectifier(
    code: FirstSpikeExactCode,
    schedule: Schedule,
    window: Window,
    *,
    shape: Shape,
    synapses: Sequence[Projection],
    grid: float,
    slope: Floats,
    bias: Floats,
    limit: Floats | float = inf,
    decay: Decay | None = None,
) -> Neuron:
    """Return the neurons of a layer whose first spikes represent ``relu(w x + bias)``.

    Parameters
    ----------
    code : FirstSpikeExactCode
    schedule : Schedule
    window : Window
        Window of the layer.
    shape : tuple of int
    synapses : sequence of Projection
        With weights on the grid.
    grid : float
        pA.
    slope : ndarray broadcastable to ``shape``
        Slope of the potential in the window in pA: J / w of Eqs 2.3 and 2.6, B of Eq 3.4.
    bias : ndarray broadcastable to ``shape``
        In units of activation.
    limit : float or ndarray broadcastable to ``shape``
        Upper limit of the rectification, in units of activation.
    decay : Decay, optional
        Time constants in ms of double-exponential responses.
    """
    dt, unit = schedule.dt, schedule.unit
    total = np.zeros(shape)
    for projection in synapses:
        total += apply64(projection.operator, np.ones((1, *projection.operator.in_shape)))
    # Missing part of the slope once all input has arrived: alpha and the padding cells.
    missing = rounded(np.broadcast_to(slope, shape) - total, grid)
    slope = missing + total
    ramp = missing if code.slope == "identical" else np.ones(())
    if code.ramp == "own":
        ramp = np.zeros(())
    before, length = (window.open - window.start) * dt, (window.close - window.open) * dt
    if decay is None:
        v_th = ramp * before + slope * (length - unit * bias)
    else:
        # A neuron without input reaches it when its window closes, except for the bias.
        v_th = ramp * decay.potential(before + length, np)
        v_th = v_th + (slope - ramp) * decay.potential(length, np)
        v_th = v_th - slope * unit * bias * decay.slope(length, np)
        missing = missing - ramp
    fine = dt * grid / 2 / lcm(1, *(denominator(p.operator) for p in synapses))
    neuron = (
        partial(FirstSpikeDecaying, **decay.parameters())
        if decay is not None
        else partial(
            FirstSpikeExact,
            code.inactive,
            "falling" if code.threshold == "falling" else "constant",
        )
    )
    return neuron(
        v_th=as_value(off_grid(v_th, fine), shape),
        i_offset=as_value(ramp, shape),
        i_open=as_value(slope if code.inactive == "silent" else missing, shape),
        t_start=window.start * dt,
        t_open=window.open * dt,
        t_first=as_value(_earliest(code, schedule, window, limit), shape),
        t_close=window.close * dt,
        slope=as_value(slope, shape),
    )


def _earliest(
    code: FirstSpikeExactCode, schedule: Schedule, window: Window, limit: Floats | float
) -> Floats:
    """Return the time in ms before which no neuron fires."""
    held = code.threshold == "held"
    earliest = np.asarray(window.open * schedule.dt if held else 0.0)
    if np.all(np.isfinite(limit)):
        latest = window.close * schedule.dt - np.asarray(limit) * schedule.unit
        earliest = np.maximum(earliest, latest)
    return earliest


def integrator(
    schedule: Schedule, window: Window, *, shape: Shape, bias: Floats, decay: Decay | None = None
) -> Neuron:
    """Return outputs, which only sum their input; the bias is a current (Eqs 2.34, 2.35).

    Parameters
    ----------
    schedule : Schedule
    window : Window
        Window of the outputs.
    shape : tuple of int
    bias : ndarray broadcastable to ``shape``
        In units of the output.
    decay : Decay, optional
        Time constants in ms of double-exponential responses.
    """
    length = (window.open - window.start) * schedule.dt
    reached = length if decay is None else decay.potential(length, np)
    neuron = (
        FirstSpikeIntegrator if decay is None else partial(DecayingIntegrator, **decay.parameters())
    )
    return neuron(
        i_offset=as_value(bias * schedule.unit / reached, shape),
        t_start=window.start * schedule.dt,
        t_close=window.close * schedule.dt,
    )


def spike_values(schedule: Schedule, window: Window) -> Floats:
    """Return the value of a spike in each step of a window, which is 0 in the last step."""
    steps = np.arange(window.close - window.open, -1, -1)
    return np.asarray(steps * schedule.dt / schedule.unit, np.float64)


def as_value(values: Floats, shape: Shape) -> Value:
    """Return a single number if all values are the same, otherwise the array."""
    constant = compact(values, shape)
    return float(constant.ravel()[0]) if constant.size == 1 else constant
