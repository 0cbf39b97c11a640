"""Pictures of a simulation: each function returns a Matplotlib figure, `save` writes a PNG.

Figures are made without pyplot, so nothing global changes.  Times are in ms, rates in Hz,
potentials in the model's unit; the colors are those of Okabe and Ito, which color-blind readers
can tell apart.
"""

from bioconv.plots.everything import plot_recording
from bioconv.plots.layers import (
    accuracy_over_time,
    activation_distributions,
    rate_against_activation,
    spikes_and_operations,
)
from bioconv.plots.neurons import membrane_traces, raster
from bioconv.plots.style import save

__all__ = [
    "accuracy_over_time",
    "activation_distributions",
    "membrane_traces",
    "plot_recording",
    "raster",
    "rate_against_activation",
    "save",
    "spikes_and_operations",
]
