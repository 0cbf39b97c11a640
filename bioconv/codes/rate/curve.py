"""The f-I curve of a neuron under the drive of the rate code, as an activation function."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bioconv.analog.functions import FICurve, ReLU
from bioconv.analog.graph import Layer
from bioconv.analog.measured import pchip_slopes
from bioconv.codes.common.calibration import Scales
from bioconv.codes.common.driving import spikes_as_input, window
from bioconv.codes.common.membrane import Membrane
from bioconv.codes.common.rewritten import Rewritten
from bioconv.codes.rate.code import RateCode
from bioconv.ground.errors import ConversionError, Problem
from bioconv.neurons import Neuron
from bioconv.neurons.language import roles
from bioconv.neurons.language.identity import structure
from bioconv.neurons.language.noise import with_noise
from bioconv.neurons.language.update import update_of
from bioconv.neurons.response.transfer import measure_curve

#: range of activations in which a curve is measured, in units of the scale of the layer
LOW, HIGH = -1.0, 4.0
#: points of a curve: 64 per unit of activation
N_POINTS = 321
#: neurons for each activation if there is noise
_TRIALS = 24


def activation_curve(
    neuron: Neuron,
    *,
    scale: ArrayLike = 1.0,
    max_rate: float = 0.0,
    dt: float | None = None,
    noise: str | float = "none",
    activity: Mapping[str, Callable[[], Any]] = MappingProxyType({}),
    fluctuation: float = 0.0,
) -> FICurve:
    """Measure the response of a neuron to activations under the drive of the rate code.

    Parameters
    ----------
    neuron : Neuron
    scale : float or ndarray broadcastable to one sample
        Activation that corresponds to ``max_rate``.
    max_rate, dt, noise
        As in `bioconv.codes.common.membrane.Membrane.of`, which chooses the drive.
    activity : mapping of str to function
        Further arguments of `Membrane.of`; see `bioconv.codes.common.calibration.activity_of`.
    fluctuation : float
        Fluctuation of the input due to its spikes, see
        `bioconv.codes.common.calibration.fluctuation`; 0 for a layer with constant input currents.

    Returns
    -------
    FICurve
        The curve for the part of the default duration of a sample in which outputs are read.  It
        rises up to its largest rate and falls beyond; measured deviations from this form are
        removed by isotonic regression (least squares).

    Raises
    ------
    ConversionError, ParameterError
        The neuron is not suited to the rate code, or cannot fire as fast as ``max_rate``.
    """
    membrane = Membrane.of(neuron, dt, max_rate, **activity, noise=noise)
    return curve_under(membrane, neuron, scale=scale, activity=activity, fluctuation=fluctuation)


def layer_curves(
    code: RateCode,
    rewritten: Rewritten,
    scales: Scales,
    membrane: Membrane,
    neuron: Neuron,
    activity: Mapping[str, Callable[[], Any]],
    variance: float = 1.0,
) -> dict[str, FICurve]:
    """Return the curve of every plain rectification, by layer.

    The first layers receive constant currents.  The others receive spikes, for which the curve is
    smoother.

    Parameters
    ----------
    code : RateCode
    rewritten : Rewritten
    scales : Scales
    membrane : Membrane
        The membrane of ``neuron``.
    neuron : Neuron
    activity : mapping of str to function
        See `bioconv.codes.common.calibration.activity_of`.
    variance : float
        Variance of the input, relative to that of regular spike trains with random phases.
    """
    steady = curve_under(membrane, neuron, activity=activity)
    fluctuation = variance * activity["fluctuation"]()
    spikes = curve_under(membrane, neuron, activity=activity, fluctuation=fluctuation)
    currents = {entry.name for entry in rewritten.inputs} if code.input == "current" else set()
    return {
        layer.name: replace(
            steady if {term.source for term in layer.inputs[0].terms} <= currents else spikes,
            scale=np.asarray(scales.of[layer.name], np.float64),
        )
        for layer in rewritten.layers
        if isinstance(layer.function, ReLU)
    }


def curve_under(
    membrane: Membrane,
    neuron: Neuron,
    *,
    scale: ArrayLike = 1.0,
    activity: Mapping[str, Callable[[], Any]] = MappingProxyType({}),
    fluctuation: float = 0.0,
) -> FICurve:
    """Measure the `activation_curve` of a membrane whose drive is known."""
    currents = membrane.current + membrane.gain * np.linspace(LOW, HIGH, N_POINTS)
    typical = activity["activations"]() if "activations" in activity else np.linspace(0, 1, 101)
    duration, discard = window(membrane.max_rate, membrane.dt)
    weight = membrane.weight(membrane.max_rate, membrane.synapses[0])
    noisy = fluctuation or update_of(membrane.neuron.model).noisy
    curve = measure_curve(
        membrane.neuron,
        currents,
        dt=membrane.dt,
        duration=duration,
        discard=discard,
        trials=_TRIALS if noisy else 1,
        **spikes_as_input(weight, fluctuation, membrane.max_rate, typical),
    )
    values = _unimodal(np.nan_to_num(curve.rates)) / membrane.max_rate
    return FICurve(
        values=values,
        slopes=pchip_slopes(values, LOW, HIGH),
        scale=np.asarray(scale, np.float64),
        low=LOW,
        high=HIGH,
        current=membrane.current,
        gain=membrane.gain,
        max_rate=membrane.max_rate,
        dt=membrane.dt,
        noise=_added_noise(membrane.neuron, neuron),
        tau_syn=_time_constant(membrane.neuron),
        neuron=fingerprint(neuron),
    )


def curves_of(layers: Iterable[Layer]) -> dict[str, FICurve]:
    """Return the measured curves of the layers that have one as their function."""
    return {entry.name: entry.function for entry in layers if isinstance(entry.function, FICurve)}


def membrane_of_curves(
    curves: Mapping[str, FICurve],
    neuron: Neuron,
    dt: float | None,
    activity: Mapping[str, Callable[[], Any]],
    code: RateCode,
) -> Membrane:
    """Return the membrane with the drive of the curves with which a network was trained.

    Parameters
    ----------
    curves : mapping of str to FICurve
        At least one curve, by layer.
    neuron : Neuron
    dt : float, optional
        Step in ms that the user requests.
    activity : mapping of str to function
        See `bioconv.codes.common.calibration.activity_of`.
    code : RateCode
        If its max_rate and noise are given, they must be those of the curves.

    Raises
    ------
    ConversionError
        Some curves belong to a different neuron, step or drive; the message lists their layers.
    """
    own, first = fingerprint(neuron), next(iter(curves.values()))
    problems = []
    for name, curve in curves.items():
        if _digest(curve.neuron) != _digest(own):
            problems.append(
                Problem(
                    name,
                    "FICurve",
                    f"it was trained for the neuron {curve.neuron}, not {own}.",
                    "Convert with the neuron (model and parameters) whose curve it contains.",
                )
            )
        if dt is not None and dt != curve.dt:
            reason = f"it was measured with a step of {curve.dt:g} ms, not {dt:g} ms."
            problems.append(Problem(name, "FICurve", reason, "Omit dt."))
        if code.max_rate and not np.isclose(code.max_rate, curve.max_rate):
            reason = f"it was trained for {curve.max_rate:g} Hz, not {code.max_rate:g} Hz."
            problems.append(Problem(name, "FICurve", reason, "Omit max_rate."))
        if isinstance(code.noise, float | int) and not np.isclose(code.noise, curve.noise):
            reason = f"it was trained with noise {curve.noise:g}, not {code.noise:g}."
            problems.append(Problem(name, "FICurve", reason, "Omit noise."))
        if _drive(curve) != _drive(first):
            reason = "its drive differs from that of the other layers."
            advice = "Create all layers from one curve, as bioconv.keras.constrain does."
            problems.append(Problem(name, "FICurve", reason, advice))
    if problems:
        raise ConversionError("The network cannot be converted as it was trained:", problems)
    noise: str | float = first.noise or "none"
    taus = {receptor.tau: first.tau_syn for receptor in neuron.model.receptors if receptor.tau}
    settled = replace(neuron, parameters={**neuron.parameters, **taus})
    typical = activity.get("activations")
    membrane = Membrane.of(settled, first.dt, first.max_rate, typical, noise=noise)
    if first.noise:
        membrane = replace(membrane, neuron=with_noise(membrane.neuron, first.noise))
    # The network was trained with the curves, so their deviation from a line causes no error.
    report = {n: v for n, v in membrane.report.items() if not n.startswith("drive_rms")}
    return replace(
        membrane,
        current=first.current,
        gain=first.gain,
        residual=0.0,
        report={**report, "trained_with_curve": 1.0},
    )


def _added_noise(used: Neuron, given: Neuron) -> float:
    """Return the current noise that the code has added to a neuron."""
    sigma = used.model.role(roles.NOISE_CURRENT)
    added = used.model != given.model and sigma
    return float(used.value(sigma)) if added else 0.0


def _drive(curve: FICurve) -> tuple[float, ...]:
    return (curve.current, curve.gain, curve.max_rate, curve.dt, curve.noise, curve.tau_syn)


def _time_constant(neuron: Neuron) -> float:
    """Return the decay time of the synapses in ms, 0 for delta pulses."""
    tau = neuron.model.receptors[0].tau
    return float(neuron.value(tau)) if tau else 0.0


def fingerprint(neuron: Neuron) -> str:
    """Return the name of the model followed by a dash and a digest of the neuron's definition.

    Two neurons with the same equations and the same values of all parameters and start values,
    given or default, have the same digest, irrespective of names.  The constant current is not
    included because the code sets it.

    Examples
    --------
    >>> from bioconv.neurons import LeakyIntegrateAndFire
    >>> fingerprint(LeakyIntegrateAndFire(tau_m=20.0)) == fingerprint(LeakyIntegrateAndFire())
    True
    """
    model = neuron.model
    own = structure(model)
    parameters = {parameter.name for parameter in model.parameters} - {model.current}
    values = [neuron.value(name) for name in own.names if name in parameters]
    values += [state.initial for state in model.states if not isinstance(state.initial, str)]
    digest = hashlib.sha256(own.text.encode())
    for value in (np.asarray(value, np.float64) for value in values):
        digest.update(f"{value.shape}".encode())
        digest.update(value.astype("<f8").tobytes())
    return f"{model.name}-{digest.hexdigest()[:16]}"


def _digest(neuron: str) -> str:
    """Return the part of a `fingerprint` that does not depend on names."""
    return neuron.rpartition("-")[2]


def _unimodal(rates: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the nearest curve that rises up to the largest rate and falls beyond."""
    from scipy.optimize import isotonic_regression  # takes long to import

    top = int(np.argmax(rates)) + 1
    rising = isotonic_regression(rates[:top]).x
    falling = isotonic_regression(rates[top - 1 :], increasing=False).x
    return np.concatenate([_without_steps(rising), falling[1:]])


def _without_steps(rising: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a curve through the centres of the steps of a staircase; keep a smooth curve.

    Under a constant current an interval is a whole number of steps of dt, so that rates form a
    staircase.  Under the fluctuating spike input of a network they do not.  Silence does not count
    as a step.
    """
    ends = np.append(np.flatnonzero(np.diff(rising)), len(rising) - 1)
    starts = np.append(0, ends[:-1] + 1)
    middles = 0.5 * (starts + ends)
    middles[0] = ends[0]  # silence is kept up to its end
    middles[-1] = starts[-1] if len(starts) > 1 else middles[-1]  # and a plateau from its start
    return np.interp(np.arange(len(rising)), middles, rising[ends])
