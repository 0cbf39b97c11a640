"""Assembly of the recording of an event simulation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bioconv.codes.solving.stage import Solution, Solver, Times
from bioconv.export.support import readouts
from bioconv.ground.versions import version
from bioconv.network import Readout, SpikingNetwork
from bioconv.network.recording import Recording
from bioconv.network.recording_parts import Raster
from bioconv.operators import fan_out
from bioconv.simulators.decoding import Decisions, apply_function
from bioconv.simulators.event.compiled import tally
from bioconv.simulators.settings import Settings

Counts = NDArray[np.int64]
#: rounding tolerance at the end of a step, as a share of the step
_ROUNDING = 1e-6


class Collector:
    """Collects the results of a simulation batch by batch.

    Parameters
    ----------
    network : SpikingNetwork
    settings : Settings
    n_images, batch : int
        Number of all samples, and of those that are added at once.
    """

    def __init__(self, network: SpikingNetwork, settings: Settings, n_images: int, batch: int):
        self.network, self.settings, self.n_images = network, settings, n_images
        self.batch = batch
        sizes = {p.name: p.n_neurons for p in network.populations}
        self._per_image = {name: np.zeros(n_images, np.int64) for name in sizes}
        self._per_neuron = {name: np.zeros(n, np.int64) for name, n in sizes.items()}
        self._operations = np.zeros(n_images)
        self._fan_out = {name: np.zeros(n) for name, n in sizes.items()}
        for projection in network.projections:
            self._fan_out[projection.pre] += fan_out(projection.operator)
        self._counts = {
            name: np.zeros((n_images, sizes[name]), np.int64)
            for name, what in settings.record.items()
            if "counts" in what
        }
        self._rasters: dict[str, list[Raster]] = {
            name: [] for name, what in settings.record.items() if "spikes" in what
        }
        self._decided = Decisions(network, n_images, 1, batch)
        self._versions = {name: version(name) for name in ("jax", "numpy")}
        self._outputs = {
            r.name: np.zeros((n_images, *r.shape(network.population(r.population))))
            for r in network.readouts
        }

    def add(
        self, images: Counts, found: Mapping[str, Solution], solvers: Mapping[str, Solver]
    ) -> None:
        """Add the results for the samples ``images``; the batch may be padded with more samples.

        Parameters
        ----------
        images : ndarray of int, shape (n,)
        found : mapping of str to Solution
        solvers : mapping of str to Solver
            The solvers that returned the solutions.
        """
        n = len(images)
        for name, solution in found.items():
            counted = tally(solvers[name], solution, self._fan_out[name], n)
            self._per_image[name][images] = counted.per_image
            self._per_neuron[name] += counted.per_neuron
            self._operations[images] += counted.operations
            if name in self._counts or name in self._rasters:
                self._keep(name, images, np.asarray(solution.times)[:n])
        for readout in self.network.readouts:
            self._read(readout, images, found[readout.population])

    def _keep(self, name: str, images: Counts, times: Times) -> None:
        """Store the requested records of one population."""
        if name in self._counts:
            late = self._steps(times) >= self.network.population(name).start_step
            self._counts[name][images] = (late & np.isfinite(times)).sum(axis=2)
        if name in self._rasters:
            self._rasters[name].append(self._raster(images, times))

    def finish(self, seconds: Mapping[str, float]) -> Recording:
        """Return the recording."""
        settings = self.settings
        return Recording(
            network=self.network.name,
            simulator=settings.simulator,
            dt=self.network.dt,
            n_steps=settings.n_steps,
            n_images=self.n_images,
            outputs=self._outputs,
            checkpoints=np.array([settings.n_steps]),
            classes=self._decided.classes,
            values=self._decided.values,
            decisions=self._decided.decisions,
            spikes_per_image=self._per_image,
            spikes_per_neuron=self._per_neuron,
            synaptic_operations=self._operations,
            counts=self._counts,
            rasters={name: _joined(parts) for name, parts in self._rasters.items()},
            seconds=dict(seconds),
            versions=self._versions,
            start_steps={p.name: p.start_step for p in self.network.populations if p.start_step},
        )

    def _steps(self, times: Times) -> Counts:
        """Return the step of the grid that contains a time; step t covers (t dt, (t + 1) dt]."""
        with np.errstate(invalid="ignore"):
            steps = np.ceil(times / self.network.dt - _ROUNDING) - 1
        return np.clip(np.nan_to_num(steps), 0, self.settings.n_steps - 1).astype(np.int64)

    def _raster(self, images: Counts, times: Times) -> Raster:
        image, neuron, k = np.nonzero(np.isfinite(times))
        exact = times[image, neuron, k]
        step = self._steps(exact)
        order = np.lexsort((neuron, step, image))
        return Raster(images[image[order]], step[order], neuron[order], exact[order])

    def _read(self, readout: Readout, images: Counts, solution: Solution) -> None:
        population = self.network.population(readout.population)
        settings = self._settings(readout)
        if readout.reads_spikes:
            times = np.asarray(solution.times)[: len(images)]
            analog = np.stack([self._from_spikes(settings, of_one) for of_one in times])
        else:  # potentials have no time axis: samples take the place of steps
            name = population.model.potential
            settings |= {"initial": population.starts(name), "start_step": 0}
            potential = np.asarray(solution.final[name])[: len(images)]
            analog = self._decode(settings, (), (), potential, 1 + np.arange(len(images)))
            if self.settings.n_steps <= population.start_step:  # a run that ends too early
                analog = np.full_like(analog, np.nan)
        final = np.nan_to_num(analog, nan=0.0).reshape(-1, *population.shape)
        self._outputs[readout.name][images] = apply_function(readout, final, self.batch)
        self._decided.add(readout, images, analog[:, None])

    def _settings(self, readout: Readout) -> dict[str, Any]:
        population = self.network.population(readout.population)
        shape = population.shape
        return {
            "kind": readout.kind,
            "scale": np.broadcast_to(population.scale, shape).reshape(-1),
            "offset": np.broadcast_to(population.offset, shape).reshape(-1),
            "max_rate": population.max_rate,
            "start_step": population.start_step,
            "rate": readout.rate,
        }

    def _from_spikes(self, settings: Mapping[str, Any], times: Times) -> Times:
        """Return the final output of a sample, before the activation function of the layer."""
        neurons, k = np.nonzero(np.isfinite(times))
        steps = times[neurons, k] / self.network.dt - 1.0  # a spike in step t is at (t + 1) dt
        return self._decode(settings, steps, neurons, None, [self.settings.n_steps])[0]

    def _decode(
        self,
        settings: Mapping[str, Any],
        steps: ArrayLike,
        neurons: ArrayLike,
        potential: Times | None,
        points: ArrayLike,
    ) -> Times:
        none = np.random.default_rng(0)  # nothing is drawn
        return readouts.decode(
            settings,
            np.asarray(steps),
            np.asarray(neurons, np.int64),
            potential,
            np.asarray(points),
            self.network.dt,
            none,
        )


def _joined(parts: list[Raster]) -> Raster:
    """Concatenate rasters whose samples are in order."""
    return Raster(
        image=np.concatenate([part.image for part in parts]),
        step=np.concatenate([part.step for part in parts]),
        neuron=np.concatenate([part.neuron for part in parts]),
        time=np.concatenate([part.time for part in parts if part.time is not None]),
    )
