"""Spike patterns: how similar they are, and those that stand for classes (stanojevic A.2.3)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bioconv.encoders.encoder import Floats, flat
from bioconv.ground.errors import ParameterError
from bioconv.ground.options import is_whole

Bools = NDArray[np.bool_]


def cosine_similarity(spikes: Bools) -> Floats:
    """Return the cosine similarity rho of the spikes of all pairs of samples (Eq A.23).

    Parameters
    ----------
    spikes : ndarray of bool, shape (n_samples, ...)

    Returns
    -------
    ndarray, shape (n_samples, n_samples)
        0 for samples without a spike.
    """
    vectors = flat(np.asarray(spikes)).astype(np.float64)
    norms = np.sqrt(vectors.sum(axis=1))
    scale = np.divide(1.0, norms, out=np.zeros(len(norms)), where=norms > 0)
    return (vectors @ vectors.T) * scale[:, None] * scale


def target_patterns(
    n_classes: int,
    n_neurons: int,
    n_steps: int,
    *,
    n_spikes: float = 10.0,
    first_step: int = 40,
    seed: int = 0,
) -> Bools:
    """Return the spikes that the output neurons should emit for each class (Eq A.38).

    Only the neurons of the class spike, at random with ``n_spikes / n_steps`` spikes a step, from
    ``first_step`` on, before which the neurons of the network have not settled.

    Parameters
    ----------
    n_classes : int
    n_neurons : int
        Output neurons O_c for each class.
    n_steps : int
    n_spikes : float
        Mean number d_c of spikes of a neuron, if ``first_step`` were 0.
    first_step : int
    seed : int

    Returns
    -------
    ndarray of bool, shape (n_classes, n_steps, n_classes * n_neurons)
        A class without a spike gets one of each of its neurons in the last step.

    Raises
    ------
    ParameterError
        If a size is no whole number of at least 1, ``first_step`` is not below ``n_steps``, or
        ``n_spikes`` is above it.
    """
    sizes = {"n_classes": n_classes, "n_neurons": n_neurons, "n_steps": n_steps}
    wrong = [f"{name}={n!r}" for name, n in sizes.items() if not (is_whole(n) and n >= 1)]
    if wrong:
        raise ParameterError(
            "target patterns need whole numbers of at least 1 of classes, neurons and steps. "
            f"Received: {', '.join(wrong)}."
        )
    if not 0 <= first_step < n_steps or not 0 < n_spikes <= n_steps:
        raise ParameterError(
            "target patterns need first_step from 0 to n_steps - 1, and n_spikes above 0 and at "
            f"most n_steps = {n_steps}. Received: {first_step} and {n_spikes:g}."
        )
    rng = np.random.default_rng(seed)
    own = rng.random((n_classes, n_steps, n_neurons)) < n_spikes / n_steps
    own[:, :first_step] = False
    own[~own.any(axis=(1, 2)), -1] = True
    patterns = np.zeros((n_classes, n_steps, n_classes, n_neurons), bool)
    patterns[np.arange(n_classes), :, np.arange(n_classes)] = own
    return patterns.reshape(n_classes, n_steps, -1)
