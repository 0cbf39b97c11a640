"""Files of spikes for the sources of a converted network."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bioconv.encoders import SpikeRaster, load, load_raster, read_events
from bioconv.encoders.encoder import Encoder
from bioconv.encoders.networks import encoder_of
from bioconv.encoders.storage import has_encoder
from bioconv.ground.errors import DataWarning, ParameterError
from bioconv.network import SpikingNetwork

#: difference in spikes from those of the sources of a network, as a share, that is warned of
_FAR = 0.25


def sample_rasters(network: SpikingNetwork, path: str | Path) -> list[SpikeRaster]:
    """Return the rasters of a file for the only input of a network, one for each sample.

    Parameters
    ----------
    network : SpikingNetwork
    path : str or Path
        A file of `bioconv.encoders.save_raster`, which contains one sample for each interval of its
        encoder, and a single one without encoder; or the events of a camera, see `read_events`.

    Returns
    -------
    list of SpikeRaster

    Raises
    ------
    DataError
        If the file is missing or damaged.
    ParameterError
        If its encoder cannot carry the conversion of this network.
    """
    if Path(path).suffix != ".npz":
        return [read_events(path)]
    if not has_encoder(path):
        return [load_raster(path)]
    raster, encoder = load(path)
    _check_rates(network, encoder, path)
    return raster.split(encoder.interval)


def warn_of_rates(
    network: SpikingNetwork, rasters: Sequence[SpikeRaster], x: NDArray, n_steps: int
) -> None:
    """Warn if rasters have far more or fewer spikes than the sources emit for the same samples.

    Parameters
    ----------
    network : SpikingNetwork
    rasters : sequence of SpikeRaster
    x : ndarray, shape (n_samples, *shape)
    n_steps : int
        Of the simulation.

    Warns
    -----
    DataWarning
        If the network was converted with sources of its own, whose rates stand for the values.
    """
    (source,) = network.inputs
    if source.encoder not in ("regular", "poisson"):
        return
    values = np.abs(x) if source.signed else x
    expected = float(np.clip(values * source.scale, 0.0, 1.0).sum()) * n_steps
    found = sum(raster.n_spikes for raster in rasters)
    if abs(found - expected) > _FAR * expected:
        warnings.warn(
            f"the rasters have {found:,} spikes; the sources of {network.name} emit about "
            f"{expected:,.0f} for these samples, which is what its weights expect. Encode with "
            f"{_fitting(network)}.",
            DataWarning,
            stacklevel=3,
        )


def _fitting(network: SpikingNetwork) -> str:
    """Return the options of the encoder that suits the sources of a network."""
    (source,) = network.inputs
    return (
        f"count, low=0, high={1 / source.scale:g}, n_spikes={network.n_steps} and "
        f"interval={network.n_steps * network.dt:g}"
    )


def _check_rates(network: SpikingNetwork, encoder: Encoder, path: str | Path) -> None:
    """Refuse codes other than rates for sources whose rates stand for values (mueller 3.1.4)."""
    (source,) = network.inputs
    if not source.spikes or encoder_of(network, source.name) is not None:
        return  # replacing the sources is refused, or the network was trained on its encoder
    if source.encoder == "raster" or (encoder.can_convert and encoder.rates):
        return
    reason = (
        "its values are no rates, which the weights of the network expect"
        if encoder.can_convert
        else f"it carries no conversion: {encoder.reason}"
    )
    raise ParameterError(
        f"{path} was encoded with {encoder.name}. {network.name} was converted with the input "
        f"{source.encoder!r}, for which this encoder is refused, because {reason}. Encode with "
        f"{_fitting(network)}."
    )
