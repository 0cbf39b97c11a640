"""Results of a run, which are collected image by image and written to one .npz file."""

from __future__ import annotations

import importlib.metadata
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bioconv.ground.decisions import Decision, answers
from bioconv.ground.errors import DataError

from . import readouts
from .arrays import write
from .command_line import stop

Spikes = tuple[NDArray[np.int64], NDArray[np.int64]]


def versions(*packages: str) -> list[str]:
    """Return the versions of Python and of installed packages."""
    found = [f"python {sys.version.split()[0]}"]
    for name in packages:
        try:
            found.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:  # conda's NEST has no package metadata
            found.append(f"{name} unknown")
    return found


class Results:
    """Results of a run.

    Parameters
    ----------
    sizes : mapping of str to int
        Population or spiking input -> its number of neurons.
    start_steps : mapping of str to int
        Population -> the first step that is counted.
    fan_out : mapping of str to ndarray of int
        Population or spiking input -> the number of synapses of each of its neurons.
    outputs : mapping of str to mapping
        Readout -> its description, see `readouts.decode`, with ``population`` and ``decision``, the
        options of its `Decision` and the ``shape`` of an output.
    record : mapping of str to sequence of str
        Population -> "spikes", "counts" or state variables.
    checkpoints : ndarray of int
    dt : float
        ms.
    seed : int
    first : int
        Number of the first image, for random numbers of the readouts.
    y : ndarray, shape (n_images, ...), or None
        Labels of the images.
    """

    def __init__(
        self,
        *,
        sizes: Mapping[str, int],
        start_steps: Mapping[str, int],
        fan_out: Mapping[str, NDArray[np.int64]],
        outputs: Mapping[str, Mapping[str, Any]],
        record: Mapping[str, Sequence[str]],
        checkpoints: NDArray[np.int64],
        dt: float,
        seed: int,
        first: int = 0,
        y: NDArray | None = None,
    ):
        self._sizes, self._start_steps, self._fan_out = sizes, start_steps, fan_out
        self._outputs, self._record, self._checkpoints = outputs, record, checkpoints
        self._dt, self._seed, self._first = dt, seed, first
        self._lists: dict[str, list[NDArray]] = {}
        self._per_neuron = {name: np.zeros(size, np.int64) for name, size in sizes.items()}
        self._n_images = 0
        self._shapes: dict[str, tuple[int, ...]] = {}
        self._decisions: dict[str, Decision] = {}
        for name, entry in outputs.items():
            options = dict(entry["decision"])
            self._shapes[name] = options.pop("shape")
            self._decisions[name] = Decision(**options)
        self._labels = self._checked(y)

    def add(self, spikes: Mapping[str, Spikes], traces: Mapping[tuple[str, str], NDArray]) -> None:
        """Add the spikes (steps, neurons) of each population and the traces of one image."""
        image, operations = self._n_images, 0
        for name, (steps, neurons) in spikes.items():
            counts = np.bincount(neurons, minlength=self._sizes[name])
            self._per_neuron[name] += counts
            if name in self._fan_out:
                operations += int(counts @ self._fan_out[name])
            self._append(f"{name}.spikes_per_image", np.int64(len(steps)))
            self._keep(image, name, steps, neurons)
        self._append("synaptic_operations", np.float64(operations))
        for (name, variable), values in traces.items():
            if variable in self._record.get(name, ()):
                self._append(f"{name}.{variable}", values)
        for name, readout in self._outputs.items():
            population = readout["population"]
            generator = np.random.default_rng((self._seed, self._first + image))
            output = readouts.decode(
                readout,
                *spikes[population],
                traces.get((population, readout["variable"])),
                self._checkpoints,
                self._dt,
                generator,
            )
            self._append(f"{name}.output", np.nan_to_num(output[-1], nan=0.0))
            decided = self._decisions[name].decide_known(output, self._shapes[name])
            if self._decisions[name].of_classes:
                self._append(f"{name}.classes", decided)
            else:
                self._append(f"{name}.classes", answers(output))
                self._append(f"{name}.values", decided)
        self._n_images += 1

    def print_accuracy(self) -> None:
        """Print the accuracy of the first readout; nothing without labels or classes."""
        if self._labels is None:
            return
        name = next(iter(self._outputs))
        found = np.stack(self._lists[f"{name}.classes"])[:, -1]
        share = self._decisions[name].share(found, self._labels)
        print(f"accuracy: {100 * share:.2f} % of {self._n_images} images")

    def save(self, path: Path, **more: Any) -> None:
        """Write all arrays and ``more`` to an .npz file."""
        arrays = {
            name: (np.concatenate if name.endswith(".spikes") else np.stack)(values)
            for name, values in self._lists.items()
        }
        arrays |= {f"{name}.spikes_per_neuron": n for name, n in self._per_neuron.items()}
        arrays |= {"checkpoints": self._checkpoints, "n_images": np.int64(self._n_images)}
        arrays |= {name: np.asarray(value) for name, value in more.items()}
        write(path, arrays)

    def _checked(self, y: NDArray | None) -> NDArray | None:
        """Return labels of the first readout; None if it has values, which lack their function."""
        name = next(iter(self._outputs))
        if y is None or not self._decisions[name].of_classes:
            return None
        try:
            return self._decisions[name].labels(y, self._shapes[name], len(y))
        except DataError as error:
            stop(f"y: {error}")

    def _keep(self, image: int, name: str, steps: NDArray, neurons: NDArray) -> None:
        """Store the requested records of one population's spikes."""
        if "spikes" in self._record.get(name, ()):
            order = np.lexsort((neurons, steps))
            rows = np.stack([np.full(len(steps), image), steps[order], neurons[order]], axis=1)
            self._append(f"{name}.spikes", rows.astype(np.int32))
        if "counts" in self._record.get(name, ()):
            late = steps >= self._start_steps.get(name, 0)
            counts = np.bincount(neurons[late], minlength=self._sizes[name])
            self._append(f"{name}.counts", counts)

    def _append(self, name: str, value: Any) -> None:
        self._lists.setdefault(name, []).append(np.asarray(value))
