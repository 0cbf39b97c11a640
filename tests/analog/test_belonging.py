"""Data that do not belong together are noticed, others are not."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
import pytest
from small_graphs import affine, graph, layer, mlp

import bioconv as bc
from bioconv.analog.belonging import warn_of_calibration
from bioconv.analog.functions import ReLU, Softmax
from bioconv.ground.errors import DataError, DataWarning, ParameterError
from bioconv.operators import Dense

RNG = np.random.default_rng(1)
MODEL = mlp(RNG, (20, 30, 10, 4), last=Softmax())
#: sparse like pictures, dense like measurements
PIXELS = np.clip(RNG.normal(-0.5, 0.6, (200, 20)), 0, 1)
FEATURES = RNG.normal(size=(200, 20))


def simulated(calibration: np.ndarray, x: np.ndarray) -> None:
    network = bc.convert(MODEL, calibration=calibration, n_steps=30)
    bc.simulate(network, x, progress=False)


@pytest.mark.parametrize("data", [PIXELS, FEATURES])
def test_data_that_belong_together_give_no_warning(data: np.ndarray) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", DataWarning)
        simulated(data[:100], data[100:])
        simulated(data[:100], data[100:101])
        simulated(data[:100], 0 * data[100:101])


@pytest.mark.parametrize("data", [PIXELS, FEATURES])
@pytest.mark.parametrize(
    "change",
    [
        lambda a, b: (0.001 * a, b),
        lambda a, b: (1000 * a, b),
        lambda a, b: (a, 3 * b),
        lambda a, b: (a, 30 * b),
        lambda a, b: (a, 255 * b),
        lambda a, b: (255 * a, b),
    ],
)
def test_samples_of_another_range_give_a_warning(data: np.ndarray, change: Callable) -> None:
    calibration, x = change(data[:100], data[100:])
    with pytest.warns(DataWarning, match="input 'x': .* Scale the samples as those of the cal"):
        simulated(calibration, x)


def test_negative_pixels_give_a_warning() -> None:
    with pytest.warns(DataWarning, match="far outside the calibration data: from -1 to 0, not fr"):
        simulated(PIXELS[:100], -PIXELS[100:])


@pytest.mark.parametrize(
    ("calibration", "message"),
    [
        (PIXELS[:1], "1 sample cannot show which activations occur"),
        (PIXELS[:1].repeat(40, axis=0), "all 40 samples are the same"),
        (1e6 * PIXELS[:50], "the output dense_3 is saturated for every sample"),
        (1e-7 * PIXELS[:50], "the output dense_3 is nearly the same for every sample"),
    ],
)
def test_calibration_that_does_not_belong_to_the_network(
    calibration: np.ndarray, message: str
) -> None:
    with pytest.warns(DataWarning, match=message):
        warn_of_calibration(MODEL, {"x": calibration})


def test_silent_layers_are_named() -> None:
    never = affine(("x", Dense((3,), np.ones((3, 4)))), bias=-10.0)
    network = graph(layer("never", ReLU(), never), shape=(3,))
    with pytest.warns(DataWarning, match="never gives zero for every sample"):
        warn_of_calibration(network, {"x": RNG.random((20, 3))})


def test_calibration_without_any_value_is_refused() -> None:
    with pytest.raises(DataError, match="all values are zero"):
        bc.convert(MODEL, calibration=np.zeros((30, 20)))


@pytest.mark.parametrize("dt", [1e-12, 1e6, -1.0, np.nan])
def test_steps_that_no_neuron_can_take_are_refused(dt: float) -> None:
    with pytest.raises(ParameterError, match="dt must be from 1e-06 to 1000 ms"):
        bc.convert(MODEL, calibration=PIXELS, dt=dt)


def test_durations_that_never_end_are_refused() -> None:
    with pytest.raises(ParameterError, match="n_steps must be an integer from 1 to 10,000,000"):
        bc.convert(MODEL, calibration=PIXELS, n_steps=10**15)
    with pytest.raises(ParameterError, match=r"1 to 10,000,000. Received: 1000000000000"):
        bc.simulate(bc.convert(MODEL, calibration=PIXELS), PIXELS[:1], steps=10**12)
    with pytest.raises(ParameterError, match="more than 10,000,000 steps"):
        bc.convert(MODEL, calibration=PIXELS, duration=1e15)
