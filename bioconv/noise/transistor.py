"""Transistor-level mismatch: subthreshold MOS currents, Pelgrom's law and temperature."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, fields
from functools import partial

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import constants

from bioconv.ground.errors import ConversionError, Problem
from bioconv.ground.options import Interval, check, number, refuse, wrong
from bioconv.network import Population, SpikingNetwork
from bioconv.neurons.language import roles
from bioconv.noise.base import Imperfection, Streams
from bioconv.noise.edits import has, time_constants
from bioconv.noise.mismatch import LEAST, chosen_populations, spread, target_problems
from bioconv.noise.places import Place

Floats = NDArray[np.float64]

_PELGROM = "Pelgrom, Duinmaijer and Welbers 1989, IEEE J. Solid-State Circuits 24:1433, Eq 4"
_MEAD = "Mead 1989, Analog VLSI and Neural Systems, chapter 3"


def thermal_voltage(temperature: float) -> float:
    """Return the thermal voltage ``U_T = k T / q`` in mV for a temperature in K."""
    return 1e3 * constants.k * temperature / constants.e


@dataclass(frozen=True)
class Transistor:
    """A MOS transistor in weak inversion: ``I = I_0 exp(kappa V_GS / U_T)``.

    Parameters
    ----------
    width, length : float
        Width and length of the gate, in um.
    a_vt : float
        Pelgrom's area constant of the threshold voltage, in mV um; a property of the process.
    kappa : float
        Coupling of the gate to the channel, between 0 and 1.
    temperature : float
        In K.

    Raises
    ------
    ParameterError
        Some values are invalid; the message lists all of them.

    Examples
    --------
    >>> pair = Transistor(width=2.0, length=0.5, a_vt=3.5)
    >>> round(pair.sigma_vt, 2), round(pair.log_spread, 3)
    (3.5, 0.095)
    """

    width: float = number(1.0, 0.0, above=True)
    length: float = number(1.0, 0.0, above=True)
    a_vt: float = number(3.5, 0.0)
    kappa: float = number(0.7, 0.0, 1.0, above=True)
    temperature: float = number(300.0, 0.0, above=True)

    def __post_init__(self) -> None:
        check(self)

    @property
    def sigma_vt(self) -> float:
        """Standard deviation in mV of the threshold voltage difference of a pair (Pelgrom)."""
        return self.a_vt / float(np.sqrt(self.width * self.length))

    @property
    def thermal_voltage(self) -> float:
        """Thermal voltage U_T in mV."""
        return thermal_voltage(self.temperature)

    @property
    def log_spread(self) -> float:
        """Standard deviation of the logarithm of a mirrored current: kappa sigma_vt / U_T."""
        return self.kappa * self.sigma_vt / self.thermal_voltage

    @property
    def current_spread(self) -> float:
        """Standard deviation over the mean of a mirrored current, which is log-normal."""
        return float(np.sqrt(np.expm1(self.log_spread**2)))

    def current(self, v_gs: ArrayLike, i_0: float = 1.0) -> Floats:
        """Return the drain current in saturation, in the unit of ``i_0``, for ``v_gs`` in mV."""
        return i_0 * np.exp(self.kappa * np.asarray(v_gs, np.float64) / self.thermal_voltage)


def _current_problems(target: object) -> list[str]:
    """Return problems of a ``target`` that must be a quantity set by a current."""
    if target == "capacitance":
        return [f"target must be set by a current, and {target} is not: use Mismatch."]
    return target_problems(target)


def _refuse_capacitances(network: SpikingNetwork, target: str, names: Collection[str]) -> None:
    """Raise `ConversionError` where ``target`` is a parameter that is not set by a current."""
    problems = [
        Problem(p.name, p.model.name, f"{target} is a capacitance.", "Use Mismatch.")
        for p in chosen_populations(network, names)
        if target in p.model.with_role(roles.CAPACITANCE)
    ]
    if problems:
        raise ConversionError(f"No current of a transistor sets {target}:", problems)


def _powers(target: str, population: Population | None) -> tuple[int, int]:
    """Return the exponents of the current and of U_T in the quantity that the current sets.

    A conductance is kappa I / U_T and a time constant is C U_T / (kappa I).  Other times are those
    that a current takes to charge a capacitance by a given voltage.
    """
    if target == "leak":
        return 1, -1
    if target == "time_constant":
        return -1, 1
    if population is None or not has(population, target):
        return 1, 0
    unit = population.model.parameter(target).unit
    if unit == "ms":
        return -1, int(target in time_constants(population.model))
    return 1, -int(unit == "nS")


@dataclass(frozen=True)
class TransistorMismatch(Imperfection):
    """Spread of a quantity set by a subthreshold current, from the size of its transistor.

    The threshold voltages of two transistors of the same size differ with a standard deviation of
    ``a_vt / sqrt(W L)`` (Pelgrom), so that a mirrored current deviates by the factor
    ``exp(kappa dV_T / U_T)``, which is log-normal with median 1.  A time constant,
    C U_T / (kappa I), is multiplied by the inverse, as is every parameter that is a time.

    Parameters
    ----------
    target : str
        A target of `Mismatch`: "threshold", "time_constant", "gain", "weight", ...  Capacitances
        are excluded because they are not set by a current.
    width, length : float
        Width and length of the gate, in um.
    a_vt : float
        Pelgrom's area constant in mV um.  With 0 all devices are alike.
    kappa : float
        Coupling of the gate to the channel.
    temperature : float
        In K.
    swing : float
        Voltage on the chip, in mV, to which the target corresponds.  If it is above 0, the target
        is a voltage that is shifted by dV_T itself, that is, multiplied by
        ``1 + dV_T / swing``.  With 0, the target is set by a current.
    populations : tuple of str
        See `Mismatch`.

    Raises
    ------
    ParameterError
        Some options are invalid; the message lists all of them.

    Examples
    --------
    >>> TransistorMismatch("time_constant", width=4.0, length=1.0, a_vt=3.5).amplitude
    1.75
    """

    target: str = "threshold"
    width: float = number(1.0, 0.0, above=True)
    length: float = number(1.0, 0.0, above=True)
    a_vt: float = number(0.0, 0.0)
    kappa: float = number(0.7, 0.0, 1.0, above=True)
    temperature: float = number(300.0, 0.0, above=True)
    swing: float = number(0.0, 0.0)
    populations: tuple[str, ...] = ()

    site = "currents of transistors in weak inversion"
    unit = "mV: standard deviation of threshold voltages"
    source = f"{_PELGROM}; {_MEAD}"

    def __post_init__(self) -> None:
        check(self, _current_problems(self.target))
        object.__setattr__(self, "populations", tuple(self.populations))

    @property
    def transistor(self) -> Transistor:
        """The transistor that sets the current."""
        return Transistor(*(getattr(self, field.name) for field in fields(Transistor)))

    @property
    def amplitude(self) -> float:
        """Standard deviation of the threshold voltages in mV."""
        return self.transistor.sigma_vt

    def rewrite(self, network: SpikingNetwork, streams: Streams) -> SpikingNetwork:
        """The network whose devices differ; see `Imperfection.rewrite`."""
        _refuse_capacitances(network, self.target, self.populations)
        return spread(network, self.target, self.populations, partial(self._factors, streams))

    def _factors(
        self, streams: Streams, population: Population | None, place: Place, n: int
    ) -> Floats:
        shift = self.transistor.sigma_vt * streams.of(place).standard_normal(n)
        if self.swing:
            return np.maximum(1.0 + shift / self.swing, LEAST)
        sign, _ = _powers(self.target, population)
        return np.exp(sign * self.kappa * shift / thermal_voltage(self.temperature))


@dataclass(frozen=True)
class TemperatureShift(Imperfection):
    """A chip that runs at a different temperature from the one at which it was set up.

    At a fixed gate voltage, ``I = I_S exp(kappa (V_GS - V_T) / U_T)`` changes with U_T and with
    V_T, which decreases with temperature; I_S, the current at V_GS = V_T, is taken as constant.
    A time constant C U_T / (kappa I) and a conductance kappa I / U_T also contain U_T themselves.
    Other times are inversely proportional to the current.

    All devices are affected alike.  A bias generator that compensates for temperature leaves a
    residual error that can be described by a smaller shift.

    Parameters
    ----------
    kelvin : float
        Increase of the temperature in K; negative values are a decrease.
    target : str
        A target of `Mismatch` that is set by a current; capacitances are excluded.
    overdrive : float
        ``V_GS - V_T`` in mV; it is below 0 in weak inversion.
    slope : float
        dV_T / dT in mV/K.
    kappa : float
    temperature : float
        Temperature in K at which the chip was set up.
    populations : tuple of str
        See `Mismatch`.

    Raises
    ------
    ParameterError
        Some options are invalid; the message lists all of them.
    """

    kelvin: float = number(0.0)
    target: str = "gain"
    overdrive: float = number(-100.0)
    slope: float = number(-1.0)
    kappa: float = number(0.7, 0.0, 1.0)
    temperature: float = number(300.0, 0.0, above=True)
    populations: tuple[str, ...] = ()

    site = "currents of transistors in weak inversion"
    unit = "K"
    source = (
        f"{_MEAD}; Tsividis and McAndrew 2011, Operation and Modeling of the MOS Transistor "
        "(threshold voltage and temperature)"
    )

    def __post_init__(self) -> None:
        check(self, _current_problems(self.target))
        warm = Interval(0.0, above=True)
        refuse(self, wrong("temperature + kelvin", self.temperature + self.kelvin, warm))
        object.__setattr__(self, "populations", tuple(self.populations))

    @property
    def amplitude(self) -> float:
        """Temperature difference in K."""
        return self.kelvin

    @property
    def factor(self) -> float:
        """Factor by which all currents are multiplied."""
        now = self.temperature + self.kelvin
        warm = (self.overdrive - self.slope * self.kelvin) / thermal_voltage(now)
        before = self.overdrive / thermal_voltage(self.temperature)
        return float(np.exp(self.kappa * (warm - before)))

    def rewrite(self, network: SpikingNetwork, streams: Streams) -> SpikingNetwork:
        """Return the network at the new temperature; see `Imperfection.rewrite`."""
        _refuse_capacitances(network, self.target, self.populations)
        warmer = 1.0 + self.kelvin / self.temperature

        def factors(population: Population | None, _: Place, n: int) -> Floats:
            of_current, of_thermal = _powers(self.target, population)
            return np.full(n, self.factor**of_current * warmer**of_thermal)

        return spread(network, self.target, self.populations, factors)
