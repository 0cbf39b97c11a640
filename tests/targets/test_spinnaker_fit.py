"""What becomes of a network on SpiNNaker: arithmetic, thresholds, weights, reasons."""

from __future__ import annotations

import sys
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import spinnaker_board
import spinnaker_networks

import bioconv as bc
from bioconv.ground.errors import ExportError
from bioconv.network import Change, SpikingNetwork
from bioconv.neurons import IntegrateAndFire, Izhikevich, LeakyIntegrateAndFire
from bioconv.neurons.library.integrate_and_fire import subtracts
from bioconv.operators import AveragePool, compose, conv
from bioconv.targets import Report, Verdict, examine
from bioconv.targets.spinnaker.arithmetic import STEP, s1615, stored, weight_scale
from bioconv.targets.spinnaker.cells import on_board
from bioconv.targets.spinnaker.slowing import slowed
from bioconv.targets.spinnaker.support import spinnaker_synapses
from bioconv.targets.spinnaker.support.spinnaker_network import Network


@pytest.fixture(scope="module")
def spikes_in() -> SpikingNetwork:
    """A digits network with spike sources as input."""
    code = bc.RateCode(input="regular", clamp=0)
    return spinnaker_networks.digits("digits_mlp", code=code)


@pytest.fixture(scope="module")
def fitted(spikes_in: SpikingNetwork) -> Report:
    """Its report, for some images of the training set."""
    x, _ = bc.load_data("digits", split="train")
    return examine(spikes_in, "spinnaker", x[:100], progress=False)


TAUS = (("exc", 2.0), ("inh", 8.0))


def words(values: object) -> np.ndarray:
    """Numbers as s16.15 words."""
    return np.asarray(np.round(np.asarray(values) / STEP), np.int64)


def test_array_simulator_computes_what_the_core_computes(fitted: Report) -> None:
    """The first layer, driven by the same spikes, against the C code with whole numbers."""
    network, board = fitted.network, fitted.fit.details["board"]
    layer, source = network.populations[0], network.inputs[0]
    x = spinnaker_networks.images(network, 1)
    record = {layer.name: ("spikes", "v"), source.name: ("spikes",)}
    recording = bc.simulate(network, x, record=record, dtype="float64", progress=False)
    raster = recording.rasters[source.name]
    steps = network.n_steps
    incoming = np.zeros((steps + 1, source.n_neurons), np.int64)
    incoming[raster.step + 1, raster.neuron] = 1
    cell, (above, below) = board.cells[layer.name], board.scales[layer.name]
    told = network.projections[0].operator.matrix().toarray() * cell.weights["syn"]
    excitatory = np.rint(np.maximum(told, 0) * above.factor).astype(np.int64)
    inhibitory = np.rint(np.maximum(-told, 0) * below.factor).astype(np.int64)
    inputs = (incoming @ excitatory) * round(2**15 / above.factor)
    inputs -= (incoming @ inhibitory) * round(2**15 / below.factor)
    parameters = cell.parameters
    spikes, potential = spinnaker_board.leaky_neuron(
        inputs[:steps],
        offset=words(parameters["i_offset"]).ravel(),
        resistance=int(words(parameters["tau_m"])),
        keep=round(np.exp(-1 / 1024) * 2**15),
        threshold=words(np.broadcast_to(parameters["v_thresh"], layer.shape)).ravel(),
        reset=0,
        rest=0,
        start=np.broadcast_to(words(cell.initial["v"]), layer.n_neurons),
    )
    ours = np.zeros_like(spikes)
    found = recording.rasters[layer.name]
    ours[found.step, found.neuron] = True
    assert spikes.sum() > 500
    assert np.mean(ours != spikes) < 0.001
    same = np.cumsum(ours != spikes, axis=0) == 0  # potentials before the first difference
    apart = np.abs(recording.traces[layer.name, "v"][0] - potential * STEP)[same]
    assert np.mean(same) > 0.8
    assert apart.max() < 50 * STEP


def test_leaky_currents_are_as_the_core_computes_them() -> None:
    """IF_curr_exp: the mean current of a step acts in the step, then decays."""
    neuron = LeakyIntegrateAndFire(tau_m=12.0, tau_syn=3.0)
    population = bc.network.Population("p", (4,), neuron.model, neuron.parameters)
    fitted, cell = on_board(population, 1.0)
    keep, decay = s1615(np.exp(-1 / 12)), np.exp(-s1615(1 / 3))
    assert 1 - 1 / fitted.parameters["tau_m"] == pytest.approx(float(keep), abs=1e-12)
    assert 1 - 1 / fitted.parameters["tau_syn"] == pytest.approx(float(decay), abs=1e-9)
    # A weight of 100 pA: what is told times the gain of the first step is 0.1 nA.
    gain = 3.0 * (1 - np.exp(-1 / 3))
    assert 100.0 * cell.weights["syn"] * gain == pytest.approx(0.1, rel=1e-4)
    assert cell.parameters["cm"] == 1.0
    assert cell.later == 1


