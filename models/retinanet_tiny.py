"""A small RetinaNet for the digits of scikit-learn on a canvas, without any download."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bioconv.models._retinanet import build_retinanet
from bioconv.models.network import Network, Recipe

if TYPE_CHECKING:
    from keras import Model


def build() -> Model:
    """Build the untrained network.

    It has the parts of the RetinaNet of Mueller's thesis, section 4.3, which is that of Lin et al.
    2017 (arXiv:1708.02002), but for images of 64×64 pixels and with few channels.

    Returns
    -------
    keras.Model
        Input (64, 64, 1) in [0, 1]; outputs ``scores`` (774, 10) and ``boxes`` (774, 4) in pixels.
    """
    return build_retinanet("retinanet_tiny", (64, 64, 1), 10)


NETWORK = Network(
    name="retinanet_tiny",
    description="RetinaNet for digits on a canvas: residual backbone, P3 to P7, nine anchors",
    source="after E. Mueller, thesis, TU Munich, section 4.3, and Lin et al. 2017, "
    "arXiv:1708.02002 (the widths are ours)",
    build=build,
    recipe=Recipe(
        dataset="digits_canvas",
        epochs=6,
        batch_size=32,
        learning_rate=5e-3,
        metric="mean_average_precision",
    ),
)
