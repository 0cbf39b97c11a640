"""What is expected at conversion is what is measured, for published models and every code."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest
from published import CARRIED, samples

import bioconv as bc
from bioconv import codes
from bioconv.codes.common.expectation import compare
from bioconv.ground.errors import AccuracyWarning, ConversionError
from bioconv.network.agreement import RUN

#: those that rates do not carry, and deeper ones
MORE = [
    ("curiousily_fraud_autoencoder/model.h5", "normal"),
    *((f"akamaster_cifar10_resnet{n}/resnet{n}.keras", "cifar10") for n in (20, 32, 44, 56)),
]
MODELS = [*((file, data) for file, data, _, _ in CARRIED), *MORE]
#: samples that are run, and neurons times steps times samples that a cell may take
_SAMPLES, _NEURON_STEPS = 500, 300_000_000
#: largest difference that is not one of chance
_TOLERANCE = 0.02


def cell(folder: Path, file: str, data: str, code: str) -> tuple[float | None, float, list[int]]:
    """Expected agreement, measured agreement, and how many samples were run for either of them."""
    graph = bc.read(folder / "models" / file)
    calibration, x = samples(folder, data, graph.inputs[0].shape, _SAMPLES)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AccuracyWarning)
        network = bc.convert(graph, calibration=calibration, code=codes.make(code))
    expected = network.code.get("expected_agreement")
    if expected is None:
        return None, np.nan, []
    n = int(np.clip(_NEURON_STEPS // (network.n_neurons * network.n_steps), 8, len(x)))
    exact = graph.predict(x[:n])
    outputs = exact if isinstance(exact, dict) else {graph.outputs[0]: exact}
    recording = bc.simulate(network, x[:n], progress=False)
    _, measured = compare(
        [outputs[name] for name in graph.outputs],
        [np.asarray(recording.outputs[readout.name]) for readout in network.readouts],
        list(network.decisions().values()),
    )
    # an expectation that no run gave has no error of chance
    run = network.code.get(RUN)
    return float(expected), measured, [n, int(run)] if run else [n]


def by_chance(share: float, numbers: list[int]) -> float:
    """Twice the standard deviation of a share, or of the difference of two, of so many samples."""
    return 2.0 * float(np.sqrt(sum(max(share * (1.0 - share), 1.0 / n) / n for n in numbers)))


@pytest.mark.slow
@pytest.mark.parametrize("code", codes.converting())
@pytest.mark.parametrize(("file", "data"), MODELS, ids=[file for file, _ in MODELS])
def test_agreement_is_predicted(shared_data: Path, file: str, data: str, code: str) -> None:
    try:
        expected, measured, numbers = cell(shared_data, file, data, code)
    except ConversionError:
        pytest.skip(f"not carried by {code}")
    if expected is None:
        pytest.skip("a run that says what to expect would take minutes")
    print(f"{file} {code}: expected {expected:.4f}, measured {measured:.4f} on {numbers} samples")
    assert abs(expected - measured) <= _TOLERANCE + by_chance(measured, numbers)
