"""How many weights a layer can have, which limits what is read of a file.

The readers compare shapes with the exact ones.  This bound is looser, but known before any weight
is read: a small file can contain gigabytes of compressed zeros.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import prod
from typing import Any

from bioconv.reading.config import Config
from bioconv.reading.spec import LayerSpec

#: arguments that are axes of weights
_AXES = (
    *("units", "filters", "kernel_size", "depth_multiplier", "input_dim", "output_dim"),
    *("num_heads", "key_dim", "value_dim", "output_shape", "lora_rank"),
)
#: layers whose weights may have several axes of the input
_SEVERAL = frozenset(
    {"EinsumDense", "PReLU", "LayerNormalization", "RMSNormalization", "Normalization"}
)
#: layers with a weight from their outputs to themselves
_RECURRENT = frozenset({"LSTM", "GRU", "SimpleRNN"})
#: gates of a recurrent layer
_GATES = 4
#: values of arrays whose size does not depend on shapes, such as histories of scales
_FEW = 2**16


def most_values(spec: LayerSpec, shapes: Iterable[tuple[int, ...]]) -> int:
    """Return a bound of the number of values of each weight of a layer.

    Parameters
    ----------
    spec : LayerSpec
    shapes : iterable of tuple of int
        Shapes of one sample of its inputs.

    Returns
    -------
    int
        The product of all axes that the configuration mentions and the largest one of the input,
        or all axes of the input for the layers whose weights have several of these.
    """
    while isinstance(spec.inner, LayerSpec):
        spec = spec.inner
    own = prod(_sizes(spec.config))
    reach = prod if spec.kind in _SEVERAL else max
    width = max((reach(shape) for shape in shapes if shape), default=1)
    if spec.kind in _RECURRENT:
        width = _GATES * max(width, own)
    return _FEW + own * width


def _sizes(config: Config) -> Iterable[int]:
    """Yield the axes of weights that a configuration contains, other than 1."""
    for name in _AXES:
        value: Any = config.get(name)
        for size in value if isinstance(value, list | tuple) else (value,):
            if isinstance(size, int) and size > 1:
                yield size
