"""The stand-in of pynn_brainscales refuses what the real one and its chip refuse."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest


@pytest.fixture
def sim(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The stand-in, set up."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent / "stand_in"))
    import pynn_brainscales.brainscales2 as module

    module.setup()
    yield module
    for name in [name for name in sys.modules if name.startswith("pynn_brainscales")]:
        del sys.modules[name]


def pair(sim: ModuleType, n_pre: int = 2, n_post: int = 3):
    """Sources and neurons."""
    sources = sim.Population(n_pre, sim.cells.SpikeSourceArray(spike_times=[0.01, 0.02]))
    return sources, sim.Population(n_post, sim.cells.CalibHXNeuronCuba())


def project(sim: ModuleType, pre, post, receptor: str = "excitatory", **synapse: float):
    kind = sim.standardmodels.synapses.StaticSynapse(**synapse)
    mask = np.ones((pre.size, post.size), bool)
    connector = sim.ArrayConnector(mask)
    return sim.Projection(pre, post, connector, synapse_type=kind, receptor_type=receptor)


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("v_rest", 50, 160),
        ("v_reset", 50, 160),
        ("v_thresh", 50, 220),
        ("tau_m", 0.5, 60),
        ("tau_syn_E", 0.3, 30),
        ("tau_syn_I", 0.3, 30),
        ("cm", 0, 63),
        ("tau_refrac", 0.04, 32),
        ("i_synin_gm_E", 30, 800),
        ("i_synin_gm_I", 30, 800),
        ("synapse_dac_bias", 30, 1022),
    ],
)
def test_parameters_lie_in_their_ranges(
    sim: ModuleType, name: str, low: float, high: float
) -> None:
    for value in (low, high, [low, high]):
        sim.cells.CalibHXNeuronCuba(**{name: value})
    for value in (low * 0.9 - 1, high * 1.1, [low, high * 1.1]):
        with pytest.raises(ValueError, match=name):
            sim.cells.CalibHXNeuronCuba(**{name: value})


def test_potentials_are_whole_and_parameters_known(sim: ModuleType) -> None:
    with pytest.raises(ValueError, match="whole"):
        sim.cells.CalibHXNeuronCuba(v_rest=80.5)
    with pytest.raises(TypeError, match="i_offset"):
        sim.cells.CalibHXNeuronCuba(i_offset=1.0)


def test_signs_belong_to_receptors(sim: ModuleType) -> None:
    sources, neurons = pair(sim)
    for receptor, weight in (("excitatory", -1), ("inhibitory", 1)):
        with pytest.raises(sim.ConnectionError, match="wrong sign"):
            project(sim, sources, neurons, receptor, weight=weight)
        good = project(sim, sources, neurons, receptor, weight=-weight)
        with pytest.raises(sim.ConnectionError, match="wrong sign"):
            good.set(weight=np.full((2, 3), weight))


def test_there_are_no_delays_and_no_parts_of_a_weight(sim: ModuleType) -> None:
    sources, neurons = pair(sim)
    with pytest.raises(ValueError, match="delay"):
        project(sim, sources, neurons, weight=1, delay=1e-3)
    with pytest.raises(ValueError, match="whole"):
        project(sim, sources, neurons, weight=1).set(weight=np.full((2, 3), 1.5))
    with pytest.raises(NotImplementedError, match="astray"):
        project(sim, sources, neurons, weight=np.ones((2, 3)))


def test_the_chip_has_512_neurons(sim: ModuleType) -> None:
    sim.Population(512, sim.cells.CalibHXNeuronCuba())
    sim.run(0.001)
    sim.reset()
    sim.Population(1, sim.cells.CalibHXNeuronCuba())
    with pytest.raises(RuntimeError, match="512"):
        sim.run(0.001)


def test_a_neuron_has_256_synapses_and_large_weights_take_several(sim: ModuleType) -> None:
    sources, neurons = pair(sim, n_pre=64)
    made = project(sim, sources, neurons, weight=4 * 63)
    sim.run(0.001)
    sim.reset()
    made.set(weight=np.full((64, 3), 4 * 63 + 1))
    with pytest.raises(RuntimeError, match="320 synapses"):
        sim.run(0.001)


def test_rows_are_excitatory_or_inhibitory(sim: ModuleType) -> None:
    sources, neurons = pair(sim, n_pre=129)
    project(sim, sources, neurons, weight=1)
    project(sim, sources, neurons, "inhibitory", weight=-1)
    with pytest.raises(RuntimeError, match="258 synapses"):
        sim.run(0.001)


def test_some_parameters_are_those_of_the_chip(sim: ModuleType) -> None:
    sim.Population(1, sim.cells.CalibHXNeuronCuba())
    sim.Population(1, sim.cells.CalibHXNeuronCuba(i_synin_gm_E=400))
    with pytest.raises(RuntimeError, match="i_synin_gm_E"):
        sim.run(0.001)


def test_there_is_one_run_after_a_reset(sim: ModuleType) -> None:
    pair(sim)
    sim.run(0.001)
    with pytest.raises(RuntimeError, match="reset"):
        sim.run(0.001)


def test_only_spikes_are_recorded_of_all_neurons(sim: ModuleType) -> None:
    _, neurons = pair(sim)
    with pytest.raises(ValueError, match="ADC"):
        neurons.record(["v"])


def test_assemblies_and_synapses_of_sources_are_refused(sim: ModuleType) -> None:
    sources, neurons = pair(sim)
    with pytest.raises(sim.ConnectionError, match="no synapses"):
        project(sim, neurons, sources, weight=1)
    with pytest.raises(NotImplementedError, match="assemblies"):
        synapse = sim.standardmodels.synapses.StaticSynapse(weight=1)
        sim.Projection([sources], neurons, sim.AllToAllConnector(), synapse_type=synapse)


def test_a_weight_lifts_the_potential_as_the_strength_says(sim: ModuleType) -> None:
    """Regular spikes of weight w hold the mean potential w * strength * rate * tau_syn * tau_m
    above rest: the neuron fires where that is above the threshold (Campbell's theorem)."""
    times = np.arange(1, 2000) * 0.5e-3  # ms: every half microsecond
    source = sim.Population(1, sim.cells.SpikeSourceArray(spike_times=times))
    weights = np.arange(1, 9)
    neurons = sim.Population(8, sim.cells.CalibHXNeuronCuba(v_rest=80, v_thresh=150))
    neurons.record(["spikes"])
    synapse = sim.standardmodels.synapses.StaticSynapse(weight=1)
    made = sim.Projection(source, neurons, sim.AllToAllConnector(), synapse_type=synapse)
    made.set(weight=weights[None, :])
    sim.run(1.0)
    fires = [len(train) > 0 for train in neurons.get_data("spikes").segments[-1].spiketrains]
    mean = 80 + weights * sim.STRENGTH * 2.0 * 10.0 * 10.0
    np.testing.assert_array_equal(fires, mean > 150)
