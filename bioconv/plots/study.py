"""Plot of a plausibility study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from bioconv.plots.style import BLUE, COLORS, GRAY, GREEN, ORANGE, RED, SMALL, finish, panels, save
from bioconv.studies.plausibility import PHYSIOLOGICAL

Record = Mapping[str, Any]

#: setting that can be swept -> label of the axis
SWEEPS = {
    "max_rate": "rate ceiling (Hz)",
    "tau_syn": "synaptic time constant (ms)",
    "duration": "duration (ms)",
    "weight_bits": "bits of a weight",
}
#: position of weights that are not rounded on the axis of bits
_NOT_ROUNDED = 32


def plot_study(records: Sequence[Record], path: str | Path) -> Path:
    """Plot a plausibility study and save the figure.

    Parameters
    ----------
    records : sequence of dict
        See `bioconv.studies.plausibility_runs.run`.
    path : str or Path

    Returns
    -------
    Path
    """
    return save(study_figure(records), path)


def study_figure(records: Sequence[Record]) -> Figure:
    """Plot accuracy over time, rates, operations and run time by neuron, and all sweeps.

    Parameters
    ----------
    records : sequence of dict
        See `bioconv.studies.plausibility_runs.run`.
    """
    base, sweeps = base_and_sweeps(records)
    colors = dict(zip((r["neuron"] for r in base), palette(len(base)), strict=True))
    n_bars = 0.12 * max(len(base) - 6, 0)
    figure, axes = panels(4 + len(sweeps), columns=2, width=4.6, height=3.0 + n_bars)
    accuracy_panel(axes[0], base, colors)
    _bars(
        axes[1],
        base,
        {"highest": ("highest_hz", ORANGE), "mean": ("mean_hz", BLUE)},
        "firing rate (Hz)",
    )
    limit = f"{PHYSIOLOGICAL:g} Hz"
    axes[1].axvline(PHYSIOLOGICAL, color=RED, linewidth=0.9, linestyle="--", label=limit)
    _bars(
        axes[2],
        base,
        {"synaptic operations": ("operations", GREEN), "spikes": ("spikes", BLUE)},
        "number per image",
        log=True,
    )
    _bars(axes[3], base, {"": ("seconds", GRAY)}, "seconds per image (array simulator)")
    for axis in axes[1:3]:
        axis.legend(
            fontsize=SMALL, frameon=False, loc="lower center", ncols=3, bbox_to_anchor=(0.4, 1.0)
        )
    for axis, (name, curves) in zip(axes[4:], sweeps.items(), strict=False):
        _sweep(axis, name, curves, colors, str(base[0]["measure"]))
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(
        handles, labels, loc="outside lower center", ncols=3, fontsize=SMALL, frameon=False
    )
    return figure


def accuracy_panel(axes: Axes, base: Sequence[Record], colors: Mapping[str, Any]) -> None:
    """Plot accuracy over biological time, with one curve per neuron and a line for Keras.

    Curves start with the first output, for which outputs of most neurons wait (see the code's
    option ``settle``).
    """
    for record in base:
        label = f"{record['neuron']}: {100 * record['accuracy']:.1f} %"
        known = np.asarray(record["answered"]) > 0
        share = np.where(known, 100 * np.asarray(record["accuracy_over_time"]), np.nan)
        axes.plot(record["time"], share, color=colors[record["neuron"]], linewidth=1.1, label=label)
    keras = 100 * float(base[0]["keras_accuracy"])
    if base[0]["measure"] == "accuracy":
        label = f"Keras: {keras:.1f} %"
        axes.axhline(keras, color="black", linewidth=0.9, linestyle="--", label=label)
    finish(axes, "", "biological time (ms)", f"{base[0]['measure']} (%)")
    axes.set_ylim(0, 102)
    axes.set_xlim(left=0)


def palette(n: int) -> list[Any]:
    """Return ``n`` colors that can be distinguished."""
    if n <= len(COLORS):
        return list(COLORS[:n])
    return list(colormaps["turbo"](np.linspace(0.05, 0.95, n)))


def base_and_sweeps(
    records: Sequence[Record],
) -> tuple[list[Record], dict[str, dict[str, NDArray]]]:
    """Return the first run of each neuron, and accuracy against every setting that was swept.

    Returns
    -------
    base : list of dict
    sweeps : dict of str to dict of str to ndarray, shape (2, n_values)
        Values and accuracies, by setting and neuron.
    """
    base: dict[str, Record] = {}
    for record in records:
        base.setdefault(record["neuron"], record)
    sweeps: dict[str, dict[str, NDArray]] = {}
    for name in SWEEPS:
        others = [other for other in SWEEPS if other != name]
        for label, first in base.items():
            mine = [
                record
                for record in records
                if record["neuron"] == label
                and all(record["asked"][n] == first["asked"][n] for n in others)
            ]
            if len(mine) > 1:
                points = [(_place(name, record[name]), record["accuracy"]) for record in mine]
                sweeps.setdefault(name, {})[label] = np.array(sorted(points), float).T
    return list(base.values()), sweeps


def _place(name: str, value: float) -> float:
    return _NOT_ROUNDED if name == "weight_bits" and not value else value


def _bars(
    axes: Axes,
    base: Sequence[Record],
    parts: Mapping[str, tuple[str, str]],
    label: str,
    *,
    log: bool = False,
) -> None:
    place, height = np.arange(len(base)), 0.8 / len(parts)
    for number, (name, (key, color)) in enumerate(parts.items()):
        at = place + (number - (len(parts) - 1) / 2) * height
        axes.barh(at, [r[key] for r in base], height=height, color=color, label=name)
    axes.set_yticks(place, [r["neuron"] for r in base])
    axes.set_ylim(len(base) - 0.4, -0.6)
    if log:
        axes.set_xscale("log")
    finish(axes, "", label, "")


def _sweep(
    axes: Axes,
    name: str,
    curves: Mapping[str, NDArray],
    colors: Mapping[str, Any],
    measure: str,
) -> None:
    for label, (values, accuracy) in curves.items():
        axes.plot(
            values, 100 * accuracy, color=colors[label], marker="o", markersize=3.5, alpha=0.8
        )
    if name == "weight_bits" and any(values.max() == _NOT_ROUNDED for values, _ in curves.values()):
        ticks = sorted({int(v) for values, _ in curves.values() for v in values})
        axes.set_xscale("log", base=2)
        shown = ["not\nrounded" if tick == _NOT_ROUNDED else str(tick) for tick in ticks]
        axes.set_xticks(ticks, shown)
        axes.minorticks_off()
    finish(axes, "", SWEEPS[name], f"{measure} (%)")
