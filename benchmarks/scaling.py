"""Scaling of time and memory with synapses, batch size, steps and network size."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

import bioconv as bc
from benchmarks.lenet import network_and_images
from benchmarks.record import fastest, peak_memory_mib
from bioconv.analog import Affine, AnalogGraph, GraphInput, Layer, Term
from bioconv.analog.functions import Linear, ReLU
from bioconv.operators import Conv, Dense, Operator


def synapses(n_synapses: int, kind: str, seed: int = 0) -> dict[str, Any]:
    """Measure seconds to expand and to export one projection of about ``n_synapses``."""
    operator = _operator(n_synapses, kind, np.random.default_rng(seed))
    before = peak_memory_mib()
    start = time.perf_counter()
    edges = operator.edges()
    expand = time.perf_counter() - start
    network = _one_projection(operator)
    result: dict[str, Any] = {
        "kind": kind,
        "n_synapses": len(edges),
        "expand_seconds": expand,
        "peak_memory_growth_mib": peak_memory_mib() - before,
    }
    for target in ("brian2", "pynn"):
        with tempfile.TemporaryDirectory() as folder:
            start = time.perf_counter()
            bc.emit(network, Path(folder) / "program", target=target)
            result[f"export_{target}_seconds"] = time.perf_counter() - start
    return result


def _operator(n_synapses: int, kind: str, rng: np.random.Generator) -> Operator:
    if kind == "dense":
        side = round(n_synapses**0.5)
        return Dense((side,), rng.normal(size=(side, side)))
    # 3 x 3 convolution, 16 -> 16 channels, with 2304 synapses per position
    side = max(3, round((n_synapses / 2304) ** 0.5))
    return Conv(
        (side, side, 16),
        rng.normal(size=(3, 3, 16, 16)),
        strides=(1, 1),
        padding=((1, 1), (1, 1)),
        dilation=(1, 1),
        groups=1,
        input_dilation=(1, 1),
    )


def _one_projection(operator: Operator) -> bc.SpikingNetwork:
    def affine(source: str, value: Operator) -> Affine:
        return Affine(
            (Term(source, value),), np.zeros((1,) * len(value.out_shape)), value.out_shape
        )

    from bioconv.operators import identity

    first = Layer("first", ReLU(), (affine("x", identity(operator.in_shape)),), operator.in_shape)
    last = Layer("last", Linear(), (affine("first", operator),), operator.out_shape)
    graph = AnalogGraph("one", (GraphInput("x", operator.in_shape),), (first, last), ("last",))
    return bc.convert(graph, calibration=np.ones((1, *operator.in_shape)))


def growth(quick: bool = False) -> dict[str, Any]:
    """Measure seconds of the array simulator as a function of batch size and of steps."""
    network, x = network_and_images(256)
    batches = (8, 32) if quick else (1, 8, 32, 64, 128, 256)
    steps = (25, 50) if quick else (25, 50, 100, 200, 400)

    def seconds(batch: int, n_steps: int) -> float:
        def run() -> None:
            bc.simulate(network, x[:batch], steps=n_steps, batch_size=batch, progress=False)

        run()
        return fastest(run, 3)

    return {
        "batch": [{"batch": b, "seconds_100_steps": seconds(b, 100)} for b in batches],
        "steps": [{"n_steps": s, "seconds_batch_64": seconds(64, s)} for s in steps],
        "peak_memory_mib": peak_memory_mib(),
    }
