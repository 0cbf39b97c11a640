"""The exact first-spike code (Stanojevic 2023, chapter 2)."""

from bioconv.codes.first_spike_exact.code import FirstSpikeExactCode

__all__ = ["FirstSpikeExactCode"]
