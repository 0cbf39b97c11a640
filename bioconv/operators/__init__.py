"""Linear maps between populations, which act on arrays and can be expanded into synapses.

>>> import numpy as np
>>> from bioconv.operators import Dense
>>> len(Dense((3,), np.ones((3, 2))).edges())
6
"""

from bioconv.operators.base import LEAF, Array, Edges, Operator, Shape, compact, register
from bioconv.operators.chain import Chain
from bioconv.operators.compose import compose, identity, scaled
from bioconv.operators.conv import Conv, conv, conv_transpose, depthwise, ungrouped
from bioconv.operators.counting import fan_out, n_synapses
from bioconv.operators.dense import Dense
from bioconv.operators.kernels import (
    all_with_kernels,
    kernels,
    weights_of,
    with_kernels,
    with_weights,
)
from bioconv.operators.pool import AveragePool
from bioconv.operators.precision import placed, precision
from bioconv.operators.rounding import snapped
from bioconv.operators.rules import is_identity
from bioconv.operators.scale import Scale
from bioconv.operators.selection import (
    Broadcast,
    Crop,
    Pad,
    Permute,
    Place,
    Polarity,
    Reshape,
    Selection,
    Upsample,
    WindowCell,
)
from bioconv.operators.sparse import Sparse, reweighted, sparse
from bioconv.operators.squares import squared
from bioconv.operators.windows import keras_padding, keras_paddings, n_windows

#: class name in a file -> operator class
OPERATORS: dict[str, type[Operator]] = {
    cls.__name__: cls
    for cls in (
        AveragePool,
        Broadcast,
        Chain,
        Conv,
        Crop,
        Dense,
        Pad,
        Permute,
        Place,
        Polarity,
        Reshape,
        Scale,
        Sparse,
        Upsample,
        WindowCell,
    )
}

__all__ = [
    "OPERATORS",
    "Array",
    "AveragePool",
    "Broadcast",
    "Chain",
    "Conv",
    "Crop",
    "Dense",
    "Edges",
    "Operator",
    "Pad",
    "Permute",
    "Place",
    "Polarity",
    "Reshape",
    "Scale",
    "Selection",
    "Shape",
    "Sparse",
    "Upsample",
    "WindowCell",
    "all_with_kernels",
    "compact",
    "compose",
    "conv",
    "conv_transpose",
    "depthwise",
    "fan_out",
    "identity",
    "is_identity",
    "kernels",
    "keras_padding",
    "keras_paddings",
    "LEAF",
    "n_synapses",
    "n_windows",
    "placed",
    "precision",
    "register",
    "reweighted",
    "scaled",
    "snapped",
    "sparse",
    "squared",
    "ungrouped",
    "weights_of",
    "with_kernels",
    "with_weights",
]
