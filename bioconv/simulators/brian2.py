"""The Brian2 simulator, which runs the program that `bioconv.emit` writes for Brian2."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bioconv.ground.digests import digest_of
from bioconv.ground.errors import CompilerMissingError, ParameterError, UnsafeCacheError
from bioconv.ground.places import UnsafeFolderError, default_cache, private_folder
from bioconv.ground.versions import version
from bioconv.network import SpikingNetwork
from bioconv.network.recording import Recording
from bioconv.network.stages import list_stages
from bioconv.simulators.exported import emitted, require, run_program
from bioconv.simulators.settings import Data, Settings

#: code generation targets of Brian2; see ``codegen`` of `run`
CODEGEN = ("numpy", "cython", "cpp_standalone")


def run(
    network: SpikingNetwork, data: Data, settings: Settings, *, codegen: str = "numpy"
) -> Recording:
    """Simulate; see `bioconv.simulate`.

    Parameters
    ----------
    network : SpikingNetwork
    data : dict of str to ndarray
    settings : Settings
        Samples run one after another, in float64.
    codegen : {"numpy", "cython", "cpp_standalone"}
        "numpy" needs no compiler and starts at once.  "cython" compiles each object at its first
        use, which takes minutes.  "cpp_standalone" compiles the whole network, which takes a
        minute and is cached, and then runs the binary once per sample.

    Returns
    -------
    Recording

    Raises
    ------
    SimulatorMissingError, CompilerMissingError, SimulationError, ExportError
    """
    if codegen not in CODEGEN:
        raise ParameterError(f"codegen must be one of {', '.join(CODEGEN)}. Received: {codegen!r}.")
    if network.stages and codegen == "cpp_standalone":
        raise ParameterError(
            "codegen='cpp_standalone' cannot compute analog stages, which run in Python between "
            f"the steps: {list_stages(network)}. Use codegen='numpy' or 'cython'."
        )
    require({"brian2": "pip install brian2"})
    with emitted(network, "brian2") as folder:
        if codegen != "cpp_standalone":
            return run_program(network, data, settings, folder, ["--codegen", codegen])
        with _project(folder, settings, _compiler()) as project:
            return run_program(network, data, settings, folder, ["--standalone", str(project)])


@contextmanager
def _project(folder: Path, settings: Settings, compiler: str) -> Iterator[Path]:
    """Provide the cached folder for the C++ code of a program, locked for other processes.

    Brian2 compiles only those files in it that have changed.
    """
    from brian2.utils.filelock import FileLock

    paths = [path for path in folder.rglob("*") if path.is_file()]
    files = {path.relative_to(folder): path.read_bytes() for path in paths}
    key = [
        settings.n_steps,
        settings.record,
        files,
        version("brian2"),
        version("bioconv"),
        compiler,
    ]
    try:
        project = private_folder(default_cache() / "brian2" / digest_of(key)[:16])
    except UnsafeFolderError as error:
        raise UnsafeCacheError(str(error)) from error
    with FileLock(str(project) + ".lock"):
        yield project


def _compiler() -> str:
    """Return the version of the C++ compiler.

    Raises
    ------
    CompilerMissingError
    """
    found = next(filter(None, map(shutil.which, ("g++", "clang++"))), None)
    if found is None or not shutil.which("make"):
        raise CompilerMissingError(
            "Brian2's cpp_standalone needs a C++ compiler and make: apt install g++ make, or conda "
            "install -c conda-forge cxx-compiler make. codegen='numpy' needs neither."
        )
    done = subprocess.run([found, "--version"], capture_output=True, text=True, check=False)
    return done.stdout
