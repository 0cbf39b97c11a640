"""Activations of a first convolution, for rueckauer Fig 1."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bioconv.paper_figures.frame import Context
from bioconv.paper_figures.workloads import cifar10


def first_layer(context: Context) -> tuple[NDArray, str]:
    """Return activations of the first ReLU layer, one row per sample, and a text on the data."""
    workload = cifar10(context, "cnn", 1000)
    layer = workload.graph.layers[0].name
    samples = workload.calibration[: context.pick(1000, 100)]
    activation = np.asarray(workload.graph.activations(samples, [layer])[layer])
    used = f"{workload.used.split(',')[-1].strip()}, {len(samples)} training samples, layer {layer}"
    return activation.reshape(len(samples), -1), used
