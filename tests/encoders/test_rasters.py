"""Spike rasters: grids, dense arrays, Neo, files, and event files of cameras."""

from __future__ import annotations

import contextlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from bioconv import encoders
from bioconv.encoders import SpikeRaster, load_raster, read_events, save_raster
from bioconv.ground.errors import DataError, ParameterError


@settings(max_examples=50, deadline=None)
@given(
    dense=arrays(
        np.int64, st.tuples(st.integers(1, 9), st.integers(1, 4)), elements=st.integers(0, 3)
    ),
    dt=st.sampled_from([0.1, 1.0, 0.3, 1e-3]),
)
def test_dense_arrays_and_rasters_say_the_same(dense: np.ndarray, dt: float) -> None:
    raster = SpikeRaster.from_dense(dense, dt)
    assert np.array_equal(raster.to_dense(dt), dense)
    assert np.array_equal(raster.counts(), dense.sum(axis=0))
    once = raster.on_grid(dt)
    assert np.array_equal(once.to_dense(dt), dense > 0)
    coarse = raster.to_dense(3 * dt)
    padded = np.concatenate([dense, np.zeros((-len(dense) % 3, dense.shape[1]), int)])
    assert np.array_equal(coarse, padded.reshape(-1, 3, dense.shape[1]).sum(axis=1))


def test_times_on_the_grid_are_those_of_nest() -> None:
    raster = SpikeRaster([0, 0, 0], [0.0, 1.0, 1.2], (1,), 3.0)
    assert raster.steps(1.0).tolist() == [0, 0, 1]
    assert raster.on_grid(1.0).time.tolist() == [1.0, 2.0]


def test_rasters_are_sorted_and_frozen() -> None:
    time = np.array([2.0, 1.0, 1.0])
    raster = SpikeRaster(np.array([0, 3, 1]), time, (2, 2), 2.0)
    assert raster.unit.tolist() == [1, 3, 0] and raster.time.tolist() == [1.0, 1.0, 2.0]
    with pytest.raises(ValueError, match="read-only"):
        raster.time[0] = 5.0
    time[0] = 3.0  # the array of the caller is its own


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([0], [1.0, 2.0], (1,), 3.0), "equal length"),
        (([4], [1.0], (2, 2), 3.0), "units must be from 0 to 3. Received: 4 to 4"),
        (([0], [4.0], (1,), 3.0), "times must be from 0 to 3 ms"),
        (([0], [np.nan], (1,), 3.0), "times must be finite"),
        (([0.5], [1.0], (1,), 3.0), "whole numbers. Received: dtype float64"),
        (([], [], (0,), 3.0), "whole numbers of at least 1"),
        (([], [], (1,), -1.0), "above 0 ms"),
    ],
)
def test_wrong_rasters_are_refused(arguments: tuple, message: str) -> None:
    with pytest.raises(DataError, match=message):
        SpikeRaster(*arguments)


def test_sizes_and_steps_are_checked() -> None:
    raster = SpikeRaster([], [], (10**6,), 1e6)
    with pytest.raises(ParameterError, match="too many for a dense array"):
        raster.to_dense(0.1)
    with pytest.raises(ParameterError, match="above 0 ms"):
        raster.to_dense(0.0)
    with pytest.raises(DataError, match="spike counts"):
        SpikeRaster.from_dense([[0.5]], 1.0)


def test_neo_trains_and_back() -> None:
    pytest.importorskip("neo")
    rng = np.random.default_rng(0)
    raster = SpikeRaster(rng.integers(0, 6, 40), 50 * rng.random(40), (2, 3), 50.0)
    trains = raster.to_neo()
    assert len(trains) == 6
    assert [len(train) for train in trains] == raster.counts().ravel().tolist()
    assert float(trains[0].t_stop) == 50.0 and str(trains[0].units.dimensionality) == "ms"
    back = SpikeRaster.from_neo([train.rescale("s") for train in trains], (2, 3))
    assert np.array_equal(back.unit, raster.unit)
    np.testing.assert_allclose(back.time, raster.time, rtol=1e-12)
    with pytest.raises(DataError, match="6 trains, shape"):
        SpikeRaster.from_neo(trains, (5,))


def test_files_contain_what_decoding_requires(tmp_path: Path) -> None:
    signal = np.random.default_rng(1).random((40, 2))
    encoder = encoders.make("step_forward", {"threshold": 0.1}).fitted(signal)
    raster = encoder.encode(signal)
    save_raster(tmp_path / "spikes.npz", raster, encoder)
    loaded, same = encoders.load(tmp_path / "spikes.npz")
    assert same == encoder
    assert np.array_equal(same.decode(loaded), encoder.decode(raster))
    save_raster(tmp_path / "bare.npz", raster)
    assert load_raster(tmp_path / "bare.npz").shape == (2, 2)
    with pytest.raises(DataError, match="no encoder"):
        encoders.load(tmp_path / "bare.npz")
    np.savez(tmp_path / "other.npz", x=signal)
    with pytest.raises(DataError, match="no array unit, time, shape, duration"):
        load_raster(tmp_path / "other.npz")


