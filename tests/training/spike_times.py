"""Networks and data for the tests of training in spike times."""

from __future__ import annotations

from typing import Any

import numpy as np
from small_graphs import mlp

import bioconv as bc
from bioconv.analog import AnalogGraph
from bioconv.analog.functions import Softmax
from bioconv.codes import FirstSpikeExactCode
from bioconv.network import SpikingNetwork

#: the linearly mappable condition (Eqs 3.9, 3.10)
OWN: dict[str, Any] = {"slope": "identical", "ramp": "own"}


def samples(model: AnalogGraph, n: int = 24) -> np.ndarray:
    return np.random.default_rng(1).random((n, *model.inputs[0].shape)).astype(np.float32)


def converted(model: AnalogGraph, **options: Any) -> SpikingNetwork:
    return bc.convert(model, calibration=samples(model), code=FirstSpikeExactCode(**options))


def digits(n: int = 400) -> tuple[np.ndarray, np.ndarray]:
    x, y = bc.load_data("digits", split="train", n_images=n)
    return x.reshape(len(x), -1), y


def deep(rng: np.random.Generator) -> AnalogGraph:
    return mlp(rng, (64, 40, 30, 20, 10), Softmax())
