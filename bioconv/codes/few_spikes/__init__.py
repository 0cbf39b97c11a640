"""The few-spikes code (Stoeckl and Maass 2021)."""

from bioconv.codes.few_spikes.code import FewSpikesCode

__all__ = ["FewSpikesCode"]
