"""Keras layers for training a network under the constraints of its neurons before conversion.

>>> import numpy as np
>>> import bioconv as bc
>>> layer = bc.keras.FICurve(bc.neurons.LeakyIntegrateAndFire(), max_rate=100.0, dt=1.0)
>>> float(layer(np.array([[0.5]]))[0, 0]) > 0
True

Following the method of mueller 2.3.3, the constraints of the target, such as the f-I curve of its
neurons, are built into the network *before* training, so that training compensates for them.  All
layers work on every Keras backend.
"""

from bioconv.keras.activations import ClampedReLU, cumulative_normal, cumulative_normal_tanh
from bioconv.keras.curves import FICurve, constrain
from bioconv.keras.hardening import HardwareAware, harden, soften
from bioconv.keras.writing import write

__all__ = [
    "ClampedReLU",
    "FICurve",
    "HardwareAware",
    "constrain",
    "cumulative_normal",
    "cumulative_normal_tanh",
    "harden",
    "soften",
    "write",
]
