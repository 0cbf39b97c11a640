"""A transformer that classifies film reviews as positive or negative."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bioconv.ground.keras_engine import import_keras
from bioconv.models._transformer import encoder, placed
from bioconv.models.network import Network, Recipe

if TYPE_CHECKING:
    from keras import Model

#: number of different words, and of words in a review (thesis, section 4.4.2)
N_WORDS, LENGTH = 20_000, 200


def build() -> Model:
    """Build the untrained network.

    It is the text transformer of Mueller's thesis, section 4.4.2, Fig 4.7: embeddings of words and
    of their positions, one encoder, average pooling, two dense layers with ReLU and one with
    softmax.  There are 32 features, which 2 heads share, and 32 units with ReLU for each word; the
    thesis does not state these widths.  The embedding of positions is the bias of a projection of
    the embedding of words (`bioconv.models._transformer.placed`), where the thesis adds both.

    Returns
    -------
    keras.Model
        Input (200,), indices of words, padded with zeros at the start; output two probabilities.
    """
    keras = import_keras()
    layers = keras.layers
    given = keras.Input((LENGTH,), dtype="int32")
    x = layers.Embedding(N_WORDS, 32, name="words")(given)
    x = layers.GlobalAveragePooling1D()(encoder(placed(x, 32), heads=2, hidden=32))
    x = layers.Dense(20, activation="relu")(layers.Dropout(0.1)(x))
    x = layers.Dense(20, activation="relu")(layers.Dropout(0.1)(x))
    return keras.Model(given, layers.Dense(2, activation="softmax")(x), name="text_transformer")


NETWORK = Network(
    name="text_transformer",
    description="Transformer for reviews of IMDb, 200 of the 20,000 most frequent words",
    source="E. Mueller, thesis, TU Munich, section 4.4.2, Fig 4.7",
    build=build,
    recipe=Recipe(dataset="imdb_20000", epochs=2, batch_size=64),
    no_weights="the embedding of 20,000 words takes 2.6 MB, more than the 300 KB that the package "
    "allows a file",
)
