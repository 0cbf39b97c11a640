"""Options, refusals and the record of the exact first-spike code."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from exact_networks import convert, most_spikes, run
from small_graphs import affine, graph, layer, mlp, residual

import bioconv as bc
from bioconv.analog import AnalogGraph
from bioconv.analog.functions import Linear
from bioconv.codes import FirstSpikeExactCode
from bioconv.ground.errors import ConversionError, ParameterError
from bioconv.network import SpikingNetwork
from bioconv.operators import identity

RNG = np.random.default_rng(3)


def test_wrong_options_are_all_named() -> None:
    with pytest.raises(ParameterError) as caught:
        FirstSpikeExactCode(
            slope="steep", ramp="x", threshold="y", inactive="z", normalization="n", zeta=-1.0,
            percentile=0.0, response="r", tau_1=0.0, tau_2=1.0,
            delta=1.0, b_low=0.0, time_unit=float("nan"), input_range=(1.0, 1.0),
        )  # fmt: skip
    message = str(caught.value)
    for option in FirstSpikeExactCode.__dataclass_fields__:
        assert option in message


def test_other_neurons_are_refused() -> None:
    model = mlp(np.random.default_rng(0))
    with pytest.raises(ConversionError, match="exact first-spike code cannot use this neuron"):
        bc.convert(
            model,
            calibration=RNG.random((5, 6)),
            code=FirstSpikeExactCode(),
            neuron=bc.neurons.LeakyIntegrateAndFire(),
        )


def test_layers_that_cannot_spike_are_named() -> None:
    from bioconv.analog.functions import Softmax

    model = graph(
        layer("soft", Softmax(), affine(("x", identity((4,))))),
        layer("out", Linear(), affine(("soft", identity((4,))))),
        shape=(4,),
    )
    with pytest.raises(ConversionError, match="exact first-spike code does not support 1 layer"):
        convert(model, RNG.random((5, 4)))


def test_duration_chooses_the_time_unit() -> None:
    model, x = mlp(np.random.default_rng(0)), RNG.random((20, 6))
    long = bc.convert(model, calibration=x, code=FirstSpikeExactCode(), n_steps=900)
    assert 850 <= long.n_steps <= 900
    same = bc.convert(model, calibration=x, code=FirstSpikeExactCode(), duration=900 * 0.125)
    assert same.n_steps == long.n_steps
    with pytest.raises(ParameterError, match="n_steps = 3 is too short for 3 consecutive windows"):
        bc.convert(model, calibration=x, code=FirstSpikeExactCode(), n_steps=3)


@pytest.mark.slow
def test_more_steps_than_needed_change_nothing() -> None:
    model, x = mlp(np.random.default_rng(0)), RNG.random((5, 6))
    network = convert(model, x)
    for simulator in ("array", "event"):
        short = run(network, x, simulator)
        long = run(network, x, simulator, steps=network.n_steps + 300)
        np.testing.assert_allclose(short.outputs["dense_3"], long.outputs["dense_3"], atol=1e-12)
        assert most_spikes(long) == 1


def test_the_record_says_what_was_done(tmp_path: Path) -> None:
    model, x = mlp(np.random.default_rng(0)), RNG.random((20, 6))
    network = convert(model, x, input_range=(0.0, 1.0))
    record = network.code
    assert (record["code"], record["slope"], record["inactive"]) == (
        "first_spike_exact",
        "constant",
        "fire",
    )
    assert record["latency_steps"] == network.n_steps
    assert record["latency"] == network.n_steps * network.dt
    network.save(tmp_path / "network.h5")
    again = SpikingNetwork.load(tmp_path / "network.h5")
    assert dict(again.code) == dict(record)
    np.testing.assert_array_equal(
        run(network, x).outputs["dense_3"], run(again, x).outputs["dense_3"]
    )


def test_graph_stays_as_it_was() -> None:
    """Conversion must not change what it converts."""
    model: AnalogGraph = residual(np.random.default_rng(2))
    x = RNG.random((5, 6, 6, 3))
    before = model.predict(x)
    convert(model, x)
    np.testing.assert_array_equal(model.predict(x), before)
