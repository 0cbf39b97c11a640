"""Loading data, and fitting them to a network's input."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioconv.data import fit_shape, load_data
from bioconv.ground.errors import DataError


def test_digits_come_as_their_networks_are_trained() -> None:
    x, y = load_data("digits", n_images=10)
    assert x.shape == (10, 8, 8, 1)
    assert x.dtype == np.float32
    assert 0 <= x.min() < x.max() <= 1
    assert y is not None
    assert y.shape == (10,)


def test_scale_and_offset_act_on_the_stored_values() -> None:
    raw, _ = load_data("digits", scale=1.0)
    assert raw.max() == 16
    shifted, _ = load_data("digits", scale=1 / 8, offset=-1.0)
    assert (shifted.min(), shifted.max()) == (-1, 1)


def test_file(tmp_path: Path) -> None:
    path = tmp_path / "data.npz"
    np.savez(path, x=np.arange(24).reshape(4, 6), y=np.eye(4))
    x, y = load_data(path, n_images=3)
    assert x.dtype.kind == "i", "word indices stay integers"
    np.testing.assert_array_equal(y, [0, 1, 2])
    x, _ = load_data(path, scale=0.5)
    np.testing.assert_array_equal(x[0], np.arange(6) / 2)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"images": np.zeros((2, 3))}, "no array called x"),
        ({"x": np.zeros(3)}, "samples first"),
        ({"x": np.zeros((0, 3))}, "at least one sample"),
        ({"x": np.array([["a", "b"]])}, "must contain numbers"),
        ({"x": np.full((2, 3), np.nan)}, "NaN"),
        ({"x": np.zeros((2, 3)), "y": np.zeros(5)}, "one class per sample"),
        ({"x": np.array([[None]], dtype=object)}, "cannot be read"),
    ],
)
def test_bad_files(arrays: dict, message: str, tmp_path: Path) -> None:
    path = tmp_path / "data.npz"
    np.savez(path, **arrays)
    with pytest.raises(DataError, match=message):
        load_data(path)


@pytest.mark.parametrize(
    ("y", "found"),
    [
        ([[1], [0]], [1, 0]),
        ([1.0, 0.0], [1, 0]),
        ([7.9, 1.0], [7.9, 1.0]),
        ([[0.3, 0.7], [0.5, 0.5]], [[0.3, 0.7], [0.5, 0.5]]),
        ([[1, 1, 0], [0, 1, 0]], [[1, 1, 0], [0, 1, 0]]),
    ],
)
def test_labels_are_kept_as_they_are(y: list, found: list, tmp_path: Path) -> None:
    np.savez(tmp_path / "data.npz", x=np.zeros((2, 3)), y=np.array(y))
    np.testing.assert_array_equal(load_data(tmp_path / "data.npz")[1], found)


@pytest.mark.parametrize("y", [[1.0, np.nan], [1.0, np.inf], ["1", "2"]])
def test_labels_that_are_no_numbers_are_refused(y: list, tmp_path: Path) -> None:
    np.savez(tmp_path / "data.npz", x=np.zeros((2, 3)), y=np.array(y))
    with pytest.raises(DataError, match="y: labels must be"):
        load_data(tmp_path / "data.npz")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 broken", b"hello", b"\x93NUMPY"])
def test_damaged_files(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "data.npz"
    path.write_bytes(content)
    with pytest.raises(DataError):
        load_data(path)


def test_unknown_names() -> None:
    with pytest.raises(DataError, match="digits, digits_canvas, mnist"):
        load_data("emnist")
    with pytest.raises(DataError, match="at least 1"):
        load_data("digits", n_images=0)
    with pytest.raises(DataError, match="split"):
        load_data("digits", split="validation")


@given(st.integers(1, 4), st.integers(1, 4), st.integers(1, 3))
def test_fit_shape_keeps_the_values(height: int, width: int, channels: int) -> None:
    x = np.random.default_rng(0).random((2, height, width, channels))
    flat = fit_shape(x, (height * width * channels,))
    np.testing.assert_array_equal(flat, x.reshape(2, -1))
    if len({height, width, channels}) == 3 and 1 not in (height, width, channels):
        first = fit_shape(x, (channels, height, width))
        np.testing.assert_array_equal(first, x.transpose(0, 3, 1, 2))
        with pytest.raises(DataError, match="takes samples of shape"):
            fit_shape(x, (width, height, channels))
