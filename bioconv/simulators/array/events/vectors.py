"""Operations of a processor that loops in Python do not express."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic


def _trailing_zeros(context: Any, word: Any) -> Any:
    """Return the number of zeros after the lowest bit of an unsigned integer that is not 0."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.uint64), generate


trailing_zeros: Any = intrinsic(_trailing_zeros)


def _adder(lanes: int) -> Any:
    """Return a function that adds rows to ``lanes`` consecutive numbers, kept in registers."""

    @intrinsic
    def add(
        context: Any,
        out: Any,
        i: Any,
        weight: Any,
        k: Any,
        bases: Any,
        factors: Any,
        begin: Any,
        end: Any,
    ) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            total, first, weights, place, starts, numbers, low, high = arguments
            kinds = signature.args
            scalar = context.get_value_type(kinds[0].dtype)
            vector, item = ir.VectorType(scalar, lanes), context.get_abi_sizeof(scalar)

            def address(kind: Any, array: Any, index: Any) -> Any:
                data = cgutils.create_struct_proxy(kind)(context, builder, array).data
                return builder.gep(data, [index])

            def vector_at(kind: Any, array: Any, index: Any) -> Any:
                return builder.bitcast(address(kind, array, index), vector.as_pointer())

            target = vector_at(kinds[0], total, first)
            kept = cgutils.alloca_once_value(builder, builder.load(target, align=item))
            with cgutils.for_range(builder, high, start=low) as loop:
                base = builder.load(address(kinds[4], starts, loop.index))
                index = builder.add(builder.sext(base, ir.IntType(64)), place)
                row = builder.load(vector_at(kinds[2], weights, index), align=item)
                factor = builder.load(address(kinds[5], numbers, loop.index))
                none = ir.Constant(vector, ir.Undefined)
                lane = builder.insert_element(none, factor, ir.Constant(ir.IntType(32), 0))
                zeros = ir.Constant(ir.VectorType(ir.IntType(32), lanes), None)
                product = builder.fmul(
                    builder.shuffle_vector(lane, none, zeros), row, ("contract",)
                )
                builder.store(builder.fadd(builder.load(kept), product, ("contract",)), kept)
            builder.store(builder.load(kept), target, align=item)
            return context.get_dummy_value()

        given = (out, types.uint64, weight, types.uint64, bases, factors, types.int64, types.int64)
        return types.void(*given), generate

    return add


#: compute ``out[i : i + lanes] += factors[e] * weight[b : b + lanes]``, where b = bases[e] + k, for
#: all e from begin to end in order; arrays are contiguous, and bases are int32
add_8, add_32 = _adder(8), _adder(32)
