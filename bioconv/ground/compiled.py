"""Which programs that JAX compiles are kept: for later processes in files, and in memory."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any

from bioconv.ground.digests import digest_of
from bioconv.ground.machine import of_processor
from bioconv.ground.places import default_cache, private_folder

#: variable of JAX for the seconds that a program must have taken to be kept
_LEAST = "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"
#: Linux: the memory regions of this process, a line each, and how many a process may have
_REGIONS, _MOST_REGIONS = Path("/proc/self/maps"), Path("/proc/sys/vm/max_map_count")
#: what Linux calls the line that says what a processor can do, on x86 and on ARM
_FEATURES = ("flags", "Features")


def keep_compiled() -> None:
    """Let JAX keep everything that it compiles in the cache folder, and look for it there.

    It does nothing if JAX has a folder of the user for this already (``JAX_COMPILATION_CACHE_DIR``
    or ``jax.config``), if its cache is switched off, or if other users can write the folder: its
    programs are run.  Several processes can use it at the same time: a program that another one is
    writing does not unpack, and is compiled.  So is one that a killed process has left unfinished,
    with a warning of JAX, until the folder is deleted.
    """
    import jax

    config: Any = jax.config  # its fields are not declared
    if config.jax_compilation_cache_dir or not config.jax_enable_compilation_cache:
        return
    try:
        folder = private_folder(default_cache() / "xla" / _processor())
    except OSError:
        return
    config.update("jax_compilation_cache_dir", str(folder))
    if _LEAST not in os.environ:
        # Many of ours take less than the second from which JAX keeps a program, but not together.
        config.update("jax_persistent_cache_min_compile_time_secs", 0.0)


def release_compiled(share: float = 0.5) -> bool:
    """Let JAX forget its compiled programs if they are about to use up the memory regions.

    Linux gives a process 65,530 regions by default; a compiled program takes several of them.
    JAX keeps all programs, and crashes without an error when no region is left, which thousands of
    networks in one process bring about.  Programs that are needed again are compiled again, or read
    from the cache folder.

    Parameters
    ----------
    share : float
        Largest share of the regions that may be in use.

    Returns
    -------
    bool
        Whether the programs were forgotten.
    """
    try:
        regions = _REGIONS.read_bytes().count(b"\n")
        most = int(_MOST_REGIONS.read_text())
    except OSError:  # other systems have no such limit
        return False
    if regions <= share * most:
        return False
    import jax

    jax.clear_caches()
    return True


def _processor() -> str:
    """Return a name for the kind of processor, which JAX does not tell apart.

    Programs may use instructions that another machine with the same home folder does not have.
    """
    features = of_processor(*_FEATURES) or platform.processor()
    return f"{platform.machine() or 'cpu'}-{digest_of(sorted(features.split()))[:12]}"
