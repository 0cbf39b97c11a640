"""Exported programs, mapped by sPyNNaker on a virtual board: what the tool chain holds."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import spinnaker_board
import spinnaker_networks
from numpy.typing import NDArray

import bioconv as bc
from bioconv.network import Population, Projection, SpikingNetwork
from bioconv.neurons import IntegrateAndFire
from bioconv.operators import Dense
from bioconv.targets import Report, examine

pytest.importorskip("spynnaker", reason="spynnaker is not installed")

Held = dict[str, NDArray]


def mapped(network: SpikingNetwork, folder: Path, *, measured: bool = True) -> tuple[Report, Held]:
    """Write the program, map it with an image, and read what the tool chain holds.

    ``measured`` tells whether weights are scaled for some images, or for the worst case.
    """
    x = spinnaker_networks.images(network, 2)
    report = examine(network, "spinnaker", x if measured else None, progress=False)
    report.emit(folder / "program")
    np.savez(folder / "images.npz", x=x)
    home = folder / "home"
    home.mkdir()
    command = [sys.executable, "program/program.py", "--data", "images.npz", "--map-only"]
    done = subprocess.run(
        [*command, "-o", "held.npz"],
        cwd=folder,
        env={**os.environ, "HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert "mapped:" in done.stdout
    left = {path.name for path in folder.iterdir()}
    assert left == {"program", "images.npz", "held.npz", "home"}, "reports were left behind"
    assert not list(home.iterdir()), "something was written in the home folder"
    with np.load(folder / "held.npz") as held:
        return report, dict(held)


def check(report: Report, held: Held) -> set[str]:
    """Neurons, synapses, signs, weights, delays are the network's; return kinds of connectors."""
    network, board = report.network, report.fit.details["board"]
    for population in network.populations:
        assert held[f"{population.name}.sizes"].sum() == population.n_neurons
        factors = [scale.factor for scale in board.scales[population.name]]
        assert held[f"{population.name}.scales"].tolist() == factors
    kinds = set()
    pairs = zip(network.projections, board.layout.connectors, strict=True)
    for number, (projection, connector) in enumerate(pairs):
        cell = board.cells[projection.post]
        wanted = projection.operator.matrix().toarray() * cell.weights[projection.receptor]
        assert np.any(wanted)
        found = weights(held, f"projection{number}", projection, connector, board)
        scale = max(np.abs(wanted).max(), 1e-12)
        sign = -1.0 if cell.receptors[projection.receptor][0] == "inhibitory" else 1.0
        np.testing.assert_allclose(sign * found / scale, wanted / scale, atol=1e-7)
        kinds.add(connector.kind)
        key = f"projection{number}"
        kept = "delay" if connector.kind != "list" else "synapses"
        delays = held[f"{key}.{kept}"][:, 4] if kept == "synapses" else held[f"{key}.{kept}"]
        assert set(delays) == {(projection.delay_steps + cell.later) * network.dt}
    assert held["time_scale"] == max(1.0, np.ceil(1.0 / network.dt))
    return kinds


def weights(held: Held, key: str, projection, connector, board) -> NDArray[np.float64]:
    """Weights of the tool chain (PyNN's units, below 0 where inhibitory), (pre, post)."""
    sizes = held[f"{projection.pre}.sizes"], held[f"{projection.post}.sizes"]
    before, behind = (len(part) for part in sizes)
    shape = tuple(int(part.sum()) for part in sizes)
    if connector.kind == "list":
        first, second, pre, post, _ = held[f"{key}.synapses"].astype(int).T
        matrix = np.zeros(shape)
        np.add.at(matrix, (pre * before + first, post * behind + second), held[f"{key}.stored"])
        return matrix
    edge, _ = board.layout.images[projection.pre]
    if connector.kind == "convolution":
        kernels = held[f"{key}.kernel"]
        kernels = kernels.reshape(before, behind, *kernels.shape[1:])
        target, _ = board.layout.images[projection.post]
        words = spinnaker_board.convolution(
            kernels, edge, target, connector.pool, connector.padding
        )
    else:
        words = spinnaker_board.pool_dense(held[f"{key}.dense"], edge, connector.pool)
    above, below = held[f"{projection.post}.scales"]
    return np.where(words > 0, words / above, words / below).reshape(shape)


@pytest.mark.slow
def test_digits_network_with_convolutions(tmp_path: Path) -> None:
    """The connectors that keep weights on the core put each weight where Keras has it."""
    report, held = mapped(spinnaker_networks.digits("digits_cnn"), tmp_path, measured=False)
    assert check(report, held) == {"convolution", "pool_dense", "list"}
    needed = {resource.name: resource.needed for resource in report.fit.resources}
    assert needed["cores"] == len(held["places"])


@pytest.mark.slow
def test_delays_and_short_steps(tmp_path: Path) -> None:
    """Delays make lists of all connectors; below 1 ms more cores are needed."""
    network = spinnaker_networks.digits("digits_cnn")
    delays = zip(network.projections, (3, 8, 30), strict=True)
    later = tuple(replace(p, delay_steps=steps) for p, steps in delays)
    report, held = mapped(network.replace(dt=0.5, projections=later), tmp_path, measured=False)
    assert check(report, held) == {"list"}
    assert report.fit.resources[0].needed == len(held["places"])


@pytest.mark.slow
def test_cores_of_sources(tmp_path: Path) -> None:
    """One core for 400 sources."""
    network = spinnaker_networks.digits("digits_mlp", code=bc.RateCode(input="regular", clamp=0))
    image = replace(network.inputs[0], shape=(400,))
    wide = Population("wide", (300,), IntegrateAndFire().model)
    weight = np.random.default_rng(0).choice([0.0, 1.0], (400, 300), p=[0.9, 0.1])
    first = Projection(image.name, wide.name, Dense((400,), weight), "syn", 30)
    network = network.replace(
        inputs=(image,),
        populations=(wide, *network.populations),
        projections=(first, *network.projections[1:]),
    )
    report, held = mapped(network, tmp_path, measured=False)
    cores = {resource.name: resource for resource in report.fit.resources}["cores"]
    assert cores.needed == len(held["places"]) == 1 + 2 + len(network.populations) - 1
    assert "board with 48 chips" not in str(report)


@pytest.mark.slow
def test_izhikevich_network(tmp_path: Path) -> None:
    """Lists on Izhikevich neurons; delays are a step longer on the board."""
    report, held = mapped(spinnaker_networks.izhikevich(), tmp_path, measured=False)
    assert check(report, held) == {"list"}


@pytest.mark.slow
def test_lenet(tmp_path: Path) -> None:
    """The MNIST LeNet: convolutions behind pooling, a pooled dense layer on several cores."""
    report, held = mapped(spinnaker_networks.lenet(), tmp_path)
    assert check(report, held) == {"convolution", "pool_dense", "list"}
    assert len(held["places"]) == 46


@pytest.mark.slow
def test_poisson_input(tmp_path: Path) -> None:
    """Spike sources, each with times of its own."""
    network = spinnaker_networks.digits("digits_mlp", code=bc.RateCode(input="poisson"))
    report, held = mapped(network, tmp_path)
    assert check(report, held) == {"list"}
    assert held[f"{network.inputs[0].name}.sizes"].tolist() == [64]


@pytest.mark.slow
def test_conductances(tmp_path: Path) -> None:
    """Excitatory and inhibitory weights on receptors of their own."""
    report, held = mapped(spinnaker_networks.conductances(), tmp_path)
    assert check(report, held) == {"list"}
    assert any((held[f"projection{n}.stored"] < 0).all() for n in range(3))
