"""Many chips of one network: what a robustness study costs."""

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

#: codes with their options; the rate code long enough for its outputs to settle
CODES = ("first_spike_exact", "few_spikes", "rate:n_steps=40")
#: of the study that the project promises
N_CHIPS = 500


def mismatch(quick: bool, seed: int = 0) -> list[dict[str, Any]]:
    """Seconds a chip of LeNet-5 with other thresholds, on 1,000 images of smooth noise.

    ``study_minutes`` is what 50 chips at each of ten amplitudes would take one after the other.
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
