"""Layers whose weights Keras has quantized: what a file stores for them, and their true weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bioconv.reading.config import Config, shown
from bioconv.reading.refusal import Refusal
from bioconv.reading.spec import LayerSpec

#: class -> name of its quantized weight
_WEIGHT = {"Dense": "kernel", "EinsumDense": "kernel", "Embedding": "embeddings"}
#: mode -> names of the arrays that Keras stores after the weight and the bias
_EXTRA: Mapping[str, tuple[str, ...]] = {
    "int8": ("{}_scale",),
    "int4": ("{}_scale",),
    "int4 in groups": ("{}_scale", "{}_zero", "g_idx"),
    "float8": (
        "inputs_scale",
        "inputs_amax_history",
        "{}_scale",
        "{}_amax_history",
        "outputs_grad_scale",
        "outputs_grad_amax_history",
    ),
}
_ADVICE = "Save the model as .keras and read that file, or read the model before quantization."


def refusal(where: str = "") -> Refusal:
    """Return the refusal of quantized weights, which are read from archives of single layers."""
    if not where:
        return Refusal("the layers inside of it are quantized.", "Read it before quantization.")
    return Refusal(f"it is quantized, and quantized weights are not read from {where}.", _ADVICE)


def mode_of(spec: LayerSpec) -> str:
    """Return the mode of quantization, which is part of a layer's dtype, or "".

    Raises
    ------
    Refusal
        If the mode or the class is not one that can be read.
    """
    mode = _mode(spec.config.get("dtype"))
    if not mode:
        return ""
    name, _, size = mode.partition("/")
    if name == "int4" and size not in ("", "-1"):
        name = "int4 in groups"
    if name not in _EXTRA or spec.kind not in _WEIGHT:
        raise Refusal(f"it is quantized in the mode {shown(mode)}, for which there is no reader.")
    return name


def _mode(policy: Any) -> str:
    """Return "int8" for the policy "int8_from_float32" and its longer forms, or ""."""
    if isinstance(policy, Mapping):
        config = policy.get("config")
        if not isinstance(config, Mapping):
            return ""
        if "mode" in config:
            return str(config["mode"])
        inner = config.get("policy_map")
        if isinstance(inner, Mapping):
            return next((mode for mode in map(_mode, inner.values()) if mode), "")
        policy = config.get("name")
    return policy.partition("_from_")[0] if isinstance(policy, str) and "_from_" in policy else ""


def stored_names(spec: LayerSpec, names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names of the arrays of a layer in a ``.keras`` archive, in order."""
    mode = mode_of(spec)
    if not mode:
        return names
    return (*names, *(name.format(_WEIGHT[spec.kind]) for name in _EXTRA[mode]))


def true_weight(
    spec: LayerSpec, weights: Mapping[str, NDArray[np.float64]], shape: tuple[int, ...], n_in: int
) -> NDArray[np.float64]:
    """Return the weight that a quantized layer multiplies with.

    Parameters
    ----------
    spec : LayerSpec
    weights : mapping of str to ndarray
        The stored arrays.
    shape : tuple of int
        Shape of the weight.
    n_in : int
        Number of its leading axes that are summed over; for a table, the axis of rows.
    """
    name, mode = _WEIGHT[spec.kind], mode_of(spec)
    stored, scale = weights[name], weights[f"{name}_scale"]
    if mode == "float8":
        return _checked(name, float8(stored, float(scale)), shape)
    rows, columns = int(np.prod(shape[:n_in])), int(np.prod(shape[n_in:]))
    if mode != "int8":
        stored = _unpacked(name, stored, shape, rows)
    matrix = _checked(name, stored.reshape(-1, columns), (rows, columns))
    if mode == "int4 in groups":
        groups = weights["g_idx"].astype(np.int64)
        axis = -1 if spec.kind == "Embedding" else 0
        zero = weights[f"{name}_zero"]
        matrix = (matrix - np.take(zero, groups, axis)) * np.take(scale, groups, axis)
    else:
        along = (-1, 1) if spec.kind == "Embedding" else (1, -1)
        matrix = matrix / scale.reshape(along)
    return _checked(name, matrix, (rows, columns)).reshape(shape)


def _checked(name: str, array: NDArray, shape: tuple[int, ...]) -> NDArray[np.float64]:
    if array.shape != shape:
        raise Refusal(f"its weight {name!r} must have the shape {shape}. Received: {array.shape}.")
    return array


def _unpacked(name: str, packed: NDArray, shape: tuple[int, ...], rows: int) -> NDArray[np.float64]:
    """Return numbers from -8 to 7, two of which each byte contains along one axis.

    This is the last axis of the matrix of a layer today, and of tables always.  Before Keras 3.13,
    it was the first axis of a kernel.
    """
    columns = int(np.prod(shape)) // max(rows, 1)
    today = (rows, (columns + 1) // 2)
    before = ((shape[0] + 1) // 2, *shape[1:])
    if packed.shape not in (today, before):
        raise Refusal(
            f"its packed weight {name!r} must have the shape {today} or {before}. Received: "
            f"{packed.shape}."
        )
    data = packed.astype(np.int8)
    halves = [(((data >> shift) & 15) ^ 8) - 8 for shift in (0, 4)]
    if packed.shape == today:
        return np.stack(halves, 2).reshape(rows, -1)[:, :columns].astype(np.float64)
    return np.stack(halves, 1).reshape(-1, *shape[1:])[: shape[0]].astype(np.float64)


def float8(values: Any, scale: float) -> Any:
    """Round to eight bits (4 of the exponent, 3 of the mantissa) in units of ``scale``."""
    import ml_dtypes

    kind = ml_dtypes.float8_e4m3fn
    limit = float(ml_dtypes.finfo(kind).max)
    return np.clip(values / scale, -limit, limit).astype(kind).astype(np.float64) * scale


def input_range(config: Config, mode: str) -> tuple[int, float] | None:
    """Return how a layer rounds its inputs: the largest number and Keras's epsilon, or None.

    Before Keras 3.13, no configuration describes it, and inputs are always rounded.
    """
    quantizer: Any = {"config": {"value_range": [-127, 127], "epsilon": 1e-7}}
    settings = config.get("quantization_config")
    if isinstance(settings, Mapping):
        quantizer = settings.get("config", {}).get("activation_quantizer")
    elif mode != "int8" and "quantization_config" in config:
        quantizer = None
    if quantizer is None:
        return None
    if quantizer.get("class_name", "AbsMaxQuantizer") != "AbsMaxQuantizer":
        raise Refusal(f"its inputs are quantized by {shown(quantizer.get('class_name'))}.")
    low, high = Config(quantizer["config"]).integers("value_range", 2, least=-128)
    if low != -high:
        raise Refusal(f"its inputs are quantized to the range from {low} to {high}.")
    return high, Config(quantizer["config"]).number("epsilon", 1e-7)
