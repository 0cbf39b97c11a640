"""Spike trains of inputs: closed form, statistics, and independence of batch and chunk."""

import numpy as np
import pytest
from later import later

from bioconv.export.support.encoders import spikes

stats = later("scipy.stats")

X = np.array([0.0, 0.1, 0.25, 0.5, 0.77, 1.0, 1.7, -0.3])


@pytest.mark.parametrize("n_steps", [1, 10, 333])
def test_regular_sources_have_rounded_counts(n_steps):
    """After n steps round(n p) spikes, halves up."""
    trains = spikes(X, n_steps, "regular", 1.0, False, 0, 0)
    expected = np.floor(n_steps * np.clip(X, 0, 1) + 0.5)
    np.testing.assert_array_equal(trains.sum(axis=0), expected)


def test_regular_intervals_differ_by_one_step_at_most():
    for p in (0.1, 0.3, 0.77):
        intervals = np.diff(np.flatnonzero(spikes([p], 500, "regular", 1.0, False, 0, 0)[:, 0]))
        assert set(intervals) <= {int(1 / p), int(1 / p) + 1}
    assert np.flatnonzero(spikes([0.5], 8, "regular", 1.0, False, 0, 0)).tolist() == [0, 2, 4, 6]


def test_poisson_sources_are_bernoulli_in_each_step():
    n = 20_000
    trains = spikes(X, n, "poisson", 1.0, False, 3, 0)
    p = np.clip(X, 0, 1)
    spread = np.sqrt(n * p * (1 - p))
    assert np.all(np.abs(trains.sum(axis=0) - n * p) <= 4 * spread)
    half = trains[:, 3].astype(float)
    assert abs(np.corrcoef(half[1:], half[:-1])[0, 1]) < 4 / np.sqrt(n)
    intervals = np.diff(np.flatnonzero(trains[:, 2]))
    observed = np.bincount(intervals, minlength=21)[1:21]
    expected = len(intervals) * stats.geom.pmf(np.arange(1, 21), 0.25)
    assert stats.chisquare(observed, expected * observed.sum() / expected.sum()).pvalue > 1e-3


def test_poisson_sources_and_images_and_streams_are_independent():
    x = np.full(50, 0.5)
    one = spikes(x, 400, "poisson", 1.0, False, 3, 0)
    others = [
        spikes(x, 400, "poisson", 1.0, False, 3, 1),
        spikes(x, 400, "poisson", 1.0, False, 4, 0),
        spikes(x, 400, "poisson", 1.0, False, 3, 0, stream=1),
        np.roll(one, 1, axis=1),
    ]
    for other in others:
        agree = (one == other).mean()
        assert abs(agree - 0.5) < 4 * 0.5 / np.sqrt(one.size)


@pytest.mark.parametrize("kind", ["regular", "poisson"])
@pytest.mark.parametrize("n", [1, 4, 7])
def test_pieces_of_time_fit_together(kind, n):
    x = np.linspace(0.1, 0.9, n)
    whole = spikes(x, 60, kind, 1.0, False, 9, 2)
    pieces = [spikes(x, 20, kind, 1.0, False, 9, 2, first_step=first) for first in (0, 20, 40)]
    np.testing.assert_array_equal(whole, np.concatenate(pieces))


@pytest.mark.parametrize("kind", ["regular", "poisson"])
def test_signed_inputs_have_on_and_off_sources(kind):
    trains = spikes(np.array([[0.5, -0.5, 0.0]]), 100, kind, 2.0, True, 0, 0)
    assert trains.shape == (100, 6) and trains.dtype == bool
    assert trains.sum(axis=0).tolist() == [100, 0, 0, 0, 100, 0]


def test_other_kinds_are_refused():
    with pytest.raises(ValueError, match="regular"):
        spikes(X, 10, "bursting", 1.0, False, 0, 0)
