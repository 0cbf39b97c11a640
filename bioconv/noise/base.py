"""Base class of all imperfections: pure rewrites of a network with a declared amplitude."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import ClassVar, TypeAlias
from zlib import crc32

import numpy as np

from bioconv.ground.errors import ParameterError
from bioconv.network import Disturbance, SpikingNetwork
from bioconv.network.stages import why_neurons_fail
from bioconv.noise.places import Place


@dataclass(frozen=True)
class Streams:
    """Random number streams of one imperfection, one for each object that it disturbs.

    Parameters
    ----------
    seed : int
    owner : tuple of int
        Key that separates the streams of this imperfection from those of all others.
    """

    seed: int
    owner: tuple[int, ...] = ()

    def of(self, place: Place) -> np.random.Generator:
        """Return the generator for a place of the network (`bioconv.noise.places`).

        It depends neither on what else is disturbed nor on any name in the network.
        """
        return np.random.default_rng([self.seed, *self.owner, len(place), *place])


@dataclass(frozen=True)
class Imperfection(ABC):
    """A deviation of real hardware from the ideal network; subclasses are frozen dataclasses.

    The class attributes are ``site``, what it disturbs; ``unit``, the unit of the amplitude;
    ``source``, the publication that describes it; ``fewer_is_worse``, whether a small amplitude
    other than 0 is worse than a large one, as for a number of bits; ``splits``, whether it splits
    a projection into several, which changes the names of those that follow; and ``clocks``,
    whether it rounds delays.
    """

    site: ClassVar[str]
    unit: ClassVar[str]
    source: ClassVar[str]
    fewer_is_worse: ClassVar[bool] = False
    splits: ClassVar[bool] = False
    clocks: ClassVar[bool] = False

    @property
    @abstractmethod
    def amplitude(self) -> float:
        """Strength of the imperfection in ``unit``; at zero the network is left unchanged."""

    @property
    def target(self) -> str:
        """Key that separates it from others of its class with different targets."""
        return ""

    @abstractmethod
    def rewrite(self, network: SpikingNetwork, streams: Streams) -> SpikingNetwork:
        """Return the disturbed network; only called if the amplitude is not zero.

        Raises
        ------
        ConversionError
            The imperfection cannot be applied to the network; the message lists every population
            or projection that prevents it.
        """

    def __str__(self) -> str:
        """Return the class with all options that differ from their defaults, as Python code."""
        changed = [
            f"{field.name}={getattr(self, field.name)!r}"
            for field in fields(self)
            if getattr(self, field.name) != field.default
        ]
        return f"{type(self).__name__}({', '.join(changed)})"


#: an imperfection and the key of its random streams
_Owned: TypeAlias = tuple[Imperfection, tuple[int, ...]]


def disturb(network: SpikingNetwork, *imperfections: Imperfection, seed: int = 0) -> SpikingNetwork:
    """Return the network as it would run on imperfect hardware.

    Each imperfection draws from random streams of its own, which are identified by its class, its
    target and the places of what it disturbs.  Its draws therefore change neither with the other
    imperfections in the call nor with the names in the network.  An imperfection that has already
    been applied to the network draws new values when it is applied again.

    Parameters
    ----------
    network : SpikingNetwork
    *imperfections : Imperfection
        They are applied in this order.  Give those of stored values (weight bits, fan-in) before
        those of analog circuits, and membrane noise and supply rails before threshold mismatch,
        because their scale is the threshold at the time they are applied.  A `DelayMismatch`
        is applied after all others except a `TimeQuantization` that is given after it.
    seed : int
        Each seed stands for a different chip.

    Returns
    -------
    SpikingNetwork
        Its ``imperfections`` list what was applied, in that order.  If no amplitude is above
        zero, the network itself is returned.

    Raises
    ------
    ConversionError
        An imperfection cannot be applied to the network.
    ParameterError
        An argument is not an imperfection, or the seed is not a non-negative whole number.
    """
    strange = [repr(entry) for entry in imperfections if not isinstance(entry, Imperfection)]
    if strange:
        raise ParameterError(f"Expected imperfections of bioconv.noise. Received: {strange}.")
    if not isinstance(seed, int | np.integer) or seed < 0:
        raise ParameterError(f"seed must be an integer of at least 0. Received: {seed!r}.")
    owned = zip(imperfections, _owners(imperfections, network.imperfections), strict=True)
    present = _ordered([(entry, owner) for entry, owner in owned if entry.amplitude])
    if not present:
        return network
    reason = why_neurons_fail(network)
    if reason:
        raise ParameterError(
            f"Imperfections are those of neurons and synapses only: {reason} "
            "Apply them to a network without such layers."
        )
    applied = network.imperfections
    for entry, owner in present:
        network = entry.rewrite(network, Streams(int(seed), owner))
        applied += (Disturbance(type(entry).__name__, entry.target, int(seed), str(entry)),)
    return network.replace(imperfections=applied)


def _owners(
    imperfections: Sequence[Imperfection], before: Sequence[Disturbance]
) -> list[tuple[int, ...]]:
    """Return the key of the streams of each imperfection.

    It consists of the class and the number of earlier imperfections with the same target.
    Different targets need no key, because they disturb different places.
    """
    seen = Counter((entry.kind, entry.target) for entry in before)
    owners: list[tuple[int, ...]] = []
    for entry in imperfections:
        kind = type(entry).__name__
        owners.append((crc32(kind.encode()), seen[kind, entry.target]))
        seen[kind, entry.target] += 1
    return owners


def _ordered(given: Sequence[_Owned]) -> list[_Owned]:
    """Put imperfections that split projections last, so that the others see the original ones."""
    early: list[_Owned] = []
    late: list[_Owned] = []
    for entry, owner in given:
        last = entry.splits or (entry.clocks and bool(late))
        (late if last else early).append((entry, owner))
    return early + late
