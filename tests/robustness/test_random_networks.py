"""Random networks: what is read, converted and simulated is what Keras computes, or it is said.

A network is read by `bioconv.read`, and run with the rate, the exact first-spike and the few-spikes
code on the samples of its calibration.  An output that differs from that of Keras by more than 5 %
of its range without an `AccuracyWarning` is a failure.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from random_keras import network, samples

import bioconv as bc
from bioconv.analog import AnalogGraph
from bioconv.ground.errors import AccuracyWarning, ConversionError

#: networks of the slow run, and of each of its tests
MANY, EACH = 500, 10
#: seeds of small networks of each kind for the default run
FEW = (2, 7, 11)
#: largest error, as a share of the range of an output, of what is read and of what is simulated
EXACT, CLOSE = 1e-5, 0.05
N_SAMPLES = 40
#: code, options of the conversion and of the simulation: those with which errors are small
CODES: Mapping[str, tuple[Any, dict[str, Any], dict[str, Any]]] = {
    "rate": (bc.RateCode(percentile=100.0), {"n_steps": 1000}, {}),
    "first_spike_exact": (bc.FirstSpikeExactCode(), {}, {"simulator": "event"}),
    "few_spikes": (bc.FewSpikesCode(), {}, {}),
}


def largest_error(found: list[np.ndarray], wanted: list[np.ndarray]) -> float:
    """Largest error as a share of the range of an output; 0 for outputs that are constant."""
    errors = [0.0]
    for ours, theirs in zip(found, wanted, strict=True):
        extent, size = float(np.ptp(theirs)), float(np.abs(theirs).max())
        if extent > 1e-6 * size:
            errors.append(float(np.abs(ours.reshape(theirs.shape) - theirs).max()) / extent)
    return max(errors)


def simulated(graph: AnalogGraph, x: list[np.ndarray], code: str) -> list[np.ndarray]:
    chosen, convert, simulate = CODES[code]
    net = bc.convert(graph, calibration=x, code=chosen, **convert)
    recording = bc.simulate(net, x, progress=False, **simulate)
    return [np.asarray(recording.outputs[readout.name]) for readout in net.readouts]


def outcome(graph: AnalogGraph, x: list[np.ndarray], wanted: list[np.ndarray], code: str) -> str:
    """What comes of one code: "same", "said" or "refused", or what is wrong."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            found = simulated(graph, x, code)
        except ConversionError:
            return "refused"
    if any(issubclass(entry.category, AccuracyWarning) for entry in caught):
        return "said"
    error = largest_error(found, wanted)
    return "same" if error <= CLOSE else f"silent error of {100 * error:.1f} %"


def outcomes(seed: int) -> tuple[str, dict[str, str]]:
    """The kind of a network, and what comes of reading it and of every code."""
    kind, model = network(seed)
    x = samples(model, N_SAMPLES, seed)
    wanted = model.predict(x if len(x) > 1 else x[0], verbose=0)
    wanted = wanted if isinstance(wanted, list) else [wanted]
    graph = bc.read(model)
    y = graph.activations(dict(zip((e.name for e in graph.inputs), x, strict=True)), graph.outputs)
    scale = [max(float(np.ptp(theirs)), float(np.abs(theirs).max())) for theirs in wanted]
    for name, theirs, size in zip(graph.outputs, wanted, scale, strict=True):
        np.testing.assert_allclose(y[name], theirs, rtol=0, atol=EXACT * size)
    return kind, {code: outcome(graph, x, wanted, code) for code in CODES}


def check(seeds: range | tuple[int, ...]) -> Counter[str]:
    """Count the outcomes of networks, none of which may be wrong."""
    counts: Counter[str] = Counter()
    wrong = []
    for seed in seeds:
        kind, found = outcomes(seed)
        counts.update(found.values())
        wrong += [
            f"network {seed} ({kind}), {code}: {what}"
            for code, what in found.items()
            if what not in ("same", "said", "refused")
        ]
    print(dict(counts))
    assert not wrong, "\n".join(wrong)
    return counts


def test_a_few_random_networks() -> None:
    assert check(FEW)["same"] >= len(FEW)


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, MANY, EACH))
def test_many_random_networks(first: int) -> None:
    counts = check(range(first, first + EACH))
    # a network of smooth functions is one for the few-spikes code only
    assert counts["same"] >= counts.total() / 4
