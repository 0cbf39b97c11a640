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
from bioconv.reading.layers.operations import OPERATIONS
from bioconv.reading.spec import OPERATION
from bioconv.reading.tensors import Tensor

__all__ = [
    "ATTENTION",
    "AUGMENTATION",
    "CARRY_MASK",
    "MERGING",
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
)
#: layers that change images at random during training, and that do nothing afterwards
AUGMENTATION = (
    "RandomBrightness",
    "RandomColorDegeneration",
    "RandomColorJitter",
    "RandomContrast",
    "RandomElasticTransform",
    "RandomErasing",
    "RandomFlip",
    "RandomGaussianBlur",
    "RandomGrayscale",
    "RandomHue",
    "RandomInvert",
    "RandomPerspective",
    "RandomPosterization",
    "RandomRotation",
    "RandomSaturation",
    "RandomSharpness",
    "RandomShear",
    "RandomTranslation",
    "RandomZoom",
)
#: layers that join tensors of equal shape
MERGING: Mapping[str, Reader] = {
    "Add": merging.add,
    "Subtract": merging.subtract,
    "Average": merging.average,
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
    "GroupNormalization": sequence.group_normalization,
    "RMSNormalization": sequence.rms_normalization,
    "LayerScale": normalization.layer_scale,
    "UnitNormalization": sequence.unit_normalization,
}
#: attention layers, whose inputs may be named arguments, and which may be causal
ATTENTION: Mapping[str, Reader] = {
    "Attention": sequence.attention,
    "AdditiveAttention": sequence.additive_attention,
    "MultiHeadAttention": sequence.multi_head_attention,
}
#: class of Keras 3 -> reader
READERS: Mapping[str, Reader] = {
    **{kind: identity for kind in (*_TRAINING_ONLY, *AUGMENTATION)},
    **MERGING,
    "Concatenate": merging.concatenate,
    "CustomScaleLayer": merging.scaled_sum,
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
    **{f"{OPERATION}{name}": operation.read for name, operation in OPERATIONS.items()},
}

#: classes whose output has the mask of their input; others remove it, as in Keras
CARRY_MASK = frozenset({*_TRAINING_ONLY, *_ELEMENTWISE, "Dense", "TimeDistributed"}) - {
    "Softmax",
    "LayerScale",
    "RMSNormalization",
}


def supported_layers() -> tuple[str, ...]:
    """Return the class names of Keras 3 that can be read, in alphabetical order."""
    return tuple(sorted(name for name in READERS if not name.startswith(OPERATION)))


def alternatives(kind: str) -> str:
    """Return advice for a class that cannot be read."""
    similar = closest(kind, supported_layers(), n=3)
    if similar:
        return f"Similar classes that can be read: {', '.join(similar)}."
    return "Rebuild the model from Keras's own layers, or end it before this one."
