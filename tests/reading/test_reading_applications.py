"""Every family of `keras.applications`, small and with random weights, computes what Keras does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from keras_models import samples
from later import later

from bioconv.reading import read

keras = later("keras")

#: function -> side of its images; the smallest of each family, and one that is built differently
FAMILIES = {
    "ConvNeXtTiny": 32,
    "ConvNeXtSmall": 32,
    "DenseNet121": 32,
    "DenseNet169": 32,
    "EfficientNetB0": 32,
    "EfficientNetB1": 32,
    "EfficientNetV2B0": 32,
    "EfficientNetV2S": 32,
    "InceptionResNetV2": 75,
    "InceptionV3": 75,
    "MobileNet": 32,
    "MobileNetV2": 32,
    "MobileNetV3Small": 32,
    "MobileNetV3Large": 32,
    "NASNetMobile": 32,
    "ResNet50": 32,
    "ResNet101": 32,
    "ResNet152": 32,
    "ResNet50V2": 32,
    "ResNet101V2": 32,
    "ResNet152V2": 32,
    "VGG16": 32,
    "VGG19": 32,
    "Xception": 71,
}


def randomize(model: Any, random: np.random.Generator) -> None:
    """Give a deep network weights with which activations neither vanish nor explode."""
    values = []
    for variable, value in zip(model.weights, model.get_weights(), strict=True):
        name, noise = variable.name, random.normal(0.0, 1.0, value.shape)
        if "variance" in name:
            new = 1.0 + 0.2 * np.abs(noise)
        elif "gamma" in name:
            new = 1.0 + 0.1 * noise
        elif value.ndim > 1:
            fan_in = value.shape[0] if value.ndim == 2 else np.prod(value.shape[:-1])
            depthwise = "depthwise" in name
            new = noise / np.sqrt(np.prod(value.shape[:2]) if depthwise else fan_in)
        else:
            new = 0.1 * noise
        values.append(new.astype(value.dtype))
    model.set_weights(values)


@pytest.mark.slow
@pytest.mark.usefixtures("fast_code")
@pytest.mark.parametrize("name", FAMILIES)
def test_families_of_applications(name, agree, tmp_path):
    side = FAMILIES[name]
    make = getattr(keras.applications, name)
    model = make(weights=None, input_shape=(side, side, 3), classes=10, classifier_activation=None)
    randomize(model, np.random.default_rng(list(FAMILIES).index(name)))
    path = tmp_path / "model.keras"
    model.save(path)
    x = 100.0 + 50.0 * samples(side, side, 3, n=2)  # pixels, which some of them scale themselves
    agree(read(path), model, x)
