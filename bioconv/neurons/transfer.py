"""What a neuron makes of a current: f-I curve, affine drive, charge of a spike.

"Rate code on any neuron": an activation a in [0, 1] stands for the rate ``a * max_rate``, so a
neuron is driven with the current ``i0 + gain * a`` whose rate comes closest to that.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import least_squares

from bioconv.errors import ParameterError
from bioconv.neurons.model import NeuronModel
from bioconv.neurons.neuron import Neuron
from bioconv.neurons.update import Values, update_of
from bioconv.timing import whole_steps

Floats = NDArray[np.float64]

_COARSE = np.concatenate([[0.0], np.logspace(-3, 8, 221)])  # pA: up to far beyond any neuron
_FINE = 1024


@dataclass(frozen=True)
class DriveFit:
    """The current ``i0 + gain * a`` in pA for an activation a.

    Parameters
    ----------
    i0, gain : float
        pA.
    residual : float
        Largest distance between the rate and ``a * max_rate``, as a share of ``max_rate``.
    """

    i0: float
    gain: float
    residual: float


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
        pA, in place of the neuron's own constant current.
    dt : float
        ms.
    duration, discard : float
        Time in ms that is simulated, and that is not counted at its beginning.

    Returns
    -------
    ndarray, shape (n,)
        Hz: intervals over the time that they take; where there are fewer than two spikes, spikes
        over the counted time.

    Raises
    ------
    ParameterError
        The model takes no constant current or never spikes, or times that are no whole steps.
    """
    model = neuron.model
    if not model.current or not model.threshold:
        raise ParameterError(f"{model.name} has no f-I curve: it needs a current and a threshold.")
    n_steps = whole_steps(duration, dt)
    first = whole_steps(discard, dt, "discard")
    if not 0 <= first < n_steps:
        raise ParameterError(f"discard = {discard} ms must be shorter than {duration} ms.")
    flat = np.asarray(currents, np.float64).reshape(-1)
    parameters = {p.name: neuron.value(p.name) for p in model.parameters} | {model.current: flat}
    constants = update_of(model).constants(parameters, dt)
    start = {
        s.name: np.full(
            len(flat), parameters[s.initial] if isinstance(s.initial, str) else s.initial
        )
        for s in model.states
    }
    period = whole_steps(float(neuron.value(model.refractory)), dt) if model.refractory else 0
    with jax.enable_x64(True):
        found = _spike_times(model, constants, start, period, dt, first, n_steps)
    count, earliest, latest = (np.asarray(array) for array in found)
    with np.errstate(divide="ignore", invalid="ignore"):
        steady = (count - 1) / ((latest - earliest) * dt)
    return 1e3 * np.where(count >= 2, steady, count / ((n_steps - first) * dt))


