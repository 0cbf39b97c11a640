"""Tokens without a row in the table of an embedding are refused."""

from __future__ import annotations

import numpy as np
import pytest
from small_graphs import affine, graph, layer

from bioconv.analog.functions import Embedding, Softmax
from bioconv.ground.errors import DataError
from bioconv.operators import Dense, identity

RNG = np.random.default_rng(0)
WORDS = graph(
    layer(
        "words", Embedding(RNG.normal(size=(2500, 3))), affine(("x", identity((4,)))), shape=(4, 3)
    ),
    layer("out", Softmax(), affine(("words", Dense((4, 3), RNG.normal(size=(3, 2)))))),
    shape=(4,),
)


def test_tokens_with_a_row_are_looked_up() -> None:
    assert np.isfinite(WORDS.predict(np.array([[0, 1, 2498, 2499]]))).all()


@pytest.mark.parametrize(
    ("token", "message"),
    [
        (4999, "words .Embedding.: the largest token is 4,999, .* 2,500 rows, .* 0 to 2,499"),
        (2500, "the named datasets, 'imdb_2500' fits"),
        (-1, "a token is -1"),
    ],
)
def test_tokens_without_a_row_are_refused(token: int, message: str) -> None:
    with pytest.raises(DataError, match=message):
        WORDS.predict(np.array([[0, 1, 2, token]]))


def test_no_dataset_fits_a_small_table() -> None:
    small = graph(
        layer("words", Embedding(np.ones((5, 3))), affine(("x", identity((4,)))), shape=(4, 3)),
        shape=(4,),
    )
    with pytest.raises(DataError, match="Use samples with the vocabulary on which"):
        small.predict(np.full((2, 4), 5))
