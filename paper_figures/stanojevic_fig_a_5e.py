"""stanojevic Figs A.5e and A.5f: accuracy of both encodings, of additions alone, and of a line."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from bioconv.analog.decisions import decision_of
from bioconv.codes import CorrelativeCode
from bioconv.codes.correlative.integers import IntegerNetwork
from bioconv.encoders import make
from bioconv.paper_figures.frame import Claim, Context, Manifest, Result
from bioconv.paper_figures.single_spikes import Split, split
from bioconv.plots.style import BLUE, GRAY, finish, legend_above, panels
from bioconv.training.correlative import OPTIONS, Trained, train_graph

#: the dropout is ours
CODE = CorrelativeCode(dropout=0.2)
ADD = replace(CODE, multiplication_free=True)
#: images of MNIST, epochs and hidden units for two cores
N_IMAGES, EPOCHS, DIGITS_EPOCHS, N_HIDDEN = 20_000, 3, 40, 256
BITS = 16
NAMES = ("linear SVM", "CTE", "ECTE", "ECTE, ADD", "ECTE, integers")
#: levels of each encoder: one for CTE, as in the thesis, and as many as Eq A.33 allows for ECTE
LEVELS = {"cte": 1, "ecte": 12}

MANIFEST = Manifest(
    paper="stanojevic",
    number="Figs A.5e, A.5f",
    title="Accuracy of correlative time encoding, with multiplications and without",
    claims=(
        Claim(
            "extended",
            "accuracy of ECTE above that of CTE, in per cent",
            0.1,
            kind="at least",
            source="text ('slightly higher', 'regularly outperforming'); the number is ours",
        ),
        Claim(
            "margin",
            "accuracy of ECTE above that of the linear SVM, in per cent",
            1.0,
            kind="at least",
            source="text ('much better than the SVM model'); the number is ours",
        ),
        Claim(
            "additions",
            "accuracy that training and inference with additions alone lose, in per cent",
            0.0,
            tolerance=0.3,
            kind="at most",
            source="text ('does not significantly affect the accuracy'); the number is ours",
        ),
        Claim(
            "integers",
            "accuracy that registers of integers lose in addition, in per cent",
            0.0,
            tolerance=0.3,
            kind="at most",
            source="ours",
        ),
    ),
    data="MNIST, 800 hidden neurons",
    substitute=f"{N_IMAGES:,} images of MNIST and {N_HIDDEN} hidden neurons; without data digits",
    partly="the thesis trains 800 neurons on 54,000 images until 100 epochs bring no gain, with "
    "learning rates that stand in a picture only; here a few epochs, for two cores",
    minutes=25,
)


def compute(context: Context) -> dict[str, NDArray]:
    """Test accuracies of all systems, in per cent, and those during the training."""
    data = split(context, "mnist")
    n = context.pick(N_IMAGES, 320)
    data = replace(data, x=data.x[:n], y=data.y[:n])
    plain = [_trained(context, data, name, CODE) for name in ("cte", "ecte")]
    adding = _trained(context, data, "ecte", ADD)
    integers = IntegerNetwork.of(adding.graph, BITS).classes(data.x_test)
    accuracies = [
        _of_line(context, data),
        *(_accuracy(found, data) for found in plain),
        _accuracy(adding, data),
        100 * float(np.mean(integers == data.y_test)),
    ]
    return {
        "accuracy": np.array(accuracies),
        "learning": np.array([100 * found.history["accuracy"] for found in (*plain, adding)]),
        "used": np.array(f"{data.used}, of which {len(data.x):,} were used for training"),
    }


def measure(result: Result) -> dict[str, float]:
    """Differences of accuracies."""
    line, cte, ecte, adding, integers = result["accuracy"]
    return {
        "extended": float(ecte - cte),
        "margin": float(ecte - line),
        "additions": float(ecte - adding),
        "integers": float(adding - integers),
    }


def plot(result: Result, context: Context) -> Figure:
    """Test accuracies, and accuracy on training batches by epoch."""
    figure, (left, right) = panels(2, width=4.4, height=3.0)
    place = np.arange(len(NAMES))
    bars = left.bar(place, result["accuracy"], color=[GRAY, *[BLUE] * (len(NAMES) - 1)])
    left.bar_label(bars, fmt="%.1f", fontsize=7)
    left.set_xticks(place, NAMES, rotation=15, fontsize=8)
    left.set_ylim(max(0.0, result["accuracy"].min() - 10), 102)
    finish(left, "", "", "test accuracy (%)")
    for name, curve in zip(NAMES[1:4], result["learning"], strict=True):
        right.plot(1 + np.arange(len(curve)), curve, "o-", ms=3, label=name)
    legend_above(figure, right)
    right.xaxis.set_major_locator(MaxNLocator(integer=True))
    finish(right, "", "epoch", "training accuracy (%)")
    return figure


def _trained(context: Context, data: Split, name: str, code: CorrelativeCode) -> Trained:
    """Train a network with one hidden layer."""
    real = data.used != "digits"
    options = replace(
        OPTIONS,
        epochs=EPOCHS if real else context.pick(DIGITS_EPOCHS, 2),
        seed=context.seed,
    )
    hidden = context.pick(N_HIDDEN, 40)
    encoder = make(name, {"n_levels": LEVELS[name]})
    return train_graph(code, encoder, (hidden,), data.x, data.y, options, progress=context.progress)


def _accuracy(found: Trained, data: Split) -> float:
    outputs = np.asarray(found.graph.predict(data.x_test, batch_size=100))
    return 100 * decision_of(found.graph).accuracy(outputs, data.y_test)


def _of_line(context: Context, data: Split) -> float:
    """Return the accuracy of a linear support vector machine on the same pixels."""
    from sklearn.svm import LinearSVC

    flat, test = (x.reshape(len(x), -1) for x in (data.x, data.x_test))
    machine = LinearSVC(C=0.05, random_state=context.seed).fit(flat, data.y)
    return 100 * float(np.mean(machine.predict(test) == data.y_test))
