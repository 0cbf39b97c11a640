"""``bioconv simulate --rasters``: files of spikes as the input of a network."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import bioconv as bc
from bioconv.cli import main
from bioconv.encoders import SpikeRaster, make, save_raster
from bioconv.models import weights_path

_SAMPLES, _STEPS = 20, 100


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two networks, with and without spike sources, and samples with their labels."""
    folder = tmp_path_factory.mktemp("rasters")
    x, y = bc.load_data("digits", n_images=_SAMPLES)
    np.savez(folder / "samples.npz", x=x, y=y)
    for name in ("regular", "current"):
        network = bc.convert(
            weights_path("digits_cnn"),
            calibration=x,
            code=bc.codes.RateCode(input=name),
            n_steps=_STEPS,
            progress=False,
        )
        network.save(folder / f"{name}.h5")
    return folder


def _encoder(
    network: bc.SpikingNetwork, name: str = "count", **options: object
) -> bc.encoders.Encoder:
    high = 1.0 / network.inputs[0].scale
    return make(
        name, {"interval": network.n_steps * network.dt, "low": 0.0, "high": high, **options}
    )


def _run(folder: Path, *arguments: object, network: str = "regular") -> int:
    data = ["--data", folder / "samples.npz", "--quiet"]
    return main(list(map(str, ["simulate", folder / f"{network}.h5", *data, *arguments])))


def test_encoded_samples_reach_the_accuracy_of_the_analog_network(
    folder: Path, tmp_path: Path
) -> None:
    network, (x, _) = bc.load(folder / "regular.h5"), bc.load_data("digits", n_images=_SAMPLES)
    encoder = _encoder(network, n_spikes=_STEPS).fitted(x)
    save_raster(tmp_path / "spikes.npz", encoder.encode(x), encoder)
    record, kept = tmp_path / "run.json", tmp_path / "run.h5"
    assert not _run(folder, "--rasters", tmp_path / "spikes.npz", "--json", record, "-o", kept)
    result = json.loads(record.read_text())
    assert result["n_images"] == _SAMPLES
    assert result["accuracy"] >= result["analog_accuracy"] - 1 / _SAMPLES
    direct = bc.simulate(network, encoder.encode_each(x), progress=False)
    (own,) = bc.Recording.load(kept).outputs.values()
    assert np.array_equal(own, next(iter(direct.outputs.values())))


def test_files_follow_each_other_and_samples_can_be_chosen(folder: Path, tmp_path: Path) -> None:
    network, (x, _) = bc.load(folder / "regular.h5"), bc.load_data("digits", n_images=4)
    rasters = _encoder(network, n_spikes=_STEPS).encode_each(x)
    files = [tmp_path / f"{n}.npz" for n in range(4)]
    for path, raster in zip(files, rasters, strict=True):
        save_raster(path, raster)
    kept = tmp_path / "run.h5"
    chosen = ("--rasters", *files, "--first", 1, "--images", 2, "-o", kept)
    assert not _run(folder, *chosen, "--report", tmp_path / "run.html")
    assert (tmp_path / "run.html").stat().st_size
    direct = bc.simulate(network, rasters[1:3], progress=False)
    (own,) = bc.Recording.load(kept).outputs.values()
    assert np.array_equal(own, next(iter(direct.outputs.values())))


@pytest.mark.parametrize(
    ("encoder", "network", "n", "message"),
    [
        ("rank_order", "regular", _SAMPLES, "it carries no conversion: "),
        ("first_spike", "regular", _SAMPLES, "its values are no rates"),
        ("count", "regular", 3, "there are 3 rasters for 20 samples"),
        ("count", "current", _SAMPLES, "drives populations with currents and takes no spikes"),
    ],
)
def test_what_cannot_be_replayed_exits_with_2(
    folder: Path, tmp_path: Path, capsys, encoder: str, network: str, n: int, message: str
) -> None:
    x, _ = bc.load_data("digits", n_images=n)
    chosen = _encoder(bc.load(folder / "regular.h5"), encoder).fitted(x)
    save_raster(tmp_path / "spikes.npz", chosen.encode(x), chosen)
    kept = tmp_path / "run.h5"
    arguments = ("--rasters", tmp_path / "spikes.npz", "-o", kept)
    assert _run(folder, *arguments, network=network) == 2
    assert message in capsys.readouterr().err and not kept.exists()


def test_rates_that_the_weights_do_not_expect_are_warned_of(
    folder: Path, tmp_path: Path, capsys
) -> None:
    network, (x, _) = bc.load(folder / "regular.h5"), bc.load_data("digits", n_images=3)
    for n_spikes, said in ((_STEPS, False), (_STEPS // 5, True)):
        encoder = _encoder(network, n_spikes=n_spikes).fitted(x)
        save_raster(tmp_path / "spikes.npz", encoder.encode(x), encoder)
        assert not _run(folder, "--rasters", tmp_path / "spikes.npz", "--images", 3)
        assert ("which is what its weights expect" in capsys.readouterr().err) == said


def test_spikes_after_the_end_are_refused(folder: Path, tmp_path: Path, capsys) -> None:
    save_raster(tmp_path / "spikes.npz", SpikeRaster([0], [242.5], (8, 8, 1), 250.0))
    assert _run(folder, "--rasters", tmp_path / "spikes.npz", "--images", 1) == 2
    assert (
        "after the 100 steps of 1 ms that are simulated. Use --steps 243" in capsys.readouterr().err
    )
