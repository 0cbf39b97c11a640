"""Run a network as the program that `bioconv.export` writes, in a separate process."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from bioconv.export import write_program
from bioconv.export.support.arrays import write
from bioconv.export.support.nest_models import COMPILING
from bioconv.export.tables import check_words
from bioconv.ground.archives import read_arrays
from bioconv.ground.errors import (
    CompilerMissingError,
    SimulationError,
    SimulatorMissingError,
    UnsafeCacheError,
)
from bioconv.ground.processes import ending_with_us, output_of
from bioconv.ground.progress import Progress
from bioconv.network import Readout, SpikingNetwork
from bioconv.network.recording import Recording
from bioconv.network.recording_parts import Raster
from bioconv.simulators.decoding import apply_function, checkpoints
from bioconv.simulators.settings import Data, Settings, simulating

#: exit code of a program that finds no compiler or no headers
_NO_COMPILER = 3
#: exit code of a program whose folder for compiled models can be written by others
_UNSAFE_CACHE = 4
_LAST_LINES = 25


def require(packages: Mapping[str, str]) -> None:
    """Check that packages are installed, without importing them.

    Parameters
    ----------
    packages : mapping of str to str
        Name of the package -> command that installs it.

    Raises
    ------
    SimulatorMissingError
        If a package is not installed.
    """
    missing = [name for name in packages if importlib.util.find_spec(name) is None]
    if missing:
        advice = " and ".join(dict.fromkeys(packages[name] for name in missing))
        verb, what = ("is", "it") if len(missing) == 1 else ("are", "them")
        raise SimulatorMissingError(
            f"{', '.join(missing)} {verb} not installed. Install {what}: {advice}"
        )


@contextmanager
def emitted(network: SpikingNetwork, target: str) -> Iterator[Path]:
    """Write the network's program to a temporary folder, which is removed on exit."""
    check_words(network)
    with tempfile.TemporaryDirectory(prefix="bioconv-") as scratch:
        folder = Path(scratch) / "program"
        folder.mkdir()
        write_program(network, folder, target)
        yield folder


def run_program(
    network: SpikingNetwork,
    data: Data,
    settings: Settings,
    folder: Path,
    arguments: Sequence[str] = (),
) -> Recording:
    """Run ``folder/program.py`` and read its results.

    Parameters
    ----------
    network : SpikingNetwork
    data : dict of str to ndarray
    settings : Settings
    folder : Path
        The folder from `emitted`.  The data and the results are written next to it.
    arguments : sequence of str
        Further options of the program.

    Returns
    -------
    Recording

    Raises
    ------
    SimulationError
        If the program fails.  The message contains the last lines of its output.
    CompilerMissingError
        If a compiler or headers are missing for a generated model.
    """
    images, result = folder.parent / "images.npz", folder.parent / "result.npz"
    write(images, data if len(data) > 1 else {"x": next(iter(data.values()))})
    command = [sys.executable, str(folder / "program.py"), *arguments]
    command += ["--data", str(images), "-o", str(result), "--seed", str(settings.seed)]
    command += ["--steps", str(settings.n_steps), "--first", str(settings.first)]
    command += ["--checkpoints", *map(str, checkpoints(network, settings))]
    for name, what in settings.record.items():
        command += [text for entry in what for text in ("--record", f"{name}={entry}")]
    n_images = len(next(iter(data.values())))
    _execute(command, folder.parent, simulating(network.name, n_images, settings), settings)
    return _recording(network, settings, read_arrays(result, SimulationError))


def _execute(command: list[str], scratch: Path, progress: Progress, settings: Settings) -> None:
    """Run a program until it exits, and show its progress."""
    with (
        (scratch / "messages.txt").open("w+", encoding="utf-8", errors="replace") as messages,
        progress,
        subprocess.Popen(
            ending_with_us(command),
            cwd=scratch,
            env=_environment(),
            stdout=subprocess.PIPE,
            stderr=messages,
            text=True,
        ) as process,
    ):
        try:
            lines = _follow(output_of(process), progress)
        except BaseException:
            process.kill()
            raise
        code = process.wait()
        if code:
            messages.seek(0)
            _fail(settings.simulator, code, [*lines, *messages.read().splitlines()])


