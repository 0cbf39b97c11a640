"""Surrogate derivatives against their formulas, and conditions against logic."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from bioconv.ground.errors import ParameterError
from bioconv.neurons.language.evaluation import evaluate, truth
from bioconv.neurons.language.expressions import parse_expression
from bioconv.training import Surrogate

FORMULAS = {
    "fast_sigmoid": lambda x: (1 + np.abs(x)) ** -2.0,
    "triangle": lambda x: np.clip(1 - np.abs(x), 0, None),
    "arctan": lambda x: 1 / (1 + x**2),
    "gaussian": lambda x: np.exp(-(x**2) / 2),
}
DISTANCES = np.linspace(-7.3, 7.3, 41)


@pytest.mark.parametrize("shape", FORMULAS)
def test_the_derivative_is_as_declared(shape: str) -> None:
    compare = Surrogate(shape, width=0.4).at(distance=5.0, height=0.3)

    def fires(v: jax.Array) -> jax.Array:
        return compare(">=", v, -50.0)

    v = DISTANCES - 50.0
    spikes, slopes = jax.vmap(jax.value_and_grad(fires))(jnp.asarray(v))
    np.testing.assert_array_equal(spikes, v >= -50.0)
    np.testing.assert_allclose(slopes, 0.3 / 2.0 * FORMULAS[shape](DISTANCES / 2.0), rtol=2e-5)


def test_the_threshold_moves_the_other_way_and_so_do_opposite_comparisons() -> None:
    compare = Surrogate().at(1.0)
    slopes = {
        sign: [float(jax.grad(compare, argnum)(sign, 0.3, 0.1)) for argnum in (1, 2)]
        for sign in (">", ">=", "<", "<=", "==", "!=")
    }
    assert slopes[">"] == slopes[">="] == [-slopes["<"][0], -slopes["<"][1]]
    assert slopes[">"][0] == -slopes[">"][1] > 0
    assert slopes["<"] == slopes["<="]
    assert slopes["=="] == slopes["!="] == [0, 0]


def test_a_fixed_height_is_used_as_it_is() -> None:
    assert Surrogate(height=2.0).at(1.0, height=0.1).derivative(0.0) == pytest.approx(2.0)


@pytest.mark.parametrize(
    "text",
    [
        "v > w",
        "v >= w and v < 0.9",
        "v > w or not (v > 0.2)",
        "not (v > w and w > 0.5)",
        "int(v > w)",
        "(v != w) or v <= 0.1",
    ],
)
def test_conditions_are_those_of_logic(text: str) -> None:
    node = parse_expression(text, frozenset({"v", "w"}))
    rng = np.random.default_rng(0)
    values = {"v": rng.uniform(size=100), "w": rng.uniform(size=100)}
    found = truth(node, values, jnp, Surrogate().at(1.0))
    np.testing.assert_array_equal(found, np.asarray(evaluate(node, values, np)).astype(float))


def test_both_sides_of_a_conjunction_have_a_derivative_where_the_other_holds() -> None:
    node = parse_expression("v > 0.5 and w > 0.5", frozenset({"v", "w"}))
    compare = Surrogate().at(1.0)

    def fires(v: float, w: float) -> jax.Array:
        return truth(node, {"v": v, "w": w}, jnp, compare)

    assert jax.grad(fires, (0, 1))(0.4, 0.9) == (compare.derivative(-0.1), 0.0)
    assert jax.grad(fires, (0, 1))(0.9, 0.4)[0] == 0.0


def test_wrong_options_are_all_named() -> None:
    with pytest.raises(ParameterError, match="(?s)shape must be one of fast_sigmoid.*width must"):
        Surrogate("step", width=0.0)
