"""What is said of a neuron is what its declaration says."""

from __future__ import annotations

import numpy as np
import pytest
from later import later

import bioconv as bc
from bioconv.simulators import SIMULATORS
from bioconv.simulators.stimulation import default_step

plots = later("bioconv.plots.neuron_models")


@pytest.mark.parametrize("name", sorted(bc.neurons.library()))
def test_every_neuron_is_described(name: str) -> None:
    neuron = bc.neurons.make(name)
    description = bc.describe_neuron(name)
    text = str(description)
    assert description.equations == neuron.model.equations
    assert [row["name"] for row in description.parameters] == [
        parameter.name for parameter in neuron.model.parameters
    ]
    for parameter in neuron.model.parameters:
        assert parameter.meaning in text
    assert neuron.model.source in text
    assert {row["simulator"] for row in description.simulators} == set(SIMULATORS)
    assert all(row["how"] for row in description.simulators)


def test_a_step_is_recommended_only_where_the_model_needs_one() -> None:
    assert bc.describe_neuron("lif").dt is None
    assert "recommended step: any\n" in str(bc.describe_neuron("lif"))
    step = bc.neurons.HodgkinHuxley().model.dt_default
    assert f"recommended step: {step:g} ms\n" in str(bc.describe_neuron("hodgkin_huxley"))


def test_list_has_one_line_of_each() -> None:
    rows = bc.list_neurons()
    assert [row["neuron"] for row in rows] == list(bc.neurons.library())
    assert all(row["summary"] and row["source"] for row in rows)


def test_how_a_neuron_runs_is_what_the_export_does() -> None:
    how = {
        row["simulator"]: row["how"]
        for row in bc.describe_neuron("lif", {"reset": "value"}).simulators
    }
    assert how["neuron"] == "standard cell IF_curr_exp"
    how = {
        row["simulator"]: row["how"]
        for row in bc.describe_neuron("lif", {"reset": "subtraction"}).simulators
    }
    assert how["neuron"].startswith("no: ")
    assert how["nest"].startswith("generated")


def test_pictures_have_units_and_show_the_spikes() -> None:
    neuron = bc.neurons.LeakyIntegrateAndFire()
    figure = bc.plots.voltage_traces(neuron, [700.0, 1500.0], duration=100.0)
    assert [axes.get_ylabel() for axes in figure.axes] == ["v (mV)", "v (mV)"]
    assert figure.axes[-1].get_xlabel() == "time (ms)"
    assert figure.axes[0].get_title(loc="left") == "700 pA: 0 spikes"  # rheobase is 750 pA
    assert figure.axes[1].get_title(loc="left").startswith("1500 pA: ")


def test_curve_is_that_of_the_closed_form() -> None:
    neuron = bc.neurons.LeakyIntegrateAndFire()
    curve = plots.working_range(neuron)
    (axes,) = bc.plots.frequency_current(neuron, curve).axes
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("i_offset (pA)", "firing rate (Hz)")
    assert curve.rates.max() == pytest.approx(150.0, rel=0.1)
    fires = curve.currents > 760.0
    interval = 20.0 * np.log(curve.currents[fires] / (curve.currents[fires] - 750.0))
    interval = np.ceil(interval / default_step(neuron)) * default_step(neuron)
    assert np.allclose(curve.rates[fires], 1e3 / interval, rtol=0.02)
