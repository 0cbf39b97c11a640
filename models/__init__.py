"""The Keras networks of the papers, with recipes, cards and, if they are small, weights.

Examples
--------
>>> from bioconv import models
>>> "lenet5" in models.names()
True
>>> model = models.load("digits_cnn")
>>> from bioconv.data import load_data
>>> x_test, y_test = load_data("digits")
>>> model.predict(x_test, verbose=0).shape
(360, 10)
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bioconv.ground.errors import DataNotFoundError, UnknownNameError, WeightsNotFoundError
from bioconv.ground.keras_engine import import_keras
from bioconv.models import (
    awkward,
    digits_cnn,
    digits_lstm,
    digits_mlp,
    imdb_lstm,
    lenet5,
    lenet_5layer,
    lenet_9layer,
    lenet_benchmark,
    lenet_maxpool,
    mlp_3layer,
    regression_mlp,
    resnet8,
    resnet18,
    resnet20,
    resnet34,
    resnet50,
    resnet101,
    retinanet_tiny,
    text_transformer,
    vision_transformer,
)
from bioconv.models.network import Network, Recipe

if TYPE_CHECKING:
    from keras import Model

__all__ = [
    "DataNotFoundError",
    "Network",
    "Recipe",
    "UnknownNameError",
    "WeightsNotFoundError",
    "awkward",
    "build",
    "card",
    "load",
    "names",
    "network",
    "weights_path",
]

_NETWORKS: dict[str, Network] = {
    module.NETWORK.name: module.NETWORK
    for module in (
        digits_cnn,
        digits_lstm,
        digits_mlp,
        imdb_lstm,
        lenet5,
        lenet_5layer,
        lenet_9layer,
        lenet_benchmark,
        lenet_maxpool,
        mlp_3layer,
        regression_mlp,
        resnet8,
        resnet18,
        resnet20,
        resnet34,
        resnet50,
        resnet101,
        retinanet_tiny,
        text_transformer,
        vision_transformer,
    )
}
_HERE = Path(__file__).parent


def names() -> tuple[str, ...]:
    """Return the names of the networks.

    Returns
    -------
    tuple of str
        Names that all other functions of this module accept.
    """
    return tuple(_NETWORKS)


def network(name: str) -> Network:
    """Return the entry of a network in the registry.

    Parameters
    ----------
    name : str
        One of `names()`.

    Returns
    -------
    Network
        Its description, source, builder and recipe.

    Raises
    ------
    UnknownNameError
        If there is no such network.
    """
    if name not in _NETWORKS:
        raise UnknownNameError("network", name, names())
    return _NETWORKS[name]


def build(name: str) -> Model:
    """Build an untrained network.

    Parameters
    ----------
    name : str
        One of `names()`.

    Returns
    -------
    keras.Model
        The network with Keras's random initial weights.
    """
    return network(name).build()


def load(name: str) -> Model:
    """Load a network with the weights that are part of the package.

    Parameters
    ----------
    name : str
        One of `names()`.

    Returns
    -------
    keras.Model
        The trained network, not compiled.

    Raises
    ------
    WeightsNotFoundError
        If no weights are shipped. The message contains the command that trains them.
    """
    return import_keras().models.load_model(weights_path(name), compile=False)


def weights_path(name: str) -> Path:
    """Return the file of the shipped weights, which contains the network in Keras's format.

    Parameters
    ----------
    name : str
        One of `names()`.

    Returns
    -------
    Path
        The ``.keras`` file.

    Raises
    ------
    WeightsNotFoundError
        If no weights are shipped. The message contains the command that trains them.
    """
    path = _HERE / "weights" / f"{network(name).name}.keras"
    if not path.is_file():
        reason = network(name).no_weights
        raise WeightsNotFoundError(
            f"No weights of {name} are shipped{': ' if reason else ''}{reason}. "
            f"Train them with: {network(name).command} -o DIR, "
            f"then load DIR/weights/{name}.keras with keras.models.load_model."
        )
    return path


def card(name: str) -> dict[str, Any]:
    """Return the card of a network: its origin, data, training and accuracy.

    Parameters
    ----------
    name : str
        One of `names()`.

    Returns
    -------
    dict
        The entries of ``cards/NAME.json``. If no weights are shipped, ``weights`` is None and
        ``no_weights`` is the reason.
    """
    path = _HERE / "cards" / f"{network(name).name}.json"
    if not path.is_file():
        no_weights = network(name).no_weights
        return {**network(name).describe(), "weights": None, "no_weights": no_weights}
    entries: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return entries
