"""What is said of layers before anything runs comes from the conversion itself."""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
import pytest
from later import later

import bioconv as bc
from bioconv.ground.errors import ConversionError, Problem

pytestmark = pytest.mark.skipif(not find_spec("panel"), reason="panel is not installed")
preview = later("bioconv.app.preview")


def test_every_population_has_a_row_in_the_order_of_the_layers() -> None:
    graph = bc.read(bc.models.load("digits_cnn"))
    images = np.random.default_rng(0).random((20, *graph.inputs[0].shape))
    network = bc.convert(graph, calibration=images, progress=False)
    rows = preview.layer_rows(graph, network)
    assert {row["population"] for row in rows} == {p.name for p in network.populations}
    assert [row["layer"] for row in rows] == [p.layer or p.name for p in network.populations]
    assert rows[0]["becomes"] == f"{network.populations[0].n_neurons:,} spiking neurons"


def test_layers_that_the_conversion_refuses_are_those_of_its_error() -> None:
    import keras

    model = keras.Sequential(
        [keras.Input((6,)), keras.layers.Dense(4, "tanh", name="bent"), keras.layers.Dense(3)]
    )
    graph = bc.read(model)
    x = np.random.default_rng(0).random((20, 6))
    with pytest.raises(ConversionError) as caught:
        bc.convert(graph, calibration=x, code=bc.codes.make("first_spike_exact"), progress=False)
    rows = preview.refused_rows(graph, caught.value.problems)
    refused = {row["layer"] for row in rows if row["can spike"] == "no"}
    assert refused == {problem.where for problem in caught.value.problems}
    assert all(row["why not"] for row in rows if row["can spike"] == "no")


def test_a_refused_neuron_says_nothing_of_the_layers() -> None:
    graph = bc.read(bc.models.load("digits_mlp"))
    rows = preview.refused_rows(graph, [Problem("neuron", "hh", "it is special.")])
    assert [row["can spike"] for row in rows if row["layer"] != "neuron"] == [None] * (
        len(rows) - 1
    )
    assert rows[-1] == {"layer": "neuron", "can spike": "no", "why not": "it is special."}
