"""What every imperfection is: a pure rewrite of a network with a declared place and amplitude."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import ClassVar
from zlib import crc32

import numpy as np

from bioconv.ground.errors import ParameterError
from bioconv.network import SpikingNetwork


@dataclass(frozen=True)
class Streams:
    """Random numbers of one imperfection: a named stream for everything that it disturbs.

    Parameters
    ----------
    seed : int
    owner : str
        Tells the streams of one imperfection from those of all others.
    """

    seed: int
    owner: str

    def of(self, name: str) -> np.random.Generator:
        """The generator for what is called ``name``: the same whatever else is disturbed."""
        return np.random.default_rng([self.seed, crc32(self.owner.encode()), crc32(name.encode())])


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


def disturb(network: SpikingNetwork, *imperfections: Imperfection, seed: int = 0) -> SpikingNetwork:
    """The network as imperfect hardware would have it.

    Each imperfection draws from streams of its own, named after its class, its target and what it
    disturbs: another one beside it never changes what it draws.  One that the network has already
    draws anew.

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
        With what was applied, in that order, in ``code["imperfections"]``; the network itself if
        no amplitude is above zero.

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
    before = str(network.code.get("imperfections", ""))
    owned = zip(imperfections, _owners(imperfections, before), strict=True)
    present = _ordered([(entry, owner) for entry, owner in owned if entry.amplitude])
    for entry, owner in present:
        network = entry.rewrite(network, Streams(int(seed), owner))
    if not present:
        return network
    applied = [before] * bool(before) + [f"{entry}, seed {seed}" for entry, _ in present]
    return network.replace(code={**network.code, "imperfections": "; ".join(applied)})


def _owners(imperfections: Sequence[Imperfection], before: str) -> list[str]:
    """Names of their streams: class, target, and the how-manieth with both.

    Counted from those of the class that are on record, whatever their target.
    """
    seen: Counter[str] = Counter()
    owners = []
    for entry in imperfections:
        name = type(entry).__name__
        kind = f"{name}/{entry.target}"
        first = len(re.findall(rf"\b{name}\(", before))
        owners.append(f"{kind}/{first + seen[kind]}")
        seen[kind] += 1
    return owners


def _ordered(given: Sequence[tuple[Imperfection, str]]) -> list[tuple[Imperfection, str]]:
    """What splits projections last: the others find them, and their streams, as they were."""
    early: list[tuple[Imperfection, str]] = []
    late: list[tuple[Imperfection, str]] = []
    for entry, owner in given:
        last = entry.splits or (entry.clocks and bool(late))
        (late if last else early).append((entry, owner))
    return early + late