def n_mnist(events: list[tuple[int, int, int, int]]) -> bytes:
    """Events (x, y, on, t) as 40 bits each: x, y, one bit of polarity, 23 bits of time."""
    return b"".join(bytes([x, y]) + ((on << 23) | t).to_bytes(3, "big") for x, y, on, t in events)


def test_n_mnist_files(tmp_path: Path) -> None:
    path = tmp_path / "00002.bin"
    path.write_bytes(n_mnist([(10, 30, 1, 937), (33, 0, 0, 70_000), (0, 240, 0, 5), (1, 2, 1, 9)]))
    raster = read_events(path)
    assert raster.shape == (2, 34, 34)
    events = {
        (float(t), *map(int, np.unravel_index(u, raster.shape)))
        for t, u in zip(raster.time.round(3), raster.unit, strict=True)
    }
    # An event of row 240 stands for 8192 microseconds that the later ones have to be added.
    assert events == {(0.937, 0, 30, 10), (70.0, 1, 0, 33), (8.201, 0, 2, 1)}
    part = read_events(path, first=5.0, duration=10.0)
    assert part.n_spikes == 1 and part.duration == 10.0
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(DataError, match="not whole events of 5 bytes"):
        read_events(path)


@pytest.mark.parametrize("header", [True, False])
def test_prophesee_files(tmp_path: Path, header: bool) -> None:
    path = tmp_path / "film.dat"
    rows = np.array([[1500, 20 | 7 << 14 | 1 << 28], [2500, 3 | 239 << 14]], "<u4").tobytes()
    text = b"% Data file containing CD events.\n% Height 240\n% Width 304\n" + bytes([12, 8])
    path.write_bytes((text if header else b"") + rows)
    raster = read_events(path)
    assert raster.shape == ((2, 240, 304) if header else (2, 240, 21))
    assert raster.time.tolist() == [1.5, 2.5]
    found = [tuple(map(int, np.unravel_index(u, raster.shape))) for u in raster.unit]
    assert found == [(0, 7, 20), (1, 239, 3)]
    with pytest.raises(DataError, match="outside of 10 rows"):
        read_events(path, pixels=(10, 10))
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(DataError, match="not whole ones of 8 bytes"):
        read_events(path)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("a.aedat4", "dv-processing"),
        ("a.raw", "Metavision"),
        ("a.txt", "end with .bin, .dat"),
        ("missing.dat", "No such file"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, name: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_events(tmp_path / name)


@settings(max_examples=40, deadline=None)
@given(data=st.binary(max_size=200), suffix=st.sampled_from([".bin", ".dat"]))
def test_any_bytes_are_read_or_refused(
    data: bytes, suffix: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("events") / f"any{suffix}"
    path.write_bytes(data)
    with contextlib.suppress(DataError):
        assert read_events(path).n_spikes <= len(data) // 5


def test_each_sample_has_a_raster_of_its_own() -> None:
    images = np.random.default_rng(2).random((3, 4, 4))
    encoder = encoders.make("count", {"interval": 50.0, "kind": "poisson"})
    rasters = encoder.encode_each(images, seed=1)
    assert [r.shape for r in rasters] == [(4, 4)] * 3 and rasters[0].duration == 50.0
    again = encoder.encode_each(images, seed=1)[2]
    assert np.array_equal(again.time, rasters[2].time)
    latency = encoders.make("first_spike", {"interval": 10.0}).fitted(images)
    decoded = np.concatenate([latency.decode(r) for r in latency.encode_each(images)])
    np.testing.assert_allclose(decoded, images, atol=1e-5)


def test_a_file_that_claims_more_units_than_any_camera_has_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "raster.npz"
    save_raster(path, SpikeRaster([0], [1.0], (2**20, 2**20), 2.0))
    with pytest.raises(DataError, match=r"1,099,511,627,776 units; at most 67,108,864"):
        load_raster(path)


@settings(max_examples=50, deadline=None)
@given(
    dense=arrays(np.bool_, st.tuples(st.integers(1, 5), st.integers(1, 6), st.integers(1, 3))),
    dt=st.sampled_from([0.1, 1.0, 0.3]),
)
def test_windows_of_a_raster_are_those_of_an_array(dense: np.ndarray, dt: float) -> None:
    n_windows, n_steps, n_units = dense.shape
    raster = SpikeRaster.from_dense(dense.reshape(-1, n_units), dt)
    parts = raster.split(n_steps * dt)
    assert len(parts) == n_windows
    assert np.array_equal([part.to_dense(dt) for part in parts], dense)


def test_windows_that_do_not_fill_the_duration_are_refused() -> None:
    raster = SpikeRaster([0], [1.0], (1,), 5.0)
    with pytest.raises(ParameterError, match="5 ms are no multiple of 2 ms"):
        raster.split(2.0)
    with pytest.raises(ParameterError, match="above 0"):
        raster.split(0.0)
