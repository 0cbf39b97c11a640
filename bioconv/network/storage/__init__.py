"""Networks and recordings as HDF5 files that can be read without bioconv, and are safe to load.

Layout, version 1::

    (512 bytes)                     header: magic line, SHA-256 of everything after it
    /                               attributes format, format_version, bioconv_version
    /content                        a SpikingNetwork or a Recording
    /content/populations/NAME       one group per population, which contains
        class, position, name       attributes: its class, its place in the order, ...
        shape, max_rate, ...        attributes: numbers, lists of numbers, texts
        scale, offset               datasets
        model                       group: equations, threshold and reset as text; parameters,
                                    states and receptors as groups
    /content/projections/00000      pre, post, receptor, delay_steps; group operator: its class,
                                    and its weights as a dataset in the layout of Keras
    /content/analog                 the analog network: inputs, layers (function, operators, bias)

Every group is a dataclass of bioconv with its name in "class" and its fields as entries, a list of
dataclasses (each with its "position"), or a dictionary ("(order)" lists its entries if their order
is not that of the names).  Numbers are float64, int64 (int32 for indices) or booleans, texts are
UTF-8 strings of fixed length, missing values are empty attributes, and arrays are contiguous.  To
change a file with another program, write to it with h5py and call `seal`.
"""

from bioconv.network.storage.files import (
    load,
    load_network,
    load_recording,
    save_network,
    save_recording,
)
from bioconv.network.storage.seal import is_network_file, seal

__all__ = [
    "is_network_file",
    "load",
    "load_network",
    "load_recording",
    "save_network",
    "save_recording",
    "seal",
]
