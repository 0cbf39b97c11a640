"""The program for SpiNNaker on NEST, and what it says of itself."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import spinnaker_networks

import bioconv as bc
from bioconv.network import SpikingNetwork
from bioconv.targets import emit, examine
from bioconv.targets.spinnaker.support.spinnaker_network import Network


def run(
    folder: Path, x: np.ndarray, y: np.ndarray, record: str
) -> tuple[dict[str, np.ndarray], str]:
    """Run the program in a folder on NEST; its result and what it printed."""
    np.savez(folder / "images.npz", x=x, y=y)
    done = subprocess.run(
        [
            *(sys.executable, "program/program.py", "--simulator", "nest"),
            *("--data", "images.npz", "-o", "result.npz", "--record", record),
        ],
        cwd=folder,
        env={**os.environ, "PYNEST_QUIET": "1", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    with np.load(folder / "result.npz") as result:
        return dict(result), done.stdout


@pytest.mark.parametrize(
    ("model", "options"),
    [
        ("digits_mlp", {"code": bc.RateCode(input="regular", readout="count")}),
        pytest.param("digits_cnn", {}, marks=pytest.mark.slow),
    ],
)
def test_the_same_program_classifies_on_nest(model: str, options: dict, tmp_path: Path) -> None:
    """Spike sources and counted spikes; currents, convolutions and potentials."""
    pytest.importorskip("nest")
    pytest.importorskip("pyNN")
    network: SpikingNetwork = spinnaker_networks.digits(model, n_steps=50, **options)
    x, y = bc.load_data("digits", split="test")
    x, y = x[:4], y[:4]
    report = examine(network, "spinnaker")
    report.emit(tmp_path / "program")
    first = network.populations[0].name
    result, printed = run(tmp_path, x, y, record=f"{first}=spikes")
    assert "accuracy:" in printed
    ours = simulated(report.network, x, first)
    assert np.sum(ours.predictions() == y) >= 3
    known = {first, network.readouts[0].population, *(i.name for i in network.spiking_inputs)}
    counted = {name for name in result if name.endswith(".spikes_per_neuron")}
    assert counted == {f"{name}.spikes_per_neuron" for name in known}
    output = np.exp(result[f"{network.readouts[0].name}.output"])
    output /= output.sum(axis=-1, keepdims=True)
    wanted = ours.outputs[network.readouts[0].name]
    np.testing.assert_allclose(output, wanted, atol=0.02)
    for name in known & ours.spikes_per_neuron.keys():
        counts = result[f"{name}.spikes_per_neuron"]
        assert np.abs(counts - ours.spikes_per_neuron[name].ravel()).max() <= 4
    # What a source sends acts a step later on NEST; a constant current acts at once.
    raster, later = ours.rasters[first], int(bool(network.spiking_inputs))
    spikes = set(zip(raster.image, raster.step + later, raster.neuron, strict=True))
    same = spikes & {tuple(row) for row in result[f"{first}.spikes"].tolist()}
    assert len(same) > 0.9 * len(spikes) > 1000


def simulated(network: SpikingNetwork, x: np.ndarray, name: str) -> bc.Recording:
    """What the array simulator gives, with all spikes of one population."""
    record = {name: ("spikes",)}
    return bc.simulate(network, x, record=record, dtype="float64", progress=False)


def test_potentials_of_an_image_come_from_all_its_channels() -> None:
    """One population a channel: neuron i of channel c is neuron i * channels + c."""
    wanted = np.random.default_rng(0).random((6, 4, 3))  # steps, neurons of a channel, channels

    def channel(number: int) -> SimpleNamespace:
        segment = SimpleNamespace(analogsignals=[wanted[:, :, number]])
        return SimpleNamespace(get_data=lambda variable: SimpleNamespace(segments=[segment]))

    network = object.__new__(Network)
    network.populations = {"image": [channel(number) for number in range(3)]}
    np.testing.assert_array_equal(network.potential("image", 5), wanted[1:].reshape(5, 12))


def test_program_holds_the_network(tmp_path: Path) -> None:
    """Tables in PyNN's units, no word of bioconv needed, the same bytes each time."""
    network = spinnaker_networks.digits("digits_mlp")
    paths = emit(network, tmp_path / "a", "spinnaker")
    emit(network, tmp_path / "b", "spinnaker")
    text = paths[0].read_text(encoding="utf-8")
    assert paths[0].name == "program.py"
    assert "import bioconv" not in text and "from bioconv" not in text
    assert "'cell': 'IF_curr_delta'" in text and "'tau_m': 1024.0" in text
    for path in paths:
        twin = tmp_path / "b" / path.relative_to(tmp_path / "a")
        assert twin.read_bytes() == path.read_bytes()
    with np.load(tmp_path / "a" / "weights.npz") as weights:
        signs = {np.sign(w).min() for name, w in weights.items() if name.endswith(".weight")}
        assert signs == {-1.0}
