"""The registry, the shipped weights and their cards."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from later import later
from some_variants import some

from bioconv import models
from bioconv.data import datasets
from bioconv.detection import MeanAveragePrecision
from bioconv.models._residual import build_imagenet_resnet

keras = later("keras")

UNSHIPPED = tuple(name for name in models.names() if models.network(name).no_weights)
SHIPPED = tuple(name for name in models.names() if name not in UNSHIPPED)
LARGEST_FILE = 300_000
#: a detector has more layers and, in its configuration, its anchors
LARGEST_DETECTOR = 500_000


def test_names_are_those_of_the_papers() -> None:
    """The registry is complete: no network lost, none without a test of its weights."""
    assert set(SHIPPED) == {
        "digits_cnn",
        "digits_lstm",
        "digits_mlp",
        "imdb_lstm",
        "lenet5",
        "lenet_5layer",
        "lenet_9layer",
        "lenet_benchmark",
        "lenet_maxpool",
        "mlp_3layer",
        "regression_mlp",
        "retinanet_tiny",
        "vision_transformer",
    }
    assert set(UNSHIPPED) == {
        "resnet8",
        "resnet18",
        "resnet20",
        "resnet34",
        "resnet50",
        "resnet101",
        "text_transformer",
    }


@pytest.mark.parametrize("name", some(models.names(), every=3))
def test_build_gives_keras_model_of_that_name(name: str) -> None:
    """Every entry builds, untrained, with its own name."""
    model = models.build(name)
    assert isinstance(model, keras.Model)
    assert model.name == name == models.network(name).name


@pytest.mark.parametrize("name", models.names())
def test_card_tells_origin_and_recipe(name: str) -> None:
    """A card says where the network is from and how it is trained, with weights or without."""
    card = models.card(name)
    network = models.network(name)
    assert card["name"] == name
    assert card["source"] == network.source
    assert card["description"] == network.description
    assert card["command"] == f"python -m models train {name}"
    assert card["recipe"] == network.describe()["recipe"]
    assert network.recipe.dataset in datasets.names()


@pytest.mark.parametrize("name", SHIPPED)
def test_card_belongs_to_weights_file(name: str) -> None:
    """The card's hash and size are those of the shipped file, which is small."""
    content = models.weights_path(name).read_bytes()
    weights = models.card(name)["weights"]
    assert weights["sha256"] == hashlib.sha256(content).hexdigest()
    largest = LARGEST_DETECTOR if name.startswith("retinanet") else LARGEST_FILE
    assert weights["n_bytes"] == len(content) < largest
    assert {"python", "keras", "jax", "numpy"} <= set(models.card(name)["versions"])


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_network_is_the_built_one(name: str) -> None:
    """The file has the layers that the builder makes, and no optimizer."""
    loaded, built = models.load(name), models.build(name)
    assert [type(layer) for layer in loaded.layers] == [type(layer) for layer in built.layers]
    assert loaded.count_params() == built.count_params() == models.card(name)["n_parameters"]
    assert not loaded.compiled


@pytest.mark.parametrize(
    "name",
    [  # 25,000 reviews take a minute, 10,000 images some seconds
        pytest.param(name, marks=pytest.mark.slow)
        if name == "imdb_lstm" or name.startswith(("lenet", "retinanet", "vision"))
        else name
        for name in SHIPPED
    ],
)
def test_card_score_comes_out_again(name: str, request: pytest.FixtureRequest) -> None:
    """The shipped weights reach the score of the card on the test data."""
    card = models.card(name)
    dataset, path = card["data"]["name"], None
    if dataset == "mnist":
        path = request.getfixturevalue("shared_data") / "keras" / "datasets" / "mnist.npz"
    elif dataset.startswith("imdb"):
        request.getfixturevalue("shared_data")
    _, (x, y) = datasets.scaled(dataset, path)
    assert len(x) == card["data"]["n_test"]
    output = models.load(name).predict(x, batch_size=500, verbose=0)
    if card["score"]["metric"] == "mean_average_precision":
        found = MeanAveragePrecision()(y, dict(zip(("scores", "boxes"), output, strict=True)))
        # COCO's own evaluation gives the same number, see tests/detection
        score, tolerance = found, 2e-3
    elif card["score"]["metric"] == "accuracy":
        # Another machine may round two images in ten thousand to the other side.
        score, tolerance = np.mean(output.argmax(axis=1) == y), 2e-4
    elif card["score"]["metric"] == "binary_accuracy":
        score, tolerance = np.mean((output[:, 0] > 0.5) == y), 2e-4
    else:
        score, tolerance = np.abs(output - y).mean(), 2e-5
    assert score == pytest.approx(card["score"]["test"], abs=tolerance)


@pytest.mark.parametrize(
    ("name", "least"),
    [
        ("digits_cnn", 0.97),
        ("digits_lstm", 0.96),
        ("digits_mlp", 0.97),
        ("imdb_lstm", 0.86),
        ("lenet5", 0.99),
        ("lenet_5layer", 0.99),
        ("lenet_9layer", 0.985),
        ("lenet_benchmark", 0.99),
        ("lenet_maxpool", 0.99),
        ("mlp_3layer", 0.975),
        ("retinanet_tiny", 0.55),
        ("vision_transformer", 0.93),
    ],
)
def test_accuracy_is_good_enough_to_compare_with(name: str, least: float) -> None:
    """A converted network is worth comparing only with a well-trained one."""
    assert models.card(name)["score"]["test"] >= least


def test_regression_follows_sine() -> None:
    """The error of the regression network is small against the amplitude of 0.4."""
    assert models.card("regression_mlp")["score"]["test"] < 0.004


