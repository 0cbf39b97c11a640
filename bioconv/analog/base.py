"""Base class of the functions that non-linear layers compute."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import jax
import jax.numpy as jnp

from bioconv.ground.errors import ParameterError
from bioconv.operators import Array, Shape


class Function(ABC):
    """A function of one or several arrays, with the weights that belong to it.

    Like operators, functions are frozen dataclasses and JAX pytrees whose arrays are leaves, so
    that a compiled program takes a function as an argument.  The batch is the first axis of all
    arrays.
    """

    @abstractmethod
    def apply(self, inputs: Sequence[Array]) -> Array:
        """Return the output (batch, *out_shape) of a layer from arrays of shape (batch, ...)."""

    def n_within(self, shapes: Sequence[Shape]) -> int:
        """Return how many numbers of a sample are needed besides inputs and output, such as scores.

        Few functions need more than the inputs and the output take; by default 0.
        """
        return 0

    def out_shape(self, shapes: Sequence[Shape]) -> Shape:
        """Return the shape of one output, without the batch, for inputs of the given shapes.

        Raises
        ------
        ParameterError
            If the function cannot be applied to inputs of these shapes.
        """
        samples = [jax.ShapeDtypeStruct((1, *shape), jnp.float32) for shape in shapes]
        try:
            return tuple(jax.eval_shape(self.apply, samples).shape[1:])
        except (TypeError, ValueError, IndexError) as error:
            raise ParameterError(
                f"{type(self).__name__} cannot take inputs of shape {list(shapes)}: {error}"
            ) from error
