"""Single or double precision: a context in which JAX has it, and arrays that have it."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from bioconv.ground.errors import ParameterError
from bioconv.operators.base import Array


def precision(dtype: str) -> AbstractContextManager[object]:
    """Return a context in which JAX computes with ``dtype``, "float32" or "float64".

    JAX converts float64 to float32 unless 64 bits are enabled.  The setting is restored on exit.
    """
    name = np.dtype(dtype).name
    if name not in ("float32", "float64"):
        raise ParameterError(f'dtype must be "float32" or "float64". Received: {dtype!r}')
    if name == "float32":
        return nullcontext()
    return jax.enable_x64(True)


def placed(value: Any, dtype: Any) -> Array:
    """Return an array of JAX of type ``dtype``, which NumPy converts unless it is one of JAX.

    JAX would compile a program for each shape and type that it converts.
    """
    if not isinstance(value, jax.Array):
        value = np.asarray(value, dtype)
    return jnp.asarray(value, dtype)
