"""Correlative time encoding: levels, patterns, and the closed forms of stanojevic A.2.3."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from later import later
from scipy.spatial.distance import cosine

from bioconv import encoders
from bioconv.encoders import cosine_similarity, target_patterns
from bioconv.ground.errors import DataError, ParameterError

sklearn_datasets = later("sklearn.datasets")


def sparse_samples(n: int = 60, n_features: int = 200, seed: int = 0) -> np.ndarray:
    """Samples of which half of the values are zero."""
    rng = np.random.default_rng(seed)
    return rng.random((n, n_features)) * (rng.random((n, n_features)) > 0.5)


def pairs(matrix: np.ndarray) -> np.ndarray:
    """The entries above the diagonal."""
    return matrix[np.triu_indices(len(matrix), 1)]


@pytest.mark.parametrize("name", ["cte", "ecte"])
def test_levels_contain_equal_numbers_of_values(name: str) -> None:
    """Bins are those of the quantiles of the non-zero values, as NumPy computes them."""
    x = sparse_samples(601)
    encoder = encoders.make(name, {"n_levels": 6}).fitted(x)
    levels = encoder.levels(x)
    assert np.array_equal(levels < 0, x == 0)
    for column, level in zip(x.T, levels.T, strict=True):
        some = column[column != 0]
        cuts = np.quantile(some, np.arange(1, 6) / 6, method="inverted_cdf")
        counts = np.bincount(level[level >= 0], minlength=6)
        assert counts.max() - counts.min() <= 1
        # Those values that are an edge themselves may belong to either side.
        inside = ~np.isin(column, cuts) & (column != 0)
        assert (np.abs(level - np.digitize(column, cuts)) <= np.isin(column, cuts))[inside].all()


def test_equal_values_merge_levels() -> None:
    x = np.array([[0.0, 5.0], [1.0, 5.0], [1.0, 5.0], [1.0, 5.0], [2.0, 5.0], [3.0, 5.0]])
    encoder = encoders.make("cte", {"n_levels": 4}).fitted(x)
    assert encoder.level_counts.tolist() == [2, 1]
    assert encoder.levels(x)[:, 0].tolist() == [-1, 0, 0, 0, 1, 1]
    # Unseen values belong to the first or last level; a zero is silent (Def. 4).
    unseen = np.array([[-7.0, 0.0], [99.0, 1e9]])
    assert encoder.levels(unseen).tolist() == [[0, -1], [1, 0]]
    assert encoder.decode(encoder.encode(unseen)).tolist() == [[1.0, 0.0], [2.5, 5.0]]


def test_patterns_are_poisson_processes() -> None:
    """Def. 6: n_f Bernoulli draws of probability d / n_f; two patterns share d^2 / n_f spikes."""
    encoder = encoders.make("cte", {"n_spikes": 5.0}).fitted(sparse_samples(30, 800))
    vectors = encoder.patterns.reshape(-1, 100)
    counts = vectors.sum(axis=1)
    n = len(vectors)
    assert abs(counts.mean() - (5.0 + np.exp(-5.1))) < 5 * np.sqrt(4.75 / n)
    assert counts.var() == pytest.approx(4.75, rel=0.1)
    assert counts.min() == 1  # a silent vector would be a zero
    shared = (vectors[::2] & vectors[1::2]).sum(axis=1)
    assert abs(shared.mean() - 0.25) < 5 * np.sqrt(0.25 / (n / 2))


def test_segments_of_neighbours_overlap() -> None:
    """Algorithm 3: patterns of levels i and j share eta spikes in each of mu - |i - j| segments."""
    options = {"n_levels": 8, "n_neighbours": 4, "eta": 5, "segment": 7, "n_steps": 100}
    encoder = encoders.make("ecte", options).fitted(sparse_samples(200, 50))
    segments = encoder.patterns[:, :, 0, : 7 * 11].reshape(50, 8, 11, 7)
    for i in range(8):
        assert (segments[:, i, i : i + 4].sum(axis=-1) == 5).all()
        for j in range(i, 8):
            common = slice(j, i + 4)
            assert np.array_equal(segments[:, i, common], segments[:, j, common])


def test_features_with_few_levels_have_few_neighbours() -> None:
    x = np.repeat([[1.0, 1.0], [2.0, 1.0], [3.0, 1.0]], 4, axis=0)
    encoder = encoders.make("ecte", {"n_neighbours": 5, "n_levels": 12}).fitted(x)
    assert encoder.neighbour_counts.tolist() == [3, 1]
    similarity = encoder.similarity(x)
    assert similarity[0, 11] == pytest.approx(((3 - 2) / 3 + 1) / 2)


@pytest.mark.parametrize("name", ["cte", "ecte"])
def test_similarities_are_those_of_the_equations(name: str) -> None:
    """Eqs A.20, A.21, A.31 in plain Python, and A.23 as SciPy computes it."""
    x = sparse_samples(9, 12)
    encoder = encoders.make(name, {"n_levels": 4}).fitted(x)
    levels, mu = encoder.levels(x), 4 if name == "ecte" else 1
    found = encoder.similarity(x)
    spikes = encoder.dense(x).astype(float)
    rho = cosine_similarity(spikes)
    for a in range(9):
        for b in range(9):
            both = [(i, j) for i, j in zip(levels[a], levels[b], strict=True) if min(i, j) >= 0]
            widths = np.minimum(mu, encoder.level_counts)
            chosen = [
                w for w, i, j in zip(widths, levels[a], levels[b], strict=True) if min(i, j) >= 0
            ]
            psi = sum(
                max(0.0, (w - abs(j - i)) / w) for w, (i, j) in zip(chosen, both, strict=True)
            )
            alpha = 1 / np.sqrt((x[a] != 0).sum() * (x[b] != 0).sum())
            assert found[a, b] == pytest.approx(alpha * psi)
            assert rho[a, b] == pytest.approx(1 - cosine(spikes[a].ravel(), spikes[b].ravel()))


def test_spikes_are_as_similar_as_the_samples() -> None:
    """Eqs A.24 and A.37 on handwritten digits, with the patterns of the paper (T = 100)."""
    x = sklearn_datasets.load_digits().data[:150]
    for name, options, least in (
        ("cte", {"n_levels": 1}, 0.94),
        ("cte", {"n_levels": 3, "n_steps": 1600, "n_spikes": 40.0}, 0.99),
        ("ecte", {"n_levels": 4}, 0.99),
        ("ecte", {"n_levels": 12}, 0.99),
    ):
        encoder = encoders.make(name, options).fitted(x)
        psi, rho = pairs(encoder.similarity(x)), pairs(cosine_similarity(encoder.dense(x)))
        assert np.corrcoef(psi, rho)[0, 1] > least
        assert abs((rho - psi).mean()) < 0.03


def test_similarity_converges_with_the_length_of_patterns() -> None:
    """Lemma 1: accidental common spikes vanish as d^2 / n_f for n_f to infinity."""
    x = sparse_samples(30, 200)
    bias = {}
    for n_steps in (50, 200, 1600):
        encoder = encoders.make("cte", {"n_steps": n_steps, "n_levels": 8}).fitted(x)
        difference = cosine_similarity(encoder.dense(x)) - encoder.similarity(x)
        bias[n_steps] = pairs(difference).mean()
    # Half of the values are zero, so that half of the features of one sample meet one of another.
    expected = {n: 5.0 / n * 0.5 * 7 / 8 for n in bias}
    assert bias[50] == pytest.approx(expected[50], rel=0.25)
    assert bias[200] == pytest.approx(expected[200], rel=0.5)
    assert abs(bias[1600]) < 0.005


def test_the_number_of_levels_that_fit() -> None:
    """Eq A.33: with n_f = 100, mu = 5 and eta = delta n = 6, Q can be at most 12."""
    assert encoders.make("ecte", {"n_levels": 12}).n_levels == 12
    with pytest.raises(ParameterError, match=r"A\.33\): n_levels can be at most 12"):
        encoders.make("ecte", {"n_levels": 13})
    assert encoders.make("ecte", {"n_levels": 13, "n_steps": 110}).length == 110


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("cte", {"n_spikes": 100.0}, "n_spikes must be below"),
        ("cte", {"n_levels": 0}, "n_levels must be an integer"),
        ("cte", {"edges": [["a"]]}, "edges must be None, or a list"),
        ("cte", {"edges": [[1.0]], "means": [[1.0]]}, "one edge less than means"),
        ("ecte", {"eta": 7}, "A.35"),
        ("ecte", {"n_neighbours": 1, "eta": 5}, "A.34"),
        ("ecte", {"segment": 50}, "use longer patterns"),
    ],
)
def test_wrong_options_are_refused(name: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        encoders.make(name, options)


def test_samples_of_another_size_are_refused() -> None:
    encoder = encoders.make("cte").fitted(sparse_samples())
    with pytest.raises(DataError, match="samples of 200 values. Received: samples of 3"):
        encoder.encode(np.ones((2, 3)))


def test_files_contain_levels_and_patterns(tmp_path: Path) -> None:
    x = sparse_samples(20, 6).reshape(20, 2, 3)
    encoder = encoders.make("ecte", {"n_levels": 5, "pattern_seed": 7}).fitted(x)
    raster = encoder.encode(x[:4])
    encoders.save_raster(tmp_path / "spikes.npz", raster, encoder)
    loaded, same = encoders.load(tmp_path / "spikes.npz")
    assert same == encoder and np.array_equal(same.decode(loaded), encoder.decode(raster))
    dense = loaded.to_dense(1.0).reshape(4, 100, 6)
    assert np.array_equal(dense, same.dense(x[:4]))


def test_targets_are_orthogonal() -> None:
    """Eq A.38: only the neurons of the class spike, at 100 Hz from step 40 on."""
    targets = target_patterns(10, 5, 100, seed=3)
    assert targets.shape == (10, 100, 50)
    np.testing.assert_allclose(cosine_similarity(targets), np.eye(10), atol=1e-12)
    own = targets.reshape(10, 100, 10, 5)[np.arange(10), :, np.arange(10)]
    assert targets.sum() == own.sum() and not own[:, :40].any()
    assert own[:, 40:].mean() == pytest.approx(0.1, abs=4 * np.sqrt(0.09 / (10 * 60 * 5)))
    with pytest.raises(ParameterError, match="first_step from 0"):
        target_patterns(2, 1, 30)


def test_every_class_has_a_spike() -> None:
    assert target_patterns(200, 1, 3, n_spikes=0.01, first_step=1).any(axis=(1, 2)).all()
