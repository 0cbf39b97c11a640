"""Noise of membranes in physical units: thermal, shot, flicker.

The voltages of a model correspond to those of a circuit in which the distance from rest to
threshold is ``swing`` volts.  Populations that never fire, populations without a threshold in mV,
and gates of max pooling do not change, because they represent readouts or logic.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from scipy import constants

from bioconv.ground.errors import ConversionError, Problem
from bioconv.ground.options import Interval, check, number, refuse, wrong
from bioconv.network import Population, SpikingNetwork
from bioconv.neurons.language import roles
from bioconv.neurons.language.additions import free_names, membrane_of, name_of
from bioconv.neurons.language.expressions import names_in, parse_expression
from bioconv.neurons.language.model import NeuronModel, Parameter, State
from bioconv.neurons.language.noise import with_membrane_noise
from bioconv.neurons.language.substitution import substitute
from bioconv.noise.base import Imperfection, Streams
from bioconv.noise.edits import Floats, is_gate, swing, threshold_of, value_of

_WHITE = (
    "Sarpeshkar, Delbruck and Mead 1993, IEEE Circuits and Devices 9(6), doi:10.1109/101.261888"
)
_SOFT = "Use thermal or shot noise, which act on the potential."
_IN_POWER = "Add one flicker noise, with the root of the sum of the squares as its sigma."
_CLOCK = 1e-3  # s: noise is specified by its mean over 1 ms


@dataclass(frozen=True)
class ThermalNoise(Imperfection):
    """Thermal noise of the leak, with the steady-state variance kT/C on a leaky membrane.

    On a membrane without a leak, the same current fluctuations lead to a random walk of the
    potential.  They are those of a leak that would give the time constant ``tau``.

    Parameters
    ----------
    temperature : float
        In K.
    capacitance : float
        Capacitance of the circuit in pF.
    swing : float
        Voltage of the circuit, in V, that corresponds to the distance from rest to threshold.
    tau : float
        Time constant in ms of the leak that is assumed for neurons without one.  With 0, every
        neuron must have a leak.  Leaky neurons always use their own time constant (the one that
        the model declares, or capacitance over leak).

    Raises
    ------
    ParameterError
    """

    temperature: float = number(low=0.0)
    capacitance: float = number(0.5, 0.0, above=True)
    swing: float = number(0.3, 0.0, above=True)
    tau: float = number(0.0, 0.0)
    site: ClassVar[str] = "membranes"
    unit: ClassVar[str] = "K"
    source: ClassVar[str] = _WHITE

    def __post_init__(self) -> None:
        check(self)

    @property
    def amplitude(self) -> float:
        """Temperature in K."""
        return self.temperature

    @property
    def deviation(self) -> float:
        """Standard deviation of the voltage of a leaky membrane in V, the square root of kT/C."""
        return float(np.sqrt(constants.k * self.temperature / (self.capacitance * 1e-12)))

    def rewrite(self, network: SpikingNetwork, streams: Streams) -> SpikingNetwork:
        """Return the disturbed network; see `Imperfection.rewrite`."""
        members = dict(_membranes(network))
        leaks = {name: _tau(p) for name, (p, _) in members.items()}
        missing = [
            Problem(name, p.model.name, "it has no leak.", "Set tau, the time constant in ms.")
            for name, (p, _) in members.items()
            if not self.tau and leaks[name] is None
        ]
        if missing:
            raise ConversionError("Thermal noise requires a leak:", missing)
        share, dt = self.deviation / self.swing, network.dt
        slopes = {
            name: share * distance * self._per_deviation(leaks[name], dt)
            for name, (_, distance) in members.items()
        }
        return _fluctuating(network, slopes)

    def _per_deviation(self, tau: Floats | None, dt: float) -> Floats:
        """Return the slope of the noise (1/ms) that gives the potential unit standard deviation."""
        if tau is None:
            return np.asarray(np.sqrt(2.0 / self.tau))
        # Noise is constant within a step: with a = exp(-dt / tau) the variance is
        # tau^2 (1 - a) / (1 + a) / dt.
        return 1.0 / (tau * np.sqrt(np.tanh(dt / (2.0 * tau)) / dt))


@dataclass(frozen=True)
class ShotNoise(Imperfection):
    """Shot noise of the current that charges a membrane, caused by its discrete electrons.

    The charge that a current I delivers in the time T has the variance q I T.

    Parameters
    ----------
    current : float
        Total current of a neuron in the circuit, in pA.
    capacitance : float
        Capacitance of the circuit in pF.
    swing : float
        Voltage of the circuit, in V, that corresponds to the distance from rest to threshold.

    Raises
    ------
    ParameterError
    """

    current: float = number(low=0.0)
    capacitance: float = number(0.5, 0.0, above=True)
    swing: float = number(0.3, 0.0, above=True)
    site: ClassVar[str] = "membranes"
    unit: ClassVar[str] = "pA"
    source: ClassVar[str] = _WHITE

    def __post_init__(self) -> None:
        check(self)

    @property
    def amplitude(self) -> float:
        """The current in pA."""
        return self.current

    @property
    def slope(self) -> float:
        """Standard deviation of the mean slope over 1 ms in V/ms."""
        charge = np.sqrt(constants.e * self.current * 1e-12 * _CLOCK)
        return float(charge / (self.capacitance * 1e-12))

    def rewrite(self, network: SpikingNetwork, streams: Streams) -> SpikingNetwork:
        """Return the disturbed network; see `Imperfection.rewrite`."""
        share = self.slope / self.swing
        return _fluctuating(
            network, {name: share * distance for name, (_, distance) in _membranes(network)}
        )


@dataclass(frozen=True)
class FlickerNoise(Imperfection):
    """1/f noise of a threshold: a sum of slow fluctuations with time constants over decades.

    There is one Ornstein-Uhlenbeck process for each decade, all with the same variance.  The
    spectrum is 1/f to within 20 % from 1 / (2 pi tau_max) to 1 / (2 pi tau_min), flat below and
    1/f^2 above this range.  Every sample starts in the steady state.

    Parameters
    ----------
    sigma : float
        Standard deviation of the threshold as a share of its distance from rest.
    tau_min, tau_max : float
        The shortest and the longest time constant in ms.

    Raises
    ------
    ParameterError
    """

    sigma: float = number(low=0.0)
    tau_min: float = number(10.0, 0.0, above=True)
    tau_max: float = number(10_000.0, 0.0, 1e9, above=True)
    site: ClassVar[str] = "thresholds"
    unit: ClassVar[str] = "share of the distance from rest to threshold"
    source: ClassVar[str] = (
        "van der Ziel 1950, Physica 16, 359 (1/f as a sum of relaxations); "
        "of transistors: Sarpeshkar et al. 1993, doi:10.1109/101.261888"
    )

    def __post_init__(self) -> None:
        check(self)
        refuse(self, wrong("tau_max", self.tau_max, Interval(self.tau_min, 1e9)))

    @property
    def amplitude(self) -> float:
        """The standard deviation."""
        return self.sigma

    @property
    def taus(self) -> Floats:
        """The time constants in ms."""
        decades = round(np.log10(self.tau_max / self.tau_min))
        return np.geomspace(self.tau_min, self.tau_max, decades + 1)

    def rewrite(self, network: SpikingNetwork, streams: Streams) -> SpikingNetwork:
        """Return the disturbed network; see `Imperfection.rewrite`."""
        members = dict(_membranes(network))
        twice = [
            Problem(name, p.model.name, "it already has flicker noise.", _IN_POWER)
            for name, (p, _) in members.items()
            if p.model.role(roles.NOISE_THRESHOLD)
        ]
        if twice:
            raise ConversionError("Flicker noise cannot be added twice:", twice)
        soft = [
            Problem(name, p.model.name, "its threshold is part of its equations.", _SOFT)
            for name, (p, _) in members.items()
            if threshold_of(p.model) not in _asked(p.model)
        ]
        if soft:
            raise ConversionError("Flicker noise cannot be added to these thresholds:", soft)

        def flickering(p: Population) -> Population:
            if p.name not in members:
                return p
            sigma = self.sigma * np.broadcast_to(members[p.name][1], p.shape)
            model = _flickering(p.model, threshold_of(p.model), self.taus)
            name = model.role(roles.NOISE_THRESHOLD)
            return replace(p, model=model, parameters={**p.parameters, name: sigma})

        return network.replace(populations=tuple(map(flickering, network.populations)))


def _asked(model: NeuronModel) -> frozenset[str]:
    """Return the names that occur in the threshold condition of a model."""
    return names_in(parse_expression(model.threshold, model.names, boolean=True))


def _membranes(network: SpikingNetwork) -> Iterator[tuple[str, tuple[Population, Floats]]]:
    """Iterate over the populations that fire at a threshold in mV, with its distance from rest."""
    for p in network.populations:
        name = threshold_of(p.model)
        if is_gate(p) or not (name and p.model.threshold and membrane_of(p.model)):
            continue
        if p.model.parameter(name).unit == "mV":
            distance = swing(network, p)
            if distance is not None:
                yield p.name, (p, distance)


def _tau(population: Population) -> Floats | None:
    """Return the time constant of the leak in ms, None without a leak."""
    model = population.model
    roles_of_leak = (roles.MEMBRANE_TIME_CONSTANT, roles.CAPACITANCE, roles.LEAK)
    tau, capacitance, leak = map(model.role, roles_of_leak)
    if tau:
        return value_of(population, tau)
    if capacitance and leak:
        return value_of(population, capacitance) / value_of(population, leak)
    return None


def _fluctuating(network: SpikingNetwork, slopes: dict[str, Floats]) -> SpikingNetwork:
    """Add white noise with these slopes (mV/ms) to membranes, in addition to existing noise."""

    def population(p: Population) -> Population:
        if p.name not in slopes:
            return p
        model = with_membrane_noise(p.model)
        name = model.role(roles.NOISE_SLOPE)
        before = value_of(replace(p, model=model), name)
        sigma = np.hypot(before, slopes[p.name])[()]
        return replace(p, model=model, parameters={**p.parameters, name: sigma})

    return network.replace(populations=tuple(map(population, network.populations)))


def _flickering(model: NeuronModel, threshold: str, taus: Floats) -> NeuronModel:
    """Return the model with a fluctuating threshold.

    Each process is constant within a step and updated as x' = a x + (1 - a) b n, with n standard
    normal.  b is chosen such that its variance is sigma^2, from the first step on.
    """
    sigma, start, begins, each = free_names(
        model, "sigma_flicker", "t_flicker", "begins", "each_flicker"
    )
    parts = [_part(model, k, float(tau), begins, each) for k, tau in enumerate(taus)]
    onset = f"int(t >= {start} - 0.5 * dt) * int(t < {start} + 0.5 * dt)"
    head = [
        f"{begins} = {onset} : 1 (constant over dt)",
        f"{each} = {sigma} / sqrt({len(taus)}) : volt (constant over dt)",
    ]
    lines = [line for part in parts for line in part.lines]
    total = " + ".join(part.state.name for part in parts)
    meaning = "Standard deviation of the threshold"
    return replace(
        model,
        name=name_of(model, "flickering"),
        equations="\n".join([*head, *(e.text for e in model.parsed_equations), *lines]),
        threshold=substitute(model.threshold, threshold, f"{threshold} + {total}"),
        parameters=(
            *model.parameters,
            Parameter(sigma, 0.0, "mV", meaning, role=roles.NOISE_THRESHOLD),
            Parameter(start, 0.0, "ms", "Time from which the threshold fluctuates", moment=True),
            *(part.time_constant for part in parts),
        ),
        states=(*model.states, *(part.state for part in parts)),
        standard_cell="",
    )


@dataclass(frozen=True)
class _Part:
    """One of the processes of a fluctuating threshold."""

    lines: tuple[str, ...]
    state: State
    time_constant: Parameter


def _part(model: NeuronModel, k: int, tau: float, begins: str, each: str) -> _Part:
    wanted = (f"tau_flicker{k}", f"b{k}_flicker", f"n{k}_flicker", f"flicker{k}")
    own, b, n, x = free_names(model, *wanted)
    euler = model.method == "euler"
    pull = f"dt / {own}" if euler else f"(1 - exp(-dt / {own}))"
    steady = f"sqrt((2 - {pull}) / ({pull}))" if euler else f"1 / sqrt(tanh(dt / (2 * {own})))"
    return _Part(
        (
            f"{b} = {begins} / ({pull}) + (1 - {begins}) * {steady} : 1 (constant over dt)",
            f"{n} = randn() : 1 (constant over dt)",
            f"d{x}/dt = ({each} * {b} * {n} - {x}) / {own} : volt",
        ),
        State(x, 0.0, "mV", f"Part of the threshold, {tau:g} ms"),
        Parameter(
            own, tau, "ms", "Time constant of a part", (1e-9, 1e12), role=roles.TIME_CONSTANT
        ),
    )
