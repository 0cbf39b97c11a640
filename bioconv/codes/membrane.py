"""How the rate code drives a neuron: currents, weights, start values, and the grid they lie on.

The grid (`Membrane.round_weight`, `Membrane.start`) is what makes a perfect integrator spike alike
in every simulator.  Simulators add the same numbers in other orders and in other units, so their
membrane potentials differ by rounding, about 1e-13 of the threshold, and where a potential meets
the threshold exactly, one spikes and the other does not.  Networks make that happen often: equal
weights, pixels of 0 and 1.  So all weights are whole multiples of g = (v_th - v_reset) 2^-30, all
currents of g c_m / dt, and the potential starts (and is reset to a value) half a multiple off:
in exact arithmetic every potential then stays half a multiple away from the threshold, far more
than rounding moves it.  An average over n cells divides the grid by n; `Membrane.start` does the
same with the distance.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from math import lcm

import numpy as np
from numpy.typing import NDArray

from bioconv.errors import ConversionError, Problem
from bioconv.neurons import IntegrateAndFire, Neuron
from bioconv.neurons.transfer import charge, fit_drive
from bioconv.operators import AveragePool, Chain, Operator

#: a threshold that nothing reaches, in mV
NEVER = 1e9
#: a membrane time constant without leak, in ms
NO_LEAK = 1e6
_STEPS_OF_GRID = 2.0**30
_NEEDED = ("v_th", "v_reset", "c_m")


@dataclass(frozen=True)
class Membrane:
    """A neuron under the rate code.

    Parameters
    ----------
    neuron : Neuron
    dt : float
        ms.
    max_rate : float
        Rate in Hz of the activation 1.
    current : float
        Current in pA at the activation 0.
    gain : float
        pA a unit of activation.
    residual : float
        Largest distance between the rate and the straight line, as a share of ``max_rate``.
    charge : float
        pA ms that a spike of weight 1 brings.
    exact : bool
        A perfect integrator with delta synapses: what it adds up lies on a grid.
    """

    neuron: Neuron
    dt: float
    max_rate: float
    current: float
    gain: float
    residual: float
    charge: float
    exact: bool

    @staticmethod
    def of(
        neuron: Neuron,
        dt: float,
        max_rate: float,
        activations: Callable[[], NDArray[np.float64]] | None = None,
    ) -> Membrane:
        """The membrane of ``neuron``, its drive fitted if it is no perfect integrator.

        Parameters
        ----------
        neuron : Neuron
        dt : float
            ms.
        max_rate : float
            Hz; 0: one spike a step for a perfect integrator, else `default_rate`.
        activations : function that returns an ndarray, optional
            The activations, in [0, 1], for which the f-I curve should be straight; asked only if
            the neuron is no perfect integrator.  Default: all alike.

        Raises
        ------
        ConversionError
            With every reason why a rate cannot be put on this neuron.
        """
        problems = list(_problems(neuron, dt, max_rate))
        if problems:
            raise ConversionError("The rate code cannot use this neuron:", problems)
        receptor = neuron.model.receptors[0].name
        brought = charge(neuron, receptor, dt)
        if _is_perfect(neuron):
            rate = max_rate or 1000.0 / dt
            gap = float(neuron.value("v_th")) - float(neuron.value("v_reset"))
            gain = gap * float(neuron.value("c_m")) * rate / 1000.0
            exact = not neuron.model.receptors[0].tau
            return Membrane(neuron, dt, rate, 0.0, gain, 0.0, brought, exact)
        rate = max_rate or default_rate(neuron, dt)
        typical = None if activations is None else activations()
        fit = fit_drive(neuron, rate, dt, typical)
        return Membrane(neuron, dt, rate, fit.i0, fit.gain, fit.residual, brought, False)

    @property
    def receptor(self) -> str:
        """Name of the receptor, which takes weights of both signs."""
        return self.neuron.model.receptors[0].name

    @property
    def resets_to_value(self) -> bool:
        """Whether a spike sets the potential to ``v_reset``."""
        return self.neuron.model.reset == "v = v_reset"

    @property
    def never_spiking(self) -> dict[str, float]:
        """Parameters that make the neuron only add up its input."""
        known = {parameter.name for parameter in self.neuron.model.parameters}
        wanted = {"v_th": NEVER, "tau_m": NO_LEAK}
        return {name: value for name, value in wanted.items() if name in known}

    @property
    def v_reset(self) -> float:
        """mV."""
        return float(self.neuron.value("v_reset"))

    @property
    def v_th(self) -> float:
        """mV."""
        return float(self.neuron.value("v_th"))

    @property
    def grid(self) -> float:
        """Weights in mV are whole multiples of this; 0: not rounded."""
        return (self.v_th - self.v_reset) / _STEPS_OF_GRID if self.exact else 0.0

    @property
    def current_grid(self) -> float:
        """Currents in pA are whole multiples of this; 0: not rounded."""
        return self.grid * float(self.neuron.value("c_m")) / self.dt

    def weight(self, rate: float) -> float:
        """Weight that stands for 1 if the source fires at ``rate`` (Hz) for its scale."""
        return self.gain * 1000.0 / rate / self.charge

    def round_weights(self, operator: Operator) -> Operator:
        """The operator with its weights on the grid."""
        return operator.map_weights(lambda w: _round(w, self.grid)) if self.exact else operator

    def round_current(self, current: NDArray[np.float64]) -> NDArray[np.float64]:
        """Currents on the grid."""
        return _round(current, self.current_grid) if self.exact else current

    def start(self, fraction: float, operators: Iterable[Operator]) -> tuple[float, float]:
        """Start and reset potential of a population with these operators in front of it.

        Parameters
        ----------
        fraction : float
            Of the way from reset to threshold.
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


