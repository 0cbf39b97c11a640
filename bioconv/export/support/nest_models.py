"""Compile a NESTML neuron model into a NEST module, once, and keep it in a cache.

Needs only the standard library here; ``nest`` and ``pynestml`` (``pip install nestml``) must be
importable by this Python, and a C++ compiler must be installed.  Works with the pip wheel of NEST,
whose ``nest-config`` names paths of the machine that built it, and with conda or system NEST.

    library = build(Path("neuron.nestml"), "neuronmodule", Path("~/.cache/nest_models"))
    nest.Install(str(library))  # after every nest.ResetKernel() or pyNN.nest.setup()
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.metadata
import importlib.util
import os
import platform
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from bioconv.ground.places import check_private, private_folder

# Runs in a process of its own: pynestml keeps global state and prints. Builds nothing, only C++.
_GENERATE = """
import sys
from pynestml.codegeneration.printers.constant_printer import ConstantPrinter
from pynestml.frontend import pynestml_frontend as frontend
from pynestml.utils.logger import Logger, LoggingLevel
source, target, module, version = sys.argv[1:]
ConstantPrinter.print_constant = lambda self, node: repr(node)  # all digits; NESTML keeps 9
frontend.builder_from_target_name = lambda name, options=None: (None, dict(options or {}))
failed = frontend.generate_nest_target(
    source, target_path=target, logging_level="NO", module_name=module,
    codegen_opts={"nest_version": "v" + version})
for *_, place, text in Logger.get_messages(level=LoggingLevel.ERROR):
    print("NESTML:", place or "", text)
