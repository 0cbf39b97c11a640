"""The squares of an operator's weights: what variances go through."""

from __future__ import annotations

import numpy as np

from bioconv.operators.base import Operator
from bioconv.operators.conv import Conv
from bioconv.operators.dense import Dense
from bioconv.operators.sparse import reweighted


def squared(operator: Operator) -> Operator:
    """The map whose every synapse has the square of its weight.

    A dense matrix or a convolution has one weight for a synapse, and keeps its structure.
    """
    if isinstance(operator, Dense | Conv):
        return operator.map_weights(np.square)
    return reweighted(operator, lambda edges: edges.weight**2)
