"""The formulas of the readouts against numbers worked out by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bioconv.export.support import readouts
from bioconv.ground.decisions import LARGEST

POINTS = np.array([1, 2, 3, 4, 6])
GENERATOR = np.random.default_rng(0)


def described(kind: str, **more: Any) -> dict[str, Any]:
    settings: dict[str, Any] = {
        "kind": kind,
        "scale": np.array([0.5, 0.5]),
        "offset": np.array([3.0, 3.0]),
        "max_rate": 1000.0,
        "start_step": 2,
        "initial": None,
        "rate": 0.0,
    }
    return settings | more


def test_first_spikes_are_read_from_the_start_step_on() -> None:
    # Neuron 1 spikes too early (step 1), then in steps 3 and 4; neuron 0 in step 5.
    steps, neurons = np.array([1, 3, 4, 5]), np.array([1, 1, 1, 0])
    found = readouts.decode(described("first_spike"), steps, neurons, None, POINTS, 0.1, GENERATOR)
    assert np.isnan(found[:3]).all()  # nothing before the first spike after the start
    # offset - scale * elapsed; a silent neuron spikes now at best
    np.testing.assert_allclose(found[3], [3 - 0.5 * 0.2, 3 - 0.5 * 0.1])
    np.testing.assert_allclose(found[4], [3 - 0.5 * 0.3, 3 - 0.5 * 0.1])
    assert LARGEST.decide_known(found, (2,)).tolist() == [-1, -1, -1, 1, 1]


def test_no_first_spike_is_no_output() -> None:
    none = np.zeros(0, np.int64)
    found = readouts.decode(described("first_spike"), none, none, None, POINTS, 0.1, GENERATOR)
    assert np.isnan(found).all()


def test_a_level_is_not_divided_by_time() -> None:
    potential = np.outer(np.arange(6.0), [1.0, -2.0])
    settings = described("level", initial=np.array([1.0, 1.0]))
    none = np.zeros(0, np.int64)
    found = readouts.decode(settings, none, none, potential, POINTS, 0.1, GENERATOR)
    assert np.isnan(found[:2]).all()  # up to the start step
    np.testing.assert_allclose(found[2:], 0.5 * (potential[[2, 3, 5]] - 1.0) + 3.0)


def test_a_level_needs_the_potential() -> None:
    none = np.zeros(0, np.int64)
    with pytest.raises(ValueError, match="needs the membrane potential"):
        readouts.decode(described("level"), none, none, None, POINTS, 0.1, GENERATOR)


@pytest.mark.parametrize("kind", ["softmax", "accumulated_softmax"])
def test_what_competes_in_a_softmax(kind: str) -> None:
    """The mean value 0.5 v / n + offset in every step, or n times as much over 0.5 after n."""
    n_steps = 4000
    elapsed = np.arange(1.0, n_steps + 1)
    rise = np.array([1.5, -0.5]) if kind == "softmax" else np.array([2.0, -1.0]) / n_steps
    offset = np.array([0.0, 0.2]) if kind == "softmax" else np.array([0.0, 0.2]) / n_steps
    settings = described(kind, offset=offset, initial=np.zeros(2), rate=1000.0, start_step=0)
    mean = 0.5 * rise + offset
    value = np.outer(np.ones(n_steps), mean) if kind == "softmax" else np.outer(elapsed, mean / 0.5)
    chance = 1 / (1 + np.exp(value[:, 1] - value[:, 0]))
    none, points, potential = np.zeros(0, np.int64), np.array([n_steps]), np.outer(elapsed, rise)
    generator = np.random.default_rng(4)
    found = readouts.decode(settings, none, none, potential, points, 1.0, generator)[0]
    assert found.sum() == pytest.approx(1.0)
    assert found[0] == pytest.approx(chance.mean(), abs=5 * 0.5 / n_steps**0.5)
