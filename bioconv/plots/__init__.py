"""Plots of simulations, neurons and studies.

Most functions return a Matplotlib figure, which `save` writes as a PNG, PDF or SVG file; those
called `plot_...` do both.

Figures are made without pyplot, so that no global state changes.  Times are in ms, rates in Hz,
and potentials in the unit of the model.  The colors are those of Okabe and Ito, which color-blind
readers can distinguish.
"""

from bioconv.plots.accuracy import accuracy_by_layer, accuracy_over_time, confusion_matrix
from bioconv.plots.costs import energy_per_sample, rates_and_intervals
from bioconv.plots.detection import detections, metric_over_time
from bioconv.plots.encoding import plot_encoding
from bioconv.plots.everything import plot_recording
from bioconv.plots.layers import (
    activation_distributions,
    rate_against_activation,
    spikes_and_operations,
)
from bioconv.plots.neuron_models import frequency_current, plot_neuron, voltage_traces
from bioconv.plots.neurons import membrane_traces, raster
from bioconv.plots.robustness import plot_robustness
from bioconv.plots.samples import animate, feature_maps, sample_figure
from bioconv.plots.study import plot_study
from bioconv.plots.style import save

__all__ = [
    "accuracy_by_layer",
    "accuracy_over_time",
    "activation_distributions",
    "animate",
    "confusion_matrix",
    "detections",
    "energy_per_sample",
    "feature_maps",
    "frequency_current",
    "membrane_traces",
    "metric_over_time",
    "plot_encoding",
    "plot_neuron",
    "plot_recording",
    "plot_robustness",
    "plot_study",
    "raster",
    "rate_against_activation",
    "rates_and_intervals",
    "sample_figure",
    "save",
    "spikes_and_operations",
    "voltage_traces",
]
