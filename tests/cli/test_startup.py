"""What a user waits for: nothing is imported or compiled that is not needed, and nothing twice."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bioconv.models import weights_path

#: runs commands one after the other, and prints for each what was imported and compiled
PROGRAM = """
import json, sys
from bioconv.cli import main

events, hits = [], []

def listen(event, duration, fun_name="", **_):
    if event == "/jax/core/compile/backend_compile_duration":
        # which is also reported for a program that was found, after the hit
        hits.pop() if hits else events.append(fun_name)

def hit(event, **_):
    if event == "/jax/compilation_cache/cache_hits":
        hits.append(event)

found = []
for arguments in json.loads(sys.argv[1]):
    if arguments[0] != "inspect":
        import jax.monitoring
        if not found:
            jax.monitoring.register_event_duration_secs_listener(listen)
            jax.monitoring.register_event_listener(hit)
    events.clear()
    assert main([*arguments, "--quiet"]) == 0
    found.append({"compiled": list(events), "modules": sorted(sys.modules)})
print(json.dumps(found))
"""
#: modules that each take long to import
HEAVY = ("brian2", "keras", "matplotlib", "numba", "optax", "sklearn", "sympy")


def ran(cache: Path, *commands: list[str]) -> list[dict[str, Any]]:
    """Run commands in one new process with a cache folder."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("JAX_")}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(commands)],
        capture_output=True,
        text=True,
        env={**inherited, "BIOCONV_CACHE": str(cache)},
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def imported(found: dict[str, Any], names: tuple[str, ...]) -> list[str]:
    return [name for name in names if name in found["modules"]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a converted network, and the cache of the process that converted it."""
    folder = tmp_path_factory.mktemp("startup")
    model = str(weights_path("digits_mlp"))
    options = ["--calibration", "digits", "--calibration-images", "100", "-o"]
    convert = ["convert", model, *options, str(folder / "net.h5")]
    first, *_ = ran(folder / "cache", convert)
    (folder / "first.json").write_text(json.dumps(first))
    return folder


def test_inspecting_a_network_imports_no_readers_codes_or_measures(folder: Path) -> None:
    (found,) = ran(folder / "cache", ["inspect", str(folder / "net.h5")])
    assert imported(found, HEAVY) == []
    rooms = ("codes", "measures", "reading", "simulators", "training")
    assert imported(found, tuple(f"bioconv.{room}" for room in rooms)) == []
    assert imported(found, ("scipy.interpolate", "scipy.optimize", "scipy.sparse")) == []


def test_a_conversion_compiles_few_programs_and_imports_little(folder: Path) -> None:
    """Two for each layer, and two that evaluate the whole network."""
    first = json.loads((folder / "first.json").read_text())
    assert len(first["compiled"]) <= 2 * 3 + 2 + 2
    assert not {"jit(stage)", "jit(convert_element_type)"} & set(first["compiled"])
    assert imported(first, tuple(name for name in HEAVY if name != "sklearn")) == []


def test_a_second_process_compiles_nothing_and_needs_neither_keras_nor_brian2(folder: Path) -> None:
    simulate = ["simulate", str(folder / "net.h5"), "--data", "digits", "--steps", "20"]
    few = [*simulate, "--images", "8", "--batch", "8"]
    (first,) = ran(folder / "cache", few)
    # The currents, the chunk, the five parts of a softmax, and the analog network
    assert 0 < len(first["compiled"]) <= 8
    again, more = ran(folder / "cache", few, [*simulate, "--images", "19", "--batch", "8"])
    assert again["compiled"] == []
    assert imported(again, HEAVY) == []
    # A last batch of 3 samples; the analog network is evaluated for 19 samples at once.
    assert more["compiled"] == ["jit(_forward)"]
