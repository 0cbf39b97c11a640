"""The oscillation (phase) code (Mueller 2023, section 6.2)."""

from bioconv.codes.phase.code import OscillationCode

__all__ = ["OscillationCode"]