def _environment() -> dict[str, str]:
    """Return the user's environment without variables that change how Python starts."""
    removed = {"PYTHONSAFEPATH", "PYTHONSTARTUP", "PYTHONINSPECT", "PYTHONOPTIMIZE"}
    kept = {name: value for name, value in os.environ.items() if name not in removed}
    return {**kept, "PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "1", "PYNEST_QUIET": "1"}


def _follow(output: IO[str], progress: Progress) -> list[str]:
    """Show every finished image and what is compiled, and return the other lines."""
    others, what = [], progress.what
    for line in output:
        if line.startswith("image "):
            progress.describe(what)
            progress.update()
        elif line.startswith(COMPILING):
            progress.describe(f"{what}: {line.strip()}")
        else:
            others.append(line.rstrip())
    return others


def _fail(simulator: str, code: int, lines: list[str]) -> None:
    text = "\n".join(line for line in lines[-_LAST_LINES:])
    if code == _NO_COMPILER:
        raise CompilerMissingError(text)
    if code == _UNSAFE_CACHE:
        raise UnsafeCacheError(text)
    raise SimulationError(f"{simulator} failed (exit code {code}). Its last output:\n{text}")


def _recording(
    network: SpikingNetwork, settings: Settings, arrays: dict[str, NDArray[Any]]
) -> Recording:
    names = [entry.name for entry in network.spiking_inputs]
    names += [population.name for population in network.populations]
    outputs = {
        readout.name: apply_function(
            readout,
            arrays[f"{readout.name}.output"].reshape(
                -1, *readout.shape(network.population(readout.population))
            ),
        )
        for readout in network.readouts
    }
    decisions = network.decisions()
    wanted = [(name, entry) for name, what in settings.record.items() for entry in what]
    build_seconds, run_seconds = arrays["seconds"]
    return Recording(
        network=network.name,
        simulator=settings.simulator,
        dt=network.dt,
        n_steps=settings.n_steps,
        n_images=int(arrays["n_images"]),
        outputs=outputs,
        checkpoints=arrays["checkpoints"],
        classes={r.name: arrays[f"{r.name}.classes"] for r in network.readouts},
        values={
            r.name: _values(network, r, arrays[f"{r.name}.values"])
            for r in network.readouts
            if not decisions[r.name].of_classes
        },
        decisions=decisions,
        spikes_per_image={name: arrays[f"{name}.spikes_per_image"] for name in names},
        spikes_per_neuron={name: arrays[f"{name}.spikes_per_neuron"] for name in names},
        synaptic_operations=arrays["synaptic_operations"],
        counts={n: arrays[f"{n}.counts"] for n, entry in wanted if entry == "counts"},
        rasters={n: _raster(arrays[f"{n}.spikes"]) for n, entry in wanted if entry == "spikes"},
        traces={
            (name, entry): arrays[f"{name}.{entry}"]
            for name, entry in wanted
            if entry not in ("counts", "spikes")
        },
        seconds={"build": float(build_seconds), "run": float(run_seconds)},
        versions=dict(str(text).split(" ", 1) for text in arrays["versions"]),
        start_steps={p.name: p.start_step for p in network.populations if p.start_step},
    )


def _values(network: SpikingNetwork, readout: Readout, analog: NDArray) -> NDArray:
    """Apply the output function to values over time, shape (n_images, n_checkpoints, ...)."""
    shape = readout.shape(network.population(readout.population))
    return apply_function(readout, analog.reshape(-1, *shape)).reshape(analog.shape)


def _raster(rows: NDArray[np.int32]) -> Raster:
    image, step, neuron = rows.astype(np.int64).T
    return Raster(image, step, neuron)
