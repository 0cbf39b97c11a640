"""Read Keras models: in memory, or files of every Keras since 1.2, without loading them."""

from bioconv.reading.describe import LayerRow, describe
from bioconv.reading.layers import supported_layers
from bioconv.reading.read import read

__all__ = ["LayerRow", "describe", "read", "supported_layers"]
