"""Read Keras models, in memory or from files of Keras 1.2 and later, without running code."""

from bioconv.reading.describe import LayerRow, describe
from bioconv.reading.layers import supported_layers
from bioconv.reading.read import read

__all__ = ["LayerRow", "describe", "read", "supported_layers"]
