"""Small test networks, each with one property that is easily converted incorrectly.

All weights, biases and statistics are random and differ from their initial values, and a dense
layer at the end is connected to every position, so that any mistake changes the output.

Examples
--------
>>> from bioconv.models import awkward
>>> model = awkward.build("even_kernel_same", seed=1)
>>> model.predict(awkward.samples("even_kernel_same", 3), verbose=0).shape
(3, 5)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from bioconv.ground.errors import UnknownNameError
from bioconv.ground.keras_engine import import_keras
from bioconv.models.awkward import activations, branches, convolutions, pooling, shapes
from bioconv.models.awkward.case import Case

if TYPE_CHECKING:
    from keras import Model

__all__ = ["build", "names", "reason", "samples"]

_CASES: dict[str, Case] = {
    **convolutions.CASES,
    **pooling.CASES,
    **branches.CASES,
    **activations.CASES,
    **shapes.CASES,
}
_N_OUTPUTS = 5


def names() -> tuple[str, ...]:
    """Return the names of the awkward networks.

    Returns
    -------
    tuple of str
        Names that `build`, `samples` and `reason` accept.
    """
    return tuple(_CASES)


def reason(name: str) -> str:
    """Return the property that makes a network awkward.

    Parameters
    ----------
    name : str
        One of `names()`.

    Returns
    -------
    str
        One line.
    """
    return _case(name).why


def build(name: str, seed: int = 0) -> Model:
    """Build an awkward network with random weights.

    Parameters
    ----------
    name : str
        One of `names()`.
    seed : int
        Seed of all weights, biases and statistics.

    Returns
    -------
    keras.Model
        Untrained; the output, of shape (n_samples, 5), is linear.

    Raises
    ------
    UnknownNameError
        If there is no such network.
    """
    case = _case(name)
    keras = import_keras()
    inputs = keras.Input(case.shape)
    x = keras.layers.Flatten()(case.body(keras, inputs))
    model = keras.Model(inputs, keras.layers.Dense(_N_OUTPUTS)(x), name=name)
    _randomize(model, seed)
    return model


def samples(name: str, n: int, seed: int = 0) -> npt.NDArray[np.float32]:
    """Draw inputs for an awkward network.

    Parameters
    ----------
    name : str
        One of `names()`.
    n : int
        Number of samples.
    seed : int
        Seed of the draw.

    Returns
    -------
    ndarray of shape (n, ...)
        float32, uniform in [0, 1].
    """
    rng = np.random.default_rng(seed)
    return rng.random((n, *_case(name).shape), dtype=np.float32)


def _case(name: str) -> Case:
    if name not in _CASES:
        raise UnknownNameError("awkward network", name, names())
    return _CASES[name]


def _randomize(model: Model, seed: int) -> None:
    """Draw every variable anew, in the order of the model's weights."""
    rng = np.random.default_rng(seed)
    model.set_weights([_draw(v.name, tuple(v.shape), rng) for v in model.weights])


def _draw(kind: str, shape: tuple[int, ...], rng: np.random.Generator) -> npt.NDArray[Any]:
    """Draw one variable, in a range that keeps activations near one."""
    if kind == "gamma":
        # Every third is negative, so that a maximum of inputs becomes a minimum of outputs.
        sign = np.where(np.arange(shape[0]) % 3 == 2, -1.0, 1.0)
        return sign * rng.uniform(0.5, 1.5, shape)
    if kind in ("moving_variance", "alpha"):
        return rng.uniform(0.2, 0.8, shape)
    if kind in ("beta", "moving_mean", "bias"):
        # More values are above zero than below, so that few neurons are silent for all inputs.
        return rng.normal(0.1, 0.2, shape)
    # A depthwise kernel (height, width, channel, multiplier) mixes no channels.
    n_inputs = np.prod(shape[:2] if kind == "depthwise_kernel" else shape[:-1])
    return rng.normal(0.0, np.sqrt(2.0 / n_inputs), shape)
