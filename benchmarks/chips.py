"""Run time of a robustness study, in which a network is simulated on many chips."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np

import bioconv as bc
from bioconv import models
from bioconv.noise import Mismatch
from bioconv.studies.robustness_plan import parse_code
from bioconv.studies.robustness_runs import Bench, Point, fastest_simulator, run_chip

#: codes with their options; the duration of the rate code is sufficient for stable outputs
CODES = ("first_spike_exact", "few_spikes", "rate:n_steps=40")
#: number of chips in a complete study
N_CHIPS = 500


def mismatch(quick: bool, seed: int = 0) -> list[dict[str, Any]]:
    """Measure seconds per chip for LeNet-5 with varied thresholds and 1,000 smooth noise images.

    ``study_minutes`` is the time for 50 chips at each of ten amplitudes, one after another.
    """
    n_images, n_chips = (100, 2) if quick else (1000, 10)
    x = np.random.default_rng(seed).random((n_images, 28, 28, 1), dtype=np.float32) ** 4
    target = np.zeros(n_images, np.int64)
    rows = []
    for name in CODES[: 1 if quick else None]:
        code, arguments = parse_code(name)
        network = bc.convert(
            Path(models.weights_path("lenet5")), calibration=x, code=code, **arguments
        )
        bench = Bench(network, x, target, fastest_simulator([network]))
        point = Point("threshold", 0.05, (Mismatch("threshold", 0.05),))
        run_chip(bench, point, n_chips)  # compiles
        began, used = time.perf_counter(), time.process_time()
        for chip in range(n_chips):
            run_chip(bench, point, chip)
        wall, used = time.perf_counter() - began, time.process_time() - used
        rows.append(
            {
                "code": name,
                "simulator": bench.simulator,
                "images": n_images,
                "chip_seconds": wall / n_chips,
                "chip_processor_seconds": used / n_chips,
                "study_minutes": wall / n_chips * N_CHIPS * 1000 / n_images / 60,
            }
        )
    return rows
