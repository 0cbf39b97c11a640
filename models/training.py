"""Train a network according to its recipe, and write its weights and its card."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Iterator
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import numpy as np

from bioconv.data import datasets
from bioconv.data.datasets import Array, DataPath, Dataset
from bioconv.ground.files import new_file, write_text
from bioconv.ground.keras_engine import import_keras
from bioconv.models import _detection
from bioconv.models.network import Network, Recipe

_LOSSES = {
    "accuracy": "sparse_categorical_crossentropy",
    "binary_accuracy": "binary_crossentropy",
    "mean_absolute_error": "mean_squared_error",
}


def train(
    network: Network,
    directory: str | Path,
    *,
    seed: int = 0,
    epochs: int | None = None,
    data_path: DataPath | None = None,
) -> dict[str, Any]:
    """Train a network and write ``weights/NAME.keras`` and ``cards/NAME.json``.

    Parameters
    ----------
    network : Network
        The network and its recipe.
    directory : str or Path
        Folder for both files, which is created if necessary.
    seed : int
        Seed of the initial weights, of the order of the samples and of their augmentation. The
        same seed gives the same network on the same machine with the same versions.
    epochs : int, optional
        Number of epochs in place of the recipe's. The decay of the learning rate is adapted.
    data_path : str or Path, optional
        Location of the data, see `bioconv.data.datasets.load`.

    Returns
    -------
    dict
        The entries of the card.
    """
    recipe = network.recipe if epochs is None else replace(network.recipe, epochs=epochs)
    path = Path(directory) / "weights" / f"{network.name}.keras"
    path.parent.mkdir(parents=True, exist_ok=True)
    dataset = _without_held_out(datasets.scaled(recipe.dataset, data_path), recipe)
    keras = import_keras()
    keras.utils.set_random_seed(seed)
    model = network.build()
    fit(model, recipe, dataset, seed)
    (x, y), test = dataset
    # duplicates are sought among many boxes of each image: as many images as are tested
    n_scored = len(test[0]) if _detects(recipe) else len(x)
    parts = (x[:n_scored], y[:n_scored]), test
    train_score, test_score = (_score(model, recipe, *part) for part in parts)
    _save(model, network, path)
    entries = {
        # The number of epochs may come from the caller, and is required to repeat the training.
        **replace(network, recipe=recipe).describe(),
        "data": _describe_data(recipe, dataset, data_path),
        "n_parameters": model.count_params(),
        "score": {"metric": recipe.metric, "train": train_score, "test": test_score},
        "seed": seed,
        "versions": _versions(),
        "weights": _describe_file(path),
    }
    _write_card(entries, Path(directory) / "cards" / f"{network.name}.json")
    return entries


def _without_held_out(dataset: Dataset, recipe: Recipe) -> Dataset:
    """Return a dataset without the training samples that are left out for validation."""
    (x, y), test = dataset
    n = len(x) - round(recipe.held_out * len(x))
    return (x[:n], y[:n]), test


def batches(x: Array, y: Array, recipe: Recipe, seed: int) -> Iterator[tuple[Array, Array]]:
    """Yield training batches indefinitely, in a new order every epoch.

    Parameters
    ----------
    x : ndarray of shape (n_samples, ...)
        Samples.
    y : ndarray of shape (n_samples, ...)
        Targets.
    recipe : Recipe
        Recipe that defines batch size and augmentation.
    seed : int
        Seed of the order and of the augmentation.

    Yields
    ------
    (x, y) : pair of ndarray
        One batch.
    """
    rng = np.random.default_rng(seed)
    n_batches = len(x) // recipe.batch_size
    while True:
        order = rng.permutation(len(x))[: n_batches * recipe.batch_size]
        for chosen in order.reshape(n_batches, recipe.batch_size):
            yield _augment(x[chosen], y[chosen], recipe, rng)


def _augment(x: Array, y: Array, recipe: Recipe, rng: np.random.Generator) -> tuple[Array, Array]:
    """Shift and mirror each image of a batch at random."""
    if recipe.shift:
        n, height, width, _ = x.shape
        border = (recipe.shift, recipe.shift)
        padded = np.pad(x, ((0, 0), border, border, (0, 0)))
        down, right = rng.integers(0, 2 * recipe.shift + 1, (2, n, 1, 1))
        rows = down + np.arange(height)[:, None]
        columns = right + np.arange(width)
        x = padded[np.arange(n)[:, None, None], rows, columns]
    if recipe.flip:
        mirrored = rng.random(len(x)) < 0.5
        x = np.where(mirrored[:, None, None, None], x[:, :, ::-1], x)
        if _detects(recipe):
            y = np.where(mirrored[:, None, None], _detection.mirrored(y, x.shape[2]), y)
    return x, y


def fit(model: Any, recipe: Recipe, dataset: Dataset, seed: int) -> None:
    """Compile and fit a model, with one line of progress per epoch.

    Parameters
    ----------
    model : keras.Model
    recipe : Recipe
    dataset : pair of (x, y)
        Training and test data; the latter are not used.
    seed : int
        Seed of the order of the samples and of their augmentation.
    """
    x, y = dataset[0]
    n_batches = len(x) // recipe.batch_size
    samples: Iterator[Any] = batches(x, y, recipe, seed)
    optimizer = _optimizer(recipe, n_batches)
    if _detects(recipe):
        n_classes = model.output_shape[0][-1]
        samples = _detection.targets(samples, x.shape[1:], n_classes)
        model.compile(optimizer, loss=_detection.losses(x.shape[1:]))
    else:
        model.compile(optimizer, loss=_LOSSES[recipe.metric], metrics=[recipe.metric])
    model.fit(
        samples,
        steps_per_epoch=n_batches,
        epochs=recipe.epochs,
        shuffle=False,
        verbose=2,
    )


def _optimizer(recipe: Recipe, n_batches: int) -> Any:
    """Return the optimizer with its learning rate schedule."""
    optimizers = import_keras().optimizers
    n_steps = recipe.epochs * n_batches
    if recipe.schedule == "cosine":
        rate = optimizers.schedules.CosineDecay(recipe.learning_rate, n_steps)
    else:
        rate = optimizers.schedules.PiecewiseConstantDecay(
            [int(share * n_steps) for share in recipe.milestones],
            [recipe.learning_rate * 0.1**drops for drops in range(len(recipe.milestones) + 1)],
        )
    decay = recipe.weight_decay or None
    if recipe.optimizer == "sgd":
        return optimizers.SGD(rate, momentum=0.9, weight_decay=decay)
    return optimizers.Adam(rate, weight_decay=decay)


def _detects(recipe: Recipe) -> bool:
    """Whether the network is a detector, whose labels are objects."""
    return recipe.metric == "mean_average_precision"


def _score(model: Any, recipe: Recipe, x: Array, y: Array) -> float:
    """Return the metric of a compiled model."""
    if _detects(recipe):
        return round(_detection.score(model, x, y), 5)
    _, score = model.evaluate(x, y, batch_size=500, verbose=0)
    return round(float(score), 5)


def _save(model: Any, network: Network, path: Path) -> None:
    """Save a network without the state of its optimizer, which is larger than the network."""
    bare = network.build()
    bare.set_weights(model.get_weights())
    with TemporaryDirectory() as folder, new_file(path) as part:
        saved = Path(folder) / path.name  # Keras recognizes the format by the name
        bare.save(saved)
        with ZipFile(saved) as stored, ZipFile(part, "w", ZIP_DEFLATED) as packed:
            for entry in stored.infolist():  # anchors are long lists of numbers as text
                packed.writestr(entry.filename, stored.read(entry))


def _describe_data(recipe: Recipe, dataset: Dataset, path: DataPath | None) -> dict[str, Any]:
    """Return a description of the training and test data of a network."""
    (x_train, _), (x_test, _) = dataset
    split = "seed 0, stratified" if recipe.dataset == "digits" else "the dataset's own"
    return {
        "name": recipe.dataset,
        "from": f"bioconv.data.datasets.{recipe.dataset}()"
        if path is None
        else "a file of the user's",
        "n_train": len(x_train),
        "n_test": len(x_test),
        "split": split,
        "input": "float32 in [0, 1], channels last",
    }


def _versions() -> dict[str, str]:
    """Return the versions of the packages that affect the weights."""
    packages = ("keras", import_keras().config.backend(), "numpy")
    return {
        "python": platform.python_version(),
        **{package: version(package) for package in packages},
    }


def _describe_file(path: Path) -> dict[str, Any]:
    """Return the properties that identify a weights file."""
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    return {"file": path.name, "n_bytes": len(content), "sha256": digest}


def _write_card(entries: dict[str, Any], path: Path) -> None:
    """Write a card in a form that is readable and can be compared line by line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, json.dumps(entries, indent=2, ensure_ascii=False) + "\n")
