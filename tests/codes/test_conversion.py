"""The verb convert: what it takes, what it refuses and what it says."""

from __future__ import annotations

import numpy as np
import pytest
from small_graphs import affine, layer, mlp

import bioconv as bc
from bioconv.analog import AnalogGraph, GraphInput
from bioconv.analog.functions import Linear, ReLU
from bioconv.ground.errors import ConversionError, DataError, ParameterError
from bioconv.operators import identity

RNG = np.random.default_rng(0)
MODEL = mlp(RNG)
X = RNG.random((20, 6))


def two_inputs() -> AnalogGraph:
    both = affine(("left", identity((4,))), ("right", identity((4,))))
    layers = (
        layer("sum", ReLU(), both),
        layer("out", Linear(), affine(("sum", identity((4,))))),
    )
    inputs = (GraphInput("left", (4,)), GraphInput("right", (4,)))
    return AnalogGraph("two", inputs, layers, ("out",))


@pytest.mark.parametrize(
    ("calibration", "message"),
    [
        (np.zeros((0, 6)), "no samples"),
        (np.zeros((5, 7)), r"Received: \(5, 7\)"),
        (np.full((5, 6), np.nan), "NaN"),
        (np.array([["a"] * 6]), "real numbers"),
    ],
)
def test_calibration_data_are_checked(calibration: np.ndarray, message: str) -> None:
    with pytest.raises(DataError, match=f"(?s)calibration data: .*{message}"):
        bc.convert(MODEL, calibration=calibration)


def test_several_inputs_as_list_or_mapping() -> None:
    left, right = RNG.random((2, 10, 4))
    by_list = bc.convert(two_inputs(), calibration=[left, right])
    by_name = bc.convert(two_inputs(), calibration={"right": right, "left": left})
    for first, second in zip(by_list.populations, by_name.populations, strict=True):
        np.testing.assert_array_equal(first.scale, second.scale)
    assert {entry.input for entry in by_list.drives} == {"left", "right"}
    with pytest.raises(DataError, match="2 inputs"):
        bc.convert(two_inputs(), calibration=left)


def test_bad_arguments_are_reported_together() -> None:
    with pytest.raises(ParameterError) as error:
        bc.convert(MODEL, calibration=X, code="rate", neuron=5, dt=0, n_steps=1.5)  # type: ignore[arg-type]
    for part in ("code must be", "neuron must be", "dt must be", "n_steps must be"):
        assert part in str(error.value)


def test_a_duration_shorter_than_the_depth_is_refused() -> None:
    with pytest.raises(ParameterError, match="starts in step 10.*clamp"):
        bc.convert(MODEL, calibration=X, n_steps=10)


def test_neurons_that_cannot_carry_a_rate() -> None:
    with pytest.raises(ConversionError, match="needs a constant current, a receptor"):
        bc.convert(MODEL, calibration=X, neuron=bc.neurons.MaxGate(3))
    with pytest.raises(ConversionError, match="cannot fire at max_rate = 2000 Hz.*at most 1000"):
        bc.convert(MODEL, calibration=X, code=bc.RateCode(max_rate=2000))
    varied = bc.neurons.IntegrateAndFire(v_th=np.ones(3))
    with pytest.raises(ConversionError, match="v_th has values of shape.*scipy.stats"):
        bc.convert(MODEL, calibration=X, neuron=varied)


def test_the_same_twice_is_the_same() -> None:
    first, second = (bc.convert(MODEL, calibration=X, seed=1) for _ in range(2))
    for one, other in zip(first.projections, second.projections, strict=True):
        np.testing.assert_array_equal(one.operator.edges().weight, other.operator.edges().weight)
    assert dict(first.code) == dict(second.code)


def test_a_time_unit_is_longer_than_a_step() -> None:
    with pytest.raises(ParameterError, match="shorter than a step"):
        bc.convert(MODEL, calibration=X, code=bc.FirstSpikeExactCode(time_unit=0.1))
    assert bc.FirstSpikeExactCode(input_range=np.array([0, 1])).input_range == (0.0, 1.0)


def test_whole_numbers_may_be_written_with_a_point() -> None:
    """As the command line reads them."""
    for code in (bc.FewSpikesCode(k=4.0), bc.SigmaDeltaCode(settle=4.0)):  # type: ignore[arg-type]
        network = bc.convert(MODEL, calibration=X, code=code)
        assert np.isfinite(bc.simulate(network, X[:2], progress=False).outputs["dense_3"]).all()
