"""Shared fixtures: where the real data are, and which tests are slow."""

from __future__ import annotations

import ctypes
import gc
import os
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# Time limits for single examples fail on noisy machines; a run in CI repeats the same examples.
settings.register_profile("bioconv", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("bioconv")

os.environ.setdefault("KERAS_BACKEND", "jax")


BEGUN = pytest.StashKey[float]()
COMPILED = pytest.StashKey[str]()
COLLECTED = pytest.StashKey[list[str]]()

#: Rooms whose slow tests are run first
_FIRST = ("equivalence", "export", "simulators", "targets")
#: Rooms whose results are compared bit for bit with those of others: as users run them
_OPTIMIZED = ("equivalence", "simulators", "targets")
#: Emits the machine code of short programs in two thirds of the time; long runs would be slower
_QUICK = "--xla_cpu_use_fusion_emitters=false --xla_cpu_parallel_codegen_split_count=1"
#: Modules that each take a second to import
_SLOW_MODULES = ("keras", "brian2", "panel", "matplotlib", "pyNN", "scipy.stats", "sklearn", "spyx")


def data_folder() -> Path:
    """Folder of the real data: BIOCONV_DATA, else ``shared/data`` beside the clone."""
    default = Path(__file__).resolve().parents[2] / "shared" / "data"
    return Path(os.environ.get("BIOCONV_DATA", default))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data; skips where it is absent."""
    folder = data_folder()
    if not folder.is_dir():
        pytest.skip(f"no real data: {folder.name} not found (set BIOCONV_DATA to its folder)")
    return folder


@pytest.fixture(autouse=True, scope="module")
def _compiled_programs(request: pytest.FixtureRequest) -> Iterator[None]:
    """Compile quickly where a test runs a network once, and forget what a file has compiled.

    Half of the time of these tests is that of LLVM's optimisation.  It stays on where the last bit
    counts, as it rounds a product and a sum once, and for slow tests, which repeat their runs.
    """
    optimized = request.config.getoption("--runslow") or request.path.parent.name in _OPTIMIZED
    with pytest.MonkeyPatch.context() as patch:  # for processes that tests start
        patch.setenv("JAX_DISABLE_MOST_OPTIMIZATIONS", str(not optimized))
        if "jax" in sys.modules:
            sys.modules["jax"].config.update("jax_disable_most_optimizations", not optimized)
        yield
    if "jax" in sys.modules:
        sys.modules["jax"].clear_caches()
    _return_memory()


def _return_memory() -> None:
    """Give back what was freed: a worker that has run hundreds of networks holds much of it."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim is not None:  # only the C library of GNU has it
        trim(0)


if data_folder().is_dir():  # Keras reads the variable when it is imported
    os.environ.setdefault("KERAS_HOME", str(data_folder() / "keras"))


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--runslow`` and ``--slow-seconds``."""
    parser.addoption("--runslow", action="store_true", help="also run tests marked slow")
    parser.addoption(
        "--slow-seconds",
        type=float,
        default=float("inf"),
        metavar="S",
        help="start no slow test later than this many seconds after the beginning",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Remember when this process began; let all processes share what JAX compiles."""
    config.stash[BEGUN] = time.monotonic()
    if not config.getoption("--runslow") and _QUICK not in os.environ.get("XLA_FLAGS", ""):
        os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {_QUICK}".strip()
    if "JAX_COMPILATION_CACHE_DIR" not in os.environ:
        config.stash[COMPILED] = tempfile.mkdtemp(prefix="bioconv-compiled-")
        os.environ["JAX_COMPILATION_CACHE_DIR"] = config.stash[COMPILED]
        os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0"


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove what was compiled for this run."""
    if COMPILED in config.stash:
        shutil.rmtree(config.stash[COMPILED], ignore_errors=True)


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Iterator[None]:
    """Look for no garbage meanwhile: all that is collected stays, and there is much of it."""
    before = set(sys.modules)
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()
        new = set(sys.modules) - before
        session.config.stash[COLLECTED] = [name for name in _SLOW_MODULES if name in new]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Let tests of simulators be the first and long sweeps the last, as time may not suffice."""
    if config.getoption("--runslow"):
        size = Counter(item.path for item in items if "slow" in item.keywords)
        items.sort(key=lambda i: (i.path.parent.name not in _FIRST, size[i.path], i.path))


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip slow tests unless asked for, or if there is no time left for them."""
    if "slow" in item.keywords:
        _skip_slow(item.config)


@pytest.fixture
def imported_by_collecting(pytestconfig: pytest.Config) -> list[str]:
    """Which modules that are slow to import were imported to collect the tests."""
    return pytestconfig.stash[COLLECTED]


@pytest.fixture
def slow(request: pytest.FixtureRequest) -> Callable[[], None]:
    """Called by a test that learns only when it runs that it is a slow one."""
    return lambda: _skip_slow(request.config)


def _skip_slow(config: pytest.Config) -> None:
    if not config.getoption("--runslow"):
        pytest.skip("slow: run with --runslow")
    limit = config.getoption("--slow-seconds")
    if time.monotonic() - config.stash[BEGUN] > limit:
        pytest.skip(f"slow: no time left of {limit:g} s")
