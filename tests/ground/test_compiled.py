"""Compiled programs that are kept: in a folder of bioconv, unless the user says otherwise."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "getuid"), reason="files without owners")

#: a program that is compiled, and prints how often and where what is compiled is kept
PROGRAM = """
import jax, jax.monitoring
{before}
from bioconv.ground.compiled import keep_compiled
keep_compiled()
hits = []
jax.monitoring.register_event_listener(
    lambda event, **_: hits.append(event) if event.endswith("cache_hits") else None
)
jax.jit(lambda x: x + 1)(1.0)
print(jax.config.jax_compilation_cache_dir)
print(jax.config.jax_persistent_cache_min_compile_time_secs)
print(len(hits))
"""


def ran(cache: Path, before: str = "", **environment: str) -> tuple[str, float, int]:
    """Run the program: where programs are kept, for how long at least, and how many were found."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("JAX_")}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(before=before)],
        capture_output=True,
        text=True,
        env={**inherited, "BIOCONV_CACHE": str(cache), **environment},
    )
    assert done.returncode == 0, done.stderr
    folder, least, hits = done.stdout.split("\n")[:3]
    return folder, float(least), int(hits)


def test_the_second_process_finds_what_the_first_one_compiled(tmp_path: Path) -> None:
    folder, least, hits = ran(tmp_path)
    assert Path(folder).is_relative_to(tmp_path / "xla")
    assert (least, hits) == (0, 0)
    assert all(path.stat().st_mode & 0o022 == 0 for path in (Path(folder), tmp_path / "xla"))
    assert ran(tmp_path) == (folder, 0, 1)


def test_half_a_program_of_another_process_is_compiled_anew(tmp_path: Path) -> None:
    folder, _, _ = ran(tmp_path)
    for file in Path(folder).glob("*-cache"):
        file.write_bytes(file.read_bytes()[:-9])
    assert ran(tmp_path)[2] == 0


@pytest.mark.parametrize("how", ["variable", "setting", "off"])
def test_settings_of_the_user_stay(how: str, tmp_path: Path) -> None:
    own = str(tmp_path / "own")
    before, environment, expected = {
        "variable": ("", {"JAX_COMPILATION_CACHE_DIR": own}, own),
        "setting": (f"jax.config.update('jax_compilation_cache_dir', {own!r})", {}, own),
        "off": ("jax.config.update('jax_enable_compilation_cache', False)", {}, "None"),
    }[how]
    folder, least, _ = ran(tmp_path / "ours", before, **environment)
    assert (folder, least) == (expected, 1.0)
    assert not (tmp_path / "ours").exists()


def test_the_seconds_of_the_user_stay(tmp_path: Path) -> None:
    assert ran(tmp_path, JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS="0.5")[1] == 0.5


def test_nothing_is_kept_where_others_can_write(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    assert ran(tmp_path / "open")[0] == "None"


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="only Linux counts regions")
def test_programs_are_forgotten_before_the_memory_regions_are_used_up() -> None:
    """After 65,530 regions, JAX ends in a segmentation fault."""
    program = """
from pathlib import Path
import jax
from bioconv.ground.compiled import release_compiled

def regions():
    return Path("/proc/self/maps").read_bytes().count(b"\\n")

jax.jit(lambda x: x + 1)(1.0)
before = regions()
assert not release_compiled(), before
for n in range(1, 31):
    jax.jit(lambda x: x @ x.T)(jax.numpy.ones((n, n)))
after = regions()
most = int(Path("/proc/sys/vm/max_map_count").read_text())
assert release_compiled((before + after) / 2 / most)
print(before, after, regions())
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    before, after, left = map(int, done.stdout.split())
    assert after > before + 60
    assert left < before + (after - before) / 2
