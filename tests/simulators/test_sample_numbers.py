"""Random numbers belong to the number of a sample, however the samples are split over calls."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from array_networks import network
from numpy.testing import assert_array_equal

import bioconv as bc
from bioconv import neurons, noise
from bioconv.cli import main
from bioconv.export.support import command_line
from bioconv.ground.errors import ParameterError
from bioconv.network import Input, Population, Projection, SpikingNetwork
from bioconv.network.recording import Recording
from bioconv.operators import Dense

N = 5
X = np.linspace(0.2, 0.6, N)[:, None] * np.ones(3)


def random_network(failures: bool = True) -> SpikingNetwork:
    """Poisson inputs, membrane noise and failing synapses."""
    cell = neurons.LeakyIntegrateAndFire("value", "delta", tau_m=10.0)
    cell = neurons.with_noise(cell, 60.0)
    one, two = (Dense((n,), np.full((n, 6), 6.0)) for n in (3, 6))
    populations = [Population(name, (6,), cell.model, cell.parameters) for name in "ab"]
    projections = (
        Projection("x", "a", one, "syn"),
        Projection("a", "b", two, "syn", 2, release=0.5 if failures else 1.0),
    )
    inputs = (Input("x", (3,), "poisson"),)
    return network(populations, projections, shape=(3,), inputs=inputs, n_steps=40)


def assert_parts_of(whole: Recording, parts: list[Recording]) -> None:
    assert whole.spikes_per_image["a"].sum() > 0
    assert len({tuple(row) for row in whole.outputs["y"]}) > 1
    for field in ("outputs", "classes", "spikes_per_image"):
        for name, values in getattr(whole, field).items():
            joined = np.concatenate([getattr(part, field)[name] for part in parts])
            assert_array_equal(joined, values)


@pytest.mark.parametrize(
    ("at", "batch"),
    [
        (1, 1),
        (3, 2),
        *(
            pytest.param(*both, marks=pytest.mark.slow)
            for both in ((3, 1), (1, 2), (1, None), (3, None))
        ),
    ],
)
def test_calls_of_the_array_simulator_can_be_split(at: int, batch: int | None) -> None:
    net = random_network()
    whole = bc.simulate(net, X, seed=4)
    parts = [
        bc.simulate(net, X[:at], seed=4, batch_size=batch),
        bc.simulate(net, X[at:], seed=4, batch_size=batch, first=at),
    ]
    assert_parts_of(whole, parts)
    again = bc.simulate(net, X[at:], seed=4)
    assert np.any(again.outputs["y"] != parts[1].outputs["y"])


@pytest.mark.slow
def test_calls_of_brian2_can_be_split() -> None:
    net = random_network(failures=False)
    whole, *parts = (
        bc.simulate(net, x, seed=4, simulator="brian2", first=first)
        for x, first in ((X, 0), (X[:2], 0), (X[2:], 2))
    )
    assert_parts_of(whole, parts)


@pytest.mark.slow
def test_calls_of_the_event_simulator_can_be_split() -> None:
    import digits

    net = bc.convert(digits.mlp(), calibration=digits.train()[:50], code=bc.FirstSpikeExactCode())
    net = noise.disturb(net, noise.SpikeJitter(0.3 * net.dt))
    x = digits.test(4)
    settings: dict[str, Any] = {"simulator": "event", "seed": 2, "batch_size": 4}
    whole = bc.simulate(net, x, **settings)
    again = bc.simulate(net, x[3:], **settings, first=3)
    other = bc.simulate(net, x[3:], **settings)
    (name,) = whole.outputs
    assert_array_equal(again.outputs[name], whole.outputs[name][3:])
    assert np.any(other.outputs[name] != again.outputs[name])


@pytest.mark.parametrize("first", [-1, 1.5, True, 10**12])
def test_numbers_that_are_none_are_refused(first: Any) -> None:
    with pytest.raises(ParameterError, match="first must be"):
        bc.simulate(random_network(), X, first=first)


def test_the_command_line_splits_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    net, data = tmp_path / "net.h5", tmp_path / "data.npz"
    random_network().save(net)
    np.savez(data, x=X, y=np.arange(N))
    outputs = []
    for name, options in (
        ("whole", []),
        ("one", ["--images", "2"]),
        ("two", ["--first", "2"]),
    ):
        result = tmp_path / f"{name}.h5"
        command = ["simulate", str(net), "--data", str(data), "-o", str(result), "--quiet"]
        assert main([*command, "--seed", "4", *options]) == 0
        outputs.append(bc.Recording.load(result).outputs["y"])
    assert_array_equal(np.concatenate(outputs[1:]), outputs[0])
    assert main([*command, "--first", str(N)]) == 2
    assert "has only 5 samples" in capsys.readouterr().err


def test_programs_take_the_number_of_their_first_image() -> None:
    parser = command_line.parser("a network", 10, {})
    needed = ["--data", "x.npz", "-o", "y.npz"]
    assert parser.parse_args([*needed, "--first", "7"]).first == 7
    assert parser.parse_args(needed).first == 0
    with pytest.raises(SystemExit):
        parser.parse_args([*needed, "--first", "-1"])
