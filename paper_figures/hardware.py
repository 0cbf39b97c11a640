"""Networks with random imperfections (chips), for the figures about hardware."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from bioconv.network import SpikingNetwork
from bioconv.noise import Imperfection, disturb
from bioconv.paper_figures.exact_spikes import simulated
from bioconv.paper_figures.workloads import Workload
from bioconv.plots.study import palette

#: the family of exact mappings (stanojevic 2.2.3): label -> options of `FirstSpikeExactCode`
FAMILY: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "alpha = 1": {},
        "always rising": {"slope": "positive"},
        "identical weights": {"slope": "identical"},
        "own ramp": {"ramp": "own"},
        "silent if inactive": {"inactive": "silent"},
        "alpha = 1, scaled layers": {"normalization": "layer"},
    }
)


def trials(
    network: SpikingNetwork, given: Workload, imperfection: Imperfection, n: int, **options: Any
) -> NDArray[np.float64]:
    """Return accuracies of ``n`` chips, simulated without time steps; only one at amplitude 0."""
    found = []
    for seed in range(n if imperfection.amplitude else 1):
        chip = disturb(network, imperfection, seed=seed)
        found.append(simulated(chip, given.x, seed=seed, **options).accuracy(given.y))
    return np.resize(np.array(found), n)


def sweep(
    network: SpikingNetwork,
    given: Workload,
    make: Callable[[float], Imperfection],
    amplitudes: Sequence[float],
    n: int,
    **options: Any,
) -> NDArray[np.float64]:
    """Return accuracies at every amplitude, shape (n_amplitudes, n)."""
    return np.stack([trials(network, given, make(a), n, **options) for a in amplitudes])


def curves(
    axes: Axes,
    places: Sequence[float],
    accuracies: Mapping[str, NDArray],
    *,
    linear: float | None = None,
) -> None:
    """Plot the mean accuracy in % with one standard deviation on either side, one curve per label.

    The axis is linear up to ``linear``, so that it includes 0, and logarithmic above.
    """
    colors = palette(len(accuracies))
    for (label, values), color, marker in zip(
        accuracies.items(), colors, "osD^vPX*"[: len(colors)], strict=True
    ):
        mean, spread = 100 * values.mean(axis=1), 100 * values.std(axis=1)
        axes.errorbar(
            places, mean, spread, color=color, marker=marker, markersize=3.5, capsize=2, label=label
        )
    if linear is not None:
        axes.set_xscale("symlog", linthresh=linear)
        axes.set_xlim(left=0)
    axes.set_ylim(0, 102)
