"""Whatever an operator is, its nodes of NIR are the same map: random ones, read back."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import nir
import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from bioconv.operators import Chain, Operator, compose, identity, n_windows
from bioconv.targets.nir.graph import Node, channels_first, first, last
from bioconv.targets.nir.layers import first_order, matrix_nodes, structured, structured_nodes
from bioconv.targets.nir.operators import bias_of, operator_of

sys.path.append(str(Path(__file__).parents[1] / "operators"))
from operator_strategies import chains, conv, shapes  # noqa: E402

quick = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    print_blob=True,
)


def through(nodes: list[tuple[str, Node]], shape: tuple[int, ...]) -> Operator:
    """The operator that comes back from nodes one after the other."""
    parts: list[Operator] = [identity(shape)]
    for _, node in nodes:
        parts.append(operator_of(node, parts[-1].out_shape))
    return compose(*parts)


def check_with_nir(nodes: list[tuple[str, Node]], before: tuple[int, ...], after: Any) -> None:
    """The package nir finds the same shapes, channels first."""
    made = [nir.dict2NIRNode({"type": node.kind, **node.values}) for _, node in nodes]
    graph = nir.NIRGraph.from_list(nir.Input(np.array(first(before))), *made)
    (shape,) = graph.output_type.values()
    assert tuple(int(n) for n in shape) == tuple(after)


def same(operator: Operator, found: Operator) -> None:
    expected = operator.matrix().toarray()
    scale = max(np.abs(expected).max(initial=0), 1e-30)
    np.testing.assert_allclose(found.matrix().toarray(), expected, rtol=1e-5, atol=1e-6 * scale)


@quick
@given(chain=chains())
def test_random_chains(chain: Chain) -> None:
    forms = structured(chain)
    if forms is not None and len(chain.in_shape) <= 3:
        bias = np.arange(1.0, 1.0 + chain.out_shape[-1])
        nodes = list(structured_nodes(forms, bias, False))
        found = through(nodes, chain.in_shape)
        same(chain, found)
        check_with_nir(nodes, chain.in_shape, first(found.out_shape))
        *others, added = [bias_of(node, found.out_shape) for _, node in nodes]
        assert all(other is None for other in others)
        np.testing.assert_array_equal(added, bias)
    # The same as a matrix, whatever it is.
    shape = chain.in_shape if len(chain.in_shape) <= 3 else (chain.n_in,)
    nodes = list(matrix_nodes(chain, np.zeros(chain.n_out), shape))
    same(chain, through(nodes, shape))


@quick
@given(shape=shapes(2, 3), data=st.data())
def test_random_convolutions(shape: tuple[int, ...], data: st.DataObject) -> None:
    drawn = data.draw(conv(shape))
    padding = tuple((max(low, 0), max(high, 0)) for low, high in drawn.padding)
    settings_ = zip(shape, drawn.size, drawn.strides, padding, drawn.dilation, strict=False)
    assume(all(n_windows(*axis) > 0 for axis in settings_))
    operator = replace(drawn, padding=padding, input_dilation=(1,) * len(drawn.size))
    forms = structured(operator)
    # Two axes that would need kernels of different lengths: nir 1.0.8 takes one for both.
    assert forms is not None or len(operator.axes) == 2
    if forms is not None:
        nodes = list(structured_nodes(forms, np.zeros(operator.out_shape[-1]), False))
        same(operator, through(nodes, shape))
        check_with_nir(nodes, shape, first(operator.out_shape))


@pytest.mark.parametrize("shape", [(5,), (3, 2), (2, 3, 4)])
def test_orders_of_axes(shape: tuple[int, ...]) -> None:
    array = np.arange(np.prod(shape)).reshape(shape)
    outside = channels_first(array)
    assert outside.shape == first(shape) and last(first(shape)) == shape
    np.testing.assert_array_equal(outside.ravel(), first_order(shape))
