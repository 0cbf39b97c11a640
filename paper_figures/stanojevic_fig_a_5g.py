"""stanojevic Fig A.5g: operations of the first hidden layer for MNIST."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from bioconv.codes.correlative.operations import analog_operations, spiking_operations
from bioconv.encoders import make
from bioconv.paper_figures.frame import Claim, Context, Manifest, Result
from bioconv.paper_figures.single_spikes import split
from bioconv.plots.style import BLUE, GRAY, GREEN, ORANGE, finish, legend_above, panels

#: the thesis writes 784 features in its formulas, but its results are those of 785
N_FEATURES, N_SHALLOW, N_DEEP, N_STEPS = 785, 800, 256, 100
#: share of the pixels that are not zero
ACTIVE = 0.2
#: spikes of a pixel: the mean d_f of CTE, mu eta of ECTE, one in three steps of the rate code
CTE_SPIKES, ECTE_SPIKES, RATE_SPIKES, RATE_STEPS = 5, 30, 100, 300
NAMES = ("rate, deep", "analog, shallow", "CTE, shallow", "ECTE, deep")

MANIFEST = Manifest(
    paper="stanojevic",
    number="Fig A.5g",
    title="Operations of the first hidden layer: additions and multiplications",
    claims=(
        Claim("cte", "additions, CTE with 800 units", 868_000, source="text, A.2.4"),
        Claim(
            "ecte",
            "additions, ECTE: weights of 256 units, decays of 800, as the text mixes them",
            1_445_760,
            source="text, A.2.4",
        ),
        Claim("analog", "multiplications, analog network", 125_600, source="text, A.2.4"),
        Claim("rate_multiplications", "multiplications, rate code", 76_800, source="text, A.2.4"),
        Claim("rate_additions", "additions, rate code", 4_014_080, source="text, A.2.4"),
        Claim(
            "measured_cte",
            "additions for weights that real images need, over those of the formula, CTE",
            1.0,
            tolerance=0.15,
            source="ours; tolerance: 20 % of the pixels is a rounded number",
        ),
        Claim(
            "measured_ecte",
            "the same for ECTE, whose random spikes the formula leaves out",
            1.0,
            tolerance=0.15,
            source="ours",
        ),
    ),
    data="MNIST",
    substitute="without data digits, whose share of active pixels is that of digits",
    minutes=0.2,
)


def compute(context: Context) -> dict[str, NDArray]:
    """Operations by the formulas, and those that the spikes of images need."""
    layers = (
        spiking_operations(
            N_FEATURES - 1, N_DEEP, RATE_STEPS, spikes=RATE_SPIKES, active=ACTIVE, n_terms=0
        ),
        analog_operations(N_FEATURES, N_SHALLOW, active=ACTIVE),
        spiking_operations(N_FEATURES, N_SHALLOW, N_STEPS, spikes=CTE_SPIKES, active=ACTIVE),
        spiking_operations(N_FEATURES, N_DEEP, 0, spikes=ECTE_SPIKES, active=ACTIVE)
        + spiking_operations(0, N_SHALLOW, N_STEPS, spikes=ECTE_SPIKES),
    )
    data = split(context, "mnist")
    x = data.x[: context.pick(2000, 200)].reshape(context.pick(2000, 200), -1)
    result = {
        "used": np.array(data.used),
        "additions": np.array([layer.additions for layer in layers]),
        "multiplications": np.array([layer.multiplications for layer in layers]),
    }
    real = data.used != "digits"
    share = ACTIVE if real else float((x != 0).mean())
    for name, n_levels, spikes in (("cte", 1, CTE_SPIKES), ("ecte", 12, ECTE_SPIKES)):
        encoder = make(name, {"n_levels": n_levels}).fitted(x)
        found = encoder.encode(x).n_spikes / len(x)
        result[f"measured_{name}"] = np.array([found, spikes * share * x.shape[1]])
    return result


def measure(result: Result) -> dict[str, float]:
    """Numbers of the text, and measured spikes over those of the formula."""
    rate, analog, cte, ecte = result["additions"]
    return {
        "cte": float(cte),
        "ecte": float(ecte),
        "analog": float(result["multiplications"][1]),
        "rate_multiplications": float(result["multiplications"][0]),
        "rate_additions": float(rate),
        "measured_cte": float(np.divide(*result["measured_cte"])),
        "measured_ecte": float(np.divide(*result["measured_ecte"])),
    }


def plot(result: Result, context: Context) -> Figure:
    """Additions and multiplications of each system, and spikes of images."""
    figure, (left, right) = panels(2, width=4.4, height=3.0)
    place = np.arange(len(NAMES))
    left.bar(place - 0.2, result["additions"], 0.4, color=BLUE, label="additions")
    left.bar(place + 0.2, result["multiplications"], 0.4, color=ORANGE, label="multiplications")
    left.set_yscale("log")
    left.set_xticks(place, NAMES, rotation=15, fontsize=8)
    finish(left, "first hidden layer, MNIST", "", "operations")
    both = np.stack([result["measured_cte"], result["measured_ecte"]])
    right.bar(np.arange(2) - 0.2, both[:, 0], 0.4, color=GREEN, label="images (right)")
    right.bar(np.arange(2) + 0.2, both[:, 1], 0.4, color=GRAY, label="formula (right)")
    right.set_xticks([0, 1], ["CTE", "ECTE"])
    legend_above(figure, left, right, columns=4)
    finish(right, "", "", "input spikes of a sample")
    return figure
