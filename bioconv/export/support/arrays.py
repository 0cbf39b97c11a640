"""Write arrays to an .npz file without pickle; the same arrays give the same bytes."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from bioconv.ground.whole import whole


def write(path: Path, arrays: Mapping[str, Any]) -> None:
    """Write arrays to an .npz file that `numpy.load` can read.

    Raises
    ------
    ValueError
        An array contains Python objects.
    """
    with whole(path) as part, zipfile.ZipFile(part, "w") as archive:
        for name, array in arrays.items():
            # An entry that is opened by name does not contain the current date.
            with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
                np.lib.format.write_array(file, np.asanyarray(array), allow_pickle=False)
