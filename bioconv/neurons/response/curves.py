"""Responses of a neuron to constant currents, measured with the array update.

All currents are simulated in one batch, in float64.  Results are cached by content.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from numpy.typing import ArrayLike, NDArray

from bioconv.ground.cache import remembered
from bioconv.ground.errors import ParameterError
from bioconv.neurons.language.discrete import discretise
from bioconv.neurons.language.identity import structure
from bioconv.neurons.language.model import NeuronModel
from bioconv.neurons.language.neuron import Neuron
from bioconv.neurons.language.update import Values, update_of
from bioconv.timing import whole_steps

Floats = NDArray[np.float64]

#: version of the cache; it changes whenever the same key would give different numbers
_VERSION = 3
#: number of currents from silence to the highest rate
_N_FINE = 512
_COARSE = np.concatenate([-np.logspace(4, -2, 110), [0.0], np.logspace(-2, 6.5, 401)])
#: simulated and discarded time in ms of the first coarse scan, and of the measurement
_LOOK, _MEASURE = (1000.0, 250.0), (1400.0, 400.0)
#: spikes in the measured time at the largest rate; slower neurons are measured for longer
_SPIKES_AT_TOP = 50.0
#: share of the largest rate below which a curve is considered to have left its rising branch
_BLOCKED = 0.7
#: number of coarse currents (a factor of about ten) within which a dip recovers, unlike such a fall
_AHEAD = 45
#: largest rate times step (Hz ms): a spike in every fourth step is an artefact of the method
_MOST_OFTEN = 250.0
_NEVER_FIRES = "there is no constant current at which {name} fires steadily."
#: factor between intervals from which spikes are considered as bursts
_BURST = 1.5
#: ratio of onset rate to steady rate from which there is adaptation; below, it is due to rounding
_ADAPTS = 1.05


@dataclass(frozen=True, eq=False)
class Curve:
    """Responses to constant currents.

    Parameters
    ----------
    currents : ndarray, shape (n,)
        In the unit of the model's current parameter; ascending in results of `rising_branch`.
    rates : ndarray, shape (n,)
        Steady firing rate in Hz.
    onset : ndarray, shape (n,)
        Inverse of the first interval in Hz; 0 if there was none.
    excess : ndarray, shape (n,)
        Number of spikes before the counted time in excess of those of the steady rate.
    potential : ndarray, shape (n,)
        Mean membrane potential over the counted time, in its unit.
    variance : ndarray, shape (n,)
        Variance of the spike count divided by its mean in trials with noise; 0 for one trial.
    """

    currents: Floats
    rates: Floats
    onset: Floats
    excess: Floats
    potential: Floats
    variance: Floats

    def rate(self, current: ArrayLike) -> Floats:
        """Interpolate the rate in Hz; beyond the measured currents it is constant."""
        rates = np.maximum.accumulate(self.rates)
        return np.interp(np.asarray(current, np.float64), self.currents, rates)

    def adaptation(self, rate: float) -> tuple[float, float]:
        """Return the strength and the duration of adaptation at a steady ``rate`` (Hz).

        Returns
        -------
        ratio, time : float
            Ratio of the steady to the first interval, and time constant in ms of an exponential
            decay of the rate that gives the measured number of spikes; the latter is 0 ms if the
            ratio is below 1.05.
        """
        index = int(np.argmin(np.abs(self.rates - rate)))
        steady, first = self.rates[index], self.onset[index]
        if steady <= 0 or first < _ADAPTS * steady:
            return 1.0, 0.0
        time = 1e3 * max(self.excess[index], 0.0) / (first - steady)
        return float(first / steady), float(time)


def measure_curve(
    neuron: Neuron,
    currents: ArrayLike,
    *,
    dt: float,
    duration: float = 1000.0,
    discard: float = 200.0,
    trials: int = 1,
    shots: float = 0.0,
    sources: ArrayLike = (),
    seed: int = 0,
) -> Curve:
    """Measure steady rates, onset rates and mean potentials for constant currents in one run.

    Parameters
    ----------
    neuron : Neuron
        Its parameters must be the same for all neurons, and one must be a constant current.
    currents : array of float, shape (n,)
        Constant currents, which replace that of the neuron.
    dt : float
        ms.
    duration, discard : float
        Simulated time, and initial part of it that is not counted, in ms.
    trials : int
        Number of neurons for each current if there is noise; their rates are averaged.
    shots : float
        Amplitude of synaptic input that fluctuates about zero, at the excitatory receptor.  Its
        variance is that of randomly arriving weights with this standard deviation in 1 ms.
    sources : array of float, shape (n_sources,)
        Rates in Hz of the sources of this input.  Each represents two sources, one with a positive
        and one with a negative weight, that fire regularly with a random phase.
    seed : int
        Seed of the noise.

    Returns
    -------
    Curve
        Rates are the number of intervals divided by their total duration.  With noise, bursts or
        fewer than two spikes, they are the number of spikes divided by the counted time.

    Raises
    ------
    ParameterError
        The model has no constant current or never spikes, or a time is not a multiple of ``dt``.
    """
    model = neuron.model
    if not model.current or not model.threshold:
        raise ParameterError(f"{model.name} has no f-I curve: it needs a current and a threshold.")
    n_steps = whole_steps(duration, dt)
    first = whole_steps(discard, dt, "discard")
    if not 0 <= first < n_steps:
        raise ParameterError(f"discard = {discard} ms must be shorter than {duration} ms.")
    flat = np.asarray(currents, np.float64).reshape(-1)
    values = {p.name: neuron.value(p.name) for p in model.parameters}
    rates = np.asarray(sources, np.float64).reshape(-1)
    key = {
        "version": _VERSION,
        **_content(model, values),
        "currents": flat,
        "times": [dt, n_steps, first],
        "trials": [trials, shots, seed],
        "sources": rates,
    }
    names = tuple(field.name for field in fields(Curve))
    run = partial(_measure, model, values, flat, dt, n_steps, first, trials, (shots, rates), seed)
    return Curve(**remembered("curves", key, names, run))


def rising_branch(neuron: Neuron, dt: float, max_rate: float = 0.0) -> Curve:
    """Measure the f-I curve from silence to ``max_rate``, or to the highest rate.

    The scale of the currents is found by a coarse scan of all magnitudes.  The curves of neurons
    that become silent or fire more slowly at high currents (depolarisation block) end at their
    highest rate.

    Parameters
    ----------
    neuron : Neuron
    dt : float
        ms.
    max_rate : float
        Largest rate in Hz; 0 for the highest rate of the neuron.

    Returns
    -------
    Curve

    Raises
    ------
    ParameterError
        The neuron does not fire for any current, or not as fast as ``max_rate``.
    """
    name = neuron.model.name
    duration, discard = (_whole(time, dt) for time in _LOOK)
    look = measure_curve(neuron, _COARSE, dt=dt, duration=duration, discard=discard).rates
    silent, peak = _branch(name, look, dt)
    reached = silent + int(np.argmax(look[silent : peak + 1] >= max_rate))
    top = min(reached + 1, peak) if 0 < max_rate <= look[peak] else peak
    slow = max(1.0, _SPIKES_AT_TOP / (max_rate or look[peak]))
    duration, discard = (_whole(time * slow, dt) for time in _MEASURE)
    for end in dict.fromkeys([top, peak]):  # the coarse scan may include transients
        currents = np.linspace(_COARSE[silent], _COARSE[end], _N_FINE)
        curve = measure_curve(neuron, currents, dt=dt, duration=duration, discard=discard)
        highest = float(curve.rates.max())
        if highest >= max_rate:
            break
    if highest <= 0:
        raise ParameterError(_NEVER_FIRES.format(name=name))
    if highest < max_rate:
        raise ParameterError(
            f"{name} fires at most {highest:.4g} Hz at dt = {dt} ms. "
            f"Choose max_rate below that. Received: {max_rate:.4g} Hz."
        )
    return curve


def _content(model: NeuronModel, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the definition of a neuron irrespective of names, for the key of the cache."""
    own, update = structure(model), discretise(model).update
    names = dict.fromkeys((*own.names, *(line.target for line in update)))
    places = {name: f"p{place}" for place, name in enumerate(names)}

    def placed(text: str) -> str:
        return re.sub(r"[^\W\d]\w*", lambda found: places.get(found[0], found[0]), text)

    return {
        "model": own.text,
        "update": [placed(str(line)) for line in update],
        "potential": places.get(model.potential, ""),
        "parameters": [values[name] for name in own.names if name in values],
        "start": [s.initial for s in model.states if not isinstance(s.initial, str)],
    }


