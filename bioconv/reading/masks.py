"""Keras's masks, which determine the time steps that recurrent layers skip."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bioconv.analog import Affine, Layer
from bioconv.analog.functions import Maximum, Minimum
from bioconv.ground.digests import digest_of
from bioconv.reading.context import Context
from bioconv.reading.layers import ATTENTION, CARRY_MASK, MERGING
from bioconv.reading.layers.merging import concatenated
from bioconv.reading.refusal import Refusal
from bioconv.reading.tensors import Tensor, boolean, constant, with_mask

#: layers, besides recurrent ones, whose results depend on the mask of their input
_MASK_USERS = (*ATTENTION, "Softmax", "GlobalAveragePooling1D")
#: layers that pass on the mask of their input in Keras 3 only
_SINCE_KERAS_3 = ("Rescaling", "Normalization")
#: layers without a mask of their own that may return their input
_MAY_DO_NOTHING = ("Reshape", "Permute", "Flatten", "Cropping1D", "Cropping2D", "Cropping3D")


def with_explicit_mask(context: Context) -> Context:
    """Return the call with its ``mask`` argument attached to its input.

    Keras 3 also writes the mask that a layer receives implicitly into the configuration.  Both are
    the same computation in this case, and the mask that the input already has is kept.
    """
    kwargs = dict(context.kwargs)
    mask = kwargs.get("mask")
    if isinstance(mask, list) and all(item is None for item in mask):
        del kwargs["mask"]  # Keras 3.0 writes one entry for each input
        return replace(context, kwargs=kwargs)
    if not isinstance(mask, Tensor):
        return context
    del kwargs["mask"]
    x = context.only()
    if x.mask is not None and _signature(x.mask.affine, context.layers) == _signature(
        mask.affine, context.layers
    ):
        mask = x.mask
    return replace(context, args=[with_mask(x, mask)], kwargs=kwargs)


def carried_mask(context: Context, result: Tensor) -> Tensor:
    """Return the result with the mask that the class passes on, or None if it removes it."""
    kind = context.spec.kind
    if kind in MERGING or kind == "Concatenate":
        join = _concatenated if kind == "Concatenate" else _merged
        return with_mask(result, join(context, context.tensors))
    carries = kind in CARRY_MASK and (context.era.keras == 3 or kind not in _SINCE_KERAS_3)
    if carries or _is_unchanged(context, result):
        return with_mask(result, context.tensors[0].mask)
    return result


def _merged(context: Context, tensors: Sequence[Tensor]) -> Tensor | None:
    """Return the mask of Add and similar layers.

    In Keras 3, a step is masked if all inputs mask it, and an input without a mask removes that of
    the others.  In Keras 1 and 2, a step is masked if any input masks it.
    """
    masks = [tensor.mask for tensor in tensors if tensor.mask is not None]
    if context.era.keras == 3:
        return _joined(context, masks, Maximum()) if len(masks) == len(tensors) else None
    return _joined(context, masks, Minimum())


def _concatenated(context: Context, tensors: Sequence[Tensor]) -> Tensor | None:
    """Return the mask of Concatenate, where inputs without a mask are not masked.

    Masks are joined along time, or else combined: with "or" in Keras 3, with "and" before.
    """
    if all(tensor.mask is None for tensor in tensors):
        return None
    masks = [
        boolean(constant(1.0, tensor.shape[:1])) if tensor.mask is None else tensor.mask
        for tensor in tensors
    ]
    rank, axis = len(tensors[0].shape), context.config.get("axis", -1)
    if axis % (rank + 1) == 1:
        return concatenated(masks, 1)
    if axis % (rank + 1) != rank:
        raise Refusal("it joins masked sequences along an axis other than time or the last.")
    return _joined(context, masks, Maximum() if context.era.keras == 3 else Minimum())


def _joined(
    context: Context, masks: Sequence[Tensor], function: Maximum | Minimum
) -> Tensor | None:
    """Return a function of different masks, or the mask that all have in common."""
    distinct = {id(mask.affine): mask for mask in masks}
    if len(distinct) < 2:
        return next(iter(distinct.values()), None)
    shape = masks[0].shape
    return boolean(context.layer(function, *distinct.values(), shape=shape, suffix="/mask"))


def _is_unchanged(context: Context, result: Tensor) -> bool:
    """Whether Keras 3 returns the very input of a layer, with its mask, as nothing is to do.

    TensorFlow and PyTorch return a copy without the mask.
    """
    if context.era.keras < 3 or context.era.backend in ("tensorflow", "torch"):
        return False
    if context.spec.kind not in _MAY_DO_NOTHING:
        return False
    if context.spec.kind == "Permute":
        dims = context.config.integers("dims", len(result.shape))
        return dims == tuple(range(1, len(dims) + 1))
    return result.shape == context.tensors[0].shape


def check_mask(context: Context) -> None:
    """Refuse classes whose results depend on the mask of their input."""
    masked = any(tensor.mask is not None for tensor in context.all_tensors)
    if masked and context.spec.kind in _MASK_USERS:
        raise Refusal("it receives a masked sequence.", "Build the model without mask_zero.")


def _signature(affine: Affine, layers: list[Layer]) -> str:
    """Return a digest of the computation of an affine map from the inputs."""
    by_name = {layer.name: layer for layer in layers}
    known: dict[str, str] = {}

    def of_source(name: str) -> str:
        if name not in known:
            layer = by_name.get(name)
            parts = [] if layer is None else [layer.function, *map(of_affine, layer.inputs)]
            known[name] = digest_of(parts) if parts else name
        return known[name]

    def of_affine(part: Affine) -> str:
        terms = [(of_source(term.source), digest_of(term.operator)) for term in part.terms]
        return digest_of([terms, part.bias])

    return of_affine(affine)
