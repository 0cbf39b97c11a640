"""mueller Fig 3.4: the rate of a population follows a wide pulse."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from bioconv.neurons import LeakyIntegrateAndFire, with_noise
from bioconv.paper_figures.frame import Claim, Context, Manifest, Result
from bioconv.plots.style import BLUE, GRAY, finish, legend_above, panels
from bioconv.recurrent import density_rate
from bioconv.simulators.stimulation import stimulate

#: ms
DURATION, STEP, WINDOW = 300.0, 0.5, 5.0
PULSE = (100.0, 200.0)
#: currents in pA outside and within the pulse, and of the noise of every neuron
LOW, HIGH, NOISE = 375.0, 1125.0, 1500.0
#: numbers of neurons of the small population, which is shown, and of the large one
SMALL, LARGE = 40, 640

MANIFEST = Manifest(
    paper="mueller",
    number="Fig 3.4",
    title="Rate of a population of noisy LIF neurons under a wide pulse (Eq 3.3)",
    claims=(
        Claim(
            "follows",
            "correlation of the large population's rate with the pulse",
            0.95,
            kind="at least",
            source="figure: the rate follows the edges; our reading of the number",
        ),
        Claim(
            "spread",
            "standard deviation of the rate, small population divided by large one",
            4.0,
            tolerance=1.5,
            source="independent neurons: the root of 640 / 40",
        ),
    ),
    data="one population, one pulse",
    substitute="our own neuron and sizes, which the thesis does not give",
    minutes=0.2,
)


def compute(context: Context) -> dict[str, NDArray]:
    """Stimulus, spikes and population rates."""
    time = np.arange(round(DURATION / STEP)) * STEP
    stimulus = np.where((time >= PULSE[0]) & (time < PULSE[1]), HIGH, LOW)
    neuron = with_noise(LeakyIntegrateAndFire(), NOISE)
    current = np.broadcast_to(stimulus[:, None], (len(time), LARGE + SMALL))
    response = stimulate(neuron, current, duration=DURATION, dt=STEP, seed=context.seed)
    fired = np.zeros((LARGE + SMALL, len(time)), bool)
    for index, times in enumerate(response.spike_times):
        fired[index, np.round(times / STEP).astype(int) - 1] = True
    per_window = round(WINDOW / STEP)
    # Eq 3.3 is Eq 3.2 with neurons instead of runs.
    rates = [density_rate(part, STEP, per_window) for part in (fired[:SMALL], fired[SMALL:])]
    return {
        "time": time,
        "stimulus": stimulus,
        "spikes": fired[:SMALL],
        "window": (np.arange(len(rates[0])) + 0.5) * WINDOW,
        "small": rates[0],
        "large": rates[1],
        "used": np.array(f"{SMALL} and {LARGE} LIF neurons, each with noise of its own"),
    }


def measure(result: Result) -> dict[str, float]:
    """Return the correlation with the pulse, and the ratio of the spreads of the rates."""
    window = result["window"]
    pulse = (window > PULSE[0]) & (window < PULSE[1])
    steady = (window > PULSE[0] + 30) & (window < PULSE[1])
    return {
        "follows": float(np.corrcoef(pulse, result["large"])[0, 1]),
        "spread": float(result["small"][steady].std() / result["large"][steady].std()),
    }


def plot(result: Result, context: Context) -> Figure:
    """Plot the stimulus, the spikes of the small population, and both rates."""
    figure, (stimulus, raster, rate) = panels(1, rows=3, width=5.6, height=1.6)
    stimulus.plot(result["time"], result["stimulus"], color=GRAY)
    neuron, step = np.nonzero(result["spikes"])
    raster.plot(step * STEP, neuron, "k|", markersize=2)
    rate.step(result["window"], result["small"], where="mid", color=GRAY, label=f"{SMALL} neurons")
    rate.step(result["window"], result["large"], where="mid", color=BLUE, label=f"{LARGE} neurons")
    legend_above(figure, rate)
    finish(stimulus, "", "", "current (pA)")
    finish(raster, "", "", "neuron")
    finish(rate, "", "time (ms)", "A(t) (Hz)")
    for axes in (stimulus, raster, rate):
        axes.set_xlim(0, DURATION)
        for edge in PULSE:
            axes.axvline(edge, color="k", linestyle="--", linewidth=0.8)
    return figure
