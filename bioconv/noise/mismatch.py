"""Device mismatch: fixed differences between nominally identical devices of a chip."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from functools import partial
from math import ceil
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from bioconv.ground.errors import ConversionError, ParameterError, Problem
from bioconv.ground.options import check, choice, number
from bioconv.network import Population, SpikingNetwork
from bioconv.neurons.language import roles
from bioconv.neurons.library.axon import is_axon
from bioconv.noise.base import Imperfection, Streams
from bioconv.noise.devices import DEVICES, parameter_device
from bioconv.noise.edits import Edit, edited, has, is_gate, paired
from bioconv.noise.places import Place, Places
from bioconv.noise.weights import spread_weights

Floats = NDArray[np.float64]

DISTRIBUTIONS = ("normal", "log_normal", "truncated")
#: smallest share of the nominal value that a device can have, so that no sign changes
LEAST = 0.01
#: roles of the parameters that act as a threshold
THRESHOLDS = (roles.THRESHOLD, roles.SOFT_THRESHOLD, roles.CURRENT_THRESHOLD)
_NAME = re.compile(r"[A-Za-z]\w*", re.ASCII)
#: extent of the correlation kernel in units of its width
_REACH = 4.0


@dataclass(frozen=True)
class Mismatch(Imperfection):
    """Fixed values that differ from device to device, with the spread ``sigma`` about the nominal.

    Parameters
    ----------
    target : str
        What varies: "threshold", measured from the reset potential (else from rest); "gain",
        all input of a neuron; "slope", the steady rise that determines the spike time in codes
        with one spike; "time_constant", each one of a neuron independently; "leak", a
        conductance; "capacitance", with its effects on time constants, currents and charge; or
        "weight", every synapse independently, even those of a shared kernel.  It can also be the
        name of any parameter: a potential is shifted by a share of the distance from rest to
        threshold, and any other parameter is multiplied.  Refractory periods are rounded to steps.
    sigma : float
        Standard deviation relative to the mean.
    distribution : {"normal", "log_normal", "truncated"}
        Distribution of the factors.  "normal": 1 + sigma times a standard normal number, at least
        0.01.  "log_normal": mean 1 and standard deviation sigma, as for the currents of
        subthreshold transistors.  "truncated": like "normal", but values beyond ``limit`` standard
        deviations are drawn again, which makes the distribution narrower.
    correlation : float
        Share of the variance that a neuron has in common with its neighbours, from 0 to 1.
        Neighbours are defined by the flat order of the population, because codes do not define
        a physical layout.
    correlation_length : float
        Width of the Gaussian kernel of the correlation, in neurons.
    limit : float
        Limit of the "truncated" distribution in standard deviations.
    populations : tuple of str
        Names of the affected populations.  If empty, all are affected, except that the thresholds
        of gates of max pooling do not vary.  For weights, these are the populations that the
        synapses target.

    Raises
    ------
    ParameterError
        Some options are invalid; the message lists all of them.

    Notes
    -----
    Thresholds on both sides of rest, as in the population code, are shifted by a share of their
    root mean square distance from rest.

    The ON and OFF neurons of a sigma-delta layer are one device and share a factor.  The slope
    of the exact first-spike code is its alpha: ``alpha + Y`` (stanojevic 2023, Fig 2.5c).

    For delays, see `bioconv.noise.DelayMismatch`.

    Examples
    --------
    >>> str(Mismatch("threshold", 0.1))
    "Mismatch(target='threshold', sigma=0.1)"
    """

    target: str = ""
    sigma: float = number(0.0, 0.0, 1e6)
    distribution: str = choice("normal", DISTRIBUTIONS)
    correlation: float = number(0.0, 0.0, 1.0)
    correlation_length: float = number(10.0, 0.0, above=True)
    limit: float = number(2.0, 0.1)
    populations: tuple[str, ...] = ()

    site = "parameters of neurons, weights of synapses"
    unit = "standard deviation over mean"
    source = (
        "Pelgrom, Duinmaijer and Welbers 1989, IEEE J. Solid-State Circuits 24:1433; "
        "Stanojevic 2023, thesis, EPFL, section 2.2.4 (slope)"
    )

    def __post_init__(self) -> None:
        problems = target_problems(self.target)
        if self.target == "weight" and self.correlation:
            problems.append("correlation applies to neurons only, not to weights.")
        check(self, problems)
        object.__setattr__(self, "populations", tuple(self.populations))

    @property
    def amplitude(self) -> float:
        """Standard deviation relative to the mean."""
        return self.sigma

    def rewrite(self, network: SpikingNetwork, streams: Streams) -> SpikingNetwork:
        """Return the network with mismatched devices; see `Imperfection.rewrite`."""
        return spread(network, self.target, self.populations, partial(self._factors, streams))

    def _factors(self, streams: Streams, _: Population | None, place: Place, n: int) -> Floats:
        """Return ``n`` factors with mean 1."""
        generator = streams.of(place)
        deviates = self._deviates(generator, n)
        if self.distribution == "log_normal":
            width = np.sqrt(np.log1p(self.sigma**2))
            return np.exp(width * deviates - width**2 / 2.0)
        return np.maximum(1.0 + self.sigma * deviates, LEAST)

    def _deviates(self, generator: np.random.Generator, n: int) -> Floats:
        """Return standard normal numbers, truncated and correlated according to the options."""
        own = generator.standard_normal(n)
        if self.correlation:
            common = smooth(generator, n, self.correlation_length)
            own = np.sqrt(1.0 - self.correlation) * own + np.sqrt(self.correlation) * common
        if self.distribution == "truncated":
            far = np.abs(own) > self.limit
            while np.any(far):
                own[far] = generator.standard_normal(int(far.sum()))
                far = np.abs(own) > self.limit
        return own


def target_problems(target: object) -> list[str]:
    """Return problems of a ``target``, which must be a quantity that can vary."""
    if not isinstance(target, str) or not _NAME.fullmatch(target):
        names = ", ".join([*DEVICES, "weight"])
        return [f"target must be one of {names}, or the name of a parameter. Received: {target!r}."]
    if target == "delay":
        return ["target must not be delay: delays are varied by DelayMismatch, with sigma in ms."]
    return []


def _in_steps(edit: Edit, population: Population, dt: float) -> Edit:
    """Round edited refractory periods to whole steps."""
    name = population.model.refractory
    if name not in edit.parameters:
        return edit
    rule = edit.parameters[name]

    def whole(value: Floats) -> Floats:
        return np.round(rule(value) / dt) * dt

    return replace(edit, parameters={**edit.parameters, name: whole})


def _lacking(population: Population, target: str) -> str:
    return f"its {target} is 0." if has(population, target) else f"it has no {target}."


def _advice(population: Population) -> str:
    names = ", ".join(parameter.name for parameter in population.model.parameters)
    return f"It has the parameters {names}."


def spread(
    network: SpikingNetwork,
    target: str,
    populations: Collection[str],
    factors: Callable[[Population | None, Place, int], Floats],
) -> SpikingNetwork:
    """Return the network with devices that differ by factors.

    Parameters
    ----------
    network : SpikingNetwork
    target : str
        See `Mismatch`.
    populations : collection of str
        Names of the populations; empty for all.
    factors : function
        Function from a population (None for weights), the place of the devices and their number
        to the factors.

    Raises
    ------
    ConversionError
        No population has the target.
    ParameterError
        A population does not exist.
    """
    if target == "weight":
        draws = partial(factors, None)
        return spread_weights(network, chosen_populations(network, populations), draws)
    chosen = holders(network, target, populations)
    device = DEVICES.get(target) or parameter_device(target)
    # Streams of devices are identified by their names, those of parameters by their places.
    kind = crc32(target.encode()) if target in DEVICES else 0
    places, edits = Places(network), {}
    for population in chosen:

        def draw(parameter: str, of: Population = population) -> Floats:
            shape, place = device_shape(of), places.of(of, parameter)
            return factors(of, (kind, *place), int(np.prod(shape))).reshape(shape)

        edit = _in_steps(device(network, population, draw), population, network.dt)
        if edit.parameters or edit.receptors:
            edits[population.name] = edit
    if not edits:
        raise ConversionError(
            f"{network.name} has no {target} that could vary:",
            [Problem(p.name, p.model.name, _lacking(p, target), _advice(p)) for p in chosen],
        )
    return edited(network, edits)


def smooth(generator: np.random.Generator, n: int, length: float) -> Floats:
    """Return standard normal numbers correlated by smoothing white noise with a Gaussian kernel."""
    from scipy.signal import fftconvolve  # imported here because it loads much of SciPy

    reach = ceil(_REACH * length)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / length) ** 2)
    white = generator.standard_normal(n + 2 * reach)
    return fftconvolve(white, kernel / np.linalg.norm(kernel), mode="valid")


def device_shape(population: Population) -> tuple[int, ...]:
    """Return the shape of the devices of a population; ON and OFF neurons share one."""
    return (1, *population.shape[1:]) if paired(population) else population.shape


def chosen_populations(network: SpikingNetwork, names: Collection[str]) -> tuple[Population, ...]:
    """Return the populations with these names, or all except axons; check the names."""
    unknown = sorted(set(names) - {p.name for p in network.populations})
    if unknown:
        valid = ", ".join(p.name for p in network.populations)
        raise ParameterError(
            f"{network.name} has no populations {', '.join(unknown)}. Valid names: {valid}."
        )
    return tuple(
        p for p in network.populations if (p.name in names if names else not is_axon(p.model))
    )


def holders(network: SpikingNetwork, target: str, names: Collection[str]) -> tuple[Population, ...]:
    """Return the populations whose ``target`` belongs to devices, without thresholds of gates.

    Gates are included if they are named.
    """
    chosen = chosen_populations(network, names)
    if names:
        return chosen
    return tuple(p for p in chosen if not (is_gate(p) and _is_threshold(p, target)))


def _is_threshold(population: Population, target: str) -> bool:
    """Whether ``target`` is the threshold of the neurons of a population."""
    return target == "threshold" or target in population.model.with_role(*THRESHOLDS)


def chosen_neurons(network: SpikingNetwork, names: Collection[str]) -> tuple[Population, ...]:
    """Return `chosen_populations` without gates of max pooling, unless these are named."""
    chosen = chosen_populations(network, names)
    return chosen if names else tuple(p for p in chosen if not is_gate(p))
