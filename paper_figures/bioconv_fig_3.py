"""Our Fig 3: tolerance of the codes to imperfections of hardware."""

from __future__ import annotations

from collections.abc import Mapping
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

import bioconv as bc
from bioconv.paper_figures.frame import Claim, Context, Manifest, Result
from bioconv.paper_figures.workloads import mnist
from bioconv.plots.robustness import robustness_figure
from bioconv.plots.style import SMALL, finish
from bioconv.studies.robustness import Robustness, tolerated

#: label -> name with options
CODES: Mapping[str, str] = MappingProxyType(
    {
        "rate": "rate:n_steps=100",
        "few spikes": "few_spikes",
        "first spike": "first_spike",
        "first spike, exact": "first_spike_exact",
        "oscillation": "phase",
        "sigma-delta": "sigma_delta",
    }
)
_COMPARED = ("rate", "first spike, exact")
#: imperfection -> amplitudes
NOISE: Mapping[str, tuple[float, ...]] = MappingProxyType(
    {
        "threshold": (0.01, 0.03, 0.1, 0.3),
        "gain": (0.01, 0.03, 0.1, 0.3),
        "weight": (0.03, 0.1, 0.3, 0.6),
        "weight_bits": (8, 6, 5, 4, 3),
        "jitter": (0.1, 0.5, 2.0),
        "spike_loss": (0.01, 0.03, 0.1, 0.3),
        "spurious_spikes": (0.1, 1.0, 10.0),
        "dead_neurons": (0.01, 0.03, 0.1, 0.3),
    }
)
#: tolerated loss of accuracy by hardware, in points
POINTS = 2.0

MANIFEST = Manifest(
    paper="bioconv",
    number="Fig 3",
    title="Amplitude of each imperfection that costs each code two points of accuracy, on MNIST",
    claims=(
        Claim(
            "cells",
            "share of codes and imperfections that were run",
            0.75,
            kind="at least",
            source="required for the matrix; the others are refused with a reason",
        ),
        Claim(
            "ideal_loss",
            "points that the worst code, the approximate first spike, loses without imperfections",
            9.18,
            kind="at most",
            source="mueller Table 6.1: its loss for the deeper network",
        ),
        Claim(
            "threshold_order",
            "threshold mismatch that costs the rate code two points, divided by that of the exact "
            "first-spike code",
            2.0,
            kind="at least",
            source="a rate averages over many spikes, whereas an exact time is a single one",
        ),
    ),
    data="MNIST (first 100 test images), mlp_3layer",
    substitute="digits and a small network where there is no data folder",
    minutes=25,
)


def compute(context: Context) -> dict[str, NDArray]:
    """A robustness study of all codes."""
    workload = mnist(context, "mlp_3layer", context.pick(100, 30), "digits_mlp")
    codes = {label: CODES[label] for label in (_COMPARED if context.quick else CODES)}
    noise = dict(list(NOISE.items())[: context.pick(len(NOISE), 1)])
    with TemporaryDirectory() as folder:
        study = bc.robustness(
            workload.graph,
            workload.x,
            workload.y,
            calibration=workload.calibration,
            noise=noise,
            codes=codes,
            folder=folder,
            seeds=context.pick(3, 1),
            seed=context.seed,
            workers=1 if context.quick else context.workers,
            progress=context.progress,
        )
    return {**_as_arrays(study), "used": np.array(workload.used)}


def _as_arrays(study: Robustness) -> dict[str, NDArray]:
    found: dict[str, NDArray] = {}
    for key in ("code", "noise", "amplitude", "unit", "fewer_is_worse", "ideal", "keras_accuracy"):
        found[key] = np.array([record[key] for record in study.records])
    most = max(len(record["accuracies"]) for record in study.records)
    found["accuracies"] = np.array([np.resize(r["accuracies"], most) for r in study.records])
    found["refused"] = np.array([f"{name}: {why}" for name, why in study.refused.items()] or [""])
    return found


def _records(result: Result) -> list[dict[str, Any]]:
    """Return the records from which the pictures are made."""
    keys = ("code", "noise", "amplitude", "unit", "fewer_is_worse", "accuracies")
    rows = zip(*(result[key] for key in keys), strict=True)
    return [{**dict(zip(keys, row, strict=True)), "measure": "accuracy"} for row in rows]


def measure(result: Result) -> dict[str, float]:
    """Return completeness of the matrix, losses without imperfections, and a ratio of codes."""
    limits = tolerated(_records(result), POINTS)
    codes, noises = (dict.fromkeys(result[key]) for key in ("code", "noise"))
    cells = sum(noise in limits[code] for code in codes for noise in noises)
    rate, exact = (limits.get(code, {}).get("threshold", np.nan) for code in _COMPARED)
    largest = max(NOISE["threshold"])
    return {
        "cells": cells / (len(codes) * len(noises)),
        "ideal_loss": 100 * float(np.max(result["keras_accuracy"] - result["ideal"])),
        "threshold_order": float(min(rate, largest) / min(exact, largest)),
    }


def plot(result: Result, context: Context) -> Figure:
    """Plot the matrix above the curves from which it is derived."""
    records = _records(result)
    figure = robustness_figure(records, columns=4, above=1)
    _matrix(figure.axes[0], tolerated(records, POINTS), result)
    return figure


def _matrix(axes: Axes, limits: Mapping[str, Mapping[str, float]], result: Result) -> None:
    """Plot a cell for each code and imperfection with its amplitude, on a scale per column."""
    codes = list(dict.fromkeys(map(str, result["code"])))
    noises = list(dict.fromkeys(map(str, result["noise"])))
    place = np.full((len(codes), len(noises)), np.nan)
    for column, noise in enumerate(noises):
        tried = list(NOISE[noise])
        for row, code in enumerate(codes):
            if noise in limits.get(code, {}):
                limit = limits[code][noise]
                place[row, column] = _place(limit, tried)
                axes.text(column, row, _text(limit, tried), ha="center", va="center", fontsize=7)
            else:
                axes.text(column, row, "not\npossible", ha="center", va="center", fontsize=6)
    axes.imshow(place, cmap=colormaps["RdYlGn"], vmin=-0.2, vmax=1.2, aspect="auto", alpha=0.75)
    axes.set_xticks(np.arange(len(noises)), [n.replace("_", " ") for n in noises])
    axes.set_yticks(np.arange(len(codes)), codes)
    finish(axes, f"amplitude that costs {POINTS:g} points", "", "")
    axes.tick_params(labelsize=SMALL, length=0)


def _place(limit: float, tried: list[float]) -> float:
    """Return 0 if the mildest amplitude is too large, 1 if the worst is not, or a ratio."""
    if np.isinf(limit):
        return 1.0
    low, high = np.log(tried[0]), np.log(tried[-1])
    return float(np.clip((np.log(max(limit, 1e-9)) - low) / (high - low), 0.0, 1.0))


def _text(limit: float, tried: list[float]) -> str:
    if not np.isinf(limit):
        return f"{limit:.2g}"
    return f"{'<' if tried[-1] < tried[0] else '>'} {tried[-1]:g}"
