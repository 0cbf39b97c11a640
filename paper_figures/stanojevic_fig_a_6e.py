"""stanojevic Figs A.6e and A.6f: accuracy on Fashion-MNIST of both encodings and of rivals."""

from __future__ import annotations

from matplotlib.figure import Figure
from numpy.typing import NDArray

from bioconv.paper_figures.frame import Claim, Context, Manifest, Result
from bioconv.paper_figures.spike_patterns import (
    CLOSE_TO_RELU,
    FASHION_EPOCHS,
    FASHION_HIDDEN,
    FASHION_IMAGES,
    compared,
    differences,
    draw,
    fashion,
)

MANIFEST = Manifest(
    paper="stanojevic",
    number="Figs A.6e, A.6f",
    title="Accuracy of correlative time encoding on Fashion-MNIST",
    claims=(
        Claim(
            "extended",
            "accuracy of ECTE above that of CTE, in points ('significantly higher')",
            1.0,
            kind="at least",
            source="text; the number is ours",
        ),
        Claim(
            "margin",
            "accuracy of ECTE above that of the linear SVM, in points ('significantly outperform')",
            1.0,
            kind="at least",
            source="text; the number is ours",
        ),
        CLOSE_TO_RELU,
        Claim(
            "additions",
            "accuracy that training and inference with additions alone lose, in points",
            0.0,
            tolerance=0.6,
            kind="at most",
            source="text ('does not affect'); tolerance: two standard deviations of 10,000 images",
        ),
    ),
    data="Fashion-MNIST, 784-800-100 and 784-256-256-256-100",
    substitute=f"{FASHION_IMAGES:,} training images, {FASHION_HIDDEN} hidden neurons; without data "
    "digits",
    partly="the thesis trains 800 neurons on 54,000 images until 100 epochs bring no gain, with "
    f"learning rates that stand in a picture only; here {FASHION_EPOCHS} epochs, for two cores",
    minutes=6,
)


def compute(context: Context) -> dict[str, NDArray]:
    """Test accuracies of all systems, in per cent, and those during the training."""
    data, cte = fashion(context, "cte")
    _, ecte = fashion(context, "ecte")
    return compared(context, [data], cte, ecte)


def measure(result: Result) -> dict[str, float]:
    """Differences of accuracies."""
    return differences(result)


def plot(result: Result, context: Context) -> Figure:
    """Test accuracies, and accuracy on training batches by epoch."""
    return draw(result)
