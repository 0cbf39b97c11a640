"""Every layer with its options gives what Keras gives, in memory and from both kinds of files.

By default, three layers are tested that have no other test; in CI, all combinations of the options
of every layer.
"""

from __future__ import annotations

import pytest
from joins import JOINS, join_models, join_samples
from keras_models import randomized, samples
from variants import VARIANTS, models

from bioconv.reading import supported_layers

#: layers of ours and of Keras's applications, which have tests of their own
ELSEWHERE = {"ClampedReLU", "FICurve", "ThresholdedReLU", "CustomScaleLayer", "LayerScale"}


@pytest.mark.parametrize("name", ["BatchNormalization", "GroupNormalization", "RMSNormalization"])
def test_some_options_equal_keras(name, same_everywhere):
    model = next(models(name, 4))
    same_everywhere(randomized(model, seed=5), samples(*VARIANTS[name][0]))


@pytest.mark.slow
@pytest.mark.parametrize("name", VARIANTS)
def test_all_options_equal_keras(name, same_everywhere):
    for model in models(name, 24):
        same_everywhere(randomized(model, seed=6), samples(*VARIANTS[name][0]))


@pytest.mark.parametrize("name", ["EinsumDense", "Dot"])
def test_some_joins_equal_keras(name, same_everywhere):
    same_everywhere(randomized(next(join_models(name, 4)), seed=7), join_samples(name))


@pytest.mark.slow
@pytest.mark.parametrize("name", JOINS)
def test_all_joins_equal_keras(name, same_everywhere):
    for model in join_models(name, 16):
        same_everywhere(randomized(model, seed=8), join_samples(name))


def test_every_layer_is_compared():
    """A layer that no comparison covers is refused, not guessed: none may be forgotten."""
    covered = set(VARIANTS) | set(JOINS) | ELSEWHERE
    rest = set(supported_layers()) - covered
    assert all(name.startswith("Random") for name in rest)
