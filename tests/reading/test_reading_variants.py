"""Every layer with its options gives what Keras gives, in memory and from both kinds of files.

By default, three layers are tested that have no other test; in CI, all combinations of the options
of every layer.
"""

from __future__ import annotations

import pytest
from keras_models import randomized, samples
from variants import VARIANTS, models

from bioconv.reading import supported_layers

#: layers that have tests of their own, because they join tensors, wrap layers or are ours
ELSEWHERE = {
    *("Add", "Average", "Concatenate", "Dot", "Maximum", "Minimum", "Multiply", "Subtract"),
    *("AdditiveAttention", "Attention", "MultiHeadAttention", "EinsumDense", "Activation"),
    *("Bidirectional", "TimeDistributed", "Embedding", "Masking"),
    *("ClampedReLU", "FICurve", "ThresholdedReLU", "CustomScaleLayer", "LayerScale"),
    *("SpatialDropout1D", "SpatialDropout3D"),
}


@pytest.mark.parametrize("name", ["BatchNormalization", "GroupNormalization", "RMSNormalization"])
def test_some_options_equal_keras(name, same_everywhere):
    model = next(models(name, 4))
    same_everywhere(randomized(model, seed=5), samples(*VARIANTS[name][0]))


@pytest.mark.slow
@pytest.mark.parametrize("name", VARIANTS)
def test_all_options_equal_keras(name, same_everywhere):
    for model in models(name, 24):
        same_everywhere(randomized(model, seed=6), samples(*VARIANTS[name][0]))


def test_every_layer_is_compared():
    """A layer that no comparison covers is refused, not guessed: none may be forgotten."""
    covered = set(VARIANTS) | ELSEWHERE
    rest = set(supported_layers()) - covered
    assert all(name.startswith("Random") for name in rest)
