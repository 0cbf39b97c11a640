"""mueller Fig 4.8: a text transformer in which every ReLU spikes, accuracy over 50 steps."""

from __future__ import annotations

from matplotlib.figure import Figure
from numpy.typing import NDArray

from bioconv.paper_figures.frame import Claim, Context, Manifest, Result
from bioconv.paper_figures.transformers import PARTLY, drawn, measured, runs

MANIFEST = Manifest(
    paper="mueller",
    number="Fig 4.8",
    title="Accuracy over time of a converted text transformer",
    claims=(
        Claim("analog", "accuracy before conversion, in %", 86.36, tolerance=1.5),
        Claim("spiking", "accuracy after 50 steps, in %", 86.25, tolerance=1.5),
        Claim(
            "loss",
            "loss of the conversion after 50 steps, in points (86.36 - 86.25)",
            0.11,
            tolerance=0.3,
            kind="at most",
        ),
        Claim(
            "later_gain",
            "what the steps from 13 to 50 add, in points (flat after 13 steps)",
            0.0,
            tolerance=0.5,
        ),
    ),
    data="IMDb, 200 of the 20,000 most frequent words",
    substitute="networks trained here; without data a small synthetic set",
    partly=PARTLY,
    minutes=15,
)


def compute(context: Context) -> dict[str, NDArray]:
    """Accuracy over 50 steps of networks trained with several seeds."""
    return runs(context, "text_transformer")


def measure(result: Result) -> dict[str, float]:
    """Accuracies before and after conversion."""
    return measured(result)


def plot(result: Result, context: Context) -> Figure:
    """The mean over the trainings."""
    return drawn(result, "text transformer")
