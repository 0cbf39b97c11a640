"""One network with many neurons, for the figures of this project."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bioconv.codes import RateCode
from bioconv.neurons import library
from bioconv.paper_figures.frame import Context
from bioconv.paper_figures.workloads import Workload
from bioconv.studies.plausibility import Study, parse_neuron, plausibility

#: named types and classes that are shown in addition to the defaults of the library
_KINDS = {
    "izhikevich fast spiking": "izhikevich:kind=fast_spiking",
    "morris_lecar class 2": "morris_lecar:kind=class_2",
}


def all_neurons(context: Context) -> dict[str, str]:
    """Return label and name of every neuron of the library, or of four on a quick run."""
    names = {name: name for name in library()} | _KINDS
    if context.quick:
        few = ("integrate_and_fire", "leaky_integrate_and_fire", "adaptive_exponential")
        return {label: names[label] for label in few}
    return names


def study(
    workload: Workload,
    neurons: Mapping[str, str],
    context: Context,
    *,
    rates: Sequence[float] = (0.0,),
    durations: Sequence[float] = (0.0,),
) -> Study:
    """Run a plausibility study of a workload without keeping its files."""
    with TemporaryDirectory() as folder:
        return plausibility(
            workload.graph,
            workload.x,
            workload.y,
            calibration=workload.calibration,
            neurons={label: parse_neuron(name) for label, name in neurons.items()},
            folder=folder,
            rates=rates,
            durations=durations,
            code=RateCode(),
            seed=context.seed,
            workers=1 if context.quick else context.workers,
            progress=context.progress,
        )


def as_arrays(records: Sequence[Mapping[str, Any]]) -> dict[str, NDArray]:
    """Return the values of the records for the figures, as arrays by name."""
    result: dict[str, NDArray] = {"neuron": np.array([r["neuron"] for r in records])}
    for key in ("accuracy", "keras_accuracy", "max_rate", "highest_hz", "mean_hz", "duration"):
        result[key] = np.array([float(r[key]) for r in records])
    for number, record in enumerate(records):
        result[f"time {number}"] = np.array(record["time"])
        result[f"curve {number}"] = np.array(record["accuracy_over_time"])
    return result
