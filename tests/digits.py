"""The digits and the networks trained on them, read when a test first asks for them."""

from __future__ import annotations

from functools import cache

import numpy as np

import bioconv as bc
from bioconv import models
from bioconv.analog import AnalogGraph


@cache
def _split(split: str) -> tuple[np.ndarray, np.ndarray]:
    x, y = bc.load_data("digits", split=split)
    for shared in (x, y):
        shared.setflags(write=False)
    return x, y


def train() -> np.ndarray:
    """Images of the training set."""
    return _split("train")[0]


def train_labels() -> np.ndarray:
    """Classes of the training set."""
    return _split("train")[1]


def test(n: int | None = None) -> np.ndarray:
    """The first images of the test set."""
    return _split("test")[0][:n]


def labels(n: int | None = None) -> np.ndarray:
    """Classes of the first images of the test set."""
    return _split("test")[1][:n]


@cache
def mlp() -> AnalogGraph:
    """The dense network."""
    return bc.read(models.weights_path("digits_mlp"))


@cache
def cnn() -> AnalogGraph:
    """The convolutional network."""
    return bc.read(models.weights_path("digits_cnn"))
