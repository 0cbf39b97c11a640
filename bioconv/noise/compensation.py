"""What can be done about imperfections that are known, or that can be measured."""

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
#: a correction in one round at most: times or divided by this
_MOST = 4.0


def corrected_current(
    current: ArrayLike, sigma_real: float, mean_real: float = 0.0, sigma: float = 1.75
) -> Floats:
    """The input for a population whose thresholds are not spread as its function wants them.

    ``I sigma_real / sigma + mean_real`` (mueller Eqs 5.2, 5.3): the share of thresholds that it
    reaches is that which I would reach of normal thresholds with mean 0 and deviation ``sigma``.

    Parameters
    ----------
    current : array of float
        I, in the unit of the thresholds.
    sigma_real, mean_real : float
        Of the thresholds as they are.
    sigma : float
        That the function wants: 1.75 for a sigmoid, 0.88 for a tanh (mueller 5.2).

    Raises
    ------
    ParameterError
        A deviation that is not above 0.
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
    """A network of the population code with `corrected_current` for all its populations.

    What is constant in it, the mean, is a charge that is there from the start.

    Parameters
    ----------
    network : SpikingNetwork
    sigma_real, mean_real : float
        Deviation and mean of the thresholds as they are, in mV, where the network was made for
        the deviation ``sigma`` and the mean 0.
    sigma : float
    populations : sequence of str
        Names; empty: all that fire by comparing what they have received with a threshold, but
        for gates of max pooling.

    Returns
    -------
    SpikingNetwork

    Raises
    ------
    ConversionError
        A population adds up input in another way.
    ParameterError
        A deviation that is not above 0, a population that does not exist.
    """
    ratio = _ratio(sigma_real, mean_real, sigma)
    chosen = [p for p in chosen_neurons(network, populations) if p.model.threshold]
    wrong = [
        Problem(p.name, p.model.name, "does not compare its input with a threshold once.")
        for p in chosen
        if not _compares_once(p)
    ]
    if wrong:
        raise ConversionError(f"{network.name} cannot get another input:", wrong)
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
    """Whether it adds up input, and compares it with a threshold while a window is open."""
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
    """A network that was calibrated.

    Parameters
    ----------
    network : SpikingNetwork
        With the thresholds of the best round.
    deviations : tuple of float
        Before the first and after every round: by how much counts of spikes differ from the wanted
        ones, summed over all neurons, as a share of the wanted ones.
    """

    network: SpikingNetwork
    deviations: tuple[float, ...]


@dataclass(frozen=True)
class _Rounds:
    """Options of `calibrate`, which are checked when this is made."""

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
    """Measure what every neuron fires, correct its threshold, and measure again.

    The array simulator stands for the chip.  A neuron that fires m spikes in all samples in place
    of n gets a threshold whose distance from the reset potential is ``(m + 1) / (n + 1)`` times as
    large: the rate of a neuron that is reset by subtraction is inverse to it, so a gain that is
    off is made up for as well.  Neurons of later layers follow as their input comes right.

    Parameters
    ----------
    network : SpikingNetwork
        The disturbed one.
    reference : SpikingNetwork
        What it should do: the network before it was disturbed.
    x : array, or mapping of str to array
        Samples to measure with.
    rounds : int
        1 to 100.
    damping : float
        Exponent of the correction, above 0 to 1: less than 1 for noisy networks.
    populations : sequence of str
        Names; empty: all that carry an activation by the number of their spikes.
    seed : int
        Of the simulations.

    Returns
    -------
    Calibrated

    Raises
    ------
    ConversionError
        A population's spikes tell by their times; or none has a threshold.
    ParameterError
        An option is wrong, or the two networks do not have the same populations.
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
    """The populations whose counts can be compared and whose threshold can be set."""
    shapes = {p.name: p.shape for p in reference.populations}
    strange = [p.name for p in network.populations if shapes.get(p.name) != p.shape]
    if strange:
        raise ParameterError(
            f"{reference.name} has no populations {', '.join(strange)} of the same shape: give "
            "the network as it was before it was disturbed."
        )
    able, problems = [], []
    for population in chosen_populations(network, populations):
        if population.decoded_from == "spikes":
            reason = "tells by the time of its spikes, not by their number."
            problems.append(Problem(population.name, population.model.name, reason))
        elif population.model.role(roles.THRESHOLD) and population.model.threshold:
            able.append(population.name)
    if problems or not able:
        raise ConversionError(f"The thresholds of {network.name} cannot be calibrated:", problems)
    return able


def _counts(network: SpikingNetwork, x: Any, names: Sequence[str], seed: int) -> dict[str, Floats]:
    """Spikes of every neuron in all samples."""
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
    """The distance from rest times a factor, where it is one that a neuron can reach."""

    def rule(value: NDArray[np.float64]) -> Floats:
        near = np.abs(value - rest) < OUT_OF_REACH
        return np.where(near, rest + (value - rest) * factor, value)

    return rule
