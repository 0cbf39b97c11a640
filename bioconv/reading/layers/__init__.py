"""The table of supported Keras layers and their readers."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bioconv.ground.suggestions import closest
from bioconv.reading.context import Context
from bioconv.reading.layers import (
    activation,
    convolution,
    dense,
    merging,
    normalization,
    pooling,
    recurrent,
    sequence,
    shaping,
)
from bioconv.reading.layers.activation import check_activations
from bioconv.reading.spec import OPERATION
from bioconv.reading.tensors import Tensor

__all__ = [
    "ATTENTION",
    "CARRY_MASK",
    "READERS",
    "check_activations",
    "alternatives",
    "supported_layers",
]

Reader = Callable[[Context], Tensor]


def identity(context: Context) -> Tensor:
    """Read a layer that acts only during training."""
    return context.only()


def time_distributed(context: Context) -> Tensor:
    """Read TimeDistributed by the reader of the wrapped class, with time as an additional axis."""
    kind, inner = recurrent.time_distributed(context)
    return READERS[kind](inner)


_TRAINING_ONLY = (
    "Identity",
    "Dropout",
    "SpatialDropout1D",
    "SpatialDropout2D",
    "SpatialDropout3D",
    "AlphaDropout",
    "GaussianDropout",
    "GaussianNoise",
    "ActivityRegularization",
    "RandomFlip",
    "RandomRotation",
    "RandomTranslation",
    "RandomZoom",
)
_MERGING: Mapping[str, Reader] = {
    "Add": merging.add,
    "Subtract": merging.subtract,
    "Average": merging.average,
    "Concatenate": merging.concatenate,
    "Multiply": merging.MULTIPLY,
    "Maximum": merging.MAXIMUM,
    "Minimum": merging.MINIMUM,
}
_ELEMENTWISE: Mapping[str, Reader] = {
    "Activation": activation.activation,
    **{kind: activation.activation_layer for kind in activation.LAYERS},
    "PReLU": activation.prelu,
    "BatchNormalization": normalization.batch_normalization,
    "Normalization": normalization.normalization,
    "Rescaling": normalization.rescaling,
    "LayerNormalization": sequence.layer_normalization,
    "UnitNormalization": sequence.unit_normalization,
}
#: attention layers, whose inputs may be named arguments, and which may be causal
ATTENTION: Mapping[str, Reader] = {
    "Attention": sequence.attention,
    "AdditiveAttention": sequence.additive_attention,
    "MultiHeadAttention": sequence.multi_head_attention,
}
_OPERATIONS: Mapping[str, Reader] = {
    "add": merging.add_operation(1.0),
    "subtract": merging.add_operation(-1.0),
    "sub": merging.add_operation(-1.0),
    "multiply": merging.multiply_operation,
    "mul": merging.multiply_operation,
    "divide": merging.divide_operation,
    "truedivide": merging.divide_operation,
    "truediv": merging.divide_operation,
    "notequal": recurrent.not_equal_operation,
    "any": recurrent.any_operation,
    "logicalor": merging.MAXIMUM,  # of masks, which are 0 and 1
    "logicaland": merging.MINIMUM,
    "negative": merging.negative_operation,
    "neg": merging.negative_operation,
    **{
        name: merging.activation_operation(name)
        for name in ("relu", "relu6", "sigmoid", "tanh", "silu", "swish", "softplus")
    },
}

#: class of Keras 3 -> reader
READERS: Mapping[str, Reader] = {
    **{kind: identity for kind in _TRAINING_ONLY},
    **_MERGING,
    **_ELEMENTWISE,
    **ATTENTION,
    "Dense": dense.dense,
    "EinsumDense": dense.einsum_dense,
    **{f"Conv{rank}D": convolution.convolution(rank) for rank in (1, 2, 3)},
    **{f"Conv{rank}DTranspose": convolution.transposed(rank) for rank in (1, 2, 3)},
    **{f"DepthwiseConv{rank}D": convolution.depthwise_convolution(rank) for rank in (1, 2)},
    **{f"SeparableConv{rank}D": convolution.separable(rank) for rank in (1, 2)},
    **{
        f"{kind}Pooling{rank}D": pooling.pooling(rank)
        for kind in ("Average", "Max")
        for rank in (1, 2, 3)
    },
    **{
        f"Global{kind}Pooling{rank}D": pooling.global_pooling(rank)
        for kind in ("Average", "Max")
        for rank in (1, 2, 3)
    },
    **{f"ZeroPadding{rank}D": shaping.zero_padding(rank) for rank in (1, 2, 3)},
    **{f"Cropping{rank}D": shaping.cropping(rank) for rank in (1, 2, 3)},
    **{f"UpSampling{rank}D": shaping.upsampling(rank) for rank in (1, 2, 3)},
    "Flatten": shaping.flatten,
    "Reshape": shaping.reshape,
    "Permute": shaping.permute,
    "RepeatVector": shaping.repeat_vector,
    "Dot": merging.dot,
    "LSTM": recurrent.recurrent,
    "GRU": recurrent.recurrent,
    "SimpleRNN": recurrent.recurrent,
    "Bidirectional": recurrent.bidirectional,
    "TimeDistributed": time_distributed,
    "Embedding": recurrent.embedding,
    "Masking": recurrent.masking,
    **{f"{OPERATION}{name}": reader for name, reader in _OPERATIONS.items()},
}

#: classes whose output has the mask of their input; others remove it, as in Keras
CARRY_MASK = frozenset(
    {*_TRAINING_ONLY, *_MERGING, *_ELEMENTWISE, "Dense", "EinsumDense", "TimeDistributed"}
) - {"Softmax"}


def supported_layers() -> tuple[str, ...]:
    """Return the class names of Keras 3 that can be read, in alphabetical order."""
    return tuple(sorted(name for name in READERS if not name.startswith(OPERATION)))


def alternatives(kind: str) -> str:
    """Return advice for a class that cannot be read."""
    similar = closest(kind, supported_layers(), n=3)
    if similar:
        return f"Similar classes that can be read: {', '.join(similar)}."
    return "Rebuild the model from Keras's own layers, or end it before this one."
