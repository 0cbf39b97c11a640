"""Measures of a simulation: rates, spikes, operations, and the layers that lose accuracy.

Accuracy and agreement over time are methods of `bioconv.Recording`, whereas all measures here
require the network as well.  Rates are in Hz, activations in the units of the analog network.
"""

from bioconv.ground.tables import format_table
from bioconv.measures.activity import (
    PopulationActivity,
    activity,
    analog_accuracy,
    analog_classes,
    mixed_signs,
    multiply_accumulates,
    spikes_per_image,
    spikes_per_neuron,
    synaptic_operations,
)
from bioconv.measures.diagnosis import LayerDiagnosis, decode, diagnose, first_decision, labels_of
from bioconv.measures.spike_distances import van_rossum

__all__ = [
    "LayerDiagnosis",
    "PopulationActivity",
    "activity",
    "analog_accuracy",
    "analog_classes",
    "decode",
    "diagnose",
    "first_decision",
    "format_table",
    "labels_of",
    "mixed_signs",
    "multiply_accumulates",
    "spikes_per_image",
    "spikes_per_neuron",
    "synaptic_operations",
    "van_rossum",
]
