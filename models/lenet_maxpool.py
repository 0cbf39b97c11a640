"""The LeNet of Yousefzadeh et al. 2019, with max pooling."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bioconv.models._lenet import RECIPE, build_lenet
from bioconv.models.network import Network

if TYPE_CHECKING:
    from keras import Model


def build() -> Model:
    """Build the untrained network.

    Yousefzadeh et al. 2019, section on MNIST and Table I; see `build_lenet`.

    Returns
    -------
    keras.Model
        Input (28, 28, 1) in [0, 1], output ten probabilities.
    """
    return build_lenet("lenet_maxpool", "MaxPooling2D")


NETWORK = Network(
    name="lenet_maxpool",
    description="16C5-MP2-8C5-MP2-256-10 for MNIST, max pooling",
    source="Yousefzadeh et al. 2019, Table I",
    build=build,
    recipe=RECIPE,
)
