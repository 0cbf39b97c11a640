"""Choice of the drive of a neuron: step, largest rate, noise, and the affine drive itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bioconv.codes.common.choices import SETTLE
from bioconv.ground.errors import ConversionError, ParameterError, Problem
from bioconv.neurons import Neuron
from bioconv.neurons.language import roles
from bioconv.neurons.language.noise import with_noise
from bioconv.neurons.response.transfer import (
    Curve,
    DriveFit,
    charge,
    fit_curve,
    measure_curve,
    rising_branch,
)

Floats = NDArray[np.float64]

#: spikes at the largest rate within the default duration of a sample, 300 ms
SPIKES = 39.0
#: highest default rate in Hz at the scale of a layer; the few activations beyond the scale, and
#: fluctuating input, then stay below 200 Hz
FASTEST = 130.0
#: largest rate at the scale, as a share of the neuron's highest rate; beyond it, curves flatten
_HEADROOM = 0.8
#: steps in the shortest interval besides the refractory period; fewer give few different rates
_FEWEST_STEPS = 5
#: default step in ms for models that work with any step
_ANY_STEP = 0.25
#: how often the step may be halved until the neuron is silent under inhibition
_HALVINGS = 4
#: deviation of a curve from a line (rms, share of the largest rate) from which noise is added
_TOO_ROUGH = 0.1
#: noise amplitudes to try, in units of the range of currents from silence to the largest rate
_SIGMAS = (0.1, 0.2, 0.4, 0.8, 1.6)
#: currents of a noisy curve, and their range below silence and above the largest rate, in the same
#: units: with noise, neurons fire below the onset of the noiseless curve
_N_NOISY, _NOISY_REACH = 80, (2.0, 0.5)
#: neurons for each current with noise, and the simulated and the discarded time in ms
_TRIALS = 16
_NOISY_TIME = (700.0, 200.0)
#: weight of the variance of a spike count in the squared error; most of it averages out
_NOISE_COST = 0.1 / 60
#: default synaptic time constants in ms; slower neurons get longer ones
_TAUS = (5.0, 10.0, 18.0, 35.0)
#: smallest relative distance of these from the time constants of the neuron
_NEAR = 0.05
#: largest deviation of the rates under spikes from the line for which synapses are slow enough
_SMOOTH = 0.03
#: or largest ratio of the deviation to the smallest one found for which they are slow enough
_NEARLY = 1.15
#: activations for this test: number of quantiles of those that occur, and some below 0
_N_PROBES, _PROBES_BELOW = 28, (-0.5, -0.25, -0.1, 0.0)
#: number of input sources in this test: quantiles of the activations that occur
_SOURCES = np.linspace(1 / 12, 11 / 12, 6)
#: factor applied to the lowest observed activation, because synaptic currents fluctuate
_MARGIN = 1.5
#: lowest activation without data, and upper limit of the lowest activation from data
_LOWEST = (-4.0, -1.0)
#: number of currents for the test of silence, and the activation up to which they extend
_N_SILENT, _SILENT_UP_TO = 512, -0.5
#: simulated and discarded time of this test in ms
_SILENT_TIME = (300.0, 100.0)
#: share of the largest rate that counts as silence in this test
_SILENT = 0.05


@dataclass(frozen=True)
class Ask:
    """Options of the user and properties of the calibration data; see `Membrane.of`."""

    dt: float | None
    max_rate: float
    activations: Callable[[], NDArray[np.float64]] | None = None
    lowest: Callable[[], float] | None = None
    fluctuation: Callable[[], float] | None = None
    noise: str | float = "none"


@dataclass(frozen=True)
class Receiver:
    """A receptor that receives weights.

    Parameters
    ----------
    receptor : str
    sign : int
        1 or -1 for a receptor that receives the absolute values of weights of this sign, 0 for
        one that receives all weights.
    charge : float
        Absolute charge of a spike of weight 1; see `bioconv.neurons.response.transfer.charge`.
    """

    receptor: str
    sign: int
    charge: float


@dataclass(frozen=True)
class FittedDrive:
    """The drive of a neuron.

    Parameters
    ----------
    neuron : Neuron
        The neuron, including any noise that was added.
    dt : float
        ms.
    max_rate : float
        Hz.
    fit : DriveFit
    potential : float
        Mean potential over the activations that occur.
    report : dict of str to float
    """

    neuron: Neuron
    dt: float
    max_rate: float
    fit: DriveFit
    potential: float
    report: dict[str, float] = field(default_factory=dict)


def choose(neuron: Neuron, ask: Ask) -> FittedDrive:
    """Choose the drive of a neuron that is not a perfect integrator.

    The step is the recommended one of the model, halved until the neuron is silent under the
    inhibition that occurs, which is not guaranteed with explicit methods.

    Raises
    ------
    ParameterError
        The neuron does not fire for any constant current, or not as fast as ``max_rate``.
    """
    typical = np.linspace(0, 1, 101) if ask.activations is None else ask.activations()
    dt = default_step(neuron) if ask.dt is None else ask.dt
    drive = _at(neuron, dt, ask, typical)
    for _ in range(_HALVINGS if ask.dt is None else 0):
        if _silent_below(drive, ask):
            break
        dt /= 2
        drive = _at(neuron, dt, ask, typical)
    if ask.fluctuation is None:
        return drive
    # The duration depends on the neuron's own rate; a lower one from the user does not extend it.
    slow = FASTEST / default_rate(neuron, drive.dt)
    return smooth(drive, ask.fluctuation(), typical, [slow * tau for tau in _TAUS])


def default_step(neuron: Neuron) -> float:
    """Return the required step in ms; the refractory period is a whole number of these steps."""
    step = neuron.model.dt_default or _ANY_STEP
    pause = pause_of(neuron)
    return pause / float(np.ceil(pause / step - 1e-9)) if pause else step


def pause_of(neuron: Neuron) -> float:
    """Return the refractory period in ms, 0 without one."""
    refractory = neuron.model.refractory
    return float(neuron.value(refractory)) if refractory else 0.0


def _at(neuron: Neuron, dt: float, ask: Ask, typical: Floats) -> FittedDrive:
    rate = ask.max_rate or default_rate(neuron, dt)
    curve = rising_branch(neuron, dt, rate)
    ratio, time = curve.adaptation(rate)
    report = {"adaptation_ratio": ratio, "adaptation_time": time}
    own = bool(neuron.model.role(roles.NOISE_CURRENT))
    rough = ask.noise == "auto" and not own and fit_curve(curve, rate, typical).rms > _TOO_ROUGH
    if ratio > 1.0:  # use the rate within the duration of a sample, not the steady one
        duration, discard = window(rate, dt)
        curve = measure_curve(neuron, curve.currents, dt=dt, duration=duration, discard=discard)
    fit = fit_curve(curve, rate, typical)
    if rough or isinstance(ask.noise, float | int):
        noisy, curve, fit = _with_noise(neuron, dt, rate, curve, fit, ask, typical)
        sigma = noisy.value(noisy.model.role(roles.NOISE_CURRENT)) if noisy is not neuron else 0.0
        neuron, report = noisy, {**report, "noise_sigma": float(sigma)}
    at = np.interp(fit.i0 + fit.gain * typical, curve.currents, curve.potential)
    return FittedDrive(neuron, dt, rate, fit, float(at.mean()), report)


def window(rate: float, dt: float) -> tuple[float, float]:
    """Return the default duration of a sample and its initial part that is not read, in ms."""
    steps = SPIKES * 1e3 / rate / dt
    return float(np.ceil(steps)) * dt, float(np.ceil(SETTLE * steps)) * dt


def smooth(
    drive: FittedDrive, power: float, typical: Floats, times: Sequence[float]
) -> FittedDrive:
    """Return the drive with a synaptic time constant that averages over the input spikes.

    Unless the user gives one, it is the shortest time constant for which the rates of the neuron
    stay close to those under the equivalent constant currents.  Neurons that respond to changes,
    such as regular spiking ones, fire too often if their input fluctuates.

    Parameters
    ----------
    drive : FittedDrive
    power : float
        See `bioconv.codes.common.calibration.fluctuation`.
    typical : ndarray
        Activations that occur.
    times : sequence of float
        Time constants to try, in ms.
    """
    taus = [receptor.tau for receptor in drive.neuron.model.receptors if receptor.tau]
    given = [name for name in taus if name in drive.neuron.parameters]
    if not taus or power == 0:
        return drive
    first = float(drive.neuron.value(taus[0]))
    longer = [] if given else [_apart(drive.neuron, time) for time in times if time > first]
    tried = []
    for tau in [first, *longer]:
        values = dict.fromkeys(taus, tau) if tau != first else {}
        neuron = Neuron(drive.neuron.model, {**drive.neuron.parameters, **values})
        error = _error_under_spikes(replace(drive, neuron=neuron), power, typical)
        tried.append((tau, neuron, error))
        if error <= _SMOOTH:
            break
    enough = max(_SMOOTH, _NEARLY * min(error for _, _, error in tried))
    tau, neuron, error = next(entry for entry in tried if entry[2] <= enough)
    report = {**drive.report, "drive_rms_spikes": error, "synaptic_time": tau}
    return replace(drive, neuron=neuron, report=report)


def _apart(neuron: Neuron, tau: float) -> float:
    """Return a time constant near ``tau`` that differs from the others of the neuron.

    Exact solutions are singular for equal time constants.
    """
    others = [p.name for p in neuron.model.parameters if p.unit == "ms"]
    same = [name for name in others if abs(float(neuron.value(name)) - tau) < _NEAR * tau]
    return tau * (1 + 2 * _NEAR) if same else tau


def spikes_as_input(
    weight: float, power: float, max_rate: float, typical: Floats
) -> dict[str, Any]:
    """Return arguments of `measure_curve` that describe the spikes of a network.

    See `bioconv.neurons.response.curves.measure_curve`.

    Parameters
    ----------
    weight : float
        Weight that represents 1, see `bioconv.codes.common.membrane.Membrane.weight`.
    power : float
        See `bioconv.codes.common.calibration.fluctuation`.
    max_rate : float
        Hz.
    typical : ndarray
        Activations that occur.
    """
    return {
        "shots": weight * float(np.sqrt(power * max_rate * 1e-3)),
        "sources": max_rate * np.quantile(typical, _SOURCES),
    }


def _error_under_spikes(drive: FittedDrive, power: float, typical: Floats) -> float:
    """Return the root mean squared distance of the rates from the activations for spike input."""
    quantiles = np.quantile(typical, np.linspace(0, 1, _N_PROBES))
    a = np.concatenate([_PROBES_BELOW, quantiles])
    (first, *_) = synapses(drive.neuron, drive.dt, drive.potential)
    weight = drive.fit.gain * 1e3 / drive.max_rate / first.charge
    duration, discard = window(drive.max_rate, drive.dt)
    curve = measure_curve(
        drive.neuron,
        drive.fit.i0 + drive.fit.gain * a,
        dt=drive.dt,
        duration=duration,
        discard=discard,
        trials=_TRIALS,
        **spikes_as_input(weight, power, drive.max_rate, typical),
    )
    return float(np.sqrt(np.mean((curve.rates / drive.max_rate - np.maximum(a, 0)) ** 2)))


def default_rate(neuron: Neuron, dt: float) -> float:
    """Return the rate in Hz for the activation 1 of a neuron that is not a perfect integrator.

    It is at most 130 Hz, at most 80 % of the highest rate of the f-I curve, and low enough that an
    interval has five steps in addition to the refractory period.  With fewer steps, constant
    currents lead to only a few different rates.
    """
    highest = float(rising_branch(neuron, dt).rates.max())
    return min(FASTEST, 1000.0 / (_FEWEST_STEPS * dt + pause_of(neuron)), _HEADROOM * highest)


def _with_noise(
    neuron: Neuron,
    dt: float,
    rate: float,
    quiet: Curve,
    before: DriveFit,
    ask: Ask,
    typical: Floats,
) -> tuple[Neuron, Curve, DriveFit]:
    """Return the neuron with the requested noise, or the noise that makes its curve straightest."""
    span = float(quiet.currents[-1] - quiet.currents[0])
    fixed = isinstance(ask.noise, float | int)
    sigmas = [float(ask.noise)] if fixed else [share * span for share in _SIGMAS]
    found = [(neuron, quiet, before)]
    costs = [np.inf if fixed else before.rms**2]
    duration, discard = (dt * float(np.ceil(time / dt)) for time in _NOISY_TIME)
    below, above = (share * span for share in _NOISY_REACH)
    for sigma in sigmas:
        noisy = with_noise(neuron, sigma)
        currents = np.linspace(quiet.currents[0] - below, quiet.currents[-1] + above, _N_NOISY)
        curve = measure_curve(
            noisy, currents, dt=dt, duration=duration, discard=discard, trials=_TRIALS
        )
        if curve.rates.max() < rate:
            if fixed:
                raise ParameterError(
                    f"{neuron.model.name} with noise {sigma:g} reaches only "
                    f"{float(curve.rates.max()):.4g} Hz, but {rate:.4g} Hz are required. "
                    "Choose less noise or a lower max_rate."
                )
            continue
        fit = fit_curve(curve, rate, typical)
        fano = np.interp(fit.i0 + fit.gain * typical, currents, curve.variance)
        costs.append(fit.rms**2 + _NOISE_COST * float(np.mean(fano * typical)))
        found.append((noisy, curve, fit))
    return found[int(np.argmin(costs))]


def _silent_below(drive: FittedDrive, ask: Ask) -> bool:
    """Whether the neuron is silent under the strongest inhibition that occurs.

    This is tested without noise, which causes a few spikes near the onset with any step.
    """
    neuron = drive.neuron
    sigma = neuron.model.role(roles.NOISE_CURRENT)
    if sigma:
        neuron = replace(neuron, parameters={**neuron.parameters, sigma: 0.0})
    lowest = _LOWEST[0] if ask.lowest is None else min(ask.lowest(), _LOWEST[1])
    a = np.linspace(_MARGIN * lowest, _SILENT_UP_TO, _N_SILENT)
    currents = drive.fit.i0 + drive.fit.gain * a
    duration, discard = (drive.dt * np.ceil(time / drive.dt) for time in _SILENT_TIME)
    curve = measure_curve(neuron, currents, dt=drive.dt, duration=duration, discard=discard)
    return bool(np.all(curve.rates <= _SILENT * drive.max_rate))


def synapses(neuron: Neuron, dt: float, potential: float) -> tuple[Receiver, ...]:
    """Return the receptors for weights: one for both signs, or one for each sign.

    Raises
    ------
    ConversionError
        The mean potential is not between the reversal potentials.
    """
    receptors = sorted(neuron.model.receptors, key=lambda entry: -entry.sign)
    if len(receptors) == 1:
        return (Receiver(receptors[0].name, 0, charge(neuron, receptors[0].name, dt)),)
    charges = [charge(neuron, entry.name, dt, potential) for entry in receptors]
    if not charges[0] > 0 > charges[1]:
        reason = (
            f"its mean potential of {potential:.4g} mV does not lie between the reversal potentials"
            " of inhibition and excitation."
        )
        advice = f"Change {' or '.join(entry.reversal for entry in receptors)}."
        problem = Problem(neuron.model.name, "neuron", reason, advice)
        raise ConversionError("The rate code cannot use this neuron:", [problem])
    return tuple(
        Receiver(entry.name, entry.sign, entry.sign * brought)
        for entry, brought in zip(receptors, charges, strict=True)
    )
