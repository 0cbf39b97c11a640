"""The LeNet of the benchmarks, with average pooling and 13,610 spiking neurons."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bioconv.models._lenet import RECIPE, build_lenet
from bioconv.models.network import Network

if TYPE_CHECKING:
    from keras import Model


def build() -> Model:
    """Build the untrained network.

    It is the network of Yousefzadeh et al. 2019, Table I (``lenet_maxpool`` here), with average
    pooling, which is linear and therefore requires no additional neurons: the numbers of neurons
    are 12544 + 800 + 256 + 10.

    Returns
    -------
    keras.Model
        Input (28, 28, 1) in [0, 1], output ten probabilities.
    """
    return build_lenet("lenet_benchmark", "AveragePooling2D")


NETWORK = Network(
    name="lenet_benchmark",
    description="16C5-P2-8C5-P2-256-10 for MNIST, average pooling: the network of the benchmarks",
    source="after Yousefzadeh et al. 2019, Table I, average in place of max pooling",
    build=build,
    recipe=RECIPE,
)
