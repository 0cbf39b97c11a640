"""The result of a simulation, the same `Recording` for every simulator."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bioconv.ground.decisions import LARGEST, Decision
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
    classes : dict of str to ndarray of int, shape (n_images, n_checkpoints, ...)
        What each readout decides over time (-1 where there is no output yet): a class, or one for
        each label or position.  For values, 0 where there is an output.
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
    decisions : dict of str to Decision
        What the output of each readout stands for; the class of the largest output without an
        entry (files of older versions).
    values : dict of str to ndarray of float, shape (n_images, n_checkpoints, ...)
        Output over time of readouts of values (NaN where there is no output yet).
    engine : str
        Engine of the simulator that computed: "dense" or "events" in the array simulator, else
        empty.
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

    def decision(self, readout: str = "") -> Decision:
        """Return what the output of a readout stands for, by default the first one."""
        name = self._name(readout)
        return self.decisions.get(name, LARGEST)

    def n_decisions(self, readout: str = "") -> int:
        """Return the number of decisions of each sample: labels, positions or values."""
        return self.decision(readout).n_decisions(self._shape(readout))

    def predictions(self, readout: str = "") -> NDArray:
        """Return the decision for each sample at the end, shape (n_images, ...).

        These are classes or labels, -1 where there is no output; or values, then NaN.

        Parameters
        ----------
        readout : str
            By default the first one.
        """
        return self._decided(readout)[:, -1]

    def accuracy(self, y: ArrayLike, readout: str = "") -> float:
        """Return the share of decisions at the end that are right; see `accuracy_over_time`."""
        return float(self.accuracy_over_time(y, readout)[-1])

    def accuracy_over_time(self, y: ArrayLike, readout: str = "") -> NDArray[np.float64]:
        """Return the share of decisions that are right, at each of ``checkpoints``.

        A sample has one decision, or one for each label, position or value.  A decision is wrong
        as long as there is no output (see `answered`).  A value is right if it differs from ``y``
        by at most the decision's tolerance, as a share of the range of ``y``.

        Parameters
        ----------
        y : array_like of int, shape (n_images,) or (n_images, ...)
            Labels, or values; see `bioconv.ground.decisions.Decision.labels`.
        readout : str
            By default the first one.

        Raises
        ------
        DataError
            If there is not one label for each decision, or if a label is not a class.
        """
        decision = self.decision(readout)
        labels = decision.labels(y, self._shape(readout), self.n_images)
        return self._shares(decision.right(self._decided(readout), labels))

    def agreement(self, reference: ArrayLike, readout: str = "") -> float:
        """Return the share of decisions at the end that are those of another network.

        Parameters
        ----------
        reference : array_like, shape (n_images, ...)
            Classes, labels or values, as from `bioconv.measures.analog_classes` or from
            `predictions` of another recording.  Where that one has no output, nothing agrees.
        readout : str
            By default the first one.

        Raises
        ------
        DataError
            If there is not one for each decision.
        """
        decision, found = self.decision(readout), self._decided(readout)[:, -1:]
        wanted = np.asarray(reference)
        if wanted.shape != found[:, 0].shape:
            raise DataError(
                f"expected one decision for each sample, of shape {found[:, 0].shape}. Received an "
                f"array of shape {wanted.shape}."
            )
        same = decision.right(found, wanted)
        if decision.of_classes:
            same = same & (wanted >= 0)[:, None]
        return float(self._shares(same)[-1])

    def answered(self, readout: str = "") -> NDArray[np.float64]:
        """Return the share of samples with an output, at each of ``checkpoints``."""
        return self._shares(self.classes[self._name(readout)] >= 0)

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

    def to_frame(self, rows: str = "samples") -> Any:
        """Return a ``pandas.DataFrame`` of samples or of spikes; see `frames.to_frame`."""
        from bioconv.network.frames import to_frame

        return to_frame(self, rows)

    def to_xarray(self, network: SpikingNetwork | None = None) -> Any:
        """Return an ``xarray.Dataset`` with named axes; see `labelled.to_xarray`."""
        from bioconv.network.labelled import to_xarray

        return to_xarray(self, network)

    def _name(self, readout: str) -> str:
        name = readout or self.readout
        if name not in self.classes:
            valid = ", ".join(self.classes)
            raise ParameterError(
                f"there is no readout {name!r}. Valid names: {valid}."
                + did_you_mean(name, self.classes)
            )
        return name

    def _decided(self, readout: str) -> NDArray:
        name = self._name(readout)
        return self.classes[name] if self.decision(name).of_classes else self.values[name]

    def _shape(self, readout: str) -> tuple[int, ...]:
        """Return the shape of the output of one sample."""
        name = self._name(readout)
        if name not in self.outputs:
            raise ParameterError(f"the recording contains no outputs of the readout {name!r}.")
        return self.outputs[name].shape[1:]

    def _shares(self, decided: NDArray) -> NDArray[np.float64]:
        return decided.reshape(*decided.shape[:2], -1).mean(axis=(0, 2))
