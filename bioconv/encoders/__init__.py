"""Encoders: signals become spikes and spikes signals again.

>>> from bioconv import encoders
>>> encoder = encoders.make("count", {"n_spikes": 4}).fitted([0.0, 0.5, 1.0])
>>> encoder.decode(encoder.encode([0.0, 0.5, 1.0])).tolist()
[0.0, 0.5, 1.0]
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bioconv.encoders.encoder import Encoder
from bioconv.encoders.files import read_events
from bioconv.encoders.patterns import cosine_similarity, target_patterns
from bioconv.encoders.quality import rms_error, signal_to_noise
from bioconv.encoders.raster import SpikeRaster
from bioconv.encoders.storage import load_encoder_options, load_raster, save_raster
from bioconv.ground.options import made
from bioconv.ground.registry import Registry

__all__ = [
    "Encoder",
    "SpikeRaster",
    "cosine_similarity",
    "library",
    "load",
    "load_raster",
    "make",
    "read_events",
    "rms_error",
    "save_raster",
    "signal_to_noise",
    "target_patterns",
]

_LIBRARY: Registry[type[Encoder]] = Registry(
    "encoder",
    {
        "count": ".rates:CountRate",
        "density": ".rates:DensityRate",
        "population": ".rates:PopulationRate",
        "first_spike": ".latency:FirstSpike",
        "first_spike_inverse": ".latency:InverseFirstSpike",
        "phase": ".latency:PhaseCode",
        "rank_order": ".latency:RankOrder",
        "binary_sequential": ".binary:SequentialBinary",
        "binary_parallel": ".binary:ParallelBinary",
        "interspike_interval": ".intervals:InterspikeInterval",
        "burst": ".intervals:Burst",
        "synchrony": ".places:Synchrony",
        "sparse_distributed": ".places:SparseDistributed",
        "amplitude": ".places:Amplitude",
        "hsa": ".filters:HoughSpiker",
        "modified_hsa": ".filters:ModifiedHoughSpiker",
        "bsa": ".filters:BensSpiker",
        "gagamma": ".optimal:GaGamma",
        "threshold_based": ".contrast:ThresholdBased",
        "step_forward": ".contrast:StepForward",
        "moving_window": ".contrast:MovingWindow",
        "cte": ".correlative:CorrelativeTime",
        "ecte": ".correlative:ExtendedCorrelativeTime",
    },
    package=__name__,
)


def library() -> Mapping[str, type[Encoder]]:
    """Name of each encoder, and its class."""
    return _LIBRARY


def make(name: str, options: Mapping[str, Any] | None = None) -> Encoder:
    """An encoder by name with its options, as the command line gives them.

    Raises
    ------
    ParameterError
        If there is no such encoder or option; lists the valid names.
    """
    return made("encoder", name, _LIBRARY[name], options or {})


def load(path: str | Path) -> tuple[SpikeRaster, Encoder]:
    """Return the raster and the fitted encoder of a file of ``bioconv encode`` or `save_raster`.

    Raises
    ------
    DataError
        If the file is missing or damaged, or if it contains no encoder.
    ParameterError
        If the encoder or its options are not valid.
    """
    name, options = load_encoder_options(path)
    return load_raster(path), make(name, options)