def _whole(time: float, dt: float) -> float:
    return float(np.ceil(time / dt)) * dt


def _branch(name: str, rates: Floats, dt: float) -> tuple[int, int]:
    """Return the indices of the last silent current and of the highest rate of the rising branch.

    The branch ends where the rate falls and does not recover; dips can also be due to adaptation.
    """
    from scipy.ndimage import maximum_filter1d  # takes long to import

    zero = int(np.flatnonzero(_COARSE == 0)[0])
    if rates[zero] > 0:  # fires spontaneously: silence is at lower currents
        below = np.flatnonzero(rates[:zero] == 0)
        silent = int(below[-1]) if below.size else 0
    else:
        fires = np.flatnonzero(rates[zero:-1] * rates[zero + 1 :] > 0)
        if not fires.size:
            raise ParameterError(_NEVER_FIRES.format(name=name))
        silent = zero + int(fires[0]) - 1
    branch = rates[silent + 1 :]
    top = np.maximum.accumulate(branch)
    possible = np.where(branch < _MOST_OFTEN / dt, branch, 0.0)
    ahead = maximum_filter1d(possible, _AHEAD, mode="constant", cval=0.0, origin=-(_AHEAD // 2))
    fallen = np.flatnonzero((branch < _BLOCKED * top) & (ahead < top))
    branch = branch[: fallen[0]] if fallen.size else branch
    return silent, silent + 1 + int(np.argmax(branch))


def _measure(
    model: NeuronModel,
    parameters: Mapping[str, Any],
    currents: Floats,
    dt: float,
    n_steps: int,
    first: int,
    trials: int,
    input_: tuple[float, Floats],
    seed: int,
) -> dict[str, Floats]:
    update = update_of(model)
    flat = np.tile(currents, trials)
    given = {**parameters, model.current: flat}
    start = {
        s.name: np.full(len(flat), given[s.initial] if isinstance(s.initial, str) else s.initial)
        for s in model.states
    }
    period = whole_steps(float(parameters[model.refractory]), dt) if model.refractory else 0
    constants = update.constants(given, dt)
    with jax.enable_x64(True):
        key = jax.random.key(seed)
        trains = _trains(*input_, len(flat), dt, seed)
        found = _run(model, constants, start, period, dt, first, n_steps, trains, key)
    found = {name: np.asarray(array).reshape(trials, -1) for name, array in found.items()}
    seconds = (n_steps - first) * dt * 1e-3
    by_count = found["count"] / seconds
    with np.errstate(divide="ignore", invalid="ignore"):
        steps = found["latest"] - found["earliest"]
        by_interval = (found["count"] - 1) / (steps * dt * 1e-3)
        onset = np.where(found["onset"] > 0, 1e3 / (found["onset"] * dt), 0.0)
        mean = found["count"].mean(axis=0)
        variance = np.where(mean > 0, found["count"].var(axis=0) / mean, 0.0)
    regular = (found["count"] >= 2) & (found["longest"] <= _BURST * found["shortest"])
    rates = np.where(regular & (not update.noisy) & (trains is None), by_interval, by_count)
    early = (found["total"] - found["count"]) - rates * first * dt * 1e-3
    return {
        "currents": currents,
        "rates": rates.mean(axis=0),
        "onset": onset.mean(axis=0),
        "excess": early.mean(axis=0),
        "potential": found["potential"].mean(axis=0) / (n_steps - first),
        "variance": variance,
    }


def _trains(
    shots: float, rates: Floats, n: int, dt: float, seed: int
) -> tuple[Floats, Floats, Floats] | None:
    """Return spikes per step, initial phase in each neuron, and weight of each source."""
    if not shots or not rates.any():
        return None
    both = np.repeat(rates, 2)
    weight = shots / np.sqrt(both.sum() * 1e-3) * np.where(np.arange(len(both)) % 2, 1.0, -1.0)
    phase = np.random.default_rng(seed).random((len(both), n))
    return (both * dt * 1e-3)[:, None], phase, weight[:, None]


@partial(jax.jit, static_argnums=0)
def _run(
    model: NeuronModel,
    constants: Values,
    start: Values,
    period: Any,
    dt: Any,
    first: Any,
    n_steps: Any,
    trains: Any,
    key: Any,
) -> dict[str, Any]:
    """Simulate and return the statistics for `_measure` of each neuron; times are in steps."""
    update = update_of(model)
    shape = next(iter(start.values())).shape
    zeros = jnp.zeros(shape, jnp.int64)
    names = ("total", "onset", "count", "earliest", "latest", "longest")
    seen = {name: zeros for name in names}
    seen |= {"shortest": zeros + n_steps, "potential": jnp.zeros(shape)}

    def step(number: Any, carry: Any) -> Any:
        (state, wait), seen = carry
        values = {**constants, "t": number * dt}
        if update.noisy:
            values |= update.draw(jax.random.fold_in(key, number), shape, jnp.float64)
        inputs = {}
        if trains is not None:
            rate, phase, weight = trains
            spikes = jnp.floor((number + 1) * rate + phase) - jnp.floor(number * rate + phase)
            excited = max(model.receptors, key=lambda receptor: receptor.sign)
            inputs[excited.variable] = jnp.sum(weight * spikes, axis=0)
        wait = wait if update.waits else None
        state, wait, fired = update.step(state, wait, values, inputs, period)
        late = number >= first
        potential = state.get(model.potential, 0.0)
        return (state, zeros if wait is None else wait), _seen(seen, fired, number, late, potential)

    state = {name: jnp.asarray(value, jnp.float64) for name, value in start.items()}
    return lax.fori_loop(0, n_steps, step, ((state, zeros), seen))[1]


def _seen(seen: Values, fired: Any, number: Any, late: Any, potential: Any) -> Values:
    """Update the statistics of a run by one step."""
    interval = number - seen["latest"]
    counted = fired & late
    within = counted & (seen["count"] > 0)
    second = fired & (seen["total"] == 1)
    return {
        "total": seen["total"] + fired,
        "onset": jnp.where(second, interval, seen["onset"]),
        "count": seen["count"] + counted,
        "earliest": jnp.where(counted & (seen["count"] == 0), number, seen["earliest"]),
        "latest": jnp.where(fired, number, seen["latest"]),
        "shortest": jnp.where(within, jnp.minimum(seen["shortest"], interval), seen["shortest"]),
        "longest": jnp.where(within, jnp.maximum(seen["longest"], interval), seen["longest"]),
        "potential": seen["potential"] + jnp.where(late, potential, 0.0),
    }
