"""Keras's masks, which determine the time steps that recurrent layers skip."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bioconv.analog import Affine, Layer
from bioconv.reading.context import Context
from bioconv.reading.layers import ATTENTION, CARRY_MASK
from bioconv.reading.refusal import Refusal
from bioconv.reading.tensors import Tensor, common_mask, with_mask

#: layers, besides recurrent ones, whose results depend on the mask of their input
_MASK_USERS = (*ATTENTION, "Softmax", "GlobalAveragePooling1D")


def with_explicit_mask(context: Context) -> Context:
    """Return the call with its ``mask`` argument attached to its input.

    Keras 3 also writes the mask that a layer receives implicitly into the configuration.  Both are
    the same computation in this case, and the mask that the input already has is kept.
    """
    kwargs = dict(context.kwargs)
    mask = kwargs.pop("mask", None)
    if not isinstance(mask, Tensor):
        return context
    x = context.only()
    if x.mask is not None and _signature(x.mask.affine, context.layers) == _signature(
        mask.affine, context.layers
    ):
        mask = x.mask
    return replace(context, args=[with_mask(x, mask)], kwargs=kwargs)


def carried_mask(context: Context, result: Tensor) -> Tensor:
    """Return the result with the mask of the inputs if the class propagates it."""
    if context.spec.kind not in CARRY_MASK:
        return result
    return with_mask(result, common_mask(context.tensors))


def check_mask(context: Context) -> None:
    """Refuse classes whose results depend on the mask of their input."""
    masked = any(tensor.mask is not None for tensor in context.tensors)
    if masked and context.spec.kind in _MASK_USERS:
        raise Refusal("it receives a masked sequence.", "Build the model without mask_zero.")


def _signature(affine: Affine, layers: list[Layer]) -> Any:
    """Return a comparable description of the computation of an affine map from the inputs."""
    by_name = {layer.name: layer for layer in layers}

    def of_source(name: str) -> Any:
        layer = by_name.get(name)
        return name if layer is None else (repr(layer.function), *map(of_affine, layer.inputs))

    def of_affine(part: Affine) -> Any:
        terms = tuple((of_source(term.source), repr(term.operator)) for term in part.terms)
        return terms, part.bias.tobytes()

    return of_affine(affine)
