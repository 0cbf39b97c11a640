"""Data for calibration and simulation, from files or from named datasets."""

from bioconv.data.loading import NAMES, fit_shape, load_data

__all__ = ["NAMES", "fit_shape", "load_data"]
