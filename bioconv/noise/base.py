"""What every imperfection is: a pure rewrite of a network with a declared place and amplitude."""

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
from bioconv.noise.places import Place


@dataclass(frozen=True)
class Streams:
    """Random numbers of one imperfection: a stream for each thing that it disturbs.

    Parameters
    ----------
    seed : int
    owner : tuple of int
        Tells the streams of one imperfection from those of all others.
    """

    seed: int
    owner: tuple[int, ...] = ()

    def of(self, place: Place) -> np.random.Generator:
        """The generator for what lies at a place of the network (`bioconv.noise.places`).

        It is the same whatever else is disturbed, and whatever anything is called.
        """
        return np.random.default_rng([self.seed, *self.owner, len(place), *place])


@dataclass(frozen=True)
class Imperfection(ABC):
    """Something that real hardware does to a network.  Concrete ones are frozen dataclasses.

    Class attributes: ``site``, what it disturbs; ``unit`` of the amplitude; ``source``, the
    publication that describes it; ``fewer_is_worse``, whether a small amplitude (but not 0) is
    worse than a large one, as of bits; ``splits``, whether it makes several projections of one,
    so that those after it have other names; ``clocks``, whether it rounds delays.
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
        """How strong it is, in ``unit``; at zero the network stays as it is."""

    @property
    def target(self) -> str:
        """What tells it from others of its class: two with one target draw from two streams."""
        return ""

    @abstractmethod
    def rewrite(self, network: SpikingNetwork, streams: Streams) -> SpikingNetwork:
        """The disturbed network; called with an amplitude that is not zero.

        Raises
        ------
        ConversionError
            The network cannot have this imperfection; lists every population or projection in
            the way.
        """

    def __str__(self) -> str:
        """Class and options that are not the default, as in Python."""
        changed = [
            f"{field.name}={getattr(self, field.name)!r}"
            for field in fields(self)
            if getattr(self, field.name) != field.default
        ]
        return f"{type(self).__name__}({', '.join(changed)})"


#: an imperfection and what its streams are told by
_Owned: TypeAlias = tuple[Imperfection, tuple[int, ...]]


def disturb(network: SpikingNetwork, *imperfections: Imperfection, seed: int = 0) -> SpikingNetwork:
    """The network as imperfect hardware would have it.

    Each imperfection draws from streams of its own, told apart by its class, its target and the
    places of what it disturbs: another one beside it never changes what it draws, nor does
    another name.  One that the network has already draws anew.

    Parameters
    ----------
    network : SpikingNetwork
    *imperfections : Imperfection
        Applied in this order, so give what is stored (weight bits, fan-in) first, what analog
        circuits make of it afterwards; and membrane noise and rails before the mismatch of
        thresholds, as their scale is the threshold that the network has then.  A `DelayMismatch`
        is applied after all others, but for a `TimeQuantization` that was given after it.
    seed : int
        Another seed is another chip.

    Returns
    -------
    SpikingNetwork
        With what was applied, in that order, in ``imperfections``; the network itself if no
        amplitude is above zero.

    Raises
    ------
    ConversionError
        The network cannot have an imperfection.
    ParameterError
        Something that is no imperfection, or a seed that is not a whole number from 0.
    """
    strange = [repr(entry) for entry in imperfections if not isinstance(entry, Imperfection)]
    if strange:
        raise ParameterError(f"Expected imperfections of bioconv.noise. Received: {strange}.")
    if not isinstance(seed, int | np.integer) or seed < 0:
        raise ParameterError(f"seed must be a whole number from 0. Received: {seed!r}.")
    owned = zip(imperfections, _owners(imperfections, network.imperfections), strict=True)
    present = _ordered([(entry, owner) for entry, owner in owned if entry.amplitude])
    if not present:
        return network
    applied = network.imperfections
    for entry, owner in present:
        network = entry.rewrite(network, Streams(int(seed), owner))
        applied += (Disturbance(type(entry).__name__, entry.target, int(seed), str(entry)),)
    return network.replace(imperfections=applied)


def _owners(
    imperfections: Sequence[Imperfection], before: Sequence[Disturbance]
) -> list[tuple[int, ...]]:
    """What tells their streams apart: the class, and how many with the same target came before.

    What is disturbed tells two targets apart.
    """
    seen = Counter((entry.kind, entry.target) for entry in before)
    owners: list[tuple[int, ...]] = []
    for entry in imperfections:
        kind = type(entry).__name__
        owners.append((crc32(kind.encode()), seen[kind, entry.target]))
        seen[kind, entry.target] += 1
    return owners


def _ordered(given: Sequence[_Owned]) -> list[_Owned]:
    """What splits projections last: the others find them, and their streams, as they were."""
    early: list[_Owned] = []
    late: list[_Owned] = []
    for entry, owner in given:
        last = entry.splits or (entry.clocks and bool(late))
        (late if last else early).append((entry, owner))
    return early + late
