"""Spike rasters as the input of a network: the same spikes in every simulator and program."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import equivalence_networks as networks
import numpy as np
import pytest
from numpy.testing import assert_array_equal

import bioconv as bc
from bioconv import encoders
from bioconv.encoders import SpikeRaster
from bioconv.encoders.networks import for_rasters, pack
from bioconv.ground.errors import DataError
from bioconv.network import Input, Projection, SpikingNetwork
from bioconv.network.recording import Recording
from bioconv.operators import Dense, Reshape, compose

RECORD = {"x": ("spikes",), "first": ("spikes",), "middle": ("spikes",)}


def network(encoder: str = "regular") -> SpikingNetwork:
    """The leaky network with 6 ON and 6 OFF sources of spikes instead of currents."""
    whole = networks.leaky()
    weight = np.abs(networks.weights((12, 10), 1.0, 14)) * 900.0
    dense = compose(Reshape((2, 6), (12,)), Dense((12,), weight))
    source = Projection("x", "first", dense, "syn", 2)
    return whole.replace(
        inputs=(Input("x", (6,), encoder, 0.4, signed=True),),
        projections=(*whole.projections, source),
        drives=(),
    )


def rasters() -> list[SpikeRaster]:
    """A wave as changes, twice as fast in the second sample."""
    time = np.arange(100.0)[:, None]
    encoder = encoders.make("step_forward", {"threshold": 0.12, "start": 0.0})
    return [
        encoder.encode(np.sin(speed * time / 8 + np.arange(6.0)), seed=0) for speed in (1.0, 2.0)
    ]


def run(x: object, simulator: str, **options: object) -> Recording:
    return bc.simulate(
        network(), x, simulator=simulator, dtype="float64", record=RECORD, progress=False, **options
    )


def assert_same(a: Recording, b: Recording) -> None:
    assert a.rasters.keys() == b.rasters.keys()
    for name, raster in a.rasters.items():
        for column in ("image", "step", "neuron"):
            assert_array_equal(getattr(raster, column), getattr(b.rasters[name], column))
    assert_array_equal(a.synaptic_operations, b.synaptic_operations)


@pytest.fixture(scope="module")
def in_array() -> Recording:
    return run(rasters(), "array")


def test_sources_replay_the_raster(in_array: Recording) -> None:
    assert in_array.n_images == 2
    assert all(total.min() > 20 for total in in_array.spikes_per_image.values())
    for image, raster in enumerate(rasters()):
        found = in_array.rasters["x"]
        mine = found.image == image
        dense = np.zeros((100, 12), int)
        dense[found.step[mine], found.neuron[mine]] = 1
        assert_array_equal(dense, raster.to_dense(1.0).reshape(100, 12))


def test_array_equals_brian2(in_array: Recording) -> None:
    assert_same(in_array, run(rasters(), "brian2"))


def test_array_equals_nest(in_array: Recording) -> None:
    pytest.importorskip("nest")
    assert_same(in_array, run(rasters(), "nest"))


@pytest.mark.slow
@pytest.mark.parametrize("simulator", ["pynn.brian2", "neuron"])
def test_others_emit_the_same_raster(simulator: str, in_array: Recording) -> None:
    """The standard cells behind it fire up to a step earlier there, whatever the input is."""
    pytest.importorskip("pyNN")
    found = run(rasters(), simulator)
    for column in ("image", "step", "neuron"):
        mine, other = (getattr(r.rasters["x"], column) for r in (in_array, found))
        assert_array_equal(mine, other)
    for name, total in in_array.spikes_per_image.items():
        assert np.abs(found.spikes_per_image[name] / total - 1).max() < 0.1


@pytest.mark.parametrize("encoder", ["regular", "poisson"])
def test_replayed_sources_do_what_they_did(encoder: str) -> None:
    """What a network's own sources emitted, taken through Neo and given to it again."""
    pytest.importorskip("neo")
    net = network(encoder)
    x = networks.samples((6,), 2)
    first = bc.simulate(net, x, record=RECORD, dtype="float64", seed=5, progress=False)
    trains = [
        [t for t in segment.spiketrains if t.annotations["source_population"] == "x"]
        for segment in first.to_neo().segments
    ]
    given = [SpikeRaster.from_neo(entry, (2, 6)) for entry in trains]
    again = bc.simulate(net, given, record=RECORD, dtype="float64", progress=False)
    assert first.rasters["x"].step.size > 100
    assert_same(first, again)


