"""mueller Fig 4.10: a vision transformer in which every ReLU spikes, accuracy over 50 steps."""

from __future__ import annotations

from matplotlib.figure import Figure
from numpy.typing import NDArray

from bioconv.paper_figures.frame import Claim, Context, Manifest, Result
from bioconv.paper_figures.transformers import PARTLY, drawn, measured, runs

MANIFEST = Manifest(
    paper="mueller",
    number="Fig 4.10",
    title="Accuracy over time of a converted vision transformer",
    claims=(
        Claim("analog", "accuracy before conversion, in %", 97.99, tolerance=1.0),
        Claim("spiking", "accuracy after 50 steps, in %", 97.16, tolerance=1.0),
        Claim(
            "loss",
            "loss of the conversion after 50 steps, in points (97.99 - 97.16)",
            0.83,
            tolerance=0.0,
            kind="at most",
        ),
        Claim(
            "later_gain",
            "what the steps from 13 to 50 add, in points (flat after 13 steps)",
            0.14,
            tolerance=0.5,
        ),
    ),
    data="MNIST, 49 patches of 4 x 4 pixels",
    substitute="networks trained here; without data a small synthetic set",
    partly=PARTLY,
    minutes=20,
)


def compute(context: Context) -> dict[str, NDArray]:
    """Accuracy over 50 steps of networks trained with several seeds."""
    return runs(context, "vision_transformer")


def measure(result: Result) -> dict[str, float]:
    """Accuracies before and after conversion."""
    return measured(result)


def plot(result: Result, context: Context) -> Figure:
    """The mean over the trainings."""
    return drawn(result, "vision transformer")
