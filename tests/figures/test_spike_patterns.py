"""Data and networks of the figures on spike patterns."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import digits
import numpy as np
import pytest
from later import later

from bioconv.paper_figures.articles import _fold, folds
from bioconv.paper_figures.frame import Context
from bioconv.paper_figures.single_spikes import Split
from bioconv.training.correlative import OPTIONS

patterns = later("bioconv.paper_figures.spike_patterns")
text = later("sklearn.feature_extraction.text")
TOPICS = {"sport": "ball goal ball team", "business": "bank bank money team goal"}


def written(folder: Path) -> tuple[Path, list[str]]:
    rng = np.random.default_rng(0)
    texts = [" ".join(rng.choice(t.split(), 6)) for t in TOPICS.values() for _ in range(10)]
    path = folder / "small" / "bbc_news.csv"
    path.parent.mkdir()
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["ArticleId", "Text", "Category"])
        rows.writerows([n, one, list(TOPICS)[n // 10]] for n, one in enumerate(texts))
    return folder, texts


def test_articles_are_scores_of_words(tmp_path: Path) -> None:
    """Eq A.40 by scikit-learn: the same weights and 1, and counts that are not divided."""
    folder, texts = written(tmp_path)
    parts = list(folds(Context(data=folder), 5, 4))
    assert [len(one.y_test) for one in parts] == [4] * 5
    for part in parts:
        assert part.x.shape == (16, 4)
        assert sorted(part.y_test) == [0, 0, 1, 1]
    counter = text.CountVectorizer(max_features=4)
    counts = counter.fit_transform(texts)
    largest = counts.toarray().max(axis=1, keepdims=True)
    transformed = text.TfidfTransformer(norm=None, smooth_idf=False).fit_transform(counts)
    expected = (transformed.toarray() - counts.toarray()) / largest
    everything = np.arange(len(texts))
    whole = _fold(texts, np.zeros(len(texts), np.int64), everything, everything, 4)
    np.testing.assert_allclose(whole.x, expected, atol=1e-6)
    np.testing.assert_array_equal(whole.x, whole.x_test)


def test_without_the_data_there_are_digits(tmp_path: Path) -> None:
    for context in (Context(), Context(data=tmp_path), Context(quick=True, data=tmp_path)):
        (part,) = folds(context, 5, 4)
        assert part.used == "digits"


def test_training_is_stored_for_each_system(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BIOCONV_CACHE", str(tmp_path))
    x, y = digits.train()[:64], digits.train_labels()[:64]
    data = Split(x, y, x[:5], y[:5], "digits")
    system = patterns.System(
        "cte", {"n_levels": 1}, hidden=(4,), options=replace(OPTIONS, epochs=1)
    )
    one, again = (system.trained(Context(progress=False), data) for _ in range(2))
    for mine, other in zip(one.graph.layers[1:-1], again.graph.layers[1:-1], strict=True):
        np.testing.assert_array_equal(mine.function.weights, other.function.weights)
    files = set(tmp_path.rglob("*.checkpoint"))
    assert len(files) == 1
    system.adding().trained(Context(progress=False), data)
    system.trained(Context(quick=True, progress=False), data)
    assert len(set(tmp_path.rglob("*.checkpoint"))) == 2


def test_differences_are_those_of_means() -> None:
    rows = np.array([np.arange(7.0), np.arange(7.0) + 2])
    assert len(patterns.NAMES) == rows.shape[1]
    expected = {"extended": 1, "margin": 4, "relu": -3, "rate": -1, "additions": -1, "integers": -1}
    assert patterns.differences({"accuracy": rows}) == expected
