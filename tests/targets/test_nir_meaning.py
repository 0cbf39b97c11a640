"""What a NIR file implies: unit, step, axes and shapes; and what has no meaning."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import h5py
import nir
import numpy as np
import pytest

import bioconv as bc
from bioconv.ground.errors import NetworkFileError

RANDOM = np.random.default_rng(3)
ONE = np.ones(1)


def chain(path: Path, *nodes: nir.NIRNode, **changes: Any) -> Path:
    """A file with nodes one after the other, some of its datasets replaced or added."""
    nir.write(str(path), nir.NIRGraph.from_list(*nodes, type_check=False))
    with h5py.File(path, "r+") as file:
        for place, value in changes.items():
            where = place.replace("__", "/")
            if where in file:
                del file[where]
            file[where] = value
    return path


def leaky(beta: float, dt: float, n: int = 1) -> nir.LIF:
    """A neuron as snnTorch writes it."""
    tau = np.full(n, dt / (1 - beta))
    return nir.LIF(tau=tau, r=tau / dt, v_leak=np.zeros(n), v_threshold=np.ones(n))


def integrator(n: int = 1, r: float = 1000.0) -> nir.IF:
    return nir.IF(r=np.full(n, r), v_threshold=np.ones(n), v_reset=np.zeros(n))


def spikes(network: bc.SpikingNetwork, x: float) -> float:
    data = np.full((1, *network.inputs[0].shape), x)
    recording = bc.simulate(network, data, dtype="float64", progress=False)
    return float(next(iter(recording.spikes_per_image.values()))[0])


def test_a_matrix_acts_on_the_last_axis_as_in_pytorch(tmp_path: Path) -> None:
    weight, bias, x = RANDOM.normal(size=(4, 4)), RANDOM.normal(size=4), RANDOM.random((4, 4))
    nodes = {
        "input": nir.Input(np.array([4, 4])),
        "fc": nir.Affine(weight, bias),
        "neurons": nir.I(r=np.full((4, 4), 1000.0)),
        "output": nir.Output(np.array([4, 4])),
    }
    edges = [("input", "fc"), ("fc", "neurons"), ("neurons", "output")]
    nir.write(str(tmp_path / "a.nir"), nir.NIRGraph(nodes, edges, type_check=False))
    network = bc.read_nir(tmp_path / "a.nir", n_steps=5)
    expected = (x @ weight.T + bias).T[None]  # channels last
    recording = bc.simulate(network, x.T[None], dtype="float64", progress=False)
    np.testing.assert_allclose(recording.outputs["neurons"], expected, rtol=1e-9)
    np.testing.assert_allclose(network.analog.predict(x.T[None], dtype="float64"), expected)


def test_integrators_with_a_resistance_of_one_count_in_steps(tmp_path: Path) -> None:
    path = chain(tmp_path / "sinabs.nir", nir.Linear(np.eye(1)), integrator(r=1.0))
    with pytest.warns(UserWarning, match=r"steps of 1 are too long .* read in ms"):
        network = bc.read_nir(path, n_steps=20)
    assert network.dt == 1.0
    assert spikes(network, 0.3) == spikes(bc.read_nir(path, n_steps=20, unit="ms"), 0.3) == 5
    with pytest.warns(UserWarning, match="node_if cannot fire: inputs up to 1 raise"):
        network = bc.read_nir(path, n_steps=20, unit="s")
    assert spikes(network, 0.3) == 0


def test_the_step_is_the_one_at_which_weights_count_in_full(tmp_path: Path) -> None:
    nodes = (nir.Linear(np.eye(1)), leaky(0.9, 1e-4), nir.Linear(np.eye(1)), leaky(0.5, 1e-4))
    path = chain(tmp_path / "snntorch.nir", *nodes)
    with pytest.warns(UserWarning, match=r"its R imply a step of 0\.1 ms"):
        network = bc.read_nir(path, n_steps=60)
    assert network.dt == pytest.approx(0.1)
    v, expected = 0.0, 0
    for _ in range(60):
        v = np.exp(-0.1 / network.populations[0].parameters["tau_m"]) * v + 0.2
        expected, v = (expected + 1, 0.0) if v > 1 else (expected, v)
    assert spikes(network, 0.2) == pytest.approx(expected, abs=1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert bc.read_nir(path, dt=0.5).dt == 0.5


def test_times_and_steps_that_do_not_fit(tmp_path: Path) -> None:
    long = nir.LIF(tau=20 * ONE, r=ONE, v_leak=0 * ONE, v_threshold=ONE)
    path = chain(tmp_path / "ms.nir", nir.Linear(2 * np.eye(1)), long)
    with pytest.warns(UserWarning, match="time constants from 20 are too long"):
        network = bc.read_nir(path)
    assert network.population("lif").parameters["tau_m"] == 20.0
    nodes = (nir.Linear(np.eye(1)), leaky(0.9, 1e-4), nir.Linear(np.eye(1)), leaky(0.5, 1e-3))
    path = chain(tmp_path / "two.nir", *nodes)
    with pytest.warns(UserWarning, match="between 0.0001 and 0.001, which differ"):
        assert bc.read_nir(path).dt == 1.0


def test_stored_steps(tmp_path: Path) -> None:
    layers = (nir.Linear(2 * np.eye(1)), integrator())
    path = chain(tmp_path / "a.nir", *layers, node__metadata__dt=0.0005)
    assert bc.read_nir(path).dt == 0.5
    changes = {"node__metadata__dt": -1.0, "node__metadata__written_by": "bioconv"}
    path = chain(tmp_path / "b.nir", *layers, **changes)
    with pytest.raises(NetworkFileError, match="lack a valid dt"):
        bc.read_nir(path)
    assert bc.read_nir(path, dt=0.25).dt == 0.25


@pytest.mark.parametrize("shape", [(), (1,)])
def test_single_numbers_hold_for_all_neurons(shape: tuple[int, ...], tmp_path: Path) -> None:
    weight = RANDOM.random((3, 2))
    values = {f"node__nodes__if__{name}": np.ones(shape) for name in ("v_threshold", "v_reset")}
    values["node__nodes__if__v_reset"] = np.zeros(shape)
    values["node__nodes__if__r"] = np.full(shape, 1000.0)
    for name, nodes in (("all", (integrator(3),)), ("each", (integrator(3), nir.Linear(weight.T)))):
        after = (integrator(2),) if len(nodes) > 1 else ()
        path = chain(tmp_path / f"{name}.nir", nir.Linear(weight), *nodes, *after)
        expected = bc.read_nir(path)
        with h5py.File(path, "r+") as file:
            for place, value in values.items():
                where = place.replace("__", "/")
                del file[where]
                file[where] = value
        found = bc.read_nir(path)
        for one, other in zip(found.populations, expected.populations, strict=True):
            assert (one.shape, one.parameters) == (other.shape, other.parameters)


WRONG = {
    "v_threshold": (np.zeros(1), "v_threshold must be above v_reset"),
    "v_reset": (np.ones(1), "v_threshold must be above v_reset"),
    "r": (-np.ones(1), "must not be negative. Received: -1"),
    "tau": (np.zeros(1), "must be above 0, because it is a time"),
    "v_leak": (np.zeros(0), "has no values"),
}


@pytest.mark.parametrize("name", WRONG)
def test_neurons_without_meaning_are_refused(name: str, tmp_path: Path) -> None:
    value, message = WRONG[name]
    changes = {f"node__nodes__lif__{name}": value}
    path = chain(tmp_path / "a.nir", nir.Linear(np.eye(1)), leaky(0.9, 1e-3), **changes)
    with pytest.raises(NetworkFileError, match=f"lif: .*{message}"):
        bc.read_nir(path)


def test_other_values_without_meaning_are_refused(tmp_path: Path) -> None:
    weight = {"node__nodes__linear__weight": np.full((1, 1), 1e308)}
    path = chain(tmp_path / "a.nir", nir.Linear(np.eye(1)), integrator(), **weight)
    with pytest.raises(NetworkFileError, match="beyond 1e"):
        bc.read_nir(path)
    for key, value, message in (
        ("reset", "backwards", "the reset 'backwards'; expected 'subtraction' or 'value'"),
        ("t_ref", -0.5, "a t_ref that is not one valid number"),
        ("v_start", np.ones(7), "a v_start that is not one valid number"),
    ):
        extra = {f"node__nodes__if__metadata__{key}": value}
        path = chain(tmp_path / "b.nir", nir.Linear(np.eye(1)), integrator(), **extra)
        with pytest.raises(NetworkFileError, match=message):
            bc.read_nir(path, extras=True)
        bc.read_nir(path)  # without extras, metadata are ignored as by every other reader


def test_a_silent_network_is_announced(tmp_path: Path) -> None:
    path = chain(tmp_path / "a.nir", nir.Linear(1e-3 * np.eye(1)), integrator())
    with pytest.warns(UserWarning, match=r"a.nir: node_if cannot fire.*most 0.1 mV in 100 steps"):
        bc.read_nir(path)


def test_neurons_that_fire_by_themselves_are_read(tmp_path: Path) -> None:
    """A resting potential above the threshold makes a pacemaker, which fires now and then."""
    changes = {"node__nodes__lif__v_leak": np.full(1, 1.5)}
    path = chain(tmp_path / "a.nir", nir.Linear(np.eye(1)), leaky(0.9, 1e-3), **changes)
    assert bc.read_nir(path).n_neurons > 0


def test_loops_that_grow_are_refused(tmp_path: Path) -> None:
    wide = nir.Conv1d(8, np.ones((1, 1, 3)), 1, 2, 1, 1, np.zeros(1))
    nodes = {
        "input": nir.Input(np.array([1, 8])),
        "conv": wide,
        "output": nir.Output(np.array([1, 10])),
    }
    edges = [("input", "conv"), ("conv", "conv"), ("conv", "output")]
    path = tmp_path / "loop.nir"
    nir.write(path, nir.NIRGraph(nodes, edges, type_check=False))
    with pytest.raises(NetworkFileError):
        bc.read_nir(path)
