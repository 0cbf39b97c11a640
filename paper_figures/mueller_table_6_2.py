"""mueller Table 6.2: spikes of the oscillation code on spoken words, beside a rate code."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

import bioconv as bc
from bioconv.analog import AnalogGraph
from bioconv.ground.archives import read_arrays
from bioconv.ground.errors import DataError
from bioconv.ground.keras_engine import import_keras
from bioconv.paper_figures.frame import Claim, Context, Manifest, Result
from bioconv.paper_figures.workloads import Workload
from bioconv.plots.style import BLUE, GRAY, finish, legend_above, panels
from bioconv.reading import read

#: frames and coefficients of a clip: 3,920 inputs
SHAPE = (98, 40)
_N_HIDDEN, _N_CLASSES, _EPOCHS, _N_TEST = 256, 12, 30, 200
#: synaptic operations that Blouw and Eliasmith 2020 publish for their rate code, and what the
#: thesis's table sets beside them: all spikes of the oscillation code, the input's included
PUBLISHED, PAPER = 61_362, 4081
#: the hidden layers and the classification together fire fewer spikes than this (text)
_FEW = 200

MANIFEST = Manifest(
    paper="mueller",
    number="Table 6.2",
    title="Oscillation code compared with a published rate code on spoken words",
    claims=(
        Claim(
            "accuracy",
            "accuracy of the analog network (%)",
            82.1,
            tolerance=200 * (0.821 * 0.179 / _N_TEST) ** 0.5,
            source=f"table; tolerance: two standard errors on {_N_TEST} clips",
        ),
        Claim("loss", "points lost by the oscillation code", 0.0, source="table"),
        Claim(
            "spikes",
            f"spikes a clip, the input's included (rate code: {PUBLISHED:,} synaptic operations)",
            PAPER,
            tolerance=_FEW,
            source=f"table; tolerance: the fewer than {_FEW} spikes behind the input (text)",
        ),
        Claim(
            "hidden",
            "spikes a clip of the hidden layers and the classification",
            _FEW,
            kind="at most",
            source="text: fewer than 200",
        ),
    ),
    data="speech commands, 98 x 40 inputs, two hidden layers of 256",
    substitute="1,000 speech commands as 49 x 10 MFCC, each value repeated for 98 x 40 inputs, and "
    "the table's layers trained on 800 of them; without data noisy patterns in their place",
    partly="the clips are fewer, with half of the frames and a quarter of the coefficients, the "
    "network is trained on them, and the rate code's number is quoted, not run",
    minutes=3,
)


def compute(context: Context) -> dict[str, NDArray]:
    """Accuracy of both networks, and spikes and synaptic operations of every layer."""
    workload = _workload(context)
    network = bc.convert(
        workload.graph, calibration=workload.calibration, code=bc.OscillationCode()
    )
    recording = bc.simulate(network, workload.x, simulator="event", batch_size=10, progress=False)
    readout = network.readouts[0].population
    names = [entry.name for entry in network.populations if entry.name != readout]
    return {
        "accuracy": np.array([workload.analog_accuracy(), recording.accuracy(workload.y)]),
        "spikes": np.array([float(recording.spikes_per_image[name].mean()) for name in names]),
        "encoders": np.isin(names, [drive.post for drive in network.drives]),
        "operations": np.array(float(recording.synaptic_operations.mean())),
        "used": np.array(workload.used),
    }


def _workload(context: Context) -> Workload:
    """Clips, or patterns, with the table's layers trained on four fifths of them."""
    x, y, source = _clips(context)
    n_test = context.pick(_N_TEST, 20)
    graph = _train(x[n_test:], y[n_test:], context)
    return Workload(
        label="3920-256-256",
        graph=graph,
        calibration=x[n_test:],
        x=x[:n_test],
        y=y[:n_test],
        used=f"{source} (first {n_test}), 3920-256-256-{_N_CLASSES} trained on the rest",
    )


def _clips(context: Context) -> tuple[NDArray, NDArray, str]:
    """Values between 0 and 1, so that nearly all inputs fire, labels, and what they are."""
    path = context.data / "speech" / "kws_mfcc.npz" if context.data else None
    if context.quick or path is None or not path.is_file():
        rng = np.random.default_rng(context.seed)
        y = rng.integers(0, _N_CLASSES, context.pick(1000, 200))
        x = rng.normal(size=(_N_CLASSES, 49, 10))[y] + rng.normal(size=(len(y), 49, 10))
        source = "noisy patterns, each value repeated for 98 x 40 inputs"
    else:
        file = read_arrays(path, DataError, ("x", "y"))
        x, y = file["x"][..., 0], file["y"].astype(np.int64).reshape(-1)
        source = "speech commands as 49 x 10 MFCC, each value repeated for 98 x 40 inputs"
    lowest, highest = x.min(axis=(0, 1)), x.max(axis=(0, 1))  # of each coefficient
    scaled = (x - lowest) / (highest - lowest)
    wide = np.repeat(np.repeat(scaled, SHAPE[0] // 49, axis=1), SHAPE[1] // 10, axis=2)
    return wide.reshape(len(x), -1).astype(np.float32), y, source


def _train(x: NDArray, y: NDArray, context: Context) -> AnalogGraph:
    keras = import_keras()
    keras.utils.set_random_seed(context.seed)
    layers = keras.layers
    # Read as part of the first layer's weights and biases; without it that layer soon is silent.
    centred = layers.Normalization(mean=x.mean(), variance=x.var())
    model = keras.Sequential(
        [
            keras.Input((x.shape[1],)),
            centred,
            layers.Dense(_N_HIDDEN, activation="relu"),
            layers.Dropout(0.5),
            layers.Dense(_N_HIDDEN, activation="relu"),
            layers.Dropout(0.5),
            layers.Dense(_N_CLASSES, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(5e-4), "sparse_categorical_crossentropy")
    model.fit(x, y, batch_size=32, epochs=context.pick(_EPOCHS, 3), verbose=0)
    return read(model)


def measure(result: Result) -> dict[str, float]:
    """Accuracy, loss in points, all spikes, and those behind the input."""
    analog, spiking = result["accuracy"]
    spikes = result["spikes"]
    return {
        "accuracy": float(100 * analog),
        "loss": float(100 * (analog - spiking)),
        "spikes": float(spikes.sum()),
        "hidden": float(spikes[~result["encoders"]].sum()),
    }


def plot(result: Result, context: Context) -> Figure:
    """Accuracy, and spikes beside the numbers of the table."""
    figure, (left, right) = panels(2, width=3.6, height=3.0)
    drawn = left.bar(["analog", "oscillation"], 100 * result["accuracy"], color=BLUE)
    left.bar_label(drawn, fmt="%.1f", fontsize=8)
    left.margins(y=0.12)
    finish(left, "", "", "accuracy (%)")
    first, hidden = (result["spikes"][result["encoders"] == of].sum() for of in (True, False))
    labels = ["oscillation,\nhere", "oscillation,\nthesis", "rate,\nBlouw and Eliasmith"]
    right.bar(labels[0], first, color=BLUE, label="input")
    right.bar(labels[0], hidden, bottom=first, color="k", label="hidden layers")
    right.bar(labels[1:], [PAPER, PUBLISHED], color=GRAY, label="published")
    for place, value in enumerate((first + hidden, PAPER, PUBLISHED)):
        right.text(place, value, f"{value:,.0f}", ha="center", va="bottom", fontsize=8)
    right.margins(y=0.12)
    legend_above(figure, right)
    finish(right, "", "", "spikes per clip (rate:\nsynaptic operations)")
    right.tick_params(axis="x", labelsize=7)
    return figure
