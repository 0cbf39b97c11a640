"""Measures of a simulation: rates, spikes, energy, and the layers and classes that lose accuracy.

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
from bioconv.measures.energy import PROFILES, Energy, EnergyProfile, Work, energy_of, work_of
from bioconv.measures.metrics import analog_metric, metric_over_time
from bioconv.measures.physiology import PopulationIntervals, intervals
from bioconv.measures.shares import confusion, wilson_interval
from bioconv.measures.spike_distances import van_rossum

__all__ = [
    "PROFILES",
    "Energy",
    "EnergyProfile",
    "LayerDiagnosis",
    "PopulationActivity",
    "PopulationIntervals",
    "Work",
    "activity",
    "analog_accuracy",
    "analog_classes",
    "analog_metric",
    "confusion",
    "decode",
    "diagnose",
    "energy_of",
    "first_decision",
    "format_table",
    "intervals",
    "labels_of",
    "metric_over_time",
    "mixed_signs",
    "multiply_accumulates",
    "spikes_per_image",
    "spikes_per_neuron",
    "synaptic_operations",
    "van_rossum",
    "wilson_interval",
    "work_of",
]
