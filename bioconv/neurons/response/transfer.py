"""What a neuron makes of a current: f-I curve, affine drive, charge of a spike.

"Rate code on any neuron": an activation a in [0, 1] stands for the rate ``a * max_rate``, so a
neuron is driven with the current ``i0 + gain * a`` whose rate comes closest to that.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import isotonic_regression, least_squares

from bioconv.ground.errors import ParameterError
from bioconv.neurons.language import roles
from bioconv.neurons.language.model import NeuronModel, Receptor
from bioconv.neurons.language.neuron import Neuron
from bioconv.neurons.language.update import evaluate
from bioconv.neurons.response.curves import Curve, measure_curve, rising_branch
from bioconv.neurons.response.integrators import Integrating, integrating

Floats = NDArray[np.float64]

#: share of the largest rate that passes for silence
_SILENCE = 0.005
#: share of the largest rate by which a curve jumps between two measured currents
_JUMP = 0.08
#: where the point before a jump is put: share of the distance of the two currents
_BEFORE_JUMP = 1e-3
#: relative width of the differences of the fit, wider than the steps of sampled rates
_DIFFERENCE = 1e-3
#: drives that a fit starts from: i0 below rheobase, and gain, in units of the span of currents
_GUESSES = np.stack(
    np.meshgrid(-np.logspace(-3, 0.6, 25), np.linspace(0.1, 4.0, 40)), axis=-1
).reshape(-1, 2)


@dataclass(frozen=True)
class DriveFit:
    """The current ``i0 + gain * a`` for an activation a.

    Parameters
    ----------
    i0, gain : float
        In the unit of the model's current parameter.
    residual : float
        Largest distance between the rate and ``a * max_rate``, as a share of ``max_rate``.
    rms : float
        Root of the mean squared distance, as a share of ``max_rate``.
    """

    i0: float
    gain: float
    residual: float
    rms: float = 0.0


def fi_curve(
    neuron: Neuron,
    currents: ArrayLike,
    *,
    dt: float,
    duration: float = 1000.0,
    discard: float = 200.0,
) -> Floats:
    """Steady firing rates for constant currents, all in one run, in float64.

    Parameters
    ----------
    neuron : Neuron
        With parameters that are the same for all neurons, and a parameter for constant current.
    currents : array of float, shape (n,)
        In place of the neuron's own constant current, in its unit.
    dt : float
        ms.
    duration, discard : float
        Time in ms that is simulated, and that is not counted at its beginning.

    Returns
    -------
    ndarray, shape (n,)
        Hz: intervals over the time that they take; where there are fewer than two spikes, or
        bursts, spikes over the counted time.

    Raises
    ------
    ParameterError
        The model takes no constant current or never spikes, or times that are no whole steps.
    """
    return measure_curve(neuron, currents, dt=dt, duration=duration, discard=discard).rates


def fit_drive(
    neuron: Neuron, max_rate: float, dt: float, activations: ArrayLike | None = None
) -> DriveFit:
    """The affine drive whose rates come closest to ``a * max_rate`` (least squares).

    Parameters
    ----------
    neuron : Neuron
    max_rate : float
        Rate in Hz of the activation 1.
    dt : float
        ms.
    activations : array of float, optional
        See `fit_curve`.

    Returns
    -------
    DriveFit
        For a perfect integrator with reset by subtraction and no refractory period in closed
        form: ``i0 = 0``, ``gain = max_rate c_m (v_th - v_reset)``, no residual.

    Raises
    ------
    ParameterError
        The neuron cannot fire that fast.
    """
    if not max_rate > 0:
        raise ParameterError(f"max_rate must be above 0 Hz. Received: {max_rate}.")
    known = integrating(neuron.model)
    if known and _is_linear(neuron, known) and max_rate * dt <= 1e3:
        gap = float(neuron.value(known.threshold)) - float(neuron.value(known.reset))
        return DriveFit(0.0, max_rate * 1e-3 * float(neuron.value(known.capacitance)) * gap, 0.0)
    return fit_curve(rising_branch(neuron, dt, max_rate), max_rate, activations)


def fit_curve(curve: Curve, max_rate: float, activations: ArrayLike | None = None) -> DriveFit:
    """The affine drive whose rates on a measured curve come closest to ``a * max_rate``.

    Parameters
    ----------
    curve : Curve
        From silence to ``max_rate`` or beyond.
    max_rate : float
        Rate in Hz of the activation 1.
    activations : array of float, optional
        The activations that count, e.g. those of the calibration data, in units of the layer's
        scale; by default evenly spaced in [0, 1].

    Returns
    -------
    DriveFit
        With an ``i0`` at which the neuron is silent, so that activations from 0 down are.
    """
    a = np.linspace(0, 1, 101) if activations is None else np.asarray(activations, np.float64)
    a = np.clip(a.reshape(-1), 0.0, 1.0)
    rates = isotonic_regression(curve.rates).x  # noise, and rates of few steps, go up and down
    last = int(np.searchsorted(rates, _SILENCE * max_rate)) - 1
    silent = float(curve.currents[max(last, 0)])
    span = float(np.interp(max_rate, rates, curve.currents)) - silent
    currents, rates = _with_jumps(curve.currents, rates, _JUMP * max_rate)

    def distance(x: Floats) -> Floats:
        current = silent + span * (x[..., :1] + x[..., 1:] * a)
        return np.interp(current, currents, rates) / max_rate - a

    # Curves that jump have many minima; rates of sampled curves are steps on a small scale, so
    # that differences need a finite width.
    tried = _GUESSES[np.argmin([np.sum(distance(x) ** 2) for x in _GUESSES])]
    bounds = ([-np.inf, 0.0], [0.0, np.inf])
    best = least_squares(distance, tried, diff_step=_DIFFERENCE, bounds=bounds).x
    error = distance(best)
    return DriveFit(
        float(silent + span * best[0]),
        float(span * best[1]),
        float(np.abs(error).max()),
        float(np.sqrt(np.mean(error**2))),
    )


def _with_jumps(currents: Floats, rates: Floats, jump: float) -> tuple[Floats, Floats]:
    """The curve with a point before each jump, so that no drive lives on what lies between."""
    after = np.flatnonzero(np.diff(rates) > jump) + 1
    before = currents[after] - _BEFORE_JUMP * (currents[after] - currents[after - 1])
    return np.insert(currents, after, before), np.insert(rates, after, rates[after - 1])


def charge(neuron: Neuron, receptor: str, dt: float, potential: float | None = None) -> float:
    """Charge that a spike of weight 1 brings in the discretised model.

    Parameters
    ----------
    neuron : Neuron
    receptor : str
    dt : float
        ms.
    potential : float, optional
        Mean membrane potential in mV, for a synaptic conductance, whose current depends on it.

    Returns
    -------
    float
        pA ms (ms in a dimensionless model).  Delta synapse: the capacitance c_m.  Exponential
        synapse: tau, since exact solution and Runge-Kutta methods (Euler among them) keep
        ``v c_m + i tau`` without a leak; exponential Euler holds the current of the start of a
        step for the whole step:
        dt / (1 - exp(-dt / tau)).  Alpha synapse: e times as much.  Conductance: times the
        distance of ``potential`` to the reversal potential, negative for inhibition.

    Raises
    ------
    ParameterError
        A delta synapse on a model without capacitance, a conductance without potential.
    """
    model, entry = neuron.model, neuron.model.receptor(receptor)
    if not entry.tau:
        if not charges_membrane(model, entry):
            raise ParameterError(
                f"{model.name} has no parameter with the role {roles.CAPACITANCE!r} that a delta "
                "synapse would charge. Use synapse='exponential'."
            )
        return float(neuron.value(model.role(roles.CAPACITANCE)))
    time = tau = float(neuron.value(entry.tau))
    if model.method == "exponential_euler":
        time = dt / -float(np.expm1(-dt / tau))
    brought = time * _peak(neuron, entry) * tau
    if not entry.reversal:
        return brought
    if potential is None:
        raise ParameterError(f"the charge on {receptor} of {model.name} depends on the potential.")
    return brought * (float(neuron.value(entry.reversal)) - potential)


def charges_membrane(model: NeuronModel, receptor: Receptor) -> bool:
    """Whether a delta synapse brings charge: it acts on a potential with a known capacitance."""
    return receptor.variable == model.potential != "" and bool(model.role(roles.CAPACITANCE))


def _peak(neuron: Neuron, receptor: Receptor) -> float:
    """Gain in 1/ms from the variable that receives spikes to the current: 1 / tau, or e / tau.

    An alpha synapse has two variables: the first receives spikes and drives the second.
    """
    model, tau = neuron.model, float(neuron.value(receptor.tau))
    own = {receptor.tau, *receptor.variables}
    for equation in model.parsed_equations:
        if equation.differential and equation.name not in receptor.variables:
            tree = ast.parse(equation.expression, mode="eval").body
            names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
            if receptor.variable in names and names <= own | {equation.name}:
                values = {receptor.variable: 1.0, equation.name: 0.0, receptor.tau: tau}
                return float(evaluate(tree, values, np))
    return 1.0 / tau


def _is_linear(neuron: Neuron, known: Integrating) -> bool:
    """Whether the rate is exactly proportional to a constant current."""
    pauses = np.any(neuron.value(neuron.model.refractory))
    return known.perfect and known.subtracts and known.instant and not pauses


__all__ = [
    "Curve",
    "DriveFit",
    "charge",
    "fi_curve",
    "fit_curve",
    "fit_drive",
    "measure_curve",
    "rising_branch",
]
