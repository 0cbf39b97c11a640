"""An encoder and a network of spike patterns for tests."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import digits
import numpy as np
from later import later

from bioconv.analog import AnalogGraph
from bioconv.codes import CorrelativeCode
from bioconv.codes.correlative.stack import dense_graph
from bioconv.encoders import make

elephant_distances = later("elephant.spike_train_dissimilarity")
quantities = later("quantities")

CODE = CorrelativeCode(n_outputs=2)


@cache
def encoder_of() -> Any:
    return make("ecte", {"n_levels": 6}).fitted(digits.train()[:300])


@cache
def random_graph(multiplication_free: bool = False) -> AnalogGraph:
    """Two hidden layers with random weights."""
    rng = np.random.default_rng(0)
    sizes = (64, 20, 15, 20)
    weights = [rng.normal(0.02, 0.15, pair) for pair in zip(sizes, sizes[1:], strict=False)]
    thresholds = [rng.uniform(0.2, 0.9, n) for n in sizes[1:]]
    code = replace(CODE, multiplication_free=multiplication_free)
    return dense_graph(code, encoder_of(), weights, thresholds, (8, 8, 1))
