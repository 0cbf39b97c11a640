"""Number formats of SpiNNaker: s16.15, and the scales of 16-bit synaptic weights.

Sources: sPyNNaker, ``neural_modelling/src/neuron``: ``models/neuron_model_lif_impl.h`` (closed form
of the membrane), ``synapse_types/exp_synapse_utils.h`` (decay and first value of a synaptic
current), ``input_types/input_type_delta.h``; and ``models/neuron/population_vertex.py``
(``get_ring_buffer_shifts``, ``get_weight_scales``) of sPyNNaker 7.4.1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

#: smallest step of an s16.15 number
STEP = 2.0**-15
#: largest s16.15 number
MOST = 2.0**16 - STEP
#: conductances are stored 1,024 times as large (``InputTypeConductance.get_global_weight_scale``)
CONDUCTANCE_SCALE = 1024.0
#: largest stored weight of a list (``SynapseDynamicsStatic``: 16 bits without a sign), ...
LIST_WEIGHT = 2**16 - 1
#: ... and of a convolution or a pooled dense layer (``ConvolutionConnector``: int16)
LOCAL_WEIGHT = 2**15 - 1


def s1615(value: ArrayLike) -> NDArray[np.float64]:
    """Return the nearest s16.15 number."""
    return np.clip(np.round(np.asarray(value, np.float64) / STEP) * STEP, -MOST - STEP, MOST)


def membrane_decay(dt: float, tau_m: ArrayLike) -> NDArray[np.float64]:
    """Return the s16.15 factor by which the distance from the steady state decays in a step."""
    return s1615(np.exp(-s1615(dt / s1615(tau_m))))


def synapse_decay(dt: float, tau: ArrayLike) -> NDArray[np.float64]:
    """Return the factor by which a synaptic current decays in a step (a fraction of 32 bits)."""
    return np.exp(-s1615(dt / s1615(tau)))


def synapse_gain(dt: float, tau: ArrayLike) -> NDArray[np.float64]:
    """Return the current in the first step per weight, which is its mean over the step."""
    return s1615(s1615(tau) / dt) * (1.0 - synapse_decay(dt, tau))


@dataclass(frozen=True)
class WeightScale:
    """Scale at which the weights of one receptor of one population are stored.

    Parameters
    ----------
    expected : float
        Largest sum of weights in a step as given to the tool chain (PyNN's unit: nA or uS).
    factor : float
        Stored whole number per weight.
    """

    expected: float
    factor: float

    @property
    def resolution(self) -> float:
        """Difference between two neighboring weights."""
        return 1.0 / self.factor

    @property
    def capacity(self) -> float:
        """Largest sum in a step that a ring buffer holds; larger sums saturate."""
        return LIST_WEIGHT / self.factor


def weight_scale(expected: float, in_units_of: float = 1.0) -> WeightScale:
    """Return the scale that sPyNNaker chooses for ``max_expected_summed_weight = expected``.

    Parameters
    ----------
    expected : float
        Largest sum of weights of one sign that arrives at a neuron in one step.
    in_units_of : float
        `CONDUCTANCE_SCALE` for conductances.
    """
    largest = expected * in_units_of
    power = 0 if largest <= 0 else math.ceil(max(0.0, math.log2(largest)))
    if 2.0**power <= largest:
        power += 1
    return WeightScale(expected, 2.0 ** (15 - power) * in_units_of)


def stored(weight: NDArray[Any], scale: WeightScale) -> NDArray[np.float64]:
    """Return the weights as they are read back from the board, with their signs."""
    words = np.rint(np.abs(weight) * scale.factor)
    return np.sign(weight) * np.minimum(words, LIST_WEIGHT) / scale.factor
