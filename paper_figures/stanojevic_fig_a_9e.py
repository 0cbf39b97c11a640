"""stanojevic Figs A.6g, A.8g and A.9e: operations of the first layer for three more datasets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from bioconv.codes.correlative.operations import (
    Operations,
    analog_operations,
    spiking_operations,
)
from bioconv.encoders import make
from bioconv.paper_figures.articles import folds
from bioconv.paper_figures.frame import Claim, Context, Manifest, Result
from bioconv.paper_figures.single_spikes import split
from bioconv.paper_figures.workloads import cifar10_training
from bioconv.plots.style import BLUE, GRAY, GREEN, ORANGE, finish, legend_above, panels

N_STEPS = 100
#: spikes of a value, as for MNIST: the mean d_f of CTE, mu eta of ECTE, one in three steps of the
#: rate code
CTE_SPIKES, ECTE_SPIKES, RATE_SPIKES, RATE_STEPS = 5, 30, 100, 300
NAMES = ("rate", "analog", "CTE", "ECTE")
DATA = ("Fashion-MNIST", "BBC News", "CIFAR-10")
N_SAMPLES, N_WORDS = 2000, 10_000


@dataclass(frozen=True)
class First:
    """The first layer of a network.

    Parameters
    ----------
    n_pre : int
        Features.
    fan_out : int
        Units that a feature reaches.
    n : int
        Units.
    active : float
        Share of the features that are not zero, in the text.
    """

    n_pre: int
    fan_out: int
    n: int
    active: float

    def spiking(self, spikes: float, n_steps: int = N_STEPS, n_terms: int = 3) -> Operations:
        """Return the operations of spiking units: weights of the spikes, and decays."""
        weights = spiking_operations(self.n_pre, self.fan_out, 0, spikes=spikes, active=self.active)
        return weights + spiking_operations(0, self.n, n_steps, spikes=0, n_terms=n_terms)

    def systems(self) -> tuple[Operations, ...]:
        """Return the operations in the order of `NAMES`."""
        return (
            self.spiking(RATE_SPIKES, RATE_STEPS, n_terms=0),
            analog_operations(self.n_pre, self.fan_out, active=self.active),
            self.spiking(CTE_SPIKES),
            self.spiking(ECTE_SPIKES),
        )


#: the thesis gives the convolutions in a picture only: ours have 32 filters of 3 by 3
LAYERS = {
    "Fashion-MNIST": First(784, 800, 800, 0.5),
    "BBC News": First(10_000, 200, 200, 0.32),
    "CIFAR-10": First(3072, 9 * 32, 32 * 32 * 32, 1.0),
}
_SHARE = "text, A.2.4"

MANIFEST = Manifest(
    paper="stanojevic",
    number="Figs A.6g, A.8g, A.9e",
    title="Operations of the first hidden layer for Fashion-MNIST, BBC News and CIFAR-10",
    claims=(
        Claim(
            "share_fashion",
            "pixels of Fashion-MNIST that are not zero, per cent ('around 50%')",
            50.0,
            tolerance=2.5,
            source=f"{_SHARE}; tolerance: rounded to fives",
        ),
        Claim(
            "share_news",
            "words with a tf-idf value that is not zero, per cent ('around 32%')",
            32.0,
            tolerance=1.0,
            source=f"{_SHARE}; tolerance: rounded",
        ),
        Claim(
            "share_cifar10",
            "values of CIFAR-10 that are not zero, per cent ('estimated at 100%')",
            100.0,
            tolerance=1.0,
            source=f"{_SHARE}; tolerance: rounded",
        ),
        Claim(
            "ecte_over_cte",
            "smallest ratio of additions, ECTE over CTE ('at the cost of')",
            2.0,
            kind="at least",
            source="text, A.2.5; the number is ours",
        ),
        Claim(
            "rate_over_ecte",
            "smallest ratio of additions, rate code over ECTE",
            2.0,
            kind="at least",
            source="text ('larger number of spikes'); the number is ours",
        ),
        Claim(
            "measured_cte",
            "most that real samples need above or below the formula with their own share of "
            "non-zero values, CTE: ratio of input spikes",
            1.0,
            tolerance=0.05,
            source="ours",
        ),
        Claim(
            "measured_ecte",
            "the same for ECTE, whose formula leaves out its random spikes: those of 70 steps",
            33.5 / 30,
            tolerance=0.06,
            source="ours, from Algorithm 3 with mu = eta = delta n = 5, 6, 6",
        ),
    ),
    data="Fashion-MNIST, BBC News (2,225 articles), CIFAR-10",
    substitute="BBC News: 1,490 articles; without data digits",
    partly="the thesis shows the numbers of operations, and its convolutions, in pictures only",
    minutes=0.25,
)


def compute(context: Context) -> dict[str, NDArray]:
    """Operations by the formulas, shares of non-zero values, and spikes of real samples."""
    systems = [LAYERS[name].systems() for name in DATA]
    result = {
        "additions": np.array([[one.additions for one in row] for row in systems]),
        "multiplications": np.array([[one.multiplications for one in row] for row in systems]),
    }
    shares, ratios = [], []
    for x in _samples(context).values():
        share = float((x != 0).mean())
        shares.append(100 * share)
        ratios.append([_spikes(x, name) / share / x.shape[1] for name in ("cte", "ecte")])
    spikes = np.array([CTE_SPIKES, ECTE_SPIKES], float)
    used = "Fashion-MNIST, BBC News (1,490 articles) and CIFAR-10 (a part)"
    real = context.data is not None and not context.quick
    return {
        **result,
        "share": np.array(shares),
        "ratio": np.array(ratios) / spikes,
        "used": np.array(used if real else "digits"),
    }


def _samples(context: Context) -> dict[str, NDArray]:
    """Return samples of every dataset, shape (n_samples, n_features)."""
    n = context.pick(N_SAMPLES, 100)
    found = {
        "Fashion-MNIST": split(context, "fashion_mnist").x[:n],
        "BBC News": next(folds(context, 10, N_WORDS)).x[:n],
        "CIFAR-10": cifar10_training(context, "cnn")[0][:n],
    }
    return {name: x.reshape(len(x), -1) for name, x in found.items()}


def _spikes(x: NDArray, name: str) -> float:
    """Return the mean number of input spikes of a sample."""
    n_levels = {"cte": 1, "ecte": 12}[name]
    encoder = make(name, {"n_levels": n_levels}).fitted(x)
    part = x[:100]
    return float(encoder.encode(part).n_spikes / len(part))


def measure(result: Result) -> dict[str, float]:
    """Shares in per cent, and ratios."""
    rate, _, cte, ecte = result["additions"].T
    share_fashion, share_news, share_cifar10 = result["share"]
    far = {
        name: ratios[np.abs(ratios - 1).argmax()]
        for name, ratios in zip(("cte", "ecte"), result["ratio"].T, strict=True)
    }
    return {
        "share_fashion": float(share_fashion),
        "share_news": float(share_news),
        "share_cifar10": float(share_cifar10),
        "ecte_over_cte": float((ecte / cte).min()),
        "rate_over_ecte": float((rate / ecte).min()),
        "measured_cte": float(far["cte"]),
        "measured_ecte": float(far["ecte"]),
    }


def plot(result: Result, context: Context) -> Figure:
    """Additions and multiplications of each system, and shares of non-zero values."""
    figure, axes = panels(4, columns=4, width=2.8, height=2.9)
    place = np.arange(len(NAMES))
    for panel, name, additions, products in zip(
        axes[:3], DATA, result["additions"], result["multiplications"], strict=True
    ):
        panel.bar(place - 0.2, additions, 0.4, color=BLUE, label="additions")
        panel.bar(place + 0.2, products, 0.4, color=ORANGE, label="multiplications")
        panel.set_yscale("log")
        panel.set_xticks(place, NAMES, fontsize=8)
        finish(panel, name, "", "operations")
    where = np.arange(len(DATA))
    stated = [100 * LAYERS[name].active for name in DATA]
    axes[3].bar(where - 0.2, result["share"], 0.4, color=GREEN, label="here (d)")
    axes[3].bar(where + 0.2, stated, 0.4, color=GRAY, label="thesis (d)")
    axes[3].set_xticks(where, DATA, fontsize=7)
    finish(axes[3], "", "", "non-zero values (%)")
    legend_above(figure, axes[0], axes[3], columns=4)
    return figure
