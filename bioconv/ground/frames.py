"""Tables as pandas data frames."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bioconv.ground.extras import required


def data_frame(data: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> Any:
    """Return a ``pandas.DataFrame`` of columns by name, or of rows.

    Raises
    ------
    SimulatorMissingError
        If pandas is not installed.
    """
    return required("pandas").DataFrame(data)
