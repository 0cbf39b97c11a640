"""One law: scattering the edges equals apply, for every operator and every simplification."""

from __future__ import annotations

import jax
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from operator_strategies import chains, conv, operators, shapes

from bioconv.ground.errors import ParameterError
from bioconv.operators import (
    OPERATORS,
    Chain,
    Crop,
    Dense,
    Operator,
    Sparse,
    compose,
    fan_out,
    identity,
    is_identity,
    n_synapses,
    precision,
    reweighted,
    scaled,
)

quick = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)


def samples(operator: Operator, n: int = 2) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(n, *operator.in_shape))


compiled = jax.jit(lambda operator, x: operator.apply(x))


def apply64(operator: Operator, x: np.ndarray) -> np.ndarray:
    with precision("float64"):
        return np.asarray(compiled(operator, x))


def check_law(operator: Operator) -> None:
    x = samples(operator)
    y = apply64(operator, x)
    assert y.shape == (len(x), *operator.out_shape)
    edges = operator.edges()
    assert edges.pre.dtype == edges.post.dtype == np.int32
    assert edges.weight.dtype == np.float64
    assert np.all(edges.weight != 0)
    both = edges.pre.astype(np.int64) * operator.n_out + edges.post
    assert len(np.unique(both)) == len(both)
    scattered = np.zeros((len(x), operator.n_out))
    arriving = x.reshape(len(x), -1)[:, edges.pre] * edges.weight
    np.add.at(scattered, (slice(None), edges.post), arriving)
    np.testing.assert_allclose(scattered, y.reshape(len(x), -1), rtol=1e-10, atol=1e-12)


@quick
@given(operators())
def test_edges_equal_apply(operator: Operator) -> None:
    check_law(operator)


@settings(quick, max_examples=25)
@given(shapes(2, 4).flatmap(conv))
def test_edges_equal_apply_for_convolutions_of_any_rank(operator: Operator) -> None:
    check_law(operator)


@quick
@given(chains())
def test_edges_equal_apply_for_chains_and_simplified_chains(chain: Chain) -> None:
    check_law(chain)
    simple = compose(*chain.operators)
    assert simple.in_shape == chain.in_shape
    assert simple.out_shape == chain.out_shape
    x = samples(chain)
    np.testing.assert_allclose(apply64(simple, x), apply64(chain, x), rtol=1e-9, atol=1e-12)


@quick
@given(chains())
def test_fan_out_counts_the_edges(chain: Chain) -> None:
    edges = chain.edges()
    counts = fan_out(chain)
    assert counts.dtype == np.int64
    np.testing.assert_array_equal(counts, np.bincount(edges.pre, minlength=chain.n_in))
    assert n_synapses(chain) == len(edges)
    for operator in chain.operators:
        pre = operator.edges().pre
        np.testing.assert_array_equal(fan_out(operator), np.bincount(pre, minlength=operator.n_in))


@quick
@given(chains(), st.booleans(), st.booleans())
def test_factors_end_up_in_the_right_place(chain: Chain, by_channel: bool, both: bool) -> None:
    rng = np.random.default_rng(1)

    def factor(shape: tuple[int, ...]) -> np.ndarray:
        return rng.uniform(0.5, 2, shape[-1:] if by_channel else shape)

    pre, post = factor(chain.in_shape), factor(chain.out_shape) if both else None
    x = samples(chain)
    expected = apply64(chain, x * pre) * (1 if post is None else post)
    result = apply64(scaled(chain, pre, post), x)
    np.testing.assert_allclose(result, expected, rtol=1e-9, atol=1e-12)


@quick
@given(chains(), st.booleans())
def test_every_synapse_can_have_a_weight_of_its_own(chain: Chain, cut: bool) -> None:
    factors = np.random.default_rng(2).uniform(0.5, 2, len(chain.edges()))
    factors[::3] = 0.0 if cut else 1.0
    changed = reweighted(chain, lambda edges: edges.weight * factors)
    assert (changed.in_shape, changed.out_shape) == (chain.in_shape, chain.out_shape)
    check_law(changed)
    edges, expected = chain.edges(), np.zeros((chain.n_in, chain.n_out))
    expected[edges.pre, edges.post] = edges.weight * factors
    np.testing.assert_array_equal(changed.matrix().toarray(), expected)


@settings(max_examples=15, deadline=None)
@given(chains())
def test_operators_are_compiled_functions_arguments(chain: Chain) -> None:
    """Weights go in as arguments: other weights, same program."""
    traces = []

    @jax.jit
    def run(operator: Operator, x: np.ndarray) -> np.ndarray:
        traces.append(1)
        return operator.apply(x)

    x = samples(chain).astype(np.float32)
    single = chain.map_weights(lambda w: w.astype(np.float32))
    first = np.asarray(run(single, x))
    scale = np.abs(first).max() + 1e-3
    np.testing.assert_allclose(first / scale, apply64(chain, x) / scale, atol=2e-4)
    assert first.dtype == np.float32
    run(single.map_weights(lambda w: 2 * w), x)
    assert len(traces) == 1


@quick
@given(shapes())
def test_identity(shape: tuple[int, ...]) -> None:
    assert is_identity(identity(shape))
    assert is_identity(compose(identity(shape), identity(shape)))


@pytest.mark.parametrize(
    ("weight", "source"),
    [
        (np.zeros((2, 3)), np.full((2, 3), 4, np.int32)),
        (np.zeros((2, 3)), np.full((2, 3), -1, np.int32)),
        (np.zeros((2, 3)), np.zeros((2, 3))),
        (np.zeros((1, 3)), np.zeros((2, 3), np.int32)),
        (np.zeros((2, 2)), np.zeros((2, 2), np.int32)),
    ],
)
def test_sparse_refuses_what_is_no_synapse(weight: np.ndarray, source: np.ndarray) -> None:
    with pytest.raises(ParameterError, match="Sparse: expected"):
        Sparse((4,), (3,), weight, source)


def test_every_class_is_in_the_table() -> None:
    def concrete(cls: type[Operator]) -> set[type[Operator]]:
        below = {sub for direct in cls.__subclasses__() for sub in concrete(direct)}
        return below | ({cls} if not getattr(cls, "__abstractmethods__", None) else set())

    ours = {cls for cls in concrete(Operator) if cls.__module__.startswith("bioconv.operators")}
    assert set(OPERATORS.values()) == ours


def test_indices_beyond_24_bits_stay_exact() -> None:
    """A ramp sent through float32 would lose the last digits of large indices."""
    n = 2**24 + 8
    crop = Crop((n, 1), ((n - 3, 0), (0, 0)))
    np.testing.assert_array_equal(crop.edges().pre, [n - 3, n - 2, n - 1])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_precision(dtype: str) -> None:
    operator = Dense((3,), np.eye(3, dtype=dtype) / 3)
    with precision(dtype):
        y = operator.apply(np.ones((1, 3), dtype))
    assert y.dtype == dtype
    np.testing.assert_allclose(y, 1 / 3, rtol=np.finfo(dtype).eps)
