"""Simulation of a network, population by population, for one batch of samples at a time."""

from __future__ import annotations

import time

import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from bioconv.codes.solving.stage import Incoming, Solution, Solver, Stage, Times
from bioconv.ground.errors import ParameterError
from bioconv.network import SpikingNetwork
from bioconv.network.recording import Recording
from bioconv.operators import precision
from bioconv.simulators.event.collect import Collector
from bioconv.simulators.event.compiled import driven, program_of
from bioconv.simulators.event.solvers import check, prepare
from bioconv.simulators.settings import Data, Settings, simulating, without_states

_BATCH = 64


@without_states
def run(network: SpikingNetwork, data: Data, settings: Settings) -> Recording:
    """Simulate a network; see `bioconv.simulate`.

    Parameters
    ----------
    network : SpikingNetwork
        It must not be recurrent, and all of its models must have a solver; names do not matter.
    data : dict of str to ndarray
    settings : Settings
        Times are always float64.  With ``dtype`` "float32", sums over synapses are computed in
        single precision, which shifts spikes by about a millionth of their window and takes a
        third of the time.  Only "counts" and "spikes" can be recorded.  Classes are determined at
        the end of a sample.

    Returns
    -------
    Recording
        Its rasters contain exact spike times.

    Raises
    ------
    ParameterError
        The network is recurrent, a model has no solver, or a record of state variables is
        requested.
    """
    restated = check(network)
    _check_record(settings)
    with precision("float64"):
        return _Simulation(restated, data, settings).run()


def _check_record(settings: Settings) -> None:
    wrong = {
        f"{name}.{what}"
        for name, wanted in settings.record.items()
        for what in wanted
        if what not in ("counts", "spikes")
    }
    if wrong:
        raise ParameterError(
            f"The event simulator has no time steps and cannot record {', '.join(sorted(wrong))}. "
            "Record 'spikes' or 'counts', or use simulator='array'."
        )


def is_compiled(network: SpikingNetwork) -> bool:
    """Whether the event simulator supports a network and runs all of it as compiled programs.

    In this case it is the fastest simulator; otherwise one with time steps may be faster.
    """
    try:
        restated = check(network)
        with precision("float64"):
            solvers = _solvers(restated, network.n_steps, "float64")
            return program_of(restated, solvers) is not None
    except ParameterError:
        return False


def _solvers(network: SpikingNetwork, n_steps: int, dtype: str, seed: int = 0) -> dict[str, Solver]:
    """Return the solver of each population, in topological order."""
    solvers: dict[str, Solver] = {}
    positions = {p.name: position for position, p in enumerate(network.populations)}
    for name in network.topological_order():
        incoming = [
            Incoming(
                p.operator,
                p.receptor,
                getattr(solvers[p.pre], "latest", np.inf) + p.delay_steps * network.dt,
                getattr(solvers[p.pre], "certain", False),
            )
            for p in network.projections_to(name)
        ]
        changes = [change for change in network.changes if change.population == name]
        stage = Stage(
            network.population(name),
            tuple(incoming),
            tuple(sorted(changes, key=lambda change: change.step)),
            dt=network.dt,
            end=n_steps * network.dt,
            dtype=dtype,
            seed=seed,
            position=positions[name],
        )
        solvers[name] = prepare(stage)
    return solvers


class _Simulation:
    def __init__(self, network: SpikingNetwork, data: Data, settings: Settings):
        began = time.perf_counter()
        self.network, self.data, self.settings = network, data, settings
        self.n_images = len(next(iter(data.values())))
        self.solvers = _solvers(network, settings.n_steps, settings.dtype, settings.seed)
        self.collector = Collector(network, settings, self.n_images, self.batch)
        self.program = program_of(network, self.solvers)
        self.build_seconds = time.perf_counter() - began

    def run(self) -> Recording:
        """Simulate all samples."""
        began = time.perf_counter()
        with simulating(self.network.name, self.n_images, self.settings) as bar:
            for first in range(0, self.n_images, self.batch):
                images = np.arange(first, min(first + self.batch, self.n_images))
                # The last batch is padded with its last sample, so that all batches have the same
                # size and use the same compiled program.
                filled = np.minimum(first + np.arange(self.batch), images[-1])
                data = {name: values[filled] for name, values in self.data.items()}
                solved = self._solve(data, filled + self.settings.first)
                self.collector.add(images, solved, self.solvers)
                bar.update(len(images))
        seconds = {"build": self.build_seconds, "run": time.perf_counter() - began}
        return self.collector.finish(seconds)

    @property
    def batch(self) -> int:
        """Number of samples that are solved together."""
        return self.settings.batch_size or min(_BATCH, self.n_images)

    def _solve(self, data: Data, images: NDArray[np.int64]) -> dict[str, Solution]:
        """Solve one batch for all populations."""
        if self.program is not None:
            found = self.program.run(data, images)
            if found is not None:
                return found
            self.program = None  # it will probably not be exact for the next batches either
        return self._one_by_one(data, images)

    def _one_by_one(self, data: Data, images: NDArray[np.int64]) -> dict[str, Solution]:
        network, dt = self.network, self.network.dt
        found: dict[str, Solution] = {}
        for name, solve in self.solvers.items():
            # Projections from one population with equal delays, as in pooling, share arrivals.
            arriving: dict[tuple[str, int], Times] = {}
            for p in network.projections_to(name):
                if (p.pre, p.delay_steps) not in arriving:
                    arriving[p.pre, p.delay_steps] = found[p.pre].times + p.delay_steps * dt
            arrivals = [arriving[p.pre, p.delay_steps] for p in network.projections_to(name)]
            current: Times = np.zeros((self.batch, network.population(name).n_neurons))
            for drive in network.drives:
                if drive.post == name:
                    part = driven(drive.operator, drive.grid, jnp.asarray(data[drive.input]))
                    current = current + np.asarray(part)
            numbers = (images,) if getattr(solve, "draws", False) else ()
            found[name] = solve(arrivals, current, *numbers)
        return found
