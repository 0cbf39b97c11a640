"""The clamped rectification: Keras's own formula, files, and conversion."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from later import later

import bioconv as bc
from bioconv.ground.errors import ParameterError

keras = later("keras")

X = np.random.default_rng(0).normal(0, 1, (20, 6)).astype(np.float32)


@pytest.fixture(scope="module")
def model() -> Any:
    keras.utils.set_random_seed(0)
    return keras.Sequential(
        [
            keras.Input((6,)),
            keras.layers.Dense(8),
            bc.keras.ClampedReLU(0.2, 1.5),
            keras.layers.Dense(5, activation=bc.keras.ClampedReLU()),
            keras.layers.Dense(3),
        ]
    )


def test_it_is_what_keras_computes_with_threshold_and_limit() -> None:
    x = np.linspace(-2, 3, 101, dtype=np.float32)
    expected = keras.layers.ReLU(max_value=1.5, threshold=0.2)(x)
    np.testing.assert_array_equal(bc.keras.ClampedReLU(0.2, 1.5)(x), expected)


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_files_come_back_and_are_read(suffix: str, model: Any, tmp_path: Path) -> None:
    path = tmp_path / f"model{suffix}"
    model.save(path)
    again = keras.models.load_model(path, safe_mode=True)
    np.testing.assert_array_equal(again.predict(X, verbose=0), model.predict(X, verbose=0))
    np.testing.assert_allclose(bc.read(path).predict(X), model.predict(X, verbose=0), atol=1e-5)


def test_the_first_spike_code_carries_it_and_others_say_why_not(model: Any) -> None:
    network = bc.convert(model, calibration=X, code=bc.FirstSpikeCode())
    changes = [change for change in network.changes if change.variable == "v_th"]
    # of each layer: within reach from the time of its highest value to that of its lowest
    assert [change.value < 1e6 for change in changes] == [True, False] * 2
    with pytest.raises(bc.errors.ConversionError, match=r"with threshold 0.2 is discontinuous"):
        bc.convert(model, calibration=X, code=bc.OscillationCode())


@pytest.mark.parametrize("bounds", [(-0.1, 1.0), (1.0, 1.0), (0.0, np.inf), ("0", 1.0)])
def test_wrong_bounds_are_refused(bounds: Any) -> None:
    with pytest.raises(ParameterError, match="0 <= lowest < highest. Received: lowest="):
        bc.keras.ClampedReLU(*bounds)
