"""ResNet-20 of He et al. for CIFAR-10."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bioconv.models._residual import build_resnet
from bioconv.models.network import Network, Recipe

if TYPE_CHECKING:
    from keras import Model


def build() -> Model:
    """Build the untrained network.

    He et al. 2016, "Deep residual learning for image recognition" (arXiv:1512.03385),
    section 4.2 and Table 6, n = 3, with their recipe of the training. Mueller's thesis,
    section 4.2, converts its larger kin.

    Returns
    -------
    keras.Model
        Input (32, 32, 3) in [0, 1], output ten probabilities.
    """
    return build_resnet("resnet20", n_blocks=3)


NETWORK = Network(
    name="resnet20",
    description="ResNet-20 for CIFAR-10, batch normalisation before ReLU",
    source="He et al. 2016, arXiv:1512.03385, Table 6; for the residual networks of E. Mueller, "
    "thesis, section 4.2",
    build=build,
    recipe=Recipe(
        dataset="cifar10",
        epochs=164,
        batch_size=128,
        optimizer="sgd",
        learning_rate=0.1,
        schedule="step",
        # 1e-4 in the paper, but in the gradient, where the momentum makes ten times as much of it.
        weight_decay=1e-3,
        shift=4,
        flip=True,
    ),
    no_weights="272,000 parameters exceed the 300 KB that the package allows a file, and where "
    "the shipped weights were trained only 4,000 images of CIFAR-10 were at hand",
)
