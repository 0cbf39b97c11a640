"""A neuron under other names converts to the same network, whose spikes are the same."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from other_names import renamed
from small_graphs import mlp

import bioconv as bc
from bioconv.codes import FirstSpikeCode, RateCode
from bioconv.codes.common.driving import Ask, synapses
from bioconv.codes.common.suitability import is_perfect, neuron_problems
from bioconv.codes.rate.curve import activation_curve, fingerprint
from bioconv.network import Population, SpikingNetwork
from bioconv.neurons import (
    IntegrateAndFire,
    Izhikevich,
    LeakyIntegrateAndFire,
    Neuron,
    library,
    with_noise,
)
from bioconv.neurons.language.identity import Renaming, with_names
from bioconv.neurons.library.integrate_and_fire import subtracts
from bioconv.neurons.library.synapses import KINDS
from bioconv.neurons.response.integrators import integrating
from bioconv.neurons.response.transfer import charge, fi_curve, fit_drive
from bioconv.simulators.stimulation import stimulate

X = np.random.default_rng(3).random((40, 6))
GRAPH = mlp(np.random.default_rng(2), (6, 5, 3))

NEURONS: dict[str, Neuron] = {
    **{name: make(synapse="exponential", tau_syn=8.0) for name, make in library().items()},
    "perfect": IntegrateAndFire(),
    "perfect_value": IntegrateAndFire("value", "alpha"),
    "perfect_conductance": IntegrateAndFire("value", "conductance"),
    "leaky_delta": LeakyIntegrateAndFire("subtraction", "delta", t_ref=2.0),
    "leaky_conductance": LeakyIntegrateAndFire("value", "conductance_alpha"),
    "noisy": with_noise(LeakyIntegrateAndFire(synapse="exponential", tau_syn=8.0), 100.0),
}
#: those whose curves are measured in a second or two
FAST = (
    "integrate_and_fire",
    "leaky_integrate_and_fire",
    "izhikevich",
    "perfect",
    "perfect_value",
    "leaky_conductance",
)


def converted(neuron: Neuron, **options: object) -> SpikingNetwork:
    return bc.convert(GRAPH, calibration=X, code=RateCode(**options), neuron=neuron)


def assert_same_networks(before: SpikingNetwork, after: SpikingNetwork, new: Renaming) -> None:
    """Up to the names of the neuron; populations that are no such neurons are as they were."""

    def names(population: str) -> dict[str, str]:
        own = after.population(population).model.name.startswith("other")
        return dict(new.names) if own else {}

    assert (before.dt, before.n_steps) == (after.dt, after.n_steps)
    for one, other in zip(before.populations, after.populations, strict=True):
        own = names(one.name)
        assert other.start_step == one.start_step and other.max_rate == one.max_rate
        np.testing.assert_array_equal(other.scale, one.scale)
        for kind in ("parameters", "initial"):
            given = {own.get(key, key): value for key, value in getattr(one, kind).items()}
            assert getattr(other, kind).keys() == given.keys()
            for key, value in given.items():
                np.testing.assert_array_equal(getattr(other, kind)[key], value, err_msg=key)
    for one, other in zip(before.projections, after.projections, strict=True):
        receptors = new.receptors if names(one.post) else {}
        assert other.receptor == receptors.get(one.receptor, one.receptor)
        assert other.delay_steps == one.delay_steps
        np.testing.assert_array_equal(other.operator.matrix().data, one.operator.matrix().data)
    for one, other in zip(before.changes, after.changes, strict=True):
        own = names(one.population)
        assert (other.step, other.variable) == (one.step, own.get(one.variable, one.variable))
        np.testing.assert_array_equal(other.value, one.value)
    record = [{k: v for k, v in net.code.items() if k != "neuron"} for net in (before, after)]
    assert record[0] == record[1]


@pytest.mark.parametrize(
    "name",
    [name if name in FAST else pytest.param(name, marks=pytest.mark.slow) for name in NEURONS],
)
def test_conversion_and_spikes_do_not_depend_on_names(name: str) -> None:
    other, new = renamed(NEURONS[name])
    options = {"correction": False, "noise": "none"}
    networks = converted(NEURONS[name], **options), converted(other, **options)
    assert_same_networks(*networks, new)
    one, two = (
        bc.simulate(
            network,
            X[:2],
            record={p.name: ("counts",) for p in network.populations},
            progress=False,
        )
        for network in networks
    )
    for population, counts in one.counts.items():
        np.testing.assert_array_equal(two.counts[population], counts)
    for readout, output in one.outputs.items():
        np.testing.assert_array_equal(two.outputs[readout], output)
    assert sum(counts.sum() for counts in one.counts.values())


@pytest.mark.parametrize(
    ("name", "synapse"),
    [
        (name, synapse)
        for name, make in library().items()
        for synapse in KINDS[make().model.parameter("i_offset").unit]
    ],
)
def test_what_conversion_asks_of_a_neuron_does_not_depend_on_names(name: str, synapse: str) -> None:
    neuron = library()[name](synapse=synapse)
    other, new = renamed(neuron)
    assert subtracts(other.model) == subtracts(neuron.model)
    assert (integrating(other.model) is None) == (integrating(neuron.model) is None)
    assert is_perfect(other) == is_perfect(neuron)
    assert fingerprint(other).rpartition("-")[2] == fingerprint(neuron).rpartition("-")[2]
    asked = Ask(0.1, 20.0)
    problems = [[p.reason for p in neuron_problems(n, asked)] for n in (neuron, other)]
    assert problems[0] == problems[1]
    if not problems[0]:
        start = float(np.ravel(Population("p", (1,), neuron.model).starts("v"))[0])
        found = [synapses(n, 0.1, start + 1.0) for n in (neuron, other)]
        for one, two in zip(*found, strict=True):
            assert two == replace(one, receptor=new.receptors[one.receptor])


@pytest.mark.parametrize("readout", ["potential", "count"])
@pytest.mark.parametrize("neuron", [IntegrateAndFire("value"), LeakyIntegrateAndFire()])
def test_other_options_do_not_ask_names_either(neuron: Neuron, readout: str) -> None:
    options = {"readout": readout, "clamp": 3, "input": "regular", "max_rate": 100.0}
    other, new = renamed(neuron)
    assert_same_networks(converted(neuron, **options), converted(other, **options), new)


def test_noise_that_the_code_adds_does_not_ask_names() -> None:
    neuron = LeakyIntegrateAndFire(synapse="exponential", tau_syn=8.0)
    other, new = renamed(neuron)
    networks = [converted(n, noise=50.0, correction=False) for n in (neuron, other)]
    assert_same_networks(networks[0], networks[1], new)


def test_the_default_of_codes_with_neurons_of_their_own_is_known_by_its_equations() -> None:
    other, _ = renamed(IntegrateAndFire())
    network = bc.convert(GRAPH, calibration=X, code=FirstSpikeCode(), neuron=other)
    assert network.populations


def test_a_name_makes_no_integrator() -> None:
    """The name of the perfect integrator, with half of its capacitance in the equations."""
    model = IntegrateAndFire().model
    edited = replace(model, equations=model.equations.replace("/ c_m", "/ (0.5 * c_m)"))
    assert edited.equations != model.equations
    assert integrating(model) is not None and integrating(edited) is None
    assert "drive_rms" in converted(Neuron(edited), max_rate=100.0).code


def test_curves_under_arbitrary_names() -> None:
    """Names in another alphabetical order: the same but for rounding."""
    neuron = LeakyIntegrateAndFire("value", "conductance")
    names = {name: f"u{99 - place}" for place, name in enumerate(sorted(neuron.model.names))}
    other = Neuron(replace(with_names(neuron.model, names, {"exc": "b", "inh": "a"}), name="other"))
    currents = np.linspace(0, 2000, 30)
    rates = [fi_curve(n, currents, dt=0.5) for n in (neuron, other)]
    np.testing.assert_allclose(rates[1], rates[0], rtol=1e-9)
    assert rates[0].max() > 50
    for old, new in (("exc", "b"), ("inh", "a")):
        assert charge(other, new, 0.5, -55.0) == charge(neuron, old, 0.5, -55.0)
    current = 1000.0
    one, two = (stimulate(n, current, duration=50.0) for n in (neuron, other))
    np.testing.assert_allclose(two.traces[names["v"]], one.traces["v"], rtol=1e-9)


def test_closed_forms_do_not_ask_names() -> None:
    neuron = IntegrateAndFire(v_th=2.0, c_m=3.0)
    other, _ = renamed(neuron)
    assert fit_drive(other, 100.0, 1.0) == fit_drive(neuron, 100.0, 1.0)
    assert subtracts(other.model)
    assert not subtracts(renamed(IntegrateAndFire("value"))[0].model)


def test_fingerprints_differ_in_the_name_only() -> None:
    neuron = Izhikevich()
    other, new = renamed(neuron)
    digests = {fingerprint(entry).rpartition("-")[2] for entry in (neuron, other)}
    assert len(digests) == 1
    slower = Neuron(other.model, {**other.parameters, new.names["a"]: 0.05})
    assert fingerprint(slower).rpartition("-")[2] not in digests


def test_a_network_trained_with_a_curve_takes_the_neuron_under_another_name() -> None:
    neuron = LeakyIntegrateAndFire(synapse="exponential")
    other, new = renamed(neuron)
    curve = activation_curve(neuron)
    trained = replace(
        GRAPH,
        layers=tuple(
            replace(entry, function=curve) if number < len(GRAPH.layers) - 1 else entry
            for number, entry in enumerate(GRAPH.layers)
        ),
    )
    networks = [
        bc.convert(trained, calibration=X, code=RateCode(), neuron=n) for n in (neuron, other)
    ]
    assert_same_networks(networks[0], networks[1], new)
