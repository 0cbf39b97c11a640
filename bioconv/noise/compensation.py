"""Compensation of imperfections that are known or that can be measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bioconv.ground.errors import ConversionError, ParameterError, Problem
from bioconv.ground.options import Interval, check, number, whole, wrong
from bioconv.network import Population, SpikingNetwork
from bioconv.neurons.language import roles
from bioconv.neurons.library.parts import OUT_OF_REACH
from bioconv.noise.edits import (
    Edit,
    Floats,
    Rule,
    edited,
    membrane_receptors,
    resting,
)
from bioconv.noise.mismatch import chosen_neurons, chosen_populations

_ABOVE = Interval(0.0, above=True)
#: largest factor, or divisor, of a correction in one round
_MOST = 4.0


def corrected_current(
    current: ArrayLike, sigma_real: float, mean_real: float = 0.0, sigma: float = 1.75
) -> Floats:
    """Return the input that compensates for an unintended distribution of thresholds.

    It is ``I sigma_real / sigma + mean_real`` (mueller Eqs 5.2, 5.3).  The share of thresholds that
    it reaches is the share that I would reach of normally distributed thresholds with mean 0 and
    standard deviation ``sigma``.

    Parameters
    ----------
    current : array of float
        The input I, in the unit of the thresholds.
    sigma_real, mean_real : float
        Standard deviation and mean of the actual thresholds.
    sigma : float
        Standard deviation that the activation function requires: 1.75 for a sigmoid, 0.88 for a
        tanh (mueller 5.2).

    Raises
    ------
    ParameterError
        A standard deviation is not above 0.
    """
    ratio = _ratio(sigma_real, mean_real, sigma)
    return np.asarray(current, np.float64) * ratio + mean_real


def correct_input(
    network: SpikingNetwork,
    sigma_real: float,
    mean_real: float = 0.0,
    sigma: float = 1.75,
    *,
    populations: Sequence[str] = (),
) -> SpikingNetwork:
    """Apply `corrected_current` to the populations of a network of the population code.

    The constant part of the correction, the mean, is added to the initial charge.

    Parameters
    ----------
    network : SpikingNetwork
    sigma_real, mean_real : float
        Standard deviation and mean of the actual thresholds in mV.
    sigma : float
        Standard deviation for which the network was made, with the mean 0.
    populations : sequence of str
        Names of the populations.  If empty, all that fire by comparing their accumulated input
        with a threshold, except gates of max pooling.

    Returns
    -------
    SpikingNetwork

    Raises
    ------
    ConversionError
        A population does not accumulate its input in this way.
    ParameterError
        A standard deviation is not above 0, or a population does not exist.
    """
    ratio = _ratio(sigma_real, mean_real, sigma)
    chosen = [p for p in chosen_neurons(network, populations) if p.model.threshold]
    wrong = [
        Problem(
            p.name,
            p.model.name,
            "it does not fire by comparing its accumulated input with a threshold.",
        )
        for p in chosen
        if not _compares_once(p)
    ]
    if wrong:
        raise ConversionError(f"The input of {network.name} cannot be corrected:", wrong)
    new = edited(network, {p.name: _corrected(p, np.asarray(ratio)) for p in chosen})
    names = {p.name for p in chosen}

    def moved(population: Population) -> Population:
        if population.name not in names:
            return population
        potential = population.model.potential
        start = np.asarray(population.start(potential), np.float64)
        initial = {**population.initial, potential: start * ratio + mean_real}
        return replace(population, initial=initial)

    return new.replace(populations=tuple(map(moved, new.populations)))


def _compares_once(population: Population) -> bool:
    """Whether neurons accumulate input and compare it with a threshold while a window is open."""
    model, needed = population.model, (roles.WINDOW, roles.THRESHOLD, roles.REST)
    return bool(model.potential and model.current) and all(map(model.role, needed))


def _corrected(population: Population, ratio: Floats) -> Edit:
    receptors = {r.name: ratio for r in membrane_receptors(population.model)}
    return Edit({population.model.current: lambda value: value * ratio}, receptors, ratio)


def _ratio(sigma_real: float, mean_real: float, sigma: float) -> float:
    problems = wrong("sigma_real", sigma_real, _ABOVE) + wrong("sigma", sigma, _ABOVE)
    problems += wrong("mean_real", mean_real, Interval())
    if problems:
        raise ParameterError(" ".join(problems))
    return sigma_real / sigma


@dataclass(frozen=True, eq=False)
class Calibrated:
    """A calibrated network.

    Parameters
    ----------
    network : SpikingNetwork
        The network with the thresholds of the best round.
    deviations : tuple of float
        Deviation of the spike counts from the intended ones before the first and after every
        round, summed over all neurons, as a share of the intended counts.
    """

    network: SpikingNetwork
    deviations: tuple[float, ...]


@dataclass(frozen=True)
class _Rounds:
    """Options of `calibrate`, which are validated on creation."""

    rounds: int = whole(low=1, high=100)
    damping: float = number(low=0.0, high=1.0, above=True)

    def __post_init__(self) -> None:
        check(self)


def calibrate(
    network: SpikingNetwork,
    reference: SpikingNetwork,
    x: Any,
    *,
    rounds: int = 5,
    damping: float = 1.0,
    populations: Sequence[str] = (),
    seed: int = 0,
) -> Calibrated:
    """Calibrate thresholds by repeatedly measuring and correcting the spike count of each neuron.

    The array simulator takes the place of the chip.  If a neuron fires m spikes over all samples
    instead of n, the distance of its threshold from the reset potential is multiplied by
    ``(m + 1) / (n + 1)``.  The rate of a neuron with reset by subtraction is inversely
    proportional to this distance, so that errors of the gain are compensated for as well.
    Neurons of later layers follow once their input is correct.

    Parameters
    ----------
    network : SpikingNetwork
        The disturbed network.
    reference : SpikingNetwork
        The network before it was disturbed, which defines the intended spike counts.
    x : array, or mapping of str to array
        Samples for the measurement.
    rounds : int
        Number of rounds, from 1 to 100.
    damping : float
        Exponent of the correction, above 0 and at most 1.  Use less than 1 for noisy networks.
    populations : sequence of str
        Names of the populations.  If empty, all that represent an activation by the number of
        their spikes.
    seed : int
        Seed of the simulations.

    Returns
    -------
    Calibrated

    Raises
    ------
    ConversionError
        A population represents activations by spike times, or none has a threshold.
    ParameterError
        An option is invalid, or the two networks do not have the same populations.
    """
    _Rounds(rounds, damping)
    names = _countable(network, reference, populations)
    wanted = _counts(reference, x, names, seed)
    total = max(sum(float(count.sum()) for count in wanted.values()), 1.0)
    best, deviations = network, []
    for remaining in range(rounds, -1, -1):
        found = _counts(network, x, names, seed)
        off = sum(float(np.abs(found[name] - wanted[name]).sum()) for name in names)
        deviations.append(off / total)
        if deviations[-1] <= min(deviations):
            best = network
        if remaining:
            network = _raised(network, found, wanted, damping)
    return Calibrated(best, tuple(deviations))


def _countable(
    network: SpikingNetwork, reference: SpikingNetwork, populations: Sequence[str]
) -> list[str]:
    """Return the populations whose counts can be compared and whose threshold can be set."""
    shapes = {p.name: p.shape for p in reference.populations}
    strange = [p.name for p in network.populations if shapes.get(p.name) != p.shape]
    if strange:
        raise ParameterError(
            f"{reference.name} has no populations {', '.join(strange)} of the same shape. Pass "
            "the network without imperfections as the reference."
        )
    able, problems = [], []
    for population in chosen_populations(network, populations):
        if population.decoded_from == "spikes":
            reason = "it represents values by the times of its spikes, not by their number."
            problems.append(Problem(population.name, population.model.name, reason))
        elif population.model.role(roles.THRESHOLD) and population.model.threshold:
            able.append(population.name)
    if problems or not able:
        raise ConversionError(f"The thresholds of {network.name} cannot be calibrated:", problems)
    return able


def _counts(network: SpikingNetwork, x: Any, names: Sequence[str], seed: int) -> dict[str, Floats]:
    """Return the number of spikes of every neuron over all samples."""
    from bioconv.simulators import simulate

    recording = simulate(network, x, seed=seed, progress=False)
    counts = recording.spikes_per_neuron
    shapes = {p.name: p.shape for p in network.populations}
    return {name: np.asarray(counts[name], np.float64).reshape(shapes[name]) for name in names}


def _raised(
    network: SpikingNetwork,
    found: Mapping[str, Floats],
    wanted: Mapping[str, Floats],
    damping: float,
) -> SpikingNetwork:
    edits = {}
    for name, counts in found.items():
        population = network.population(name)
        ratio = ((counts + 1.0) / (wanted[name] + 1.0)) ** damping
        factor = np.clip(ratio, 1.0 / _MOST, _MOST)
        threshold = population.model.role(roles.THRESHOLD)
        edits[name] = Edit({threshold: _distance(resting(population, threshold), factor)})
    return edited(network, edits)


def _distance(rest: Floats, factor: Floats) -> Rule:
    """Return the rule that scales the distance from rest of thresholds that are within reach."""

    def rule(value: NDArray[np.float64]) -> Floats:
        near = np.abs(value - rest) < OUT_OF_REACH
        return np.where(near, rest + (value - rest) * factor, value)

    return rule
