"""Random Keras networks: any layers, branches, several inputs and outputs, shared and nested."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import numpy as np
from keras_models import keras, randomized
from later import later

L = later("keras.layers")

Random = np.random.Generator
Make = Callable[[Random, tuple[int, ...]], Any]

#: what a network may contain: the second and the third contain what is before them, too
KINDS = ("rectified", "smooth", "any")
SHAPES = ((9,), (8, 3), (6, 7, 2))
_MOST_VALUES = 400
_SMOOTH = ("tanh", "sigmoid", "elu", "selu", "softplus", "silu", "gelu", "hard_sigmoid", "softsign")


def _activation(random: Random, kind: str) -> str | None:
    names = (None, "relu", "relu", "relu6") if kind == "rectified" else (None, "relu", *_SMOOTH)
    return names[random.integers(len(names))]


def _window(random: Random, shape: tuple[int, ...]) -> dict[str, Any]:
    """Options that convolutions and pooling layers share."""
    options: dict[str, Any] = {"padding": str(random.choice(["valid", "same"]))}
    if len(shape) == 3 and random.random() < 0.3:
        options["data_format"] = "channels_first"
    return options


def _strides(random: Random) -> int:
    return int(random.integers(1, 3))


def _conv(name: str) -> Callable[[str], Make]:
    def made(kind: str) -> Make:
        def layer(random: Random, shape: tuple[int, ...]) -> Any:
            options = _window(random, shape)
            if not name.startswith("Depthwise"):
                options["filters"] = int(random.integers(2, 5))
            return getattr(L, f"{name.format(len(shape) - 1)}")(
                kernel_size=int(random.integers(1, 4)),
                strides=_strides(random),
                activation=_activation(random, kind),
                use_bias=bool(random.random() < 0.8),
                **options,
            )

        return layer

    return made


def _pooling(name: str) -> Callable[[str], Make]:
    def made(kind: str) -> Make:
        def layer(random: Random, shape: tuple[int, ...]) -> Any:
            options = {"pool_size": int(random.integers(1, 4)), "strides": _strides(random)}
            return getattr(L, f"{name}{len(shape) - 1}D")(**options, **_window(random, shape))

        return layer

    return made


def _of_rank(name: str) -> Callable[[str], Make]:
    return lambda kind: lambda random, shape: getattr(L, f"{name}{len(shape) - 1}D")()


def _dense(kind: str) -> Make:
    return lambda random, shape: L.Dense(
        int(random.integers(2, 9)), activation=_activation(random, kind)
    )


def _reshape(kind: str) -> Make:
    def layer(random: Random, shape: tuple[int, ...]) -> Any:
        size = prod(shape)
        divisors = [n for n in range(1, size + 1) if size % n == 0]
        first = divisors[random.integers(len(divisors))]
        return L.Reshape((first, size // first) if random.random() < 0.7 else (size,))

    return layer


def _recurrent(kind: str) -> Make:
    def layer(random: Random, shape: tuple[int, ...]) -> Any:
        cell = (L.SimpleRNN, L.GRU, L.LSTM)[random.integers(3)]
        inner = cell(3, return_sequences=bool(random.random() < 0.5))
        return L.Bidirectional(inner) if random.random() < 0.3 else inner

    return layer


#: kind -> (ranks, makers); a rank is the number of axes of a sample
_RECTIFIED: Sequence[tuple[tuple[int, ...], Callable[[str], Make]]] = (
    ((1, 2, 3), _dense),
    ((1,), _dense),
    ((2, 3), _conv("Conv{}D")),
    ((2, 3), _conv("Conv{}D")),
    ((2, 3), _conv("DepthwiseConv{}D")),
    ((2, 3), _conv("SeparableConv{}D")),
    ((2, 3), _conv("Conv{}DTranspose")),
    ((2, 3), _pooling("MaxPooling")),
    ((2, 3), _pooling("AveragePooling")),
    ((2, 3), _of_rank("GlobalAveragePooling")),
    ((2, 3), _of_rank("GlobalMaxPooling")),
    ((2, 3), _of_rank("ZeroPadding")),
    ((2, 3), _of_rank("UpSampling")),
    ((2, 3), lambda kind: lambda random, shape: L.Flatten()),
    ((1, 2, 3), _reshape),
    ((1,), lambda kind: lambda random, shape: L.RepeatVector(int(random.integers(1, 4)))),
    (
        (2, 3),
        lambda kind: (
            lambda random, shape: L.Permute(
                tuple(int(axis) + 1 for axis in random.permutation(len(shape)))
            )
        ),
    ),
    (
        (1, 2, 3),
        lambda kind: (
            lambda random, shape: L.BatchNormalization(axis=int(random.integers(1, len(shape) + 1)))
        ),
    ),
    ((1, 2, 3), lambda kind: lambda random, shape: L.ReLU()),
    ((1, 2, 3), lambda kind: lambda random, shape: L.ReLU(max_value=1.0)),
    ((1, 2, 3), lambda kind: lambda random, shape: L.LeakyReLU(0.2)),
    ((1, 2, 3), lambda kind: lambda random, shape: L.Dropout(0.3)),
    ((2,), lambda kind: lambda random, shape: L.TimeDistributed(L.Dense(3, "relu"))),
)
_SMOOTH_LAYERS: Sequence[tuple[tuple[int, ...], Callable[[str], Make]]] = (
    ((1, 2, 3), lambda kind: lambda random, shape: L.Activation(_activation(random, kind))),
    ((1, 2, 3), lambda kind: lambda random, shape: L.PReLU()),
    ((1, 2, 3), lambda kind: lambda random, shape: L.ELU(0.5)),
)
_OTHERS: Sequence[tuple[tuple[int, ...], Callable[[str], Make]]] = (
    ((2,), _recurrent),
    ((1, 2, 3), lambda kind: lambda random, shape: L.LayerNormalization()),
    ((1, 2, 3), lambda kind: lambda random, shape: L.Softmax()),
    ((1, 2, 3), lambda kind: lambda random, shape: L.UnitNormalization()),
)
_MERGING = {"rectified": ("Add", "Average", "Subtract"), "smooth": ("Add", "Average", "Subtract")}
_MERGING["any"] = ("Add", "Multiply", "Maximum", "Minimum", "Subtract", "Average")


class _Growing:
    """A graph to which layers are added."""

    def __init__(self, random: Random, kind: str, inputs: Sequence[Any]) -> None:
        self.random = random
        self.kind = kind
        self.tensors = list(inputs)
        menu = [*_RECTIFIED]
        menu += _SMOOTH_LAYERS if kind != "rectified" else ()
        menu += 2 * [*_OTHERS] if kind == "any" else ()
        self.menu = menu

    def grow(self, depth: int = 0) -> None:
        """Add a layer, a join, a shared layer or a nested model."""
        draw = self.random.random()
        if draw < 0.15:
            self._join()
        elif draw < 0.25 and depth < 2:
            self._nest(depth)
        else:
            self._layer(shared=draw > 0.9)

    def _pick(self) -> Any:
        """Return a tensor, most likely one of the last."""
        back = min(int(self.random.geometric(0.6)), len(self.tensors))
        return self.tensors[-back]

    def _like(self, tensor: Any) -> list[Any]:
        return [other for other in self.tensors if other.shape == tensor.shape]

    def _layer(self, shared: bool) -> None:
        tensor = self._pick()
        shape = tuple(tensor.shape[1:])
        fitting = [make for ranks, make in self.menu if len(shape) in ranks]
        if not fitting:
            fitting = [lambda kind: lambda random, shape: L.Flatten()]
        layer = fitting[self.random.integers(len(fitting))](self.kind)(self.random, shape)
        sources = self._like(tensor)[-2:] if shared else [tensor]
        try:
            outputs = [layer(source) for source in sources]
        except ValueError:  # Keras refuses it, such as a window that is larger than the image
            return
        for output in outputs:
            if 0 < prod(output.shape[1:]) <= _MOST_VALUES:
                self.tensors.append(output)

    def _join(self) -> None:
        tensor = self._pick()
        others = self._like(tensor)
        if len(others) > 1 and self.random.random() < 0.7:
            names = _MERGING[self.kind]
            join = getattr(L, names[self.random.integers(len(names))])()
            self.tensors.append(join([others[self.random.integers(len(others))], tensor]))
            return
        axis = int(self.random.integers(1, len(tensor.shape)))
        fitting = [
            other
            for other in self.tensors
            if len(other.shape) == len(tensor.shape)
            and all(
                n == m
                for place, (n, m) in enumerate(zip(other.shape, tensor.shape, strict=True))
                if place not in (0, axis)
            )
        ]
        other = fitting[self.random.integers(len(fitting))]
        if prod(other.shape[1:]) + prod(tensor.shape[1:]) <= _MOST_VALUES:
            self.tensors.append(L.Concatenate(axis=axis)([other, tensor]))

    def _nest(self, depth: int) -> None:
        tensor = self._pick()
        x = keras.Input(tuple(tensor.shape[1:]))
        inner = _Growing(self.random, self.kind, [x])
        for _ in range(int(self.random.integers(1, 4))):
            inner.grow(depth + 1)
        if inner.tensors[-1] is x:
            return
        model = keras.Model(x, inner.tensors[-1])
        for source in self._like(tensor)[: int(self.random.integers(1, 3))]:
            self.tensors.append(model(source))


def _head(random: Random, tensor: Any) -> Any:
    """Return an output for a tensor."""
    draw = int(random.integers(5))
    if draw == 4 and prod(tensor.shape[1:]) <= 64:
        return tensor
    flat = tensor if len(tensor.shape) == 2 else L.Flatten()(tensor)
    units, activation = ((3, "softmax"), (1, "sigmoid"), (4, None), (3, None), (2, "tanh"))[draw]
    return L.Dense(units, activation=activation)(flat)


def network(seed: int) -> tuple[str, Any]:
    """Return the kind of a random network (one of `KINDS`) and the Keras model."""
    random = np.random.default_rng([20, seed])
    kind = KINDS[int(random.choice(3, p=(0.5, 0.3, 0.2)))]
    n_inputs = 1 + int(random.random() < 0.25)
    inputs = [keras.Input(SHAPES[random.integers(len(SHAPES))]) for _ in range(n_inputs)]
    growing = _Growing(random, kind, inputs)
    for _ in range(int(random.integers(2, 9))):
        growing.grow()
    # an input that nothing else uses is a source of the output
    heads = [growing.tensors[-1], *inputs[1:]]
    outputs = [_head(random, tensor) for tensor in heads[: 1 + int(random.random() < 0.3)]]
    if n_inputs == 2:
        outputs.append(_head(random, L.Concatenate()([L.Flatten()(x) for x in inputs])))
    return kind, randomized(keras.Model(inputs, outputs), seed=seed)


def samples(model: Any, n: int, seed: int) -> list[np.ndarray]:
    """Samples for every input, from 0 to 1."""
    random = np.random.default_rng([21, seed])
    shapes = [tuple(tensor.shape[1:]) for tensor in model.inputs]
    return [random.random((n, *shape)).astype(np.float32) for shape in shapes]
