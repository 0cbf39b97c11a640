"""Every encoder: what is decoded differs from the signal by no more than the theory allows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from later import later

from bioconv import encoders
from bioconv.encoders import SpikeRaster
from bioconv.ground.errors import DataError, ParameterError

signal = later("scipy.signal")

#: name -> options to try, besides the default ones
OPTIONS: dict[str, list[dict[str, Any]]] = {
    "count": [{}, {"n_spikes": 3}],
    "first_spike": [{}, {"resolution": 0.1}, {"resolution": 0.3}],
    "first_spike_inverse": [{}, {"resolution": 0.05}, {"fastest": 0.3, "resolution": 0.1}],
    "phase": [{}, {"cycles": 3, "resolution": 0.1}],
    "binary_sequential": [{}, {"kind": "half", "n_bits": 5}],
    "binary_parallel": [{}, {"n_bits": 3}],
    "interspike_interval": [{}, {"shortest": 0.01, "longest": 0.5}],
    "burst": [{}, {"n_spikes": 1}],
    "synchrony": [{}, {"n_groups": 5, "group_size": 3}],
    "sparse_distributed": [{}, {"n_units": 20, "n_active": 4}],
    "amplitude": [{}, {"n_units": 2}],
    "threshold_based": [{}, {"factor": 2.0}],
    "step_forward": [{}, {"threshold": 0.2}],
    "moving_window": [{}, {"window": 1}, {"threshold": 0.3}],
    "cte": [{}, {"n_levels": 1}, {"n_levels": 3, "n_neurons": 2, "n_steps": 40}],
    "ecte": [
        {},
        {"n_levels": 40, "n_neurons": 3},
        {"n_levels": 9, "n_neighbours": 2, "eta": 9, "segment": 9},
    ],
}
CASES = [(name, options) for name, rows in OPTIONS.items() for options in rows]
IDS = [f"{name}-{index}" for name, rows in OPTIONS.items() for index in range(len(rows))]
#: codes whose single values have no bound; what the theory says of each is tested below
UNBOUNDED = {"rank_order", "hsa", "modified_hsa", "bsa", "gagamma"}
#: codes with random spikes, whose errors have a standard deviation
RANDOM = {"density", "population"}

SIGNALS = arrays(
    np.float64,
    st.one_of(
        st.tuples(st.integers(1, 40)),
        st.tuples(st.integers(1, 12), st.integers(1, 3), st.integers(1, 2)),
    ),
    elements=st.floats(-100.0, 100.0, width=32),
)


#: encoders that refuse a single sample of several values
SERIES = {name for name, encoder in encoders.library().items() if encoder.of_series}


def test_every_encoder_is_tested() -> None:
    assert set(OPTIONS) | UNBOUNDED | RANDOM == set(encoders.library())


@pytest.mark.parametrize(("name", "options"), CASES, ids=IDS)
@settings(max_examples=30, deadline=None)
@given(signal=SIGNALS, interval=st.sampled_from([1.0, 2.5, 7.0]))
def test_errors_are_within_the_bound(
    name: str, options: dict[str, Any], signal: np.ndarray, interval: float
) -> None:
    assume(len(signal) > 1 or signal.size == 1 or name not in SERIES)
    encoder = encoders.make(name, {"interval": interval, **options}).fitted(signal)
    raster = encoder.encode(signal)
    decoded = encoder.decode(raster)
    bound = encoder.bound(signal)
    assert bound is not None
    assert decoded.shape == signal.shape
    assert raster.shape == (*encoder.axis_lengths(), *signal.shape[1:])
    assert (np.abs(decoded - signal) <= bound).all()


@pytest.mark.slow
@pytest.mark.parametrize(("name", "options"), CASES, ids=IDS)
@settings(max_examples=1000, deadline=None)
@given(signal=SIGNALS, interval=st.sampled_from([1.0, 2.5, 7.0, 1e-3, 1e4]))
def test_errors_are_within_the_bound_for_a_thousand_signals(
    name: str, options: dict[str, Any], signal: np.ndarray, interval: float
) -> None:
    scale = interval / 2.5 if "resolution" in options else 1.0
    scaled = {n: v * scale if n == "resolution" else v for n, v in options.items()}
    assume(len(signal) > 1 or signal.size == 1 or name not in SERIES)
    encoder = encoders.make(name, {"interval": interval, **scaled}).fitted(signal)
    error = np.abs(encoder.decode(encoder.encode(signal)) - signal)
    assert (error <= encoder.bound(signal)).all()


@pytest.mark.parametrize(
    ("name", "options", "worst"),
    [
        ("count", {"n_spikes": 4}, 1 / 8),
        ("first_spike", {"interval": 1.0, "resolution": 0.1}, 1 / 18),
        ("binary_sequential", {"n_bits": 3}, 1 / 14),
        ("binary_parallel", {"n_bits": 3}, 1 / 14),
        ("burst", {"n_spikes": 4}, 1 / 8),
        ("synchrony", {"n_groups": 5}, 1 / 8),
        ("sparse_distributed", {"n_units": 8, "n_active": 3}, 1 / 10),
        ("amplitude", {"n_units": 6}, 1 / 10),
    ],
)
def test_bounds_are_reached(name: str, options: dict[str, Any], worst: float) -> None:
    """The laws of the literature, and no larger bound than necessary."""
    signal = np.linspace(0.0, 1.0, 5001)
    encoder = encoders.make(name, options).fitted(signal)
    error = np.abs(encoder.decode(encoder.encode(signal)) - signal).max()
    assert error == pytest.approx(worst, rel=0.01)
    assert encoder.bound(signal).max() == pytest.approx(worst, rel=1e-3)


@pytest.mark.parametrize("name", ["count", "density", "population"])
def test_random_errors_have_the_standard_deviation_of_the_theory(name: str) -> None:
    options: dict[str, Any] = {"count": {"n_spikes": 40, "kind": "poisson"}}.get(
        name, {"interval": 20.0, "low": 0.0, "high": 1.0}
    )
    signal = np.tile([0.0, 0.2, 0.6, 1.0], (4000, 1))
    encoder = encoders.make(name, options).fitted(signal)
    raster = encoder.encode(signal, seed=3)
    error = encoder.decode(raster) - signal
    expected = encoder.bound(signal)[0]
    # The standard deviation of 4000 draws is known to about 1.1 %.
    np.testing.assert_allclose(error.std(axis=0), expected, rtol=0.05)
    assert (np.abs(error.mean(axis=0)) <= 4 * expected / np.sqrt(4000)).all()
    again, other = encoder.encode(signal, seed=3), encoder.encode(signal, seed=4)
    assert np.array_equal(raster.time, again.time) and np.array_equal(raster.unit, again.unit)
    assert not np.array_equal(raster.time, other.time)


def test_density_is_the_histogram_of_the_recurrent_room() -> None:
    """Eq 3.2 twice: from the decoder, and from spikes of all runs."""
    from bioconv.recurrent import density_rate

    signal = np.random.default_rng(0).random(50)
    encoder = encoders.make("density", {"interval": 5.0, "n_runs": 30, "low": 0.0, "high": 1.0})
    raster = encoder.encode(signal)
    dense = np.moveaxis(raster.to_dense(5.0), 1, 0)  # runs first
    np.testing.assert_allclose(encoder.decode(raster), density_rate(dense, 5.0) / 100.0)


@settings(max_examples=30, deadline=None)
@given(signal=SIGNALS)
def test_ranks_are_those_of_the_values(signal: np.ndarray) -> None:
    encoder = encoders.make("rank_order").fitted(signal)
    raster = encoder.encode(signal)
    rows = signal.reshape(len(signal), -1)
    order = np.argsort(-rows, axis=1, kind="stable")
    assert np.array_equal(raster.unit.reshape(rows.shape), order)
    decoded = encoder.decode(raster).reshape(rows.shape)
    # Where the values differ, so do the decoded ones, in the same direction.
    larger = rows[:, :, None] > rows[:, None, :]
    assert (decoded[:, :, None] > decoded[:, None, :])[larger].all()


def band_limited(n: int = 2000, seed: int = 0) -> np.ndarray:
    """Noise below 2 % of half the sampling rate, from 0 to 1."""
    noise = np.random.default_rng(seed).standard_normal(n)
    smooth = signal.sosfiltfilt(signal.butter(4, 0.02, output="sos"), noise)
    return (smooth - smooth.min()) / np.ptp(smooth)


@settings(max_examples=20, deadline=None)
@given(signal=arrays(np.float64, st.just(60), elements=st.floats(-5.0, 5.0, width=32)))
def test_what_filters_decode_obeys_their_rules(signal: np.ndarray) -> None:
    slack = 1e-9 * (np.ptp(signal) or 1.0)
    hough = encoders.make("hsa").fitted(signal)
    assert (hough.decode(hough.encode(signal)) <= signal + slack).all()
    modified = encoders.make("modified_hsa", {"threshold": 0.1}).fitted(signal)
    raster = modified.encode(signal)
    excess = np.maximum(modified.decode(raster) - signal, 0.0).sum()
    assert excess <= 0.1 * raster.n_spikes * modified.span + slack * 60
    bens = encoders.make("bsa", {"threshold": 0.0, "low": -5.0, "high": 5.0})
    padded = np.concatenate([signal, np.full(200, signal[-1])])
    error = np.abs(bens.decode(bens.encode(padded)) - padded)[:-100].sum()
    assert error <= np.abs(padded + 5.0)[:-24].sum() + slack * 300


def test_the_filters_rank_as_published() -> None:
    """BSA is the successor of HSA; here it leaves at most a tenth of its squared error."""
    ratio = {}
    for name in ("hsa", "modified_hsa", "bsa"):
        found = []
        for seed in range(4):
            signal = 0.1 + 0.8 * band_limited(seed=seed)
            encoder = encoders.make(name, {"low": 0.0, "high": 1.0}).fitted(signal)
            decoded = encoder.decode(encoder.encode(signal))
            found.append(encoders.signal_to_noise(signal[50:-50], decoded[50:-50]))
        ratio[name] = float(np.mean(found))
    assert ratio["bsa"] > ratio["modified_hsa"] > ratio["hsa"]
    assert ratio["bsa"] - ratio["hsa"] > 10.0


def test_the_search_finds_the_best_threshold() -> None:
    signal = band_limited(600)
    found = encoders.make("bsa").fitted(signal)
    errors = {}
    for threshold in type(found).candidates:
        encoder = encoders.make("bsa", {"threshold": threshold}).fitted(signal)
        decoded = encoder.decode(encoder.encode(signal))
        errors[threshold] = encoders.rms_error(signal[24:], decoded[24:])
    assert errors[found.threshold] == min(errors.values())


def test_gagamma_is_the_optimum_of_all_spike_trains() -> None:
    signal = band_limited(400)[100:108]
    encoder = encoders.make("gagamma", {"n_taps": 4, "cutoff": 0.3, "price": 0.03}).fitted(signal)
    rows = encoder.shares(signal)
    fired = encoder.fired(rows[:, None])[:, 0]
    every = (np.arange(2**8)[:, None] >> np.arange(8)) & 1
    best = min(encoder.objective(rows, train.astype(bool)) for train in every)
    assert encoder.objective(rows, fired) == pytest.approx(best, abs=1e-9)
    assert 0 < fired.sum() < 8


def test_gagamma_is_at_least_as_good_as_bsa() -> None:
    signal = band_limited(2000, seed=2)[500:524]
    optimal = encoders.make("gagamma", {"price": 0.0, "n_taps": 12, "cutoff": 0.1}).fitted(signal)
    bens = encoders.make("bsa", {"n_taps": 12, "cutoff": 0.1}).fitted(signal)
    errors = [np.abs(e.decode(e.encode(signal)) - signal).sum() for e in (optimal, bens)]
    assert errors[0] <= errors[1] + 1e-9


def test_a_price_makes_spikes_rarer() -> None:
    signal = band_limited(2000, seed=4)[500:524]
    counts = [
        encoders.make("gagamma", {"price": price, "n_taps": 12}).encode(signal).n_spikes
        for price in (0.0, 0.3, 2.0)
    ]
    assert counts[0] >= counts[1] > counts[2] == 0


def test_step_forward_is_the_published_loop() -> None:
    """The algorithm of Petro et al. 2020 in plain Python, sample by sample."""
    rng = np.random.default_rng(5)
    signal = rng.standard_normal(500).cumsum()
    encoder = encoders.make("step_forward", {"threshold": 0.7, "start": 0.0}).fitted(signal)
    base, steps = 0, []
    for value in signal:
        left = value - 0.7 * base
        sign = int(left > 0.7) - int(left < -0.7)
        base += sign
        steps.append(sign)
    dense = encoder.encode(signal).to_dense(1.0)
    assert np.array_equal(dense[:, 0] - dense[:, 1], steps)


def test_bens_spiker_is_the_published_loop() -> None:
    """The algorithm of Schrauwen and Van Campenhout 2003 in plain Python."""
    signal = band_limited(300)
    encoder = encoders.make("bsa", {"threshold": 0.9, "low": 0.0, "high": 1.0})
    taps = encoder.taps()
    rest = np.concatenate([signal, np.full(len(taps), signal[-1])])
    fired = []
    for t in range(len(signal)):
        window = rest[t : t + len(taps)]
        fires = np.abs(window - taps).sum() <= np.abs(window).sum() - 0.9
        if fires:
            rest[t : t + len(taps)] -= taps
        fired.append(fires)
    assert np.array_equal(encoder.encode(signal).to_dense(1.0), np.array(fired, int))


@pytest.mark.parametrize("name", sorted(encoders.library()))
def test_a_constant_signal_is_decoded_to_itself_or_its_range(name: str) -> None:
    signal = np.full((30, 2), 3.0)
    encoder = encoders.make(name).fitted(signal)
    decoded = encoder.decode(encoder.encode(signal))
    assert decoded.shape == signal.shape and np.isfinite(decoded).all()
    if name != "rank_order":  # which loses the amplitude
        np.testing.assert_allclose(decoded, 3.0)


@pytest.mark.parametrize("name", sorted(encoders.library()))
def test_every_encoder_says_what_it_is(name: str) -> None:
    encoder = encoders.make(name)
    assert encoder.name == name
    assert encoder.citation() and encoder.law and encoder.error and encoder.reason
    assert encoder == type(encoder)()
    with pytest.raises(ParameterError, match="low"):
        encoder.decode(SpikeRaster([], [], encoder.axis_lengths(), 1.0))


def test_only_the_thesis_s_codes_can_carry_a_conversion() -> None:
    """Mueller 2023, 3.1.4: count, population, time to first spike, phase."""
    able = {name for name, cls in encoders.library().items() if cls.can_convert}
    assert able == {"count", "population", "first_spike", "first_spike_inverse", "phase"}


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("count", {"n_spikes": 0}, "n_spikes must be an integer"),
        ("count", {"low": 1.0, "high": 0.0}, "low must be at most high"),
        ("first_spike", {"resolution": 0.8}, "at most half of 1 ms"),
        ("interspike_interval", {"shortest": 0.9}, "shortest must be below longest"),
        ("burst", {"n_spikes": 50}, "longer than a window"),
        ("sparse_distributed", {"n_active": 64}, "n_active must be below n_units"),
        ("bsa", {"treshold": 1.0}, "Did you mean 'threshold'"),
        ("bens", {}, "there is no encoder 'bens'"),
    ],
)
def test_wrong_options_are_refused(name: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        encoders.make(name, options)


def test_wrong_signals_are_refused() -> None:
    encoder = encoders.make("count", {"low": 0.0, "high": 1.0})
    with pytest.raises(DataError, match="represents values from 0 to 1. Received: 0 to 2"):
        encoder.encode([0.0, 2.0])
    for wrong in ([], ["a"], [np.nan]):
        with pytest.raises(DataError):
            encoder.encode(wrong)
    with pytest.raises(DataError, match="2 polarities first"):
        encoders.make("step_forward").fitted([0.0, 1.0]).decode(SpikeRaster([], [], (3,), 1.0))
    with pytest.raises(DataError, match="at most 400 samples"):
        encoders.make("gagamma").encode(np.zeros(401))
    with pytest.raises(ParameterError, match="seed"):
        encoder.encode([0.5], seed=-1)


@pytest.mark.parametrize("name", ["bsa", "step_forward"])
def test_time_is_the_first_axis_of_a_series(name: str) -> None:
    with pytest.raises(DataError, match=r"first axis is time.*give the signal the shape \(300,\)"):
        encoders.make(name).fitted(band_limited()[None, :300])
