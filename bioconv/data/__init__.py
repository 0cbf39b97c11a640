"""Data for calibration and simulation: files of the user, and datasets by name."""

from bioconv.data.loading import NAMES, fit_shape, load_data

__all__ = ["NAMES", "fit_shape", "load_data"]
