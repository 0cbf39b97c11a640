"""Our Fig 4: neurons whose rate jumps at onset, with noise and with training for the neuron."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

import bioconv as bc
import bioconv.keras
from bioconv import models
from bioconv.analog import AnalogGraph
from bioconv.codes import RateCode
from bioconv.data import load_data
from bioconv.ground.keras_engine import import_keras
from bioconv.neurons import Neuron
from bioconv.paper_figures.frame import Claim, Context, Manifest, Result
from bioconv.paper_figures.workloads import Workload, digits, mnist
from bioconv.plots.style import COLORS, SMALL, finish, panels
from bioconv.studies.plausibility import parse_neuron

#: label -> neuron of class II, whose rate jumps from zero to a high value; ms for a sample
NEURONS = {
    "squid axon (Hodgkin-Huxley)": ("hodgkin_huxley", 180.0),
    "Morris-Lecar, class II": ("morris_lecar:kind=class_2", 3000.0),
}
#: label -> code, and whether the network is trained with the curve that this code measures
WAYS: dict[str, tuple[RateCode, bool]] = {
    "converted, no noise": (RateCode(noise="none"), False),
    "converted, noise": (RateCode(), False),
    "trained for the neuron, noise": (RateCode(normalization="layer"), True),
}
_LEARNING_RATE, _SAMPLES_AT_ONCE = 1e-3, 128

MANIFEST = Manifest(
    paper="bioconv",
    number="Fig 4",
    title="Neurons whose rate jumps at onset: noise, and training for the neuron",
    claims=(
        Claim(
            "hodgkin_huxley",
            "squid axon: points lost to Keras, with noise or with training, whichever is less",
            1.0,
            kind="at most",
            source="the project's own bar",
        ),
        Claim(
            "morris_lecar",
            "Morris-Lecar class II: the same",
            1.0,
            kind="at most",
            source="the project's own bar",
        ),
        Claim(
            "training",
            "points gained by training over conversion without noise, smaller of the two neurons",
            0.0,
            kind="at least",
            source="mueller 2.3.3: constrain, then train",
        ),
    ),
    data="MNIST (first 1000 test images), lenet_benchmark",
    substitute="digits and a small perceptron where there is no data folder",
    minutes=60,
)


@dataclass(frozen=True)
class _Task:
    """A network with its training and test data."""

    model: Any
    workload: Workload
    x: NDArray
    y: NDArray
    epochs: int


def compute(context: Context) -> dict[str, NDArray]:
    """Compute the accuracy over time for each neuron and each way of conversion."""
    task = _task(context)
    result = {"analog": np.array(task.workload.analog_accuracy())}
    for number, (name, duration) in enumerate(NEURONS.values()):
        neuron = parse_neuron(name)
        for place, (code, trained) in enumerate(WAYS.values()):
            graph = _trained(task, neuron, code, context) if trained else task.workload.graph
            network = bc.convert(
                graph,
                calibration=task.workload.calibration,
                neuron=neuron,
                code=code,
                duration=duration,
            )
            recording = bc.simulate(network, task.workload.x, progress=context.progress)
            result[f"curve {number} {place}"] = recording.accuracy_over_time(task.workload.y)
            result[f"time {number} {place}"] = recording.checkpoints * recording.dt
    return {**result, "used": np.array(task.workload.used)}


def _task(context: Context) -> _Task:
    """Return MNIST, or digits without the data and on a quick run."""
    if context.quick or context.data is None:
        name, dataset, workload = "digits_mlp", "digits", digits("digits_mlp", 40)
    else:
        name, dataset = "lenet_benchmark", "mnist"
        workload = mnist(context, name, 1000, name)
    x, y = load_data(dataset, split="train")
    return _Task(models.load(name), workload, x, np.asarray(y), 2 if dataset == "mnist" else 10)


def _trained(task: _Task, neuron: Neuron, code: RateCode, context: Context) -> AnalogGraph:
    """Return the network with the curve of the neuron in place of every ReLU, after training."""
    keras = import_keras()
    model = bc.keras.constrain(task.model, neuron, calibration=task.workload.calibration, code=code)
    keras.utils.set_random_seed(context.seed)
    n_steps = task.epochs * len(task.x) // _SAMPLES_AT_ONCE
    decay = keras.optimizers.schedules.CosineDecay(_LEARNING_RATE, n_steps)
    model.compile(keras.optimizers.Adam(decay, clipnorm=1.0), "sparse_categorical_crossentropy")
    model.fit(task.x, task.y, epochs=task.epochs, batch_size=_SAMPLES_AT_ONCE, verbose=0)
    return bc.read(model)


def measure(result: Result) -> dict[str, float]:
    """Return the points lost relative to Keras, and the points gained by training."""
    last = np.array(
        [
            [result[f"curve {number} {place}"][-1] for place in range(len(WAYS))]
            for number in range(len(NEURONS))
        ]
    )
    losses = 100 * (float(result["analog"]) - last[:, 1:].max(axis=1))
    return {
        "hodgkin_huxley": float(losses[0]),
        "morris_lecar": float(losses[1]),
        "training": 100 * float((last[:, 2] - last[:, 0]).min()),
    }


def plot(result: Result, context: Context) -> Figure:
    """Plot one panel per neuron, with one curve per way of conversion."""
    figure, axes = panels(len(NEURONS), width=4.2, height=3.4)
    keras = 100 * float(result["analog"])
    for number, (panel, label) in enumerate(zip(axes, NEURONS, strict=True)):
        for place, (way, color) in enumerate(zip(WAYS, COLORS, strict=False)):
            curve = 100 * result[f"curve {number} {place}"]
            panel.plot(
                result[f"time {number} {place}"],
                curve,
                color=color,
                label=f"{way}: {curve[-1]:.1f} %",
            )
        panel.axhline(keras, color="black", linewidth=0.8, label=f"Keras: {keras:.1f} %")
        panel.set_ylim(0, 102)
        panel.set_xlim(left=0)
        finish(panel, label, "biological time (ms)", "accuracy (%)")
        panel.legend(fontsize=SMALL, frameon=False, loc="upper center", bbox_to_anchor=(0.5, -0.2))
    return figure
