"""Shared parts of the codes: rewriting, scales, grids and layouts."""
