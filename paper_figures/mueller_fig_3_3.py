"""mueller Fig 3.3: rate codes of a wide pulse, and the laws of their errors."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from bioconv.encoders import make, rms_error
from bioconv.paper_figures.frame import Claim, Context, Manifest, Result
from bioconv.paper_figures.signals import wide_pulse
from bioconv.plots.style import BLUE, GRAY, ORANGE, finish, legend_above, panels

#: samples of the pulse, and the interval between them in ms
N_SAMPLES, INTERVAL = 12, 25.0
#: largest numbers of spikes in a window, for the laws
COUNTS = 2 ** np.arange(2, 13)

MANIFEST = Manifest(
    paper="mueller",
    number="Fig 3.3",
    title="Rate codes of a wide pulse, and their error against the number of spikes",
    claims=(
        Claim(
            "regular",
            "slope of log error over log N for regular spikes",
            -1.0,
            tolerance=0.05,
            source="text, 3.1.1: 1/N",
        ),
        Claim(
            "poisson",
            "slope of log error over log N for Poisson spikes",
            -0.5,
            tolerance=0.05,
            source="text, 3.1.1: 1/sqrt(N)",
        ),
        Claim(
            "density",
            "slope of log error over log K for a density over K runs (Eq 3.2)",
            -0.5,
            tolerance=0.05,
            source="independent runs",
        ),
    ),
    data="one pulse",
    substitute="our own pulse and rates, which the thesis does not give",
    minutes=0.2,
)


def compute(context: Context) -> dict[str, NDArray]:
    """Spikes of the pulse, and errors on random values."""
    rng = np.random.default_rng(context.seed)
    values = rng.uniform(0.1, 1.0, context.pick(4000, 200))
    whole = {"low": 0.0, "high": 1.0, "interval": INTERVAL}
    errors: dict[str, list[float]] = {"regular": [], "poisson": [], "density": []}
    for n in COUNTS.tolist():
        encoders = {
            "regular": make("count", {**whole, "n_spikes": n}),
            "poisson": make("count", {**whole, "n_spikes": n, "kind": "poisson"}),
            # One spike a run is expected in an interval of the largest value.
            "density": make("density", {**whole, "n_runs": n, "max_rate": 1e3 / INTERVAL}),
        }
        for name, encoder in encoders.items():
            few = values[: 2 * 10**6 // n] if name == "density" else values
            decoded = encoder.decode(encoder.encode(few, context.seed))
            errors[name].append(rms_error(few, decoded))
    pulse = wide_pulse(N_SAMPLES)
    rasters = {
        "regular": make("count", {**whole, "n_spikes": 8}),
        "poisson": make("count", {**whole, "n_spikes": 8, "kind": "poisson"}),
        "density": make("density", {**whole, "n_runs": 30, "max_rate": 80.0}),
    }
    spikes = {name: encoder.encode(pulse, context.seed) for name, encoder in rasters.items()}
    return {
        "pulse": pulse,
        "counts": COUNTS,
        "rate": rasters["density"].decode(spikes["density"]),
        **{f"error_{name}": np.array(found) for name, found in errors.items()},
        **{f"time_{name}": raster.time for name, raster in spikes.items()},
        "unit_density": spikes["density"].unit,
        "used": np.array("a pulse, and uniformly distributed values"),
    }


def measure(result: Result) -> dict[str, float]:
    """Return the slopes of the errors."""
    count = np.log(result["counts"])
    away = count - count.mean()
    return {
        name: float(np.divide(away @ np.log(result[f"error_{name}"]), away @ away))
        for name in ("regular", "poisson", "density")
    }


def plot(result: Result, context: Context) -> Figure:
    """Plot pulse, spikes, density and the laws."""
    figure, (stimulus, count, density, law) = panels(1, rows=4, width=5.6, height=1.8)
    edges = np.arange(N_SAMPLES + 1) * INTERVAL
    stimulus.stairs(result["pulse"], edges, baseline=None, color=GRAY, label="stimulus")
    stimulus.stairs(result["rate"], edges, baseline=None, color=BLUE, label="density, decoded")
    for row, name in enumerate(("poisson", "regular")):
        time = result[f"time_{name}"]
        count.plot(time, np.full(time.shape, row), "k|", markersize=14)
    count.set_yticks([0, 1], ["Poisson", "regular"])
    count.set_ylim(-0.7, 1.7)
    density.plot(result["time_density"], result["unit_density"], "k|", markersize=1.5)
    for name, style in (("regular", "o-"), ("poisson", "o-"), ("density", "s:")):
        color = {"regular": BLUE, "poisson": ORANGE, "density": GRAY}[name]
        law.loglog(result["counts"], result[f"error_{name}"], style, ms=3, color=color, label=name)
    finish(stimulus, "", "", "a")
    finish(count, "", "", "count rate")
    finish(density, "", "time (ms)", "run")
    finish(law, "", "largest number of spikes N, or of runs K", "rms error")
    for axes in (stimulus, count, density):
        axes.set_xlim(0, edges[-1])
        for edge in (1 / 3, 2 / 3):
            axes.axvline(edge * edges[-1], color="k", linestyle="--", linewidth=0.8)
    legend_above(figure, stimulus, law)
    return figure
