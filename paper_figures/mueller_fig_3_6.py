"""mueller Fig 3.6: temporal codes of a wide pulse, and BSA and temporal contrast of a sine."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from bioconv.encoders import Encoder, SpikeRaster, make, signal_to_noise
from bioconv.encoders.encoder import flat
from bioconv.paper_figures.frame import Claim, Context, Manifest, Result
from bioconv.paper_figures.signals import wide_pulse
from bioconv.plots.encoding import draw_spikes
from bioconv.plots.style import BLUE, GRAY, finish, panels

#: ms between samples of the pulse, and samples of the pulse and of the sine
INTERVAL, N_PULSE, N_SINE = 20.0, 12, 600
#: neurons of the rank order code, with inputs of different strength
N_NEURONS = 6
#: codes of the pulse and of the sine with their options, and the labels of their panels
PULSE: dict[str, dict[str, Any]] = {
    "first_spike": {},
    "phase": {"cycles": 2},
    "rank_order": {},
    "interspike_interval": {},
    "burst": {"n_spikes": 6},
    "synchrony": {"n_groups": 4, "group_size": 3},
    "sparse_distributed": {"n_units": 16, "n_active": 3},
    "amplitude": {"n_units": 10},
}
SINE: dict[str, dict[str, Any]] = {
    "binary_sequential": {"n_bits": 4, "interval": 20.0},
    "binary_parallel": {"n_bits": 4, "interval": 20.0},
    "hsa": {},
    "bsa": {},
    "step_forward": {"threshold": 0.1},
}
LABELS = {
    "first_spike": "TTFS",
    "rank_order": "ROC",
    "interspike_interval": "ISI",
    "sparse_distributed": "SDR",
    "binary_sequential": "serial",
    "binary_parallel": "parallel",
    "hsa": "HSA",
    "bsa": "BSA",
    "step_forward": "TC",
}

MANIFEST = Manifest(
    paper="mueller",
    number="Fig 3.6",
    title="Temporal codes of a wide pulse and of a sine (TC: ON blue, OFF orange)",
    claims=(
        Claim(
            "latency",
            "latency of the first spike outside of the pulse divided by that within",
            4.0,
            tolerance=0.01,
            source="text, 3.1.3: the latency is 1 - a; 0.8 and 0.2 for our pulse",
        ),
        Claim(
            "ranks",
            "share of windows in which neurons spike in the order of their inputs",
            1.0,
            source="caption: the order of spikes is numbered",
        ),
        Claim(
            "intervals",
            "correlation of the intervals between two spikes with the pulse",
            -1.0,
            tolerance=1e-6,
            source="text, 3.1.3: the latency between spikes represents the value",
        ),
        Claim(
            "beyond",
            "values whose error exceeds the bound of their code",
            0.0,
            source="theory of each code",
        ),
        Claim(
            "gain",
            "signal-to-noise ratio of BSA minus that of HSA for the sine, in dB",
            10.0,
            kind="at least",
            source="ours, a tenth of the squared error: BSA is the successor of HSA (3.1.3)",
        ),
    ),
    data="one pulse, one sine",
    substitute="our own sizes of codes, which the thesis does not give",
    minutes=0.2,
)


def _encoder(name: str) -> Encoder:
    options = {"interval": INTERVAL, **PULSE[name]} if name in PULSE else SINE[name]
    return make(name, {"low": 0.0, "high": 1.0, **options})


def _signals() -> dict[str, NDArray]:
    """Return the signal of each code; rank order has several neurons."""
    pulse = wide_pulse(N_PULSE)
    sine = 0.5 + 0.4 * np.sin(2 * np.pi * np.arange(N_SINE) / 200)
    strengths = np.linspace(0.4, 1.2, N_NEURONS)[[2, 0, 4, 1, 5, 3]]
    signals = {name: pulse for name in PULSE}
    signals["rank_order"] = pulse[:, None] * strengths
    for name, options in SINE.items():
        step = int(options.get("interval", 1.0))
        signals[name] = sine[::step]
    return signals


def compute(context: Context) -> dict[str, NDArray]:
    """Spikes of all codes, their errors and bounds."""
    result: dict[str, NDArray] = {}
    for name, signal in _signals().items():
        encoder = _encoder(name).fitted(signal)
        raster = encoder.encode(signal)
        decoded = encoder.decode(raster)
        result |= {
            f"time_{name}": raster.time,
            f"unit_{name}": raster.unit,
            f"signal_{name}": signal,
            f"decoded_{name}": decoded,
        }
        bound = encoder.bound(signal)
        if bound is not None:
            result[f"bound_{name}"] = bound
    return {**result, "used": np.array("a pulse and a sine")}


def measure(result: Result) -> dict[str, float]:
    """Return what times, orders and intervals of spikes say about the signals."""
    pulse = result["signal_first_spike"]
    within = pulse > pulse.mean()
    latency = result["time_first_spike"] - np.arange(N_PULSE) * INTERVAL
    ranked = -np.sort(-result["signal_rank_order"], axis=1)
    given = np.take_along_axis(
        result["signal_rank_order"], result["unit_rank_order"].reshape(N_PULSE, -1), axis=1
    )
    gaps = np.diff(result["time_interspike_interval"].reshape(N_PULSE, 2), axis=1)[:, 0]
    beyond = [
        np.abs(result[f"decoded_{name}"] - result[f"signal_{name}"]) > result[f"bound_{name}"]
        for name in (*PULSE, *SINE)
        if f"bound_{name}" in result
    ]
    ratios = [
        signal_to_noise(result[f"signal_{name}"][50:-50], result[f"decoded_{name}"][50:-50])
        for name in ("bsa", "hsa")
    ]
    return {
        "latency": float(latency[~within].mean() / latency[within].mean()),
        "ranks": float((given == ranked).all(axis=1).mean()),
        "intervals": float(np.corrcoef(gaps, pulse)[0, 1]),
        "beyond": float(sum(entry.sum() for entry in beyond)),
        "gain": ratios[0] - ratios[1],
    }


def plot(result: Result, context: Context) -> Figure:
    """Plot the pulse with its codes at the left, the sine with its codes at the right."""
    columns = [list(PULSE), list(SINE)]
    n_rows = len(PULSE) + 1
    figure, axes = panels(2 * n_rows, columns=2, width=4.2, height=1.05)
    for column, names in enumerate(columns):
        mine = axes[column::2]
        top, first = mine[0], names[0] if column == 0 else "bsa"
        step = INTERVAL if column == 0 else 1.0
        signal = result[f"signal_{first}"]
        edges = np.arange(len(signal) + 1) * step
        top.stairs(signal, edges, baseline=None, color=GRAY)
        finish(top, "", "", "pulse" if column == 0 else "sine")
        for axis, name in zip(mine[1:], names, strict=False):
            encoder = _encoder(name)
            shape = (*encoder.axis_lengths(), *result[f"signal_{name}"].shape[1:])
            unit, time = result[f"unit_{name}"], result[f"time_{name}"]
            draw_spikes(axis, encoder, SpikeRaster(unit, time, shape, edges[-1]), legend=False)
            finish(axis, "", "", LABELS.get(name, name))
        for axis in mine[1 + len(names) :]:
            axis.set_axis_off()
        for axis in mine[: 1 + len(names)]:
            axis.set_xlim(0, edges[-1])
            for edge in (edges[-1] / 3, 2 * edges[-1] / 3) if column == 0 else ():
                axis.axvline(edge, color="k", linestyle="--", linewidth=0.8)
        mine[len(names)].set_xlabel("time (ms)", fontsize=9)
        if column == 1:
            for name in ("bsa", "hsa"):
                decoded = flat(result[f"decoded_{name}"])[:, 0]
                style = "-" if name == "bsa" else ":"
                top.plot(edges[:-1], decoded, style, color=BLUE, lw=1, label=LABELS[name])
            top.set_ylim(-0.6, 1.05)
            top.legend(fontsize=7, frameon=False, ncols=2, loc="lower right")
    return figure
