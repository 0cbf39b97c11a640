"""Networks of spike patterns and their rivals, trained for the figures of stanojevic A.2."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

import bioconv as bc
from bioconv.analog.decisions import decision_of
from bioconv.codes import CorrelativeCode
from bioconv.codes.correlative.integers import IntegerNetwork
from bioconv.encoders import make
from bioconv.ground.digests import digest_of
from bioconv.ground.places import default_cache
from bioconv.paper_figures.frame import Claim, Context, Result
from bioconv.paper_figures.parts import library_code, part
from bioconv.paper_figures.single_spikes import Split, split
from bioconv.paper_figures.spike_training import dense_stack
from bioconv.plots.style import BLUE, GRAY, finish, legend_above, panels
from bioconv.training import Training, train_analog
from bioconv.training.correlative import OPTIONS, Trained, train_graph

#: learning rate of ReLU networks, and steps of their rate code (stanojevic A.2.4)
_RATE, _RATE_STEPS = 1e-3, 300
#: bits of integers behind the binary point
BITS = 16
#: what is compared
NAMES = ("linear SVM", "ReLU", "rate code", "CTE", "ECTE", "ECTE, ADD", "ECTE, integers")

#: with the threshold of the thesis, 0.07, units fire in every other step; a larger one is tried
CODE = CorrelativeCode(v_th=0.5, width=0.5)
#: levels of each encoder: one for CTE, as in the thesis
LEVELS = {"cte": 1, "ecte": 6}
#: for a few epochs, the learning rate is large and decays soon
_FAST, _DECAY_STEPS = 5e-3, 50
#: Fashion-MNIST: training images, epochs, and units of the hidden layer
FASHION_IMAGES, FASHION_EPOCHS, FASHION_HIDDEN = 20_000, 4, 256
_DIGITS_EPOCHS = 40

#: the claim of the thesis on Fashion-MNIST and on news
CLOSE_TO_RELU = Claim(
    "relu",
    "accuracy of a ReLU network of the same sizes above that of ECTE, in points ('close')",
    2.0,
    kind="at most",
    source="text; the number is ours",
)


@dataclass(frozen=True)
class System:
    """A network of spike patterns and how it is trained.

    Parameters
    ----------
    encoder : {"cte", "ecte"}
    settings : mapping
        Options of the encoder.
    code : CorrelativeCode
    hidden : tuple of int
    options : Training
    """

    encoder: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    code: CorrelativeCode = CorrelativeCode()
    hidden: tuple[int, ...] = (256,)
    options: Training = OPTIONS

    def adding(self) -> System:
        """Return the same without multiplications."""
        return replace(self, code=replace(self.code, multiplication_free=True))

    def trained(self, context: Context, data: Split) -> Trained:
        """Train it.

        A full run goes on where an interrupted one ended: its checkpoint is in the user's cache.
        """
        return train_graph(
            self.code,
            make(self.encoder, dict(self.settings)),
            self.hidden,
            data.x,
            data.y,
            replace(self.options, seed=context.seed),
            checkpoint=None if context.quick else self._checkpoint(context, data),
            progress=context.progress,
        )

    def _checkpoint(self, context: Context, data: Split) -> Path:
        folder = default_cache() / "figures"
        folder.mkdir(parents=True, exist_ok=True)
        return folder / f"{digest_of([library_code(), _key(context, data, self)])}.checkpoint"


def for_images(
    context: Context,
    data: Split,
    name: str,
    code: CorrelativeCode,
    hidden: tuple[int, ...],
    epochs: int,
    decay_steps: int = _DECAY_STEPS,
) -> System:
    """Return a system for images: MNIST or Fashion-MNIST, or digits on a quick run.

    Parameters
    ----------
    data : Split
    name : {"cte", "ecte"}
    code : CorrelativeCode
    hidden : tuple of int
    epochs, decay_steps : int
        For real images; after so many updates the learning rate is 4 % smaller.
    """
    options = replace(OPTIONS, epochs=context.pick(_DIGITS_EPOCHS, 2))
    if data.used != "digits":
        options = replace(OPTIONS, epochs=epochs, learning_rate=_FAST, decay_steps=decay_steps)
    sizes = (20,) if context.quick else hidden
    return System(name, {"n_levels": LEVELS[name]}, code, sizes, options)


def images(context: Context, name: str, n_images: int) -> Split:
    """Return a dataset with fewer training images, and still fewer on a quick run."""
    data, n = split(context, name), context.pick(n_images, 192)
    return replace(data, x=data.x[:n], y=data.y[:n])


def fashion(context: Context, name: str) -> tuple[Split, System]:
    """Return Fashion-MNIST and the system for it, with 10 output neurons a class (A.2.4)."""
    data = images(context, "fashion_mnist", FASHION_IMAGES)
    code = replace(CODE, n_outputs=10)
    return data, for_images(context, data, name, code, (FASHION_HIDDEN,), FASHION_EPOCHS)


def compared(
    context: Context, data: Iterable[Split], cte: System, ecte: System
) -> dict[str, NDArray]:
    """Train and test all systems of `NAMES`.

    Parameters
    ----------
    data : iterable of Split
        Parts of a cross-validation, or one split.
    cte, ecte : System

    Returns
    -------
    dict of str to ndarray
        ``accuracy`` on test samples in per cent, shape (n_splits, n_systems); ``learning``, that of
        CTE, ECTE and ECTE with additions on training batches, shape (3, epochs); ``used``.
    """
    rows, learning, used = [], [], []
    for fold in data:
        found = [one.trained(context, fold) for one in (cte, ecte, ecte.adding())]
        rows.append(_row(context, fold, cte, ecte, found))
        learning.append([100 * one.history["accuracy"] for one in found])
        used.append(f"{fold.used}, of which {len(fold.x):,} were used for training")
    return {
        "accuracy": np.array(rows),
        "learning": np.mean(learning, axis=0),
        "used": np.array(used[0]),
    }


def _row(
    context: Context, data: Split, cte: System, ecte: System, found: Sequence[Trained]
) -> list[float]:
    """Return the accuracies of `NAMES`; a full run keeps each of them."""
    parts: list[tuple[str, System, Callable[[], Sequence[float]]]] = [
        ("line", cte, lambda: [_line(context, data)]),
        ("rivals", cte, lambda: _rivals(context, data, cte)),
        ("cte", cte, lambda: [accuracy(found[0], data)]),
        ("ecte", ecte, lambda: [accuracy(found[1], data)]),
        ("adding", ecte, lambda: [accuracy(found[2], data)]),
        ("integers", ecte, lambda: [_of_integers(found[2], data)]),
    ]
    row: list[float] = []
    for name, system, compute in parts:
        key = {**_key(context, data, system), "name": name, "x_test": data.x_test}
        row += part(context, key, (name,), partial(_named, name, compute))[name].tolist()
    return row


def _named(name: str, compute: Callable[[], Sequence[float]]) -> dict[str, NDArray]:
    return {name: np.array(compute())}


def differences(result: Result) -> dict[str, float]:
    """Return differences of the mean accuracies of `compared`, in points."""
    mean = dict(zip(NAMES, result["accuracy"].mean(axis=0), strict=True))
    pairs = {
        "extended": ("ECTE", "CTE"),
        "margin": ("ECTE", "linear SVM"),
        "relu": ("ReLU", "ECTE"),
        "rate": ("ReLU", "rate code"),
        "additions": ("ECTE", "ECTE, ADD"),
        "integers": ("ECTE, ADD", "ECTE, integers"),
    }
    return {name: float(mean[one] - mean[other]) for name, (one, other) in pairs.items()}


def draw(result: Result) -> Figure:
    """Draw test accuracies, and accuracies on training batches by epoch."""
    figure, (left, right) = panels(2, width=4.8, height=3.0)
    place, mean = np.arange(len(NAMES)), result["accuracy"].mean(axis=0)
    colors = [BLUE if "CTE" in name else GRAY for name in NAMES]
    left.bar_label(left.bar(place, mean, color=colors), fmt="%.2f", fontsize=7)
    left.set_xticks(place, NAMES, rotation=25, fontsize=7)
    left.set_ylim(max(0.0, mean.min() - 10), 102)
    finish(left, "", "", "test accuracy (%)")
    for name, curve in zip(NAMES[3:6], result["learning"], strict=True):
        right.plot(1 + np.arange(len(curve)), curve, "o-", ms=3, label=name)
    legend_above(figure, right)
    right.xaxis.set_major_locator(MaxNLocator(integer=True))
    finish(right, "", "epoch", "training accuracy (%)")
    return figure


def accuracy(found: Trained, data: Split) -> float:
    """Return the share of test samples with the right class, in per cent."""
    outputs = np.asarray(found.graph.predict(data.x_test, batch_size=100))
    return 100 * decision_of(found.graph).accuracy(outputs, data.y_test)


def _of_integers(found: Trained, data: Split) -> float:
    """Return the accuracy of the network with registers of integers, in per cent."""
    classes = IntegerNetwork.of(found.graph, BITS).classes(data.x_test)
    return 100 * float(np.mean(classes == data.y_test))


def _key(context: Context, data: Split, system: System) -> dict[str, Any]:
    """Return all on which a trained network depends, besides the library."""
    return {"system": asdict(system), "seed": context.seed, "x": data.x, "y": data.y}


def _line(context: Context, data: Split) -> float:
    """Return the accuracy of a linear support vector machine on the same values, in per cent."""
    from sklearn.svm import LinearSVC

    flat, test = (x.reshape(len(x), -1) for x in (data.x, data.x_test))
    machine = LinearSVC(C=0.05, random_state=context.seed).fit(flat, data.y)
    return 100 * float(np.mean(machine.predict(test) == data.y_test))


def _rivals(context: Context, data: Split, system: System) -> tuple[float, float]:
    """Return the accuracies of a ReLU network with the same hidden layers, and of its rate code."""
    n_hidden, width = len(system.hidden), system.hidden[0]
    start = dense_stack(data.x.shape[1:], n_hidden, width, context.seed)
    options = replace(system.options, learning_rate=_RATE, seed=context.seed)
    graph, _ = train_analog(start, data.x, data.y, options=options, progress=context.progress)
    n_steps = context.pick(_RATE_STEPS, 50)
    network = bc.convert(graph, calibration=data.x[:1000], n_steps=n_steps, progress=False)
    recording = bc.simulate(network, data.x_test, progress=context.progress)
    analog = decision_of(graph).accuracy(np.asarray(graph.predict(data.x_test)), data.y_test)
    return 100 * analog, 100 * float(recording.accuracy(data.y_test))