sys.exit(3 if failed else 0)
"""

# NESTML types a spike port as 1/s and writes ``port * (1 s)`` as the product of 0.001, the summed
# weight and 1000, which is not always the weight in floating point. Keep the weight itself.
#: begins the line that is printed before a model is compiled
COMPILING = "compiling"
_SUMMED_WEIGHT = re.compile(r"\(0\.001 \* (B_\.spike_inputs_grid_sum_\[[^]]*\])\) \* \(1000\.0?\)")

_HINTS = {
    "fatal error: boost/": "the Boost headers are missing: apt install libboost-dev, or "
    "conda install -c conda-forge libboost-headers",
    "fatal error: ltdl.h": "the libltdl headers are missing: apt install libltdl-dev, or "
    "conda install -c conda-forge libtool",
    "fatal error: gsl/": "the GSL headers are missing: apt install libgsl-dev, or "
    "conda install -c conda-forge gsl",
    "fatal error: omp.h": "OpenMP is missing: apt install g++, or "
    "conda install -c conda-forge cxx-compiler",
}


class NestModelBuildError(RuntimeError):
    """A NESTML model could not be turned into a NEST module."""


@dataclass(frozen=True)
class NestInstallation:
    """Information on the installed NEST that the compiler needs.

    Attributes
    ----------
    version : str
        Version number, such as ``"3.10.0"``.
    flags : tuple of str
        Preprocessor, include and code generation flags.
    compiler : tuple of str
        Command of the C++ compiler.
    """

    version: str
    flags: tuple[str, ...]
    compiler: tuple[str, ...]


def build(nestml_path: Path, module_name: str, cache_dir: Path) -> Path:
    """Compile a NESTML file and return the shared library for ``nest.Install``.

    Parameters
    ----------
    nestml_path : Path
        File with one or several models.
    module_name : str
        Name of the module; NESTML requires that it ends in ``module``.
    cache_dir : Path
        Folder in which the libraries are kept; created if absent. The path within it depends on
        the text of the model, the module name and the versions, so that a changed model is rebuilt.

    Returns
    -------
    Path
        Absolute path of the shared library.

    Raises
    ------
    NestModelBuildError
        If a tool is missing or the model is not valid; the message states what to do.
    UnsafeFolderError
        If other users can write the cache, because NEST would run what they put there.
    """
    if not (module_name.isidentifier() and module_name.endswith("module")):
        raise NestModelBuildError(
            f'A module name must be an identifier ending in "module". Received: {module_name!r}'
        )
    source = Path(nestml_path).expanduser().resolve()
    cache = private_folder(Path(cache_dir))
    text = source.read_text(encoding="utf-8")
    nestml_version, installation = _nestml_version(), find_nest()
    key = _cache_key(text, module_name, installation, nestml_version)
    library = cache / f"{module_name}-{key}" / f"{module_name}.so"
    if library.is_file():
        check_private(library)
        return library
    print(f"{COMPILING} {module_name} for NEST, which can take minutes", flush=True)
    with tempfile.TemporaryDirectory(dir=cache, prefix=".build-") as scratch:
        generated = _generate(source, Path(scratch), module_name, installation.version)
        _compile(generated, module_name, installation)
        _publish(generated / library.name, source, library)
    return library


def find_nest() -> NestInstallation:
    """Find headers, flags and compiler for the NEST that this Python imports.

    Returns
    -------
    NestInstallation
        Flags from ``nest-config`` where it belongs to this NEST and its paths exist; otherwise
        the flags that fit the pip wheel.
    """
    version = _nest_version()
    config = _working_nest_config(version)
    if config is None:
        flags = ["-std=c++20", "-O2", "-fopenmp", f"-I{_wheel_headers()}"]
        flags.append(f"-D_GLIBCXX_USE_CXX11_ABI={_string_abi()}")
        wanted = None
    else:
        flags = _ask(config, "--cflags") + _ask(config, "--includes")
        wanted = " ".join(_ask(config, "--compiler"))
    if sys.prefix != "/usr":
        flags.append(f"-I{Path(sys.prefix) / 'include'}")
    return NestInstallation(version, tuple(flags), _find_compiler(wanted))


def _cache_key(
    text: str, module_name: str, installation: NestInstallation, nestml_version: str
) -> str:
    """Return a short hash of everything the library depends on."""
    parts = [text, module_name, installation.version, nestml_version]
    # Another version of this file may build the same model differently.
    parts += [Path(__file__).read_text(encoding="utf-8")]
    parts += [*installation.compiler, _compiler_version(installation), *installation.flags]
    parts += [sys.platform, platform.machine(), platform.python_implementation()]
    parts += [f"{sys.version_info.major}.{sys.version_info.minor}", str(_nest_folder())]
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


def _compiler_version(installation: NestInstallation) -> str:
    """Return what the compiler says about itself."""
    command = [*installation.compiler, "--version"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def _nest_folder() -> Path:
    """Return the folder of the Python package ``nest``, without importing it."""
    spec = importlib.util.find_spec("nest")
    if spec is None or spec.origin is None:
        raise NestModelBuildError(
            "NEST is not installed. Install it: pip install nest-simulator, or "
            "conda install -c conda-forge nest-simulator"
        )
    return Path(spec.origin).resolve().parent


def _nest_version() -> str:
    """Return the version of NEST, from the package metadata or from NEST itself."""
    _nest_folder()
    try:
        return importlib.metadata.version("nest-simulator")
    except importlib.metadata.PackageNotFoundError:
        os.environ.setdefault("PYNEST_QUIET", "1")
        return str(importlib.import_module("nest").__version__)


def _nestml_version() -> str:
    """Return the version of NESTML, or raise with the command that installs it."""
    try:
        return importlib.metadata.version("nestml")
    except importlib.metadata.PackageNotFoundError:
        raise NestModelBuildError(
            "NESTML is not installed. Install it: pip install nestml"
        ) from None


def _working_nest_config(version: str) -> Path | None:
    """Return the ``nest-config`` of this NEST if the header folder it names exists."""
    prefixes = [Path(sys.prefix), *_nest_folder().parents]
    candidates = [prefix / "bin" / "nest-config" for prefix in prefixes]
    found = shutil.which("nest-config")
    for config in [*candidates, *([Path(found)] if found else [])]:
        if config.is_file() and _ask(config, "--version") == [version]:
            folders = [flag[2:] for flag in _ask(config, "--includes") if flag.startswith("-I")]
            if any((Path(folder) / "kernel_manager.h").is_file() for folder in folders):
                return config
    return None


def _ask(config: Path, question: str) -> list[str]:
    """Return the words of the output of ``nest-config``, none if it cannot be run."""
    try:
        answer = subprocess.run([str(config), question], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return []
    return shlex.split(answer.stdout)


def _wheel_headers() -> Path:
    """Return the folder of NEST's C++ headers inside the pip wheel."""
    folder = _nest_folder()
    for headers in (folder / "include" / "nest", folder.parent / "include" / "nest"):
        if (headers / "kernel_manager.h").is_file():
            return headers
    raise NestModelBuildError(
        f"The C++ headers of NEST were found neither through nest-config nor below {folder}. "
        "Install NEST with its headers: pip install nest-simulator, or "
        "conda install -c conda-forge nest-simulator"
    )


