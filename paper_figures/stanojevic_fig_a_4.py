"""stanojevic Fig A.4: similar samples become similar spike patterns, classes orthogonal ones."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from bioconv.encoders import cosine_similarity, make, target_patterns
from bioconv.ground.errors import ParameterError
from bioconv.paper_figures.frame import Claim, Context, Manifest, Result
from bioconv.paper_figures.single_spikes import split
from bioconv.plots.style import BLUE, GRAY, ORANGE, finish, legend_above, panels

#: two items of three features, as in the figure: x and y
ITEMS = np.array([[2.0, 0.0, 3.0], [2.0, 1.0, 2.0], [1.0, 2.0, 1.0], [3.0, 3.0, 0.0]])
#: the paper's T = 4 breaks its own Eq A.33, which requires more than delta n (mu + Q - 1) = 4
SMALL = {"n_steps": 5, "n_levels": 3, "n_spikes": 1.0, "interval": 5.0}
OVERLAP = {"n_neighbours": 2, "eta": 1, "segment": 1}
#: lengths of patterns, and spikes in them: as many as d = o(n^(1/2)) allows
LENGTHS, POWER = (100, 400, 1600, 6400), 0.4
NAMES = ("cte", "ecte")

MANIFEST = Manifest(
    paper="stanojevic",
    number="Fig A.4",
    title="Correlative time encoding of samples, and target patterns of classes",
    claims=(
        Claim(
            "ecte",
            "correlation of the similarity of samples and that of their spikes, ECTE, n_f = 100",
            0.99,
            kind="at least",
            source="Eq A.37 ('approximately'); the number is ours",
        ),
        Claim(
            "cte",
            "the same for CTE with the longest patterns",
            0.99,
            kind="at least",
            source="Eq A.30 (for n to infinity); the number is ours",
        ),
        Claim(
            "convergence",
            "share of the deviation for n_f = 100 that is left with the longest patterns, CTE",
            0.44,
            kind="at most",
            source="Lemma 2; our number: the norms of patterns deviate by d^(-1/2), d = 5 to 26",
        ),
        Claim(
            "levels",
            "largest number Q of levels for n_f = 100, mu = 5 and eta = 6",
            12.0,
            source="Eq A.33",
        ),
    ),
    data="an example of three features; here also MNIST",
    substitute="without data digits",
    partly="the example of the figure has T = 4, which breaks Eq A.33; here T = 5",
    minutes=0.5,
)


def compute(context: Context) -> dict[str, NDArray]:
    """Patterns of the example, and similarities of images and of their spikes."""
    data = split(context, "mnist")
    x = data.x[: context.pick(120, 40)].reshape(context.pick(120, 40), -1)
    result: dict[str, NDArray] = {"used": np.array(data.used), "lengths": np.array(LENGTHS)}
    for name in NAMES:
        options: dict[str, Any] = {**SMALL, **(OVERLAP if name == "ecte" else {})}
        example: Any = make(name, {**options, "pattern_seed": 3}).fitted(ITEMS)
        result[f"example_{name}"] = example.patterns[:, :, 0]
        encoder: Any = make(name, {"n_levels": 12 if name == "ecte" else 3}).fitted(x)
        result[f"psi_{name}"] = _pairs(encoder.similarity(x))
        result[f"rho_{name}"] = _pairs(cosine_similarity(encoder.dense(x)))
    found = []
    for length in LENGTHS:
        spikes = 5.0 * (length / LENGTHS[0]) ** POWER
        options = {"n_levels": 3, "n_steps": length, "n_spikes": spikes}
        encoder = make("cte", options).fitted(x)
        found.append(_pairs(_similar(encoder, x)) - result["psi_cte"])
    result["deviations"] = np.array(found)
    result["levels"] = np.array(_most_levels())
    result["targets"] = target_patterns(10, 5, 100, seed=context.seed)
    return result


def measure(result: Result) -> dict[str, float]:
    """Correlations, convergence, and the sizes of the equations."""
    deviation = np.sqrt((result["deviations"] ** 2).mean(axis=1))
    longest = result["psi_cte"] + result["deviations"][-1]
    return {
        "ecte": float(np.corrcoef(result["psi_ecte"], result["rho_ecte"])[0, 1]),
        "cte": float(np.corrcoef(result["psi_cte"], longest)[0, 1]),
        "convergence": float(deviation[-1] / deviation[0]),
        "levels": float(result["levels"]),
    }


def plot(result: Result, context: Context) -> Figure:
    """Patterns of the example, similarities, their convergence, and targets."""
    figure, axes = panels(6, columns=3, width=3.4, height=2.6)
    for axis, name in zip(axes, NAMES, strict=False):
        _draw_patterns(axis, result[f"example_{name}"])
        finish(axis, f"{name.upper()}: levels of three features", "step", "")
    targets = result["targets"]
    for label, color in ((0, BLUE), (1, ORANGE)):
        step, neuron = np.nonzero(targets[label])
        axes[2].plot(step, neuron, "|", color=color, ms=5, label=f"class {label}")
    axes[2].set_ylim(-1, 10)
    axes[2].set_yticks(range(0, 10, 2))
    axes[2].set_xlim(0, targets.shape[1])
    legend_above(figure, axes[2])
    finish(axes[2], "target patterns", "step", "output neuron")
    for axis, name in zip(axes[3:5], NAMES, strict=True):
        psi, rho = result[f"psi_{name}"], result[f"rho_{name}"]
        axis.plot(psi, rho, ".", color=BLUE, ms=1.5, alpha=0.4)
        ends = [0.0, max(psi.max(), rho.max())]
        axis.plot(ends, ends, color=GRAY, lw=0.8)
        title = f"{name.upper()}, n_f = 100"
        finish(axis, title, "similarity of samples", "similarity of spikes")
    deviation = np.sqrt((result["deviations"] ** 2).mean(axis=1))
    axes[5].loglog(result["lengths"], deviation, "o-", color=BLUE)
    finish(axes[5], "CTE", "length of patterns n_f", "rms deviation")
    return figure


def _draw_patterns(axis: Axes, patterns: NDArray[np.bool_]) -> None:
    """Draw the spikes of the levels of every feature, one row for each level."""
    n_features, n_levels, n_steps = patterns.shape
    feature, level, step = np.nonzero(patterns)
    row = feature * (n_levels + 1) + level
    axis.scatter(step + 1, row, marker="|", s=70, color=BLUE)
    rows = np.arange(n_features)[:, None] * (n_levels + 1) + np.arange(n_levels)
    names = [f"a{f + 1},{i + 1}" for f in range(n_features) for i in range(n_levels)]
    axis.set_yticks(rows.ravel(), names, fontsize=7)
    axis.set_xticks(np.arange(1, n_steps + 1))
    axis.set_xlim(0.5, n_steps + 0.5)


def _pairs(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    return matrix[np.triu_indices(len(matrix), 1)]


def _similar(encoder: Any, x: NDArray) -> NDArray[np.float64]:
    """Return the similarity of long patterns, from the spikes of one feature after the other."""
    levels, vectors = encoder.levels(x), encoder.patterns[:, :, 0].astype(np.float32)
    products = vectors @ vectors.swapaxes(1, 2)  # of the levels of a feature
    silent = np.pad(products, ((0, 0), (0, 1), (0, 1)))
    total = sum(
        product[level[:, None], level] for product, level in zip(silent, levels.T, strict=True)
    )
    norms = np.sqrt(np.maximum(np.diag(np.asarray(total)), 1e-12))
    return np.asarray(total / norms / norms[:, None], np.float64)


def _most_levels() -> int:
    """Return the largest number of levels that the encoder accepts."""
    for n_levels in range(1, 100):
        try:
            make("ecte", {"n_levels": n_levels})
        except ParameterError:
            return n_levels - 1
    return 100
