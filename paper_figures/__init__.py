"""Figures and tables of the papers, one module each: compute, measure, plot, and a manifest."""

from bioconv.paper_figures.frame import Claim, Context, Manifest, names, run

__all__ = ["Claim", "Context", "Manifest", "names", "run"]