def _string_abi() -> int:
    """Return which std::string NEST was compiled with: 1 the C++11 one, 0 the older one."""
    for library in sorted(_nest_folder().glob("*kernel*.so")):
        if re.search(rb"_ZN4nest\w+RKSs", library.read_bytes()):
            return 0
    return 1


def _find_compiler(wanted: str | None) -> tuple[str, ...]:
    """Return the first C++ compiler that exists: $CXX, NEST's own, then the usual names."""
    conda_name = f"{platform.machine()}-conda-linux-gnu-g++"
    for command in (os.environ.get("CXX"), wanted, conda_name, "g++", "c++", "clang++"):
        words = shlex.split(command) if command else []
        if words and shutil.which(words[0]):
            return tuple(words)
    raise NestModelBuildError(
        "No C++ compiler was found. Install one: apt install g++, or conda install -c conda-forge "
        "cxx-compiler; or set the environment variable CXX to its command."
    )


def _generate(source: Path, scratch: Path, module_name: str, nest_version: str) -> Path:
    """Turn NESTML into C++ below ``scratch`` and return the folder of the C++ files."""
    target = scratch / "target"
    target.mkdir()
    arguments = [str(source), str(target), module_name, nest_version]
    done = subprocess.run(
        [sys.executable, "-c", _GENERATE, *arguments],
        check=False,
        capture_output=True,
        text=True,
        cwd=scratch,
    )
    if done.returncode != 0 or not (target / f"{module_name}.cpp").is_file():
        lines = [line for line in done.stdout.splitlines() if line.startswith("NESTML:")]
        detail = "\n".join(lines) or (done.stdout + done.stderr)[-3000:]
        raise NestModelBuildError(f"NESTML cannot process {source}:\n{detail}")
    for code in target.glob("*.cpp"):
        code.write_text(_SUMMED_WEIGHT.sub(r"\1", code.read_text()))
    return target


def _compile(folder: Path, module_name: str, installation: NestInstallation) -> None:
    """Compile all C++ files of ``folder`` into ``<module_name>.so`` there."""
    command = [*installation.compiler, *installation.flags, "-fPIC", "-shared", "-DLTX_MODULE"]
    command += ["-ffp-contract=off", "-w", "-fdiagnostics-color=never", f"-I{folder}"]
    if sys.platform == "darwin":
        command += ["-undefined", "dynamic_lookup"]
    command += [str(path) for path in sorted(folder.glob("*.cpp"))]
    command += ["-o", str(folder / f"{module_name}.so")]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=folder)
    if done.returncode != 0:
        hint = next((text for sign, text in _HINTS.items() if sign in done.stderr), "")
        raise NestModelBuildError(
            f"The C++ code of {module_name} did not compile; {hint or 'output of the compiler:'}\n"
            f"{shlex.join(command)}\n{done.stderr[-3000:]}"
        )


def _publish(built: Path, source: Path, library: Path) -> None:
    """Move a finished library to its place in one step; a second process may have been first."""
    finished = Path(tempfile.mkdtemp(dir=library.parent.parent, prefix=".done-"))
    shutil.move(built, finished / library.name)
    shutil.copy(source, finished / source.name)
    try:
        finished.rename(library.parent)
    except OSError:
        shutil.rmtree(finished, ignore_errors=True)
        if not library.is_file():
            raise