def test_batches_and_chunks_do_not_matter(in_array: Recording) -> None:
    assert_same(in_array, run(rasters(), "array", batch_size=1))
    alone = run(rasters()[1], "array")
    mine = in_array.rasters["middle"].image == 1
    assert_array_equal(alone.rasters["middle"].step, in_array.rasters["middle"].step[mine])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("target", "options"),
    [
        ("brian2", []),
        pytest.param("pynn", ["--simulator", "nest"], marks=pytest.mark.slow),
        pytest.param("pynn", ["--simulator", "brian2"], marks=pytest.mark.slow),
    ],
)
def test_an_exported_program_takes_packed_rasters(
    target: str, options: list[str], tmp_path: Path, in_array: Recording
) -> None:
    bc.emit(for_rasters(network()), tmp_path / "net", target=target)
    np.savez(tmp_path / "data.npz", x=pack(rasters(), 1.0))
    command = [sys.executable, str(tmp_path / "net" / "program.py"), *options]
    command += ["--data", str(tmp_path / "data.npz"), "-o", str(tmp_path / "result.npz")]
    found = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert found.returncode == 0, found.stderr
    with np.load(tmp_path / "result.npz") as result:
        for name in ("first", "middle"):
            total, expected = result[f"{name}.spikes_per_image"], in_array.spikes_per_image[name]
            if options == ["--simulator", "brian2"]:  # whose standard cells fire a step earlier
                assert np.abs(total / expected - 1).max() < 0.1
            else:
                assert_array_equal(total, expected)
    np.savez(tmp_path / "data.npz", x=np.full((1, 3, 2), 12))
    failed = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert failed.returncode and "sources below 12" in failed.stderr


def test_such_a_network_is_saved_and_loaded(tmp_path: Path, in_array: Recording) -> None:
    for_rasters(network()).save(tmp_path / "net.h5")
    loaded = bc.load(tmp_path / "net.h5")
    assert loaded.inputs[0].encoder == "raster"
    record = {name: RECORD[name] for name in RECORD}
    found = bc.simulate(loaded, rasters(), record=record, dtype="float64", progress=False)
    assert_same(in_array, found)


def test_rasters_that_do_not_fit_are_refused() -> None:
    net = network()
    with pytest.raises(DataError, match="drives populations with currents.*input='regular'"):
        bc.simulate(networks.leaky(), rasters()[:1])
    with pytest.raises(DataError, match=r"sources of shape \(2, 6\).*\(5,\)"):
        bc.simulate(net, SpikeRaster([0], [1.0], (5,), 10.0))
    twice = SpikeRaster([3, 3], [0.2, 0.9], (2, 6), 10.0)
    with pytest.raises(DataError, match=r"1 of 2 spikes.*on_grid\(1\)"):
        bc.simulate(net, twice)
    bc.simulate(net, twice.on_grid(1.0), progress=False)
    with pytest.raises(DataError, match="no input 'y'. Inputs: x"):
        for_rasters(net, ["y"])
    with pytest.raises(DataError, match="numbers from 0 to 11"):
        bc.simulate(for_rasters(net), np.full((1, 1, 2), 12))
    with pytest.raises(DataError, match="expected spike rasters"):
        bc.simulate(for_rasters(net), np.ones((2, 6)))


def test_the_range_of_the_calibration_does_not_concern_rasters(recwarn: object) -> None:
    net = network()
    entry = replace(net.inputs[0], calibrated=(0.0, 1.0, 0.5))
    bc.simulate(net.replace(inputs=(entry,)), rasters(), progress=False)
    assert not list(recwarn)  # type: ignore[call-overload]
