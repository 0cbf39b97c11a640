"""Neurons of the exact first-spike code with double-exponential postsynaptic potentials.

The postsynaptic potential of stanojevic Eq 3.15, ``(1 - exp(-t / tau_1)) exp(-t / tau_2)``, is the
response of a leaky integrate-and-fire neuron with ``tau_m = tau_2`` to a current that decays with
``tau_syn = tau_1 tau_2 / (tau_1 + tau_2)``.  For short times, it rises with the slope ``1 / tau_1``
(Eq 3.16), like that of the neurons with linear potentials, which it replaces (Eq 3.17).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from bioconv.codes.first_spike_exact.code import FirstSpikeExactCode
from bioconv.codes.first_spike_exact.neurons import FIRED, T_FIRST, T_OPEN, V_TH, t_close
from bioconv.codes.first_spike_exact.schedule import Schedule
from bioconv.neurons.language import roles
from bioconv.neurons.language.model import NeuronModel, Parameter, Receptor, State
from bioconv.neurons.language.neuron import Neuron, Value
from bioconv.neurons.library.parts import I_OFFSET, POSITIVE, c_m, tau_m

Array = Any
#: function of the time since a spike, and of a module
Part = Callable[..., Array]

_SOURCE = "Stanojevic 2023, thesis, EPFL, section 3.6.1, Eqs 3.15, 3.17"
_REFERENCES = ("stanojevic2023",)
#: Newton steps from the crossing of the linear potential; they converge quadratically
_NEWTON_STEPS = 8

_STATES = (
    State("v", 0.0, "mV", "Membrane potential", kind=roles.MEMBRANE_POTENTIAL),
    State("i_syn", 0.0, "pA", "Synaptic current", kind=roles.SYNAPTIC),
)
_TIMES = (
    tau_m(20.0),
    Parameter(
        "tau_syn",
        20.0 / 3,
        "ms",
        "Decay time constant of the synaptic current",
        (POSITIVE, 1e9),
        role=roles.TIME_CONSTANT,
    ),
)


def _pulse(current: str, time: str) -> str:
    """Return a current that arrives at a time, like a spike."""
    return f"{current} * int(t + 1.5*dt >= {time}) * int(t + 0.5*dt < {time}) / dt"


def FirstSpikeDecaying(**parameters: Value) -> Neuron:
    """Leaky neuron whose single spike is earlier for larger values of the ReLU of its inputs.

    The slope alpha and the weights of padding cells act like spikes at the start of the input and
    at the opening of the window.

    Parameters
    ----------
    **parameters : float or ndarray
        v_th 1 mV; c_m 1 pF; tau_m 20 ms; tau_syn 20/3 ms; i_offset 0 pA (pulse at t_start); i_open
        0 pA (pulse at t_open); t_start, t_open, t_first 0 ms; t_close 1e6 ms; slope 0 mV/ms.

    Returns
    -------
    Neuron

    Raises
    ------
    ParameterError
    """
    model = NeuronModel(
        name="first_spike_decaying",
        equations="\n".join(
            [
                "dv/dt = i_syn / c_m - v / tau_m : volt",
                f"di_syn/dt = {_pulse('i_offset', 't_start')} + {_pulse('i_open', 't_open')}"
                " - i_syn / tau_syn : amp",
                "dfired/dt = 0*Hz : 1",
            ]
        ),
        threshold="fired < 0.5 and ((v + 0.5*dt*slope >= v_th and t + 1.5*dt >= t_first)"
        " or t + 1.5*dt >= t_close)",
        reset="fired = 1",
        method="euler",
        parameters=(
            V_TH,
            c_m(1.0),
            *_TIMES,
            I_OFFSET,
            Parameter("i_open", 0.0, "pA", "Synaptic current that arrives at t_open"),
            Parameter("t_start", 0.0, "ms", "Arrival of the current i_offset", moment=True),
            T_OPEN,
            T_FIRST,
            t_close("fire"),
            Parameter("slope", 0.0, "mV/ms", "Slope of the linear potential", role=roles.SLOPE),
        ),
        states=(*_STATES, FIRED),
        receptors=(Receptor("syn", "i_syn", "pA"),),
        source=_SOURCE,
        references=_REFERENCES,
    )
    return Neuron(model, parameters)


def DecayingIntegrator(**parameters: Value) -> Neuron:
    """Output with double-exponential postsynaptic potentials that never fires.

    Parameters
    ----------
    **parameters : float or ndarray
        c_m 1 pF; tau_m 20 ms; tau_syn 20/3 ms; i_offset 0 pA (pulse at t_start); t_start 0 ms;
        t_close 1e6 ms (the potential is constant from then on).

    Returns
    -------
    Neuron

    Raises
    ------
    ParameterError
    """
    model = NeuronModel(
        name="first_spike_decaying_integrator",
        kind=roles.READOUT,
        equations="\n".join(
            [
                "dv/dt = (i_syn / c_m - v / tau_m) * int(t + 0.5*dt < t_close) : volt",
                f"di_syn/dt = {_pulse('i_offset', 't_start')} - i_syn / tau_syn : amp",
            ]
        ),
        threshold="",
        reset="",
        method="euler",
        parameters=(
            c_m(1.0),
            *_TIMES,
            I_OFFSET,
            Parameter("t_start", 0.0, "ms", "Arrival of the current i_offset", moment=True),
            Parameter("t_close", 1e6, "ms", "End of integration", moment=True),
        ),
        states=_STATES,
        receptors=(Receptor("syn", "i_syn", "pA"),),
        source=_SOURCE,
        references=_REFERENCES,
    )
    return Neuron(model, parameters)


@dataclass(frozen=True)
class Decay:
    """Time constants of a postsynaptic potential, in the unit in which times are given.

    Parameters
    ----------
    tau_m, tau_syn : float
    """

    tau_m: float
    tau_syn: float

    @staticmethod
    def of(code: FirstSpikeExactCode, schedule: Schedule, layers: list[str]) -> Decay | None:
        """Return the time constants in ms for these layers; None for linear potentials.

        ``tau_1`` of the code is relative to the longest interval from the opening of a layer's
        source to the end of its own window (Eq 3.18).
        """
        if code.response == "linear":
            return None
        windows = [schedule.windows[name] for name in layers]
        longest = max((w.close - w.start for w in windows), default=1) * schedule.dt
        return Decay.from_published(code.tau_1 * longest, code.tau_1 * code.tau_2 * longest)

    @staticmethod
    def from_published(tau_1: float, tau_2: float) -> Decay:
        """Return the time constants of the neuron for those of Eq 3.15."""
        return Decay(tau_2, tau_1 * tau_2 / (tau_1 + tau_2))

    def in_units(self, unit: float) -> Decay:
        """Return the time constants in units of ``unit`` ms."""
        return Decay(self.tau_m / unit, self.tau_syn / unit)

    @property
    def gain(self) -> float:
        """The time constant tau_1, the inverse of the slope of Eq 3.15 at 0."""
        return self.tau_m * self.tau_syn / (self.tau_m - self.tau_syn)

    def potential(self, elapsed: Any, ops: Any = jnp) -> Any:
        """Return the potential after a spike whose weight changes the slope by 1.

        Parameters
        ----------
        elapsed : float or array
            Time since the arrival of the spike.
        ops : module
            NumPy, for double precision, or ``jax.numpy``.
        """
        slow, fast = (part(elapsed, ops) for part in self.parts)
        return slow - fast

    def slope(self, elapsed: Any, ops: Any = jnp) -> Any:
        """Return the slope of that potential, which is 1 at first."""
        slow, fast = (part(elapsed, ops) for part in self.parts)
        return 1.0 + fast / self.tau_syn - slow / self.tau_m

    @property
    def parts(self) -> tuple[Part, Part]:
        """The slow and the fast part of the potential after a spike, minus their value at 0."""
        return partial(_part, self.gain, self.tau_m), partial(_part, self.gain, self.tau_syn)

    def crossing(self, slow: Array, fast: Array, slope: Array, needed: Array) -> Array:
        """Return the time from the opening of a window to the spike; infinite without a crossing.

        Parameters
        ----------
        slow, fast : array
            Sums over spikes of weight times part of the potential, at the opening.
        slope : array
            Sum of all weights, and of the pulse at the opening.
        needed : array
            Potential at which the neuron fires.
        """
        amplitudes = (self.gain * slope + slow, self.gain * slope + fast)

        def at(time: Array, parts: tuple[Array, Array]) -> tuple[Array, Array]:
            a, b = parts[0] * jnp.exp(-time / self.tau_m), parts[1] * jnp.exp(-time / self.tau_syn)
            return a - b, b / self.tau_syn - a / self.tau_m

        fixed, goal = jax.lax.stop_gradient((amplitudes, needed))
        time = jnp.zeros_like(fixed[0] - goal)
        for _ in range(_NEWTON_STEPS):
            value, rise = at(time, fixed)
            time = jnp.where(
                rise > 0, time + (goal - value) / jnp.where(rise > 0, rise, 1), jnp.inf
            )
        value, rise = at(jnp.where(jnp.isfinite(time), time, 0.0), amplitudes)
        rise = jax.lax.stop_gradient(rise)
        # The last step alone is differentiated, which gives the derivative of the crossing.
        exact = jax.lax.stop_gradient(time) + (needed - value) / jnp.where(rise > 0, rise, 1.0)
        return jnp.where(jnp.isfinite(time) & (rise > 0), exact, jnp.inf)

    def parameters(self) -> dict[str, float]:
        """Return the parameters of the neurons."""
        return {"tau_m": self.tau_m, "tau_syn": self.tau_syn}


def _part(gain: float, tau: float, elapsed: Array, ops: Any = jnp) -> Array:
    return gain * ops.expm1(-elapsed / tau)
