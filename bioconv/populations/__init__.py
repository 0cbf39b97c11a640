"""Populations of mismatched neurons as functions: sigmoid, tanh, LSTM, GRU (mueller chapter 5).

>>> import numpy as np, models
>>> from bioconv import populations
>>> digits = models.weights_path("digits_lstm")
>>> list(populations.places(digits))
['lstm/input', 'lstm/forget', 'lstm/output', 'lstm/carry', 'lstm/hidden']
>>> graph = populations.populate(digits, populations.Placement(500))
>>> graph.predict(np.zeros((1, 8, 8, 1))).shape
(1, 10)

For feedforward networks that are to spike in every simulator, see `bioconv.PopulationCode`.
"""

from bioconv.codes.population import Placement, fitted_normal
from bioconv.populations.activity import counts, density_rate, inputs, spikes
from bioconv.populations.comparison import Comparison, compare, placement_of
from bioconv.populations.places import n_neurons, places, populate
from bioconv.populations.program import CellRun, emit, simulate

__all__ = [
    "CellRun",
    "Comparison",
    "Placement",
    "compare",
    "counts",
    "density_rate",
    "emit",
    "fitted_normal",
    "inputs",
    "n_neurons",
    "placement_of",
    "places",
    "populate",
    "simulate",
    "spikes",
]
