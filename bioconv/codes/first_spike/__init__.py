"""The first-spike code with a constant or a dynamic threshold (Mueller 2023, section 6.1)."""

from bioconv.codes.first_spike.code import FirstSpikeCode

__all__ = ["FirstSpikeCode"]
