"""Every layer that is read, with the options that change what it computes."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from keras_models import keras

IMAGE, SEQUENCE, VOLUME, VECTOR = (6, 8, 4), (8, 4), (4, 6, 4, 2), (6,)
FORMATS = ["channels_last", "channels_first"]
FLAGS = [True, False]
_WINDOW = {"strides": [1, 2, 3], "padding": ["valid", "same"], "data_format": FORMATS}
_CONV = {
    **_WINDOW,
    "filters": [4],
    "kernel_size": [1, 2, 3],
    "dilation_rate": [1, 2],
    "activation": ["relu", None],
    "use_bias": FLAGS,
}
_NORM = {"axis": [-1, 1], "epsilon": [1e-3, 0.2], "center": FLAGS, "scale": FLAGS}
_CELL = {
    "units": [3],
    "activation": ["tanh", "relu"],
    "use_bias": FLAGS,
    "return_sequences": FLAGS,
    "go_backwards": FLAGS,
}
_GATED = {**_CELL, "recurrent_activation": ["sigmoid", "hard_sigmoid"]}

Options = Mapping[str, Sequence[Any]]

#: class -> shape of its input, and the values of each option
VARIANTS: dict[str, tuple[tuple[int, ...], Options]] = {
    "Dense": (SEQUENCE, {"units": [3], "activation": ["relu", "tanh"], "use_bias": FLAGS}),
    **{
        f"Conv{rank}D": (shape, {**_CONV, "groups": [1, 2]})
        for rank, shape in ((1, SEQUENCE), (2, IMAGE), (3, VOLUME))
    },
    **{
        f"Conv{rank}DTranspose": (shape, _CONV)
        for rank, shape in ((1, SEQUENCE), (2, IMAGE), (3, VOLUME))
    },
    **{
        f"SeparableConv{rank}D": (shape, {**_CONV, "depth_multiplier": [1, 2]})
        for rank, shape in ((1, SEQUENCE), (2, IMAGE))
    },
    **{
        f"DepthwiseConv{rank}D": (
            shape,
            {
                **{key: value for key, value in _CONV.items() if key != "filters"},
                "depth_multiplier": [1, 2],
            },
        )
        for rank, shape in ((1, SEQUENCE), (2, IMAGE))
    },
    **{
        f"{kind}Pooling{rank}D": (shape, {**_WINDOW, "pool_size": [1, 2, 3]})
        for kind in ("Max", "Average")
        for rank, shape in ((1, SEQUENCE), (2, IMAGE), (3, VOLUME))
    },
    **{
        f"Global{kind}Pooling{rank}D": (shape, {"keepdims": FLAGS, "data_format": FORMATS})
        for kind in ("Max", "Average")
        for rank, shape in ((1, SEQUENCE), (2, IMAGE), (3, VOLUME))
    },
    "ZeroPadding1D": (SEQUENCE, {"padding": [1, (0, 2)], "data_format": FORMATS}),
    "ZeroPadding2D": (IMAGE, {"padding": [1, (2, 1), ((0, 1), (2, 0))], "data_format": FORMATS}),
    "ZeroPadding3D": (VOLUME, {"padding": [1, (2, 1, 3)], "data_format": FORMATS}),
    "Cropping1D": (SEQUENCE, {"cropping": [1, (0, 2), (0, 0)]}),
    "Cropping2D": (IMAGE, {"cropping": [1, ((0, 1), (2, 0))], "data_format": FORMATS}),
    "Cropping3D": (VOLUME, {"cropping": [1, ((0, 1), (2, 0), (1, 1))]}),
    "UpSampling1D": (SEQUENCE, {"size": [2, 3]}),
    "UpSampling2D": (
        IMAGE,
        {"size": [2, (3, 2)], "interpolation": ["nearest", "bilinear"], "data_format": FORMATS},
    ),
    "UpSampling3D": (VOLUME, {"size": [2], "data_format": FORMATS}),
    "Flatten": (IMAGE, {"data_format": FORMATS}),
    "Reshape": (IMAGE, {"target_shape": [(-1,), (4, 48), (2, -1, 3)]}),
    "Permute": (IMAGE, {"dims": [(3, 1, 2), (1, 2, 3), (2, 1, 3)]}),
    "RepeatVector": (VECTOR, {"n": [1, 3]}),
    "BatchNormalization": (IMAGE, {**_NORM, "renorm": FLAGS}),
    "LayerNormalization": (IMAGE, {**_NORM, "axis": [-1, 1, [1, 3]], "rms_scaling": FLAGS}),
    "GroupNormalization": (IMAGE, {**_NORM, "groups": [1, 2, -1]}),
    "RMSNormalization": (IMAGE, {"axis": [-1, [2, 3]], "epsilon": [1e-6, 0.3]}),
    "UnitNormalization": (IMAGE, {"axis": [-1, 2, [1, 3]]}),
    "Normalization": (IMAGE, {"axis": [-1, None, (1, 2)], "invert": FLAGS}),
    "Rescaling": (IMAGE, {"scale": [0.5, [1.0, 2.0, 3.0, 4.0]], "offset": [0.0, 0.3]}),
    "ReLU": (
        VECTOR,
        {"max_value": [None, 1.5], "negative_slope": [0.0, 0.3], "threshold": [0.0, 0.2]},
    ),
    "LeakyReLU": (VECTOR, {"negative_slope": [0.1, 0.3]}),
    "ELU": (VECTOR, {"alpha": [1.0, 0.4]}),
    "PReLU": (IMAGE, {"shared_axes": [None, [1, 2], [1]]}),
    "Softmax": (IMAGE, {"axis": [-1, 1, [1, 3]]}),
    "SimpleRNN": (SEQUENCE, _CELL),
    "LSTM": (SEQUENCE, {**_GATED, "unit_forget_bias": FLAGS}),
    "GRU": (SEQUENCE, {**_GATED, "reset_after": FLAGS}),
    "ActivityRegularization": (VECTOR, {"l1": [0.1]}),
    **{
        name: (IMAGE, {"rate": [0.4]})
        for name in ("Dropout", "SpatialDropout2D", "AlphaDropout", "GaussianDropout")
    },
    "GaussianNoise": (IMAGE, {"stddev": [0.4]}),
    "Identity": (IMAGE, {}),
    **{name: (IMAGE, {"factor": [0.3]}) for name in ("RandomContrast", "RandomRotation")},
    "RandomBrightness": (IMAGE, {"factor": [0.3]}),
    "RandomFlip": (IMAGE, {"mode": ["horizontal", "vertical"]}),
    "RandomZoom": (IMAGE, {"height_factor": [0.3]}),
    "RandomTranslation": (IMAGE, {"height_factor": [0.3], "width_factor": [0.3]}),
}


def combinations(name: str) -> Iterator[dict[str, Any]]:
    """All combinations of the options of a layer, in an order that is the same every time."""
    options = VARIANTS[name][1]
    chosen = [
        dict(zip(options, values, strict=True)) for values in itertools.product(*options.values())
    ]
    order = np.random.default_rng(len(name)).permutation(len(chosen))
    yield from (chosen[place] for place in order)


def models(
    name: str, size: int, accept: Callable[[Mapping[str, Any]], bool] = lambda options: True
) -> Iterator[Any]:
    """Models with up to ``size`` outputs, one for each combination that Keras accepts."""
    shape = VARIANTS[name][0]
    outputs: list[Any] = []
    inputs = keras.Input(shape)
    for options in filter(accept, combinations(name)):
        try:
            outputs.append(getattr(keras.layers, name)(**options)(inputs))
        except (ValueError, TypeError, AttributeError):  # such as strides together with a dilation
            continue
        if len(outputs) == size:
            yield keras.Model(inputs, outputs)
            outputs, inputs = [], keras.Input(shape)
    if outputs:
        yield keras.Model(inputs, outputs)
