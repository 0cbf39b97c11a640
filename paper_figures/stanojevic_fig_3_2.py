"""stanojevic Fig 3.2: eigenvalues of the Jacobian of spike times at initialisation."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from bioconv.paper_figures.frame import Claim, Context, Manifest, Result
from bioconv.plots.style import BLUE, GRAY, ORANGE, finish, panels

#: units of a layer, as in the thesis
_UNITS = 340
#: largest coordinate of the picture
_REACH = 3.0

MANIFEST = Manifest(
    paper="stanojevic",
    number="Fig 3.2",
    title="Eigenvalues of the Jacobian of spike times, with alpha = 1 and linearly mappable",
    claims=(
        Claim(
            "outside",
            "alpha = 1: eigenvalues outside the unit circle, smallest number of all seeds "
            "('multiple')",
            2,
            kind="at least",
            source="text",
        ),
        Claim(
            "largest",
            "linearly mappable: largest modulus, mean of all seeds ('tightly within the unit "
            "circle')",
            1.0,
            tolerance=0.05,
            source="caption; the largest of 340 eigenvalues is 1 + O(340^(-1/2)) = 1.05 at most",
        ),
    ),
    data="weights W = N(0, 1) / sqrt(340) of 340 units",
    minutes=0.1,
)


def compute(context: Context) -> dict[str, NDArray]:
    """Eigenvalues of W / B for alpha = 1 and for alpha = 1 - sum(W), which is B = 1."""
    found: dict[str, list[NDArray]] = {"alpha_1": [], "linear": []}
    for seed in range(context.pick(8, 3)):
        rng = np.random.default_rng([context.seed, seed])
        weights = rng.normal(0, 1 / np.sqrt(_UNITS), (_UNITS, _UNITS))
        slope = 1.0 + weights.sum(axis=1, keepdims=True)  # B, one for each postsynaptic neuron
        found["alpha_1"].append(np.linalg.eigvals(weights / slope))
        found["linear"].append(np.linalg.eigvals(weights))
    result = {
        f"{name}_{part}": np.stack([getattr(values, part) for values in entries])
        for name, entries in found.items()
        for part in ("real", "imag")
    }
    return {**result, "used": np.array(MANIFEST.data)}


def _modulus(result: Result, name: str) -> NDArray:
    return np.hypot(result[f"{name}_real"], result[f"{name}_imag"])


def measure(result: Result) -> dict[str, float]:
    """Return how many eigenvalues lie outside the unit circle, and the largest moduli."""
    free, linear = _modulus(result, "alpha_1"), _modulus(result, "linear")
    return {
        "outside": float(np.min(np.sum(free > 1, axis=1))),
        "largest": float(np.mean(linear.max(axis=1))),
    }


def plot(result: Result, context: Context) -> Figure:
    """Eigenvalues of the first seed in the complex plane."""
    figure, axes = panels(2, columns=2, width=3.2, height=3.0)
    angle = np.linspace(0, 2 * np.pi, 200)
    names = (("alpha_1", ORANGE, r"$\alpha = 1$"), ("linear", BLUE, "linearly mappable"))
    for place, (name, color, title) in zip(axes, names, strict=True):
        real, imaginary = result[f"{name}_real"][0], result[f"{name}_imag"][0]
        place.plot(real, imaginary, ".", color=color, markersize=3)
        place.plot(np.cos(angle), np.sin(angle), color=GRAY, linewidth=0.9)
        place.set_aspect("equal")
        # With alpha = 1, a few eigenvalues lie far outside: the number is in the title.
        far = int(np.sum(np.hypot(real, imaginary) > _REACH))
        place.set_xlim(-_REACH, _REACH)
        place.set_ylim(-_REACH, _REACH)
        title += f" ({far} more outside)" if far else ""
        finish(place, title, "real part", "imaginary part")
    return figure
