"""Figures and tables of the papers, with one module each: compute, measure, plot, manifest."""

from bioconv.paper_figures.frame import Claim, Context, Manifest, names, run

__all__ = ["Claim", "Context", "Manifest", "names", "run"]
