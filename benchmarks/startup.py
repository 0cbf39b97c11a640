"""Processor time of the commands: of the first run on a machine, and of the second one.

Each command runs twice, in new processes and with a cache folder of its own that is empty before.
What it needs is prepared before, with another cache folder.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bioconv import models
from bioconv.data import datasets
from bioconv.ground.errors import DataNotFoundError

#: variables that say where JAX keeps what it compiles, instead of the cache folder
_OF_JAX = ("JAX_COMPILATION_CACHE_DIR", "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS")
#: commands that read nothing
_CATALOGUES = ("codes", "neurons", "noise", "encoders", "targets")


def commands(quick: bool) -> list[dict[str, Any]]:
    """Measure every command that takes seconds.

    Parameters
    ----------
    quick : bool
        The digits network instead of a LeNet on MNIST, and the first commands only.  The digits
        also stand for MNIST where it is not on this machine.

    Returns
    -------
    list of dict
        For each command ``first_cpu_s`` and ``second_cpu_s``, the processor time in s of the
        process in the first and the second run, and ``first_s`` and ``second_s``, its duration.
    """
    data, model = ("digits", "digits_cnn") if quick else _data_and_model()
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        given = list(_prepared(folder, data, str(models.weights_path(model))))
        for number, (name, arguments) in enumerate(given[: 4 if quick else None]):
            row: dict[str, Any] = {"command": name, "data": data}
            for run in ("first", "second"):
                cpu, wall = _measured(folder / f"cache {number}", arguments)
                row |= {f"{run}_cpu_s": cpu, f"{run}_s": wall}
            rows.append(row)
    return rows


def _data_and_model() -> tuple[str, str]:
    try:
        datasets.part("mnist", "test")
    except DataNotFoundError:
        return "digits", "digits_cnn"
    return "mnist", "lenet_maxpool"


def _prepared(folder: Path, data: str, model: str) -> Iterator[tuple[str, list[str]]]:
    """Yield the commands by name, after networks for them have been converted."""
    calibration = ["--calibration", data, "--calibration-images", "500"]
    rate, exact = str(folder / "rate.h5"), str(folder / "exact.h5")
    others = folder / "cache of others"
    _measured(others, ["convert", model, *calibration, "-o", rate])
    _measured(others, ["convert", model, *calibration, "--code", "first_spike_exact", "-o", exact])
    images = ["--data", data, "--images", "1"]
    output = str(folder / "output.h5")
    yield "inspect a network", ["inspect", rate]
    yield "convert", ["convert", model, *calibration, "-o", output]
    yield "simulate", ["simulate", rate, *images]
    yield "simulate exact first spikes", ["simulate", exact, "--simulator", "event", *images]
    yield "simulate exact first spikes on the grid", ["simulate", exact, *images]
    yield "inspect a model", ["inspect", model]
    yield "estimate", ["estimate", model, *calibration, "--data", data, "--images", "100"]
    yield "disturb", ["disturb", rate, "--noise", "threshold=0.1", "-o", output]
    yield "export", ["export", rate, "--to", "brian2", "-o", str(folder / "program"), "--force"]
    for name in _CATALOGUES:
        yield name, [name]
    yield "--help", ["--help"]


def _measured(cache: Path, arguments: list[str]) -> tuple[float, float]:
    """Return the processor time and the duration of a command in s."""
    kept = {name: value for name, value in os.environ.items() if name not in _OF_JAX}
    before, began = _of_children(), time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "bioconv", *arguments],
        env={**kept, "BIOCONV_CACHE": str(cache)},
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return _of_children() - before, time.perf_counter() - began


def _of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
