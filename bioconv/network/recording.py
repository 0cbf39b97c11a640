"""The result of a simulation, the same `Recording` for every simulator."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bioconv.ground.errors import DataError, ParameterError
from bioconv.ground.suggestions import did_you_mean
from bioconv.ground.tables import html_table
from bioconv.network.network import SpikingNetwork
from bioconv.network.recording_parts import RecordingParts
from bioconv.network.validation import recording_problems


@dataclass(frozen=True, eq=False)
class Recording(RecordingParts):
    """The result of simulating ``n_images`` samples for ``n_steps`` steps of ``dt`` ms.

    Parameters
    ----------
    network, simulator : str
        Names of the network and the simulator.
    dt : float
        ms.
    n_steps, n_images : int
    outputs : dict of str to ndarray, shape (n_images, *shape)
        For each readout, the analog output at the end.
    checkpoints : ndarray of int, shape (n_checkpoints,)
        Numbers of steps simulated at which ``classes`` were taken (1 ... n_steps).
    classes : dict of str to ndarray of int, shape (n_images, n_checkpoints)
        Arg max of each readout over time (-1 where there is no output yet).
    spikes_per_image : dict of str to ndarray of int, shape (n_images,)
        Number of spikes for each population and each spiking input.
    spikes_per_neuron : dict of str to ndarray of int, shape (n_neurons,)
        Number of spikes of each neuron, summed over images.
    synaptic_operations : ndarray of float, shape (n_images,)
        Synaptic events: spikes times fan-out.
    counts : dict of str to ndarray of int, shape (n_images, n_neurons)
        Spike counts from ``population.start_step`` on, for populations recorded with "counts".
    rasters : dict of str to Raster
        Spikes of populations recorded with "spikes".
    traces : dict of (str, str) to ndarray of float, shape (n_images, n_steps, n_neurons)
        Recorded state variables by (population, state variable).
    seconds : dict of str to float
        Durations "build" and "run".
    versions : dict of str to str
    start_steps : dict of str to int
        First step included in ``counts``, if it is not 0.
    """

    def __post_init__(self) -> None:
        problems = recording_problems(self)
        if problems:
            raise ParameterError(f"The recording of {self.network!r}: {'; '.join(problems)}.")

    def __repr__(self) -> str:
        spikes = sum(int(np.sum(counts)) for counts in self.spikes_per_image.values())
        return (
            f"<Recording of {self.network!r} by {self.simulator}: {self.n_images:,} images, "
            f"{self.n_steps:,} steps of {self.dt:g} ms, {spikes:,} spikes>"
        )

    def _repr_html_(self) -> str:
        rows = [
            {
                "population": name,
                "neurons": len(self.spikes_per_neuron[name]),
                "spikes/image": float(np.mean(counts)),
                "recorded": tuple(self._recorded(name)) or None,
            }
            for name, counts in self.spikes_per_image.items()
        ]
        return html_table(repr(self), rows)

    def _recorded(self, population: str) -> list[str]:
        """Return what was recorded of a population besides the numbers of its spikes."""
        kinds = {"counts": self.counts, "spikes": self.rasters}
        found = [kind for kind, entries in kinds.items() if population in entries]
        return [*found, *(variable for name, variable in self.traces if name == population)]

    @property
    def readout(self) -> str:
        """Name of the first readout, which is the default of all measures."""
        return next(iter(self.classes))

    def predictions(self, readout: str = "") -> NDArray[np.int64]:
        """Return the class of each sample at the end, -1 for none, shape (n_images,).

        Parameters
        ----------
        readout : str
            By default the first one.
        """
        return self._classes(readout)[:, -1]

    def accuracy(self, y: NDArray, readout: str = "") -> float:
        """Return the share of samples whose class at the end is the label ``y`` (n_images,)."""
        return float(self.accuracy_over_time(y, readout)[-1])

    def accuracy_over_time(self, y: NDArray, readout: str = "") -> NDArray[np.float64]:
        """Return the share of samples whose class is the label, at each of ``checkpoints``.

        Parameters
        ----------
        y : ndarray of int, shape (n_images,)
            Labels.
        readout : str
            By default the first one.

        Raises
        ------
        DataError
            If there is not one label for each sample.
        """
        labels = np.asarray(y).reshape(-1)
        if len(labels) != self.n_images:
            raise DataError(
                f"expected {self.n_images} labels, one for each sample. Received: {len(labels)}."
            )
        return (self._classes(readout) == labels[:, None]).mean(axis=0)

    def agreement(self, classes: NDArray, readout: str = "") -> float:
        """Return the share of samples with the same class at the end as ``classes`` (n_images,)."""
        return self.accuracy(classes, readout)

    def rates(self, population: str) -> NDArray[np.float64]:
        """Return firing rates in Hz since the first input, shape (n_images, n_neurons).

        Raises
        ------
        ParameterError
            If the population's "counts" were not recorded.
        """
        if population not in self.counts:
            raise ParameterError(
                f"the counts of {population!r} were not recorded. Simulate with "
                f'record={{"{population}": ("counts",)}}. Recorded: {", ".join(self.counts)}.'
            )
        # A population that receives no input before the end has no rate yet.
        steps = max(self.n_steps - self.start_steps.get(population, 0), 1)
        return self.counts[population] / (steps * self.dt * 1e-3)

    def save(self, path: str | Path) -> None:
        """Write the recording to one HDF5 file; see `bioconv.network.storage.save_recording`."""
        from bioconv.network.storage import save_recording

        save_recording(self, path)

    @staticmethod
    def load(path: str | Path) -> Recording:
        """Read a recording from a file; see `bioconv.network.storage.load_recording`."""
        from bioconv.network.storage import load_recording

        return load_recording(path)

    def to_neo(self, network: SpikingNetwork | None = None) -> Any:
        """Return the recording as a ``neo.Block``, one segment per sample; see `neo.to_neo`."""
        from bioconv.network.neo import to_neo

        return to_neo(self, network)

    def _classes(self, readout: str) -> NDArray[np.int64]:
        name = readout or self.readout
        if name not in self.classes:
            valid = ", ".join(self.classes)
            raise ParameterError(
                f"there is no readout {name!r}. Valid names: {valid}."
                + did_you_mean(name, self.classes)
            )
        return self.classes[name]
