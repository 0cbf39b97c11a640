"""Digests: different values never have the same one, equal values always do."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from later import later

from bioconv.ground.digests import digest_of
from bioconv.ground.errors import ParameterError

jax = later("jax")


@dataclass(frozen=True)
class Pool:
    size: int
    stride: int


@dataclass(frozen=True)
class Window:
    size: int
    stride: int


class Colour(Enum):
    RED = 1


def exact(value: Any) -> Any:
    """A value with its types spelled out, equal only where the values are the same."""
    if isinstance(value, dict):
        return ("dict", frozenset((exact(k), exact(v)) for k, v in value.items()))
    if isinstance(value, list | tuple):
        return (type(value), tuple(map(exact, value)))
    if isinstance(value, float):
        return (float, value.hex())
    if isinstance(value, np.ndarray):
        return (value.dtype.str, value.shape, value.tobytes())
    return (type(value), value)


LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False)
    | st.text(max_size=3)
    | st.binary(max_size=3)
    | st.lists(st.integers(0, 2), max_size=3).map(lambda values: np.array(values, np.int8))
    | st.lists(st.integers(0, 2), max_size=3).map(lambda values: np.array(values, np.int16))
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text(max_size=2) | st.integers(0, 12), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(VALUES, VALUES)
def test_digests_are_equal_where_values_are(one: Any, other: Any) -> None:
    assert (digest_of(one) == digest_of(other)) == (exact(one) == exact(other))


@given(st.lists(st.text("01,[]:'\"", max_size=4), max_size=4), st.data())
def test_where_one_item_ends_counts(items: list[str], data: Any) -> None:
    text = "".join(items)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=4)))
    edges = [0, *cuts, len(text)]
    other = [text[a:b] for a, b in zip(edges, edges[1:], strict=False)]
    assert (digest_of(items) == digest_of(other)) == (items == other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Pool(1, 23), Pool(12, 3)),
        (Pool(1, 11), Pool(11, 1)),
        (Pool(2, 2), Window(2, 2)),
        ({"a": 1, "b": 2}, {"a": 12, "b": 2}),
        ({1: "x"}, {"1": "x"}),
        ([1], (1,)),
        (1, True),
        (1, 1.0),
        (0.0, -0.0),
        (None, "null"),
        (np.zeros((2, 3)), np.zeros((3, 2))),
        (np.zeros(2, np.float32), np.zeros(1, np.float64)),
        (np.array(["ab", "c"]), np.array(["a", "bc"])),
        (Path("a"), "a"),
        (Colour.RED, "RED"),
        (range(3), (0, 3, 1)),
        ({"ab"}, {"a", "b"}),
        (Pool, Window),
    ],
)
def test_different_values(one: Any, other: Any) -> None:
    assert digest_of(one) != digest_of(other)


def test_networks_that_differ_by_their_pooling() -> None:
    from bioconv.operators import AveragePool

    one, other = (AveragePool((11, 11, 1), sizes) for sizes in ((1, 11), (11, 1)))
    assert digest_of(one) != digest_of(other)


def test_the_middle_of_a_large_array_of_jax_counts() -> None:
    values = np.arange(5000.0, dtype=np.float32)
    changed = values.copy()
    changed[2500] += 1
    one, other = jax.numpy.asarray(values), jax.numpy.asarray(changed)
    assert str(one) == str(other)
    assert digest_of(one) != digest_of(other)
    assert digest_of(one) == digest_of(values)


def test_types_of_jax_without_a_code_of_their_own() -> None:
    zeros = [jax.numpy.zeros(2, kind) for kind in ("bfloat16", "float8_e4m3fn")]
    assert len({digest_of(array) for array in [*zeros, np.zeros(2, "V2")]}) == 3


def test_layout_and_order_do_not_count() -> None:
    array = np.arange(6.0).reshape(2, 3)
    assert digest_of(array) == digest_of(np.asfortranarray(array))
    assert digest_of(array) == digest_of(np.repeat(array, 2, axis=1)[:, ::2])
    assert digest_of({"a": 1, "b": 2}) == digest_of({"b": 2, "a": 1})


def test_another_process_finds_the_same() -> None:
    value = "{'x': {'a', 'b', 'c'}, 'y': (1, 2.5)}"
    code = f"from bioconv.ground.digests import digest_of; print(digest_of({value}))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONHASHSEED": "7"},
    )
    assert done.stdout.strip() == digest_of({"x": {"c", "a", "b"}, "y": (1, 2.5)})


@pytest.mark.parametrize(
    "value", [object(), lambda: 0, np.array([None, 1])], ids=["object", "function", "objects"]
)
def test_what_has_no_content_of_its_own_is_refused(value: Any) -> None:
    with pytest.raises(ParameterError, match="cannot be identified by its content"):
        digest_of([1, value])
