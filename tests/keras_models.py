"""Small models of today's Keras with random weights: the reference of the reading tests."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from later import later

keras = later("keras")


def draw(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Random weights that keep activations near one."""
    scale = 1 / np.sqrt(max(np.prod(shape[:-1]), 1))
    return rng.normal(0.05, scale, shape).astype(np.float32)


def randomized(model: keras.Model, seed: int = 0) -> keras.Model:
    """The model with no weight at its initial value: zeros and ones hide mistakes."""
    rng = np.random.default_rng(seed)
    for layer in model._flatten_layers():
        for variable in layer._trainable_variables + layer._non_trainable_variables:
            value = draw(rng, *variable.shape)
            if "variance" in variable.name:
                value = np.abs(value) + 0.5
            if variable.name != "count":  # of the data that a Normalization has seen
                variable.assign(value)
        if hasattr(layer, "finalize_state"):
            layer.finalize_state()
    return model


def sequential(shape: tuple[int, ...], *layers: keras.Layer) -> keras.Model:
    """A Sequential with random weights."""
    return randomized(keras.Sequential([keras.Input(shape), *layers]))


def samples(*shape: int, n: int = 4) -> np.ndarray:
    """Random inputs of both signs."""
    return np.random.default_rng(1).normal(0.2, 1.0, (n, *shape)).astype(np.float32)


@cache
def old_hard_sigmoid() -> Callable[[Any], Any]:
    """The hard sigmoid of Keras 1 and 2, which Keras can save."""

    @keras.saving.register_keras_serializable("reading_tests")
    def old_hard_sigmoid(x: Any) -> Any:
        return keras.ops.clip(0.2 * x + 0.5, 0, 1)

    return old_hard_sigmoid
