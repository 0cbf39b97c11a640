"""One run of a robustness study: simulation of one disturbed network (chip) on all samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from bioconv.ground.digests import digest_of
from bioconv.ground.options import Interval, Many, Rule, Text
from bioconv.measures import spikes_per_image
from bioconv.network import SpikingNetwork
from bioconv.noise import Imperfection, disturb
from bioconv.reports.networks import versions
from bioconv.simulators import simulate
from bioconv.simulators.event import is_compiled

#: to be changed whenever the same run would result in a different record
_VERSION = 3
#: what a valid record must contain
SCHEMA: dict[str, Rule] = {
    "accuracy": Interval(0, 1),
    "spikes": Interval(0),
    "seconds": Interval(0),
    "simulator": Text(),
    "seed": Interval(0, whole=True),
    "images": Interval(1, whole=True),
    "imperfections": Many(Text()),
    "workers": Interval(1, whole=True),
}
#: number of samples simulated together, small enough for the caches of a CPU
_BATCH = 125


@dataclass(frozen=True)
class Point:
    """One amplitude of one imperfection.

    Parameters
    ----------
    noise : str
        Name of the imperfection.
    amplitude : float
    imperfections : tuple of Imperfection
        Usually one; none at amplitude 0.
    """

    noise: str
    amplitude: float
    imperfections: tuple[Imperfection, ...] = ()

    @property
    def axis(self) -> dict[str, str | bool]:
        """``unit`` of the amplitude (empty for several units) and ``fewer_is_worse``."""
        units = {entry.unit for entry in self.imperfections}
        return {
            "unit": units.pop() if len(units) == 1 else "",
            "fewer_is_worse": any(entry.fewer_is_worse for entry in self.imperfections),
        }

    @property
    def severity(self) -> float:
        """Severity, which increases with the magnitude of the amplitude unless fewer is worse."""
        size = abs(self.amplitude)
        return -size if self.axis["fewer_is_worse"] else size


@dataclass(frozen=True, eq=False)
class Bench:
    """Data on which all chips of one code are tested.

    Parameters
    ----------
    network : SpikingNetwork
        Network without imperfections.
    x : ndarray, shape (n_images, ...)
    target : ndarray, shape (n_images, ...)
        Labels or values, or the decisions of the analog network.
    simulator : str
    """

    network: SpikingNetwork
    x: NDArray
    target: NDArray
    simulator: str

    def digest(self) -> str:
        """Digest of all fields, which assigns a record to this bench."""
        return digest_of([_VERSION, self])


def run_key(bench_digest: str, point: Point, seed: int) -> str:
    """Return the name of the record of a run, the digest of everything that it depends on.

    Labels and the order of runs are not included.
    """
    return digest_of([bench_digest, point.imperfections, seed])[:24]


def run_chip(bench: Bench, point: Point, seed: int) -> dict[str, Any]:
    """Disturb the network, simulate it, and measure the results.

    Every chip of a network has the same structure, so that the simulator compiles one program
    for all of them.

    Returns
    -------
    dict
        Plain values: ``accuracy`` (share of the targets), ``spikes`` per image, ``seconds`` of the
        run without compilation of the common program, ``simulator``, ``seed``, ``imperfections``,
        ``versions``.

    Raises
    ------
    ConversionError
        If the imperfection cannot be applied to the network.
    """
    chip = disturb(bench.network, *point.imperfections, seed=seed)
    recording = simulate(
        chip,
        bench.x,
        simulator=bench.simulator,
        batch_size=min(_BATCH, len(bench.x)),
        seed=seed,
        progress=False,
    )
    return {
        "accuracy": recording.accuracy(bench.target),
        "spikes": spikes_per_image(recording, chip),
        "seconds": sum(recording.seconds.values()),
        "simulator": bench.simulator,
        "seed": seed,
        "imperfections": [str(entry) for entry in point.imperfections],
        "images": recording.n_images,
        "versions": versions(),
    }


def fastest_simulator(networks: Sequence[SpikingNetwork]) -> str:
    """Return the faster simulator that supports all of the networks: "event" or "array"."""
    return "event" if all(is_compiled(network) for network in networks) else "array"


def is_random(network: SpikingNetwork) -> bool:
    """Whether runs of the network may differ because of random input, neurons or readouts."""
    return (
        any(entry.encoder == "poisson" for entry in network.inputs)
        or any(population.model.noisy for population in network.populations)
        or any(projection.release < 1 for projection in network.projections)
        or any(readout.draws for readout in network.readouts)
    )
