"""Transfer function of a neuron: f-I curve, affine drive, and charge of a spike.

The rate code represents an activation a in [0, 1] by the rate ``a * max_rate``.  Any neuron is
therefore driven by the current ``i0 + gain * a`` for which its rate comes closest to this.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bioconv.ground.errors import ParameterError
from bioconv.neurons.language import roles
from bioconv.neurons.language.evaluation import evaluate
from bioconv.neurons.language.model import NeuronModel, Receptor
from bioconv.neurons.language.neuron import Neuron
from bioconv.neurons.response.curves import Curve, measure_curve, rising_branch
from bioconv.neurons.response.integrators import Integrating, integrating

Floats = NDArray[np.float64]

#: share of the largest rate that counts as silence
_SILENCE = 0.005
#: smallest change between two measured currents that is a jump, as a share of the largest rate
_JUMP = 0.08
#: distance of the point inserted before a jump, as a share of the distance of the two currents
_BEFORE_JUMP = 1e-3
#: relative width of the finite differences of the fit, wider than the steps of sampled rates
_DIFFERENCE = 1e-3
#: start values of the fit: i0 below rheobase, and gain, in units of the span of currents
_GUESSES = np.stack(
    np.meshgrid(-np.logspace(-3, 0.6, 25), np.linspace(0.1, 4.0, 40)), axis=-1
).reshape(-1, 2)


@dataclass(frozen=True)
class DriveFit:
    """Affine drive: the current ``i0 + gain * a`` for an activation a.

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
    """Measure steady firing rates for constant currents in a single run, in float64.

    Parameters
    ----------
    neuron : Neuron
        Its parameters must be the same for all neurons, and one must be a constant current.
    currents : array of float, shape (n,)
        Constant currents, which replace that of the neuron, in its unit.
    dt : float
        ms.
    duration, discard : float
        Simulated time, and initial part of it that is not counted, in ms.

    Returns
    -------
    ndarray, shape (n,)
        Rates in Hz: the number of intervals divided by their total duration, or for bursts and for
        fewer than two spikes, the number of spikes divided by the counted time.

    Raises
    ------
    ParameterError
        The model has no constant current or never spikes, or a time is not a multiple of ``dt``.
    """
    return measure_curve(neuron, currents, dt=dt, duration=duration, discard=discard).rates


def fit_drive(
    neuron: Neuron, max_rate: float, dt: float, activations: ArrayLike | None = None
) -> DriveFit:
    """Fit the affine drive whose rates come closest to ``a * max_rate`` (least squares).

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
        For a perfect integrator with reset by subtraction and no refractory period, it is given in
        closed form: ``i0 = 0``, ``gain = max_rate c_m (v_th - v_reset)``, without a residual.

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
    """Fit the affine drive whose rates on a measured curve come closest to ``a * max_rate``.

    Parameters
    ----------
    curve : Curve
        From silence to ``max_rate`` or beyond.
    max_rate : float
        Rate in Hz of the activation 1.
    activations : array of float, optional
        The activations for which the distance is minimized, such as those of the calibration data,
        in units of the scale of the layer.  By default they are evenly spaced in [0, 1].

    Returns
    -------
    DriveFit
        The neuron is silent at its ``i0``, and therefore for activations of 0 and below.
    """
    from scipy.optimize import isotonic_regression, least_squares  # takes long to import

    a = np.linspace(0, 1, 101) if activations is None else np.asarray(activations, np.float64)
    a = np.clip(a.reshape(-1), 0.0, 1.0)
    rates = isotonic_regression(curve.rates).x  # removes effects of noise and discrete rates
    last = int(np.searchsorted(rates, _SILENCE * max_rate)) - 1
    silent = float(curve.currents[max(last, 0)])
    span = float(np.interp(max_rate, rates, curve.currents)) - silent
    currents, rates = _with_jumps(curve.currents, rates, _JUMP * max_rate)

    def distance(x: Floats) -> Floats:
        current = silent + span * (x[..., :1] + x[..., 1:] * a)
        return np.interp(current, currents, rates) / max_rate - a

    # Fits of curves with jumps have many minima.  Rates of sampled curves form small steps, so that
    # finite differences must not be too narrow.
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
    """Insert a point before each jump, so that no drive relies on interpolation across it."""
    after = np.flatnonzero(np.diff(rates) > jump) + 1
    before = currents[after] - _BEFORE_JUMP * (currents[after] - currents[after - 1])
    return np.insert(currents, after, before), np.insert(rates, after, rates[after - 1])


def charge(neuron: Neuron, receptor: str, dt: float, potential: float | None = None) -> float:
    """Return the charge that a spike of weight 1 delivers in the discretised model.

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
        Charge in pA ms (ms in a dimensionless model).  For a delta synapse it is the capacitance
        c_m.  For an exponential synapse it is tau, because the exact solution and Runge-Kutta
        methods (including Euler) conserve ``v c_m + i tau`` without a leak.  With exponential
        Euler, which uses the current at the start of a step for the whole step, it is
        dt / (1 - exp(-dt / tau)).  For an alpha synapse it is e times as large.  For a conductance
        it is multiplied by the distance of ``potential`` to the reversal potential, which is
        negative for inhibition.

    Raises
    ------
    ParameterError
        A model with a delta synapse has no capacitance, or ``potential`` is missing for a
        conductance.
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
    """Whether a delta synapse delivers charge, to a potential with a known capacitance."""
    return receptor.variable == model.potential != "" and bool(model.role(roles.CAPACITANCE))


def _peak(neuron: Neuron, receptor: Receptor) -> float:
    """Return the gain in 1/ms from the variable that receives spikes to the current.

    It is 1 / tau, or e / tau for an alpha synapse, which has two variables: the first receives
    spikes and drives the second.
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
