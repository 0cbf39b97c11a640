"""ResNet34 of mueller 4.2 for CIFAR-10."""

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
    34 layers, with the changes of mueller 4.2.1 for CIFAR-10: 3×3 stem, no pooling, half the
    channels.

    Returns
    -------
    keras.Model
        Input (32, 32, 3) in [0, 1], output ten probabilities.
    """
    return build_imagenet_resnet("resnet34", (3, 4, 6, 3), bottleneck=False)


NETWORK = Network(
    name="resnet34",
    description="ResNet34 for CIFAR-10, 3×3 stem, half the channels",
    source="E. Mueller, thesis, section 4.2.1; He et al. 2016, arXiv:1512.03385, Table 1",
    build=build,
    recipe=mueller_recipe(2),
    no_weights="5.3 million parameters exceed the 300 KB that the package allows a file, and "
    "where the shipped weights were trained only 4,000 images of CIFAR-10 were at hand",
)
