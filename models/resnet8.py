"""ResNet-8 of MLPerf Tiny for CIFAR-10."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bioconv.models._residual import build_resnet
from bioconv.models.network import Network, Recipe

if TYPE_CHECKING:
    from keras import Model


def build() -> Model:
    """Build the untrained network.

    Banbury et al. 2021, "MLPerf Tiny Benchmark" (arXiv:2106.07597), image classification: one
    residual block in each of three stages. The input is in [0, 1] here, 0 to 255 there.

    Returns
    -------
    keras.Model
        Input (32, 32, 3) in [0, 1], output ten probabilities.
    """
    return build_resnet("resnet8", n_blocks=1)


NETWORK = Network(
    name="resnet8",
    description="ResNet-8 of MLPerf Tiny for CIFAR-10, batch normalisation before ReLU",
    source="Banbury et al. 2021, arXiv:2106.07597; for the residual networks of E. Mueller, "
    "thesis, section 4.2",
    build=build,
    recipe=Recipe(
        dataset="cifar10",
        epochs=120,
        batch_size=128,
        learning_rate=3e-3,
        weight_decay=1e-2,
        optimizer="adam",
        shift=4,
        flip=True,
    ),
    no_weights="78,666 parameters exceed the 300 KB that the package allows a file, and where the "
    "shipped weights were trained only 4,000 images of CIFAR-10 were at hand",
)
