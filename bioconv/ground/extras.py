"""Packages that are not installed with bioconv itself."""

from __future__ import annotations

import importlib
from typing import Any

from bioconv.ground.errors import SimulatorMissingError


def required(package: str, extra: str = "") -> Any:
    """Import a package of one of the extras of bioconv.

    Parameters
    ----------
    package : str
    extra : str
        Its extra; by default called like the package.

    Raises
    ------
    SimulatorMissingError
        If the package is not installed; says how to install it.
    """
    try:
        return importlib.import_module(package)
    except ModuleNotFoundError as error:
        if error.name != package:  # something else is missing
            raise
        raise SimulatorMissingError(
            f"{package} is not installed. Install it: pip install 'bioconv[{extra or package}]'"
        ) from None