def test_conductances_are_as_the_core_computes_them() -> None:
    """IF_cond_exp: held 1,024 times as large, shifted down before use, each receptor its gain."""
    neuron = LeakyIntegrateAndFire(synapse="conductance", tau_syn_exc=2.0, tau_syn_inh=8.0)
    population = bc.network.Population("p", (2,), neuron.model, neuron.parameters)
    fitted, cell = on_board(population, 1.0)
    lsb = fitted.parameters["lsb_g"]
    assert lsb == pytest.approx(1000 * STEP)  # nS
    assert fitted.parameters["lsb_i"] == pytest.approx(lsb / 1024)
    told = [cell.weights[receptor] * tau * (1 - np.exp(-1 / tau)) for receptor, tau in TAUS]
    assert told == pytest.approx([1e-3, 1e-3], rel=1e-4)  # nS -> uS
    assert cell.scale == 1024.0
    expression = fitted.model.parsed_equations[0].expression
    assert expression.count("floor") == 2


def test_izhikevich_steps_are_those_of_the_core() -> None:
    """Midpoint steps with the curvature of the board, 1.85 times as long after a spike."""
    neuron = Izhikevich(i_offset=12.0)
    network = spinnaker_networks.izhikevich()
    hidden, second, output = network.populations
    alone = replace(hidden, parameters={"i_offset": 12.0})
    network = network.replace(populations=(alone, second, output), drives=(), n_steps=150)
    report = examine(network, "spinnaker")
    record = {hidden.name: ("v", "spikes")}
    x = spinnaker_networks.images(network, 1)
    recording = bc.simulate(report.network, x, record=record, dtype="float64", progress=False)
    v, u = (s1615(neuron.value(name)) for name in ("v_init", "u_init"))
    a, b, c, d = (s1615(neuron.value(name)) for name in "abcd")
    h, trace = 1.0, []
    for _ in range(150):
        fixed = 140.0 + 12.0 - u
        eta = v + 0.5 * h * (fixed + (5.0 + 0.040008544921875 * v) * v)
        beta = 0.5 * h * (b * v - u) * a
        v, u = (
            v + h * (fixed - beta + (5.0 + 0.040008544921875 * eta) * eta),
            u + a * h * (-u - beta + b * eta),
        )
        h = 1.0
        if v >= 30.0:
            v, u, h = c, u + d, 1.85
        trace.append(v)
    ours = recording.traces[hidden.name, "v"][0, :, 0]
    np.testing.assert_allclose(ours[:40], trace[:40], atol=0.05)
    assert abs(int(recording.spikes_per_neuron[hidden.name][0]) - trace.count(float(c))) <= 1


def test_thresholds_make_up_for_the_reset(spikes_in: SpikingNetwork, fitted: Report) -> None:
    """Layers fire as often as those that reset by subtraction, where without it they do not."""
    x, _ = bc.load_data("digits", split="test")
    first = spikes_in.populations[0].name
    wanted = bc.simulate(spikes_in, x[:50], progress=False).spikes_per_image[first].sum()
    plain = examine(spikes_in, "spinnaker").network
    lost = bc.simulate(plain, x[:50], progress=False).spikes_per_image[first].sum()
    matched = bc.simulate(fitted.network, x[:50], progress=False).spikes_per_image[first].sum()
    assert lost < 0.99 * wanted
    assert matched == pytest.approx(wanted, rel=0.01)


def test_classes_stay(fitted: Report) -> None:
    """On images that it has not seen, the restricted network is right as often."""
    x, y = bc.load_data("digits", split="test")
    restricted = bc.simulate(fitted.network, x[:100], progress=False).accuracy(y[:100])
    unrestricted = bc.simulate(fitted.source, x[:100], progress=False).accuracy(y[:100])
    assert restricted >= unrestricted - 0.03


def test_slower_network_has_the_same_spikes() -> None:
    """A quarter of the current in four times the steps: as many spikes in the first layer."""
    network = spinnaker_networks.digits("digits_mlp", code=bc.RateCode(clamp=0))
    x = spinnaker_networks.images(network, 3)
    first = network.populations[0].name
    counts = [
        bc.simulate(n, x, progress=False).spikes_per_neuron[first]
        for n in (network, slowed(network, 4))
    ]
    below = counts[0] < 3 * 0.9 * network.n_steps  # one spike a step is the most there can be
    assert counts[0][below].sum() > 100
    assert np.abs(counts[0] - counts[1])[below].max() <= 3


@pytest.mark.parametrize(
    ("expected", "factor"), [(0.0, 2**15), (0.9, 2**15), (1.0, 2**14), (3.0, 2**13), (4.0, 2**12)]
)
def test_weight_scale(expected: float, factor: float) -> None:
    """The largest sum lies below a power of two, of which there is as much again above it."""
    scale = weight_scale(expected)
    assert scale.factor == factor
    assert scale.capacity > 2 * expected
    weight = np.array([-expected / 3, 0.0, expected / 3])
    assert np.abs(stored(weight, scale) - weight).max() <= scale.resolution / 2


