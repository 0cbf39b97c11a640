"""Operators equal Keras layers, and their edges equal them, on random stacks."""

from __future__ import annotations

import jax
import numpy as np
import pytest
from hypothesis import HealthCheck, given, seed, settings
from keras_stacks import SPATIAL as KINDS
from keras_stacks import Pair, input_shapes, run, stacks

from bioconv.operators import Chain, compose, fan_out, precision

# Keras draws seeds for initial values that the strategies overwrite.
pytestmark = pytest.mark.filterwarnings("ignore:Do not use the `random` module")
CHECKS = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
compiled = jax.jit(lambda operator, x: operator.apply(x))


def check(pairs: list[Pair]) -> None:
    operators = [operator for pair in pairs for operator in pair.operators]
    x = np.random.default_rng(0).normal(size=(2, *operators[0].in_shape))
    expected = run(pairs, x)
    chain, simple = Chain(tuple(operators)), compose(*operators)
    assert chain.out_shape == simple.out_shape == expected.shape[1:]
    scale = np.abs(expected).max() + 1e-300
    # Keras takes a global mean in single precision, whatever the layer's dtype.
    single = any(type(pair.layer).__name__.startswith("GlobalAverage") for pair in pairs)
    for operator in (chain, simple):
        with precision("float64"):
            result = np.asarray(compiled(operator, x)) / scale
        np.testing.assert_allclose(result, expected / scale, rtol=0, atol=1e-6 if single else 1e-11)
        edges = operator.edges()
        product = (x.reshape(len(x), -1) @ operator.matrix()).reshape(result.shape) / scale
        np.testing.assert_allclose(product, result, rtol=0, atol=1e-11)
        counts = np.bincount(edges.pre, minlength=operator.n_in)
        np.testing.assert_array_equal(fan_out(operator), counts)


@settings(max_examples=12, deadline=None, suppress_health_check=CHECKS)
@given(stacks())
def test_random_stacks(pairs: list[Pair]) -> None:
    check(pairs)


@pytest.mark.slow
@pytest.mark.parametrize("hundred", range(10))
def test_a_thousand_random_stacks(hundred: int) -> None:
    @settings(max_examples=100, deadline=None, suppress_health_check=CHECKS)
    @seed(hundred)
    @given(stacks(max_size=6))
    def each(pairs: list[Pair]) -> None:
        check(pairs)

    each()
    jax.clear_caches()  # a thousand compiled programs would take some GB


@pytest.mark.parametrize("kind", sorted(set(KINDS), key=lambda kind: kind.__name__))
def test_each_layer(kind) -> None:
    @settings(max_examples=4, deadline=None, suppress_health_check=CHECKS)
    @given(input_shapes.flatmap(kind))
    def each(pair: Pair) -> None:
        check([pair])

    each()
