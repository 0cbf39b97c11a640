"""Random stacks of linear Keras layers, each beside the operators that should equal it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
from hypothesis import assume
from hypothesis import strategies as st
from later import later

from bioconv.operators import (
    AveragePool,
    Crop,
    Dense,
    Operator,
    Pad,
    Permute,
    Reshape,
    Shape,
    Upsample,
    conv,
    conv_transpose,
    depthwise,
    keras_paddings,
)

keras = later("keras")

MAX_CELLS = 1500
LAYERS = later("keras.layers")


@dataclass(frozen=True)
class Pair:
    """A Keras layer in double precision, built, and the operators that should equal it."""

    layer: keras.Layer
    operators: tuple[Operator, ...]

    @property
    def out_shape(self) -> Shape:
        return self.operators[-1].out_shape


def built(kind: Callable[..., keras.Layer], shape: Shape, seed: int, **options: Any) -> keras.Layer:
    """The layer with normally distributed weights."""
    rng = np.random.default_rng(seed)
    with jax.enable_x64(True):
        layer = kind(dtype="float64", **options)
        layer.build((None, *shape))
        layer.set_weights([rng.normal(size=weight.shape) for weight in layer.weights])
    return layer


def kernels(layer: keras.Layer) -> list[np.ndarray]:
    with jax.enable_x64(True):
        return [np.asarray(weight, np.float64) for weight in layer.get_weights()]


def run(pairs: Sequence[Pair], x: np.ndarray) -> np.ndarray:
    """What Keras computes, layer by layer, without compiling a model."""
    with jax.enable_x64(True):
        for pair in pairs:
            x = pair.layer(x)
        return np.asarray(x)


seeds = st.integers(0, 2**32 - 1)


def _sizes(draw: st.DrawFn, shape: Shape, fits: bool) -> Shape:
    """A kernel size, at most as large as the input if it has to fit."""
    return tuple(draw(st.integers(1, min(n, 4) if fits else 4)) for n in shape[:-1])


def _window(draw: st.DrawFn, shape: Shape, causal: bool) -> dict[str, Any]:
    """Size, strides or dilation, and padding of a convolution."""
    rank = len(shape) - 1
    modes = ["valid", "same"] + (["causal"] if causal and rank == 1 else [])
    padding = draw(st.sampled_from(modes))
    size = _sizes(draw, shape, fits=padding == "valid")
    strides = dilation = (1,) * rank
    if draw(st.booleans()):
        strides = tuple(draw(st.integers(1, 3)) for _ in range(rank))
    elif draw(st.booleans()):
        dilation = tuple(
            draw(st.integers(1, 3 if padding != "valid" or k == 1 else (n - 1) // (k - 1)))
            if padding != "valid" or k == 1 or n > k
            else 1
            for n, k in zip(shape, size, strict=False)
        )
    return {
        "kernel_size": size,
        "strides": strides,
        "dilation_rate": dilation,
        "padding": padding,
    }


def _settings(options: dict[str, Any]) -> tuple[Any, ...]:
    return options["strides"], options["padding"], options["dilation_rate"]


@st.composite
def convolution(draw: st.DrawFn, shape: Shape) -> Pair:
    kind = LAYERS.Conv1D if len(shape) == 2 else LAYERS.Conv2D
    groups = draw(st.sampled_from([g for g in (1, 2, 3) if shape[-1] % g == 0]))
    options = _window(draw, shape, causal=True)
    filters = groups * draw(st.integers(1, 3))
    layer = built(
        kind, shape, draw(seeds), filters=filters, groups=groups, use_bias=False, **options
    )
    (kernel,) = kernels(layer)
    return Pair(layer, (conv(shape, kernel, *_settings(options), groups),))


def _equal_strides(options: dict[str, Any], rank: int) -> dict[str, Any]:
    """Depthwise and separable layers of Keras take one stride for all axes only."""
    stride = options["strides"][0]
    dilation = options["dilation_rate"] if stride == 1 else (1,) * rank
    return options | {"strides": (stride,) * rank, "dilation_rate": dilation}


@st.composite
def depthwise_convolution(draw: st.DrawFn, shape: Shape) -> Pair:
    kind = LAYERS.DepthwiseConv1D if len(shape) == 2 else LAYERS.DepthwiseConv2D
    options = _equal_strides(_window(draw, shape, causal=False), len(shape) - 1)
    multiplier = draw(st.integers(1, 2))
    layer = built(kind, shape, draw(seeds), depth_multiplier=multiplier, use_bias=False, **options)
    (kernel,) = kernels(layer)
    return Pair(layer, (depthwise(shape, kernel, *_settings(options)),))


@st.composite
def separable_convolution(draw: st.DrawFn, shape: Shape) -> Pair:
    kind = LAYERS.SeparableConv1D if len(shape) == 2 else LAYERS.SeparableConv2D
    options = _equal_strides(_window(draw, shape, causal=False), len(shape) - 1)
    layer = built(
        kind,
        shape,
        draw(seeds),
        filters=draw(st.integers(1, 3)),
        depth_multiplier=draw(st.integers(1, 2)),
        use_bias=False,
        **options,
    )
    by_depth, pointwise = kernels(layer)
    first = depthwise(shape, by_depth, *_settings(options))
    return Pair(layer, (first, conv(first.out_shape, pointwise)))


@st.composite
def transposed_convolution(draw: st.DrawFn, shape: Shape) -> Pair:
    kind = LAYERS.Conv1DTranspose if len(shape) == 2 else LAYERS.Conv2DTranspose
    rank = len(shape) - 1
    size = _sizes(draw, shape, fits=False)
    strides = dilation = (1,) * rank
    if draw(st.booleans()):
        strides = tuple(draw(st.integers(1, 3)) for _ in range(rank))
    else:
        dilation = tuple(draw(st.integers(1, 2)) for _ in range(rank))
    extra = None
    if draw(st.booleans()) and max(strides) > 1:
        extra = tuple(draw(st.integers(0, s - 1)) for s in strides)
    options = {
        "kernel_size": size,
        "strides": strides,
        "padding": draw(st.sampled_from(["valid", "same"])),
        "output_padding": extra,
        "dilation_rate": dilation,
    }
    filters = draw(st.integers(1, 3))
    layer = built(kind, shape, draw(seeds), filters=filters, use_bias=False, **options)
    (kernel,) = kernels(layer)
    operator = conv_transpose(shape, kernel, strides, options["padding"], extra, dilation)
    # A dilated one of a single cell can leave nothing at all.
    assume(min(operator.out_shape) > 0)
    return Pair(layer, (operator,))


@st.composite
def average_pooling(draw: st.DrawFn, shape: Shape) -> Pair:
    rank = len(shape) - 1
    kind = LAYERS.AveragePooling1D if rank == 1 else LAYERS.AveragePooling2D
    padding = draw(st.sampled_from(["valid", "same"]))
    size = _sizes(draw, shape, fits=padding == "valid")
    strides = draw(st.one_of(st.none(), st.tuples(*[st.integers(1, 3)] * rank)))
    layer = built(
        kind,
        shape,
        0,
        pool_size=size if rank == 2 else size[0],
        strides=strides if strides is None or rank == 2 else strides[0],
        padding=padding,
    )
    strides = strides or size
    pairs = keras_paddings(shape[:-1], size, strides, (1,) * rank, padding)
    return Pair(layer, (AveragePool(shape, size, strides, pairs),))


def global_pooling(shape: Shape) -> st.SearchStrategy[Pair]:
    kind = LAYERS.GlobalAveragePooling1D if len(shape) == 2 else LAYERS.GlobalAveragePooling2D
    pool = AveragePool(shape, shape[:-1])
    reshape = Reshape(pool.out_shape, shape[-1:])
    return st.builds(lambda: Pair(built(kind, shape, 0), (pool, reshape)))


@st.composite
def zero_padding(draw: st.DrawFn, shape: Shape) -> Pair:
    kind = LAYERS.ZeroPadding1D if len(shape) == 2 else LAYERS.ZeroPadding2D
    pairs = tuple(draw(st.tuples(*[st.integers(0, 2)] * 2)) for _ in shape[:-1])
    layer = built(kind, shape, 0, padding=pairs if len(pairs) > 1 else pairs[0])
    return Pair(layer, (Pad(shape, (*pairs, (0, 0))),))


@st.composite
def cropping(draw: st.DrawFn, shape: Shape) -> Pair:
    kind = LAYERS.Cropping1D if len(shape) == 2 else LAYERS.Cropping2D
    low = [draw(st.integers(0, min(1, n - 1))) for n in shape[:-1]]
    cells = zip(low, shape, strict=False)
    pairs = tuple((a, draw(st.integers(0, min(1, n - 1 - a)))) for a, n in cells)
    layer = built(kind, shape, 0, cropping=pairs if len(pairs) > 1 else pairs[0])
    return Pair(layer, (Crop(shape, (*pairs, (0, 0))),))


@st.composite
def upsampling(draw: st.DrawFn, shape: Shape) -> Pair:
    factors = tuple(draw(st.integers(1, 2)) for _ in shape[:-1])
    if len(shape) == 2:
        layer = built(LAYERS.UpSampling1D, shape, 0, size=factors[0])
    else:
        layer = built(LAYERS.UpSampling2D, shape, 0, size=factors)
    return Pair(layer, (Upsample(shape, (*factors, 1)),))


@st.composite
def permutation(draw: st.DrawFn, shape: Shape) -> Pair:
    axes = tuple(draw(st.permutations(range(len(shape)))))
    layer = built(LAYERS.Permute, shape, 0, dims=tuple(axis + 1 for axis in axes))
    return Pair(layer, (Permute(shape, axes),))


@st.composite
def reshaping(draw: st.DrawFn, shape: Shape) -> Pair:
    n = int(np.prod(shape))
    shapes = [(n,), (n, 1), shape[::-1], (shape[0], n // shape[0]), (1, *shape)]
    new = draw(st.sampled_from([s for s in shapes if len(s) < 4]))
    return Pair(built(LAYERS.Reshape, shape, 0, target_shape=new), (Reshape(shape, new),))


def flattening(shape: Shape) -> st.SearchStrategy[Pair]:
    flat = Reshape(shape, (int(np.prod(shape)),))
    return st.builds(lambda: Pair(built(LAYERS.Flatten, shape, 0), (flat,)))


@st.composite
def matrix(draw: st.DrawFn, shape: Shape) -> Pair:
    units = draw(st.integers(1, 6))
    layer = built(LAYERS.Dense, shape, draw(seeds), units=units, use_bias=False)
    (kernel,) = kernels(layer)
    return Pair(layer, (Dense(shape, kernel),))


FLAT = (matrix, reshaping)
SPATIAL = (
    convolution,
    convolution,
    depthwise_convolution,
    separable_convolution,
    transposed_convolution,
    average_pooling,
    average_pooling,
    global_pooling,
    zero_padding,
    cropping,
    upsampling,
    permutation,
    reshaping,
    flattening,
    matrix,
)
input_shapes = st.one_of(
    st.tuples(st.integers(1, 9), st.integers(1, 4)),
    st.tuples(st.integers(1, 7), st.integers(1, 7), st.integers(1, 4)),
)


@st.composite
def layers(draw: st.DrawFn, shape: Shape) -> Pair:
    kinds = FLAT if len(shape) == 1 else SPATIAL
    return draw(draw(st.sampled_from(kinds))(shape))


@st.composite
def stacks(draw: st.DrawFn, max_size: int = 4) -> list[Pair]:
    """Up to ``max_size`` layers, each on the output of the one before."""
    pairs = [draw(layers(draw(input_shapes)))]
    for _ in range(draw(st.integers(0, max_size - 1))):
        following = draw(layers(pairs[-1].out_shape))
        if np.prod(following.out_shape) > MAX_CELLS:
            break
        pairs.append(following)
    return pairs
