"""The spikes of the inputs of a batch."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from bioconv.export.support.encoders import spikes
from bioconv.network import NetworkParts


def encode(
    network: NetworkParts,
    data: Mapping[str, NDArray],
    images: NDArray[np.int64],
    first: int,
    n_steps: int,
    seed: int,
) -> dict[str, NDArray[np.bool_]]:
    """Return the spikes of the spiking inputs in the steps from ``first`` on.

    Parameters
    ----------
    network : NetworkParts
    data : mapping of str to ndarray, shape (batch, *input shape)
    images : ndarray of int, shape (batch,)
        Numbers of the samples, which seed Poisson inputs.
    first, n_steps, seed : int

    Returns
    -------
    dict of str to ndarray of bool, shape (n_steps, batch, n_sources)
    """
    encoded = {}
    for stream, entry in enumerate(network.inputs):
        if entry.spikes:
            settings = (n_steps, entry.encoder, entry.scale, entry.signed, seed)
            trains = [
                spikes(x, *settings, int(image), first, stream, entry.n_neurons)
                for x, image in zip(data[entry.name], images, strict=True)
            ]
            encoded[entry.name] = np.stack(trains, axis=1)
    return encoded
