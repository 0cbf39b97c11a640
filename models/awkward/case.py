"""One awkward network as data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

# From the module keras and an input tensor to an output tensor.
Body = Callable[[Any, Any], Any]


@dataclass(frozen=True)
class Case:
    """One awkward network, between its input and the dense layer that ends them all.

    Attributes
    ----------
    why : str
        What is awkward about it.
    shape : tuple of int
        Shape of one sample.
    body : callable
        Takes the module `keras`, which is imported late, and the input tensor.
    """

    why: str
    shape: tuple[int, ...]
    body: Body


def stack(layers: Callable[[Any], Sequence[Any]]) -> Body:
    """Make a body of layers that follow each other.

    Parameters
    ----------
    layers : callable
        Takes the module `keras.layers`, returns the layers in their order.

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
