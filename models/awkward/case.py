"""Declaration of an awkward network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

# From the module keras and an input tensor to an output tensor.
Body = Callable[[Any, Any], Any]


@dataclass(frozen=True)
class Case:
    """An awkward network, without its input and the dense layer at its end.

    Attributes
    ----------
    why : str
        Property that makes it awkward.
    shape : tuple of int
        Shape of one sample.
    body : callable
        Function of the module `keras`, which is imported late, and the input tensor.
    """

    why: str
    shape: tuple[int, ...]
    body: Body


def stack(layers: Callable[[Any], Sequence[Any]]) -> Body:
    """Return a body of consecutive layers.

    Parameters
    ----------
    layers : callable
        Function of the module `keras.layers` that returns the layers in their order.

    Returns
    -------
    callable
        The body of a `Case`.
    """

    def body(keras: Any, x: Any) -> Any:
        for layer in layers(keras.layers):
            x = layer(x)
        return x

    return body
