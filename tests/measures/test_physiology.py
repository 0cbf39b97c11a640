"""Intervals between spikes against Elephant."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sample_networks import images, recording_of, spiking_network

from bioconv import measures
from bioconv.measures.physiology import RATES, VARIATION, variations
from bioconv.network.recording_parts import Raster

NET = spiking_network()
X = images(6)


def random_raster(exact: bool, n: int = 4000) -> Raster:
    """Spikes of 6 samples and 32 neurons, in any order, none twice."""
    rng = np.random.default_rng(0)
    places = rng.choice(6 * 32 * 40, n, replace=False)
    image, step, neuron = np.unravel_index(places, (6, 40, 32))
    # Of the last sample, only a few neurons spike, some of them once or twice.
    kept = (image < 5) | (rng.uniform(size=n) < 0.03)
    image, step, neuron = image[kept], step[kept], neuron[kept]
    time = step + rng.uniform(0.1, 0.9, len(step)) if exact else None
    return Raster(image, step, neuron, time)


@pytest.mark.parametrize("exact", [False, True])
def test_intervals_are_those_of_elephant(exact: bool) -> None:
    statistics = pytest.importorskip("elephant.statistics")
    raster = random_raster(exact)
    time = raster.step + 1.0 if raster.time is None else raster.time
    trains = [
        np.sort(time[(raster.image == image) & (raster.neuron == neuron)])
        for image in range(6)
        for neuron in range(32)
    ]
    lengths = [statistics.isi(train) for train in trains]
    expected = {n: statistics.cv(each) for n, each in enumerate(lengths) if len(each) >= 10}
    train, variation = variations(raster, 32, 1.0)
    assert 100 < len(expected) < len(lengths)
    assert train.tolist() == list(expected)
    assert np.allclose(variation, list(expected.values()))
    recording = replace(recording_of(NET, X), rasters={"conv": raster})
    (found,) = measures.intervals(recording)
    assert found.population == "conv"
    assert found.trains == len(expected)
    assert found.shortest == pytest.approx(min(each.min() for each in lengths if each.size))
    assert found.median == pytest.approx(np.median(np.concatenate(lengths)))
    assert found.variation == pytest.approx(np.mean(list(expected.values())))


def test_silence_has_no_intervals() -> None:
    nothing = np.zeros(0, int)
    recording = replace(recording_of(NET, X), rasters={"conv": Raster(nothing, nothing, nothing)})
    (found,) = measures.intervals(recording)
    assert (found.trains, found.shortest, found.median, found.variation) == (0, None, None, None)


def test_regular_spikes_are_below_what_is_seen_in_cortex() -> None:
    steps = np.arange(0, 40, 3)
    zeros = np.zeros_like(steps)
    recording = replace(recording_of(NET, X), rasters={"conv": Raster(zeros, steps, zeros)})
    (found,) = measures.intervals(recording)
    assert found.variation == pytest.approx(0.0)
    assert VARIATION.judge(found.variation) == "below"
    judged = [VARIATION.judge(value) for value in (0.7, 1.4, None, float("nan"))]
    assert judged == ["within", "above", "", ""]
    assert (RATES.judge(150.0), RATES.judge(700.0)) == ("within", "above")


def test_spikes_at_the_same_time_have_no_variation() -> None:
    image = np.repeat([0, 1], 12)
    time = np.concatenate([np.full(12, 5.0), np.arange(12.0) * 3])
    zeros = np.zeros(24, int)
    raster = Raster(image, np.floor(time).astype(int), zeros, time)
    train, variation = variations(raster, 32, 1.0)
    assert train.tolist() == [32]
    assert variation == pytest.approx([0.0])


def test_poisson_spikes_are_judged_within() -> None:
    """The bias of ten intervals that captions state, against exponential intervals."""
    n = 4000
    time = np.random.default_rng(0).exponential(2.0, (n, 11)).cumsum(axis=1)
    places = np.repeat(np.arange(n), 11)
    raster = Raster(places, time.astype(int).ravel(), np.zeros(places.size, int), time.ravel())
    _, variation = variations(raster, 1, 1.0)
    assert len(variation) == n
    assert variation.mean() == pytest.approx(0.88, abs=0.01)
    assert VARIATION.judge(float(variation.mean())) == "within"
    few = raster.neuron.reshape(n, 11)[:, :10].ravel()
    kept = Raster(
        np.repeat(np.arange(n), 10), time[:, :10].astype(int).ravel(), few, time[:, :10].ravel()
    )
    assert variations(kept, 1, 1.0)[1].size == 0