@partial(jax.jit, static_argnums=0)
def _spike_times(
    model: NeuronModel,
    constants: Values,
    start: Values,
    period: Any,
    dt: Any,
    first: Any,
    n_steps: Any,
) -> tuple[Any, Any, Any]:
    """Number of spikes from step ``first`` on, and the steps of the first and the last one."""
    update = update_of(model)
    zeros = jnp.zeros(next(iter(start.values())).shape, jnp.int64)

    def step(number: Any, carry: Any) -> Any:
        (state, wait), (count, earliest, latest) = carry
        values = {**constants, "t": number * dt}
        wait = wait if model.refractory else None
        state, wait, fired = update.step(state, wait, values, {}, period)
        counted = fired & (number >= first)
        earliest = jnp.where(counted & (count == 0), number, earliest)
        latest = jnp.where(counted, number, latest)
        return (state, zeros if wait is None else wait), (count + counted, earliest, latest)

    state = {name: jnp.asarray(value, jnp.float64) for name, value in start.items()}
    carry = (state, zeros), (zeros, zeros, zeros)
    return lax.fori_loop(0, n_steps, step, carry)[1]


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
        The activations that count, e.g. those of the calibration data, in units of the layer's
        scale; by default evenly spaced in [0, 1].

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
    if _is_linear(neuron) and max_rate * dt <= 1e3:
        gap = float(neuron.value("v_th")) - float(neuron.value("v_reset"))
        return DriveFit(0.0, max_rate * 1e-3 * float(neuron.value("c_m")) * gap, 0.0)
    currents, rates = _sampled_curve(neuron, max_rate, dt)
    a = np.linspace(0, 1, 101) if activations is None else np.asarray(activations, np.float64)
    a = np.clip(a.reshape(-1), 0.0, 1.0)
    low, high = np.interp([0.2 * max_rate, max_rate], rates, currents)
    gain = (high - low) / 0.8
    scale = np.array([gain, gain])

    def rate(x: Floats) -> Floats:
        return np.interp(x[0] * scale[0] + x[1] * scale[1] * a, currents, rates) / max_rate

    guess = np.array([(high - gain) / gain, 1.0])
    # Rates of sampled curves are steps on a small scale: differences need a finite width.
    best = least_squares(lambda x: rate(x) - a, guess, diff_step=1e-3).x
    residual = float(np.abs(rate(best) - a).max())
    return DriveFit(float(best[0] * scale[0]), float(best[1] * scale[1]), residual)


def charge(neuron: Neuron, receptor: str, dt: float) -> float:
    """Charge in pA ms that a spike of weight 1 brings in the discretised model.

    Parameters
    ----------
    neuron : Neuron
    receptor : str
    dt : float
        ms.

    Returns
    -------
    float
        Delta synapse: c_m.  Exponential synapse: tau, since exact solution and Runge-Kutta
        methods (Euler among them) keep ``v c_m + i tau`` without a leak; exponential Euler holds
        the current of the start of a step for the whole step: dt / (1 - exp(-dt / tau)).

    Raises
    ------
    ParameterError
        A delta synapse on a model without capacitance ``c_m``.
    """
    model = neuron.model
    tau = model.receptor(receptor).tau
    if not tau:
        return float(neuron.value("c_m"))
    time = float(neuron.value(tau))
    if model.method == "exponential_euler":
        return dt / -float(np.expm1(-dt / time))
    return time


def _is_linear(neuron: Neuron) -> bool:
    """Whether the rate is exactly proportional to a constant current."""
    model = neuron.model
    names = {state.name for state in model.states} - {r.variable for r in model.receptors if r.tau}
    slopes = [e.expression for e in model.parsed_equations if e.differential and e.name == "v"]
    drive = "".join([model.current, *(f" + {r.variable}" for r in model.receptors if r.tau)])
    return (
        names == {"v"}
        and slopes == [f"({drive}) / c_m"]
        and model.reset == "v -= v_th - v_reset"
        and (not model.refractory or not np.any(neuron.value(model.refractory)))
    )


def _sampled_curve(neuron: Neuron, max_rate: float, dt: float) -> tuple[Floats, Floats]:
    """Currents and rates (not falling) from silence to beyond ``max_rate``."""
    n_steps = int(np.ceil(100e3 / (max_rate * dt)))  # a hundred spikes at the top
    times = {"dt": dt, "duration": n_steps * dt, "discard": (n_steps // 5) * dt}
    rates = np.maximum.accumulate(fi_curve(neuron, _COARSE, **times))
    if rates[-1] < max_rate:
        raise ParameterError(
            f"{neuron.model.name} fires at most {rates[-1]:.4g} Hz at dt = {dt} ms. "
            f"Choose max_rate below that. Received: {max_rate:.4g} Hz."
        )
    silent = _COARSE[max(int(np.searchsorted(rates, 0.0, side="right")) - 1, 0)]
    top = _COARSE[min(int(np.searchsorted(rates, max_rate)) + 1, len(_COARSE) - 1)]
    currents = np.linspace(silent, top, _FINE)
    return currents, np.maximum.accumulate(fi_curve(neuron, currents, **times))
