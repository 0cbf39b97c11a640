"""The encoder of the transformers of Mueller's thesis, section 4.4."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bioconv.ground.keras_engine import import_keras

if TYPE_CHECKING:
    from keras import KerasTensor

#: share of the features that are left out in training
_DROPOUT = 0.1


def placed(x: KerasTensor, features: int) -> KerasTensor:
    """Project every token, and add the embedding of its position.

    The bias of the projection is a number for every position and feature, which is the embedding
    of the position.
    """
    layers = import_keras().layers
    shape = (x.shape[1], features)
    return layers.EinsumDense("btc,cf->btf", shape, bias_axes="tf", name="positions")(x)


def encoder(x: KerasTensor, heads: int, hidden: int) -> KerasTensor:
    """Add self-attention and two dense layers, each with a shortcut and a normalization after it.

    Parameters
    ----------
    x : KerasTensor, shape (batch, tokens, features)
    heads : int
        Number of heads, which share the features.
    hidden : int
        Number of units with ReLU for each token.
    """
    layers = import_keras().layers
    features = x.shape[-1]
    seen = layers.MultiHeadAttention(heads, features // heads, name="attention")(x, x)
    seen = layers.Dropout(_DROPOUT)(seen)
    x = layers.LayerNormalization(epsilon=1e-6, name="attention_norm")(layers.Add()([x, seen]))
    found = layers.Dense(hidden, activation="relu", name="forward")(x)
    found = layers.Dropout(_DROPOUT)(layers.Dense(features, name="forward_out")(found))
    return layers.LayerNormalization(epsilon=1e-6, name="forward_norm")(layers.Add()([x, found]))