@pytest.mark.parametrize(("pool", "padding"), [(1, 0), (1, 1), (2, 0), (2, 2)])
def test_convolution_as_a_list(pool: int, padding: int) -> None:
    """The list that NEST gets is the operator; the board's flipped kernel gives the same."""
    size = 3 if padding < 2 else 5
    kernel = np.random.default_rng(0).normal(size=(size, size, 2, 3))
    edge, inner = 8, 8 // pool
    inside = conv((inner, inner, 2), kernel, padding="same" if padding else "valid")
    operator = compose(AveragePool((edge, edge, 2), (pool, pool)), inside) if pool > 1 else inside
    behind = inside.out_shape[0]
    pre, post, weight = spinnaker_synapses.convolution(kernel, edge, behind, pool, padding)
    matrix = np.zeros((operator.n_in, operator.n_out))
    np.add.at(matrix, (pre, post), weight)
    np.testing.assert_allclose(matrix, operator.matrix().toarray(), atol=1e-6)
    units = np.round(kernel[::-1, ::-1].transpose(2, 3, 0, 1) * 1000).astype(np.int64)
    words_ = spinnaker_board.convolution(units, edge, behind, pool, padding)
    found = words_.reshape(matrix.shape) / 1000 / pool**2
    np.testing.assert_allclose(found, matrix, atol=1e-3)


def test_changes_within_a_sample_are_impossible(spikes_in: SpikingNetwork) -> None:
    name = spikes_in.populations[0].name
    network = spikes_in.replace(changes=(Change(50, name, "i_offset", 0.1),))
    report = examine(network, "spinnaker")
    assert report.verdict is Verdict.IMPOSSIBLE
    with pytest.raises(ExportError, match="in the middle of a sample"):
        _ = report.network


def test_noise_is_impossible(spikes_in: SpikingNetwork) -> None:
    noisy = bc.noise.disturb(spikes_in, bc.noise.ThermalNoise(300.0, tau=10.0))
    report = examine(noisy, "spinnaker")
    assert report.verdict is Verdict.IMPOSSIBLE


def test_weights_of_one_population_share_a_scale(spikes_in: SpikingNetwork) -> None:
    """Neurons with different capacitances would need weights of their own: refused, with reason."""
    first, *others = spikes_in.populations
    uneven = replace(first, parameters={**first.parameters, "c_m": np.linspace(1.0, 2.0, 64)})
    report = examine(spikes_in.replace(populations=(uneven, *others)), "spinnaker")
    with pytest.raises(ExportError, match="different c_m"):
        _ = report.network


def test_clamped_layers_start_at_once() -> None:
    """Layers that the code holds back are not held back; the report says so."""
    network = spinnaker_networks.digits("digits_mlp")
    assert network.changes
    report = examine(network, "spinnaker")
    assert not report.network.changes
    assert all(p.start_step == 0 for p in report.network.populations)
    texts = [f.text for f in report.findings if f.aspect == "scheduled changes"]
    assert len(texts) == 1 and "not held back" in texts[0]


def test_weights_below_zero_on_a_conductance_are_impossible() -> None:
    """The board has no receptor for them: they would not be written at all."""
    network = spinnaker_networks.conductances()
    first, *others = network.projections
    wrong = replace(first, operator=first.operator.map_weights(lambda w: -w))
    assert examine(network, "spinnaker").verdict is Verdict.APPROXIMATED
    report = examine(network.replace(projections=(wrong, *others)), "spinnaker")
    with pytest.raises(ExportError, match="no weights below 0"):
        _ = report.network


def test_neurons_are_told_apart_by_their_equations() -> None:
    """A neuron under another name is on the board what it is under its own."""
    neurons = (IntegrateAndFire(), LeakyIntegrateAndFire("subtraction"), Izhikevich())
    for neuron in neurons:
        renamed = replace(neuron.model, name="mine")
        both = [
            on_board(bc.network.Population("p", (2,), model), 1.0)[0]
            for model in (neuron.model, renamed)
        ]
        assert subtracts(renamed) == subtracts(neuron.model)
        assert both[0].model == both[1].model


@pytest.mark.parametrize(("dt", "slower"), [(10.0, 1), (1.0, 1), (0.5, 2), (0.3, 4), (0.1, 10)])
def test_short_steps_slow_the_board_down(
    dt: float, slower: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """sPyNNaker is told the factor that the report names."""
    told: dict[str, float] = {}
    simulator = SimpleNamespace(setup=lambda **given: told.update(given))
    monkeypatch.setitem(sys.modules, "pyNN.spiNNaker", simulator)
    Network(dt, {}, {}, [], {}).setup(dt)
    assert told["time_scale_factor"] == slower
    network = spinnaker_networks.digits("digits_mlp").replace(dt=dt)
    texts = [f.text for f in examine(network, "spinnaker").findings if f.aspect == "step"]
    assert len(texts) == (slower > 1) and all(f" {slower} times slower" in t for t in texts)
