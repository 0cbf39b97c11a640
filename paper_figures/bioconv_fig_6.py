"""Our Fig 6: every encoder on the same four signals, error against spikes."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from bioconv.encoders import SpikeRaster, library, make, rms_error
from bioconv.paper_figures.frame import Claim, Context, Manifest, Result
from bioconv.paper_figures.signals import four_signals
from bioconv.plots.encoding import draw_spikes
from bioconv.plots.style import BLUE, GRAY, finish, panels

#: samples that the optimisation of GAGamma takes, and samples without a preceding filter
FEW, SKIPPED = 40, 24
#: samples of the sine whose spikes are drawn, for codes of changes and for those with windows
SINE, WINDOWS = 200, 16
#: options of codes that are not the default ones
OPTIONS: dict[str, dict[str, Any]] = {
    "density": {"n_runs": 20, "max_rate": 1000.0},
    "population": {"n_neurons": 20, "max_rate": 1000.0},
    "gagamma": {"n_taps": 12, "seconds": 10.0},
    "step_forward": {"threshold": 0.05},
}

MANIFEST = Manifest(
    paper="bioconv",
    number="Fig 6",
    title="All encoders of the survey on a step, a sine, a chirp and a natural signal",
    claims=(
        Claim(
            "beyond",
            "values whose error exceeds the bound of their code, in all codes that have one",
            0.0,
            source="theory of each code",
        ),
        Claim(
            "step_forward",
            "signals on which step-forward has the smallest error of the contrast codes",
            4.0,
            source="ours: it alone carries on what a spike leaves of a change",
        ),
        Claim(
            "filters",
            "signals on which BSA has a smaller error than modified HSA, and that than HSA",
            4.0,
            source="ours: each was published as the successor of the other (mueller 3.1.3)",
        ),
        Claim(
            "deviation",
            "error of the population divided by the theoretical one, mean of signals",
            1.0,
            tolerance=0.1,
            source="Eq 3.3 for independent Poisson neurons",
        ),
    ),
    data="step, sine, chirp, loudness of eight spoken words",
    substitute="gray values of scanned digits instead of speech where there is no data folder",
    minutes=1.0,
)


def compute(context: Context) -> dict[str, NDArray]:
    """Errors and spikes of every encoder on every signal."""
    signals, source = four_signals(context, context.pick(1000, 240))
    names = surveyed()
    table: dict[str, list[list[float]]] = {key: [] for key in ("error", "spikes", "beyond")}
    result: dict[str, NDArray] = {}
    deviation = []
    for label, whole in signals.items():
        result[f"signal_{label}"] = whole
        rows: dict[str, list[float]] = {key: [] for key in table}
        for name in names:
            signal = whole[:: len(whole) // FEW][:FEW] if name == "gagamma" else whole
            whole_range = {"low": 0.0, "high": 1.0}
            encoder = make(name, {**whole_range, **OPTIONS.get(name, {})}).fitted(signal)
            raster = encoder.encode(signal, context.seed)
            decoded = encoder.decode(raster)
            skipped = min(SKIPPED, len(signal) // 4)
            rows["error"].append(rms_error(signal[skipped:], decoded[skipped:]))
            rows["spikes"].append(raster.n_spikes / len(signal))
            bound = encoder.bound(signal)
            known = bound is not None and name not in ("density", "population")
            excess = np.abs(decoded - signal) > (bound if known else np.inf)
            rows["beyond"].append(float(excess.sum()))
            if bound is not None and name == "population":
                deviation.append([np.mean((decoded - signal) ** 2), np.mean(bound**2)])
        for key, found in rows.items():
            table[key].append(found)
    result |= {key: np.array(rows) for key, rows in table.items()}
    for name in names:
        result |= _shown(name, context)
    result["deviation"] = np.sqrt(np.array(deviation))
    result["used"] = np.array(f"step, sine, chirp, {source}")
    return result


def measure(result: Result) -> dict[str, float]:
    """Return what holds for all signals."""
    error = dict(zip(surveyed(), result["error"].T, strict=True))
    contrast = np.minimum(error["threshold_based"], error["moving_window"])
    ordered = (error["bsa"] < error["modified_hsa"]) & (error["modified_hsa"] < error["hsa"])
    found, expected = result["deviation"].T
    return {
        "beyond": float(result["beyond"].sum()),
        "step_forward": float((error["step_forward"] < contrast).sum()),
        "filters": float(ordered.sum()),
        "deviation": float((found / expected).mean()),
    }


def surveyed() -> list[str]:
    """Return the names of the encoders that the survey describes."""
    return [name for name, cls in library().items() if "mueller2023" in cls.references]


def _shown(name: str, context: Context) -> dict[str, NDArray]:
    """Return the spikes of one period of a sine, with few samples where each has a window."""
    n = (FEW if name == "gagamma" else SINE) if library()[name].of_series else WINDOWS
    sine = 0.5 - 0.45 * np.cos(2 * np.pi * np.arange(n) / n)
    encoder = make(name, {"low": 0.0, "high": 1.0, **OPTIONS.get(name, {})})
    raster = encoder.encode(sine, context.seed)
    return {f"sine_{name}": sine, f"time_{name}": raster.time, f"unit_{name}": raster.unit}


def plot(result: Result, context: Context) -> Figure:
    """Plot the spikes of a sine in every code, and error against spikes for all signals."""
    names = surveyed()
    labels = [key.removeprefix("signal_") for key in result if key.startswith("signal_")]
    figure, axes = panels(len(names) + 2, columns=4, width=3.0, height=2.0, letters=False)
    for number, (axis, name) in enumerate(zip(axes, names, strict=False), 1):
        encoder, sine = make(name, OPTIONS.get(name, {})), result[f"sine_{name}"]
        unit, time = result[f"unit_{name}"], result[f"time_{name}"]
        raster = SpikeRaster(unit, time, encoder.axis_lengths(), len(sine) * encoder.interval)
        draw_spikes(axis, encoder, raster, legend=False)
        low, high = axis.get_ylim()
        edges = np.arange(len(sine) + 1) * encoder.interval
        axis.stairs(low + (high - low) * sine, edges, baseline=None, color=GRAY, lw=0.8)
        finish(axis, f"{number} {name.replace('_', ' ')}", "time (ms)", "unit")
        axis.set_xlim(0, edges[-1])
    signals, trade = axes[len(names) : len(names) + 2]
    for row, label in enumerate(labels):
        signals.plot(result[f"signal_{label}"] + 1.2 * row, color=BLUE, lw=0.8)
    signals.set_yticks([0.5 + 1.2 * row for row in range(len(labels))], labels)
    finish(signals, "signals", "time (ms)", "")
    _trade(trade, result)
    return figure


def _trade(axes: Axes, result: Result) -> None:
    """Draw the mean error against the spikes per sample, with the numbers of the codes."""
    spikes = result["spikes"].mean(axis=0)
    error = np.maximum(result["error"].mean(axis=0), 1e-6)  # of exact codes, for the logarithm
    places: dict[tuple[float, float], list[str]] = {}
    for index, place in enumerate(zip(spikes.tolist(), error.tolist(), strict=True), 1):
        near = (p for p in places if np.abs(np.log10(np.divide(p, place))).max() < 0.2)
        places.setdefault(next(near, place), []).append(str(index))
    for (x, y), numbers in places.items():
        axes.text(x, y, ",".join(numbers), ha="center", va="center", fontsize=7, color=BLUE)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlim(spikes.min() / 2, spikes.max() * 2)
    axes.set_ylim(error.min() / 3, error.max() * 3)
    finish(axes, "all signals", "spikes per sample", "rms error")
