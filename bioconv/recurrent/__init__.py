"""Populations of mismatched neurons that replace sigmoid and tanh, as in LSTM and GRU layers.

The method is that of mueller chapter 5.

>>> import numpy as np
>>> from bioconv import models, recurrent
>>> digits = models.weights_path("digits_lstm")
>>> list(recurrent.places(digits))
['lstm/input', 'lstm/forget', 'lstm/output', 'lstm/carry', 'lstm/hidden']
>>> graph = recurrent.populate(digits, recurrent.Placement(500))
>>> graph.predict(np.zeros((1, 8, 8, 1))).shape
(1, 10)

For feedforward networks that spike in every simulator, see `bioconv.PopulationCode`.
"""

from bioconv.codes.population import Placement
from bioconv.codes.population.placement import fitted_normal
from bioconv.recurrent.activity import counts, density_rate, inputs, spikes
from bioconv.recurrent.brian2_steps import CellRun, emit, simulate
from bioconv.recurrent.comparison import Comparison, compare, placement_of
from bioconv.recurrent.places import n_neurons, places, populate

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
