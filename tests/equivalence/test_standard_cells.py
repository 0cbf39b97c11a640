"""PyNN's standard cells: start values, images apart, convergence, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

import bioconv as bc
from bioconv.analog import Affine, GraphInput, Term
from bioconv.export.cells import GENERATED, cell_for, choose_cells, standard_cells
from bioconv.ground.errors import ExportError, SimulationError
from bioconv.network import Input, Projection, SpikingNetwork
from bioconv.network.recording import Recording
from bioconv.neurons import (
    AdaptiveExponential,
    Izhikevich,
    LeakyIntegrateAndFire,
    Neuron,
    TraubMiles,
)
from bioconv.operators import Dense
from bioconv.simulators.stimulation import single_neurons, stimulate
from bioconv.studies.comparison import Case, cases, network_of

NEURONS = ("leaky_integrate_and_fire", "adaptive_exponential", "izhikevich", "traub_miles")
ABSENT = {"nest": {"IF_curr_delta"}, "neuron": {"IF_curr_delta"}, "pynn.brian2": set()}
SIMULATORS = ["nest", "neuron", pytest.param("pynn.brian2", marks=pytest.mark.slow)]


@pytest.fixture(scope="module")
def standard() -> dict[str, Case]:
    """One case for each standard cell."""
    chosen = [case for case in cases(NEURONS) if case.neuron.model.standard_cell]
    return {case.neuron.model.standard_cell: case for case in chosen}  # the variants win


def present(chosen: list[Case], factors: list[float], simulator: str) -> Recording:
    network = replace(network_of(chosen), n_steps=500)
    x = {
        entry.name: np.stack([factor * case.currents[0] for factor in factors])
        for entry, case in zip(network.inputs, chosen, strict=True)
    }
    record = {population.name: ("spikes", "v") for population in network.populations}
    return bc.simulate(network, x, simulator=simulator, record=record, progress=False)


@pytest.mark.parametrize("simulator", SIMULATORS)
def test_images_do_not_see_each_other(standard: dict[str, Case], simulator: str) -> None:
    """The first image leaves neurons in the middle of spikes, and spikes under way."""
    pytest.importorskip("pyNN")
    chosen = [case for cell, case in standard.items() if cell not in ABSENT[simulator]]
    assert len(chosen) >= len(standard_cells()) - 1
    both, alone = present(chosen, [1.7, 1.0], simulator), present(chosen, [1.0], simulator)
    assert sum(len(raster.step) for raster in alone.rasters.values()) > 200
    for name, raster in alone.rasters.items():
        later = both.rasters[name].image == 1
        np.testing.assert_array_equal(both.rasters[name].step[later], raster.step, name)
        np.testing.assert_array_equal(both.rasters[name].neuron[later], raster.neuron, name)
        apart = np.abs(both.traces[name, "v"][1] - alone.traces[name, "v"][0])
        # Not exactly 0: NEST's adaptive integrators remember the length of their last step.
        assert np.quantile(apart, 0.95) < 1e-4


STARTS: list[tuple[Neuron, dict[str, float]]] = [
    (Izhikevich(synapse="delta", kind="low_threshold_spiking"), {"v": -60.0, "u": -9.0}),
    (
        AdaptiveExponential(synapse="conductance", v_peak=-42.0),
        {"v": -65.0, "w": 400.0, "g_exc": 5.0, "g_inh": 20.0},
    ),
    (TraubMiles(synapse="conductance"), {"v": -60.0, "m": 0.1, "h": 0.6, "n": 0.4}),
    (LeakyIntegrateAndFire(synapse="conductance"), {"v": -60.0, "g_exc": 30.0, "g_inh": 1.0}),
]


def starting_network() -> SpikingNetwork:
    """Neurons that do not start at rest."""
    network = single_neurons(STARTS[0][0], [0.0, 1.0], dt=0.01, n_steps=100)
    (population,) = network.populations
    others = tuple(
        replace(
            population,
            name=f"{population.name}{n or ''}",
            model=neuron.model,
            parameters=neuron.parameters,
            initial=start,
        )
        for n, (neuron, start) in enumerate(STARTS)
    )
    return replace(network, populations=others)


@pytest.mark.parametrize("simulator", SIMULATORS)
def test_start_values_arrive(simulator: str) -> None:
    """After a millisecond in short steps the potential is where the array simulator has it."""
    pytest.importorskip("pyNN")
    network = starting_network()
    record = {population.name: ("v",) for population in network.populations}
    run = partial(bc.simulate, network, np.zeros((1, 1)), record=record, progress=False)
    expected, found = run(dtype="float64"), run(simulator=simulator)
    for population in network.populations:
        trace = expected.traces[population.name, "v"]
        moved = np.abs(trace - population.initial["v"]).max()
        assert moved > 0.3
        np.testing.assert_allclose(
            found.traces[population.name, "v"], trace, atol=0.02 * moved, err_msg=population.name
        )


def spike_times(neuron: Neuron, current: float, simulator: str, dt: float) -> np.ndarray:
    return stimulate(neuron, current, duration=150.0, dt=dt, simulator=simulator).spike_times[0]


CONVERGING = {
    "IF_cond_exp": (LeakyIntegrateAndFire(synapse="conductance", t_ref=0.8), 1100.0),
    "EIF_cond_exp_isfa_ista": (AdaptiveExponential(synapse="conductance", v_peak=-45.0), 1200.0),
    "Izhikevich": (Izhikevich(synapse="delta"), 10.0),
    "HH_cond_exp": (TraubMiles(synapse="conductance"), 300.0),
}


@pytest.mark.slow
@pytest.mark.parametrize("cell", CONVERGING)
def test_neuron_converges_in_first_order(cell: str) -> None:
    """NEURON's backward Euler: a quarter of the step, about a quarter of the error.

    The reference is the array simulator with two short steps, extrapolated to none, since its own
    error is of first order too.  Spikes lie on the grid of steps, hence the wide limits.
    """
    pytest.importorskip("neuron")
    neuron, current = CONVERGING[cell]
    assert neuron.model.standard_cell == cell
    short, shorter = (spike_times(neuron, current, "array", dt) for dt in (0.0125, 0.00625))
    exact = 2 * shorter - short
    errors = []
    for dt in (0.1, 0.025):
        found = spike_times(neuron, current, "neuron", dt)
        assert len(found) == len(exact) > 2
        errors.append(float(np.abs(found - exact).max()))
    assert 0.1 < errors[1] / errors[0] < 0.5, errors


def test_neuron_refuses_what_backward_euler_cannot_follow() -> None:
    """Without the refusal spikes get lost: NEURON's step throws v far down instead."""
    neuron = AdaptiveExponential(synapse="conductance")
    with pytest.raises(ExportError, match=r"v_peak = -41\.3 mV"):
        stimulate(neuron, 1000.0, duration=1.0, dt=0.1, simulator="neuron")
    with pytest.raises(ExportError, match=r"dt is below 0\.135 ms"):
        stimulate(Izhikevich(synapse="delta"), 10.0, duration=1.0, dt=0.2, simulator="neuron")


