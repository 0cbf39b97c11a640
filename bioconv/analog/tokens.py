"""Check the tokens of embeddings, of which only those with a row of the table have a meaning."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from bioconv.analog.attention import Embedding
from bioconv.analog.graph import AnalogGraph, Layer
from bioconv.ground.errors import DataError


def check_tokens(graph: AnalogGraph, samples: Mapping[str, NDArray]) -> None:
    """Refuse samples with tokens for which an embedding of an input has no row.

    Parameters
    ----------
    graph : AnalogGraph
    samples : mapping of str to ndarray, shape (n_samples, *shape)
        Samples for each input.

    Raises
    ------
    DataError
        If a token is negative, or at least the number of rows.
    """
    for layer in graph.layers:
        function = layer.function
        if isinstance(function, Embedding) and _sources(layer) <= samples.keys():
            _check(layer.name, len(function.table), _tokens(layer, samples))


def _sources(layer: Layer) -> set[str]:
    return {term.source for term in layer.inputs[0].terms}


def _tokens(layer: Layer, samples: Mapping[str, NDArray]) -> NDArray:
    """Return the tokens of all samples, which are cut to integers as in Keras."""
    affine = layer.inputs[0]
    parts = [np.asarray(term.operator.apply(samples[term.source])) for term in affine.terms]
    return np.trunc(sum(parts, start=affine.bias))


def _check(name: str, n_rows: int, tokens: NDArray) -> None:
    low, high = int(tokens.min()), int(tokens.max())
    if low >= 0 and high < n_rows:
        return
    wrong = f"the largest token is {high:,}" if high >= n_rows else f"a token is {low:,}"
    raise DataError(
        f"{name} (Embedding): {wrong}, but the embedding has {n_rows:,} rows, for tokens from 0 to "
        f"{n_rows - 1:,}. {_advice(n_rows)}"
    )


def _advice(n_rows: int) -> str:
    from bioconv.data.datasets import N_WORDS

    fitting = {name: n for name, n in N_WORDS.items() if n <= n_rows}
    if not fitting:
        return "Use samples with the vocabulary on which the network was trained."
    best = max(fitting, key=lambda name: fitting[name])
    return (
        f"Use samples with the vocabulary on which the network was trained; of the named datasets, "
        f"{best!r} fits ({fitting[best]:,} words)."
    )
