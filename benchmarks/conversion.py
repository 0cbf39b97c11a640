"""Time and memory of the conversion of deep residual networks with random weights."""

from __future__ import annotations

import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

import numpy as np

import bioconv as bc
from benchmarks.record import peak_memory_mib
from bioconv import models
from bioconv.models._residual import build_imagenet_resnet

#: network and calibration samples at once (None: the default); the first one has all channels of
#: the original, 2.9 million neurons and 1.2 billion synapses
CASES = (("resnet50_wide", None), ("resnet50_wide", 4), ("resnet50", None), ("resnet101", None))


def cost(quick: bool) -> list[dict[str, Any]]:
    """Measure every case in a process of its own, whose peak memory is that of the conversion.

    Parameters
    ----------
    quick : bool
        A ResNet-8 only.
    """
    rows = []
    for case in (("resnet8", None),) if quick else CASES:
        with ProcessPoolExecutor(1, get_context("spawn")) as pool:
            rows.append(pool.submit(_converted, *case, 20 if quick else 100).result())
    return rows


def _converted(name: str, batch_size: int | None, n_samples: int) -> dict[str, Any]:
    """Convert a network with random weights, from a Keras model in memory."""
    if name == "resnet50_wide":
        model = build_imagenet_resnet(name, (3, 4, 6, 3), bottleneck=True, filters=64)
    else:
        model = models.build(name)
    x = np.random.default_rng(0).random((n_samples, 32, 32, 3), dtype=np.float32)
    before = peak_memory_mib()
    start = time.perf_counter()
    network = bc.convert(model, calibration=x, batch_size=batch_size, progress=False)
    seconds = time.perf_counter() - start
    return {
        "network": name,
        "batch_size": batch_size,
        "n_samples": n_samples,
        "n_neurons": network.n_neurons,
        "n_synapses": network.n_synapses,
        "seconds": round(seconds, 1),
        "peak_memory_mib": round(peak_memory_mib()),
        "peak_before_mib": round(before),
    }
