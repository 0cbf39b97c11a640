"""Operations of a processor that loops in Python do not express."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

_LANES = 8


@intrinsic
def trailing_zeros(context: Any, word: Any) -> Any:
    """Return the number of zeros after the lowest bit of an unsigned integer that is not 0."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.uint64), generate


@intrinsic
def add_eight(context: Any, out: Any, i: Any, weight: Any, k: Any, factor: Any) -> Any:
    """Compute ``out[i : i + 8] += factor * weight[k : k + 8]`` for contiguous arrays."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        total, first, weights, place, number = arguments
        scalar = context.get_value_type(signature.args[4])
        vector = ir.VectorType(scalar, _LANES)
        item = context.get_abi_sizeof(scalar)

        def pointer(kind: Any, array: Any, index: Any) -> Any:
            data = cgutils.create_struct_proxy(kind)(context, builder, array).data
            return builder.bitcast(builder.gep(data, [index]), vector.as_pointer())

        target = pointer(signature.args[0], total, first)
        source = pointer(signature.args[2], weights, place)
        none = ir.Constant(vector, ir.Undefined)
        lane = builder.insert_element(none, number, ir.Constant(ir.IntType(32), 0))
        zeros = ir.Constant(ir.VectorType(ir.IntType(32), _LANES), None)
        factors = builder.shuffle_vector(lane, none, zeros)
        product = builder.fmul(factors, builder.load(source, align=item), ("contract",))
        added = builder.fadd(builder.load(target, align=item), product, ("contract",))
        builder.store(added, target, align=item)
        return context.get_dummy_value()

    return types.void(out, types.uint64, weight, types.uint64, out.dtype), generate
