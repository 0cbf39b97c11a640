"""One network, one input: the same spikes in every simulator, neuron by neuron, step by step."""

from __future__ import annotations

from collections.abc import Callable

import equivalence_networks as networks
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import bioconv as bc
from bioconv.network import SpikingNetwork
from bioconv.network.recording import Recording

Maker = Callable[[], SpikingNetwork]

#: all that the array simulator takes
FEEDFORWARD: dict[str, Maker] = {
    "dense": networks.dense,
    "convolutional_regular": networks.convolutional,
    "convolutional_poisson": lambda: networks.convolutional("poisson"),
    "branches": networks.branches,
    "max_pooling": networks.max_pooling,
    "leaky": networks.leaky,
}


def run(make: Maker, simulator: str, n_images: int = 2, **options: str) -> Recording:
    network = make()
    x = {e.name: networks.samples(e.shape, n_images, k) for k, e in enumerate(network.inputs)}
    record = {p.name: ("spikes",) for p in network.populations}
    return bc.simulate(
        network, x, simulator=simulator, dtype="float64", record=record, seed=3, **options
    )


def assert_same(a: Recording, b: Recording) -> None:
    for name, raster in a.rasters.items():
        other = b.rasters[name]
        for column in ("image", "step", "neuron"):
            assert_array_equal(getattr(raster, column), getattr(other, column), err_msg=name)
    assert_array_equal(a.synaptic_operations, b.synaptic_operations)
    for name, output in a.outputs.items():
        assert_allclose(output, b.outputs[name], atol=1e-9)
        assert_array_equal(a.classes[name], b.classes[name])


@pytest.fixture(scope="module")
def in_brian2() -> Callable[[str], Recording]:
    """The recording of a network in Brian2; each is simulated once."""
    known: dict[str, Recording] = {}

    def recording(name: str) -> Recording:
        if name not in known:
            make = FEEDFORWARD.get(name) or networks.recurrent
            known[name] = run(make, "brian2")
        return known[name]

    return recording


@pytest.mark.parametrize("engine", ["dense", "events"])
@pytest.mark.parametrize("name", FEEDFORWARD)
def test_array_equals_brian2(name: str, engine: str, in_brian2: Callable[[str], Recording]) -> None:
    if engine == "events":
        pytest.importorskip("numba")
    found = in_brian2(name)
    assert_same(run(FEEDFORWARD[name], "array", engine=engine), found)
    spiking = [n for n, total in found.spikes_per_image.items() if total.sum() > 20]
    assert len(spiking) >= 2, "a comparison of silent populations says nothing"


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("branches", marks=pytest.mark.slow),
        pytest.param("convolutional_poisson", marks=pytest.mark.slow),
        pytest.param("recurrent", marks=pytest.mark.slow),
        pytest.param("convolutional_regular", marks=pytest.mark.slow),
        pytest.param("dense", marks=pytest.mark.slow),
        pytest.param("max_pooling", marks=pytest.mark.slow),
    ],
)
def test_nest_generated_models_equal_brian2(
    name: str, in_brian2: Callable[[str], Recording]
) -> None:
    pytest.importorskip("nest")
    make = FEEDFORWARD.get(name) or networks.recurrent
    assert_same(run(make, "nest"), in_brian2(name))


def test_nest_standard_cell_equals_brian2(in_brian2: Callable[[str], Recording]) -> None:
    pytest.importorskip("nest")
    assert_same(run(networks.leaky, "nest"), in_brian2("leaky"))


@pytest.mark.slow
def test_nest_generated_leaky_model_equals_brian2(in_brian2: Callable[[str], Recording]) -> None:
    pytest.importorskip("nest")
    assert_same(run(networks.leaky, "nest", cells="generated"), in_brian2("leaky"))


@pytest.mark.slow
def test_brian2_under_pynn_equals_brian2(in_brian2: Callable[[str], Recording]) -> None:
    pytest.importorskip("pyNN")
    assert_same(run(networks.leaky, "pynn.brian2"), in_brian2("leaky"))


@pytest.mark.slow
def test_leaky_delta_synapse_under_pynn_equals_brian2() -> None:
    pytest.importorskip("pyNN")

    def make() -> SpikingNetwork:
        return networks.leaky(synapse="delta")

    assert_same(run(make, "pynn.brian2"), run(make, "brian2"))


@pytest.mark.slow
@pytest.mark.parametrize("codegen", ["cpp_standalone", "cython"])
def test_compiled_brian2_equals_array(codegen: str) -> None:
    assert_same(run(networks.branches, "array"), run(networks.branches, "brian2", codegen=codegen))


@pytest.mark.slow
def test_neuron_comes_closer_with_the_step() -> None:
    """NEURON integrates leaky neurons by backward Euler, of first order in dt.

    With a constant current the k-th spike comes after k periods T.  Backward Euler's voltage is
    that of a leak with tau' = dt / ln(1 + dt / tau), so T changes by the share dt / (2 tau) to
    first order, and each threshold crossing is found up to one step late, in each of both: spike k
    may be k (T dt / (2 tau) + dt) + dt away.  Checked for neurons that get current only.
    """
    pytest.importorskip("neuron")
    worst = []
    for dt in (1.0, 0.25):
        exact = run(lambda dt=dt: networks.leaky(dt), "array", 1).rasters["first"]
        found = run(lambda dt=dt: networks.leaky(dt), "neuron", 1).rasters["first"]
        late = 0.0
        for neuron in np.unique(exact.neuron):
            mine = (exact.step[exact.neuron == neuron] + 1) * dt
            other = (found.step[found.neuron == neuron] + 1) * dt
            n = min(len(mine), len(other))
            assert abs(len(mine) - len(other)) <= 1 + len(mine) * dt / 10
            k = np.arange(1, n + 1)
            bound = k * (mine[:n] / k * dt / 40.0 + dt) + dt
            assert np.all(np.abs(mine[:n] - other[:n]) <= bound)
            late = max(late, float(np.abs(mine[:n] - other[:n]).max()))
        worst.append(late)
    assert worst[1] < worst[0]
