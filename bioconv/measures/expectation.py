"""How well a network is expected to agree with the analog one, found by running it.

Codes whose spikes depend on the order in which input arrives have no function that says what they
represent (`bioconv.codes.common.expectation`), so that a short run on calibration data takes its
place.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from bioconv.codes.common.expectation import (
    Expectation,
    compare,
    largest_error,
    n_samples_of,
)
from bioconv.measures.diagnosis import carried_layers, decode
from bioconv.network import SpikingNetwork
from bioconv.network.agreement import ENOUGH
from bioconv.network.recording import Recording

#: product of neurons, steps and samples up to which more samples are run
_NEURON_STEPS = 100_000_000
#: product of neurons, steps and samples above which a run would take minutes
_LONGEST = 4_000_000_000
#: most samples, and fewest of networks that are large and of those that are very large
_MOST, _FEW, _FEWEST = 1024, 16, 4


def expect_by_run(
    network: SpikingNetwork, calibration: Mapping[str, NDArray], seed: int = 0
) -> Expectation | None:
    """Return what to expect of a network, from a run on a few samples.

    Parameters
    ----------
    network : SpikingNetwork
    calibration : mapping of str to ndarray
        Samples by the name of each input of the analog network; at most 1024 are used, and fewer
        of a large network or a long run, but at least 4.
    seed : int
        Of random numbers in the run.

    Returns
    -------
    Expectation or None
        None if a run would take much longer than the conversion.  Its weakest layer, named only if
        the agreement is below 0.99, is the one with the largest increase of the error of decoded
        activations.
    """
    from bioconv.simulators import simulate

    n = _n_samples(network.n_neurons * network.n_steps)
    if n < _FEWEST:
        return None
    samples = {name: x[:n] for name, x in calibration.items()}
    n_run = len(next(iter(samples.values())))
    pairs = zip(network.inputs, network.analog.inputs, strict=True)
    given = {entry.name: samples[analog.name] for entry, analog in pairs}
    # with the records from the start, because another run would be compiled anew
    record = {p.name: (p.decoded_from,) for p in network.populations if p.layer}
    recording = simulate(network, given, seed=seed, record=record, progress=False)
    analog = network.analog.activations(samples, network.analog.outputs)
    _, agreement = compare(
        [analog[name] for name in network.analog.outputs],
        [np.asarray(recording.outputs[readout.name]) for readout in network.readouts],
        list(network.decisions().values()),
    )
    if agreement >= ENOUGH:
        return Expectation(agreement, n_run=n_run)
    return Expectation(agreement, _weakest(network, recording, samples), n_run)


def _n_samples(size: int) -> int:
    """Return the number of samples that are run if each takes ``size`` steps of neurons."""
    return min(n_samples_of(size, _MOST, _NEURON_STEPS, _FEW), _LONGEST // max(size, 1))


def _weakest(network: SpikingNetwork, recording: Recording, samples: Mapping[str, NDArray]) -> str:
    """Return the layer after which the error of decoded activations has increased most."""
    carried = set(carried_layers(network).values())
    layers = [e.name for e in network.analog.layers if e.name in carried]
    hidden = [name for name in layers if name not in network.analog.outputs]
    exact = network.analog.activations(samples, hidden)
    before, increase = 0.0, {}
    for name in hidden:
        missed = decode(network, recording, name) - exact[name]
        error = float(np.sqrt(np.mean(missed**2))) / (float(np.std(exact[name])) or 1.0)
        increase[name] = error - before
        before = max(before, error)
    return largest_error(increase)
