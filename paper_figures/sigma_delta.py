"""A sigma-delta network over time: what the figures of Yousefzadeh et al. share."""

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
from bioconv.network import Population, SpikingNetwork
from bioconv.operators import fan_out, n_synapses
from bioconv.paper_figures.frame import Context
from bioconv.paper_figures.workloads import Workload, mnist
from bioconv.simulators import simulate

CODE = SigmaDeltaCode()


def workload(context: Context, n_images: int, quick: int = 60) -> Workload:
    """A convolutional network with max pooling on MNIST, or one on digits without the data."""
    return mnist(context, "lenet_maxpool", context.pick(n_images, quick), "digits_cnn")


def n_signed(network: SpikingNetwork) -> dict[str, int]:
    """Neurons of the analog network that each population stands for.

    An ON and an OFF cell are one neuron, the branches of a neuron that pools are one each (the
    paper counts all 12,544 neurons of a pooled layer).
    """
    return {p.name: p.n_neurons // _cells(p) * _branches(p) for p in network.populations}


def _cells(population: Population) -> int:
    return 2 if "polarity" in population.parameters else 1


def _branches(population: Population) -> int:
    return max(sum(state.name.startswith("v") for state in population.model.states), 1)


def operations(network: SpikingNetwork) -> dict[str, NDArray[np.float64]]:
    """Additions that a spike of each cell causes: ON and OFF cells of a target count as one."""
    total = {p.name: np.zeros(p.n_neurons) for p in network.populations}
    for projection in network.projections:
        cells = _cells(network.population(projection.post))
        total[projection.pre] += fan_out(projection.operator) / cells
    return total


def analog_operations(network: SpikingNetwork) -> float:
    """Additions of the analog network: two for each multiplication and addition, as in the paper.

    An ON and an OFF cell of a source, or of a target, are one neuron; maxima are not counted.
    """
    total = 0.0
    for projection in network.projections:
        pre, post = network.population(projection.pre), network.population(projection.post)
        if "max_gate" in post.model.name:
            continue
        total += 2 * n_synapses(projection.operator) / _cells(pre) / _cells(post)
    return total


def over_time(work: Workload, code: SigmaDeltaCode, context: Context) -> dict[str, NDArray]:
    """Accuracy, spikes a neuron and operations a sample after each step.

    Returns
    -------
    dict of str to ndarray
        ``time`` in time units (the ramp from the highest intensity to zero is one), ``accuracy``,
        ``spikes``, ``operations``, each (n_steps,); ``analog`` accuracy, ``analog_operations``.
    """
    network = convert(work.graph, calibration=work.calibration, code=code, seed=context.seed)
    spiking = [p.name for p in network.populations if p.model.threshold]
    recording = simulate(
        network,
        work.x,
        record={name: ("spikes",) for name in spiking},
        progress=context.progress,
    )
    costs, steps = operations(network), network.n_steps
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
        "spikes": np.cumsum(spikes) / len(work.x) / sum(n_signed(network).values()),
        "operations": np.cumsum(additions) / len(work.x),
        "analog": np.array(work.analog_accuracy()),
        "analog_operations": np.array(analog_operations(network)),
        "neurons": np.array(sum(n_signed(network).values())),
    }


def _at_every_step(values: NDArray, checkpoints: NDArray, steps: int) -> NDArray[np.float64]:
    place = np.searchsorted(checkpoints, np.arange(1, steps + 1), side="right") - 1
    return np.where(place >= 0, np.asarray(values, np.float64)[np.maximum(place, 0)], 0.0)


def quantised_accuracy(work: Workload, code: SigmaDeltaCode) -> float:
    """Accuracy of the analog network with activations rounded down to the same levels (Q-ANN)."""
    samples = {work.graph.inputs[0].name: work.calibration}
    rewritten = rewrite(work.graph, LowestValues(work.graph, samples), "sigma-delta")
    levels = levels_of(replace(code, correction=False), rewritten, samples).of
    graph = rewritten.graph()
    known = {graph.inputs[0].name: (work.x > code.input_threshold) * work.x}
    for layer in graph.layers:
        inputs = [
            sum(np.asarray(t.operator.apply(known[t.source])) for t in a.terms) + a.bias
            for a in layer.inputs
        ]
        found = np.asarray(layer.function.apply(inputs))
        if isinstance(layer.function, ReLU):
            found = np.floor(found / levels[layer.name] + 1e-9) * levels[layer.name]
        known[layer.name] = found.astype(np.float32)
    return float(np.mean(known[graph.outputs[0]].argmax(axis=-1) == work.y))
