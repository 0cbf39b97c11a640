"""One run of a plausibility study: conversion, simulation, measurement, and the record."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bioconv.analog import AnalogGraph
from bioconv.codes import RateCode
from bioconv.conversion import convert
from bioconv.ground.decisions import Decision
from bioconv.ground.digests import digest_of
from bioconv.ground.errors import AccuracyWarning, ParameterError
from bioconv.ground.options import Choice, Entries, Interval, Many, Rule, Text
from bioconv.measures import analog_classes, mixed_signs, spikes_per_image
from bioconv.network import Population, SpikingNetwork
from bioconv.network.recording import Recording
from bioconv.neurons import Neuron
from bioconv.neurons.language import roles
from bioconv.noise import WeightQuantization, disturb
from bioconv.reports.networks import versions
from bioconv.simulators import simulate
from bioconv.simulators.array import samples_at_once

#: to be changed whenever the same run would result in a different record
_VERSION = 5
#: the accuracy counts as reached when it stays this close to its last value
REACHED = 0.005
_AMOUNT, _SHARE = Interval(0), Interval(0, 1)
#: what a valid record must contain for the table and the picture
SCHEMA: dict[str, Rule] = {
    "neuron": Text(),
    "max_rate": _AMOUNT,
    "tau_syn": _AMOUNT,
    "weight_bits": Interval(0, 32, whole=True),
    "duration": Interval(0, above=True),
    "accuracy": _SHARE,
    "keras_accuracy": _SHARE,
    "loss": Interval(-100, 100),
    "measure": Choice(("accuracy", "agreement")),
    "reached_ms": Interval(0, besides=(None,)),
    "waits_ms": _AMOUNT,
    "mean_hz": _AMOUNT,
    "highest_hz": _AMOUNT,
    "spikes": _AMOUNT,
    "operations": _AMOUNT,
    "mixed_signs": _SHARE,
    "neurons": Interval(1, whole=True),
    "images": Interval(1, whole=True),
    "decisions": Interval(1, whole=True),
    "dt": Interval(0, above=True),
    "seconds": _AMOUNT,
    "workers": Interval(1, whole=True),
    "time": Many(_AMOUNT),
    "accuracy_over_time": Many(_SHARE),
    "answered": Many(_SHARE),
    "asked": Entries(
        {
            "max_rate": _AMOUNT,
            "tau_syn": _AMOUNT,
            "duration": _AMOUNT,
            "weight_bits": Interval(0, 32, whole=True),
        }
    ),
}
#: most samples on which the latency is measured
_TIMED = 256
#: values that distinguish one distribution from another
_DRAWN = 1024


@dataclass(frozen=True)
class Setting:
    """Settings of one run.

    Parameters
    ----------
    neuron : str
        Label of the neuron.
    max_rate : float
        Rate in Hz of the largest activation; 0 for the default of the code for the neuron.
    tau_syn : float
        Synaptic time constant in ms; 0 for that of the neuron.
    duration : float
        Duration of a sample in ms; 0 for the default of the code for the neuron.
    weight_bits : int
        Bits of a synaptic weight, including the sign; 0 for no rounding.
    """

    neuron: str
    max_rate: float = 0.0
    tau_syn: float = 0.0
    duration: float = 0.0
    weight_bits: int = 0

    def __post_init__(self) -> None:
        numbers = (self.max_rate, self.tau_syn, self.duration)
        if any(not np.isfinite(n) or n < 0 for n in numbers) or self.weight_bits not in (
            0,
            *range(2, 33),
        ):
            raise ParameterError(
                "rates (Hz), synaptic time constants and durations (ms) must be at least 0, and "
                f"weight bits must be an integer from 2 to 32 or 0. Received: {self}."
            )


@dataclass(frozen=True, eq=False)
class Task:
    """Data shared by all runs of a study.

    Parameters
    ----------
    graph : AnalogGraph
    calibration : mapping of str to ndarray
        Calibration samples by input.
    x : ndarray, shape (n_images, ...)
    y : ndarray of int or None, shape (n_images,)
    code : RateCode
    seed : int
    decisions : mapping of str to Decision
        What each output of the graph stands for.
    """

    graph: AnalogGraph
    calibration: Mapping[str, NDArray]
    x: NDArray
    y: NDArray | None
    code: RateCode
    seed: int
    decisions: Mapping[str, Decision]

    def digest(self) -> str:
        """Digest of all fields, which assigns a record to this task."""
        return digest_of([_VERSION, self])


def run_key(task_digest: str, setting: Setting, neuron: Neuron) -> str:
    """Return the name of the record of a run: the digest of all settings except the label."""
    asked = {name: value for name, value in asdict(setting).items() if name != "neuron"}
    # Drawn values identify any distribution object; its attributes do not.
    spread = neuron.drawn((_DRAWN,), np.random.default_rng(0))
    return digest_of([task_digest, asked, neuron.model, dict(neuron.parameters), spread])[:24]


def run(task: Task, setting: Setting, neuron: Neuron) -> dict[str, Any]:
    """Convert the network, simulate it with the array simulator, and measure the results.

    Returns
    -------
    dict
        Plain values: those of the table (see `bioconv.studies.plausibility.COLUMNS`), and also
        ``accuracy_over_time``, ``answered`` (share of samples with an output) and ``time`` (ms),
        ``dt`` (ms), ``decisions`` (of each sample), ``drive_residual``, ``versions``.
        ``waits_ms`` is the time that outputs wait for their inputs to settle before they are read;
        ``reached_ms``, the latency, is measured without this wait, on at most the first 256
        samples, and None without any output.

    Raises
    ------
    ConversionError, ParameterError
        If the network cannot be converted with these settings.
    """
    network = _network(task, setting, neuron)
    populations = _spiking(network)
    at_once = samples_at_once(network, len(task.x))
    settings: dict[str, Any] = {
        "record": {name: ("counts",) for name in populations},
        "batch_size": at_once,
        "seed": task.seed,
        "progress": False,
    }
    # The first batch compiles the program, which is not part of the cost per image.
    simulate(network, task.x[:at_once], **settings)
    recording = simulate(network, task.x, **settings)
    rates = [recording.rates(name) for name in populations]
    classes = analog_classes(network, task.x)
    target = classes if task.y is None else np.asarray(task.y)
    over_time = recording.accuracy_over_time(target)
    analog = recording.decision().share(classes, target)
    return {
        **asdict(setting),
        "asked": asdict(setting),
        "model": network.code["neuron"],
        "measure": "agreement" if task.y is None else "accuracy",
        "accuracy": float(over_time[-1]),
        "keras_accuracy": analog,
        "loss": 100.0 * (analog - float(over_time[-1])),
        "agreement": float(recording.agreement(classes)),
        "waits_ms": _first_output(network) * network.dt,
        "reached_ms": _latency(task, setting, neuron, recording, network, target),
        "duration": network.n_steps * network.dt,
        "tau_syn": _time_constant(network),
        "dt": network.dt,
        "max_rate": float(network.code["max_rate"]),
        "noise": max(map(_noise, network.populations)),
        "drive_residual": float(network.code["drive_residual"]),
        "mean_hz": _mean(rates),
        "highest_hz": max((float(r.max()) for r in rates), default=0.0),
        "spikes": spikes_per_image(recording, network),
        "operations": float(np.mean(recording.synaptic_operations)),
        "mixed_signs": mixed_signs(network),
        "neurons": network.n_neurons,
        "images": recording.n_images,
        "decisions": recording.n_decisions(),
        "seconds": recording.seconds["run"] / recording.n_images,
        "time": (recording.checkpoints * recording.dt).tolist(),
        "accuracy_over_time": over_time.tolist(),
        "answered": recording.answered().tolist(),
        "versions": versions(),
    }


def with_time_constant(neuron: Neuron, tau_syn: float) -> Neuron:
    """Return the neuron with a different decay time of its synapses in ms.

    Raises
    ------
    ParameterError
        If it has delta synapses.
    """
    known = [receptor.tau for receptor in neuron.model.receptors if receptor.tau]
    if not known:
        raise ParameterError(
            f"{neuron.model.name} has no synaptic time constant: its synapses are "
            f"{'delta pulses' if neuron.model.receptors else 'missing'}. "
            "Use synapse='exponential'."
        )
    return neuron.with_values(**dict.fromkeys(known, tau_syn))


def _network(task: Task, setting: Setting, neuron: Neuron) -> SpikingNetwork:
    network = _converted(task, setting, neuron)
    if not setting.duration:
        return network
    # The step is known only now, and the readout time of a network depends on its duration.
    n_steps = max(round(setting.duration / network.dt), 1)
    return _converted(task, setting, neuron, network.dt, n_steps)


def _converted(
    task: Task,
    setting: Setting,
    neuron: Neuron,
    dt: float | None = None,
    n_steps: int | None = None,
) -> SpikingNetwork:
    if setting.tau_syn:
        neuron = with_time_constant(neuron, setting.tau_syn)
    code = replace(task.code, max_rate=setting.max_rate or task.code.max_rate)
    with warnings.catch_warnings():
        # The table shows the accuracy that is measured.
        warnings.simplefilter("ignore", AccuracyWarning)
        network = convert(
            task.graph,
            calibration=task.calibration,
            code=code,
            neuron=neuron,
            dt=dt,
            n_steps=n_steps,
            seed=task.seed,
            decision=task.decisions,
            progress=False,
        )
    return disturb(network, WeightQuantization(setting.weight_bits))


def _spiking(network: SpikingNetwork) -> list[str]:
    """Return the populations with firing rates, excluding outputs that never fire and gates."""
    return [p.name for p in network.firing if p.model.current]


def _time_constant(network: SpikingNetwork) -> float:
    """Return the decay time in ms of the first synapse of spiking neurons; 0 for delta pulses.

    It is taken from the network, because the code may have increased that of the neuron.
    """
    for name in _spiking(network):
        population = network.population(name)
        for tau in (receptor.tau for receptor in population.model.receptors if receptor.tau):
            default = population.model.parameter(tau).default
            return float(np.mean(population.parameters.get(tau, default)))
    return 0.0


def _mean(rates: list[NDArray[np.float64]]) -> float:
    n = sum(r.size for r in rates)
    return float(sum(r.sum() for r in rates) / n) if n else 0.0


def _first_output(network: SpikingNetwork) -> int:
    """Return the first step from which the first output is read."""
    return network.population(network.readouts[0].population).start_step


def _latency(
    task: Task,
    setting: Setting,
    neuron: Neuron,
    recording: Recording,
    network: SpikingNetwork,
    target: NDArray,
) -> float | None:
    """Return the latency in ms of a network whose outputs do not wait, None without outputs."""
    first = _first_output(network)
    if first < round(task.code.settle * network.n_steps):  # it waits for no other reason
        return _reached(recording, target)
    at_once = replace(task, code=replace(task.code, settle=0.0))
    eager = _converted(at_once, setting, neuron, network.dt, network.n_steps)
    if _first_output(eager) == first:
        return _reached(recording, target)
    seen = simulate(eager, task.x[:_TIMED], seed=task.seed, progress=False)
    return _reached(seen, target[:_TIMED])


def _reached(recording: Recording, target: NDArray) -> float | None:
    """Return the time in ms after which the accuracy stays within half a point of the last."""
    over_time, answered = recording.accuracy_over_time(target), recording.answered() > 0
    if not answered[-1]:
        return None
    away = np.flatnonzero(~answered | (np.abs(over_time - over_time[-1]) > REACHED + 1e-12))
    first = int(away[-1]) + 1 if away.size else 0
    return float(recording.checkpoints[first] * recording.dt)


def _noise(population: Population) -> float:
    """Return the largest standard deviation of the noise current that the code has added."""
    name = population.model.role(roles.NOISE_CURRENT)
    return float(np.max(population.value(name))) if name else 0.0
