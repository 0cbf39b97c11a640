"""A function and the population of threshold neurons that represents it: mueller Figs 5.3, 5.4."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from bioconv.analog.elementwise import Elementwise
from bioconv.codes.population import Placement
from bioconv.codes.population.placement import fitted_normal, population_of
from bioconv.paper_figures.frame import Claim, Context, Manifest, Result
from bioconv.paper_figures.lstm import thesis
from bioconv.plots.style import BLUE, GREEN, finish, legend_above, panels

#: neurons of each sign in the figures
N = 25
#: deviation of the normal curve from the sigmoid, and Kolmogorov's bound at 95 %
MISSES, KOLMOGOROV = 0.01, 1.36


def manifest(number: str, function: str, sigma: float, neurons: str) -> Manifest:
    """Return the manifest of such a figure.

    Parameters
    ----------
    number : str
        Number of the figure in the thesis.
    function : str
    sigma : float
        Standard deviation of the thresholds in the thesis.
    neurons : str
        Description of the number of neurons.
    """
    return Manifest(
        paper="mueller",
        number=number,
        title=f"{function} as a population of {neurons} with normally distributed thresholds",
        claims=(
            Claim(
                "sigma",
                "standard deviation of the thresholds with the least squared error",
                sigma,
                tolerance=0.06,
                source="text",
            ),
            Claim(
                "within_bound",
                "share of seeds with an error of at most 0.01 + 1.36 / sqrt(25) of the range",
                0.95,
                kind="at least",
                source="Kolmogorov's bound; the thesis says 'reasonable approximation'",
            ),
            Claim(
                "quantile_error",
                "largest error with thresholds at quantiles of the normal, share of the range",
                MISSES + 1 / N,
                kind="at most",
                source="a step of 1 / 25, and what the normal curve misses",
            ),
        ),
        data="one population",
        minutes=0.2,
    )


def curves(function: Elementwise, low: float, high: float, context: Context) -> dict[str, NDArray]:
    """The function, one population of 25 (per sign), and largest errors of many.

    Parameters
    ----------
    function : Elementwise
        A bounded function of one number.
    low, high : float
        Range of inputs.
    context : Context
    """
    x = np.linspace(low, high, 4001)
    exact = np.asarray(function.apply([x]), np.float64)

    def answer(placement: Placement, seed: int) -> NDArray:
        made = population_of(function, placement, (1,), np.random.default_rng(seed))
        return np.asarray(made.value(x[:, None]), np.float64)[:, 0]

    n = context.pick(400, 40)
    random = [answer(thesis(N), seed) for seed in range(n)]
    own, normal = Placement(N), Placement(N, curve="normal")
    largest = {
        "random": np.array([np.abs(values - exact).max() for values in random]),
        "quantiles": np.abs(answer(normal, 0) - exact).max(),
        "own": np.abs(answer(own, 0) - exact).max(),
    }
    return {
        "x": x,
        "exact": exact,
        "random": random[context.seed % n],
        "quantiles": answer(normal, 0),
        **{f"error {name}": np.asarray(value) for name, value in largest.items()},
        "sigma": np.asarray(fitted_normal(function)[1]),
        "used": np.array(f"populations of {N} neurons of each kind, {n} seeds"),
    }


def errors(result: Result) -> dict[str, float]:
    """Sigma, share of random populations within Kolmogorov's bound, error of quantiles; errors as
    shares of the function's range."""
    span = float(np.round(np.ptp(result["exact"])))
    bound = MISSES + KOLMOGOROV / np.sqrt(N)
    return {
        "sigma": float(result["sigma"]),
        "within_bound": float(np.mean(result["error random"] <= span * bound)),
        "quantile_error": float(result["error quantiles"]) / span,
    }


def figure_of(result: Result, name: str, neurons: str) -> Figure:
    """The function, random thresholds, quantile thresholds."""
    figure, (axes,) = panels(1, width=5.0, height=3.4)
    x = result["x"]
    axes.step(x, result["random"], color=BLUE, alpha=0.6, label=f"{neurons}, random")
    axes.step(x, result["quantiles"], color=GREEN, alpha=0.6, label=f"{neurons}, at the quantiles")
    axes.plot(x, result["exact"], color="black", linewidth=1.2, label=name)
    finish(axes, "", "input", "spikes over neurons")
    legend_above(figure, axes, columns=2)
    return figure
