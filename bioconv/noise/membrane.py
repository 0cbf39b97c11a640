"""Noise of membranes in physical units: thermal, shot, flicker.

The voltages of a model stand for those of a circuit: the distance from its rest to its threshold
for ``swing`` volts.  Populations that never fire, those without a threshold in mV, and gates of max
pooling are left as they are: they stand for what is read, or for logic.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from scipy import constants

from bioconv.ground.errors import ConversionError, Problem
from bioconv.network import Population, SpikingNetwork
from bioconv.neurons.language import roles
from bioconv.neurons.language.model import NeuronModel, Parameter, State
from bioconv.neurons.language.noise import SIGMA_MEMBRANE, with_membrane_noise
from bioconv.neurons.language.substitution import substitute
from bioconv.noise.base import Imperfection, Streams
from bioconv.noise.edits import Floats, has, is_gate, swing, threshold_of, value_of
from bioconv.noise.options import number_above, number_from, refuse

_WHITE = (
    "Sarpeshkar, Delbruck and Mead 1993, IEEE Circuits and Devices 9(6), doi:10.1109/101.261888"
)
_IN_POWER = "Give one with the root of the sum of both squares."
_CLOCK = 1e-3  # s: noise is told by its mean over 1 ms


@dataclass(frozen=True)
class ThermalNoise(Imperfection):
    """Thermal noise of the leak: kT/C on a leaky membrane, in the steady state.

    On a membrane without a leak of its own the same fluctuations of current make the potential walk
    at random; they are those of a leak that would give the time constant ``tau``.

    Parameters
    ----------
    temperature : float
        K.
    capacitance : float
        pF, of the circuit.
    swing : float
        V, what the distance from rest to threshold stands for.
    tau : float
        ms, time constant of the leak of neurons that have none; 0: none of them may be without.
        A leaky neuron always has its own (``tau_m``, or c_m / g_l).

    Raises
    ------
    ParameterError
    """

    temperature: float
    capacitance: float = 0.5
    swing: float = 0.3
    tau: float = 0.0
    site: ClassVar[str] = "membranes"
    unit: ClassVar[str] = "K"
    source: ClassVar[str] = _WHITE

    def __post_init__(self) -> None:
        problems = number_from("temperature", self.temperature, 0.0)
        problems += number_from("tau", self.tau, 0.0)
        refuse(self, problems + _circuit(self.capacitance, self.swing))

    @property
    def amplitude(self) -> float:
        """Temperature in K."""
        return self.temperature

    @property
    def deviation(self) -> float:
        """Standard deviation of the voltage of a leaky membrane in V: the root of kT/C."""
        return float(np.sqrt(constants.k * self.temperature / (self.capacitance * 1e-12)))

    def rewrite(self, network: SpikingNetwork, streams: Streams) -> SpikingNetwork:
        """See `Imperfection`."""
        members = dict(_membranes(network))
        leaks = {name: _tau(p) for name, (p, _) in members.items()}
        missing = [
            Problem(name, p.model.name, "has no leak.", "Give tau, the time constant of one.")
            for name, (p, _) in members.items()
            if not self.tau and leaks[name] is None
        ]
        if missing:
            raise ConversionError("There is no thermal noise without a leak:", missing)
        share, dt = self.deviation / self.swing, network.dt
        slopes = {
            name: share * distance * self._per_deviation(leaks[name], dt)
            for name, (_, distance) in members.items()
        }
        return _fluctuating(network, slopes)

    def _per_deviation(self, tau: Floats | None, dt: float) -> Floats:
        """Slope of the noise (1/ms) that gives the potential a standard deviation of 1."""
        if tau is None:
            return np.asarray(np.sqrt(2.0 / self.tau))
        # held for a step: with a = exp(-dt / tau) the variance is tau^2 (1 - a) / (1 + a) / dt
        return 1.0 / (tau * np.sqrt(np.tanh(dt / (2.0 * tau)) / dt))


@dataclass(frozen=True)
class ShotNoise(Imperfection):
    """Shot noise of the current that charges a membrane: its electrons come one by one.

    The charge that a current I brings in the time T has the variance q I T.

    Parameters
    ----------
    current : float
        pA, of the circuit, all currents of a neuron together.
    capacitance : float
        pF, of the circuit.
    swing : float
        V, what the distance from rest to threshold stands for.

    Raises
    ------
    ParameterError
    """

    current: float
    capacitance: float = 0.5
    swing: float = 0.3
    site: ClassVar[str] = "membranes"
    unit: ClassVar[str] = "pA"
    source: ClassVar[str] = _WHITE

    def __post_init__(self) -> None:
        problems = number_from("current", self.current, 0.0)
        refuse(self, problems + _circuit(self.capacitance, self.swing))

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
        """See `Imperfection`."""
        share = self.slope / self.swing
        return _fluctuating(
            network, {name: share * distance for name, (_, distance) in _membranes(network)}
        )


@dataclass(frozen=True)
class FlickerNoise(Imperfection):
    """Noise 1/f of a threshold: a sum of slow fluctuations with time constants over decades.

    One Ornstein-Uhlenbeck process for each decade, all of the same variance: the spectrum is 1/f
    within 20 % from 1 / (2 pi tau_max) to 1 / (2 pi tau_min), flat below and 1/f^2
    above.  Every sample starts in the steady state.

    Parameters
    ----------
    sigma : float
        Standard deviation of the threshold, as a share of its distance from rest.
    tau_min, tau_max : float
        ms, the shortest and the longest time constant.

    Raises
    ------
    ParameterError
    """

    sigma: float
    tau_min: float = 10.0
    tau_max: float = 10_000.0
    site: ClassVar[str] = "thresholds"
    unit: ClassVar[str] = "share of the distance from rest to threshold"
    source: ClassVar[str] = (
        "van der Ziel 1950, Physica 16, 359 (1/f as a sum of relaxations); "
        "of transistors: Sarpeshkar et al. 1993, doi:10.1109/101.261888"
    )

    def __post_init__(self) -> None:
        problems = number_from("sigma", self.sigma, 0.0) + number_above("tau_min", self.tau_min)
        if not problems:
            problems = number_from("tau_max", self.tau_max, self.tau_min, 1e9)
        refuse(self, problems)

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
        """See `Imperfection`."""
        members = dict(_membranes(network))
        twice = [
            Problem(name, p.model.name, "has flicker noise already.", _IN_POWER)
            for name, (p, _) in members.items()
            if has(p, "sigma_flicker")
        ]
        if twice:
            raise ConversionError("Flicker noise cannot be added twice:", twice)

        def flickering(p: Population) -> Population:
            if p.name not in members:
                return p
            sigma = self.sigma * np.broadcast_to(members[p.name][1], p.shape)
            model = _flickering(p.model, threshold_of(p), self.taus)
            return replace(p, model=model, parameters={**p.parameters, "sigma_flicker": sigma})

        return network.replace(populations=tuple(map(flickering, network.populations)))


def _circuit(capacitance: object, swing: object) -> list[str]:
    return number_above("capacitance", capacitance) + number_above("swing", swing)


def _membranes(network: SpikingNetwork) -> Iterator[tuple[str, tuple[Population, Floats]]]:
    """Populations that fire at a threshold in mV, with its distance from rest."""
    for p in network.populations:
        if is_gate(network, p):
            continue
        name = threshold_of(p)
        potential = ("v", "mV") in {(state.name, state.unit) for state in p.model.states}
        if potential and name and p.model.threshold and p.model.parameter(name).unit == "mV":
            distance = swing(network, p)
            if distance is not None:
                yield p.name, (p, distance)


def _tau(population: Population) -> Floats | None:
    """Time constant of the leak in ms; None without leak."""
    if has(population, "tau_m"):
        return value_of(population, "tau_m")
    if has(population, "c_m", "g_l"):
        return value_of(population, "c_m") / value_of(population, "g_l")
    return None


def _fluctuating(network: SpikingNetwork, slopes: dict[str, Floats]) -> SpikingNetwork:
    """White noise with these slopes (mV/ms) on membranes, on top of what is there."""

    def population(p: Population) -> Population:
        if p.name not in slopes:
            return p
        before = value_of(p, SIGMA_MEMBRANE) if has(p, SIGMA_MEMBRANE) else 0.0
        sigma = np.hypot(before, slopes[p.name])[()]
        parameters = {**p.parameters, SIGMA_MEMBRANE: sigma}
        return replace(p, model=with_membrane_noise(p.model), parameters=parameters)

    return network.replace(populations=tuple(map(population, network.populations)))


def _flickering(model: NeuronModel, threshold: str, taus: Floats) -> NeuronModel:
    """The model with a threshold that fluctuates.

    A process is held for a step: x' = a x + (1 - a) b n, with n standard normal; b gives it the
    variance sigma^2, in the first step at once.
    """
    lines, states = [], []
    euler = model.method == "euler"
    for k, tau in enumerate(taus):
        own = f"tau_flicker{k}"
        pull = f"dt / {own}" if euler else f"(1 - exp(-dt / {own}))"
        steady = f"sqrt((2 - {pull}) / ({pull}))" if euler else f"1 / sqrt(tanh(dt / (2 * {own})))"
        lines += [
            f"b{k}_flicker = begins / ({pull}) + (1 - begins) * {steady} : 1 (constant over dt)",
            f"n{k}_flicker = randn() : 1 (constant over dt)",
            f"dflicker{k}/dt = (each_flicker * b{k}_flicker * n{k}_flicker - flicker{k}) / {own} "
            ": volt",
        ]
        states.append(State(f"flicker{k}", 0.0, "mV", f"Part of the threshold, {tau:g} ms"))
    begins = "int(t >= t_flicker - 0.5 * dt) * int(t < t_flicker + 0.5 * dt)"
    total = " + ".join(f"flicker{k}" for k in range(len(taus)))
    head = [
        f"begins = {begins} : 1 (constant over dt)",
        f"each_flicker = sigma_flicker / sqrt({len(taus)}) : volt (constant over dt)",
    ]
    time_constants = [
        Parameter(
            f"tau_flicker{k}",
            float(tau),
            "ms",
            "Time constant of a part",
            (1e-9, 1e12),
            role=roles.TIME_CONSTANT,
        )
        for k, tau in enumerate(taus)
    ]
    return replace(
        model,
        name=f"{model.name}_flickering",
        equations="\n".join([*head, *(e.text for e in model.parsed_equations), *lines]),
        threshold=substitute(model.threshold, threshold, f"{threshold} + {total}"),
        parameters=(
            *model.parameters,
            Parameter(
                "sigma_flicker",
                0.0,
                "mV",
                "Standard deviation of the threshold",
                role=roles.NOISE_THRESHOLD,
            ),
            Parameter("t_flicker", 0.0, "ms", "Time from which on it fluctuates", moment=True),
            *time_constants,
        ),
        states=(*model.states, *states),
        standard_cell="",
    )
