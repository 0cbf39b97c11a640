"""One contract for every neuron of the library with every synapse."""

from __future__ import annotations

import re

import numpy as np
import pytest
from stepping import run

from bioconv import neurons
from bioconv.ground.errors import ParameterError
from bioconv.neurons.language.evaluation import evaluate
from bioconv.neurons.language.update import update_of
from bioconv.neurons.library.synapses import KINDS

# Current at which each neuron fires at some 50 Hz, or as fast as it can; in pA or without unit.
CURRENTS = {
    "integrate_and_fire": 0.05,
    "leaky_integrate_and_fire": 1200.0,
    "quadratic_integrate_and_fire": 120.0,
    "exponential_integrate_and_fire": 90.0,
    "adaptive_exponential": 1400.0,
    "izhikevich": 22.0,
    "quartic": 0.8,
    "mihalas_niebur": 150.0,
    "resonate_and_fire": 10.5,
    "hodgkin_huxley": 750.0,
    "traub_miles": 250.0,
    "morris_lecar": 600.0,
    "fitzhugh_nagumo": 0.5,
    "hindmarsh_rose": 4.0,
}
DIMENSIONLESS = {"quartic", "resonate_and_fire", "fitzhugh_nagumo", "hindmarsh_rose"}
CASES = [
    (name, synapse)
    for name in neurons.library()
    for synapse in KINDS["1" if name in DIMENSIONLESS else "pA"]
]


def test_the_library_has_the_neurons_of_the_field():
    assert neurons.library().keys() == CURRENTS.keys()
    assert set(neurons.ALIASES.values()) <= neurons.library().keys()
    for alias, name in neurons.ALIASES.items():
        assert neurons.make(alias).model == neurons.library()[name]().model
    assert neurons.make("adex", {"kind": "tonic", "b": 7.0}).value("b") == 7.0


def test_unknown_names_are_refused_with_the_valid_ones():
    with pytest.raises(ParameterError, match=r"no neuron 'lf'. Valid: .*izhikevich.*lif \(leaky"):
        neurons.make("lf")
    with pytest.raises(ParameterError, match="kind must be one of regular_spiking, .*fast_spiking"):
        neurons.Izhikevich(kind="fs")
    with pytest.raises(ParameterError, match="synapse must be one of delta, exponential, alpha. "):
        neurons.FitzHughNagumo(synapse="conductance")
    with pytest.raises(ParameterError, match="no parameter 'kind'"):
        neurons.make("lif", {"kind": "fast"})


def test_every_model_has_its_own_name():
    names = [neurons.make(name, {"synapse": synapse}).model.name for name, synapse in CASES]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(("name", "synapse"), CASES)
def test_the_declaration_is_complete(name, synapse):
    model = neurons.make(name, {"synapse": synapse}).model
    unit = "1" if name in DIMENSIONLESS else "mV"
    assert (model.states[0].name, model.states[0].unit) == ("v", unit)
    assert model.parameter(model.current).unit == {"1": "1", "mV": "pA"}[unit]
    assert model.current == "i_offset" and model.parameter("i_offset").default == 0
    assert re.search(r"\b(19|20)\d\d\b", model.source)
    assert model.crossing == (not model.reset)
    assert model.dt_default > 0 or model.method == "exact" or name == "integrate_and_fire"
    text = " ".join([model.equations, model.threshold, model.reset, model.refractory])
    used = set(re.findall(r"\w+", text)) | {s.initial for s in model.states}
    for parameter in model.parameters:
        assert parameter.name in used and len(parameter.meaning) > 5
    conductance = synapse.startswith("conductance")
    assert [r.name for r in model.receptors] == (["exc", "inh"] if conductance else ["syn"])
    assert {r.unit for r in model.receptors} == (
        {"nS"} if conductance else {unit} if synapse == "delta" else {"1" if unit == "1" else "pA"}
    )


