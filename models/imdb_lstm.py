"""A long short-term memory of 25 cells that classifies film reviews as positive or negative."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bioconv.ground.keras_engine import import_keras
from bioconv.models.network import Network, Recipe

if TYPE_CHECKING:
    from keras import Model

#: number of different words, and of words in a review (thesis, section 5.3.1)
N_WORDS, LENGTH = 2500, 500


def build() -> Model:
    """Build the untrained network.

    It is the network of Mueller's thesis, section 5.3.2, with one word per step, 25 cells and one
    output.  The inputs of the thesis are one-hot vectors of 2,500 words.  Here, an embedding with
    16 numbers per word, which equals a one-hot vector times a matrix, keeps the file small.

    Returns
    -------
    keras.Model
        Input (500,), indices of words, padded with zeros at the start; output the probability of a
        positive review.
    """
    keras = import_keras()
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((LENGTH,), dtype="int32"),
            layers.Embedding(N_WORDS, 16, name="embedding"),
            layers.LSTM(25, name="lstm"),
            layers.Dense(1, activation="sigmoid"),
        ],
        name="imdb_lstm",
    )


NETWORK = Network(
    name="imdb_lstm",
    description="LSTM of 25 cells for reviews of IMDb, 500 of the 2,500 most frequent words",
    source="E. Mueller, thesis, TU Munich, sections 5.3.1 and 5.3.2 (the embedding is ours)",
    build=build,
    recipe=Recipe(
        dataset="imdb_2500",
        epochs=4,
        batch_size=64,
        learning_rate=3e-3,
        metric="binary_accuracy",
    ),
)
