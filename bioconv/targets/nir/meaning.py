"""Values of nodes that have no meaning, whatever the graph."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bioconv.network.validation.meaning import LARGEST

_SHAPES = ("shape", "input_shape", "input_type")
_TIMES = ("tau", "tau_mem", "tau_syn")


def problem(kind: str, values: Mapping[str, Any]) -> str | None:
    """Return what is wrong with the values of a node, or None if nothing is.

    Parameters
    ----------
    kind : str
        Type of the node.
    values : mapping of str
        Numbers or text by name.
    """
    for name, value in values.items():
        reason = _wrong(name, value)
        if reason is not None:
            return f"{name} {reason}"
    return _wrong_threshold(kind, values) if "v_threshold" in values else None


def _wrong(name: str, value: Any) -> str | None:
    """Return what is wrong with a value of a node of any type, or None if nothing is."""
    if isinstance(value, str | list):
        return None if name == "padding" and isinstance(value, str) else "is text, not numbers"
    if not np.size(value):
        return "has no values"
    if not np.all(np.isfinite(value)):
        return "has values that are NaN or infinite"
    if np.any(np.abs(np.asarray(value, np.float64)) > LARGEST):
        return f"has values beyond {LARGEST:g}, with which no simulator can compute"
    if name in _SHAPES and not _is_shape(np.atleast_1d(value)):
        return "must be an integer of at least 1 for each axis"
    if name in _TIMES and not np.all(value > 0):
        return f"must be above 0, because it is a time. Received: {np.min(value):g}"
    if name == "r" and np.any(value < 0):
        return f"is a resistance and must not be negative. Received: {np.min(value):g}"
    return None


def _is_shape(value: NDArray[Any]) -> bool:
    return (
        value.dtype.kind in "iuf"
        and value.ndim == 1
        and value.size > 0
        and bool(np.all((value == np.floor(value)) & (value >= 1) & (value < 2**63)))
    )


def _wrong_threshold(kind: str, values: Mapping[str, Any]) -> str | None:
    """Return why neurons would fire forever, or None if they would not."""
    threshold, reset = np.asarray(values["v_threshold"]), np.asarray(values.get("v_reset", 0.0))
    try:
        above = np.all(threshold > reset)
    except ValueError:
        return f"v_threshold has the shape {threshold.shape}, and v_reset {reset.shape}"
    if above:
        return None
    return (
        f"v_threshold must be above v_reset (0 if it is not given), or the neurons of this {kind} "
        f"fire in every step. Received: v_threshold from {threshold.min():g}, v_reset up to "
        f"{reset.max():g}"
    )