@pytest.mark.parametrize("name", UNSHIPPED)
@pytest.mark.parametrize("error", [ValueError, FileNotFoundError])
def test_missing_weights_say_how_to_train(name: str, error: type[Exception]) -> None:
    """The error is either builtin and has the command; the card has the reason."""
    with pytest.raises(error, match=f"python -m models train {name} -o DIR"):
        models.load(name)
    card = models.card(name)
    assert card["weights"] is None
    assert "300 KB" in card["no_weights"]


@pytest.mark.parametrize("function", [models.build, models.load, models.card, models.weights_path])
def test_unknown_name_lists_known_ones(function: Callable[[str], object]) -> None:
    """A slip of the pen is answered with the names that exist."""
    with pytest.raises(ValueError, match=r"lenet5.*Received: 'lenet6'"):
        function("lenet6")


def test_import_does_not_import_keras() -> None:
    """Importing the package is free of side effects: no Keras, no variable set."""
    code = (
        "import os, sys; before = dict(os.environ); import models; models.names(); "
        "models.awkward.names(); models.card('lenet5'); "
        "assert 'keras' not in sys.modules; assert dict(os.environ) == before"
    )
    root = Path(models.__file__).parents[1]
    subprocess.run([sys.executable, "-c", code], check=True, cwd=root)


@pytest.mark.parametrize(
    ("name", "neurons"),
    [
        ("lenet_benchmark", [12544, 800, 256, 10]),
        ("lenet_maxpool", [12544, 800, 256, 10]),
        ("lenet5", [4704, 1600, 120, 84, 10]),
        ("mlp_3layer", [64, 64, 10]),
    ],
)
def test_neuron_counts(name: str, neurons: list[int]) -> None:
    """The layers that will spike have the sizes of the papers."""
    layers = [layer for layer in models.build(name).layers if layer.weights]
    assert [int(np.prod(layer.output.shape[1:])) for layer in layers] == neurons


@pytest.mark.parametrize(
    ("name", "n_neurons", "n_biased"), [("lenet_5layer", 7620, 5), ("lenet_9layer", 13_900, 9)]
)
def test_networks_have_the_neurons_of_mueller_table_6_1(
    name: str, n_neurons: int, n_biased: int
) -> None:
    """The thesis counts the neurons of the pools, and one more for each layer with a bias."""
    built = models.build(name).layers
    biased = [layer for layer in built if layer.weights]
    neurons = [layer for layer in built if layer.weights or isinstance(layer, keras.layers.ReLU)]
    assert sum(int(np.prod(layer.output.shape[1:])) for layer in neurons) == n_neurons
    assert len(biased) == n_biased


@pytest.mark.parametrize(
    ("name", "n_parameters"), [("lenet5", 61_706), ("resnet8", 78_666), ("resnet20", 274_442)]
)
def test_parameter_counts_are_the_published_ones(name: str, n_parameters: int) -> None:
    """Known architectures have their known sizes (biases and moving statistics included)."""
    assert models.build(name).count_params() == n_parameters


@pytest.mark.parametrize(
    ("n_blocks", "bottleneck", "n_parameters"),
    [
        ((2, 2, 2, 2), False, 11_173_962),
        pytest.param((3, 4, 6, 3), True, 23_520_842, marks=pytest.mark.slow),
        pytest.param((3, 4, 23, 3), True, 42_512_970, marks=pytest.mark.slow),
    ],
)
def test_residual_networks_with_all_channels_have_the_known_sizes(
    n_blocks: tuple[int, ...], bottleneck: bool, n_parameters: int
) -> None:
    """He et al.'s networks with a 3×3 stem for CIFAR-10 have these numbers of trained parameters.

    They are those of the widely used implementation in PyTorch (github.com/kuangliu/pytorch-cifar).
    """
    model = build_imagenet_resnet("full", n_blocks, bottleneck=bottleneck, filters=64)
    assert sum(int(np.prod(v.shape)) for v in model.trainable_variables) == n_parameters


@pytest.mark.parametrize(
    ("name", "n_layers"), [("resnet18", 18), pytest.param("resnet50", 50, marks=pytest.mark.slow)]
)
def test_residual_networks_of_the_thesis_have_half_the_channels(name: str, n_layers: int) -> None:
    """Layers with weights on the main path; 32 to 256 channels, and no pooling but the last."""
    layers = models.build(name).layers
    weighted = [x for x in layers if isinstance(x, keras.layers.Conv2D | keras.layers.Dense)]
    shortcuts = [x for x in layers if isinstance(x, keras.layers.Add)]
    projected = 3 if name == "resnet18" else 4
    assert len(weighted) - projected == n_layers
    assert len(shortcuts) == (n_layers - 2) // (2 if name == "resnet18" else 3)
    sizes = [x.output.shape[1:] for x in layers if isinstance(x, keras.layers.ReLU)]
    assert sizes[0] == (32, 32, 32)
    assert sizes[-1] == (4, 4, 256 if name == "resnet18" else 1024)
    pools = [x for x in layers if "Pool" in type(x).__name__]
    assert [type(x) for x in pools] == [keras.layers.GlobalAveragePooling2D]


@pytest.mark.parametrize("name", UNSHIPPED)
def test_batch_normalization_stands_before_relu(name: str) -> None:
    """No ReLU is hidden inside a convolution, none stands before its normalisation."""
    layers = models.build(name).layers
    assert all(
        layer.activation is keras.activations.linear
        for layer in layers
        if isinstance(layer, keras.layers.Conv2D)
    )
    assert not any(
        isinstance(before, keras.layers.ReLU) and isinstance(after, keras.layers.BatchNormalization)
        for before, after in zip(layers, layers[1:], strict=False)
    )
