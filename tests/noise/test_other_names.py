"""No imperfection asks what anything is called: models, their parts, populations, layers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from dynamic_networks import chain
from renaming import content, renamed
from sample_networks import analog_graph, images

import bioconv as bc
from bioconv import neurons, noise
from bioconv.ground.errors import ConversionError
from bioconv.network import Change, SpikingNetwork
from bioconv.neurons import Parameter, Receptor
from bioconv.neurons.language import roles
from bioconv.noise import disturb
from bioconv.noise.axon import axons_of, settings_of
from bioconv.noise.once import fires_once

#: amplitudes that are no shares; all others are 0.2
AMPLITUDES: Mapping[str, float] = {"delay": 1.0, "fan_in": 3, "time_step": 2.0, "weight_bits": 3}
#: what the library's targets do not reach
MORE: Mapping[str, noise.Imperfection] = {
    "drifting_leak": noise.Drift("leak", 0.2),
    "drifting_slope": noise.Drift("slope", 0.2),
    "stochastic_bits": noise.WeightQuantization(3, rounding="stochastic"),
    "transistors_of_time_constants": noise.TransistorMismatch("time_constant", a_vt=2.0),
    "rails": noise.StateSaturation(-0.5, 2.0),
}
CODES = {
    "rate": bc.RateCode(),
    "first_spike": bc.FirstSpikeCode(threshold="dynamic"),
    "first_spike_exact": bc.FirstSpikeExactCode(),
    "silent": bc.FirstSpikeExactCode(inactive="silent", ramp="own"),
    "phase": bc.OscillationCode(),
    "few_spikes": bc.FewSpikesCode(),
    "sigma_delta": bc.SigmaDeltaCode(),
    "population": bc.PopulationCode(n=3),
}
#: what delays a network asks every model how it waits, which is compiled: three codes suffice
DELAYING = {"delay", "jitter", "spike_loss", "spurious_spikes"}
#: several of each kind, one on top of the other
ALL = (
    noise.SpikeLoss(0.1),
    noise.SpikeJitter(0.3),
    noise.ShotNoise(1.0),
    noise.FlickerNoise(0.05, tau_min=10.0, tau_max=100.0),
    noise.StateSaturation(-1.0, 3.0),
    noise.FixedPointState(2.0**-12),
    noise.Mismatch("threshold", 0.1),
    noise.Mismatch("weight", 0.1),
    noise.DeadNeurons(0.1),
    noise.SpuriousSpikes(5.0),
    noise.DelayMismatch(0.5),
)


@pytest.fixture(scope="module")
def networks() -> dict[str, SpikingNetwork]:
    """A small network of every code, and one of leaky neurons."""
    graph, x = analog_graph(), images()
    steps = {"rate": 60}
    made = {
        name: bc.convert(graph, calibration=x, code=code, n_steps=steps.get(name))
        for name, code in CODES.items()
    }
    made["leaky"] = bc.convert(
        graph, calibration=x, neuron=neurons.LeakyIntegrateAndFire(), n_steps=50
    )
    return made


def imperfections() -> dict[str, noise.Imperfection]:
    library = {n: make(AMPLITUDES.get(n, 0.2)) for n, make in noise.LIBRARY.items()}
    return {**library, **MORE}


def result(network: SpikingNetwork, *entries: noise.Imperfection) -> list[object]:
    """What the disturbed network does, or how many places are in the way."""
    try:
        return content(disturb(network, *entries, seed=5))
    except ConversionError as error:
        return [len(error.problems)]


@pytest.mark.parametrize("name", imperfections())
def test_other_names_are_the_same_network(name: str, networks: dict[str, SpikingNetwork]) -> None:
    entry, changed = imperfections()[name], 0
    chosen = ("rate", "first_spike_exact", "leaky") if name in DELAYING else tuple(networks)
    for network in map(networks.__getitem__, chosen):
        found = result(network, entry)
        assert result(renamed(network), entry) == found
        changed += len(found) > 1 and found != content(network)
    assert changed


@pytest.mark.slow
def test_imperfections_on_top_of_each_other(networks: dict[str, SpikingNetwork]) -> None:
    """Also where the network is renamed between two of them, so that axons have other names."""
    instant = tuple(e for e in ALL if e.site not in ("spikes", "delays"))
    for name, entries in (("first_spike_exact", ALL), ("leaky", instant)):
        found = result(networks[name], *entries)
        assert len(found) > 1
        assert result(renamed(networks[name]), *entries) == found
        half = disturb(networks[name], *entries[:3], seed=5)
        assert result(renamed(half), *entries[3:]) == result(half, *entries[3:])


def test_spikes_are_the_same(networks: dict[str, SpikingNetwork]) -> None:
    """Populations keep their names: the simulator draws by these."""
    network = networks["first_spike_exact"]
    pair = [network, renamed(network, populations=False)]
    rasters = []
    for network in (disturb(n, *ALL, seed=5) for n in pair):
        record = {p.name: ("spikes",) for p in network.populations if p.model.threshold}
        found = bc.simulate(network, images(3), record=record, seed=1, progress=False)
        rasters.append(found.rasters)
    assert rasters[0].keys() == rasters[1].keys()
    assert sum(len(r.step) for r in rasters[0].values()) > 20
    for key, raster in rasters[0].items():
        for field in ("image", "step", "neuron"):
            np.testing.assert_array_equal(getattr(raster, field), getattr(rasters[1][key], field))


@pytest.mark.parametrize("target", ["v_th", "v_rest", "tau_m", "t_ref", "i_offset"])
def test_a_parameter_is_asked_for_by_the_name_that_it_has(
    target: str, networks: dict[str, SpikingNetwork]
) -> None:
    network = networks["leaky"]
    with_period = network.replace(
        populations=tuple(
            replace(p, parameters={**p.parameters, "t_ref": 4.0}) if p.model.threshold else p
            for p in network.populations
        )
    )
    cells = with_period.populations[0].model
    other = {target: "another"}
    models = [neurons.language.identity.with_names(p.model, other) for p in with_period.populations]
    populations = [
        replace(
            p,
            model=model,
            parameters={other.get(k, k): v for k, v in p.parameters.items()},
        )
        for p, model in zip(with_period.populations, models, strict=True)
    ]
    changes = [replace(c, variable=other.get(c.variable, c.variable)) for c in with_period.changes]
    named = with_period.replace(populations=tuple(populations), changes=tuple(changes))
    assert target in cells.names
    found = result(with_period, noise.Mismatch(target, 0.3))
    assert found != content(with_period)
    assert result(named, noise.Mismatch("another", 0.3)) == found


def test_an_integrator_called_axon_loses_spikes() -> None:
    """What is no axon by declaration is none, whatever it is called."""
    network = chain(200)
    cells, out = network.populations
    called = replace(cells, model=replace(cells.model, name="axon_initial_segment"))
    lossy = disturb(network.replace(populations=(called, out)), noise.SpikeLoss(0.9))
    assert axons_of(lossy) == {"cells": "cells_axon"}
    assert settings_of(lossy, "cells_axon").loss == pytest.approx(0.9)


def test_axons_that_were_edited_are_refused() -> None:
    lossy = disturb(chain(3), noise.SpikeLoss(0.1))
    axon = lossy.population("cells_axon")
    edited = replace(axon, model=replace(axon.model, threshold="s > 0.5"))
    network = lossy.replace(
        populations=tuple(edited if p is axon else p for p in lossy.populations)
    )
    with pytest.raises(ConversionError, match="equations are not those of an axon"):
        disturb(network, noise.SpikeLoss(0.1))


@pytest.fixture
def pooled() -> SpikingNetwork:
    """Cells that fire once: a mark keeps them from a second spike."""
    from bioconv.codes.first_spike_exact.neurons import FirstSpikePool

    network, model = chain(2), FirstSpikePool().model
    cells = replace(network.populations[0], model=model, initial={}, parameters={})
    return network.replace(populations=(cells, network.populations[1]), drives=())


@pytest.mark.parametrize(
    ("edit", "once"),
    [
        ({}, True),
        ({"threshold": "v >= v_th and not (v < 0*mV) and 0.5 >= fired"}, True),
        ({"threshold": "(v >= v_th and fired < 1) and t >= 0*ms"}, True),
        ({"reset": "fired = 1\nfired = -1"}, False),
        ({"reset": "fired += 1"}, False),
        ({"reset": "v = 0*mV"}, False),
        ({"threshold": "v >= v_th or fired < 0.5"}, False),
        ({"threshold": "v >= v_th and fired < 2"}, False),
        ({"threshold": "v >= v_th and fired <= 1"}, False),
        ({"equations": "dv/dt = 0*volt/second : volt\ndfired/dt = -fired*Hz : 1"}, False),
        ({"after": "fired = 0"}, False),
        ({"receptors": (Receptor("syn", "v", "mV"), Receptor("wipe", "fired", "1"))}, False),
    ],
)
def test_who_fires_once(pooled: SpikingNetwork, edit: dict[str, object], once: bool) -> None:
    cells = replace(pooled.populations[0], model=replace(pooled.populations[0].model, **edit))
    network = pooled.replace(populations=(cells, pooled.populations[1]))
    assert fires_once(network, cells) == once
    jittered = disturb(network, noise.SpikeJitter(1.0)).population("cells_axon").model
    assert len(jittered.states) == (3 if once else 1 + 9)


def test_a_mark_that_is_wiped_out_later_forbids_nothing(pooled: SpikingNetwork) -> None:
    wiped = pooled.replace(changes=(Change(20, "cells", "fired", 0.0),))
    assert not fires_once(wiped, wiped.populations[0])
    cells = pooled.populations[0]
    begin = Parameter("begin", 0.0, "ms", "First spike", moment=True, role=roles.RELEASE)
    late = replace(
        cells,
        model=replace(
            cells.model,
            threshold=f"({cells.model.threshold}) and t >= begin",
            parameters=(*cells.model.parameters, begin),
        ),
        parameters={"begin": 20.0},
    )
    held = wiped.replace(populations=(late, wiped.populations[1]))
    assert fires_once(held, late)
    again = wiped.replace(
        populations=(replace(late, parameters={"begin": 19.0}), held.populations[1])
    )
    assert not fires_once(again, again.populations[0])


def test_a_short_refractory_period_later_on_allows_a_second_spike() -> None:
    network = chain(2, neurons.IntegrateAndFire(t_ref=500.0))
    assert fires_once(network, network.populations[0])
    shorter = network.replace(changes=(Change(3, "cells", "t_ref", 1.0),))
    assert not fires_once(shorter, shorter.populations[0])


def test_gates_of_the_population_code_have_a_model_of_their_own() -> None:
    """And their thresholds are none of devices."""
    from bioconv.codes.population.neurons import Threshold, ThresholdGate

    gate, neuron = ThresholdGate().model, Threshold().model
    assert (gate.kind, neuron.kind) == (roles.MAX_GATE, roles.SPIKING)
    assert neurons.language.identity.same(gate, neuron)
    network = chain(2)
    cells = replace(network.populations[0], model=gate, parameters={}, initial={})
    gated = network.replace(populations=(cells, network.populations[1]), drives=())
    with pytest.raises(ConversionError, match="no threshold that could vary"):
        disturb(gated, noise.Mismatch("threshold", 0.1))
    named = disturb(gated, noise.Mismatch("threshold", 0.1, populations=("cells",)))
    assert np.ptp(named.population("cells").parameters["v_th"]) > 0
