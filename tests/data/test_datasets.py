"""The datasets: shapes, splits, files of the user's own, and clear errors."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from later import later

from bioconv.data import datasets
from bioconv.ground.errors import DataNotFoundError, UnknownNameError

keras = later("keras")

WHOLE = ("x_train", "y_train", "x_test", "y_test")
PART = ("x_train4000", "y_train4000", "x_test1000", "y_test1000")


def write_npz(path: Path, keys: tuple[str, ...], shape: tuple[int, ...]) -> None:
    """Write images of consecutive values, labels as a column."""
    arrays: dict[str, Any] = {}
    for key in keys:
        n = 6 if "train" in key else 3
        images = np.arange(n * np.prod(shape)).reshape(n, *shape).astype(np.uint8)
        arrays[key] = images if key.startswith("x") else np.arange(n)[:, np.newaxis]
    np.savez(path, **arrays)


def test_digits_split_is_stratified_and_fixed() -> None:
    """All 1,797 digits, each class alike in both parts, the same split every time."""
    (x_train, y_train), (x_test, y_test) = datasets.digits()
    assert x_train.shape == (1437, 8, 8)
    assert x_test.shape == (360, 8, 8)
    assert x_train.dtype == np.uint8
    assert x_train.max() == 16
    counts = np.bincount(y_test, minlength=10)
    assert counts.max() - counts.min() <= 3
    np.testing.assert_array_equal(datasets.digits()[1][0], x_test)
    assert not np.array_equal(datasets.digits(seed=1)[1][0], x_test)


def test_scaled_images_fit_the_networks() -> None:
    """Scaled images are float32 in [0, 1] with a channel axis."""
    (x_train, _), (x_test, _) = datasets.scaled("digits")
    assert x_train.shape == (1437, 8, 8, 1)
    assert x_train.dtype == x_test.dtype == np.float32
    assert x_train.min() == 0.0
    assert x_train.max() == 1.0


def test_sine_grids_share_no_point() -> None:
    """The regression task is tested between the points that it is trained on."""
    (x_train, y_train), (x_test, y_test) = datasets.load("sine")
    assert not np.intersect1d(x_train, x_test).size
    for x, y in ((x_train, y_train), (x_test, y_test)):
        np.testing.assert_allclose(y, 0.5 + 0.4 * np.sin(2 * np.pi * x), atol=1e-6)
        assert x.dtype == y.dtype == np.float32


@pytest.mark.parametrize("keys", [WHOLE, PART])
@pytest.mark.parametrize("as_folder", [True, False])
def test_file_of_the_user(tmp_path: Path, keys: tuple[str, ...], as_folder: bool) -> None:
    """A file is read by itself, or found in its folder among others that do not fit."""
    write_npz(tmp_path / "a_mnist.npz", WHOLE, (28, 28))
    write_npz(tmp_path / "b_cifar.npz", keys, (32, 32, 3))
    path = tmp_path if as_folder else tmp_path / "b_cifar.npz"
    (x_train, y_train), (x_test, y_test) = datasets.load("cifar10", path)
    assert x_train.shape == (6, 32, 32, 3)
    assert x_test.shape == (3, 32, 32, 3)
    assert y_train.tolist() == [0, 1, 2, 3, 4, 5]
    assert y_test.tolist() == [0, 1, 2]


def test_file_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    """The error names the place, the arrays and the shape that were looked for."""
    write_npz(tmp_path / "mnist.npz", WHOLE, (28, 28))
    with pytest.raises(DataNotFoundError, match=r"x_train4000.*\(32, 32, 3\)"):
        datasets.load("cifar10", tmp_path)
    with pytest.raises(FileNotFoundError, match="No data of mnist"):
        datasets.load("mnist", tmp_path / "absent.npz")


def test_path_for_dataset_without_files_is_refused(tmp_path: Path) -> None:
    """Digits come with scikit-learn: a path would be ignored."""
    with pytest.raises(ValueError, match=r"mnist, fashion_mnist, cifar10.*Received: 'digits'"):
        datasets.load("digits", tmp_path)


def test_unknown_name_lists_known_ones() -> None:
    """A slip of the pen is answered with the names that exist."""
    with pytest.raises(UnknownNameError, match=r"fashion_mnist.*Received: 'emnist'"):
        datasets.load("emnist")


@pytest.mark.parametrize("name", ["mnist", "fashion_mnist", "cifar10", "imdb"])
def test_failed_download_says_what_to_do(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Keras's bare exception becomes one that names the folder and the way out."""

    def fail(**_: object) -> None:
        raise Exception("URL fetch failure")

    monkeypatch.setattr(getattr(keras.datasets, name), "load_data", fail)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    with pytest.raises(DataNotFoundError, match=r"datasets.*URL fetch failure.*KERAS_HOME"):
        datasets.load(name)


def test_cifar10_part_of_shared_data(shared_data: Path) -> None:
    """The part of CIFAR-10 that the developers have is read as what it is."""
    (x_train, y_train), (x_test, y_test) = datasets.scaled("cifar10", shared_data / "cifar10")
    assert x_train.shape == (4000, 32, 32, 3)
    assert x_test.shape == (1000, 32, 32, 3)
    assert set(y_train) == set(y_test) == set(range(10))
    assert x_test.max() == 1.0


def keras_has(file: str) -> pytest.MarkDecorator:
    """Skip where Keras's folder lacks a dataset, so that no test ever downloads."""
    folder = Path(os.environ.get("KERAS_HOME", "~/.keras")).expanduser() / "datasets"
    return pytest.mark.skipif(
        not (folder / file).exists(), reason=f"no {file} under datasets/ of KERAS_HOME"
    )


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("mnist", marks=keras_has("mnist.npz")),
        pytest.param("fashion_mnist", marks=keras_has("fashion-mnist")),
    ],
)
def test_images_of_keras(name: str) -> None:
    """Keras's own datasets come raw."""
    (x_train, y_train), (x_test, _) = datasets.load(name)
    assert x_train.shape == (60000, 28, 28)
    assert x_test.shape == (10000, 28, 28)
    assert x_train.dtype == np.uint8
    assert y_train.shape == (60000,)


@pytest.mark.slow
@keras_has("imdb.npz")
def test_imdb_is_padded_in_front() -> None:
    """Reviews are cut to their last words, or filled up with zeros in front."""
    (x_train, y_train), _ = datasets.imdb(n_words=100, length=50)
    assert x_train.shape == (25000, 50)
    assert x_train.max() < 100
    assert (x_train[:, -1] > 0).all()
    assert set(y_train) == {0, 1}