def test_fixed_parameters_and_hidden_start_values_are_refused() -> None:
    network = single_neurons(Izhikevich(synapse="delta", v_peak=35.0), dt=0.1)
    assert "its value is always 30" in str(cell_for(network.populations[0], network, "neuron"))
    assert cell_for(network.populations[0], network, "nest") == GENERATED
    neuron = LeakyIntegrateAndFire(synapse="alpha")
    network = single_neurons(neuron, dt=0.1)
    late = replace(network.populations[0], initial={"i_syn": 3.0})
    assert "i_syn of IF_curr_alpha always starts at 0" in str(cell_for(late, network, "neuron"))


def test_brian2_cells_that_share_a_parameter() -> None:
    neuron = Izhikevich(synapse="delta", d=np.array([2.0, 8.0]))
    network = single_neurons(neuron, [0.0, 0.0], dt=0.1)
    assert "share one d" in str(cell_for(network.populations[0], network, "brian2"))
    assert cell_for(network.populations[0], network, "neuron") == "Izhikevich"


@pytest.mark.slow
def test_brian2_cells_of_a_network_do_not_disturb_each_other(standard: dict[str, Case]) -> None:
    """They share equations in PyNN, which Brian2 numbers: the last ones made would win."""
    pytest.importorskip("pyNN")
    chosen = [standard[cell] for cell in ("IF_cond_exp", "HH_cond_exp")]
    network = replace(network_of(chosen), n_steps=250)
    record = {population.name: ("spikes", "v") for population in network.populations}
    x = {f"x_{case.name}_{case.synapse}": case.currents[0][None] for case in chosen}
    run = partial(bc.simulate, network, x, record=record, dtype="float64", progress=False)
    expected, found = run(), run(simulator="pynn.brian2")
    for (name, variable), trace in expected.traces.items():
        np.testing.assert_allclose(found.traces[name, variable], trace, atol=1e-7, err_msg=name)


def test_weights_below_zero_on_a_conductance_have_no_standard_cell() -> None:
    network = single_neurons(LeakyIntegrateAndFire(synapse="conductance"), [0.0, 0.0], dt=0.1)
    (population,) = network.populations
    for low, expected in ((-1.0, GENERATED), (0.0, "IF_cond_exp")):
        operator = Dense((2,), np.array([[low, 1.0], [1.0, 1.0]]))
        loop = Projection(population.name, population.name, operator, "exc")
        assert cell_for(population, replace(network, projections=(loop,)), "nest") == expected


def test_nest_counts_time_in_tics() -> None:
    network = single_neurons(LeakyIntegrateAndFire(), dt=0.0125)
    with pytest.raises(ExportError, match="0.0125 ms is not a multiple"):
        choose_cells(network, "nest")
    assert choose_cells(network, "neuron")


def converging(n_sources: int) -> SpikingNetwork:
    """Sources that fire in every step and meet in one alpha synapse."""
    neuron = LeakyIntegrateAndFire(synapse="alpha", tau_syn=2.0)
    network = single_neurons(neuron, dt=0.5, n_steps=60)
    (population,) = network.populations
    dense = Dense((n_sources,), np.full((n_sources, 1), 0.01))
    affine = Affine((Term("x", dense),), np.zeros(1), (1,))
    layer = replace(network.analog.layers[0], inputs=(affine,))
    return replace(
        network,
        inputs=(Input("x", (n_sources,), "regular"),),
        projections=(Projection("x", population.name, dense, "syn"),),
        analog=replace(network.analog, inputs=(GraphInput("x", (n_sources,)),), layers=(layer,)),
    )


@pytest.mark.parametrize(("n_sources", "lost"), [(12, False), (20, True)])
def test_lost_spikes_on_neuron_are_an_error(n_sources: int, lost: bool) -> None:
    """PyNN's alpha synapse on NEURON forgets spikes without a word; 20 tau are 80 steps."""
    pytest.importorskip("neuron")
    run = partial(bc.simulate, converging(n_sources), np.ones((1, n_sources)), progress=False)
    if lost:
        with pytest.raises(SimulationError, match="store at most 999"):
            run(simulator="neuron")
    else:
        assert run(simulator="neuron").n_images == 1
