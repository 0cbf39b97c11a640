"""Neurons that adapt while outputs are read are measured, and warned of before they are run."""

from __future__ import annotations

import warnings

import digits
import numpy as np
import pytest

import bioconv as bc
from bioconv.codes.common.adaptation import MOST_DRIFT, warn_of_drift
from bioconv.codes.common.driving import SETTLE, SPIKES
from bioconv.neurons import make
from bioconv.neurons.response.curves import measure_curve
from bioconv.reports.networks import describe_transfer


@pytest.mark.slow
def test_a_neuron_that_adapts_slowly_is_warned_of() -> None:
    """Hindmarsh-Rose: its first layer falls silent while the second one is read."""
    net = bc.convert(digits.cnn(), calibration=digits.train(), neuron="hindmarsh_rose")
    # Not around `convert`: Brian2 diverts all warnings to its log when it is first imported.
    with pytest.warns(UserWarning, match="hindmarsh_rose adapts with a time constant of 132 ms"):
        warn_of_drift("hindmarsh_rose", net.code)
    assert net.code["adaptation_drift"] > MOST_DRIFT
    # It is run, because functions of steady rates promise far too much.
    x = digits.test(60)
    found = bc.simulate(net, x, progress=False).predictions()
    same = np.mean(found == digits.cnn().predict(x).argmax(axis=1))
    assert float(net.code["expected_agreement"]) == pytest.approx(same, abs=0.15)
    assert net.code["expected_from"] >= 4
    text = "\n".join(describe_transfer(net))
    assert "within the time that is read" in text and "layers after the first do not bear" in text


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", [pytest.param("izhikevich", marks=pytest.mark.slow), "leaky_integrate_and_fire"]
)
def test_others_are_not(name: str) -> None:
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        net = bc.convert(digits.cnn(), calibration=digits.train(), neuron=name)
    assert not any("adapts with" in str(warning.message) for warning in seen)
    assert float(net.code.get("adaptation_drift", 0.0)) < 0.5 * MOST_DRIFT
    assert ("adaptation_drift" in net.code) == (name == "izhikevich")
    assert "do not bear" not in "\n".join(describe_transfer(net))


def test_the_drift_is_that_of_the_rates() -> None:
    """A neuron whose adaptation is 10 times as fast has hardly any; by hand at a few currents."""
    changes = []
    for rate in (0.005, 0.05):
        neuron = make("hindmarsh_rose", {"r": rate})
        currents = np.linspace(1.6, 4.0, 7)
        end = 1e3 * SPIKES / 130.0
        start, middle = SETTLE * end, 0.5 * (1 + SETTLE) * end
        early, late = (
            measure_curve(neuron, currents, dt=0.02, duration=b, discard=a).rates
            for a, b in ((start, middle), (middle, end))
        )
        changes.append(np.sqrt(np.mean((early - late) ** 2) / np.mean((early + late) ** 2 / 4)))
    assert changes[0] > 4 * changes[1]
