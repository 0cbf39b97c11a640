"""Windows in which the neurons of each layer may fire (stanojevic Algorithm 2), in steps."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil

import numpy as np

from bioconv.analog.functions import MaxPool, ReLU
from bioconv.analog.graph import Layer
from bioconv.codes.common.rewritten import Rewritten
from bioconv.codes.first_spike_exact.code import FirstSpikeExactCode
from bioconv.codes.first_spike_exact.scaling import Scaling
from bioconv.ground.errors import ParameterError

#: default time step in ms: a power of two, so that sums of potentials are not rounded
DEFAULT_DT = 0.125


@dataclass(frozen=True)
class Window:
    """Times of a population, in steps from the start of the sample.

    A spike of step t occurs at the time t + 1.

    Parameters
    ----------
    start : int
        Earliest arrival of input, from which the slope alpha applies.
    open : int
        Opening of the window, from which neurons can fire (t_min).
    close : int
        Closing of the window, when neurons fire that represent 0 (t_max).
    complete : int
        Arrival of the last input.  It is the opening of the window, except for maxima, which do
        not wait for all of their input.
    """

    start: int
    open: int
    close: int
    complete: int


@dataclass(frozen=True)
class Schedule:
    """Windows of all inputs, layers and readouts.

    Parameters
    ----------
    dt : float
        ms.
    unit : float
        Time in ms that represents the activation 1 of the scaled network.
    windows : dict of str to Window
    """

    dt: float
    unit: float
    windows: dict[str, Window]

    def delay(self, source: str, layer: str) -> int:
        """Return the delay in steps with which the zeros of all sources arrive simultaneously."""
        return self.windows[layer].complete - self.windows[source].close

    @property
    def n_steps(self) -> int:
        """The step in which the last output has received all its input."""
        return max(window.close for window in self.windows.values())


def plan(
    code: FirstSpikeExactCode,
    rewritten: Rewritten,
    scaling: Scaling,
    dt: float | None,
    n_steps: int | None,
) -> Schedule:
    """Return the windows for the time unit of the code, or for the one that fits ``n_steps``.

    Raises
    ------
    ParameterError
        If ``n_steps`` is too short for windows of one step, or the time unit is shorter than a
        step.
    """
    step = DEFAULT_DT if dt is None else float(dt)
    if n_steps is None:
        if code.time_unit < step:
            raise ParameterError(
                f"time_unit = {code.time_unit:g} ms is shorter than a step of {step:g} ms, so that "
                "activations could not be distinguished. Use a larger time_unit, or a smaller dt."
            )
        return _schedule(code, rewritten, scaling, step, code.time_unit)
    # Each window is rounded up to whole steps, so that the unit is reduced until all of them fit.
    per_unit = _schedule(code, rewritten, scaling, step, 1e4 * step).n_steps / 1e4
    unit = n_steps / per_unit * step
    while unit > step:
        schedule = _schedule(code, rewritten, scaling, step, unit)
        if schedule.n_steps <= n_steps:
            return schedule
        unit -= max(schedule.n_steps - n_steps, 1) / (2 * per_unit) * step
    least = _schedule(code, rewritten, scaling, step, step).n_steps
    raise ParameterError(
        f"n_steps = {n_steps} is too short for {len(rewritten.layers) + 1} consecutive "
        f"windows: they take {least} with one step per unit of activation. Use more steps."
    )


def _schedule(
    code: FirstSpikeExactCode, rewritten: Rewritten, scaling: Scaling, dt: float, unit: float
) -> Schedule:
    stages = [
        Stage(
            layer.name,
            tuple(term.source for term in layer.inputs[0].terms),
            None
            if isinstance(layer.function, MaxPool)
            else _length(code, layer, scaling, unit / dt),
        )
        for layer in rewritten.layers
    ]
    stages += [
        Stage(layer.name, tuple(term.source for term in layer.inputs[0].terms), 0)
        for layer in rewritten.readouts
    ]
    return arranged([entry.name for entry in rewritten.inputs], stages, dt, unit)


@dataclass(frozen=True)
class Stage:
    """A layer in the order of the windows.

    Parameters
    ----------
    name : str
    sources : tuple of str
        Inputs and layers.
    length : int or None
        Steps of the window; 0 for outputs, which never fire, and None for maxima, which fire with
        one of their sources.
    """

    name: str
    sources: tuple[str, ...]
    length: int | None


def arranged(inputs: Iterable[str], stages: Iterable[Stage], dt: float, unit: float) -> Schedule:
    """Return the schedule in which the window of a layer opens when all its sources have closed.

    Parameters
    ----------
    inputs : iterable of str
        Each has a window of one time unit.
    stages : iterable of Stage
        Layers and outputs, sources first.
    dt, unit : float
        ms.
    """
    span = max(ceil(round(unit / dt, 9)), 1)
    # The largest input fires at the end of step 0, which is time 1.
    windows = {name: Window(0, 1, span + 1, 0) for name in inputs}
    for stage in stages:
        sources = [windows[name] for name in stage.sources]
        opened = max((source.close for source in sources), default=0) + 1
        delays = [opened - source.close for source in sources]
        first = [source.open + d for source, d in zip(sources, delays, strict=True)]
        start = min(first, default=0)
        if stage.length is None:
            # A maximum has no window of its own: it fires when its source's spike arrives.
            windows[stage.name] = Window(start, start, opened, opened)
        else:
            windows[stage.name] = Window(start, opened, opened + stage.length, opened)
    return Schedule(dt, unit, windows)


def _length(code: FirstSpikeExactCode, layer: Layer, scaling: Scaling, unit_steps: float) -> int:
    """Return the steps of a window (Algorithm 2, line 6), bounded by an upper limit of the ReLU."""
    longest = (1.0 + code.zeta) * scaling.largest[layer.name]
    if isinstance(layer.function, ReLU):
        longest = min(longest, layer.function.max_value / float(np.min(scaling.scale[layer.name])))
    return steps_of(longest, unit_steps)


def steps_of(longest: float, unit_steps: float) -> int:
    """Return the steps of a window that holds a lead of ``longest`` units, at least one."""
    return max(ceil(round(longest * unit_steps, 9)), 1)
