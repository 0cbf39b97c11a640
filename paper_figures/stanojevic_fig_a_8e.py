"""stanojevic Figs A.8e and A.8f: accuracy on BBC News of both encodings and of rivals."""

from __future__ import annotations

from dataclasses import replace

from matplotlib.figure import Figure
from numpy.typing import NDArray

from bioconv.paper_figures.articles import folds
from bioconv.paper_figures.frame import Claim, Context, Manifest, Result
from bioconv.paper_figures.spike_patterns import (
    CLOSE_TO_RELU,
    CODE,
    LEVELS,
    System,
    compared,
    differences,
    draw,
)
from bioconv.training.correlative import OPTIONS

#: 10 output neurons a class, as in the thesis
N_FOLDS, N_WORDS, EPOCHS, N_HIDDEN, N_OUTPUTS = 3, 2000, 6, 200, 10
#: of few updates
_RATE, _DECAY_STEPS = 8e-3, 50

MANIFEST = Manifest(
    paper="stanojevic",
    number="Figs A.8e, A.8f",
    title="Accuracy of correlative time encoding on news articles",
    claims=(
        Claim(
            "svm",
            "accuracy of the linear SVM, in per cent ('a very good accuracy')",
            95.0,
            kind="at least",
            source="text; the number is ours",
        ),
        Claim(
            "accuracy",
            "accuracy of ECTE, in per cent",
            95.0,
            kind="at least",
            source="ours; the thesis shows it in a picture only",
        ),
        Claim(
            "extended",
            "accuracy of ECTE above that of CTE, in points ('slightly improves')",
            0.0,
            tolerance=0.9,
            kind="at least",
            source="text; tolerance: two standard errors of 1,490 articles",
        ),
        CLOSE_TO_RELU,
        Claim(
            "additions",
            "accuracy that training and inference with additions alone lose, in points "
            "('only slightly')",
            0.9,
            kind="at most",
            source="text; two standard errors of 1,490 articles",
        ),
    ),
    data="BBC News (2,225 articles, about 10,000 words), 10000-200-50, ten-fold cross-validation",
    substitute=f"1,490 articles, {N_WORDS:,} words, {N_FOLDS} parts; without data digits",
    partly="the thesis has more articles and words, and learning rates that stand in a picture "
    "only",
    minutes=4,
)


def compute(context: Context) -> dict[str, NDArray]:
    """Test accuracies of all systems, in per cent, and those during the training."""
    options = replace(
        OPTIONS,
        epochs=context.pick(EPOCHS, 1),
        learning_rate=_RATE,
        decay_steps=_DECAY_STEPS,
    )
    hidden, code = (context.pick(N_HIDDEN, 20),), replace(CODE, n_outputs=N_OUTPUTS)
    cte, ecte = (
        System(name, {"n_levels": LEVELS[name]}, code, hidden, options) for name in ("cte", "ecte")
    )
    return compared(context, folds(context, N_FOLDS, N_WORDS), cte, ecte)


def measure(result: Result) -> dict[str, float]:
    """Accuracies and their differences."""
    svm, ecte = result["accuracy"].mean(axis=0)[[0, 4]]
    return {"svm": float(svm), "accuracy": float(ecte), **differences(result)}


def plot(result: Result, context: Context) -> Figure:
    """Test accuracies, and accuracy on training batches by epoch."""
    return draw(result)
