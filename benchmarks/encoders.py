"""Speed of the encoders: a signal of a million samples."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from bioconv.encoders import library, make

#: options for one unit a value, and thresholds that need no search
_OPTIONS: dict[str, dict[str, Any]] = {
    "density": {"n_runs": 10},
    "population": {"n_neurons": 10},
    "modified_hsa": {"threshold": 0.5},
    "bsa": {"threshold": 0.9},
}


def speed(quick: bool = False) -> list[dict[str, Any]]:
    """Return wall and processor seconds of encoding and decoding, the second time."""
    n = 10**5 if quick else 10**6
    signal = np.sin(np.arange(n) / 50.0) + 0.1 * np.cos(np.arange(n) / 333.0)
    rows = []
    for name in library():
        if name == "gagamma":  # an optimisation, for a few samples only
            continue
        encoder = make(name, _OPTIONS.get(name, {})).fitted(signal)
        encoder.encode(signal)  # compiles
        wall, processor = time.perf_counter(), time.process_time()
        raster = encoder.encode(signal)
        encoded = time.perf_counter() - wall
        spent = time.process_time() - processor
        wall = time.perf_counter()
        encoder.decode(raster)
        rows.append(
            {
                "encoder": name,
                "n_samples": n,
                "n_spikes": raster.n_spikes,
                "encode_seconds": round(encoded, 3),
                "encode_processor_seconds": round(spent, 3),
                "decode_seconds": round(time.perf_counter() - wall, 3),
            }
        )
    return rows
