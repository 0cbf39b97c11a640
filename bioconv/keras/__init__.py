"""Keras layers for networks that are trained for a neuron: constrain, then train, then convert.

>>> import numpy as np
>>> import bioconv as bc
>>> layer = bc.keras.FICurve(bc.neurons.LeakyIntegrateAndFire(), max_rate=100.0, dt=1.0)
>>> float(layer(np.array([[0.5]]))[0, 0]) > 0
True

The idea is mueller 2.3.3: what the target can do is put into the network *before* training, so
training makes up for it.  Here it is the f-I curve of the neuron.  Works on every Keras backend.
"""

from bioconv.keras.activations import ClampedReLU, cumulative_normal, cumulative_normal_tanh
from bioconv.keras.curves import FICurve, constrain
from bioconv.keras.hardening import HardwareAware, harden, soften

__all__ = [
    "ClampedReLU",
    "FICurve",
    "HardwareAware",
    "constrain",
    "cumulative_normal",
    "cumulative_normal_tanh",
    "harden",
    "soften",
]
