"""ResNet18 of mueller 4.2 for CIFAR-10."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bioconv.models._residual import build_imagenet_resnet
from bioconv.models._residual_recipe import mueller_recipe
from bioconv.models.network import Network

if TYPE_CHECKING:
    from keras import Model


def build() -> Model:
    """Build the untrained network.

    He et al. 2016, "Deep residual learning for image recognition" (arXiv:1512.03385), Table 1,
    18 layers, with the changes of mueller 4.2.1 for CIFAR-10: 3×3 stem, no pooling, half the
    channels.

    Returns
    -------
    keras.Model
        Input (32, 32, 3) in [0, 1], output ten probabilities.
    """
    return build_imagenet_resnet("resnet18", (2, 2, 2, 2), bottleneck=False)


NETWORK = Network(
    name="resnet18",
    description="ResNet18 for CIFAR-10, 3×3 stem, half the channels",
    source="E. Mueller, thesis, section 4.2.1; He et al. 2016, arXiv:1512.03385, Table 1",
    build=build,
    recipe=mueller_recipe(1),
    no_weights="2.8 million parameters exceed the 300 KB that the package allows a file, and "
    "where the shipped weights were trained only 4,000 images of CIFAR-10 were at hand",
)
