"""Run time of the event simulator, relative to a forward pass of Keras."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

import bioconv as bc
from benchmarks.lenet import forward_seconds
from bioconv import models
from bioconv.codes import FirstSpikeExactCode

#: networks of `models` with 28 x 28 inputs
NETWORKS = ("lenet_maxpool", "lenet5", "lenet_benchmark")


def first_spikes(quick: bool, batch: int = 128, seed: int = 0) -> list[dict[str, Any]]:
    """Measure seconds per batch of smooth noise images in both precisions, and those of Keras."""
    repeats = 3 if quick else 20
    x = np.random.default_rng(seed).random((batch, 28, 28, 1), dtype=np.float32) ** 4
    rows = []
    for name in NETWORKS[: 1 if quick else None]:
        network = bc.convert(
            Path(models.weights_path(name)), calibration=x, code=FirstSpikeExactCode()
        )
        forward = forward_seconds(x, name)
        for dtype in ("float32", "float64"):
            seconds = min(
                bc.simulate(
                    network, x, simulator="event", dtype=dtype, batch_size=batch, progress=False
                ).seconds["run"]
                for _ in range(repeats)
            )
            rows.append(
                {
                    "network": name,
                    "dtype": dtype,
                    "batch": batch,
                    "event_ms": 1e3 * seconds,
                    "forward_pass_ms": 1e3 * forward,
                    "in_forward_passes": seconds / forward,
                }
            )
    return rows
