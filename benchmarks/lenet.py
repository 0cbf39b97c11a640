"""Run time of the benchmark network, LeNet 16C5-2P-8C5-2P-256-10, on every simulator."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import bioconv as bc
from benchmarks.record import fastest
from bioconv import models


def network_and_images(n_images: int, seed: int = 0) -> tuple[bc.SpikingNetwork, NDArray]:
    """Return the converted network and images of MNIST if available, else of smooth noise."""
    try:
        x, _ = bc.load_data("mnist", n_images=n_images)
        calibration, _ = bc.load_data("mnist", split="train", n_images=500)
    except OSError:
        rng = np.random.default_rng(seed)
        x = rng.random((n_images, 28, 28, 1), dtype=np.float32) ** 4
        calibration = rng.random((500, 28, 28, 1), dtype=np.float32) ** 4
    x = np.resize(x, (n_images, 28, 28, 1))
    network = bc.convert(
        Path(models.weights_path("lenet_benchmark")),
        calibration=calibration,
        code=bc.RateCode(percentile=99.9),
        name="lenet_benchmark",
        seed=seed,
    )
    return network, x


def array(batch: int = 64, n_steps: int = 100, n_batches: int = 4) -> dict[str, Any]:
    """Measure images per second of the array simulator, and the cost of a step."""
    network, x = network_and_images(batch * n_batches)

    def run(n_images: int, steps: int) -> None:
        bc.simulate(network, x[:n_images], steps=steps, batch_size=batch, progress=False)

    for steps in (n_steps, 3 * n_steps):
        run(batch, steps)  # compile
    whole = fastest(lambda: run(len(x), n_steps))
    short, long = (fastest(partial(run, batch, steps)) for steps in (n_steps, 3 * n_steps))
    # The time that does not depend on steps (currents, readout) cancels in the difference.
    step = (long - short) / (2 * n_steps)
    forward = forward_seconds(x[:batch])
    return {
        "batch": batch,
        "n_steps": n_steps,
        "images_per_second": len(x) / whole,
        "step_ms": 1e3 * step,
        "forward_pass_ms": 1e3 * forward,
        "step_in_forward_passes": step / forward,
    }


def forward_seconds(x: NDArray, name: str = "lenet_benchmark") -> float:
    """Return the seconds of a compiled forward pass of a Keras network of `models`."""
    return fastest(forward_function(models.load(name), x), 50)


def forward_function(model: Any, x: NDArray) -> Callable[[], Any]:
    """Return a compiled forward pass of a Keras model, which has run once."""
    import jax

    weights = [variable.value for variable in model.trainable_variables]
    others = [variable.value for variable in model.non_trainable_variables]
    forward = jax.jit(lambda w, o, images: model.stateless_call(w, o, images)[0])
    images = jax.numpy.asarray(x)
    forward(weights, others, images).block_until_ready()
    return lambda: forward(weights, others, images).block_until_ready()


def others(simulator: str, n_images: int, n_steps: int = 100) -> dict[str, Any]:
    """Measure images per second of Brian2 or PyNN, without and with building the network."""
    network, x = network_and_images(n_images)
    start = time.perf_counter()
    recording = bc.simulate(network, x, steps=n_steps, simulator=simulator, progress=False)
    total = time.perf_counter() - start
    return {
        "n_images": n_images,
        "n_steps": n_steps,
        "images_per_second": n_images / recording.seconds["run"],
        "seconds": dict(recording.seconds),
        "seconds_in_all": total,
    }