def _problems(neuron: Neuron, dt: float, max_rate: float) -> Iterator[Problem]:
    """Why the rate code cannot use a neuron; nothing if it can."""
    model = neuron.model
    known = {parameter.name for parameter in model.parameters}
    missing = [name for name in _NEEDED if name not in known]
    if missing:
        yield Problem(model.name, "neuron", f"it has no parameter {', '.join(missing)}.", _ADVICE)
    if not model.current or not model.receptors or not model.threshold:
        reason = "it needs a constant current, a receptor and a threshold."
        yield Problem(model.name, "neuron", reason, _ADVICE)
    arrays = [name for name in neuron.parameters if np.ndim(neuron.value(name))]
    if arrays:
        reason = f"{', '.join(arrays)} differ between neurons."
        yield Problem(model.name, "neuron", reason, "Give one value; vary it after conversion.")
    if missing or arrays:
        return
    if neuron.value("v_th") <= neuron.value("v_reset"):
        yield Problem(model.name, "neuron", "v_th must lie above v_reset.")
    fastest = 1000.0 / (dt + float(neuron.value(model.refractory) if model.refractory else 0.0))
    if max_rate > fastest * (1 + 1e-9):
        reason = f"it cannot fire at max_rate = {max_rate:g} Hz with a step of {dt:g} ms."
        yield Problem(model.name, "neuron", reason, f"Use at most {fastest:g} Hz.")


_ADVICE = "Use a neuron of bioconv.neurons.library()."


def default_rate(neuron: Neuron, dt: float) -> float:
    """Rate in Hz for the activation 1 of a neuron that is no perfect integrator.

    At most 200 Hz, and slow enough that an interval has five steps beside the refractory period:
    with fewer, a constant current gives only a few different rates.
    """
    pause = float(neuron.value(neuron.model.refractory)) if neuron.model.refractory else 0.0
    return min(200.0, 1000.0 / (5 * dt + pause))


def _is_perfect(neuron: Neuron) -> bool:
    """Whether the neuron adds up without leak and without a pause."""
    family = [
        IntegrateAndFire(reset, synapse).model
        for reset in ("subtraction", "value")
        for synapse in ("delta", "exponential")
    ]
    return neuron.model in family and float(neuron.value("t_ref")) == 0.0


def denominator(operator: Operator) -> int:
    """By how much averages divide the grid of the weights around them."""
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


def _round(values: NDArray[np.float64], grid: float) -> NDArray[np.float64]:
    return np.round(np.asarray(values, np.float64) / grid) * grid
