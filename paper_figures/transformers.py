"""The transformers of mueller 4.4, trained here with several seeds, and their conversion."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from bioconv import models
from bioconv.codes import RateCode
from bioconv.data import load_data
from bioconv.data.datasets import Dataset, scaled
from bioconv.ground.keras_engine import import_keras
from bioconv.models.text_transformer import LENGTH
from bioconv.models.training import fit
from bioconv.paper_figures.frame import Context, Result
from bioconv.paper_figures.latency import accuracy_over_time, plot_curves
from bioconv.paper_figures.workloads import Workload
from bioconv.reading import read

#: steps of the thesis, and the step from which its curves are flat
N_STEPS, FLAT = 50, 13
#: p = 99 for a whole layer, as in the thesis; the clamp is ours, because normalizations amplify
#: the first, irregular spikes
CODE = RateCode(percentile=99.0, normalization="layer", over="all", clamp=1)
#: axes of a batch of images
_OF_IMAGES = 4
#: trainings in a full run
RUNS = 3
#: why a full run is not quite the thesis's
PARTLY = f"the mean of {RUNS} trained networks, not of 50"


def runs(context: Context, name: str) -> dict[str, NDArray]:
    """Return the accuracy after each step of converted networks, each trained with its own seed.

    Parameters
    ----------
    context : Context
    name : str
        "text_transformer" or "vision_transformer".

    Returns
    -------
    dict
        ``steps`` (n_checkpoints,), ``spiking`` (n_runs, n_checkpoints) and ``analog`` (n_runs,).
    """
    entry = models.network(name)
    whole = context.data is not None and not context.quick
    dataset = scaled(entry.recipe.dataset) if whole else _substitute(entry.build().input_shape)
    (x_train, _), (x_test, y_test) = dataset
    n = context.pick(2000, 40)
    where = entry.recipe.dataset if whole else "a small synthetic set"
    found: dict[str, list[NDArray]] = {"spiking": [], "analog": []}
    for run in range(context.pick(RUNS, 1)):
        seed = context.seed + run
        import_keras().utils.set_random_seed(seed)
        model = entry.build()
        fit(
            model, replace(entry.recipe, epochs=context.pick(entry.recipe.epochs, 1)), dataset, seed
        )
        used = f"{where} (first {len(x_test[:n])} test samples), {name}, {run + 1} training(s)"
        workload = Workload(name, read(model), x_train[:1000], x_test[:n], y_test[:n], used)
        steps, accuracy = accuracy_over_time(workload, CODE, N_STEPS, context)
        found["spiking"].append(accuracy)
        found["analog"].append(np.array(workload.analog_accuracy()))
    stacked = {key: np.stack(values) for key, values in found.items()}
    return {**stacked, "steps": steps, "used": np.array(used)}


def measured(result: Result) -> dict[str, float]:
    """Return accuracies in %, their loss and the change after step 13 in points, over all runs."""
    spiking, steps = 100 * result["spiking"].mean(axis=0), result["steps"]
    analog = 100 * float(result["analog"].mean())
    flat = float(spiking[np.argmax(steps >= FLAT)])
    return {
        "analog": analog,
        "spiking": float(spiking[-1]),
        "loss": analog - float(spiking[-1]),
        "later_gain": float(spiking[-1]) - flat,
    }


def drawn(result: Result, title: str) -> Figure:
    """Plot the mean accuracy over steps."""
    means = {key: result[key].mean(axis=0) for key in ("spiking", "analog")}
    shown = {**means, "steps": result["steps"], "used": result["used"]}
    return plot_curves(shown, {"spiking": "every ReLU spikes, the rest is analog"}, title)


def _substitute(shape: tuple[int | None, ...]) -> Dataset:
    """Return a small data set: digits of 28 x 28 pixels, or else reviews of random words."""
    rng = np.random.default_rng(0)
    if len(shape) == _OF_IMAGES:
        parts = []
        for split in ("train", "test"):
            x, y = load_data("digits", split=split)
            large = np.kron(x, np.ones((1, 3, 3, 1), x.dtype))
            parts.append((np.pad(large, ((0, 0), (2, 2), (2, 2), (0, 0))), np.asarray(y)))
        return parts[0], parts[1]
    labels = rng.integers(0, 2, 400)
    words = rng.integers(1, 500, (400, LENGTH)) + 250 * labels[:, None]
    words = words.astype(np.int32)
    return (words[:320], labels[:320]), (words[320:], labels[320:])
