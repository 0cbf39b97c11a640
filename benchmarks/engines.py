"""The engines of the array simulator beside each other, in processor time and interleaved.

Other work on the machine changes both alike, so that the ratio within a round says more than the
times: each round runs every engine and precision once, and the record has the smallest and the
median ratio.
"""

from __future__ import annotations

import time
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

import bioconv as bc
from benchmarks.lenet import forward_function, network_and_images
from benchmarks.record import fastest
from bioconv import models

#: engine and precision of each run
RUNS = tuple((engine, dtype) for dtype in ("float32", "float64") for engine in ("dense", "events"))


def compared(quick: bool) -> list[dict[str, Any]]:
    """Compare the engines on the benchmark LeNet, and ResNet-8 and -20 with random weights.

    Parameters
    ----------
    quick : bool
        The LeNet only, with fewer images, steps and rounds.

    Returns
    -------
    list of dict
        One for each network: ``cpu_ms`` a sample by engine and precision (the fastest round);
        ``speedup``, the ratio of dense to events in each precision, smallest and median of the
        rounds; ``step_in_forward_passes`` by engine in float32; ``same``, whether both engines gave
        the same spikes and the same outputs in float64.
    """
    n_images, n_rounds = (8, 2) if quick else (64, 5)
    network, x = network_and_images(n_images)
    steps = 20 if quick else 100
    rows = [_compare(models.load("lenet_benchmark"), network, x, steps, n_rounds)]
    if not quick:
        # Without weights, which are not shipped: times depend on shapes and numbers of spikes.
        for name, n in (("resnet8", 16), ("resnet20", 8)):
            model = models.build(name)
            x = np.random.default_rng(0).random((n, 32, 32, 3), dtype=np.float32)
            network = bc.convert(model, calibration=x, code=bc.RateCode(percentile=99.9))
            rows.append(_compare(model, network, x, steps, n_rounds))
    return rows


def _compare(
    model: Any, network: bc.SpikingNetwork, x: NDArray, steps: int, n_rounds: int
) -> dict[str, Any]:
    def run(engine: str, dtype: str) -> tuple[float, bc.Recording]:
        began = time.process_time()
        settings = {"steps": steps, "dtype": dtype, "engine": engine, "progress": False}
        recording = bc.simulate(network, x, **settings)
        return (time.process_time() - began) / len(x), recording

    recordings = {entry: run(*entry)[1] for entry in RUNS}  # compiles
    rounds = [{entry: run(*entry)[0] for entry in RUNS} for _ in range(n_rounds)]
    forward = fastest(forward_function(model, x), 20, time.process_time) / len(x)
    shortest = {entry: min(times[entry] for times in rounds) for entry in RUNS}
    return {
        "network": model.name,
        "n_images": len(x),
        "n_steps": steps,
        "cpu_ms": {f"{dtype} {engine}": 1e3 * shortest[engine, dtype] for engine, dtype in RUNS},
        "speedup": {dtype: _ratios(rounds, dtype) for dtype in ("float32", "float64")},
        "forward_pass_cpu_ms": 1e3 * forward,
        "step_in_forward_passes": {
            engine: shortest[engine, "float32"] / steps / forward for engine in ("dense", "events")
        },
        "same": _same(recordings["dense", "float64"], recordings["events", "float64"]),
    }


def _ratios(rounds: list[dict[tuple[str, str], float]], dtype: str) -> dict[str, float]:
    ratios = [times["dense", dtype] / times["events", dtype] for times in rounds]
    return {"smallest": min(ratios), "median": median(ratios)}


def _same(dense: bc.Recording, events: bc.Recording) -> bool:
    spikes = all(
        np.array_equal(counts, events.spikes_per_neuron[name])
        for name, counts in dense.spikes_per_neuron.items()
    )
    return spikes and all(np.array_equal(y, events.outputs[n]) for n, y in dense.outputs.items())
