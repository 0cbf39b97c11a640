"""Registers of finite range and precision, applied to the state of a neuron in every step."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf, isfinite
from typing import ClassVar

import numpy as np

from bioconv.ground.errors import ConversionError, ParameterError, Problem
from bioconv.ground.options import Interval, check, is_number, number, refuse, whole, wrong
from bioconv.network import Population, SpikingNetwork
from bioconv.neurons.language import roles
from bioconv.neurons.language.additions import free_names, membrane_of, name_of
from bioconv.neurons.language.model import UNITS, NeuronModel, Parameter
from bioconv.neurons.library.axon import is_axon
from bioconv.noise.base import Imperfection, Streams
from bioconv.noise.edits import resting, swing, threshold_of

#: units of states that a register holds; states without a unit are marks and counts
_STORED = ("mV", "pA", "nS")


@dataclass(frozen=True)
class StateSaturation(Imperfection):
    """Potentials that are limited to a range, as by supply rails or clamps.

    They are clipped after the update of a step and before the threshold is checked
    (`NeuronModel.after`), in all populations with a threshold, including those that never fire.

    Parameters
    ----------
    low, high : float
        Limits of the range, measured from rest in units of the distance from rest to threshold:
        (-1, 2) extends from one distance below rest to one distance above the threshold.

    Raises
    ------
    ParameterError
    """

    low: float = -inf
    high: float = inf
    site: ClassVar[str] = "states"
    unit: ClassVar[str] = "1 / nearer end of the range"
    source: ClassVar[str] = (
        "Indiveri et al. 2011, Front. Neurosci. 5:73, doi:10.3389/fnins.2011.00073 (potentials "
        "between the rails)"
    )

    def __post_init__(self) -> None:
        problems = []
        for name, value, sign in (("low", self.low, -1), ("high", self.high, 1)):
            if not (is_number(value) or value == sign * inf) or sign * value <= 0:
                side = "below" if sign < 0 else "above"
                problems.append(f"{name} must be a number {side} 0. Received: {value!r}.")
        refuse(self, problems)

    @property
    def amplitude(self) -> float:
        """Inverse of the nearer limit of the range; 0 without a limit."""
        return 1.0 / min(-self.low, self.high)

    def rewrite(self, network: SpikingNetwork, streams: Streams) -> SpikingNetwork:
        """Return the disturbed network; see `Imperfection.rewrite`."""
        return network.replace(
            populations=tuple(self._population(network, p) for p in network.populations)
        )

    def _population(self, network: SpikingNetwork, p: Population) -> Population:
        name, distance = threshold_of(p.model), swing(network, p)
        if not membrane_of(p.model) or distance is None:
            return p
        rest = resting(p, name)
        saturating = replace(p, model=_saturating(p.model))
        given = dict(p.parameters)
        for role, end, tighter in (
            (roles.FLOOR, self.low, np.maximum),
            (roles.CEILING, self.high, np.minimum),
        ):
            parameter = saturating.model.role(role)
            before = saturating.value(parameter)
            after = rest + end * distance if isfinite(end) else before
            given[parameter] = tighter(before, after)[()]
        return replace(saturating, parameters=given)


def saturation(amplitude: float) -> StateSaturation:
    """Return a saturation with a lower limit only, from the inverse of its distance from rest.

    Parameters
    ----------
    amplitude : float
        Inverse of the distance of the limit from rest; 0 for no limit.

    Raises
    ------
    ParameterError
        The amplitude is below 0.
    """
    problems = wrong("the amplitude of saturation", amplitude, Interval(0.0))
    if problems:
        raise ParameterError(*problems)
    return StateSaturation(-1.0 / amplitude) if amplitude else StateSaturation()


@dataclass(frozen=True)
class FixedPointState(Imperfection):
    """Fixed-point arithmetic: state variables with a unit are whole multiples of a step.

    They are rounded to the nearest multiple and clipped to the range of the register, after the
    update of a step and before the threshold is checked (`NeuronModel.after`).  The defaults are
    those of SpiNNaker's s16.15 format.

    Parameters
    ----------
    step : float
        Resolution in the units of the model (mV, pA, nS).
    bits : int
        Width of the register including the sign, from 2 to 64.

    Raises
    ------
    ParameterError
    """

    step: float = number(2.0**-15, 0.0)
    bits: int = whole(32, 2, 64)
    site: ClassVar[str] = "states"
    unit: ClassVar[str] = "mV, pA, nS"
    source: ClassVar[str] = (
        "Hopkins et al. 2020, Phil. Trans. R. Soc. A 378:20190052, doi:10.1098/rsta.2019.0052 "
        "(s16.15 on SpiNNaker)"
    )

    def __post_init__(self) -> None:
        check(self)

    @property
    def amplitude(self) -> float:
        """Resolution of the register."""
        return self.step

    def rewrite(self, network: SpikingNetwork, streams: Streams) -> SpikingNetwork:
        """Return the disturbed network; see `Imperfection.rewrite`."""
        twice = [
            Problem(p.name, p.model.name, "it already has a register.", "Use the larger step.")
            for p in network.populations
            if p.model.role(roles.REGISTER_STEP)
        ]
        if twice:
            raise ConversionError("A register can have only one step:", twice)
        most = 2.0 ** (self.bits - 1)
        values = (self.step, -most, most - 1)
        return network.replace(
            populations=tuple(
                p if is_axon(p.model) else _fixed_point(p, values) for p in network.populations
            )
        )


def _saturating(model: NeuronModel) -> NeuronModel:
    if model.role(roles.FLOOR):
        return model
    v, (low, high) = membrane_of(model), free_names(model, "v_floor", "v_ceiling")
    return replace(
        model,
        name=name_of(model, "saturating"),
        after=_added(model, f"{v} = clip({v}, {low}, {high})"),
        parameters=(
            *model.parameters,
            Parameter(low, -1e12, "mV", "Lowest membrane potential", role=roles.FLOOR),
            Parameter(high, 1e12, "mV", "Highest membrane potential", role=roles.CEILING),
        ),
        standard_cell="",
    )


def _fixed_point(population: Population, values: tuple[float, float, float]) -> Population:
    """Return the population in fixed point; the values are the step and the limits in steps."""
    model = population.model
    stored = [state for state in model.states if state.unit in _STORED]
    if not stored:
        return population
    names = free_names(model, "lsb", "n_least", "n_most")
    step, least, most = names
    units = {state.name: f"{step} * {UNITS[state.unit][0]}" for state in stored}
    lines = [
        f"{name} = clip(floor({name} / ({unit}) + 0.5), {least}, {most}) * {unit}"
        for name, unit in units.items()
    ]
    meaning, bounds = "Step of state variables", (1e-300, 1e300)
    rounded = replace(
        model,
        name=name_of(model, "fixed_point"),
        after=_added(model, *lines),
        parameters=(
            *model.parameters,
            Parameter(step, 2.0**-15, "1", meaning, bounds, role=roles.REGISTER_STEP),
            Parameter(least, -(2.0**31), "1", "Lowest number of steps"),
            Parameter(most, 2.0**31 - 1, "1", "Highest number of steps"),
        ),
        standard_cell="",
    )
    given = {**population.parameters, **dict(zip(names, values, strict=True))}
    return replace(population, model=rounded, parameters=given)


def _added(model: NeuronModel, *lines: str) -> str:
    return "\n".join([*([model.after] if model.after else []), *lines])
