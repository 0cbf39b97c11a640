"""Sigma-delta networks over time, for the figures of Yousefzadeh et al."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from bioconv.analog.functions import ReLU
from bioconv.codes import SigmaDeltaCode
from bioconv.codes.common.calibration import LowestValues
from bioconv.codes.common.rewriting import rewrite
from bioconv.codes.sigma_delta.levels import levels_of
from bioconv.conversion import convert
from bioconv.network import Population, Projection, SpikingNetwork
from bioconv.operators import fan_out, n_synapses
from bioconv.paper_figures.frame import Context
from bioconv.paper_figures.workloads import Workload, mnist
from bioconv.simulators import simulate

#: the defaults of the library: scales of channels, finer levels for small layers, 16 time steps
CODE = SigmaDeltaCode()
#: Algorithm 1 as it is printed: one threshold, black and white pixels, counted output spikes; the
#: paper has no time step, and with 64 of them four of the 256 intensities of a pixel share one
PAPER = SigmaDeltaCode(
    threshold=1.0,
    normalization="none",
    balance=False,
    input="binary",
    readout="spikes",
    input_steps=64,
    settle=32,
)
#: spikes per neuron in Table I with threshold 1
PAPER_SPIKES = 0.25


def workload(context: Context, n_images: int, quick: int = 60) -> Workload:
    """Return a convolutional network with max pooling on MNIST, or on digits without the data."""
    return mnist(context, "lenet_maxpool", context.pick(n_images, quick), "digits_cnn")


def n_signed(network: SpikingNetwork, code: SigmaDeltaCode) -> int:
    """Return the number of neurons of the analog network that the populations represent.

    An ON and an OFF cell count as one neuron, and each branch of a pooling neuron counts as one
    (the paper counts all 12,544 neurons of a pooled layer).
    """
    return sum(p.n_neurons // _cells(p) * _branches(p) for p in _neurons(network, code))


def _neurons(network: SpikingNetwork, code: SigmaDeltaCode) -> list[Population]:
    """Return all populations except those that count output spikes."""
    every = code.readout == "potential"
    return [p for p in network.populations if every or p.model.threshold]


def _synapses(network: SpikingNetwork, code: SigmaDeltaCode) -> list[Projection]:
    """Return all projections except those to populations that count output spikes."""
    names = {population.name for population in _neurons(network, code)}
    return [projection for projection in network.projections if projection.post in names]


def _cells(population: Population) -> int:
    return 2 if "polarity" in population.parameters else 1


def _branches(population: Population) -> int:
    return max(sum(state.name.startswith("v") for state in population.model.states), 1)


def operations(network: SpikingNetwork, code: SigmaDeltaCode) -> dict[str, NDArray[np.float64]]:
    """Return the additions caused by a spike of each cell, with ON and OFF targets as one."""
    total = {p.name: np.zeros(p.n_neurons) for p in network.populations}
    for projection in _synapses(network, code):
        cells = _cells(network.population(projection.post))
        total[projection.pre] += fan_out(projection.operator) / cells
    return total


def analog_operations(network: SpikingNetwork, code: SigmaDeltaCode) -> float:
    """Return the additions of the analog network, two per multiply-accumulate as in the paper.

    An ON and an OFF cell of a source, or of a target, are one neuron; maxima are not counted.
    """
    total = 0.0
    for projection in _synapses(network, code):
        pre, post = network.population(projection.pre), network.population(projection.post)
        if "max_gate" in post.model.name:
            continue
        total += 2 * n_synapses(projection.operator) / _cells(pre) / _cells(post)
    return total


def over_time(work: Workload, code: SigmaDeltaCode, context: Context) -> dict[str, NDArray]:
    """Return accuracy, spikes per neuron and operations per sample after each step.

    Returns
    -------
    dict of str to ndarray
        ``time`` in time units (the ramp from the highest intensity to zero is one), ``accuracy``,
        ``answered``, the share of samples with an output, ``spikes``, ``operations``, each
        (n_steps,); ``analog`` accuracy, ``analog_operations``.
    """
    network = convert(work.graph, calibration=work.calibration, code=code, seed=context.seed)
    spiking = [p.name for p in network.populations if p.model.threshold]
    recording = simulate(
        network,
        work.x,
        record={name: ("spikes",) for name in spiking},
        progress=context.progress,
    )
    costs, steps = operations(network, code), network.n_steps
    spikes, additions = np.zeros(steps), np.zeros(steps)
    for name, raster in recording.rasters.items():
        spikes += np.bincount(raster.step, minlength=steps)[:steps]
        cost = costs[name][raster.neuron]
        additions += np.bincount(raster.step, weights=cost, minlength=steps)[:steps]
    ramp = float(code.input_steps)
    return {
        "time": np.arange(1, steps + 1) / ramp,
        "accuracy": _at_every_step(
            recording.accuracy_over_time(work.y), recording.checkpoints, steps
        ),
        "answered": _at_every_step(recording.answered(), recording.checkpoints, steps),
        "spikes": np.cumsum(spikes) / len(work.x) / n_signed(network, code),
        "operations": np.cumsum(additions) / len(work.x),
        "analog": np.array(work.analog_accuracy()),
        "analog_operations": np.array(analog_operations(network, code)),
        "neurons": np.array(n_signed(network, code)),
    }


def _at_every_step(values: NDArray, checkpoints: NDArray, steps: int) -> NDArray[np.float64]:
    place = np.searchsorted(checkpoints, np.arange(1, steps + 1), side="right") - 1
    return np.where(place >= 0, np.asarray(values, np.float64)[np.maximum(place, 0)], 0.0)


def unit(work: Workload, context: Context) -> float:
    """Return the threshold for which Algorithm 1 has the same number of spikes as in the paper.

    A rectifying network computes the same function if the weights of a layer are multiplied by a
    number and those of the next layer are divided by it.  A threshold of 1 is therefore meaningful
    only for the weights with which it was published.  The threshold is interpolated on calibration
    data, between thresholds that differ by a factor of two.
    """
    few = work.calibration[: context.pick(50, 10)]
    sample = replace(work, x=few, y=np.zeros(len(few), np.int64))
    thresholds = 2.0 ** -np.arange(-1.0, context.pick(5, 1))
    codes = [replace(PAPER, threshold=float(threshold)) for threshold in thresholds]
    spikes = [over_time(sample, code, context)["spikes"][-1] for code in codes]
    found = np.interp(np.log(PAPER_SPIKES), np.log(np.maximum(spikes, 1e-9)), np.log(thresholds))
    return float(np.exp(found))


def quantised_accuracy(work: Workload, code: SigmaDeltaCode) -> float:
    """Return the accuracy of the analog network with activations rounded to levels (Q-ANN)."""
    samples = {work.graph.inputs[0].name: work.calibration}
    rewritten = rewrite(work.graph, LowestValues(work.graph, samples), "sigma-delta")
    levels = levels_of(replace(code, correction=False), rewritten, samples).of
    graph = rewritten.graph()
    seen = work.x > code.input_threshold
    known = {graph.inputs[0].name: seen * (1.0 if code.input == "binary" else work.x)}
    for layer in graph.layers:
        inputs = [
            sum(np.asarray(t.operator.apply(known[t.source])) for t in a.terms) + a.bias
            for a in layer.inputs
        ]
        found = np.asarray(layer.function.apply(inputs))
        if isinstance(layer.function, ReLU):
            found = np.floor(found / levels[layer.name] + 1e-9) * levels[layer.name]
        known[layer.name] = found.astype(np.float32)
    return work.decision.accuracy(known[graph.outputs[0]], work.y)
