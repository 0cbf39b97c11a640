"""BBC News: articles as tf-idf scores of their words (stanojevic A.2.4, Eqs A.39 and A.40)."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bioconv.paper_figures.frame import Context
from bioconv.paper_figures.single_spikes import Split, split

#: digits without the data
_FEW = 192
_PARTS = ("small", "bbc_news.csv")


def folds(context: Context, n_folds: int, n_words: int) -> Iterator[Split]:
    """Yield the parts of a cross-validation, or digits once without the data and on a quick run.

    Parameters
    ----------
    context : Context
    n_folds : int
    n_words : int
        The most frequent words of the training articles are the features.
    """
    path = context.data.joinpath(*_PARTS) if context.data else None
    if context.quick or path is None or not path.is_file():
        digits = split(Context(quick=True), "mnist")
        yield replace(digits, x=digits.x[:_FEW], y=digits.y[:_FEW])
        return
    from sklearn.model_selection import StratifiedKFold

    texts, topics = _read(path)
    _, y = np.unique(topics, return_inverse=True)
    parts = StratifiedKFold(n_folds, shuffle=True, random_state=context.seed).split(texts, y)
    for train, test in parts:
        yield _fold(texts, np.asarray(y, np.int64), train, test, n_words)


def _read(path: Path) -> tuple[list[str], list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [row["Text"] for row in rows], [row["Category"] for row in rows]


def _fold(
    texts: Sequence[str], y: NDArray[np.int64], train: NDArray, test: NDArray, n_words: int
) -> Split:
    from sklearn.feature_extraction.text import CountVectorizer

    counter = CountVectorizer(max_features=n_words)
    counts = counter.fit_transform([texts[i] for i in train])
    others = counter.transform([texts[i] for i in test])
    weights = np.log(len(train) / (counts > 0).sum(axis=0).A1)  # log |CORP| / |CORP_word|
    used = f"BBC News ({len(texts):,} articles, {counts.shape[1]:,} words)"
    return Split(_scores(counts, weights), y[train], _scores(others, weights), y[test], used)


def _scores(counts: Any, weights: NDArray) -> NDArray[np.float32]:
    """Return the frequency of each word over the largest one, times its weight (Eq A.40)."""
    table = counts.toarray()
    largest = np.maximum(table.max(axis=1, keepdims=True), 1)
    return np.asarray(table / largest * weights, np.float32)
