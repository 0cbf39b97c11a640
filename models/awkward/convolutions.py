"""Convolutions: strides, paddings, kernels and data formats that are easy to get wrong."""

from __future__ import annotations

from typing import Any

from bioconv.models.awkward.case import Body, Case, stack


def _two(kernel: Any, **options: Any) -> Body:
    """Return a body of the tested convolution followed by a plain one."""
    return stack(
        lambda la: [
            la.Conv2D(4, kernel, activation="relu", **options),
            la.Conv2D(6, 3, padding="same", activation="relu"),
        ]
    )


def _first(keras: Any, x: Any, **options: Any) -> Any:
    """Apply two channels-first convolutions."""
    conv = keras.layers.Conv2D
    x = conv(4, 3, padding="same", activation="relu", data_format="channels_first", **options)(x)
    return conv(6, 2, activation="relu", data_format="channels_first")(x)


def _channels_first(keras: Any, x: Any) -> Any:
    return _first(keras, x)


def _channels_first_pooled(keras: Any, x: Any) -> Any:
    layers = keras.layers
    x = layers.BatchNormalization(axis=1)(_first(keras, x, strides=2))
    return layers.AveragePooling2D(2, data_format="channels_first")(x)


def _channels_first_flatten(keras: Any, x: Any) -> Any:
    return keras.layers.Flatten(data_format="channels_first")(_first(keras, x))


CASES = {
    "stride_same_odd": Case(
        "stride 2 with same padding, one odd and one even size: padding differs by axis",
        (11, 8, 2),
        _two(3, strides=2, padding="same"),
    ),
    "stride_valid_odd": Case(
        "stride 2 with valid padding that leaves the last row and column unseen",
        (10, 12, 2),
        _two(3, strides=2),
    ),
    "stride_three_same": Case(
        "stride 3 with same padding, where the sizes are not divisible",
        (11, 13, 2),
        _two(5, strides=3, padding="same"),
    ),
    "stride_over_kernel": Case(
        "a stride that is larger than the kernel skips pixels",
        (11, 11, 2),
        _two(2, strides=3, padding="same"),
    ),
    "even_kernel_same": Case(
        "kernels of 2 and 4 with same padding: more padding at the end than at the start",
        (7, 9, 2),
        _two((2, 4), padding="same"),
    ),
    "even_kernel_stride_same": Case(
        "an even kernel, stride 2 and same padding on odd sizes",
        (9, 11, 3),
        _two(4, strides=2, padding="same"),
    ),
    "rectangular": Case(
        "kernel, stride and image that differ by axis",
        (6, 13, 2),
        _two((3, 5), strides=(1, 2), padding="same"),
    ),
    "dilated_same": Case(
        "dilation that differs by axis, same padding",
        (9, 11, 2),
        _two(3, dilation_rate=(2, 3), padding="same"),
    ),
    "dilated_valid": Case(
        "dilation with an even kernel, valid padding", (9, 10, 2), _two(2, dilation_rate=2)
    ),
    "groups": Case(
        "grouped convolution with stride", (9, 9, 4), _two(3, groups=2, strides=2, padding="same")
    ),
    "no_bias": Case("convolution without bias", (6, 7, 2), _two(3, use_bias=False)),
    "depthwise": Case(
        "depthwise convolution with multiplier 3 and stride 2",
        (9, 8, 2),
        stack(
            lambda la: [
                la.DepthwiseConv2D(
                    3, strides=2, padding="same", depth_multiplier=3, activation="relu"
                ),
                la.Conv2D(4, 2, activation="relu"),
            ]
        ),
    ),
    "separable": Case(
        "separable convolutions with multiplier and stride",
        (9, 10, 3),
        stack(
            lambda la: [
                la.SeparableConv2D(4, 3, depth_multiplier=2, activation="relu"),
                la.SeparableConv2D(5, 2, strides=2, padding="same", activation="relu"),
            ]
        ),
    ),
    "transpose_same": Case(
        "transposed convolution, stride 2, same padding",
        (4, 5, 3),
        stack(
            lambda la: [
                la.Conv2DTranspose(6, 3, strides=2, padding="same", activation="relu"),
                la.Conv2D(6, 3, strides=2, activation="relu"),
            ]
        ),
    ),
    "transpose_valid": Case(
        "transposed convolution, stride that is larger than one kernel side, valid padding",
        (4, 3, 2),
        stack(
            lambda la: [
                la.Conv2DTranspose(6, (2, 4), strides=3, activation="relu"),
                la.Conv2D(6, 3, activation="relu"),
            ]
        ),
    ),
    "conv1d": Case(
        "one-dimensional convolutions: stride, dilation, causal padding, pooling",
        (21, 3),
        stack(
            lambda la: [
                la.Conv1D(6, 4, strides=2, padding="same", activation="relu"),
                la.Conv1D(6, 3, dilation_rate=2, padding="causal", activation="relu"),
                la.AveragePooling1D(2),
                la.Conv1D(4, 2, activation="relu"),
            ]
        ),
    ),
    "channels_first": Case(
        "channels first; the dense layer sees them in that order", (3, 9, 7), _channels_first
    ),
    "channels_first_pooled": Case(
        "channels first with stride, batch normalisation and pooling",
        (3, 13, 11),
        _channels_first_pooled,
    ),
    "channels_first_flatten": Case(
        "channels first, and a Flatten that moves them last", (3, 7, 6), _channels_first_flatten
    ),
}
