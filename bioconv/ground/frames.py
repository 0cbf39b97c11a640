"""Tables as pandas data frames."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from typing import Any

from bioconv.ground.errors import SimulatorMissingError


def data_frame(data: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> Any:
    """Return a ``pandas.DataFrame`` of columns by name, or of rows.

    Raises
    ------
    SimulatorMissingError
        If pandas is not installed.
    """
    try:
        pandas = importlib.import_module("pandas")
    except ImportError:
        raise SimulatorMissingError(
            "pandas is not installed. Install it: pip install 'bioconv[pandas]'"
        ) from None
    return pandas.DataFrame(data)
