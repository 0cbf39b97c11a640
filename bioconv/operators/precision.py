"""Context manager for single or double precision."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import jax
import numpy as np

from bioconv.ground.errors import ParameterError


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
