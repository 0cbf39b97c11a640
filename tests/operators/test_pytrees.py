"""Operators and functions as arguments of compiled functions: no class is taken for another."""

from __future__ import annotations

import itertools

import jax
import numpy as np
import pytest

from bioconv.analog.functions import FUNCTIONS, Elementwise, Exponential, Function, Rounding
from bioconv.operators import Dense, Scale


def plain_functions() -> list[Function]:
    """Every function of a layer that needs no arguments."""
    found = []
    for cls in FUNCTIONS.values():
        try:
            found.append(cls())
        except TypeError:
            continue
    return found


def test_structures_of_different_classes_differ() -> None:
    """JAX looks compiled functions up by the structure of their arguments."""
    functions = plain_functions()
    assert len(functions) > 25
    structures = [jax.tree_util.tree_structure(function) for function in functions]
    pairs = itertools.combinations(range(len(functions)), 2)
    same = [(functions[a], functions[b]) for a, b in pairs if structures[a] == structures[b]]
    assert same == []
    assert structures == [jax.tree_util.tree_structure(function) for function in functions]


def test_a_compiled_function_tells_all_activations_apart() -> None:
    """One of these in about ten processes was computed as another one of them."""
    x = np.linspace(-2, 2, 41, dtype=np.float32)[None]

    @jax.jit
    def applied(function: Function, x: np.ndarray) -> jax.Array:
        return function.apply([x])

    for function in plain_functions():
        if isinstance(function, Elementwise) and not isinstance(function, Rounding):
            expected = np.asarray(function.apply([x]))
            np.testing.assert_allclose(applied(function, x), expected, 1e-5, 1e-6)


def test_an_operator_is_rebuilt_with_its_names_and_settings() -> None:
    dense = Dense((3,), np.arange(6.0).reshape(3, 2))
    paths, structure = jax.tree_util.tree_flatten_with_path(dense)
    assert [jax.tree_util.keystr(path) for path, _ in paths] == [".kernel"]
    rebuilt = jax.tree_util.tree_unflatten(structure, [leaf * 2 for _, leaf in paths])
    assert isinstance(rebuilt, Dense)
    assert rebuilt.in_shape == (3,)
    np.testing.assert_array_equal(rebuilt.kernel, 2 * dense.kernel)


@pytest.mark.parametrize("value", [Exponential(), Scale((2,), np.ones(2))], ids=["other", "shape"])
def test_settings_are_part_of_the_structure(value: object) -> None:
    other = Scale((3,), np.ones(3))
    assert jax.tree_util.tree_structure(value) != jax.tree_util.tree_structure(other)
