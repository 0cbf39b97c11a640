"""Operators with squared weights, through which variances propagate."""

from __future__ import annotations

import numpy as np

from bioconv.operators.base import Operator
from bioconv.operators.conv import Conv
from bioconv.operators.dense import Dense
from bioconv.operators.sparse import reweighted


def squared(operator: Operator) -> Operator:
    """Return the map with the squared weight of every synapse.

    A dense matrix or a convolution keeps its structure, because each of its synapses has a single
    weight.
    """
    if isinstance(operator, Dense | Conv):
        return operator.map_weights(np.square)
    return reweighted(operator, lambda edges: edges.weight**2)