@pytest.mark.parametrize(
    ("name", "synapse"),
    [
        pytest.param(*case, marks=() if place % 2 == 0 else pytest.mark.slow)
        for place, case in enumerate(CASES)
    ],
)
def test_it_is_silent_at_rest_and_fires_when_driven(name, synapse):
    """In single precision; one input spike lifts the potential, and it comes back."""
    neuron = neurons.make(name, {"synapse": synapse})
    receptor = neuron.model.receptors[0]
    weight = {"pA": 0.1 * CURRENTS[name], "nS": 0.01, "mV": 0.1, "1": 0.01}[receptor.unit]
    if name == "integrate_and_fire" and synapse == "delta":
        weight = 0.01
    weights = {receptor.name: [0.0, 0.0, weight]}
    found = run(neuron, [0.0, CURRENTS[name], 0.0], 500.0, dtype="float32", weights=weights)
    quiet, driven, _ = found.counts()
    assert found.finite and quiet == 0 and driven >= 3
    v = found.traces["v"]
    assert (v[:400, 2] - v[:400, 0]).max() > 1e-3 * weight
    assert abs(v[-1, 2] - v[-1, 0]) < 0.1 or name == "integrate_and_fire"


@pytest.mark.parametrize("name", CURRENTS)
def test_it_starts_at_rest(name):
    neuron = neurons.make(name)
    v = run(neuron, [0.0], 500.0).traces["v"][:, 0]
    # An exponential integrate-and-fire neuron rests a little above the reversal potential.
    scale = 1.2 if name == "exponential_integrate_and_fire" else 0.02
    assert np.ptp(v) < scale


@pytest.mark.parametrize(
    ("name", "synapse"),
    [*((name, "exponential") for name in CURRENTS), ("lif", "conductance")],
)
def test_half_the_step_gives_nearly_the_same_rate(name, synapse):
    current = CURRENTS[neurons.ALIASES.get(name, name)]
    neuron = neurons.make(name, {"synapse": synapse})
    dt = neuron.model.dt_default or 0.5
    if neuron.model.refractory:
        neuron = neurons.make(name, {"synapse": synapse, "t_ref": 2.0})
    coarse, fine = (run(neuron, [current], 1200.0, step).rates(400.0) for step in (dt, dt / 2))
    assert fine[0] > 5
    assert coarse == pytest.approx(fine, rel=0.04)


@pytest.mark.parametrize("name", CURRENTS)
def test_strong_input_leaves_it_finite(name):
    """Ten times the current, of both signs; what inhibits does not excite."""
    strong = run(
        neurons.make(name), np.array([10.0, -10.0]) * CURRENTS[name], 200.0, None, "float32"
    )
    assert strong.finite
    assert strong.counts()[1] == 0


@pytest.mark.parametrize("name", CURRENTS)
def test_parameters_may_differ_from_neuron_to_neuron(name):
    scalar = neurons.make(name)
    names = [p.name for p in scalar.model.parameters]
    names = [n for n in names if n not in (scalar.model.refractory, "i_offset")]
    same = neurons.make(name, {n: np.repeat(scalar.value(n), 2) for n in names})
    currents = np.array([0.0, CURRENTS[name]])
    np.testing.assert_array_equal(
        run(same, currents, 100.0).spikes, run(scalar, currents, 100.0).spikes
    )


@pytest.mark.parametrize("name", ["eif", "adex", "qif", "izhikevich", "quartic"])
@pytest.mark.parametrize("sharp", [False, True])
def test_the_step_of_a_spike_may_overflow(name, sharp):
    """Just below the cut, single precision; with ``sharp`` the exponential is infinite."""
    neuron = neurons.make(name, {"delta_t": 0.1} if sharp and name in ("eif", "adex") else {})
    model, update = neuron.model, update_of(neuron.model)
    parameters = {p.name: neuron.value(p.name) for p in model.parameters}
    constants = update.constants(parameters, model.dt_default)
    below = np.nextafter(np.float32(parameters["v_peak"]), np.float32(-1e9))
    state = {s.name: np.float32(0.0) for s in model.states} | {"v": below}
    values = {k: np.float32(v) for k, v in constants.items()} | {"t": 0.0}
    after, _, fired = update.step(state, np.zeros((), int), values, {}, 0)
    assert fired and all(np.isfinite(v) for v in after.values())
    scope = {k: np.float64(v) for k, v in {**constants, **state, "t": 0.0}.items()}
    with np.errstate(over="ignore"):  # the same in NumPy, in double precision
        for target, node in update.phases.update:
            scope[target] = evaluate(node, scope, np)
    assert scope[dict(update.discrete.updates)["v"]] > parameters["v_peak"]
    others = [new for old, new in update.discrete.updates if old != "v"]
    assert all(np.isfinite(scope[new]) for new in others)
