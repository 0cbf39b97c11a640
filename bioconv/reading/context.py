"""The context in which a layer is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bioconv.analog import Layer
from bioconv.analog.functions import Function
from bioconv.operators import Permute
from bioconv.reading.config import Config, shown
from bioconv.reading.refusal import Refusal
from bioconv.reading.spec import Era, LayerSpec
from bioconv.reading.tensors import Tensor, checked, linear, source, united

Shape = tuple[int, ...]


class LayerNames:
    """Unique layer names of one graph."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def new(self, wanted: str) -> str:
        """Return ``wanted``, or ``wanted:2``, ``wanted:3``, ... if it is already used."""
        name, number = wanted, 1
        while name in self._taken:
            number += 1
            name = f"{wanted}:{number}"
        self._taken.add(name)
        return name


@dataclass
class Context:
    """One call of a layer while it is read.

    Parameters
    ----------
    name : str
        Full name of the layer: ``outer/inner`` in a nested model.
    spec : LayerSpec
    weights : mapping of str to ndarray
        By path, see `weight_names`.
    args : sequence of Tensor or plain values
        Positional arguments of the call.
    kwargs : mapping
        Named arguments that are not None.
    names : LayerNames
    layers : list of Layer
        Layers of the graph so far, to which `layer` appends.
    era : Era
        The Keras that wrote the model.
    """

    name: str
    spec: LayerSpec
    weights: Mapping[str, NDArray[np.float64]]
    args: Sequence[Any]
    kwargs: Mapping[str, Any]
    names: LayerNames
    layers: list[Layer]
    era: Era

    @property
    def config(self) -> Config:
        """The arguments of the layer."""
        return self.spec.config

    @property
    def tensors(self) -> list[Tensor]:
        """The tensors among the positional arguments."""
        return [arg for arg in self.args if isinstance(arg, Tensor)]

    @property
    def all_tensors(self) -> list[Tensor]:
        """The tensors among all arguments."""
        values = (*self.args, *self.kwargs.values())
        return [value for value in values if isinstance(value, Tensor)]

    def only(self, rank: int | None = None) -> Tensor:
        """Return the only input, which must have ``rank`` axes besides the batch if given."""
        if len(self.args) != 1 or not isinstance(self.args[0], Tensor):
            raise Refusal(f"it takes a single input. Received: {len(self.args)}.")
        tensor = self.args[0]
        if rank is not None and len(tensor.shape) != rank:
            raise Refusal(f"it takes inputs with {rank} axes. Received: shape {tensor.shape}.")
        return tensor

    def weight(self, path: str, shape: Sequence[int]) -> NDArray[np.float64]:
        """Return a weight, which must have the given shape."""
        array = self.weights[path]
        if array.shape != tuple(shape):
            raise Refusal(
                f"its weight {path!r} must have the shape {tuple(shape)}. Received: {array.shape}."
            )
        return array

    def layer(self, function: Function, *inputs: Tensor, shape: Shape, suffix: str = "") -> Tensor:
        """Append a non-linear layer to the graph and return its output."""
        name = self.names.new(f"{self.name}{suffix}")
        members = tuple(dict.fromkeys((*united(inputs), self.name)))
        affines = tuple(tensor.affine for tensor in inputs)
        self.layers.append(Layer(name, function, affines, checked(shape), members))
        return source(name, tuple(shape))

    @property
    def channels_first(self) -> bool:
        """Whether channels are the first axis of the layer's tensors, after the batch."""
        formats = ("channels_last", "channels_first")
        value = self.config.get("data_format")
        if value is not None and value not in formats:
            raise Refusal(f"its data_format is {shown(value)}; expected one of {formats}.")
        return value == "channels_first"

    def channels_last(self, tensor: Tensor) -> Tensor:
        """Return the tensor with channels as its last axis."""
        if not self.channels_first:
            return tensor
        rank = len(tensor.shape)
        return linear(tensor, Permute(tensor.shape, (*range(1, rank), 0)))

    def own_format(self, tensor: Tensor) -> Tensor:
        """Return a tensor with channels as its last axis in the data format of the layer."""
        if not self.channels_first:
            return tensor
        rank = len(tensor.shape)
        return linear(tensor, Permute(tensor.shape, (rank - 1, *range(rank - 1))))
