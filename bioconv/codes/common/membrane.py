"""Drive of a neuron under the rate code: currents, weights, start values, and their grid.

The grid (`Membrane.round_weights`, `Membrane.start`) ensures that a perfect integrator fires at the
same times in every simulator.  Simulators add the same numbers in different orders and units, so
that their membrane potentials differ by rounding errors of about 1e-13 of the threshold.  If a
potential equals the threshold exactly, one simulator emits a spike and another does not.  This is
common in networks with equal weights or with pixels of 0 and 1.  Therefore all weights are whole
multiples of g = (v_th - v_reset) 2^-30, all currents are multiples of g c_m / dt, and the start
value and the reset value of the potential are offset by half a multiple.  In exact arithmetic
every potential then stays half a multiple away from the threshold, which is far more than rounding
errors.  An average over n cells divides the grid by n, and `Membrane.start` divides the offset
accordingly.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from math import lcm

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bioconv.codes.common.adaptation import drift
from bioconv.codes.common.driving import Ask, Receiver, choose, synapses
from bioconv.codes.common.suitability import is_perfect, lift_problems, neuron_problems, nominal
from bioconv.ground.errors import ConversionError, ParameterError
from bioconv.neurons import Integrator, Neuron
from bioconv.neurons.language import roles
from bioconv.neurons.language.neuron import Value
from bioconv.neurons.library.parts import NEVER
from bioconv.neurons.response.integrators import Integrating, integrating
from bioconv.neurons.response.transfer import charge
from bioconv.operators import AveragePool, Chain, Operator

#: membrane time constant, in ms, that is practically without a leak
NO_LEAK = 1e6
#: steps of the grid from reset to threshold
STEPS_OF_GRID = 2.0**30


@dataclass(frozen=True)
class Membrane:
    """A neuron under the rate code.

    Parameters
    ----------
    neuron : Neuron
        A neuron with a single value for each parameter.
    dt : float
        ms.
    max_rate : float
        Rate in Hz of the activation 1.
    current : float
        Current at the activation 0, in the unit of the model's current parameter.
    gain : float
        Current per unit of activation.
    residual : float
        Largest distance between the rate and the straight line, as a share of ``max_rate``.
    synapses : tuple of Receiver
        Receptors that take the weights.
    exact : bool
        Whether it is a perfect integrator with delta synapses, whose input lies on a grid.
    held : bool
        Whether its threshold can be put out of reach, so that it can be held until its release
        and only integrates as an output.
    report : mapping of str to float
        Measurements of the neuron that were made in the process.
    silenced : mapping of str to float
        Replacements of parameters that make a neuron that never spikes.
    """

    neuron: Neuron
    dt: float
    max_rate: float
    current: float
    gain: float
    residual: float
    synapses: tuple[Receiver, ...]
    exact: bool
    held: bool
    report: Mapping[str, float] = field(default_factory=dict)
    silenced: Mapping[str, float] = field(default_factory=dict)

    @staticmethod
    def of(
        neuron: Neuron,
        dt: float | None,
        max_rate: float,
        activations: Callable[[], NDArray[np.float64]] | None = None,
        *,
        lowest: Callable[[], float] | None = None,
        fluctuation: Callable[[], float] | None = None,
        noise: str | float = "none",
    ) -> Membrane:
        """Return the membrane of ``neuron``; fit its drive unless it is a perfect integrator.

        Parameters
        ----------
        neuron : Neuron
        dt : float, optional
            Step in ms.  By default 1 ms for a perfect integrator, else what the neuron requires.
        max_rate : float
            Largest rate in Hz.  With 0 it is one spike per step for a perfect integrator, and
            `driving.default_rate` for other neurons.
        activations : function that returns an ndarray, optional
            The activations, in [0, 1], for which the f-I curve should be straight.  It is only
            called if the neuron is not a perfect integrator.  By default, all activations count
            equally.
        lowest : function that returns a float, optional
            The lowest activation, in units of the scale, at which a neuron must be silent.
        fluctuation : function that returns a float, optional
            Variance of the synaptic input, see `calibration.fluctuation`.  If the synaptic time
            constant is not given, it is then chosen long enough to average out the fluctuations.
        noise : {"auto", "none"} or float
            See `bioconv.codes.RateCode`.

        Raises
        ------
        ConversionError
            The neuron is not suited to the rate code; the message lists all reasons.
        """
        noise = "none" if noise == 0 else noise
        ask = Ask(dt, max_rate, activations, lowest, fluctuation, noise)
        problems = list(neuron_problems(neuron, ask))
        if problems:
            raise ConversionError("The rate code cannot use this neuron:", problems)
        single = nominal(neuron)
        known = integrating(single.model)
        if known and is_perfect(single) and not isinstance(noise, float | int):
            step = dt or 1.0
            rate = max_rate or 1000.0 / step
            gap = float(single.value(known.threshold)) - float(single.value(known.reset))
            gain = gap * float(single.value(known.capacitance)) * rate / 1000.0
            exact = not single.model.receptors[0].tau and single is neuron
            used = synapses(single, step, 0.0)
            return Membrane(single, step, rate, 0.0, gain, 0.0, used, exact, True)
        drive = choose(single, ask)
        fit, used = drive.fit, synapses(drive.neuron, drive.dt, drive.potential)
        problems = list(lift_problems(drive.neuron, fit.gain, drive.max_rate))
        if problems:
            raise ConversionError("The rate code cannot use this neuron:", problems)
        report = {"drive_rms": fit.rms, **drive.report}
        typical = np.linspace(0, 1, 101) if activations is None else activations()
        report |= {"adaptation_drift": found} if (found := drift(drive, typical)) else {}
        if len(used) > 1:
            report["mean_potential"] = drive.potential
        return Membrane(
            drive.neuron,
            drive.dt,
            drive.max_rate,
            fit.i0,
            fit.gain,
            fit.residual,
            used,
            False,
            integrating(drive.neuron.model) is not None,
            report,
        )

    def readout(self) -> Membrane:
        """Return the membrane of outputs, which only integrate and never spike.

        It is the same neuron if its threshold and its leak can be disabled, otherwise a perfect
        integrator with synapses of the same time constant.
        """
        if self.held:
            silenced = {self.known.threshold: NEVER}
            if not self.known.perfect:
                silenced[self.known.time_constant] = NO_LEAK
            return replace(self, current=0.0, silenced=silenced)
        tau = self.neuron.model.receptors[0].tau
        options = {"tau_syn": float(self.neuron.value(tau))} if tau else {}
        neuron = Integrator("exponential" if tau else "delta", **options)
        used = (Receiver("syn", 0, charge(neuron, "syn", self.dt)),)
        return replace(self, neuron=neuron, current=0.0, gain=1.0, synapses=used)

    @property
    def parameters(self) -> dict[str, Value]:
        """Return the parameters of a population of these neurons."""
        return {**self.neuron.parameters, **self.silenced}

    @property
    def known(self) -> Integrating:
        """Names of the parts of the model of a neuron that can be `held`.

        Raises
        ------
        ParameterError
            The neuron is not an integrate-and-fire neuron with current synapses.
        """
        found = integrating(self.neuron.model)
        if found is None:
            raise ParameterError(f"{self.neuron.model.name} is not an integrate-and-fire neuron.")
        return found

    @property
    def v_reset(self) -> float:
        """mV."""
        return float(self.neuron.value(self.known.reset))

    @property
    def v_th(self) -> float:
        """mV."""
        return float(self.neuron.value(self.known.threshold))

    @property
    def capacitance(self) -> float:
        """pF."""
        return float(self.neuron.value(self.neuron.model.role(roles.CAPACITANCE)))

    @property
    def grid(self) -> float:
        """Step in mV of which weights are whole multiples; 0 for no rounding."""
        return (self.v_th - self.v_reset) / STEPS_OF_GRID if self.exact else 0.0

    @property
    def current_grid(self) -> float:
        """Step in pA of which currents are whole multiples; 0 for no rounding."""
        return self.grid * self.capacitance / self.dt if self.exact else 0.0

    def weight(self, rate: float, synapse: Receiver) -> float:
        """Return the weight that represents 1 if the source fires at ``rate`` (Hz) at its scale."""
        return self.gain * 1000.0 / rate / synapse.charge

    def round_weights(self, operator: Operator) -> Operator:
        """Return the operator with its weights rounded to the grid."""
        return on_grid(operator, self.grid) if self.exact else operator

    def round_current(self, current: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return currents rounded to the grid."""
        return rounded(current, self.current_grid) if self.exact else current

    def start(self, fraction: float, operators: Iterable[Operator]) -> tuple[float, float]:
        """Return the start and reset potentials of a population with these input operators.

        Parameters
        ----------
        fraction : float
            Start value as a fraction of the distance from reset to threshold.
        operators : iterable of Operator

        Returns
        -------
        v_start, v_reset : float
            mV.
        """
        shift = 0.0
        if self.exact:
            shift = self.grid / (2 * lcm(*(denominator(operator) for operator in operators)))
        return self.v_reset + fraction * (self.v_th - self.v_reset) + shift, self.v_reset + shift


def denominator(operator: Operator) -> int:
    """Return the factor by which averages in an operator divide the grid of the weights."""
    match operator:
        case Chain(operators=parts):
            product = 1
            for part in parts:
                product *= denominator(part)
            return product
        case AveragePool():
            return lcm(*np.unique(operator.counts).tolist())
        case _:
            return 1


def on_grid(operator: Operator, grid: float) -> Operator:
    """Round the weights of an operator to multiples of ``grid``; 0 leaves them unchanged."""
    return operator.map_weights(lambda w: rounded(w, grid)) if grid else operator


def rounded(values: ArrayLike, grid: float) -> NDArray[np.float64]:
    """Round values to whole multiples of ``grid``."""
    return np.round(np.asarray(values, np.float64) / grid) * grid


def off_grid(values: ArrayLike, grid: float) -> NDArray[np.float64]:
    """Round values to the nearest midpoints between two multiples of ``grid``."""
    return (np.floor(np.asarray(values, np.float64) / grid) + 0.5) * grid
